"""Bringing the tables up to date. Alembic is imported only when there is something to do."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from services88.store.database import Database
from services88.store.errors import UnusableDatabase

__all__ = ["current", "exposed_files", "head", "open_database", "upgrade"]

_MIGRATIONS = Path(__file__).parent / "migrations"


def head() -> str:
    """Give the newest revision that this version has: the number its newest file begins with."""
    return max(file.name.partition("_")[0] for file in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def _executor(url: str) -> ModuleType:
    """Give the module for the kind of database that a URL names; only that one is imported."""
    try:
        scheme = make_url(url).drivername
    except (ArgumentError, ValueError):
        scheme = ""
    if scheme == "sqlite":
        from services88.store import sqlite

        return sqlite
    if scheme in ("postgresql", "postgres"):
        from services88.store import postgresql

        return postgresql
    raise UnusableDatabase(
        "The database URL names no database of a kind this version knows. "
        "Write sqlite:///FILE (three slashes and a path; four for an absolute one) or "
        "postgresql://USER@HOST/DATABASE."
    )


def current(url: str) -> str | None:
    """Give the revision of a database, or None where it has no tables of ours yet.

    :raises UnusableDatabase: The URL or the database is none we can use.
    :raises DatabaseUnavailable: The database does not answer.
    """
    found: str | None = _executor(url).revision(url)
    return found


def exposed_files(url: str) -> list[Path]:
    """Return the files of a SQLite database that everybody can read or write; of others none."""
    executor = _executor(url)
    if executor.__name__ != "services88.store.sqlite":
        return []
    found: list[Path] = executor.exposed_files(executor.sqlite_path(url))
    return found


def upgrade(url: str) -> None:
    """Bring the tables up to date, in one transaction. Two at once: the second finds it done.

    :raises UnusableDatabase: The URL or the database is none we can use, or a newer version of
        services88 made its tables.
    :raises DatabaseUnavailable: The database does not answer.
    """
    revision = current(url)
    if revision is not None and revision > head():
        raise UnusableDatabase(
            f"The database is at revision {revision}, this version of services88 knows up to "
            f"{head()}. Install the newer version that made it."
        )
    if revision == head():
        return
    alone: Callable[[str, Callable[[Connection], None]], None] = _executor(url).alone
    try:
        alone(url, _to_head)
    except DBAPIError as error:
        raise UnusableDatabase(
            f"The tables of the database cannot be brought up to date: {error.orig}. "
            "Nothing was changed. Try again, or name another database."
        ) from error


def _to_head(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def open_database(url: str, *, connections: int = 10, is_upgraded: bool = False) -> Database:
    """Open a database, creating it and bringing its tables up to date where needed.

    :param url: ``sqlite:///FILE`` or ``postgresql://USER@HOST/DATABASE``.
    :param connections: How many connections to PostgreSQL this process opens at most.
    :param is_upgraded: Whether its tables were just seen to be up to date. Then PostgreSQL need not
        answer now.
    :raises UnusableDatabase: The URL or the database is none we can use.
    :raises DatabaseUnavailable: The database does not answer.
    """
    if not is_upgraded:
        upgrade(url)
    database: Database = _executor(url).opened(url, connections)
    return database
