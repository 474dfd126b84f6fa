"""A database, open."""

from collections.abc import Iterator

import pytest

from services88.store.database import Database
from services88.store.migrate import open_database
from tests.loop import run


@pytest.fixture
def opened(database: str) -> Iterator[Database]:
    found = open_database(database)
    yield found
    run(found.close())
