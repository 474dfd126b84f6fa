"""The three ways to say no: (a) a password, (b) the whole call, (c) is in test_faults.py."""

from collections.abc import Iterator

import pytest

from services88.identity import application_tokens, tenants
from services88.store import credentials as credentials_store
from services88.store.database import Connection
from tests.databases import Databases
from tests.running import (
    S11,
    S12,
    Reply,
    RunningServer,
    Starter,
    change_own,
    credentials,
    envelope,
    running,
    sign_in,
)
from tests.wire.operations import MEDIA, NIL, TNS, names, parts

_PASSWORD = "the current password"
_BOTH = pytest.mark.parametrize("soap", [S11, S12])
_TYPES = {
    f"SuperOffice.Exceptions.{name}"
    for name in (
        *("SoSessionException", "SoInvalidPasswordException", "SoIllegalOperationException"),
        "SoSentryException",
    )
}


def ticket_of(server: RunningServer, name: str, password: str = _PASSWORD) -> str:
    ticket = server.sign_in(name, password)
    if ticket is None:
        server.add_user(name, password)
        ticket = server.sign_in(name, password)
    assert ticket
    return ticket


def change(server: RunningServer, ticket: str, old: str, new: str, soap: str = S11) -> Reply:
    return server.post("User", change_own(ticket, old, new, soap), MEDIA[soap])


def assert_as_boolean(reply: Reply, reason: str) -> None:
    """(a): the documented boolean, and why, by keys that are never renamed."""
    assert reply.status == 200
    headers, body = parts(reply.content)
    exception, extra, succeeded, _ = headers
    assert exception.get(NIL) == "true"
    assert succeeded.text == "true"
    assert [value.text for value in body] == ["false"]
    keys = [pair.findtext(f"{TNS}Key") for pair in extra]
    assert len(keys) == len(set(keys))
    assert set(keys) <= {"Reason", "Rules", "Text", "RetryAfter"}
    assert reply.extra["Reason"] == reason
    assert (reply.extra["Text"] or "").endswith(".")


def assert_refused(reply: Reply, exception_type: str) -> None:
    """(b): a message that says so, and no made-up result."""
    assert reply.status == 200
    headers, body = parts(reply.content)
    exception, extra, succeeded, zone = headers
    assert succeeded.text == "false"
    assert extra.get(NIL) == "true"
    assert zone.get(NIL) is None
    said = exception.findtext(f"{TNS}ExceptionType") or ""
    assert said in _TYPES
    assert said.endswith(exception_type)
    assert exception.findtext(f"{TNS}Message")
    assert exception.findtext(f"{TNS}FriendlyText")
    assert exception.findtext(f"{TNS}StackTrace") == ""
    for value in body:
        assert value.get(NIL) == "true" or value.text in ("false", "0", "0001-01-01T00:00:00")


# --- (a) ------------------------------------------------------------------------------------------

_UNACCEPTABLE = {
    "a wrong old password": ("wrong", "new password", "old-password-wrong", None),
    "an old password in another case": (_PASSWORD.upper(), "new", "old-password-wrong", None),
    "no old password": ("", "new password", "old-password-wrong", None),
    "both wrong": ("wrong", "", "old-password-wrong", None),
    "an empty new password": (_PASSWORD, "", "policy", "empty"),
    "too long a new password": (_PASSWORD, "x" * 1025, "policy", "maximum-length"),
}


@_BOTH
@pytest.mark.parametrize("what", _UNACCEPTABLE)
def test_a_refused_password_is_false_with_the_reason(
    shared_server: RunningServer, soap: str, what: str
) -> None:
    old, new, reason, rules = _UNACCEPTABLE[what]
    ticket = ticket_of(shared_server, "BOOLEAN")
    reply = change(shared_server, ticket, old, new, soap)
    assert_as_boolean(reply, reason)
    assert reply.extra.get("Rules") == rules
    assert "RetryAfter" not in reply.extra
    assert shared_server.sign_in("BOOLEAN", _PASSWORD)


def test_a_changed_password_has_no_extra_info(shared_server: RunningServer) -> None:
    ticket = ticket_of(shared_server, "CHANGED")
    reply = change(shared_server, ticket, _PASSWORD, "another")
    assert reply.text("Response") == "true"
    assert reply.extra == {}
    assert parts(reply.content)[0][1].get(NIL) == "true"


@_BOTH
@pytest.mark.parametrize("what", _UNACCEPTABLE)
def test_by_setting_it_is_an_exception(strict: RunningServer, soap: str, what: str) -> None:
    old, new, reason, rules = _UNACCEPTABLE[what]
    reply = change(strict, ticket_of(strict, "EXCEPTION"), old, new, soap)
    assert_refused(reply, ".SoInvalidPasswordException")
    assert reply.text("Response") == "false"
    pairs = reply.root.iter(f"{TNS}SoExceptionInfoParametersKeyValuePair")
    said = {pair[0].text: pair[1].text for pair in pairs}
    assert said["Reason"] == reason
    assert said.get("Rules") == rules
    assert strict.sign_in("EXCEPTION", _PASSWORD)


@pytest.fixture(scope="module")
def strict(shared_databases: Databases) -> Iterator[RunningServer]:
    """A server where a refused password is an exception."""
    with running(shared_databases.new(), password_refusals="exception") as server:
        yield server


def test_that_setting_leaves_everything_else_alone(strict: RunningServer) -> None:
    ticket = ticket_of(strict, "ELSE")
    assert strict.post("SoPrincipal", sign_in("ELSE", "wrong")).text("Succeeded") == "true"
    wrong = strict.post("SoPrincipal", sign_in("ELSE", "wrong"))
    assert wrong.text("AuthenticationSucceeded") == "false"
    assert parts(wrong.content)[0][0].get(NIL) == "true"
    assert change(strict, ticket, _PASSWORD, "another").text("Response") == "true"
    assert_refused(strict.change_own("7T:unknown", "a", "b"), ".SoSessionException")


# --- (b) ------------------------------------------------------------------------------------------


@_BOTH
@pytest.mark.parametrize("ticket", ["", "7T:unknown", "no ticket at all"])
def test_no_or_an_unknown_ticket(shared_server: RunningServer, soap: str, ticket: str) -> None:
    reply = change(shared_server, ticket, _PASSWORD, "x", soap)
    assert_refused(reply, ".SoSessionException")
    assert reply.text("Response") == "false"


def test_no_credentials_at_all(shared_server: RunningServer) -> None:
    assert_refused(shared_server.post("User", envelope("<GetUser/>")), ".SoSessionException")


def test_the_ticket_is_looked_at_before_what_is_supported(shared_server: RunningServer) -> None:
    """Who may not call is not told what there is."""
    answers = [
        shared_server.post("User", envelope(f"<{name}/>")).text("Message")
        for name in ("ChangeOwnPassword", "IsUserNameValid", "GetServiceAuth", "DeleteUser")
    ]
    assert len(set(answers)) == 1


@_BOTH
def test_an_unsupported_operation(shared_server: RunningServer, soap: str) -> None:
    for name, fields in (
        ("AuthenticateImplicit", ["Response", "Credentials", "AuthenticationSucceeded"]),
        ("AuthenticateGeneric", ["Response", "Credentials", "AuthenticationSucceeded"]),
    ):
        reply = shared_server.post("SoPrincipal", envelope(f"<{name}/>", soap=soap), MEDIA[soap])
        assert_refused(reply, ".SoIllegalOperationException")
        assert f"{name} is not supported by this server yet" in (reply.text("Message") or "")
        assert names(list(parts(reply.content)[1])) == fields


def test_operations_without_a_result_send_their_empty_wrapper(
    shared_server: RunningServer,
) -> None:
    reply = shared_server.post("User", envelope("<DeleteUser/>"))
    assert_refused(reply, ".SoSessionException")
    _, wrapper = parts(reply.content)
    assert (wrapper.tag, len(wrapper), wrapper.text) == (f"{TNS}DeleteUserResponse", 0, None)


def test_defaults_of_every_kind(shared_server: RunningServer) -> None:
    for name, default in (
        ("ChangeOwnPassword", "false"),  # a boolean
        ("GetUser", None),  # a carrier
        ("SetGeneratedPassword", None),  # text
        ("GetAllRoles", None),  # a list
    ):
        reply = shared_server.post("User", envelope(f"<{name}/>"))
        assert_refused(reply, ".SoSessionException")
        assert reply.text("Response") == default


@_BOTH
@pytest.mark.parametrize("agent", ["User", "SoPrincipal"])
def test_a_missing_unknown_or_revoked_application_token(
    online: RunningServer, soap: str, agent: str
) -> None:
    identity = online.identity
    tenant = online.run(tenants.named(identity, "Cust1"))
    revoked = online.run(application_tokens.issue(identity, tenant, "revoked"))
    online.run(application_tokens.revoke(identity, tenant, revoked.application_token_id))
    body = "<ChangeOwnPassword/>" if agent == "User" else "<GetSystemInfo/>"
    for block in (
        "",
        "<ApplicationToken/>",
        "<ApplicationToken> </ApplicationToken>",
        '<ApplicationToken xsi:nil="true"/>',
        "<ApplicationToken>unknown-token</ApplicationToken>",
        f"<ApplicationToken>{revoked.text}</ApplicationToken>",
    ):
        reply = online.post(agent, envelope(body, block, soap), MEDIA[soap], site="/Cust1")
        assert_refused(reply, ".SoSessionException")
        assert "application token" in (reply.text("Message") or "")
        assert b"unknown-token" not in reply.content
        assert revoked.text.encode() not in reply.content


@pytest.fixture(scope="module")
def online(shared_databases: Databases) -> Iterator[RunningServer]:
    """An Online installation with one tenant."""
    with running(shared_databases.new(), installation="online") as server:
        server.run(tenants.add(server.identity, "Cust1"))
        yield server


def test_the_whole_story_online(online: RunningServer) -> None:
    tenant = online.run(tenants.named(online.identity, "Cust1"))
    token = online.run(application_tokens.issue(online.identity, tenant, "an application")).text
    online.add_user("ONLINE", _PASSWORD, "Cust1")
    block = f"<ApplicationToken>{token}</ApplicationToken>"

    def post(agent: str, message: str, header: str = block) -> Reply:
        with_header = message.replace("<s:Body>", f"<s:Header>{header}</s:Header><s:Body>")
        return online.post(agent, with_header, site="/Cust1")

    assert post("SoPrincipal", sign_in("ONLINE", _PASSWORD), "").text("Succeeded") == "false"
    assert post("SoPrincipal", sign_in("ONLINE", _PASSWORD), "").text("Ticket") is None
    ticket = post("SoPrincipal", sign_in("ONLINE", _PASSWORD)).text("Ticket")
    assert ticket
    change = change_own(ticket, _PASSWORD, "another").replace("<s:Header>", f"<s:Header>{block}")
    without = online.post("User", change_own(ticket, _PASSWORD, "x"), site="/Cust1")
    assert without.text("Succeeded") == without.text("Response") == "false"
    assert online.post("User", change, site="/Cust1").text("Response") == "true"
    assert post("SoPrincipal", sign_in("ONLINE", "another")).text("Ticket")


def test_on_site_no_token_is_looked_at(shared_server: RunningServer) -> None:
    for block in ("", "<ApplicationToken>whatever</ApplicationToken>", "<ApplicationToken/>"):
        reply = shared_server.post("SoPrincipal", envelope("<GetSystemInfo/>", block))
        assert reply.text("Succeeded") == "true"


# --- an empty current password --------------------------------------------------------------------


def test_an_empty_current_password_verifies_like_any_other(start: Starter) -> None:
    server = start()
    user = server.add_user("EMPTY", "set to nothing")
    server.run(set_password(server, user.associate_id, ""))
    ticket = server.sign_in("EMPTY", "")
    assert ticket
    assert_as_boolean(change(server, ticket, "something", "new password"), "old-password-wrong")
    body = "<ChangeOwnPassword><NewPassword>new password</NewPassword></ChangeOwnPassword>"
    reply = server.post("User", envelope(body, credentials(ticket)))
    assert reply.text("Response") == "true"
    assert server.sign_in("EMPTY", "") is None
    assert server.sign_in("EMPTY", "new password")


async def set_password(server: RunningServer, associate_id: int, password: str) -> None:
    """Store a password that our own rules would refuse, as an older system may have left it."""
    hashed = await server.identity.hashing.hash(password)

    async def work(connection: Connection) -> None:
        row = await credentials_store.password_of(connection, associate_id)
        assert row is not None
        assert await credentials_store.replace_password(connection, row, secret=hashed, now=1)

    await server.identity.database.transaction(work)
