"""One PostgreSQL server for all trials of a run, and a seed that is shown where a test fails."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crashes.databases import Postgresql, Sqlite, Tried
from tests.postgresql import PostgresqlServer, postgresql


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresqlServer]:
    # A commit must survive the crash of the database, as it does by default.
    with postgresql(durable=True) as started:
        yield started


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def tried(request: pytest.FixtureRequest, tmp_path: Path) -> Tried:
    """An empty database of either kind."""
    if request.param == "SQLite":
        return Sqlite(tmp_path)
    return Postgresql(request.getfixturevalue("server"))


@pytest.fixture
def seed() -> int:
    chosen = random.SystemRandom().getrandbits(32)
    print(f"seed {chosen}")
    return chosen
