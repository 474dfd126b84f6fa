"""The databases that a server is killed on, behind one face."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Protocol

import asyncpg

from tests.postgresql import PostgresqlServer

__all__ = ["Postgresql", "Sqlite", "Tried"]


class Tried(Protocol):
    """A database under trial."""

    url: str

    def check(self) -> None:
        """Have the product check its files, where it can."""

    def watching(self) -> AbstractContextManager[Callable[[], object]]:
        """Give a look at the write-ahead log: another one where something was written between."""

    def is_migrating(self) -> bool:
        """Say whether somebody is making the tables now."""


class Sqlite:
    """A file."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "tried.sqlite3"
        self._log = folder / "tried.sqlite3-wal"
        self.url = f"sqlite:///{self._file}"

    def check(self) -> None:
        with closing(sqlite3.connect(self._file, timeout=30)) as driver:
            assert driver.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert driver.execute("PRAGMA foreign_key_check").fetchall() == []

    @contextmanager
    def watching(self) -> Iterator[Callable[[], object]]:
        def look() -> object:
            log = self._log.stat()
            return log.st_size, log.st_mtime_ns

        yield look

    def is_migrating(self) -> bool:
        if not self._log.exists():
            return False
        with closing(sqlite3.connect(self._file, timeout=0)) as driver:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            driver.execute("ROLLBACK")
            return False


class Postgresql:
    """A database of a real server."""

    def __init__(self, server: PostgresqlServer) -> None:
        self.server = server
        self.url = server.new_database()
        self._name = self.url.rpartition("/")[2]

    def check(self) -> None:
        """Nothing: it has no such check. What it holds is checked through services88."""

    @contextmanager
    def watching(self) -> Iterator[Callable[[], object]]:
        with asyncio.Runner() as runner:
            driver = runner.run(asyncpg.connect(self.url))

            async def look() -> object:
                return await driver.fetchval("SELECT pg_current_wal_insert_lsn()")

            try:
                yield lambda: runner.run(look())
            finally:
                runner.run(driver.close())

    def is_migrating(self) -> bool:
        async def work() -> bool:
            driver = await asyncpg.connect(self.server.url)
            try:
                return bool(
                    await driver.fetchval(
                        "SELECT count(*) FROM pg_locks JOIN pg_database ON database = oid"
                        " WHERE locktype = 'advisory' AND granted AND datname = $1",
                        self._name,
                    )
                )
            finally:
                await driver.close()

        return asyncio.run(work())
