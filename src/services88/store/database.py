"""What the rest of the program sees of a database."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

from sqlalchemy import Table
from sqlalchemy.sql.base import Executable

__all__ = ["Connection", "Database", "Reader", "Row", "Work"]

T = TypeVar("T")
Row: TypeAlias = tuple[Any, ...]


class Reader(Protocol):
    """Runs statements that read. Values are given by the names of the bound parameters."""

    async def one(self, statement: Executable, **values: object) -> Row | None:
        """Give the first row, or None.

        :raises DatabaseUnavailable: The database does not answer.
        """

    async def all(self, statement: Executable, **values: object) -> Sequence[Row]:
        """Give all rows.

        :raises DatabaseUnavailable: The database does not answer.
        """


class Connection(Reader, Protocol):
    """A transaction under way."""

    async def execute(self, statement: Executable, **values: object) -> int:
        """Run a statement that changes rows, and give their number.

        :raises Conflict: A unique value is taken.
        """

    async def insert(self, table: Table, **values: object) -> int:
        """Insert a row and give its key.

        :raises Conflict: A unique value is taken.
        """

    async def hold(self, *keys: int) -> None:
        """Keep other transactions that hold one of these keys waiting until this one ends.

        For what no row stands for yet. Call it once in a transaction, before anything is locked.

        :param keys: Numbers of 63 bits at most, best made from a hash.
        """


Work: TypeAlias = Callable[[Connection], Awaitable[T]]


class Database(Reader, Protocol):
    """A database, open and with its tables up to date."""

    kind: str
    """The product's name, for people."""

    async def transaction(self, work: Work[T], *, durable: bool = True) -> T:
        """Do a piece of work in one transaction: all of it is kept, or none.

        ``work`` awaits nothing but the connection it is given, so that one way of writing it
        serves a synchronous and an asynchronous driver. What it raises undoes the transaction
        and is raised here. It may be done more than once, on a fresh transaction each time: where
        two servers found a row missing and both made it, the second then finds it.

        :param durable: Whether it must survive a crash of the machine. Where it need not, nobody
            waits for the disk; all see it at once all the same.
        :raises Conflict: A unique value is taken, the second time too.
        :raises OutcomeUnknown: The database went away during the commit.
        :raises DatabaseUnavailable: The database does not answer; nothing was kept.
        """

    async def check_writable(self) -> None:
        """Check that a change could be kept now: what it takes is tried, and nothing is changed.

        :raises DatabaseUnavailable: It could not. The message says why, to operators only.
        """

    def connections(self) -> dict[str, int]:
        """Count the connections of this process by state (``idle``, ``busy``), for metrics."""

    async def close(self) -> None:
        """Close all connections, after the work under way."""
