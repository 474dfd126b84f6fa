"""The PostgreSQL executor: asyncpg, a bounded pool, short transactions.

Statements are the same SQLAlchemy Core as everywhere, compiled once to text; asyncpg prepares each
text once a connection. Transactions run at READ COMMITTED: what must not change between reading and
writing is locked or compared by the statements themselves, so that servers wait for each other only
where they touch the same row.

A connection that is lost is made anew. What was under way is done again where nothing can have been
kept; where the connection was lost during the commit, nobody knows, and the caller is told so.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

import asyncpg
from sqlalchemy import Connection as SqlalchemyConnection
from sqlalchemy import NullPool, Table, func, insert, select, text
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler

from services88.store.database import Row, Work
from services88.store.errors import (
    Conflict,
    DatabaseUnavailable,
    OutcomeUnknown,
    StoreError,
    UnusableDatabase,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["PostgresqlDatabase", "alone", "connect", "opened", "revision"]

T = TypeVar("T")

_ATTEMPTS = 4
_ANSWER_SECONDS = 5.0
_CLOSE_SECONDS = 10.0
_AT_HAND_SECONDS = 200.0
"""After which an unused connection is not trusted: some networks forget it after 240."""
_SESSION = {
    "application_name": "services88",
    # A server that waits for a lock of a lost one, or was itself lost, holds nothing up for long.
    "lock_timeout": "4s",
    "idle_in_transaction_session_timeout": "10s",
    "timezone": "UTC",
}
_dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
_hold = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")
_BEGIN_LOSSY = "BEGIN; SET LOCAL synchronous_commit TO off"

# What it takes to write, without a change.
_LITTLE_MEMORY = select(func.set_config("work_mem", "64kB", True))
_WHAT_KIND = select(func.pg_is_in_recovery(), func.current_setting("transaction_read_only"))
_LARGE_SORT = text(
    "SELECT count(*) FROM (SELECT repeat('x', 100) || n AS text "
    "FROM generate_series(1, 2000) AS n ORDER BY text OFFSET 1) AS sorted"
)
_MESSAGE = select(func.pg_logical_emit_message(True, "services88", "ready"))

# Nothing of these was kept, and the same may well succeed at once.
_PASSING = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
# The connection is of no use (any more). InterfaceError is what asyncpg raises for one it closed.
_LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,  # of a server that another took over from
)
# The tables are not those that were found at the start; an operator has to see to it.
_TAKEN_AWAY = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.InsufficientPrivilegeError,
)


class _Driver(asyncpg.Connection):
    """A connection that is given back to the pool as it is: we leave nothing behind in it."""

    def get_reset_query(self) -> str:
        return ""


async def connect(url: str, command_seconds: float = 60) -> asyncpg.Connection:
    """Open one connection.

    :param command_seconds: That a statement may take.
    :raises UnusableDatabase: The URL is none, or the server refuses it.
    :raises DatabaseUnavailable: The server does not answer.
    """
    try:
        return await asyncpg.connect(
            url,
            timeout=_ANSWER_SECONDS,
            command_timeout=command_seconds,
            server_settings=_SESSION,
        )
    except asyncpg.ClientConfigurationError as error:
        raise UnusableDatabase(
            f"The database URL cannot be read: {error}. Write postgresql://USER@HOST:PORT/DATABASE."
        ) from None
    except ValueError:  # which quotes what may be a part of the password
        raise UnusableDatabase(
            "The database URL cannot be read. Write postgresql://USER@HOST:PORT/DATABASE. "
            "Signs like : / ? # @ in a password are written as %3A %2F %3F %23 %40."
        ) from None
    except asyncpg.InvalidCatalogNameError as error:
        raise UnusableDatabase(
            f"PostgreSQL has no such database: {error}. Create it first, with createdb."
        ) from error
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise UnusableDatabase(
            f"PostgreSQL refuses the sign-in: {error}. "
            "Check user and password in the URL (or in PGPASSFILE), and pg_hba.conf."
        ) from error
    except (*_LOST, asyncpg.PostgresError) as error:
        raise DatabaseUnavailable(
            f"PostgreSQL does not answer: {_said(error)}. Check that it runs and that host and "
            "port in the URL are right."
        ) from error


def revision(url: str) -> str | None:
    """Give the revision of the tables, or None where there are none of ours.

    :raises UnusableDatabase: The URL is none, or the server refuses it.
    :raises DatabaseUnavailable: The server does not answer.
    """

    async def work() -> str | None:
        driver = await connect(url)
        try:
            if await driver.fetchval("SELECT to_regclass('alembic_version')") is None:
                return None
            found: str | None = await driver.fetchval("SELECT version_num FROM alembic_version")
            return found
        finally:
            await driver.close(timeout=_ANSWER_SECONDS)

    return _apart(work())


def alone(url: str, work: Callable[[SqlalchemyConnection], None]) -> None:
    """Do a piece of work in one transaction, while no other server does such work.

    It may take long, and others wait for it: both have an hour. For the locks of tables it waits as
    briefly as everybody, since who waits for one keeps all others from the table.
    """

    async def all_of_it() -> None:
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=lambda: connect(url, command_seconds=3600),
            poolclass=NullPool,
        )
        try:
            async with engine.begin() as connection:
                # Otherwise it ends where it computes for long between two statements.
                await _set_locally(connection, "idle_in_transaction_session_timeout", "1h")
                await _set_locally(connection, "lock_timeout", "1h")
                await connection.execute(select(func.pg_advisory_xact_lock(_MIGRATING)))
                await _set_locally(connection, "lock_timeout", _SESSION["lock_timeout"])
                await connection.run_sync(work)
        finally:
            await engine.dispose()

    from sqlalchemy.ext.asyncio import create_async_engine

    try:
        _apart(all_of_it())
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") != asyncpg.InsufficientPrivilegeError.sqlstate:
            raise
        raise UnusableDatabase(
            f"PostgreSQL does not allow to make the tables: {error.orig}. "
            "Let the user of the URL own the database, or grant CREATE on its schema."
        ) from error


async def _set_locally(connection: "AsyncConnection", name: str, value: str) -> None:
    await connection.execute(select(func.set_config(name, value, True)))


_MIGRATING = 0x53657276_88  # any number that others do not lock


def opened(url: str, connections: int) -> "PostgresqlDatabase":
    """Give the database that a URL names; its tables must be up to date."""
    return PostgresqlDatabase(url, connections=connections)


def _apart(work: Coroutine[Any, Any, T]) -> T:
    # The caller may or may not run on a loop.
    with ThreadPoolExecutor(1, thread_name_prefix="postgresql") as thread:
        return thread.submit(asyncio.run, work).result()


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__


class _Compiled:
    """A statement as text, with the order in which its values are given."""

    __slots__ = ("_constants", "_order", "text")

    def __init__(self, statement: Executable, names: Sequence[str]) -> None:
        compiled = cast(
            SQLCompiler,
            statement.compile(  # type: ignore[attr-defined]
                dialect=_dialect,
                column_keys=list(names) or None,
                compile_kwargs={"render_postcompile": True},
            ),
        )
        self.text = str(compiled)
        self._order = tuple(compiled.positiontup or ())
        self._constants = dict(compiled.params)

    def values(self, given: dict[str, object]) -> list[object]:
        constants = self._constants
        return [given[name] if name in given else constants[name] for name in self._order]


_compiled: dict[object, _Compiled] = {}


def _prepared(key: object, statement: Executable, given: dict[str, object]) -> _Compiled:
    known = _compiled.get(key)
    if known is None:
        known = _compiled[key] = _Compiled(statement, tuple(given))
    return known


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the driver's errors into the store's."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise Conflict(error.constraint_name or str(error)) from error
    except _PASSING as error:
        raise _Again(_said(error)) from error
    except TimeoutError as error:  # trying again would make a caller wait for as long again
        raise DatabaseUnavailable(f"no answer within {_ANSWER_SECONDS:.0f} s") from error
    except _LOST as error:
        raise _Lost(_said(error)) from error
    except _TAKEN_AWAY as error:
        raise DatabaseUnavailable(_said(error)) from error
    except asyncpg.PostgresError as error:
        if error.sqlstate and error.sqlstate[:2] in ("22", "23", "42"):
            raise  # the statement is wrong, or its values: a mistake of ours
        raise DatabaseUnavailable(_said(error)) from error


class _Again(DatabaseUnavailable):
    """Others were in the way; nothing was kept."""


class _Lost(DatabaseUnavailable):
    """The connection is gone."""


class _Connection:
    """Runs compiled statements on one driver connection."""

    def __init__(
        self, driver: "asyncpg.pool.PoolConnectionProxy[Any]", pool: "asyncpg.Pool[Any]"
    ) -> None:
        self._driver = driver
        self._pool = pool
        self.kept = 0.0
        """When it was put at hand, by the loop's time."""

    def terminate(self) -> None:
        """Close it at once, without a word: nobody may be at the other end."""
        with suppress(asyncpg.InterfaceError):
            self._driver.terminate()

    @property
    def is_closed(self) -> bool:
        try:
            return bool(self._driver.is_closed())
        except asyncpg.InterfaceError:  # it was lost while at hand, and the pool took it back
            return True

    async def give_back(self) -> None:
        with suppress(*_LOST):  # what was done is done; the pool drops the connection
            await self._pool.release(self._driver, timeout=_ANSWER_SECONDS)

    async def one(self, statement: Executable, **values: object) -> Row | None:
        known = _prepared(statement, statement, values)
        try:
            row = await self._driver.fetchrow(known.text, *known.values(values))
        except Exception:
            with _translated():  # which costs, and is seldom needed
                raise
        return cast("Row | None", row)

    async def all(self, statement: Executable, **values: object) -> Sequence[Row]:
        known = _prepared(statement, statement, values)
        with _translated():
            rows = await self._driver.fetch(known.text, *known.values(values))
        return cast("Sequence[Row]", rows)

    async def execute(self, statement: Executable, **values: object) -> int:
        known = _prepared(statement, statement, values)
        with _translated():
            status = await self._driver.execute(known.text, *known.values(values))
        return int(status.rpartition(" ")[2])  # "UPDATE 1"

    async def hold(self, *keys: int) -> None:
        # In one order for all, so that no two wait for each other.
        await self.all(_hold, keys=sorted(keys))

    async def transaction(self, work: Work[T], *, durable: bool = True) -> T:
        """Do a piece of work between BEGIN and COMMIT."""
        with _translated():
            await self._driver.execute("BEGIN" if durable else _BEGIN_LOSSY)
        try:
            result = await work(self)
        except BaseException as error:
            await self._undo()
            if isinstance(error, _Lost):
                self._drop()
            raise
        with _translated():
            if self._driver.is_closed():  # so nobody was asked to keep anything
                raise _Lost("the connection was lost")
        try:
            with _translated():
                await self._driver.execute("COMMIT")
        except (_Again, Conflict):  # the server says that it kept nothing
            raise
        except DatabaseUnavailable as error:
            self._drop()
            raise OutcomeUnknown(str(error)) from error
        return result

    async def _undo(self) -> None:
        try:
            await asyncio.shield(self._driver.execute("ROLLBACK"))
        except _LOST:  # then the server has undone it, or will
            self._drop()

    def _drop(self) -> None:
        with suppress(asyncpg.InterfaceError):  # it is lost, and the pool has noticed already
            self._driver.terminate()

    async def insert(self, table: Table, **values: object) -> int:
        column = table.autoincrement_column
        statement = insert(table) if column is None else insert(table).returning(column)
        known = _prepared((table.name, tuple(values)), statement, values)
        with _translated():
            row = await self._driver.fetchrow(known.text, *known.values(values))
        return int(row[0]) if row else 0


class PostgresqlDatabase:
    """A PostgreSQL database. It connects when it is first asked, and again when it has to."""

    kind = "PostgreSQL"

    def __init__(self, url: str, *, connections: int = 10) -> None:
        """Name the database; its tables must be up to date.

        :param connections: How many connections this process opens at most.
        """
        self._url = url
        self._most = connections
        self._pool: asyncpg.Pool[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # To give a connection back to asyncpg's pool takes a task, and to have it from there about
        # as long; where nobody waits for one, it is kept here for whoever comes next.
        self._at_hand: list[_Connection] = []
        self._wanting = 0

    async def one(self, statement: Executable, **values: object) -> Row | None:
        """Give the first row, or None."""
        for left in reversed(range(_ATTEMPTS)):
            connection = await self._take()
            try:
                row = await connection.one(statement, **values)
            except BaseException as error:
                await connection.give_back()
                if not left or not isinstance(error, (_Lost, _Again)):
                    raise
            else:
                await self._keep_or_give_back(connection)
                return row
        raise AssertionError

    async def all(self, statement: Executable, **values: object) -> Sequence[Row]:
        """Give all rows."""
        for _ in range(_ATTEMPTS - 1):
            with suppress(_Lost, _Again):
                async with self._connection() as connection:
                    return await connection.all(statement, **values)
        async with self._connection() as connection:
            return await connection.all(statement, **values)

    async def transaction(self, work: Work[T], *, durable: bool = True) -> T:
        """Do a piece of work in one transaction.

        It is done again where others were in the way or the connection was lost before the commit.
        A unique value that is taken is looked at twice: two servers may have found a row missing
        and both have made it, and then the second finds it.

        :raises OutcomeUnknown: The connection was lost during the commit.
        """
        again: StoreError | None = None
        for attempt in range(_ATTEMPTS):
            if attempt:
                # At different times, or the same would be in each other's way again.
                await asyncio.sleep(random.uniform(0, 0.005 * 2**attempt))  # noqa: S311
            try:
                async with self._connection() as connection:
                    return await connection.transaction(work, durable=durable)
            except Conflict as error:
                if isinstance(again, Conflict):
                    raise
                again = error
            except (_Lost, _Again) as error:
                again = error
        assert again is not None  # noqa: S101 - for the type checker
        raise again

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator["_Connection"]:
        connection = await self._take()
        try:
            yield connection
        except BaseException:  # a cancelled one may still be busy, which the pool waits for
            await connection.give_back()
            raise
        await self._keep_or_give_back(connection)

    async def _take(self) -> "_Connection":
        if self._loop is asyncio.get_running_loop():
            while self._at_hand:
                connection = self._at_hand.pop()
                if self._is_old(connection):
                    connection.terminate()
                if not connection.is_closed:
                    return connection
                await connection.give_back()
        pool = await self._pool_of_this_loop()
        self._wanting += 1
        try:
            with _translated():
                driver = await pool.acquire(timeout=_ANSWER_SECONDS)
        except TimeoutError as error:
            raise DatabaseUnavailable(
                f"none of {self._most} connections was free for {_ANSWER_SECONDS:.0f} s"
            ) from error
        finally:
            self._wanting -= 1
        return _Connection(driver, pool)

    async def _keep_or_give_back(self, connection: "_Connection") -> None:
        """Keep a connection at hand, where nobody waits for one; and one less that none needs."""
        if self._wanting or self._loop is None or self._pool is None or connection.is_closed:
            await connection.give_back()
            return
        connection.kept = self._loop.time()
        self._at_hand.append(connection)
        if self._is_old(self._at_hand[0]):
            await self._at_hand.pop(0).give_back()

    def _is_old(self, connection: "_Connection") -> bool:
        return self._loop is not None and self._loop.time() - connection.kept > _AT_HAND_SECONDS

    async def _pool_of_this_loop(self) -> "asyncpg.Pool[Any]":
        loop = asyncio.get_running_loop()
        if self._pool is None or self._loop is not loop:
            # Connections belong to the loop they were made on.
            self._loop = loop
            self._at_hand.clear()
            self._pool = asyncpg.create_pool(
                self._url,
                min_size=0,
                max_size=self._most,
                timeout=_ANSWER_SECONDS,
                command_timeout=_ANSWER_SECONDS,
                connection_class=_Driver,
                server_settings=_SESSION,
            )
            await self._pool
        return self._pool

    async def check_writable(self) -> None:
        """Check that a change could be kept now.

        A server may answer and take none: a standby, one set to read only, one whose disk is full.
        A sort that does not fit into memory writes a file beside the tables, which is gone at once;
        and a commit with a message that nobody reads must get as far as the disk of the log.
        """

        async def work(connection: _Connection) -> None:
            await connection.one(_LITTLE_MEMORY)
            row = await connection.one(_WHAT_KIND)
            if row is None or row[0]:
                raise DatabaseUnavailable("the PostgreSQL server is a standby")
            if row[1] != "off":
                raise DatabaseUnavailable("transactions on PostgreSQL are read only")
            await connection.one(_LARGE_SORT)
            await connection.one(_MESSAGE)

        await self.transaction(cast("Work[None]", work))

    def connections(self) -> dict[str, int]:
        """Count the connections of this process by state."""
        if self._pool is None:
            return {"idle": 0, "busy": 0}
        at_hand = sum(not connection.is_closed for connection in self._at_hand)
        idle = self._pool.get_idle_size() + at_hand
        return {"idle": idle, "busy": self._pool.get_size() - idle}

    async def close(self) -> None:
        """Close all connections, after the work under way."""
        if self._pool is None or self._loop is not asyncio.get_running_loop():
            return
        while self._at_hand:
            await self._at_hand.pop().give_back()
        pool, self._pool = self._pool, None
        try:
            await asyncio.wait_for(pool.close(), _CLOSE_SECONDS)
        except TimeoutError:
            pool.terminate()
