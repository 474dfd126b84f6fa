"""Mailed links: once, within 30 minutes, by POST, known to nobody but the mailbox (ASVS 6.4.3)."""

import json
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest

from services88.identity import reset_links, tenants
from services88.identity.clock import MINUTE
from services88.identity.identity import Origin
from services88.store import guesses
from services88.store.associates import Associate
from services88.store.database import Connection
from tests.databases import content, sql
from tests.notices.conftest import Heard, mailing
from tests.notices.smtp import SmtpServer
from tests.running import Reply, RunningServer, Starter, TestClock, credentials, envelope, running

_WAIT = 10
_OLD, _NEW = "the old password", "the new password"


@dataclass
class Scene:
    server: RunningServer
    smtp: SmtpServer
    clock: TestClock
    jane: Associate
    ticket: str

    def ask(self) -> Reply:
        return ask(self.server, self.ticket, self.jane)

    def token(self) -> str:
        reply = self.ask()
        assert reply.text("Success") == "true", reply.content
        mail = self.smtp.mails.get(timeout=_WAIT)
        assert mail.recipient == "jane@example.com"
        found = re.search(r"https://id\.example\.com/password/reset#([\w-]{43})\s", mail.text)
        assert found, mail.text
        return found[1]

    def post(self, token: str, new: str) -> tuple[int, dict[str, object]]:
        reply = self.server.request(
            "POST",
            "/password/reset",
            json.dumps({"token": token, "new_password": new}).encode(),
            Content_Type="application/json",
        )
        return reply.status, json.loads(reply.content)


def ask(server: RunningServer, ticket: str, user: Associate) -> Reply:
    return server.post(
        "User",
        envelope(
            f"<SendChangePasswordEMail><AssociateId>{user.associate_id}</AssociateId>"
            "</SendChangePasswordEMail>",
            credentials(ticket),
        ),
    )


def ways(server: RunningServer, ticket: str, user: Associate) -> list[str]:
    reply = server.post(
        "User",
        envelope(
            f"<GetSupportedChangePasswordTypes><AssociateId>{user.associate_id}</AssociateId>"
            "</GetSupportedChangePasswordTypes>",
            credentials(ticket),
        ),
    )
    return re.findall(r"(?:>)(Email|Password)(?:<)", reply.content.decode())


@pytest.fixture
def scene(database: str, smtp: SmtpServer) -> Iterator[Scene]:
    clock = TestClock()
    smtp.listen()
    with running(database, clock, **mailing(smtp)) as server:
        jane = server.add_user("JANE", _OLD, email="jane@example.com")
        ticket = server.sign_in("JANE", _OLD)
        assert ticket is not None
        yield Scene(server, smtp, clock, jane, ticket)


def test_a_link_changes_the_password_once(scene: Scene) -> None:
    token = scene.token()
    assert scene.post(token, _NEW) == (
        200,
        {"changed": True, "message": "The password is changed. Sign in with the new one."},
    )
    assert scene.server.sign_in("JANE", _OLD) is None
    assert scene.server.sign_in("JANE", _NEW) is not None
    assert b"The ticket is unknown" in scene.server.change_own(scene.ticket, _NEW, "x").content
    told = scene.smtp.mails.get(timeout=_WAIT)
    assert "It was changed by a link that was mailed to you." in told.text
    assert scene.post(token, "a third")[0] == 403
    assert scene.server.sign_in("JANE", _NEW) is not None


def test_a_link_enables_a_password_that_guessing_disabled(scene: Scene) -> None:
    token = scene.token()  # the ticket is Jane's: a disabled password ends none (NIST 3.2.2)

    async def disable(connection: Connection) -> None:
        await guesses.add_failure(connection, scene.jane.associate_id, scene.clock.time)
        assert await guesses.set_disabled(connection, scene.jane.associate_id, scene.clock.time)

    scene.server.run(scene.server.identity.database.transaction(disable))
    assert scene.server.sign_in("JANE", _OLD) is None
    assert scene.post(token, _NEW)[0] == 200
    assert scene.server.sign_in("JANE", _NEW) is not None


def test_of_many_uses_at_once_one_succeeds(scene: Scene) -> None:
    token = scene.token()
    candidates = [f"candidate {number}" for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        statuses = [
            status for status, _ in pool.map(lambda one: scene.post(token, one), candidates)
        ]
    assert sorted(statuses) == [200, 403, 403, 403, 403, 403]
    assert scene.server.sign_in("JANE", candidates[statuses.index(200)]) is not None


def test_a_form_is_as_good(scene: Scene) -> None:
    body = urlencode({"token": scene.token(), "new_password": "n\u00e4w & better"}).encode()
    reply = scene.server.request(
        "POST", "/password/reset", body, Content_Type="application/x-www-form-urlencoded"
    )
    assert reply.status == 200
    assert reply.content == b"The password is changed. Sign in with the new one.\n"
    assert scene.server.sign_in("JANE", "n\u00e4w & better") is not None


def test_a_link_lasts_half_an_hour(scene: Scene) -> None:
    first = scene.token()
    scene.clock.time += 30 * MINUTE
    status, answer = scene.post(first, _NEW)
    assert (status, answer["changed"]) == (403, False)
    second = scene.token()
    scene.clock.time += 30 * MINUTE - 1
    assert scene.post(second, _NEW)[0] == 200


def test_a_get_uses_nothing_up(scene: Scene) -> None:
    token = scene.token()
    for method in ("GET", "HEAD", "PUT"):
        reply = scene.server.request(method, "/password/reset")
        assert reply.status == 405
        assert reply.headers["allow"] == "POST"
        assert reply.content.count(b"\n") == (method != "HEAD")
    assert scene.post(token, _NEW)[0] == 200


def test_a_newer_link_ends_none_and_a_change_ends_all(scene: Scene) -> None:
    first = scene.token()
    scene.clock.time += 2 * MINUTE
    second = scene.token()
    scene.clock.time += 2 * MINUTE
    third = scene.token()
    assert scene.post(first, _NEW)[0] == 200
    assert scene.post(second, "changed")[0] == 403
    assert scene.post(third, "changed")[0] == 403


def test_asking_each_minute_ends_no_link_early_and_fills_no_table(scene: Scene) -> None:
    async def issue(times: int) -> list[str]:
        tokens = []
        for _ in range(times):
            tokens.append(await reset_links.issue(scene.server.identity, scene.jane))
            scene.clock.time += MINUTE
        return tokens

    first, *_ = scene.server.run(issue(30))
    scene.clock.time -= 1
    assert sql(scene.server.database, "SELECT count(*) FROM reset_link") == [(30,)]
    assert scene.post(first, "short of nothing")[0] == 200
    scene.clock.time += MINUTE

    async def burst() -> None:  # mails that an SMTP server held up for long
        for _ in range(40):
            await reset_links.issue(scene.server.identity, scene.jane)

    scene.server.run(burst())
    assert sql(scene.server.database, "SELECT count(*) FROM reset_link") == [(32,)]


def test_a_removed_password_comes_back_by_an_administrator_only(
    scene: Scene, postponed: Heard
) -> None:
    server = scene.server
    server.add_user("BOSS", _OLD, role="Administrator")
    boss = server.sign_in("BOSS", _OLD) or ""
    earlier = scene.token()
    tenant = server.run(tenants.default(server.identity))

    def forgotten() -> int:
        work = reset_links.ask_for_name(server.identity, tenant, "JANE", Origin())
        server.run(work)
        return int(sql(server.database, "SELECT count(*) FROM outbox")[0][0])

    def remove() -> Reply:
        arguments = (
            f"<UserId>{scene.jane.associate_id}</UserId>"
            "<CredentialType>CRM5/PASSWORD</CredentialType>"
        )
        return server.post(
            "User", envelope(f"<DeleteCredential>{arguments}</DeleteCredential>", credentials(boss))
        )

    scene.clock.time += 2 * MINUTE
    scene.smtp.refusal = b"451 4.7.1 later\r\n"
    mails = forgotten()  # asked for, and still in the outbox when the password is removed
    postponed.wait()
    assert remove().text("Response") == "true"
    scene.smtp.refusal = None
    scene.clock.time += 2 * MINUTE
    assert scene.smtp.mails.get(timeout=_WAIT).message["Subject"] == "Your password was removed"
    assert scene.post(earlier, _NEW)[0] == 403
    assert forgotten() == mails + 1, "the news of the removal, and no link"
    assert sql(server.database, "SELECT count(*) FROM reset_link") == [(0,)]

    assert ask(server, boss, scene.jane).text("Success") == "true"
    mail = scene.smtp.mails.get(timeout=_WAIT)
    found = re.search(r"/password/reset#([\w-]{43})\s", mail.text)
    assert found, "and not the mail that was held up"
    assert remove().text("Response") == "false", "there is none, and the invitation is taken back"
    assert scene.post(found[1], _NEW)[0] == 403
    scene.clock.time += 2 * MINUTE
    mails = forgotten()
    assert ask(server, boss, scene.jane).text("Success") == "true"
    assert scene.smtp.mails.get(timeout=_WAIT)
    scene.clock.time += 2 * MINUTE
    assert forgotten() == mails + 2, "who was invited may ask for another link"
    found = re.search(r"reset#([\w-]{43})\s", scene.smtp.mails.get(timeout=_WAIT).text)
    assert found
    assert scene.post(found[1], _NEW)[0] == 200
    assert server.sign_in("JANE", _NEW) is not None


def test_the_rules_hold_and_the_link_stays(database: str, smtp: SmtpServer) -> None:
    smtp.listen()
    with running(database, **mailing(smtp, password_policy="nist")) as server:
        jane = server.add_user("JANE", "waterfall under moon 7", email="jane@example.com")
        ticket = server.sign_in("JANE", "waterfall under moon 7")
        assert ticket is not None
        scene = Scene(server, smtp, TestClock(), jane, ticket)
        token = scene.token()
        status, answer = scene.post(token, "short")
        assert status == 422
        assert "minimum-length" in str(answer["rules"])
        status, answer = scene.post(token, "waterfall under moon 7")
        assert (status, answer["rules"]) == (422, ["same-as-current"])
        assert scene.post(token, "mountain above sun 8 lakes")[0] == 200


def test_who_was_retired_cannot_use_a_link(scene: Scene) -> None:
    from services88.identity import accounts, tenants

    token = scene.token()

    async def retire() -> None:
        tenant = await tenants.default(scene.server.identity)
        await accounts.retire(scene.server.identity, tenant, "JANE", retired=True)

    scene.server.run(retire())
    assert scene.post(token, _NEW)[0] == 403


def test_the_token_is_in_the_mail_only(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = scene.token()
    scene.server.request("GET", "/password/reset")
    assert scene.post(token, _NEW)[0] == 200
    assert scene.smtp.mails.get(timeout=_WAIT)
    assert token not in caplog.text
    assert _NEW not in caplog.text
    written = content(scene.server.database)
    assert b"jane@example.com" in written
    assert token.encode() not in written


def test_a_filter_that_quotes_the_mail_puts_no_link_in_the_log(
    scene: Scene, postponed: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    scene.smtp.refusal = (
        b"554 5.7.1 blocked: https://id.example.com/password/reset#quoted-token\r\n"
    )
    scene.ask()
    postponed.wait()
    scene.smtp.refusal = None
    scene.clock.time += MINUTE
    assert scene.smtp.mails.get(timeout=_WAIT)
    assert "could not be sent" in caplog.text
    assert "quoted-token" not in caplog.text


def test_asking_twice_in_a_moment_sends_one_mail(scene: Scene) -> None:
    scene.token()
    assert scene.ask().text("Success") == "true"
    assert sql(scene.server.database, "SELECT count(*) FROM outbox") == [(1,)]


@pytest.mark.parametrize(
    ("left_out", "remedy"),
    [("smtp_host", "SERVICES88_SMTP_HOST"), ("public_url", "SERVICES88_PUBLIC_URL")],
)
def test_what_is_missing_is_said(
    start: Starter, smtp: SmtpServer, left_out: str, remedy: str
) -> None:
    server = start(**mailing(smtp) | {left_out: None})
    jane = server.add_user("JANE", _OLD, email="jane@example.com")
    ticket = server.sign_in("JANE", _OLD)
    assert ticket is not None
    reply = ask(server, ticket, jane)
    assert reply.text("Success") == "false"
    assert remedy in (reply.text("Message") or "")
    assert ways(server, ticket, jane) == ["Password"]


def test_who_has_no_address_is_told(scene: Scene) -> None:
    joe = scene.server.add_user("JOE", _OLD)
    ticket = scene.server.sign_in("JOE", _OLD)
    assert ticket is not None
    reply = ask(scene.server, ticket, joe)
    assert reply.text("Success") == "false"
    assert "no e-mail address" in (reply.text("Message") or "")
    assert ways(scene.server, ticket, joe) == ["Password"]
    assert ways(scene.server, scene.ticket, scene.jane) == ["Email", "Password"]


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 400),
        ("application/json", b"[" * 10_000, 400),
        ("application/json", b'{"token": 1, "new_password": "a"}', 400),
        ("application/json", b"\xff", 400),
        ("application/json", b'{"token": "\\ud800", "new_password": "a"}', 403),
        ("application/json", b'{"token": "unknown", "new_password": "a"}', 403),
        ("application/x-www-form-urlencoded", b"token=a&token=b&new_password=c", 400),
        ("application/x-www-form-urlencoded", b"token=%FF&new_password=c", 400),
        ("application/x-www-form-urlencoded", b"token=a&new_password=c", 403),
        ("text/plain", b"token=a&new_password=c", 415),
        ("application/json", b" " * 70_000, 413),
    ],
)
def test_what_is_no_request(
    shared_server: RunningServer, content_type: str, body: bytes, status: int
) -> None:
    reply = shared_server.request("POST", "/password/reset", body, Content_Type=content_type)
    assert reply.status == status
    assert reply.content.count(b"\n") == 1
