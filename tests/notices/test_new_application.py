"""Online, a sign-in from an application that is new to the user is told to them (ASVS 6.3.5)."""

from sqlalchemy import select

from services88.identity import application_tokens, tenants
from services88.store.schema import outbox, seen_application
from tests.notices.conftest import mailing
from tests.notices.smtp import SmtpServer
from tests.running import RunningServer, Starter, envelope, sign_in

PASSWORD = "vellum orbit quartz"
_WAIT = 10


def _token(server: RunningServer, name: str) -> str:
    async def work() -> str:
        of = await tenants.default(server.identity)
        return (await application_tokens.issue(server.identity, of, name)).text

    return server.run(work())


def _signs_in(server: RunningServer, token: str, name: str, password: str = PASSWORD) -> str | None:
    body = sign_in(name, password).partition("<s:Body>")[2].partition("</s:Body>")[0]
    message = envelope(body, f"<ApplicationToken>{token}</ApplicationToken>")
    reply = server.post("SoPrincipal", message, site="/default", X_Forwarded_For="198.51.100.7")
    assert reply.status == 200
    return reply.text("Ticket")


def _kinds(server: RunningServer) -> list[str]:
    rows = server.run(server.identity.database.all(select(outbox.c.kind)))
    return [row[0] for row in rows]


def test_the_owner_is_told_of_a_sign_in_from_a_new_application(
    start: Starter, smtp: SmtpServer
) -> None:
    smtp.listen()
    server = start(installation="online", **mailing(smtp))
    server.add_user("JANE", PASSWORD, email="jane@example.com")
    server.add_user("JOE", PASSWORD, email="joe@example.com")
    portal, shop, third = (_token(server, name) for name in ("Portal", "Shop {0} %s", "Third"))

    assert _signs_in(server, portal, "JANE")
    assert _signs_in(server, portal, "JANE")
    assert _signs_in(server, shop, "JOE")
    assert _signs_in(server, shop, "JANE", "wrong") is None
    assert _kinds(server) == [], "the first application is no news, nor is a wrong password"

    ticket = _signs_in(server, shop, "JANE")
    assert ticket
    mail = smtp.mails.get(timeout=_WAIT)
    assert mail.recipient == "jane@example.com"
    assert mail.message["Subject"] == "A sign-in from a new application"
    assert "as the user JANE from the application Shop {0} %s," in mail.text.replace("\n", " ")
    assert "198.51.100.7" in mail.text
    for secret in (ticket, portal, shop, PASSWORD):
        assert secret not in mail.text

    assert _signs_in(server, shop, "JANE")
    assert _signs_in(server, portal, "JANE")
    assert _kinds(server) == ["new-application"], "it is told once"
    assert _signs_in(server, third, ticket, ""), "a ticket in place of the name is a sign-in too"
    assert "Third" in smtp.mails.get(timeout=_WAIT).text
    rows = server.run(server.identity.database.all(select(seen_application)))
    assert sorted(row[:2] for row in rows) == [(1, 1), (1, 2), (1, 3), (2, 2)]
    assert smtp.mails.empty()


def test_who_has_no_address_is_told_nothing_and_signs_in(start: Starter) -> None:
    server = start(installation="online")
    server.add_user("JANE", PASSWORD)
    for name in ("Portal", "Shop"):
        assert _signs_in(server, _token(server, name), "JANE")
    assert _kinds(server) == []


def test_on_site_no_application_is_noted(start: Starter) -> None:
    server = start()
    server.add_user("JANE", PASSWORD, email="jane@example.com")
    for name in ("Portal", "Shop"):
        assert _signs_in(server, _token(server, name), "JANE")
    assert server.run(server.identity.database.all(select(seen_application))) == []
    assert _kinds(server) == []
