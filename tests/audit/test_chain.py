"""Whatever is done to the rows behind the server's back, ``audit verify`` finds it."""

import shutil
import sqlite3
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services88.identity import audit, audit_trail, tenants
from services88.identity.audit import AuditEvent
from services88.identity.audit_trail import ChainBroken
from services88.identity.identity import Identity, Origin
from services88.settings import load
from services88.store.database import Connection
from services88.web.application import identity_of
from tests.audit.trail import Trail
from tests.databases import Databases, upgrade_to
from tests.loop import run
from tests.running import TestClock

EVENTS = 8


def _pepper(folder: Path) -> Path:
    file = folder / "pepper"
    if not file.exists():
        file.write_text(f"p1:{b64encode(b'k' * 32).decode()}\n")
        file.chmod(0o600)
    return file


def _open(database: str, pepper: Path | None, clock: TestClock | None = None) -> Identity:
    return identity_of(load({"database": database, "pepper_file": pepper}), clock)


def _close(identity: Identity) -> None:
    run(identity.database.close())
    identity.hashing.close()


async def _fill(identity: Identity, clock: TestClock, events: int, name: str | None = None) -> None:
    of = await tenants.named(identity, name)
    for number in range(events):
        clock.time += 1000

        async def work(connection: Connection, number: int = number) -> None:
            await audit.record(
                connection,
                identity,
                of,
                AuditEvent.USER_CREATED if number % 2 else AuditEvent.AUTHN_LOGIN_SUCCESS,
                Origin("192.0.2.1", number % 3),
                associate_id=number,
                by=number // 2,
                reason="ticket" if number % 3 else "",
            )

        await identity.database.transaction(work)


@pytest.fixture(scope="module", params=["plain", "pepper"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A trail of two tenants to be tampered with, and the key to it."""
    folder = tmp_path_factory.mktemp("made")
    pepper = _pepper(folder) if request.param == "pepper" else None
    clock = TestClock()
    identity = _open(f"sqlite:///{folder / 'whole.sqlite3'}", pepper, clock)
    run(tenants.add(identity, "acme"))
    run(_fill(identity, clock, EVENTS))
    run(_fill(identity, clock, EVENTS, "acme"))
    _close(identity)
    with closing(sqlite3.connect(folder / "whole.sqlite3")) as driver:
        driver.execute("PRAGMA journal_mode=DELETE")
    return folder, pepper


def _rows(path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as driver:
        events = driver.execute("SELECT * FROM audit_event ORDER BY 1, 2").fetchall()
        return events + driver.execute("SELECT * FROM audit_head ORDER BY 1").fetchall()


def _all_verify(path: Path, pepper: Path | None) -> bool:
    identity = _open(f"sqlite:///{path}", pepper)

    async def verify() -> bool:
        try:
            for of in await tenants.listing(identity):
                await audit_trail.verify(identity, of)
        except ChainBroken:
            return False
        return True

    try:
        return run(verify())
    finally:
        _close(identity)


NUMBERS = ["sequence", "at", "associate_id", "by_associate_id", "application_token_id", "count"]
TEXTS = ["event", "result", "reason", "address", "name_hash", "key_id", "hash"]
_key = st.tuples(st.sampled_from([1, 2]), st.integers(1, EVENTS))
_value = st.one_of(
    st.integers(-(2**40), 2**40), st.text(max_size=8), st.binary(max_size=8), st.floats()
)
tampering = st.lists(
    st.one_of(
        st.tuples(st.just("change"), _key, st.sampled_from(NUMBERS + TEXTS), _value),
        st.tuples(st.just("copy"), _key, st.sampled_from(NUMBERS + TEXTS), _key),
        st.tuples(st.just("remove"), _key),
        st.tuples(st.just("insert"), _key, st.integers(-2, 2 * EVENTS)),
        st.tuples(st.just("swap"), _key, _key),
        st.tuples(st.just("move"), _key, st.sampled_from([1, 2])),
        st.tuples(st.just("head"), st.sampled_from([1, 2]), st.integers(0, 2 * EVENTS)),
        st.tuples(st.just("no head"), st.sampled_from([1, 2])),
        st.tuples(st.just("checkpoint"), _key),
    ),
    min_size=1,
    max_size=4,
)


def _tamper(driver: sqlite3.Connection, steps: list[Any]) -> None:
    where = "WHERE tenant_id = ? AND sequence = ?"
    for step in steps:
        try:
            match step:
                case ["change", key, column, value]:
                    driver.execute(f"UPDATE audit_event SET {column} = ? {where}", (value, *key))
                case ["copy", key, column, other]:
                    source = f"(SELECT {column} FROM audit_event {where})"
                    driver.execute(
                        f"UPDATE audit_event SET {column} = {source} {where}", (*other, *key)
                    )
                case ["remove", key]:
                    driver.execute(f"DELETE FROM audit_event {where}", key)
                case ["insert", key, sequence]:
                    driver.execute(
                        "INSERT INTO audit_event SELECT tenant_id, ?, at, event, result, reason, "
                        "associate_id, by_associate_id, application_token_id, address, name_hash, "
                        f"count, key_id, hash FROM audit_event {where}",
                        (sequence, *key),
                    )
                case ["swap", (tenant, one), (_, two)]:
                    for a, b in ((one, -one), (two, one), (-one, two)):
                        driver.execute(
                            f"UPDATE audit_event SET sequence = ? {where}", (b, tenant, a)
                        )
                case ["move", key, to]:
                    driver.execute(f"UPDATE audit_event SET tenant_id = ? {where}", (to, *key))
                case ["head", tenant, sequence]:
                    driver.execute(
                        "UPDATE audit_head SET sequence = ? WHERE tenant_id = ?", (sequence, tenant)
                    )
                case ["no head", tenant]:
                    driver.execute("DELETE FROM audit_head WHERE tenant_id = ?", (tenant,))
                case ["checkpoint", (tenant, sequence)]:
                    driver.execute(
                        "DELETE FROM audit_event WHERE tenant_id = ? AND sequence < ?",
                        (tenant, sequence),
                    )
                    driver.execute(
                        "UPDATE audit_event SET at = 0, event = 'checkpoint', result = 'success', "
                        "reason = '', associate_id = 0, by_associate_id = 0, name_hash = '', "
                        f"application_token_id = 0, address = '', count = 0, key_id = '' {where}",
                        (tenant, sequence),
                    )
        except sqlite3.IntegrityError:
            pass  # the table itself does not take it


@pytest.mark.one_database("rows are read alike from both, and SQLite's take a value of any type")
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=tampering)
def test_any_tampering_is_found(made: Any, steps: list[Any]) -> None:
    folder, pepper = made
    tampered = folder / "tampered.sqlite3"
    for file in folder.glob("tampered.*"):
        file.unlink()
    shutil.copy(folder / "whole.sqlite3", tampered)
    with closing(sqlite3.connect(tampered)) as driver:
        _tamper(driver, steps)
        driver.commit()
    changed = _rows(tampered) != _rows(folder / "whole.sqlite3")
    assert _all_verify(tampered, pepper) is not changed


def _cut(trail: Trail, sequence: int) -> None:
    trail.sql("DELETE FROM audit_event WHERE tenant_id = 1 AND sequence > ?", sequence)
    trail.sql(
        "UPDATE audit_head SET sequence = ?, hash = (SELECT hash FROM audit_event "
        "WHERE tenant_id = 1 AND sequence = ?) WHERE tenant_id = 1",
        sequence,
        sequence,
    )


@pytest.fixture
def trail(database: str) -> Trail:
    clock = TestClock(1_700_000_000_000)
    identity = _open(database, None, clock)
    run(_fill(identity, clock, EVENTS))
    _close(identity)
    return Trail(database)


def test_a_cut_tail_shows_with_a_head_noted_earlier(trail: Trail) -> None:
    head = trail.verify()
    assert head.startswith(f"{EVENTS}:")
    assert trail.verify("--head", head) == head
    trail.done("policy", "set", "--history", "2")
    assert trail.verify("--head", head).startswith(f"{EVENTS + 1}:")
    _cut(trail, EVENTS - 2)
    trail.verify()
    assert f"Event {EVENTS - 1}: it is missing" in trail.broken("--head", head)
    trail.done("policy", "set", "--history", "3")
    trail.done("policy", "set", "--history", "4")
    trail.verify()
    assert f"Event {EVENTS}: it is another" in trail.broken("--head", head)


def test_the_first_broken_row_is_named(trail: Trail) -> None:
    trail.sql("UPDATE audit_event SET address = '10.0.0.1' WHERE sequence IN (3, 6)")
    assert "Event 3: it or the one before it was changed" in trail.broken()
    trail.sql("DELETE FROM audit_event WHERE sequence = 2")
    assert "Event 2: it is missing; the next one there is 3" in trail.broken()


@pytest.mark.parametrize("head", ["", "1", "1:abc", "x:" + "0" * 64, "-1:" + "0" * 64])
def test_what_is_no_head_is_refused(trail: Trail, head: str) -> None:
    result = trail.run("audit", "verify", "--head", head)
    assert result.exit_code == 2
    assert "NUMBER:HASH" in result.stderr


def test_retention_leaves_a_trail_that_verifies(trail: Trail) -> None:
    early = trail.events()[1]
    kept = trail.events()[4]
    noted = trail.verify()
    out = trail.done("audit", "prune", "--before", kept["time"])
    assert out == "Removed 4 events.\n"
    found = [event for event in trail.events() if event["event"] != "checkpoint"]
    assert [event["sequence"] for event in found] == [5, 6, 7, 8, 9]
    assert found[0] == kept
    assert (found[-1]["event"], found[-1]["count"]) == ("audit_pruned", 4)
    assert trail.verify("--head", noted).startswith("9:")
    assert "older than what is kept" in trail.broken("--head", f"2:{early['hash']}")
    assert trail.done("audit", "prune", "--before", kept["time"]) == "Removed 0 events.\n"
    trail.verify()
    # once more, and then everything
    assert trail.done("audit", "prune", "--before", found[2]["time"]) == "Removed 2 events.\n"
    trail.verify()
    assert trail.done("audit", "prune", "--before", "2100-01-01") == "Removed 4 events.\n"
    assert trail.verify().startswith("11:")
    trail.done("policy", "set", "--history", "2")
    trail.verify()


def test_a_removed_beginning_shows_without_the_event_that_tells_of_it(trail: Trail) -> None:
    trail.done("audit", "prune", "--before", trail.events()[4]["time"])
    trail.sql("DELETE FROM audit_event WHERE sequence = 4")
    assert "Event 1: it is missing" in trail.broken()


def test_a_broken_trail_is_not_pruned(trail: Trail) -> None:
    trail.sql("UPDATE audit_event SET reason = 'x' WHERE sequence = 2")
    before = trail.sql("SELECT * FROM audit_event")
    result = trail.run("audit", "prune", "--before", "2100-01-01")
    assert result.exit_code == 1
    assert "nothing was removed" in result.stderr
    assert trail.sql("SELECT * FROM audit_event") == before


def test_without_the_pepper_no_chain_can_be_made(database: str, tmp_path: Path) -> None:
    clock, pepper = TestClock(), _pepper(tmp_path)
    identity = _open(database, None, clock)
    run(_fill(identity, clock, 2))
    _close(identity)
    identity = _open(database, pepper, clock)  # set later: what was there before still verifies
    run(_fill(identity, clock, 2))
    of = run(tenants.default(identity))
    found = run(audit_trail.verify(identity, of))
    assert (found.events, found.keyed, found.keyed_from) == (5, 3, 3)
    _close(identity)

    identity = _open(database, None, clock)
    with pytest.raises(ChainBroken, match=r"Event 3: .* pepper that is not configured"):
        run(audit_trail.verify(identity, of))
    run(_fill(identity, clock, 1))
    _close(identity)
    identity = _open(database, pepper, clock)
    with pytest.raises(ChainBroken, match=r"Event 6: it was hashed without the pepper"):
        run(audit_trail.verify(identity, of))
    _close(identity)


def test_a_rotated_pepper_still_verifies(database: str, tmp_path: Path) -> None:
    clock, pepper = TestClock(), _pepper(tmp_path)
    identity = _open(database, pepper, clock)
    run(_fill(identity, clock, 2))
    _close(identity)
    pepper.write_text(f"p2:{b64encode(b'n' * 32).decode()}\n{pepper.read_text()}")
    identity = _open(database, pepper, clock)
    run(_fill(identity, clock, 2))
    of = run(tenants.default(identity))
    assert run(audit_trail.verify(identity, of)).keyed == 5
    _close(identity)


def test_an_empty_trail_is_whole(database: str) -> None:
    trail = Trail(database)
    assert trail.verify() == "0:" + "0" * 64
    assert trail.verify("--head", "0:" + "0" * 64)
    assert trail.events() == []


def test_events_from_before_the_chain_are_chained(databases: Databases) -> None:
    trail = Trail(databases.empty())
    upgrade_to("0003", trail.database)
    for number in range(5):
        trail.sql(
            "INSERT INTO audit_event (tenant_id, at, event, associate_id, by_associate_id, "
            "application_token_id, address) VALUES (1, ?, 'user_created', ?, 0, 0, '192.0.2.1')",
            1_700_000_000_000 + number,
            number,
        )
    assert trail.verify().startswith("5:")
    trail.done("policy", "set", "--history", "2")
    assert trail.verify().startswith("6:")
    assert [event["user_id"] for event in trail.events()] == [0, 1, 2, 3, 4, 0]


def test_filters(trail: Trail) -> None:
    every = trail.events()
    assert trail.events("--limit", "3") == every[-3:]
    assert trail.events("--event", "user_created") == every[1::2]
    assert trail.events("--since", every[2]["time"], "--until", every[5]["time"]) == every[2:5]
    assert trail.events("--since", "2100-01-01") == []
    assert trail.events("--user", "NOBODY") == []
    assert "There is no event nonsense" in trail.run("audit", "list", "--event", "nonsense").stderr
    assert trail.run("audit", "list", "--since", "yesterday").exit_code == 2
    assert trail.run("audit", "list", "--limit", str(2**64)).exit_code == 2
    lines = trail.done("audit", "list", "--limit", "2").splitlines()
    assert lines[0].split()[:3] == ["SEQ", "TIME", "EVENT"]
    assert [line.split()[0] for line in lines[1:]] == ["7", "8"]


@pytest.mark.parametrize("looked_at", [1, 3, 8, 100])
def test_the_newest_are_found_a_part_at_a_time(
    trail: Trail, looked_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_trail, "_LOOKED_AT", looked_at)
    created = trail.events()[1::2]
    assert trail.events("--event", "user_created", "--limit", "3") == created[-3:]
    assert trail.events("--event", "user_created", "--limit", "100") == created
    assert trail.events("--since", "2100-01-01", "--limit", "3") == []


def test_more_than_a_page(database: str) -> None:
    clock = TestClock()
    identity = _open(database, None, clock)

    async def many() -> None:
        of = await tenants.default(identity)

        async def work(connection: Connection) -> None:
            for number in range(1201):
                event = AuditEvent.USER_CREATED
                await audit.record(
                    connection, identity, of, event, Origin(), associate_id=number, by=0
                )

        await identity.database.transaction(work)

    run(many())
    _close(identity)
    trail = Trail(database)
    assert trail.verify().startswith("1201:")
    assert [event["sequence"] for event in trail.events()] == [*range(1, 1202)]
