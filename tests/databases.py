"""Databases for tests, of either kind: made in milliseconds from one that was migrated once.

A test names none. It takes the fixture ``database`` (a URL), or one that is made on it, and is then
run with SQLite and with PostgreSQL; see ``tests/conftest.py``.
"""

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from services88.store import migrate, postgresql, sqlite
from services88.store.sqlite import sqlite_path
from tests.postgresql import PostgresqlServer, apart, connected

__all__ = [
    "Databases",
    "content",
    "kind_of",
    "on",
    "postgresql_databases",
    "sql",
    "sqlite_databases",
    "upgrade_to",
]


class Databases(Protocol):
    """Makes databases, each of which is gone when the test is."""

    def new(self) -> str:
        """Make a database with its tables up to date, and give its URL."""

    def empty(self) -> str:
        """Give the URL of a database without tables; a file is not even there."""


class _SqliteDatabases:
    def __init__(self, template: Path, folder: Path) -> None:
        self._template, self._folder = template, folder
        self._numbers = count(1)

    def new(self) -> str:
        url = self.empty()
        shutil.copyfile(self._template, sqlite_path(url))
        sqlite_path(url).chmod(0o600)
        return url

    def empty(self) -> str:
        return f"sqlite:///{self._folder / f'test-{next(self._numbers)}.sqlite3'}"


class _PostgresqlDatabases:
    def __init__(self, server: PostgresqlServer, template: str) -> None:
        self._server, self._template = server, template
        self._made: list[str] = []

    def new(self) -> str:
        return self._noted(self._server.new_database(self._template))

    def empty(self) -> str:
        return self._noted(self._server.new_database())

    def _noted(self, url: str) -> str:
        self._made.append(url)
        return url

    def drop(self) -> None:
        for url in self._made:
            self._server.drop_database(url)


@contextmanager
def sqlite_databases(template: Path, folder: Path) -> Iterator[Databases]:
    """Make SQLite files in a folder.

    :param template: A file that is migrated when it is first asked for.
    """
    if not template.exists():
        migrate.upgrade(f"sqlite:///{template}")  # and the last connection leaves one whole file
    yield _SqliteDatabases(template, folder)


@contextmanager
def postgresql_databases(server: PostgresqlServer, template: str) -> Iterator[Databases]:
    """Make databases of a server.

    :param template: The URL of one that is migrated.
    """
    databases = _PostgresqlDatabases(server, template)
    try:
        yield databases
    finally:
        databases.drop()


def kind_of(url: str) -> str:
    """Say of which kind a database is: ``sqlite`` or ``postgresql``."""
    return url.partition(":")[0]


def content(url: str) -> bytes:
    """Give all that is written in the files of a database, also what is deleted already."""
    if kind_of(url) == "postgresql":
        sql(url, "CHECKPOINT")
        files = sql(
            url,
            "SELECT pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class "
            "WHERE relnamespace = 'public'::regnamespace",
        )
        return b"".join(file for (file,) in files)
    # Read in another process: closing the files in this one would drop SQLite's locks.
    program = "import sys; [sys.stdout.buffer.write(open(f, 'rb').read()) for f in sys.argv[1:]]"
    path = sqlite_path(url)
    names = [str(found) for found in path.parent.glob(f"{path.name}*")]
    reading = [sys.executable, "-c", program, *names]
    return subprocess.run(reading, check=True, capture_output=True).stdout


def upgrade_to(revision: str, url: str) -> None:
    """Give an empty database the tables it had at an older revision."""

    def work(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    on(url, work)


def on(url: str, work: Callable[[Connection], None]) -> None:
    """Do something on a connection of SQLAlchemy's, in one transaction."""
    (sqlite if kind_of(url) == "sqlite" else postgresql).alone(url, work)


def sql(url: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Do something to a database behind the server's back, and give the rows.

    :param statement: SQL that both kinds understand, with ``?`` where a value stands.
    """
    if kind_of(url) == "sqlite":
        with closing(sqlite3.connect(sqlite_path(url))) as driver:
            rows = driver.execute(statement, values).fetchall()
            driver.commit()
            return rows
    numbers = count(1)
    numbered = re.sub(r"\?", lambda _: f"${next(numbers)}", statement)

    async def work() -> list[tuple[Any, ...]]:
        async with connected(url) as driver:
            return [tuple(row) for row in await driver.fetch(numbered, *values)]

    return apart(work())
