"""What anybody can cause without end is a bounded number of events a minute, on all servers."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from services88.identity import audit, tenants
from services88.identity.audit import AuditEvent
from services88.identity.identity import Identity, Origin
from services88.settings import load
from services88.web.application import identity_of
from tests.audit.trail import Trail
from tests.loop import run
from tests.running import Starter, TestClock, credentials, envelope, sign_in

PASSWORD = "Vellum7Orbit"
START = (time.time_ns() // 1_000_000 // 60_000 + 2) * 60_000
CALLERS = 50


@pytest.fixture
def trail(database: str) -> Trail:
    return Trail(database)


@pytest.fixture
def two(database: str) -> Iterator[tuple[Identity, Identity]]:
    """Two servers on one database, with one clock."""
    clock = TestClock(START)
    made = [identity_of(load({"database": database}), clock) for _ in range(2)]
    yield made[0], made[1]
    for identity in made:
        run(identity.database.close())
        identity.hashing.close()


def _count(trail: Trail) -> tuple[int, int]:
    """How many rows are being counted in, and how many times."""
    ((rows, times),) = trail.sql("SELECT count(*), coalesce(sum(count), 0) FROM audit_pending")
    return int(rows), int(times)


async def _seal(identity: Identity) -> None:
    """Let a minute pass, and have what was counted in it written."""
    clock = identity.clock
    assert isinstance(clock, TestClock)
    clock.time += 60_000
    await audit.seal(identity, await tenants.default(identity))


def test_refused_calls_of_one_user_are_two_events_a_minute(start: Starter) -> None:
    """Many callers at two servers: the first is written at once, the others with their number."""
    clock = TestClock(START)
    one = start(clock=clock)
    two = start(one.database, clock=clock)
    one.add_user("JANE", PASSWORD)
    ticket = one.sign_in("JANE", PASSWORD)
    assert ticket
    trail = Trail(one.database)
    before = len(trail.events())
    message = envelope(
        "<MakeRetired><AssociateId>1</AssociateId><Retired>true</Retired></MakeRetired>",
        credentials(ticket),
    )
    with ThreadPoolExecutor(10) as pool:
        servers = [one, two] * (CALLERS // 2)
        replies = list(pool.map(lambda server: server.post("User", message), servers))
    assert [reply.text("Succeeded") for reply in replies] == ["false"] * CALLERS
    found = trail.events()[before:]
    assert [(e["event"], e["reason"], e["by"], e["count"]) for e in found] == [
        ("authz_fail", "MakeRetired", "JANE", 1)
    ]
    one.run(_seal(one.identity))
    assert [event["count"] for event in trail.events()[before:]] == [1, CALLERS - 1]
    one.post("User", message)
    assert [event["count"] for event in trail.events()[before:]] == [1, CALLERS - 1, 1]
    one.run(_seal(one.identity))
    assert len(trail.events()) == before + 3, "nothing is written of what did not happen again"
    assert _count(trail) == (0, 0)
    trail.verify()


def test_signing_in_by_ticket_is_counted_too(start: Starter) -> None:
    clock = TestClock(START)
    server = start(clock=clock)
    server.add_user("JANE", PASSWORD)
    ticket = server.sign_in("JANE", PASSWORD)
    assert ticket
    for _ in range(5):
        assert server.post("SoPrincipal", sign_in(ticket, "")).text("Ticket") == ticket
    server.run(_seal(server.identity))
    found = Trail(server.database).events("--event", "authn_login_success")
    assert [(event["reason"], event["count"]) for event in found] == [
        ("", 1),
        ("ticket", 1),
        ("ticket", 4),
    ]


def test_a_refused_password_is_counted_and_a_wrong_one_written_whole(start: Starter) -> None:
    clock = TestClock(START)
    server = start(clock=clock)
    server.add_user("JANE", PASSWORD)
    ticket = server.sign_in("JANE", PASSWORD)
    assert ticket
    trail = Trail(server.database)
    trail.done("policy", "set", "--preference", "MinTotal=8")
    for _ in range(4):
        server.change_own(ticket, PASSWORD, "short")
    for _ in range(2):
        server.change_own(ticket, "Quartz9Fjord", "Marble8Lantern")
    server.run(_seal(server.identity))
    found = trail.events("--event", "authn_password_change_fail")
    assert [(event["reason"].split()[0], event["count"]) for event in found] == [
        ("policy", 1),
        ("old-password-wrong", 1),
        ("old-password-wrong", 1),
        ("policy", 3),
    ]


@pytest.mark.parametrize("round", range(3))
def test_strangers_cannot_make_many_rows(
    two: tuple[Identity, Identity], trail: Trail, round: int
) -> None:
    """Names and addresses are theirs to vary: what is more than the limit is one count."""
    of = run(tenants.default(two[0]))
    times = 3 * audit._ROWS_OF_STRANGERS

    async def burst() -> None:
        gate = asyncio.Semaphore(CALLERS)

        async def one(number: int) -> None:
            async with gate:
                origin = Origin(f"192.0.2.{number}")
                await audit.throttled(two[number % 2], of, f"{round}-{number}", origin)

        await asyncio.gather(*(one(number) for number in range(times)))

    run(burst())
    assert _count(trail) == (audit._ROWS_OF_STRANGERS + 1, times)
    run(_seal(two[0]))
    found = trail.events("--event", "excess_rate_limit_exceeded")
    assert sum(event["count"] for event in found) == times
    (rest,) = [event for event in found if event["reason"] == "others"]
    assert rest["count"] == times - audit._ROWS_OF_STRANGERS
    assert (rest["user_id"], rest["address"], rest["name_hash"]) == (0, "", "")
    trail.verify()


def test_a_user_cannot_hide_others(two: tuple[Identity, Identity], trail: Trail) -> None:
    """One who calls all there is from everywhere fills rows of their own only."""
    of = run(tenants.default(two[0]))

    async def burst() -> None:
        async def one(number: int) -> None:
            origin = Origin(f"2001:db8::{number:x}")
            await audit.refused(
                two[number % 2], of, AuditEvent.AUTHZ_FAIL, origin, reason=f"Op{number}", by=7
            )

        await asyncio.gather(*(one(number) for number in range(CALLERS)))
        await audit.refused(two[0], of, AuditEvent.AUTHZ_FAIL, Origin("x"), reason="Other", by=8)

    run(burst())
    rows, times = _count(trail)
    assert rows == audit._ROWS_OF_USER + 2
    assert times == CALLERS - audit._ROWS_OF_USER, "the first of each row is written already"
    run(_seal(two[0]))
    found = trail.events("--event", "authz_fail")
    assert [event["by_id"] for event in found] == [7] * audit._ROWS_OF_USER + [8, 7]
    assert found[-1]["reason"] == "others"
    assert found[-1]["count"] == CALLERS - audit._ROWS_OF_USER


def test_a_reason_that_a_client_chose_is_plain_and_short(
    two: tuple[Identity, Identity], trail: Trail
) -> None:
    of = run(tenants.default(two[0]))
    reason = "admin-\0\u202e" + "x" * 1000
    event = AuditEvent.AUTHZ_FAIL
    run(audit.refused(two[0], of, event, Origin("192.0.2.1"), reason=reason, by=7))
    found = trail.last("authz_fail")["reason"]
    assert found.startswith("admin-??xxx")
    assert len(found) == 254


@pytest.mark.parametrize("apart", [1, 3])
def test_servers_whose_clocks_differ_by_minutes_count_in_one(
    two: tuple[Identity, Identity], trail: Trail, apart: int
) -> None:
    of = run(tenants.default(two[0]))
    ahead = identity_of(load({"database": trail.database}), TestClock(START + apart * 60_000))
    for _ in range(5):
        for identity in (two[0], ahead):
            run(audit.throttled(identity, of, "jane", Origin("192.0.2.1")))
    assert trail.sql("SELECT minute - ?, count FROM audit_pending", START // 60_000)[-1][0] == apart
    assert len(trail.events("--event", "excess_rate_limit_exceeded")) <= 1
    run(ahead.database.close())
    ahead.hashing.close()
