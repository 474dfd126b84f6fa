"""Every kind of event: there if and only if it happened, with who, whom, from where and why.

ASVS 5.0 16.2.1 (who, what, when, where), 16.3.1 (all authentications), 16.3.2 (authorisation).
"""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from services88.identity import accounts, application_tokens, audit, passwords, tenants, tickets
from services88.identity import sign_in as sign_in_domain
from services88.identity.audit import AuditEvent
from services88.identity.errors import NotSignedIn
from services88.identity.identity import Origin
from services88.store.database import Connection
from services88.store.errors import Conflict
from services88.store.schema import tenant
from tests.audit.trail import Trail
from tests.running import (
    RunningServer,
    Starter,
    TestClock,
    change_own,
    credentials,
    envelope,
    sign_in,
)

# A little ahead of the machine's clock, which the command line goes by: what is counted is not over
# for either.
START = (time.time_ns() // 1_000_000 // 60_000 + 2) * 60_000
PASSWORD, NEW, WRONG = "Vellum7Orbit", "Marble8Lantern", "Quartz9Fjord"
FROM = "198.51.100.7"


class Scene:
    """A server with JANE and an administrator, and its trail."""

    def __init__(self, server: RunningServer, trail: Trail, clock: TestClock) -> None:
        self.server, self.trail, self.clock = server, trail, clock
        self.jane = server.add_user("JANE", PASSWORD).associate_id
        self.admin = server.add_user("ADMIN", PASSWORD, role="Administrator").associate_id

    def sign_in(self, name: str, password: str) -> str | None:
        reply = self.server.post("SoPrincipal", sign_in(name, password), X_Forwarded_For=FROM)
        assert reply.status == 200
        return reply.text("Ticket")

    def call(self, ticket: str, body: str) -> Any:
        message = envelope(body, credentials(ticket))
        reply = self.server.post("User", message, X_Forwarded_For=FROM)
        assert reply.status == 200
        return reply

    def change(self, ticket: str, old: str, new: str) -> None:
        message = change_own(ticket, old, new)
        assert self.server.post("User", message, X_Forwarded_For=FROM).status == 200


@pytest.fixture
def scene(start: Starter) -> Scene:
    clock = TestClock(START)
    server = start(clock=clock)
    return Scene(server, Trail(server.database), clock)


def has(event: dict[str, Any], **expected: object) -> None:
    assert {key: event[key] for key in expected} == expected


def shown(instant: int) -> str:
    moment = datetime.fromtimestamp(instant / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_sign_in(scene: Scene) -> None:
    ticket = scene.sign_in("JANE", PASSWORD)
    assert ticket
    event = scene.trail.last("authn_login_success")
    has(event, user="JANE", user_id=scene.jane, by="JANE", by_id=scene.jane, address=FROM)
    has(event, result="success", reason="", count=1, time=shown(START))
    assert scene.sign_in(ticket, "")
    has(scene.trail.last("authn_login_success"), by="JANE", address=FROM, reason="ticket")


def test_a_refused_sign_in(scene: Scene) -> None:
    assert scene.sign_in("JANE", WRONG) is None
    event = scene.trail.last("authn_login_fail")
    has(event, user="JANE", by="", by_id=0, address=FROM, result="failure")
    has(event, reason="wrong-password", name_hash="")
    scene.trail.done("user", "retire", "JANE")
    assert scene.sign_in("jane", PASSWORD) is None
    has(scene.trail.last("authn_login_fail"), user="JANE", reason="retired")
    assert "authn_login_success" not in scene.trail.named()


def test_a_name_that_nobody_has_is_kept_as_a_keyed_hash(scene: Scene) -> None:
    for typed in ("Vellum7Orbit!", " vellum7orbit! ", "Other"):
        assert scene.sign_in(typed, "x") is None
    first, same, other = scene.trail.events("--event", "authn_login_fail")
    has(first, user="", user_id=0, reason="unknown-name")
    assert len(first["name_hash"]) == 64
    assert first["name_hash"] == same["name_hash"] != other["name_hash"]
    found = scene.trail.events("--user", "VELLUM7ORBIT!")
    assert [event["sequence"] for event in found] == [first["sequence"], same["sequence"]]


def test_changes_and_refused_changes(scene: Scene) -> None:
    ticket, other = scene.sign_in("JANE", PASSWORD), scene.sign_in("JANE", PASSWORD)
    assert ticket
    assert other
    scene.trail.done("policy", "set", "--preference", "MinTotal=8")
    scene.change(ticket, WRONG, NEW)
    event = scene.trail.last("authn_password_change_fail")
    has(event, user="JANE", by="JANE", address=FROM, reason="old-password-wrong")
    has(event, result="failure")
    scene.change(ticket, PASSWORD, "short")
    assert scene.trail.last("authn_password_change_fail")["reason"].startswith("policy ")
    assert "authn_password_change" not in scene.trail.named()
    assert "session_revoked" not in scene.trail.named()
    scene.change(ticket, PASSWORD, NEW)
    has(scene.trail.last("authn_password_change"), user="JANE", by="JANE", address=FROM)
    event = scene.trail.last("session_revoked")
    has(event, user="JANE", by="JANE", count=1, reason="password-changed", address=FROM)


def test_what_an_administrator_does(scene: Scene) -> None:
    assert scene.sign_in("JANE", PASSWORD)
    ticket = scene.sign_in("ADMIN", PASSWORD)
    assert ticket
    scene.call(
        ticket,
        f"<SetPassword><AssociateId>{scene.jane}</AssociateId><Password>{NEW}</Password>"
        "</SetPassword>",
    )
    has(scene.trail.last("authn_password_change"), user="JANE", by="ADMIN", address=FROM)
    has(scene.trail.last("session_revoked"), user="JANE", by="ADMIN", count=1)
    assert scene.sign_in("JANE", NEW)
    for retired, event in (("true", "user_retired"), ("false", "user_unretired")):
        scene.call(
            ticket,
            f"<MakeRetired><AssociateId>{scene.jane}</AssociateId><Retired>{retired}</Retired>"
            "</MakeRetired>",
        )
        has(scene.trail.last(event), user="JANE", by="ADMIN", address=FROM)
    has(scene.trail.last("session_revoked"), user="JANE", by="ADMIN", reason="retired")


def test_what_the_settings_forbid_an_administrator(scene: Scene) -> None:
    ticket = scene.sign_in("ADMIN", PASSWORD)
    assert ticket
    scene.call(
        ticket,
        f"<SetPassword><AssociateId>{scene.admin}</AssociateId><Password>{NEW}</Password>"
        "</SetPassword>",
    )
    event = scene.trail.last("authn_password_change_fail")
    has(event, user="ADMIN", by="ADMIN", reason="old-password-needed", address=FROM)


def test_a_password_taken_away(scene: Scene) -> None:
    assert scene.sign_in("JANE", PASSWORD)
    server = scene.server

    async def remove() -> None:
        of = await tenants.default(server.identity)
        signed_in = await sign_in_domain.with_name(
            server.identity, of, "ADMIN", PASSWORD, Origin(FROM)
        )
        assert signed_in
        caller = await tickets.verify(server.identity, of, signed_in.ticket.text)
        jane = await accounts.find(server.identity, of, "JANE")
        assert await passwords.remove(server.identity, caller, jane, Origin(FROM))

    server.run(remove())
    has(scene.trail.last("authn_password_change"), user="JANE", by="ADMIN", reason="removed")
    has(scene.trail.last("session_revoked"), user="JANE", count=1, reason="password-removed")


def test_what_one_may_not(scene: Scene) -> None:
    ticket = scene.sign_in("JANE", PASSWORD)
    assert ticket
    scene.call(
        ticket,
        f"<MakeRetired><AssociateId>{scene.admin}</AssociateId><Retired>true</Retired>"
        "</MakeRetired>",
    )
    event = scene.trail.last("authz_fail")
    has(event, by="JANE", reason="MakeRetired", address=FROM, result="failure", name_hash="")
    assert "user_retired" not in scene.trail.named()


def test_what_an_operator_does(scene: Scene) -> None:
    done = scene.trail.done
    done("user", "add", "NINA", "--password-stdin", stdin=f"{PASSWORD}\n")
    has(scene.trail.last("user_created"), user="NINA", by="", by_id=0, address="")
    done("user", "set-password", "NINA", "--password-stdin", stdin=f"{NEW}\n")
    has(scene.trail.last("authn_password_change"), user="NINA", by_id=0, address="")
    done("policy", "set", "--preset", "vendor", "--history", "3")
    has(scene.trail.last("policy_changed"), reason="preset history", by_id=0)
    done("app-token", "issue", "Portal")
    has(scene.trail.last("authn_token_created"), application="Portal", application_id=1)
    done("app-token", "revoke", "1")
    has(scene.trail.last("authn_token_revoked"), application="Portal", application_id=1)
    done("tenant", "add", "acme")
    (event,) = scene.trail.events("--tenant", "acme")
    assert event["event"] == "tenant_created"
    has(event, sequence=1, tenant="acme")


def test_refused_application_tokens_and_the_one_that_calls(start: Starter) -> None:
    clock = TestClock(START)
    server = start(clock=clock, installation="online")
    trail = Trail(server.database)
    of = server.run(tenants.default(server.identity))
    issued = server.run(application_tokens.issue(server.identity, of, "Portal"))
    revoked = server.run(application_tokens.issue(server.identity, of, "Old"))
    server.run(application_tokens.revoke(server.identity, of, revoked.application_token_id))
    server.add_user("JANE", PASSWORD)

    def call(token: str | None) -> None:
        header = f"<ApplicationToken>{token}</ApplicationToken>" if token else ""
        body = sign_in("JANE", PASSWORD).partition("<s:Body>")[2].partition("</s:Body>")[0]
        reply = server.post(
            "SoPrincipal", envelope(body, header), site="/default", X_Forwarded_For=FROM
        )
        assert reply.status == 200

    for token in ("wrong", "wrong", None, revoked.text):
        call(token)
    assert trail.events("--event", "authn_token_refused") == []
    clock.time += 60_000
    call(issued.text)
    call("wrong")  # the first refusal of another minute tells of those before
    found = trail.events("--event", "authn_token_refused")
    assert [(event["reason"], event["count"], event["application"]) for event in found] == [
        ("missing", 1, ""),
        ("revoked", 1, "Old"),
        ("unknown", 2, ""),
    ]
    assert {event["address"] for event in found} == {FROM}
    has(trail.last("authn_login_success"), application="Portal", user="JANE")


def test_throttled_attempts_are_one_event_a_minute(scene: Scene) -> None:
    of = scene.server.run(tenants.default(scene.server.identity))

    def throttled(name: str, address: str) -> None:
        origin = Origin(address)
        scene.server.run(audit.throttled(scene.server.identity, of, name, origin))

    for name, address in (("jane", FROM), ("jane", FROM), ("jane", "x"), ("nobody", FROM)):
        throttled(name, address)
    result = scene.trail.run("audit", "list")
    assert "3 more will be there when the minute is over" in result.stderr
    assert scene.trail.events("--event", "excess_rate_limit_exceeded") == []
    clock_before = scene.clock.time
    scene.clock.time += 60_000
    throttled("jane", FROM)
    found = scene.trail.events("--event", "excess_rate_limit_exceeded")
    assert {(one["user"], one["address"], one["count"]) for one in found} == {
        ("JANE", FROM, 2),
        ("JANE", "x", 1),
        ("", FROM, 1),
    }
    assert {one["time"] for one in found} == {shown(START)}
    assert clock_before == START
    assert len([one for one in found if one["name_hash"]]) == 1
    scene.trail.verify()


def test_bad_tickets_are_one_event_a_minute_and_address(scene: Scene) -> None:
    """Nobody fills the disk with them: they cost no password, and have no waits."""
    scene.clock.time -= 7 * 3_600_000
    expired = scene.sign_in("JANE", PASSWORD)
    assert expired
    scene.clock.time += 7 * 3_600_000
    bogus = tickets.new().text
    for ticket in (bogus, bogus, tickets.new().text, "7T:nonsense", "", expired, expired):
        reply = scene.call(ticket, "<GetCredentialTypes/>")
        assert reply.text("Succeeded") == "false"
    for name in ("7T:nonsense", bogus, "7T:", expired):
        assert scene.sign_in(name, PASSWORD) is None
    assert len(scene.trail.events()) == 3, "two users, and the sign-in of JANE"
    assert len(scene.trail.sql("SELECT * FROM audit_pending")) == 6
    scene.clock.time += 60_000
    found = [
        event
        for event in _by_system_clock(scene)
        if event["event"].startswith(("session_", "authn_login_fail"))
    ]
    assert {(e["event"], e["reason"], e["user"], e["count"], e["address"]) for e in found} == {
        ("session_refused", "unknown", "", 3, FROM),
        ("session_refused", "malformed", "", 1, FROM),
        ("session_refused", "missing", "", 1, FROM),
        ("session_use_after_expire", "", "JANE", 2, FROM),
        ("authn_login_fail", "bad-ticket", "", 3, FROM),
        ("authn_login_fail", "bad-ticket", "JANE", 1, FROM),
    }
    assert {event["result"] for event in found} == {"failure"}
    scene.trail.verify()


def _by_system_clock(scene: Scene) -> list[dict[str, Any]]:
    """Let the server write down what it counted: its clock is the one that was moved."""
    of = scene.server.run(tenants.default(scene.server.identity))
    scene.server.run(audit.seal(scene.server.identity, of))
    return scene.trail.events()


def test_throttled_changes_are_one_event_a_minute(scene: Scene) -> None:
    ticket = scene.sign_in("JANE", PASSWORD)
    assert ticket
    for _ in range(3):
        scene.change(ticket, WRONG, NEW)
    before = len(scene.trail.events())
    for _ in range(5):
        scene.change(ticket, PASSWORD, NEW)
    assert len(scene.trail.events()) == before
    scene.clock.time += 60_000
    events = _by_system_clock(scene)[before:]
    assert [(e["event"], e["reason"], e["user"], e["count"]) for e in events] == [
        ("excess_rate_limit_exceeded", "throttled-change", "JANE", 5)
    ]


def test_a_refused_sign_in_and_its_event_are_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is a failure counted that nobody is told of, nor one told that does not count."""

    async def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no event can be written")

    monkeypatch.setattr(audit, "record", fails)
    reply = scene.server.post("SoPrincipal", sign_in("JANE", WRONG))
    assert reply.status == 500
    assert scene.trail.sql("SELECT * FROM password_failure") == []
    assert scene.trail.sql("SELECT * FROM guess_counter") == []


def test_who_lost_their_ticket_meanwhile_changes_nothing(scene: Scene) -> None:
    """Removing a password and retiring look at the ticket again, within their transaction."""
    ticket = scene.sign_in("ADMIN", PASSWORD)
    assert ticket
    server = scene.server

    async def work() -> None:
        of = await tenants.default(server.identity)
        caller = await tickets.verify(server.identity, of, ticket)
        admin = await accounts.find(server.identity, of, "ADMIN")
        jane = await accounts.find(server.identity, of, "JANE")
        assert await tickets.revoke(server.identity, of, admin) == 1
        with pytest.raises(NotSignedIn):
            await passwords.remove(server.identity, caller, jane, Origin(FROM))
        with pytest.raises(NotSignedIn):
            await accounts.retire(server.identity, of, "JANE", retired=True, caller=caller)

    server.run(work())
    assert scene.sign_in("JANE", PASSWORD)


def test_an_event_is_there_only_if_the_thing_happened(scene: Scene) -> None:
    before = scene.trail.events()
    assert scene.trail.run("user", "add", "jane", "--password-stdin", stdin=f"{NEW}\n").exit_code
    assert scene.trail.run("tenant", "add", "default").exit_code
    assert scene.trail.run("app-token", "revoke", "99").exit_code
    assert scene.trail.events() == before

    async def undone() -> None:
        of = await tenants.default(scene.server.identity)

        async def work(connection: Connection) -> None:
            event = AuditEvent.USER_CREATED
            await audit.record(
                connection, scene.server.identity, of, event, Origin(), associate_id=9, by=0
            )
            row = {"name": "x", "name_key": "default", "company_name": "", "registered": 0}
            await connection.insert(tenant, **row, is_default=False)

        with pytest.raises(Conflict):
            await scene.server.identity.database.transaction(work)

    scene.server.run(undone())
    assert scene.trail.events() == before
    scene.trail.verify()


def test_a_change_and_its_event_are_one(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no event can be written")

    ticket = scene.sign_in("JANE", PASSWORD)
    assert ticket
    monkeypatch.setattr(passwords, "record", fails)
    assert scene.server.change_own(ticket, PASSWORD, NEW).status == 500
    monkeypatch.undo()
    assert scene.sign_in("JANE", NEW) is None
    assert scene.sign_in("JANE", PASSWORD)


def test_nothing_secret_stands_in_any_table_of_the_trail(scene: Scene) -> None:
    """ASVS 16.2.5."""
    typed_as_name = "Correct Horse Battery"
    ticket = scene.sign_in("JANE", PASSWORD)
    assert ticket
    scene.sign_in(typed_as_name, PASSWORD)
    scene.sign_in("JANE", WRONG)
    scene.change(ticket, WRONG, NEW)
    scene.change(ticket, PASSWORD, NEW)
    of = scene.server.run(tenants.default(scene.server.identity))
    token = scene.trail.done("app-token", "issue", "Portal").strip()
    origin = Origin(FROM)
    for _ in range(2):
        scene.server.run(audit.throttled(scene.server.identity, of, typed_as_name, origin))
        rows = [
            str(scene.trail.sql(f"SELECT * FROM {table}")).casefold()
            for table in ("audit_event", "audit_head", "audit_pending")
        ]
        scene.clock.time += 60_000
        for secret in (PASSWORD, NEW, WRONG, typed_as_name, ticket, ticket[3:], token, "battery"):
            assert not any(secret.casefold() in row for row in rows)


def test_an_address_cannot_forge_lines(scene: Scene) -> None:
    """ASVS 16.4.1: what a proxy passes on as an address is the client's to choose."""
    of = scene.server.run(tenants.default(scene.server.identity))
    origin = Origin('1.2.3.4\n{"event": "x"}\x1b[2J' + "y" * 100)
    scene.server.run(
        audit.failed(
            scene.server.identity, of, AuditEvent.AUTHN_LOGIN_FAIL, origin, reason="unknown-name"
        )
    )
    address = scene.trail.last("authn_login_fail")["address"]
    assert address.startswith('1.2.3.4?{"event":?"x"}?[2J')
    assert len(address) == 64


def test_names_of_events_are_documented() -> None:
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "audit.md").read_text()
    assert [event for event in AuditEvent if f"`{event.value}`" not in text] == []
    assert asyncio.iscoroutinefunction(audit.record)
