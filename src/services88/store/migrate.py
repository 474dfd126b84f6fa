"""Bringing the tables up to date. Alembic is imported only when there is something to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from services88.store.database import Database
from services88.store.errors import UnusableDatabase
from services88.store.sqlite import SqliteDatabase, connect, sqlite_path

__all__ = ["current", "head", "open_database", "upgrade"]

_MIGRATIONS = Path(__file__).parent / "migrations"


def head() -> str:
    """Give the newest revision that this version has: the number its newest file begins with."""
    return max(file.name.partition("_")[0] for file in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def current(url: str) -> str | None:
    """Give the revision of a database, or None where it has no tables of ours yet.

    :raises UnusableDatabase: The URL or the file is none we can use.
    """
    path = sqlite_path(url)
    if path.parent.is_dir() and not path.exists():
        return None
    driver = connect(path)
    try:
        return _revision(driver)
    except sqlite3.Error as error:
        raise UnusableDatabase(
            f"The revision of the database cannot be read: {error}. "
            "Restore a backup, or name another database."
        ) from error
    finally:
        driver.close()


def _revision(driver: sqlite3.Connection) -> str | None:
    found = driver.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    ).fetchone()
    if not found[0]:
        return None
    row = driver.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def upgrade(url: str) -> None:
    """Bring the tables up to date, in one transaction. Two at once: the second finds it done.

    :raises UnusableDatabase: The URL or the database is none we can use, or a newer version of
        services88 made its tables.
    """
    revision = current(url)
    if revision is not None and revision > head():
        raise UnusableDatabase(
            f"The database is at revision {revision}, this version of services88 knows up to "
            f"{head()}. Install the newer version that made it."
        )
    if revision == head():
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    try:
        with _exclusive_connection(url) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise UnusableDatabase(
            f"The tables of the database cannot be brought up to date: {error.orig}. "
            "Nothing was changed. Try again, or name another database."
        ) from error


@contextmanager
def _exclusive_connection(url: str) -> Iterator[object]:
    from sqlalchemy import create_engine, event

    engine = create_engine("sqlite://", creator=lambda: connect(sqlite_path(url)))

    @event.listens_for(engine, "begin")
    def _lock(connection: object) -> None:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")  # type: ignore[attr-defined]

    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def open_database(url: str) -> Database:
    """Open a database, creating it and bringing its tables up to date where needed.

    :param url: ``sqlite:///FILE``.
    :raises UnusableDatabase: The URL or the database is none we can use.
    """
    upgrade(url)
    return SqliteDatabase(sqlite_path(url))
