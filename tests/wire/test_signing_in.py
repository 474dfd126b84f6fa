"""AuthenticateUsernamePassword and GetSystemInfo."""

import pytest
from sqlalchemy import update

from services88.identity import accounts, tenants
from services88.store.database import Connection
from services88.store.schema import associate
from tests.databases import kind_of
from tests.running import S11, S12, Reply, RunningServer, Starter, envelope, sign_in
from tests.wire.operations import MEDIA, NIL, TNS, parts

_PASSWORD = "a password to sign in with"
_BOTH = pytest.mark.parametrize("soap", [S11, S12])


def answer(server: RunningServer, name: str, password: str, soap: str = S11) -> Reply:
    return server.post("SoPrincipal", sign_in(name, password, soap), MEDIA[soap])


def assert_signed_in(reply: Reply) -> str:
    assert reply.status == 200
    assert reply.text("Succeeded") == reply.text("AuthenticationSucceeded") == "true"
    ticket = reply.text("Ticket")
    assert ticket
    return ticket


def assert_refused(reply: Reply) -> None:
    assert reply.status == 200
    headers, body = parts(reply.content)
    assert headers[0].get(NIL) == "true"
    assert headers[2].text == "true"
    response, credentials, succeeded = body
    assert response.get(NIL) == credentials.get(NIL) == "true"
    assert succeeded.text == "false"


def wait_for_approval(server: RunningServer, associate_id: int) -> None:
    statement = (
        update(associate)
        .where(associate.c.associate_id == associate_id)
        .values(waiting_for_approval=True)
    )

    async def work(connection: Connection) -> None:
        assert await connection.execute(statement) == 1

    server.run(server.identity.database.transaction(work))


@_BOTH
def test_who_signed_in(shared_server: RunningServer, soap: str) -> None:
    name = f"WHO{soap[-5:]}"
    user = shared_server.add_user(
        name,
        _PASSWORD,
        role="Administrator",
        firstname="Åse",
        lastname="Nilsen",
        email=f"{name}@example.com",
    )
    reply = answer(shared_server, name, _PASSWORD, soap)
    ticket = assert_signed_in(reply)
    assert ticket.startswith("7T:")
    assert {
        field: reply.text(field)
        for field in (
            *("Associate", "AssociateId", "FullName", "EMailAddress", "RoleName", "UserType"),
            *("RoleType", "IsPerson", "PersonId", "RoleId"),
        )
    } == {
        "Associate": name,
        "AssociateId": str(user.associate_id),
        "FullName": "Åse Nilsen",
        "EMailAddress": f"{name}@example.com",
        "RoleName": "Administrator",
        "UserType": "InternalAssociate",
        "RoleType": "Employee",
        "IsPerson": "true",
        "PersonId": str(user.person_id),
        "RoleId": str(user.role_id),
    }
    (rights,) = reply.root.iter(f"{TNS}FunctionRights")
    assert [right.text for right in rights] == ["admin-all"]
    (provided,) = reply.root.iter(f"{TNS}ProvidedCredential")
    assert provided.findtext(f"{TNS}DisplayName") == name


def test_a_user_without_a_role_of_their_own_has_the_default_one(
    shared_server: RunningServer,
) -> None:
    shared_server.add_user("DEFAULT", _PASSWORD)
    reply = answer(shared_server, "DEFAULT", _PASSWORD)
    assert reply.text("RoleName") == "User level 0"
    (rights,) = reply.root.iter(f"{TNS}FunctionRights")
    assert len(rights) == 0


@pytest.mark.parametrize("name", ["mixedcase", "MIXEDCASE", " MixedCase "])
def test_letter_case_of_a_name_does_not_matter(shared_server: RunningServer, name: str) -> None:
    if shared_server.sign_in("MixedCase", _PASSWORD) is None:
        shared_server.add_user("MixedCase", _PASSWORD)
    assert answer(shared_server, name, _PASSWORD).text("Associate") == "MixedCase"


def test_an_email_address_is_a_name_of_the_first_user_who_has_it(
    shared_server: RunningServer,
) -> None:
    shared_server.add_user("MAIL1", _PASSWORD, email="one@example.com")
    shared_server.add_user("MAIL2", _PASSWORD, email="two@example.com")
    shared_server.add_user("MAIL3", _PASSWORD, email="two@example.com")
    assert answer(shared_server, "One@example.com", _PASSWORD).text("Associate") == "MAIL1"
    assert answer(shared_server, "two@example.com", _PASSWORD).text("Associate") == "MAIL2"


@_BOTH
def test_whoever_may_not_sign_in_gets_the_same_answer(
    shared_server: RunningServer, soap: str
) -> None:
    user, retired, waiting = (f"{who}{soap[-5:]}" for who in ("USER", "RETIRED", "WAITING"))
    shared_server.add_user(user, _PASSWORD)
    shared_server.add_user(retired, _PASSWORD)
    tenant = shared_server.run(tenants.default(shared_server.identity))
    shared_server.run(accounts.retire(shared_server.identity, tenant, retired, retired=True))
    wait_for_approval(shared_server, shared_server.add_user(waiting, _PASSWORD).associate_id)
    answers = [
        answer(shared_server, name, password, soap)
        for name, password in (
            (user, "wrong"),
            (user, ""),
            ("nobody", _PASSWORD),
            ("", ""),
            (retired, _PASSWORD),
            (retired, "wrong"),
            (waiting, _PASSWORD),
            ("7T:unknown", _PASSWORD),
        )
    ]
    for one in answers:
        assert_refused(one)
        assert (one.status, one.content) == (answers[0].status, answers[0].content)
        assert one.headers.keys() == answers[0].headers.keys()


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "<UserName>ABSENT</UserName>",
        "<Password>x</Password>",
        '<UserName xsi:nil="true"/><Password xsi:nil="true"/>',
        "<UserName/><Password/>",
    ],
)
def test_without_a_name_or_a_password_nobody_is_signed_in(
    shared_server: RunningServer, inside: str
) -> None:
    body = f"<AuthenticateUsernamePassword>{inside}</AuthenticateUsernamePassword>"
    assert_refused(shared_server.post("SoPrincipal", envelope(body)))


def test_every_sign_in_issues_a_new_ticket(shared_server: RunningServer) -> None:
    shared_server.add_user("MANY", _PASSWORD)
    tickets = {assert_signed_in(answer(shared_server, "MANY", _PASSWORD)) for _ in range(4)}
    assert len(tickets) == 4
    for ticket in tickets:  # all are valid side by side
        assert shared_server.change_own(ticket, "wrong", "x").text("Succeeded") == "true"


@_BOTH
@pytest.mark.parametrize("password", ["", "anything", _PASSWORD])
def test_a_ticket_as_user_name_signs_in_and_comes_back(
    shared_server: RunningServer, soap: str, password: str
) -> None:
    name = f"T{len(password)}{soap[-5:]}"
    shared_server.add_user(name, _PASSWORD)
    ticket = assert_signed_in(answer(shared_server, name, _PASSWORD))
    reply = answer(shared_server, ticket, password, soap)
    assert assert_signed_in(reply) == ticket
    assert reply.text("Associate") == name


def test_the_ticket_of_a_retired_user_signs_nobody_in(shared_server: RunningServer) -> None:
    shared_server.add_user("LEAVER", _PASSWORD)
    ticket = assert_signed_in(answer(shared_server, "LEAVER", _PASSWORD))
    tenant = shared_server.run(tenants.default(shared_server.identity))
    shared_server.run(accounts.retire(shared_server.identity, tenant, "LEAVER", retired=True))
    assert_refused(answer(shared_server, ticket, ""))
    assert shared_server.change_own(ticket, _PASSWORD, "x").text("Succeeded") == "false"


def test_get_system_info_needs_nobody_and_tells_the_truth(start: Starter) -> None:
    server = start()
    server.run(tenants.add(server.identity, "Cust1", company="A & B"))
    reply = server.post("SoPrincipal", envelope("<GetSystemInfo/>"), site="/Cust1")
    assert reply.text("Succeeded") == "true"
    assert reply.text("CompanyName") == "A & B"
    assert reply.text("DatabaseName") == "Cust1"
    kinds = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    assert reply.text("DatabaseType") == kinds[kind_of(server.database)]
    assert reply.text("IsUnicode") == "true"
    assert reply.text("License") is None
    assert int(reply.text("DatabaseVersion") or 0) >= 1
