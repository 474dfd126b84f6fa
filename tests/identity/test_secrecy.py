"""No password, ticket or application token in clear: in no log line, error, repr or database."""

import base64
import dataclasses
import logging
import re
import threading
from collections.abc import Iterator
from html import escape
from typing import Any

import pytest
from sqlalchemy import update

from services88.agents.call import Call, Options
from services88.contract import AGENTS
from services88.contract.headers import SoCredentials
from services88.contract.messages import Answer, Request
from services88.contract.model import Complex
from services88.contract.so_principal import AuthenticateResponse
from services88.identity import application_tokens, sign_in, tenants, tickets
from services88.identity.errors import PasswordRefused
from services88.identity.identity import Origin
from services88.store import credentials
from services88.store.database import Connection
from services88.store.schema import associate
from services88.web import logs
from tests.databases import content, sql
from tests.running import RunningServer, Starter, change_own, envelope
from tests.running import sign_in as sign_in_message

OLD, NEW = "vellum <orbit> & quärtz", "marble lantern fjord 💡"
WRONG, UNACCEPTABLE = "copper violin meadow", "plume-" * 200  # longer than can be
USED_ELSEWHERE = "walnut harbour tulip"


def _forms(secret: str) -> set[str]:
    """A secret, and the ways in which it might be written."""
    forms = {secret, escape(secret), repr(secret)[1:-1], ascii(secret)[1:-1]}
    if secret.startswith("7T:"):
        content = base64.b64decode(secret[3:]).decode()
        forms |= {secret[3:], content, content.partition(";")[2]}
    else:
        forms.add(base64.b64encode(secret.encode()).decode())
    return forms


def _found(secrets: list[str], where: str) -> list[str]:
    return [secret for secret in secrets if any(form in where for form in _forms(secret))]


class _Everything(logging.Handler):
    """Keeps every line of every logger, with its arguments and tracebacks."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.lines: list[str] = []
        self.formatters = [logs.formatter(as_json=True), logs.formatter(as_json=False)]
        self._news = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self._news:
            self.lines.append(self.format(record))
            self.lines.append(f"{record.__dict__!r}")
            self.lines += [of.format(record) for of in self.formatters]
            self._news.notify_all()

    def wait_for(self, text: str) -> None:
        """Wait until it is logged: an answer is sent before its line is written."""
        with self._news:
            assert self._news.wait_for(lambda: any(text in line for line in self.lines), 30), text


@pytest.fixture
def logged() -> Iterator[_Everything]:
    """All logging of the process, at DEBUG."""
    handler = _Everything()
    names = [None, *logging.root.manager.loggerDict]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.root.addHandler(handler)
    try:
        yield handler
    finally:
        logging.root.removeHandler(handler)
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _with_token(message: str, token: str) -> str:
    header = f"<ApplicationToken>{token}</ApplicationToken>"
    if "<s:Header>" in message:
        return message.replace("<s:Header>", f"<s:Header>{header}")
    return message.replace("<s:Body>", f"<s:Header>{header}</s:Header><s:Body>")


def _play(server: RunningServer) -> tuple[list[str], list[bytes]]:
    """Play the story with all that can go wrong; give its secrets, and the refusals it got."""
    tenant = server.run(tenants.default(server.identity))
    token = server.run(application_tokens.issue(server.identity, tenant, "app")).text
    user = server.add_user("JANE", OLD, email="jane@example.com")
    refusals = []

    def post(agent: str, message: str, content_type: str = "text/xml") -> Any:
        reply = server.post(agent, message, content_type, site="/default")
        if b"<Ticket>" not in reply.content:
            refusals.append(reply.content)
        return reply

    def enter(name: str, password: str) -> str | None:
        reply = post("SoPrincipal", _with_token(sign_in_message(name, password), token))
        found: str | None = reply.text("Ticket")
        return found

    def change(ticket: str, old: str, new: str) -> str | None:
        reply = post("User", _with_token(change_own(ticket, old, new), token))
        found: str | None = reply.text("Response") or reply.fault
        return found

    ticket, other = enter("JANE", OLD), enter("jane@example.com", OLD)
    assert ticket
    assert other
    assert enter(f"\ufeff{ticket} ", USED_ELSEWHERE) == ticket
    assert enter("JANE", WRONG) is None
    assert enter("NOBODY", WRONG) is None
    assert enter(WRONG, OLD) is None  # a password typed as the name
    assert change(ticket, WRONG, NEW) == "false"
    assert change(ticket, OLD, UNACCEPTABLE) == "false"
    assert change(ticket, OLD, NEW) == "true"
    assert change(other, NEW, OLD) == "false"  # its ticket has ended
    assert enter("JANE", NEW)

    # Messages that are none, with secrets in them.
    good = _with_token(change_own(ticket, NEW, OLD), token)
    for bad in (
        good[:-20],
        good.replace("<OldPassword>", "<OldPassword><x/>"),
        good.replace("</OldPassword>", "</OldPassword><OldPassword>again</OldPassword>"),
        good.replace("ChangeOwnPassword", OLD.split()[0]),
        f"<!DOCTYPE x [<!ENTITY e '{escape(OLD)}'>]>{good}",
        good.replace(
            "</s:Header>", f"<Credentials><Ticket>{ticket}</Ticket></Credentials></s:Header>"
        ),
        good.replace("<Credentials>", '<Credentials xsi:type="xsd:int">'),
        f"{escape(NEW)} {ticket} {token}",
    ):
        assert post("User", bad).status in (200, 400, 500)
    assert post("User", good, "text/plain").status == 415
    for operation, arguments in (
        ("SetPassword", f"<AssociateId>1</AssociateId><Password>{escape(NEW)}</Password>"),
        ("SetPassword", f"<AssociateId>{escape(NEW)}</AssociateId>"),
        ("IsPasswordValid", f"<Password>{escape(NEW)}</Password>"),
        ("GetAccessToken", f"<AppToken>{token}</AppToken>"),
    ):
        header = f"<Credentials><Ticket>{ticket}</Ticket></Credentials>"
        message = envelope(f"<{operation}>{arguments}</{operation}>", header)
        post("User", _with_token(message, token))
    post("SoPrincipal", sign_in_message("JANE", NEW))  # without an application token
    post("SoPrincipal", _with_token(sign_in_message("JANE", NEW), WRONG))

    async def an_impossible_kind(connection: Connection) -> None:
        await connection.execute(update(associate).values(type=99))

    server.run(server.identity.database.transaction(an_impossible_kind))
    assert post("SoPrincipal", _with_token(sign_in_message("JANE", NEW), token)).status == 500

    sql(server.database, "DROP TABLE audit_event")
    assert post("User", good).status == 503
    assert user.associate_id == 1
    return [OLD, NEW, WRONG, UNACCEPTABLE, USED_ELSEWHERE, ticket, other, token], refusals


def test_no_secret_is_logged_nor_told_in_a_refusal(start: Starter, logged: _Everything) -> None:
    secrets, refusals = _play(start(installation="online", log_level="debug"))
    for expected in (  # the story came by here
        '"operation": "ChangeOwnPassword", "outcome": "done", "status": 200',
        "a call failed",
        "Traceback",
        "does not answer",
    ):
        logged.wait_for(expected)
    lines = "\n".join(logged.lines)
    assert _found(secrets, lines) == []
    assert len(refusals) > 20
    told = b"\n".join(refusals).decode()
    assert _found(secrets, told) == []


def test_no_secret_is_in_the_files_of_the_database(start: Starter) -> None:
    server = start(installation="online")
    secrets, _ = _play(server)
    written = content(server.database)
    assert b"JANE" in written
    assert b"$argon2id$" in written
    assert b"7S:" in written
    for secret in secrets:
        for form in _forms(secret):
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                assert form.encode(encoding) not in written, secret


def test_no_secret_is_in_the_repr_of_a_domain_object(shared_server: RunningServer) -> None:
    shared_server.add_user("SECRECY", OLD)
    identity = shared_server.identity
    tenant = shared_server.run(tenants.default(identity))
    issued = shared_server.run(application_tokens.issue(identity, tenant, "app"))
    signed_in = shared_server.run(sign_in.with_name(identity, tenant, "SECRECY", OLD, Origin()))
    assert signed_in is not None
    ticket = signed_in.ticket.text
    caller = shared_server.run(tickets.verify(identity, tenant, ticket))
    database = identity.database
    row = shared_server.run(credentials.password_of(database, caller.associate_id))
    ticket_row = shared_server.run(
        credentials.ticket(database, tenant.tenant_id, caller.ticket_key)
    )
    assert row is not None
    assert ticket_row is not None
    call = Call(identity, Options(), tenant, Origin(), caller)
    shown = repr([issued, signed_in, signed_in.ticket, caller, row, ticket_row, call])
    assert _found([OLD, issued.text, ticket, row.secret, ticket_row.secret], shown) == []
    assert "SECRECY" in shown


def test_no_secret_is_in_the_repr_of_a_message() -> None:
    ticket = tickets.new().text
    request = Request(
        AGENTS["User"].operations["ChangeOwnPassword"],
        {"old_password": OLD, "new_password": NEW},
        application_token=USED_ELSEWHERE,
        credentials=SoCredentials(ticket=ticket),
    )
    result = AuthenticateResponse(credentials=SoCredentials(ticket=ticket))
    shown = repr([request, result, Answer(result), Answer(NEW)])
    assert _found([OLD, NEW, USED_ELSEWHERE, ticket], shown) == []
    assert "ChangeOwnPassword" in shown


_SECRET_NAME = re.compile(r"password|ticket|secret|token")


def _carriers(of: type[Complex] = Complex) -> Iterator[type[Complex]]:
    for carrier in of.__subclasses__():
        if dataclasses.is_dataclass(carrier):
            yield carrier
        yield from _carriers(carrier)


def test_what_is_named_like_a_secret_is_marked_as_one() -> None:
    shown = []
    for carrier in _carriers():
        for field in dataclasses.fields(carrier):  # type: ignore[arg-type]
            if _SECRET_NAME.search(field.name) and "str" in str(field.type):
                shown.append(repr(carrier(**{field.name: OLD})))
    assert len(shown) >= 5
    assert _found([OLD], "\n".join(shown)) == []
    fields = [
        (operation.name, field)
        for agent in AGENTS.values()
        for operation in agent.operations.values()
        for field in operation.request
        if _SECRET_NAME.search(field.name.lower()) and getattr(field.type, "name", "") == "string"
    ]
    assert len(fields) > 10
    assert [(name, field.name) for name, field in fields if not field.secret] == []


def test_an_error_about_a_password_does_not_hold_it(shared_server: RunningServer) -> None:
    with pytest.raises(PasswordRefused) as caught:
        shared_server.add_user("NEWCOMER", UNACCEPTABLE)
    assert _found([UNACCEPTABLE], f"{caught.value} {caught.value!r} {caught.value.rules}") == []
