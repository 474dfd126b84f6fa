"""What is SQLite's own: one file, locks on it, one writer, and what becomes of a damaged one."""

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import bindparam, update

from services88.store import sqlite, tenants
from services88.store.database import Connection
from services88.store.errors import DatabaseUnavailable, UnusableDatabase
from services88.store.migrate import open_database, upgrade
from services88.store.schema import installation
from services88.store.sqlite import SqliteDatabase
from tests.loop import run

_increment = update(installation).where(installation.c.key == "count").values(value=bindparam("to"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "test.sqlite3"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def database(path: Path, url: str) -> Iterator[SqliteDatabase]:
    """A database, migrated and open."""
    upgrade(url)
    opened = SqliteDatabase(path)
    yield opened
    run(opened.close())


def _fact(database: SqliteDatabase, name: str) -> str | None:
    return run(tenants.get_fact(database, name))


def _works(database: SqliteDatabase) -> None:
    async def work(connection: Connection) -> None:
        await tenants.put_fact(connection, "works", "yes")

    run(database.transaction(work))
    assert _fact(database, "works") == "yes"


def test_work_that_waits_for_something_else_is_an_error_and_undone(
    database: SqliteDatabase,
) -> None:
    async def work(connection: Connection) -> None:
        await tenants.put_fact(connection, "a", "1")
        await asyncio.sleep(0)
        await tenants.put_fact(connection, "b", "2")

    with pytest.raises(RuntimeError, match="may await nothing but its connection"):
        run(database.transaction(work))
    assert (_fact(database, "a"), _fact(database, "b")) == (None, None)
    _works(database)


def test_transactions_at_once_follow_one_another(database: SqliteDatabase) -> None:
    async def begin(connection: Connection) -> None:
        await tenants.put_fact(connection, "count", "0")

    async def count(connection: Connection) -> None:
        now = await tenants.get_fact(connection, "count")
        await connection.execute(_increment, to=str(int(now or 0) + 1))

    async def story() -> None:
        await database.transaction(begin)
        await asyncio.gather(*(database.transaction(count) for _ in range(50)))

    run(story())
    assert _fact(database, "count") == "50"


def test_a_reader_sees_nothing_of_a_transaction_under_way(database: SqliteDatabase) -> None:
    import threading

    written, seen = threading.Event(), threading.Event()

    async def work(connection: Connection) -> None:
        await tenants.put_fact(connection, "a", "1")
        written.set()
        assert seen.wait(30)

    async def story() -> str | None:
        writing = asyncio.create_task(database.transaction(work))
        await asyncio.to_thread(written.wait, 30)
        during = await tenants.get_fact(database, "a")
        seen.set()
        await writing
        return during

    assert run(story()) is None
    assert _fact(database, "a") == "1"


def test_the_database_survives_a_power_cut_and_checks_references(database: SqliteDatabase) -> None:
    for driver in (database._read_driver, database._write_driver):
        facts = [driver.execute(f"PRAGMA {name}").fetchone()[0] for name in _PRAGMAS]
        assert facts == ["wal", 2, 1]


_PRAGMAS = ("journal_mode", "synchronous", "foreign_keys")


# --- when the database does not answer --------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for another's lock hardly at all."""
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.01)


@pytest.fixture
def locked(path: Path, url: str) -> Iterator[sqlite3.Connection]:
    """A connection that has locked the migrated file."""
    upgrade(url)
    with closing(sqlite3.connect(path, isolation_level=None)) as driver:
        yield driver


@pytest.mark.usefixtures("impatient")
def test_a_locked_database_is_unavailable_until_it_is_free(
    locked: sqlite3.Connection, path: Path
) -> None:
    database = SqliteDatabase(path)

    async def work(_: Connection) -> None:
        raise AssertionError("the work begins only in a transaction")

    locked.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseUnavailable, match="locked"):
        run(database.transaction(work))
    assert _fact(database, "a") is None, "who only reads does not wait"
    locked.execute("ROLLBACK")
    _works(database)
    run(database.close())


@pytest.mark.usefixtures("impatient")
def test_a_database_locked_while_it_is_opened_is_refused_clearly(path: Path, url: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as driver:
        driver.execute("CREATE TABLE t (x)")
        driver.execute("BEGIN EXCLUSIVE")
        with pytest.raises((UnusableDatabase, DatabaseUnavailable), match="locked"):
            open_database(url)


@pytest.mark.usefixtures("impatient")
def test_a_database_locked_while_a_migration_is_due_is_refused_clearly(
    path: Path, url: str
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as driver:
        driver.execute("PRAGMA journal_mode=WAL")
        driver.execute("BEGIN IMMEDIATE")
        with pytest.raises((UnusableDatabase, DatabaseUnavailable), match="locked"):
            open_database(url)


def _damage(path: Path, table: str) -> None:
    with closing(sqlite3.connect(path)) as driver:
        query = "SELECT rootpage FROM sqlite_master WHERE tbl_name = ?"
        pages = [page for (page,) in driver.execute(query, (table,))]
    assert pages
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * 4096)
            file.write(b"\xa5" * 4096)


def test_a_damaged_file_is_unavailable(path: Path, url: str) -> None:
    upgrade(url)
    _damage(path, "tenant")
    database = SqliteDatabase(path)
    with pytest.raises(DatabaseUnavailable, match="malformed"):
        run(tenants.default(database))

    async def work(connection: Connection) -> None:
        await tenants.add(connection, name="X", key="x", company="", now=0)

    with pytest.raises(DatabaseUnavailable, match="malformed"):
        run(database.transaction(work))
    run(database.close())


def test_a_file_whose_revision_cannot_be_read_is_refused_clearly(path: Path, url: str) -> None:
    upgrade(url)
    _damage(path, "alembic_version")
    with pytest.raises(UnusableDatabase, match=r"malformed.*Restore a backup"):
        open_database(url)


def test_behind_a_lock_everybody_hears_of_it_at_once(
    monkeypatch: pytest.MonkeyPatch, locked: sqlite3.Connection, path: Path
) -> None:
    """Each used to wait for the lock anew, after all those before it: here 20 times as long."""
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.5)
    database = SqliteDatabase(path)

    async def work(_: Connection) -> None:
        raise AssertionError("the work begins only in a transaction")

    async def twenty() -> list[object]:
        tries = (database.transaction(work) for _ in range(20))
        return list(await asyncio.gather(*tries, return_exceptions=True))

    locked.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    answers = asyncio.run(twenty())
    assert time.monotonic() - begun < 5
    assert [type(answer) for answer in answers] == [DatabaseUnavailable] * 20
    locked.execute("ROLLBACK")
    asyncio.run(database.close())


def test_another_process_does_not_take_itself_for_the_last(
    database: SqliteDatabase, path: Path, url: str
) -> None:
    """Opening a file and closing it again would drop the locks of the whole process."""
    wal = path.with_name(f"{path.name}-wal")
    inode = wal.stat().st_ino
    upgrading = (
        "import asyncio, sys; from services88.store.migrate import open_database;"
        "asyncio.run(open_database(sys.argv[1]).close())"
    )
    subprocess.run([sys.executable, "-c", upgrading, url], check=True, timeout=30)
    assert wal.stat().st_ino == inode
    _works(database)


# --- the file is another ----------------------------------------------------------------------


def _deleted(path: Path) -> None:
    path.unlink()


def _moved(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))


def _replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"another")
    other.replace(path)


def _without_log(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink()


def _without_index(path: Path) -> None:
    path.with_name(f"{path.name}-shm").unlink()


@pytest.mark.parametrize("change", [_deleted, _moved, _replaced, _without_log, _without_index])
def test_a_file_that_is_not_the_open_one_any_more_is_noticed(
    path: Path, url: str, change: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    upgrade(url)
    database = SqliteDatabase(path)
    _works(database)

    async def work(connection: Connection) -> None:
        await tenants.put_fact(connection, "void", "1")
        change(path)

    with pytest.raises(DatabaseUnavailable, match="while it was in use"):
        run(database.transaction(work))
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable, match="while it was in use"):
            run(tenants.get_fact(database, "void"))
        with pytest.raises(DatabaseUnavailable, match="while it was in use"):
            run(database.check_writable())
    lines = [one for one in caplog.messages if "Stop this server" in one]
    assert len(lines) == 1
    run(database.close())


def test_what_was_acknowledged_before_its_log_was_deleted_is_kept(path: Path, url: str) -> None:
    upgrade(url)
    database = SqliteDatabase(path)
    _works(database)
    _without_log(path)
    with pytest.raises(DatabaseUnavailable):
        run(database.check_writable())
    run(database.close())
    again = SqliteDatabase(path)
    assert _fact(again, "works") == "yes", "the one who closes it last writes it into the file"
    run(again.close())


def test_a_read_notices_it_within_moments(path: Path, url: str) -> None:
    upgrade(url)
    database = SqliteDatabase(path)
    _replaced(path)
    time.sleep(sqlite._GLANCE_SECONDS * 2)
    with pytest.raises(DatabaseUnavailable, match="replaced"):
        _fact(database, "a")
    run(database.close())


def test_a_file_replaced_while_it_is_opened_is_not_used(path: Path, url: str) -> None:
    upgrade(url)
    other = path.with_name("other")
    upgrade(f"sqlite:///{other}")
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as driver,
        ThreadPoolExecutor(1) as pool,
    ):
        driver.execute("PRAGMA locking_mode=EXCLUSIVE")
        driver.execute("BEGIN EXCLUSIVE")
        opening = pool.submit(SqliteDatabase, path)
        with pytest.raises(TimeoutError):
            opening.result(0.2)
        other.replace(path)
        driver.close()
        with pytest.raises(DatabaseUnavailable, match="replaced just now"):
            opening.result(10)
