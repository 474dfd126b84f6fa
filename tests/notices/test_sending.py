"""Mails after a change: to the owner, over TLS, once, whatever breaks (ASVS 6.3.7)."""

import asyncio
import logging
import os
import ssl
import subprocess
import sys

import pytest
from sqlalchemy import select

from services88.identity import accounts, notices, passwords, tenants
from services88.identity.clock import HOUR, MINUTE, SystemClock
from services88.identity.errors import BadInput
from services88.identity.notices import DAY
from services88.settings import load
from services88.store.database import Connection
from services88.store.schema import outbox, reset_link
from services88.web.application import identity_of
from tests.databases import sql
from tests.notices.conftest import Heard, mailing
from tests.notices.smtp import SmtpServer
from tests.running import RunningServer, Starter, TestClock, credentials, envelope, running

_WAIT = 10


def set_by_operator(server: RunningServer, name: str, password: str) -> None:
    async def work() -> None:
        tenant = await tenants.default(server.identity)
        user = await accounts.find(server.identity, tenant, name)
        await passwords.set_by_operator(server.identity, tenant, user, password)

    server.run(work())


def rows(server: RunningServer) -> list[tuple[object, ...]]:
    async def work() -> list[tuple[object, ...]]:
        found = await server.identity.database.all(select(outbox).order_by(outbox.c.outbox_id))
        links = await server.identity.database.all(select(reset_link))
        return [*found, *links]

    return server.run(work())


def test_the_owner_is_told_of_every_change(
    start: Starter, smtp: SmtpServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    smtp.listen()
    server = start(**mailing(smtp, smtp_user="services88", smtp_password="the SMTP password"))
    jane = server.add_user("JANE", "jane's first password", email="jane@example.com")
    server.add_user("ROOT", "root's password", role="Administrator")
    ticket = server.sign_in("JANE", "jane's first password")
    root = server.sign_in("ROOT", "root's password")
    assert ticket is not None
    assert root is not None

    assert server.change_own(ticket, "jane's first password", "secret two").text("Response")
    mail = smtp.mails.get(timeout=_WAIT)
    assert mail.encrypted
    assert mail.recipient == "jane@example.com"
    assert mail.message["From"] == "services88@example.com"
    assert mail.message["To"] == "jane@example.com"
    assert mail.message["Subject"] == "Your password was changed"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert "the user JANE was changed" in mail.text
    assert "You changed it yourself" in mail.text

    server.post(
        "User",
        envelope(
            f"<SetPassword><AssociateId>{jane.associate_id}</AssociateId>"
            "<Password>secret three</Password></SetPassword>",
            credentials(root),
        ),
    )
    assert "An administrator changed it." in smtp.mails.get(timeout=_WAIT).text

    set_by_operator(server, "JANE", "secret four")
    assert "The operator of the server changed it." in smtp.mails.get(timeout=_WAIT).text

    server.post(
        "User",
        envelope(
            f"<DeleteCredential><UserId>{jane.associate_id}</UserId>"
            "<CredentialType>CRM5/PASSWORD</CredentialType></DeleteCredential>",
            credentials(root),
        ),
    )
    assert smtp.mails.get(timeout=_WAIT).message["Subject"] == "Your password was removed"

    stored = repr(rows(server)) + caplog.text
    for secret in ("jane's first password", "secret t", "secret f", "SMTP password", ticket, root):
        assert secret not in stored


def test_who_has_no_address_gets_none(start: Starter, smtp: SmtpServer) -> None:
    server = start(**mailing(smtp))
    server.add_user("JOE", "joe's password")
    set_by_operator(server, "JOE", "joe's other password")
    assert rows(server) == []


@pytest.mark.parametrize(
    "email",
    [
        "jane@example.com\r\nRCPT TO:<eve@example.com>",
        "jane@example.com\nBcc: eve@example.com",
        "jane@example.com\0",
        "jane@example.com\u2028Bcc: eve@example.com",
    ],
)
def test_an_address_with_lines_is_none(start: Starter, email: str) -> None:
    """ASVS 1.3.11."""
    server = start()
    with pytest.raises(BadInput, match="no control"):
        server.add_user("JANE", "a password", email=email)


@pytest.mark.parametrize(
    "email",
    [
        "jane@example.com> RCPT TO:<eve@example.com",
        "jane@example.com, eve@example.com",
        "jane@example.com\u2028Bcc: eve@example.com",
        "<eve@example.com>",
    ],
)
def test_a_mail_goes_to_one_address_or_to_none(
    start: Starter, smtp: SmtpServer, postponed: Heard, email: str
) -> None:
    """ASVS 1.3.11."""
    smtp.listen()
    server = start(**mailing(smtp))
    server.add_user("JANE", "a password")
    sql(server.database, "UPDATE person SET email = ?", email)  # as an older version took it
    set_by_operator(server, "JANE", "another")
    postponed.wait()
    server.add_user("JOE", "a password", email="joe@example.com")
    set_by_operator(server, "JOE", "another")
    assert smtp.mails.get(timeout=_WAIT).recipient == "joe@example.com"
    assert smtp.mails.empty()
    commands = smtp.sessions.get(timeout=_WAIT)
    assert not [one for one in commands if "eve" in one or "jane" in one]


def test_a_name_is_no_template_and_no_part_of_a_mail_s_head(
    start: Starter, smtp: SmtpServer
) -> None:
    """ASVS 1.3.7, 1.3.10, 1.3.11."""
    smtp.listen()
    server = start(**mailing(smtp))
    name = "{link} {cause.__class__} {{7*7}} ${x} %s%n Subject: forged"
    server.add_user(name, "a password", email="jane@example.com")
    set_by_operator(server, name, "another")
    mail = smtp.mails.get(timeout=_WAIT)
    assert f"the user {name} was changed" in " ".join(mail.text.split())
    assert mail.message["Subject"] == "Your password was changed"


def test_a_change_that_fails_owes_nothing(start: Starter) -> None:
    server = start()
    server.add_user("JANE", "a password", email="jane@example.com")
    ticket = server.sign_in("JANE", "a password")
    assert ticket is not None
    assert server.change_own(ticket, "wrong", "another").text("Response") == "false"
    assert rows(server) == []


def test_a_mail_that_is_refused_is_sent_later(
    start: Starter, smtp: SmtpServer, postponed: Heard
) -> None:
    clock = TestClock()
    server = start(clock=clock, **mailing(smtp))
    server.add_user("JANE", "a password", email="jane@example.com")
    smtp.refusal = b"451 4.7.1 later\r\n"
    smtp.listen()
    set_by_operator(server, "JANE", "another")
    postponed.wait()
    smtp.refusal = None
    clock.time += MINUTE
    assert smtp.mails.get(timeout=_WAIT).recipient == "jane@example.com"


def test_smtp_down_then_up(
    start: Starter, smtp: SmtpServer, postponed: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    clock = TestClock()
    server = start(clock=clock, **mailing(smtp))
    server.add_user("JANE", "a password", email="jane@example.com")
    set_by_operator(server, "JANE", "another")
    postponed.wait()
    smtp.listen()
    clock.time += MINUTE
    assert smtp.mails.get(timeout=_WAIT).recipient == "jane@example.com"
    assert "jane@example.com" not in caplog.text


def test_a_killed_server_loses_no_mail(database: str, smtp: SmtpServer) -> None:
    async def change() -> None:
        identity = identity_of(load({"database": database}))
        tenant = await tenants.default(identity)
        user = await accounts.add(identity, tenant, "JANE", "a word", email="jane@example.com")
        await passwords.set_by_operator(identity, tenant, user, "another word")
        await identity.database.close()
        identity.hashing.close()

    asyncio.run(change())
    smtp.hold = True
    smtp.listen()
    named = {f"SERVICES88_{name.upper()}": str(value) for name, value in mailing(smtp).items()}
    program = [sys.executable, "-m", "services88", "serve", "--port", "0", "--database", database]
    with subprocess.Popen(program, env=os.environ | named, stderr=subprocess.DEVNULL) as process:
        assert smtp.holding.wait(_WAIT)
        process.kill()
    smtp.sessions.get(timeout=_WAIT)
    assert smtp.mails.empty()
    smtp.hold = False
    later = TestClock(SystemClock().now() + HOUR)  # the claim of the dead server has run out
    with running(database, later, **mailing(smtp)):
        assert smtp.mails.get(timeout=_WAIT).recipient == "jane@example.com"
    assert smtp.mails.empty()


def test_two_servers_on_one_database_send_each_mail_once(database: str, smtp: SmtpServer) -> None:
    smtp.listen()
    names = [f"user{number}" for number in range(20)]
    with running(database, **mailing(smtp)) as one, running(database, **mailing(smtp)) as other:
        for name in names:
            one.add_user(name, "a password", email=f"{name}@example.com")
        for number, name in enumerate(names):
            set_by_operator((one, other)[number % 2], name, "another password")
        got = [smtp.mails.get(timeout=_WAIT) for _ in names]
        stored = rows(one)
    assert sorted(mail.recipient for mail in got) == sorted(f"{name}@example.com" for name in names)
    assert len({mail.message["Message-ID"] for mail in got}) == len(names)
    assert len(stored) == len(names)
    assert smtp.mails.empty()


def test_nothing_is_sent_without_starttls(start: Starter, caplog: pytest.LogCaptureFixture) -> None:
    with SmtpServer(None) as smtp:
        smtp.listen()
        server = start(**mailing(smtp, smtp_user="services88", smtp_password="the SMTP password"))
        server.add_user("JANE", "a password", email="jane@example.com")
        set_by_operator(server, "JANE", "another")
        commands = smtp.sessions.get(timeout=_WAIT)
        assert {one.partition(" ")[0] for one in commands} <= {"EHLO", "QUIT"}
    assert "the SMTP password" not in caplog.text


def test_nothing_is_sent_to_a_stranger(start: Starter, tls: ssl.SSLContext) -> None:
    with SmtpServer(tls) as smtp:  # nobody trusts the authority of its certificate
        smtp.listen()
        server = start(**mailing(smtp))
        server.add_user("JANE", "a password", email="jane@example.com")
        set_by_operator(server, "JANE", "another")
        commands = smtp.sessions.get(timeout=_WAIT)
        assert {one.partition(" ")[0] for one in commands} <= {"EHLO", "STARTTLS"}


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("security", ["tls", "none"])
def test_other_ways_to_the_smtp_server(start: Starter, tls: ssl.SSLContext, security: str) -> None:
    encrypted = security == "tls"
    with SmtpServer(tls if encrypted else None, implicit=encrypted) as smtp:
        smtp.listen()
        server = start(**mailing(smtp, smtp_security=security))
        server.add_user("JANE", "a password", email="jane@example.com")
        set_by_operator(server, "JANE", "another")
        assert smtp.mails.get(timeout=_WAIT).encrypted == encrypted


def test_a_mail_is_given_up_after_days(start: Starter, smtp: SmtpServer, postponed: Heard) -> None:
    clock = TestClock()
    server = start(clock=clock, **mailing(smtp))
    server.add_user("JANE", "a password", email="jane@example.com")
    server.add_user("JOE", "a password", email="joe@example.com")
    set_by_operator(server, "JANE", "another")
    postponed.wait()
    clock.time += 5 * DAY
    smtp.listen()
    set_by_operator(server, "JOE", "another")
    assert smtp.mails.get(timeout=_WAIT).recipient == "joe@example.com"
    assert smtp.mails.empty()


@pytest.mark.parametrize(
    "settings",
    [
        {"smtp_host": "smtp.example.com"},
        {"smtp_host": "smtp.example.com", "mail_from": "Us <us@example.com>"},
        {"smtp_security": "none", "smtp_user": "us", "smtp_password": "hush"},
    ],
)
def test_settings_that_cannot_work(settings: dict[str, str]) -> None:
    with pytest.raises(BadInput) as refused:
        load(settings)
    assert "hush" not in str(refused.value)


def test_a_disablement_is_told_once_a_day(start: Starter, smtp: SmtpServer) -> None:
    clock = TestClock()
    smtp.listen()
    server = start(clock=clock, **mailing(smtp))
    user = server.add_user("JANE", "a password", email="jane@example.com")

    def disable() -> bool:
        async def owe(connection: Connection) -> bool:
            return await notices.owe_disablement(connection, server.identity, user)

        return server.run(server.identity.database.transaction(owe))

    assert disable()
    assert not disable()
    assert smtp.mails.get(timeout=_WAIT).message["Subject"] == "Your password was disabled"
    clock.time += DAY
    assert disable()
    assert "password was disabled" in smtp.mails.get(timeout=_WAIT).text


def test_the_smtp_password_is_masked() -> None:
    settings = load(
        {"smtp_host": "smtp.example.com", "mail_from": "a@example.com", "smtp_password": "hush"}
    )
    assert "hush" not in repr(settings)
