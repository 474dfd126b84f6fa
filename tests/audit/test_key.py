"""A trail that was once keyed stays keyed: what is written anew without the pepper is found."""

import logging
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services88.cli import main
from services88.identity import accounts, audit, audit_trail, tenants
from services88.identity.audit import AuditEvent
from services88.identity.audit_chain import GENESIS, ChainKey, current_key, hashed
from services88.identity.audit_trail import ChainBroken
from services88.identity.identity import Identity, Origin
from services88.settings import load
from services88.store import audit as stored
from services88.store.audit import AuditRow, Filter
from services88.store.database import Connection
from services88.web.application import identity_of
from tests.audit.trail import Trail
from tests.databases import sql
from tests.loop import run
from tests.running import TestClock

PASSWORD = "Vellum7Orbit"


@pytest.fixture
def pepper(tmp_path: Path) -> Path:
    file = tmp_path / "pepper"
    file.write_text(f"p1:{b64encode(b'k' * 32).decode()}\n")
    file.chmod(0o600)
    return file


class Scene:
    """A trail, and servers that come and go."""

    def __init__(self, database: str, pepper: Path) -> None:
        self.database, self.pepper = database, pepper
        self.clock = TestClock(1_700_000_000_000)
        self._open: list[Identity] = []

    def server(self, *, keyed: bool = True, checked: bool = True) -> Identity:
        pepper = self.pepper if keyed else None
        settings = load({"database": self.database, "pepper_file": pepper})
        identity = identity_of(settings, self.clock)
        self._open.append(identity)
        if checked:
            run(audit.check_heads(identity))  # as `serve` does
        return identity

    def close(self) -> None:
        for identity in self._open:
            run(identity.database.close())
            identity.hashing.close()

    def write(self, identity: Identity, events: int = 1) -> None:
        of = run(tenants.default(identity))

        async def work(connection: Connection) -> None:
            await audit.record(
                connection, identity, of, AuditEvent.USER_UPDATED, Origin("192.0.2.1"),
                associate_id=1, by=0,
            )  # fmt: skip

        for _ in range(events):
            self.clock.time += 1000
            run(identity.database.transaction(work))

    def cli(self, *arguments: str) -> Result:
        given = [*arguments, "--database", self.database]
        return CliRunner(env={"SERVICES88_PEPPER_FILE": str(self.pepper)}).invoke(main, given)

    def broken(self) -> str:
        result = self.cli("audit", "verify")
        assert result.exit_code == 1, result.output
        return result.stderr

    def verify(self) -> Result:
        result = self.cli("audit", "verify")
        assert result.exit_code == 0, result.output
        return result

    def named(self) -> list[str]:
        return [
            event
            for (event,) in sql(self.database, "SELECT event FROM audit_event ORDER BY sequence")
        ]

    def cut(self, sequence: int) -> None:
        """Cut the trail off behind an event, which becomes the head."""
        trail = Trail(self.database)
        trail.sql("DELETE FROM audit_event WHERE sequence > ?", sequence)
        trail.sql(
            "UPDATE audit_head SET sequence = ?, hash = (SELECT hash FROM audit_event "
            "WHERE sequence = ?)",
            sequence,
            sequence,
        )

    def rewrite(self, *, without: tuple[str, ...] = ()) -> None:
        """Make the chain anew without a key, and another address, as who has no pepper can."""
        with_none = identity_of(load({"database": self.database}), self.clock)
        run(self._rewrite(with_none, without))
        run(with_none.database.close())
        with_none.hashing.close()

    async def _rewrite(self, identity: Identity, without: tuple[str, ...]) -> None:
        rows = await stored.page(identity.database, 1, after=0, most=500, which=Filter())
        made: list[AuditRow] = []
        previous = GENESIS
        for row in rows:
            if row.event in without:
                continue
            changed = replace(row, sequence=len(made) + 1, address="203.0.113.9")
            made.append(hashed(1, changed, previous, ChainKey("", None)))
            previous = made[-1].hash
        Trail(self.database).sql("DELETE FROM audit_event")

        async def work(connection: Connection) -> None:
            for row in made:
                await stored.append(connection, 1, row, "")

        await identity.database.transaction(work)


@pytest.fixture
def scene(database: str, pepper: Path) -> Any:
    made = Scene(database, pepper)
    yield made
    made.close()


def test_the_keys_arrival_is_a_keyed_event(scene: Scene) -> None:
    scene.write(scene.server(keyed=False), 3)
    assert "no event was hashed with it" in scene.broken(), "until a server begins with the pepper"
    scene.server()
    assert scene.named() == ["user_updated"] * 3 + ["audit_keyed"]
    ((key, count),) = sql(
        scene.database, "SELECT key_id, count FROM audit_event WHERE event = 'audit_keyed'"
    )
    assert (key, count) == ("p1", 3)
    assert "The first with a pepper is event 4" in scene.verify().stderr
    scene.write(scene.server())
    assert scene.named().count("audit_keyed") == 1
    scene.verify()


def test_every_tenant_of_a_new_database_begins_with_it(scene: Scene) -> None:
    identity = scene.server()
    run(tenants.add(identity, "acme"))
    rows = sql(scene.database, "SELECT tenant_id, event FROM audit_event ORDER BY 1, sequence")
    assert rows == [(1, "audit_keyed"), (2, "audit_keyed"), (2, "tenant_created")]
    scene.verify()


REWRITES = [
    pytest.param((), id="all"),
    pytest.param(("audit_keyed",), id="without the arrival"),
]


@pytest.mark.parametrize("without", REWRITES)
def test_a_trail_made_anew_without_the_key_is_found(
    scene: Scene, without: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    identity = scene.server()
    scene.write(identity, 4)
    scene.verify()
    scene.rewrite(without=without)
    assert "no event was hashed with it" in scene.broken()
    with caplog.at_level(logging.ERROR, "services88.audit"):
        scene.write(identity)  # the server goes on, and says so
    assert scene.named()[-2:] == ["audit_chain_broken", "user_updated"]
    assert "is broken before event" in caplog.text
    assert "a server found that the head of the chain" in scene.broken()


def test_it_is_found_where_the_server_began_anew_in_between(scene: Scene) -> None:
    """Passwords that need the pepper show that the key was there before."""
    identity = scene.server()
    of = run(tenants.default(identity))
    run(accounts.add(identity, of, "JANE", PASSWORD))
    scene.verify()
    scene.rewrite(without=("audit_keyed",))
    scene.server()
    assert scene.named()[-1] == "audit_chain_broken"
    assert "a server found" in scene.broken()


def test_an_emptied_trail_is_found(scene: Scene) -> None:
    identity = scene.server()
    of = run(tenants.default(identity))
    run(accounts.add(identity, of, "JANE", PASSWORD))
    trail = Trail(scene.database)
    trail.sql("DELETE FROM audit_event")
    trail.sql("DELETE FROM audit_head")
    assert "no event was hashed with it" in scene.broken()
    scene.write(identity)
    assert scene.named() == ["audit_chain_broken", "user_updated"]


def test_a_tail_cut_by_who_kept_no_head_is_found(scene: Scene) -> None:
    identity = scene.server()
    scene.write(identity, 4)
    scene.cut(3)
    assert "Event 4: the head of the chain was not written with the pepper" in scene.broken()
    scene.write(identity)
    assert scene.named()[-2:] == ["audit_chain_broken", "user_updated"]
    assert "Event 4: a server found" in scene.broken()


def test_a_cut_behind_the_removed_beginning_is_found(scene: Scene) -> None:
    """After `prune` the key's arrival is gone; the event that vouches for it stands in."""
    identity = scene.server()
    scene.write(identity, 4)
    of = run(tenants.default(identity))
    assert run(audit_trail.prune(identity, of, scene.clock.time)) == 4
    scene.verify()
    scene.write(identity, 2)
    scene.cut(6)
    Trail(scene.database).sql("UPDATE audit_head SET mac = ''")
    assert "the head of the chain was not written with the pepper" in scene.broken()
    scene.write(identity)
    assert "audit_chain_broken" in scene.named()


def test_a_trail_of_before_is_taken_over(scene: Scene) -> None:
    """An older version keyed events and wrote no keyed heads: that is no break."""
    identity = scene.server()
    scene.write(identity, 3)
    trail = Trail(scene.database)
    trail.sql("DELETE FROM audit_event")
    trail.sql("DELETE FROM audit_head")
    of = run(tenants.default(identity))
    keyed = current_key(identity)

    async def as_before() -> None:
        async def work(connection: Connection) -> None:
            previous = GENESIS
            for number in range(3):
                row = hashed(
                    of.tenant_id,
                    replace(audit_trail._checkpoint(number + 1, ""), event="user_updated"),
                    previous,
                    keyed,
                )
                previous = row.hash
                await stored.append(connection, of.tenant_id, row, "")

        await identity.database.transaction(work)

    run(as_before())
    scene.verify()
    scene.write(scene.server())
    assert scene.named()[-2:] == ["audit_keyed", "user_updated"]
    scene.verify()


def test_heads_kept_elsewhere_show_a_trail_put_back(scene: Scene, tmp_path: Path) -> None:
    """Head and all, as from a backup: only what was noted elsewhere shows that."""
    identity = scene.server()
    scene.write(identity, 2)
    file = tmp_path / "heads"
    first = scene.cli("audit", "head", "--append", str(file))
    assert first.exit_code == 0, first.output
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text() == first.stdout
    time, tenant, head = first.stdout.split()
    assert (tenant, head.partition(":")[0], time[-1]) == ("default", "3", "Z")
    (kept,) = sql(scene.database, "SELECT sequence, hash, mac FROM audit_head")
    scene.write(identity, 2)
    scene.cli("audit", "head", "--append", str(file))
    assert len(file.read_text().splitlines()) == 2
    verify = ("audit", "verify", "--heads", str(file))
    assert "2 noted heads are in it" in scene.cli(*verify).stderr
    Trail(scene.database).sql("DELETE FROM audit_event WHERE sequence > 3")
    Trail(scene.database).sql("UPDATE audit_head SET sequence = ?, hash = ?, mac = ?", *kept)
    scene.verify()
    result = scene.cli(*verify)
    assert result.exit_code == 1
    assert "Event 4: it is missing: the noted head was at 5" in result.stderr


def test_a_server_that_runs_notices_a_trail_put_back(scene: Scene) -> None:
    identity = scene.server()
    scene.write(identity, 2)
    (kept,) = sql(scene.database, "SELECT sequence, hash, mac FROM audit_head")
    scene.write(identity, 2)
    run(audit.check_heads(identity))  # as once a minute
    Trail(scene.database).sql("DELETE FROM audit_event WHERE sequence > 3")
    Trail(scene.database).sql("UPDATE audit_head SET sequence = ?, hash = ?, mac = ?", *kept)
    scene.write(identity, 2)
    run(audit.check_heads(identity))
    assert scene.named()[3:] == ["user_updated", "user_updated", "audit_chain_broken"]
    run(audit.check_heads(identity))
    scene.write(identity)
    assert scene.named().count("audit_chain_broken") == 1, "once"


def test_pruning_is_no_break(scene: Scene) -> None:
    identity = scene.server()
    scene.write(identity, 4)
    run(audit.check_heads(identity))
    scene.clock.time += 1000
    assert run(audit_trail.prune(identity, run(tenants.default(identity)), scene.clock.time)) == 5
    run(audit.check_heads(identity))
    scene.write(identity)
    run(audit.check_heads(identity))
    assert "audit_chain_broken" not in scene.named()
    scene.verify()


def test_an_event_that_is_undone_was_never_there(scene: Scene) -> None:
    """Even if it was the first with the key."""
    identity = scene.server(keyed=False)
    scene.write(identity)
    keyed = scene.server(checked=False)
    of = run(tenants.default(keyed))

    async def undone(connection: Connection) -> None:
        for _ in range(2):
            event = AuditEvent.USER_UPDATED
            await audit.record(connection, keyed, of, event, Origin(), associate_id=1, by=0)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(keyed.database.transaction(undone))
    scene.write(keyed)
    run(audit.check_heads(keyed))
    assert scene.named() == ["user_updated", "audit_keyed", "user_updated"]


@pytest.mark.one_database("no database is looked at")
def test_a_file_that_has_no_heads_is_refused(scene: Scene, tmp_path: Path) -> None:
    scene.server()
    file = tmp_path / "heads"
    for content, said in (
        ("", "has no head of tenant default"),
        (f"2026-01-31T12:00:00Z acme 3:{'0' * 64}\n", "has no head of tenant default"),
        ("2026-01-31T12:00:00Z default 3:", "Line 1 of"),
    ):
        file.write_text(content)
        result = scene.cli("audit", "verify", "--heads", str(file))
        assert result.exit_code == 1
        assert said in result.stderr
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere")
    assert scene.cli("audit", "head", "--append", str(file)).exit_code == 1
    assert not (tmp_path / "elsewhere").exists()


def test_verifying_needs_the_pepper_that_was(scene: Scene) -> None:
    identity = scene.server()
    scene.write(identity)
    plain = identity_of(load({"database": scene.database}), scene.clock)
    of = run(tenants.default(plain))
    with pytest.raises(ChainBroken, match="pepper that is not configured"):
        run(audit_trail.verify(plain, of))
    run(plain.database.close())
    plain.hashing.close()
