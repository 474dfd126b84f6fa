"""Backing up and restoring a SQLite file. For PostgreSQL its own tools do this better."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import mkstemp

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from services88.store import migrate
from services88.store.errors import UnusableDatabase
from services88.store.sqlite import sqlite_path

__all__ = ["backup", "restore"]


def backup(url: str, target: Path, *, force: bool = False) -> None:
    """Copy a database, as it is at one moment, to a file; servers may go on meanwhile.

    :param force: Whether a file that is there is replaced.
    :raises UnusableDatabase: The database cannot be read, or the file not be written.
    """
    source = _path(url)
    if not source.is_file():
        raise UnusableDatabase(f"There is no database file {source}. Name one with --database.")
    if target.exists() and not force:
        raise UnusableDatabase(f"{target} is there already. Name another file, or add --force.")
    if target.exists() and target.samefile(source):
        raise UnusableDatabase(f"{target} is the database itself. Name another file.")
    with _told(target), _beside(target) as copy:
        _copy(source, copy)
        _check(copy, target)
        _replace(copy, target)


def restore(url: str, source: Path, check: Callable[[Path], None], *, force: bool = False) -> None:
    """Put a backup in the place of a database that no server has open.

    :param check: Called with a copy of the backup, to raise what is wrong with its content. It may
        bring its tables up to date.
    :param force: Whether a database that is there is replaced. A server's never is.
    :raises UnusableDatabase: The backup is none, or the database may not be replaced.
    """
    target = _path(url)
    if not source.is_file():
        raise UnusableDatabase(f"There is no file {source}.")
    there = target.is_file() and target.stat().st_size > 0
    if there and target.samefile(source):
        raise UnusableDatabase(f"{source} is the database itself. Name its backup.")
    if there and not force:
        raise UnusableDatabase(
            f"The database {target} is not empty. Add --force to replace it; all that is in it "
            "and not in the backup is lost."
        )
    with _told(source), _beside(target) as copy:
        _copy(source, copy)
        _check(copy, source)
        check(copy)
        _settle(copy)
        with _alone(target):
            _replace(copy, target)


def _path(url: str) -> Path:
    try:
        kind = make_url(url).get_backend_name()
    except (ArgumentError, ValueError):
        kind = ""
    if kind != "sqlite":
        raise UnusableDatabase(
            "This copies SQLite files (sqlite:///FILE) only. Back up PostgreSQL with pg_dump, and "
            "restore with pg_restore."
        )
    return sqlite_path(url)


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """Turn errors of files into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise UnusableDatabase(f"{file}: {error}. Nothing was changed.") from error
    except OSError as error:
        raise UnusableDatabase(
            f"{error.filename or file}: {error.strerror}. Nothing was changed."
        ) from error


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Make an empty file, its owner's only, in the folder of another; it is gone afterwards."""
    descriptor, name = mkstemp(prefix=f".{target.name}.", dir=target.parent)  # mode 0600
    os.close(descriptor)
    copy = Path(name)
    try:
        yield copy
    finally:
        copy.unlink(missing_ok=True)
        _remove_logs(copy)


def _copy(source: Path, copy: Path) -> None:
    # In one step, which is one read transaction: page by page, a busy writer would make it start
    # over again and again. In WAL mode writers do not wait for it.
    uri = f"{source.resolve().as_uri()}?mode=rw"
    with (
        closing(sqlite3.connect(uri, uri=True, timeout=5)) as reading,
        closing(sqlite3.connect(copy)) as writing,
    ):
        reading.backup(writing)
    _settle(copy)


def _settle(copy: Path) -> None:
    """Leave one file, without a write-ahead log beside it."""
    with closing(sqlite3.connect(copy)) as driver:
        driver.execute("PRAGMA journal_mode=DELETE")


def _check(copy: Path, named: Path) -> None:
    with closing(sqlite3.connect(copy)) as driver:
        (found,) = driver.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise UnusableDatabase(f"{named} is damaged: {found}. Nothing was changed.")
    revision = migrate.current(f"sqlite:///{copy}")
    _settle(copy)
    if revision is None or revision > migrate.head():
        raise UnusableDatabase(
            f"{named} holds no tables that this version of services88 knows (revision "
            f"{revision or 'none'}, newest known {migrate.head()}). Nothing was changed."
        )


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Hold a database that nobody else has open, so that nobody begins to use it."""
    if not target.exists():
        yield
        return
    with closing(sqlite3.connect(target, isolation_level=None, timeout=0)) as driver:
        try:
            # Leaving WAL needs the file for oneself: it fails while any other has it open.
            driver.execute("PRAGMA journal_mode=DELETE")
            driver.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise UnusableDatabase(
                f"A server has {target} open. Stop it first. Nothing was changed."
            ) from error
        except sqlite3.DatabaseError:
            pass  # damaged, so that no server can have it open: what one restores for
        yield


def _remove_logs(database: Path) -> None:
    for suffix in ("-wal", "-shm", "-journal"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def _replace(copy: Path, target: Path) -> None:
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    # What a killed server left beside a file that is damaged or gone: SQLite would write it into
    # whatever stands there next.
    _remove_logs(target)
    copy.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
