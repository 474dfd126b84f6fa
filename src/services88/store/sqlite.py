"""The SQLite executor: reads where they are asked for, writes on one thread.

Statements are SQLAlchemy Core, compiled once to text and run by the standard library's driver on
connections that stay open: a look-up costs about ten microseconds, so it may run on the event loop.
Writes queue for one thread of the process and one ``BEGIN IMMEDIATE`` each; WAL lets readers go on
meanwhile, ``synchronous=FULL`` makes a commit survive a power cut.

What is open and what the path names must be one file. SQLite goes on with a file that was deleted
or replaced; here that is noticed before a change is acknowledged, and a few milliseconds later by
reads (https://www.sqlite.org/howtocorrupt.html, section 4).
"""

import asyncio
import logging
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

from sqlalchemy import Connection as SqlalchemyConnection
from sqlalchemy import Table, insert
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.engine import make_url
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler

from services88.store.database import Row, Work
from services88.store.errors import (
    Conflict,
    DatabaseUnavailable,
    OutcomeUnknown,
    UnusableDatabase,
)

__all__ = [
    "SqliteDatabase",
    "alone",
    "connect",
    "exposed_files",
    "opened",
    "revision",
    "sqlite_path",
]

T = TypeVar("T")

_log = logging.getLogger("services88.database")

_BUSY_SECONDS = 5.0
_PROBE_SECONDS = 1.5
"""That a check for being writable waits for another process's lock."""
_PROBE_BYTES = 131_072
"""What a check writes: more than any change does."""
_GLANCE_SECONDS = 0.01
"""That reads trust the last look at the files."""
sqlite3.register_converter("BOOLEAN", lambda stored: stored != b"0")
_dialect = sqlite_dialect.dialect(paramstyle="named")


def sqlite_path(url: str) -> Path:
    """Give the file that a ``sqlite:///`` URL names.

    :raises UnusableDatabase: It names none.
    """
    file = make_url(url).database
    if not file or file == ":memory:":
        raise UnusableDatabase("The database URL names no file. Write sqlite:///FILE.")
    return Path(file)


def exposed_files(path: Path) -> list[Path]:
    """Return the files of a database, its logs too, that everybody can read or write.

    Files that we make are the owner's only, and SQLite gives its logs the mode of the database. One
    of another mode was made so by somebody: that is worth a warning, and no reason to stop.
    """
    found: list[Path] = []
    for suffix in ("", "-wal", "-shm", "-journal"):
        file = path.with_name(path.name + suffix)
        with suppress(OSError):
            if file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
                found.append(file)
    return found


def revision(url: str) -> str | None:
    """Give the revision of the tables, or None where there are none of ours.

    :raises UnusableDatabase: The URL or the file is none we can use.
    """
    path = sqlite_path(url)
    if path.parent.is_dir() and not path.exists():
        return None
    driver = connect(path)
    try:
        found = driver.execute(
            "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
        ).fetchone()
        row = (
            driver.execute("SELECT version_num FROM alembic_version").fetchone()
            if found[0]
            else None
        )
    except sqlite3.Error as error:
        raise UnusableDatabase(
            f"The revision of the database cannot be read: {error}. "
            "Restore a backup, or name another database."
        ) from error
    finally:
        driver.close()
    return str(row[0]) if row else None


def alone(url: str, work: Callable[[SqlalchemyConnection], None]) -> None:
    """Do a piece of work in one transaction while nobody else reads or writes."""
    from sqlalchemy import create_engine, event

    engine = create_engine("sqlite://", creator=lambda: connect(sqlite_path(url)))

    @event.listens_for(engine, "begin")
    def _lock(connection: SqlalchemyConnection) -> None:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")

    try:
        with engine.begin() as connection:
            work(connection)
    finally:
        engine.dispose()


def opened(url: str, connections: int) -> "SqliteDatabase":  # noqa: ARG001 - one writes at a time
    """Open the database that a URL names; its tables must be up to date."""
    return SqliteDatabase(sqlite_path(url))


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection, creating the file (readable by its owner only) where there is none.

    :raises UnusableDatabase: The file cannot be made, opened or read as a database.
    :raises DatabaseUnavailable: Another process has it locked.
    """
    try:
        _create(path)
        before = _identity(str(path))
        connection = _open(path)
        # Who had to wait for a lock may have opened what was replaced meanwhile.
        if _identity(str(path)) != before:
            connection.close()
            raise DatabaseUnavailable(f"The file {path} was replaced just now. Try again.")
        return connection
    except OSError as error:
        raise UnusableDatabase(
            f"The database file {path} cannot be opened: {error.strerror}. "
            "Its folder must exist and be writable."
        ) from error
    except sqlite3.Error as error:
        if _is_busy(error):
            raise DatabaseUnavailable(
                f"The file {path} is locked by another process: {error}. Try again later."
            ) from error
        raise UnusableDatabase(
            f"The file {path} cannot be used as a SQLite database: {error}. "
            "Name another file, or one that is not there yet."
        ) from error


def _create(path: Path) -> None:
    # A file that is there is not touched: closing any descriptor of it would drop the locks that
    # this process's other connections hold (POSIX), and another process would delete their WAL.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        detect_types=sqlite3.PARSE_DECLTYPES,
    )
    try:
        _switch_to_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    # The switch needs the file for itself for a moment, and SQLite does not wait for that.
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _is_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the driver's errors into the store's."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorname == "SQLITE_CONSTRAINT_UNIQUE":
            raise Conflict(str(error)) from error
        raise
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        raise DatabaseUnavailable(str(error)) from error


class _Connection:
    """Runs compiled statements on one driver connection; its coroutines never wait."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver
        self._compiled: dict[object, tuple[str, dict[str, object]]] = {}

    def _run(self, key: object, statement: Executable, values: dict[str, object]) -> sqlite3.Cursor:
        known = self._compiled.get(key)
        if known is None:
            compiled = cast(
                SQLCompiler,
                statement.compile(dialect=_dialect, column_keys=list(values) or None),  # type: ignore[attr-defined]
            )
            known = self._compiled[key] = (str(compiled), dict(compiled.params))
        text, constants = known
        try:
            return self._driver.execute(text, {**constants, **values})
        except sqlite3.Error as error:
            with _translated():  # made for an error only: making it takes as long as a look-up
                raise error from None

    def first(self, statement: Executable, values: dict[str, object]) -> Row | None:
        return cast("Row | None", self._run(statement, statement, values).fetchone())

    async def one(self, statement: Executable, **values: object) -> Row | None:
        return self.first(statement, values)

    async def all(self, statement: Executable, **values: object) -> Sequence[Row]:
        return self._run(statement, statement, values).fetchall()

    async def execute(self, statement: Executable, **values: object) -> int:
        return self._run(statement, statement, values).rowcount

    async def hold(self, *keys: int) -> None:
        """Do nothing: a transaction has the whole file for itself."""

    async def insert(self, table: Table, **values: object) -> int:
        key = (table.name, tuple(values))
        return self._run(key, insert(table), values).lastrowid or 0


_Identity: TypeAlias = tuple[int, int] | None


class _Files:
    """The files of an open database: they stay the same for as long as it is open.

    SQLite removes its write-ahead log only when the last connection is closed.
    """

    def __init__(self, path: Path) -> None:
        self._paths = [f"{path}{suffix}" for suffix in ("", "-wal", "-shm")]
        self._opened = [_identity(path) for path in self._paths]
        self._lost: str | None = None
        self._looked = time.monotonic()

    def check(self) -> None:
        """Check that the path names what is open.

        :raises DatabaseUnavailable: It does not, or once did not.
        """
        if self._lost is None:
            self._lost = self._look()
            if self._lost is not None:
                _log.critical(
                    "%s while it was in use: nothing is read or changed any more. Stop this "
                    "server, see that the right file is in its place, and start it again",
                    self._lost,
                )
        if self._lost is not None:
            self._looked = 0.0
            raise DatabaseUnavailable(f"{self._lost} while it was in use")
        self._looked = time.monotonic()

    def glance(self) -> None:
        """Check it, unless that was done a few milliseconds ago.

        :raises DatabaseUnavailable: As :meth:`check` does.
        """
        if time.monotonic() - self._looked > _GLANCE_SECONDS:
            self.check()

    def _look(self) -> str | None:
        for number, (path, opened) in enumerate(zip(self._paths, self._opened, strict=True)):
            try:
                found = _identity(path)
            except OSError as error:
                raise DatabaseUnavailable(f"{path} cannot be looked at: {error}") from error
            if opened is None:
                self._opened[number] = found
            elif found != opened:
                return f"{path} was {'replaced' if found else 'moved or deleted'}"
        return None


def _identity(path: str) -> _Identity:
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


class SqliteDatabase:
    """A SQLite file, open.

    Where the path does not name it any more, everything raises :class:`DatabaseUnavailable`. It
    stays open, since it may be all that is left of the data; but nothing is read from it.
    """

    kind = "SQLite"

    def __init__(self, path: Path) -> None:
        """Open the file; its tables must be up to date."""
        self._path = path
        self._read_driver = connect(path)
        self._write_driver = connect(path)
        self._files = _Files(path)
        self._probe: sqlite3.Connection | None = None
        self._reader = _Connection(self._read_driver)
        self._writer = _Connection(self._write_driver)
        self._durable = True
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-writer")

    async def one(self, statement: Executable, **values: object) -> Row | None:
        """Give the first row, or None."""
        self._files.glance()
        return self._reader.first(statement, values)

    async def all(self, statement: Executable, **values: object) -> Sequence[Row]:
        """Give all rows."""
        self._files.glance()
        return await self._reader.all(statement, **values)

    async def transaction(self, work: Work[T], *, durable: bool = True) -> T:
        """Do a piece of work in one transaction, on the writer thread."""
        loop = asyncio.get_running_loop()
        deadline = time.monotonic() + _BUSY_SECONDS
        return await loop.run_in_executor(
            self._thread, self._in_transaction, work, deadline, durable
        )

    def _in_transaction(self, work: Work[T], deadline: float, durable: bool) -> T:
        # The wait for the lock is that of the caller, the time in the queue included: behind a lock
        # that another process holds, all callers hear of it after the same few seconds.
        left = deadline - time.monotonic()
        if left <= 0:
            raise DatabaseUnavailable("another process holds the database's write lock")
        with _translated():
            self._write_driver.execute(f"PRAGMA busy_timeout={int(left * 1000)}")
            if durable is not self._durable:
                # In WAL mode NORMAL leaves the file as whole as FULL does; what was committed last
                # may be missing after a power cut, unless a commit with FULL came after it.
                self._write_driver.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            self._write_driver.execute("BEGIN IMMEDIATE")
        try:
            result = _finish(cast("Coroutine[Any, Any, T]", work(self._writer)))
            self._files.check()  # so that nothing is kept where nobody would find it
            with _translated():
                self._write_driver.execute("COMMIT")
        except BaseException:
            if self._write_driver.in_transaction:
                self._write_driver.execute("ROLLBACK")
            raise
        try:
            self._files.check()  # it may have happened in between
        except DatabaseUnavailable as error:
            raise OutcomeUnknown(str(error)) from error
        return result

    async def check_writable(self) -> None:
        """Check that a change could be kept now.

        On a connection with hardly any cache: so what is inserted is written to the log at once,
        where it needs room as a change would, and is undone.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._try_to_write)

    def _try_to_write(self) -> None:
        self._files.check()
        if self._probe is None:
            try:
                self._probe = connect(self._path)
            except UnusableDatabase as error:
                raise DatabaseUnavailable(str(error)) from error
        probe = self._probe
        with _translated():
            probe.execute("PRAGMA cache_size=4")
            probe.execute(f"PRAGMA busy_timeout={int(_PROBE_SECONDS * 1000)}")
            probe.execute("BEGIN IMMEDIATE")
            try:
                probe.execute(
                    "INSERT INTO installation (key, value) VALUES ('probe', zeroblob(?))",
                    (_PROBE_BYTES,),
                )
            finally:
                if probe.in_transaction:
                    probe.execute("ROLLBACK")

    def connections(self) -> dict[str, int]:
        """Count the connections by state: one reads, one writes."""
        busy = int(self._write_driver.in_transaction)
        return {"idle": 2 - busy, "busy": busy}

    async def close(self) -> None:
        """Close both connections, after the writes under way."""
        await asyncio.get_running_loop().run_in_executor(None, self._thread.shutdown)
        self._read_driver.close()
        if self._probe is not None:
            self._probe.close()
        self._write_driver.close()


def _finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that awaits nothing but our connection, to its end, without a loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast(T, stop.value)
    coroutine.close()
    raise RuntimeError("a transaction may await nothing but its connection")
