"""Databases in a folder of the test's own."""

import asyncio
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from services88.store.migrate import upgrade
from services88.store.sqlite import SqliteDatabase

T = TypeVar("T")


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
    asyncio.run(opened.close())


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run something on a loop of its own."""
    return asyncio.run(work)
