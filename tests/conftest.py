"""Fixtures shared by all tests."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from services88.store import migrate
from tests.burst import Servers, several_servers
from tests.databases import Databases, postgresql_databases, sqlite_databases
from tests.postgresql import PostgresqlServer, postgresql
from tests.running import RunningServer, Starter, running

# How long an example takes says more of the machine than of the code.
# And no example is made smaller: where each is a database, that takes minutes.
_PHASES = (hypothesis.Phase.explicit, hypothesis.Phase.reuse, hypothesis.Phase.generate)
hypothesis.settings.register_profile("services88", deadline=None, phases=_PHASES)
hypothesis.settings.load_profile("services88")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that needs a database on both kinds, unless it says why it needs only one."""
    if "database_kind" in metafunc.fixturenames and not _one_database(metafunc.definition):
        both = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
        metafunc.parametrize("database_kind", both, indirect=True, scope="module")


def _one_database(test: pytest.Function) -> bool:
    marker = test.get_closest_marker("one_database")
    assert marker is None or marker.args, f"{test.nodeid}: one_database needs a reason"
    return marker is not None


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """One PostgreSQL for all tests of this process."""
    with postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: PostgresqlServer) -> str:
    """A database of that server with its tables up to date."""
    url = postgresql_server.new_database()
    migrate.upgrade(url)
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("template") / "template.sqlite3"


@pytest.fixture(scope="module")
def database_kind(request: pytest.FixtureRequest) -> str:
    """The kind of database that this run of the test is on."""
    return str(getattr(request, "param", "sqlite"))


Making = Callable[[], AbstractContextManager[Databases]]


@pytest.fixture(scope="module")
def making(
    request: pytest.FixtureRequest, database_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Making:
    def of_kind() -> AbstractContextManager[Databases]:
        if database_kind == "postgresql":
            template = request.getfixturevalue("postgresql_template")
            return postgresql_databases(request.getfixturevalue("postgresql_server"), template)
        folder = tmp_path_factory.mktemp("databases")
        return sqlite_databases(request.getfixturevalue("sqlite_template"), folder)

    return of_kind


@pytest.fixture
def databases(making: Making) -> Iterator[Databases]:
    """Make databases that are gone after the test."""
    with making() as made:
        yield made


@pytest.fixture(scope="module")
def shared_databases(making: Making) -> Iterator[Databases]:
    """Make databases that are gone after the tests of a module."""
    with making() as made:
        yield made


@pytest.fixture
def database(databases: Databases) -> str:
    """The URL of a database with nothing in it but the tables."""
    return databases.new()


@pytest.fixture
def start(databases: Databases) -> Iterator[Starter]:
    """Start servers with settings of the test's own, each on a database of its own."""
    with ExitStack() as stack:

        def begin(database: str | None = None, **settings: Any) -> RunningServer:
            return stack.enter_context(running(database or databases.new(), **settings))

        yield begin


@pytest.fixture(scope="module")
def shared_server(shared_databases: Databases) -> Iterator[RunningServer]:
    """One server for all tests of a module; each test adds users of its own."""
    with running(shared_databases.new()) as server:
        yield server


@pytest.fixture
def servers(database: str, tmp_path: Path) -> Iterator[Servers]:
    """Several processes on one database, to be fired at; see ``tests/burst.py``."""
    with several_servers(database, tmp_path) as several:
        yield several


@pytest.fixture(autouse=True)
def _short_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tests that are not about password rules use short passwords."""
    monkeypatch.setenv("SERVICES88_PASSWORD_POLICY", "vendor")
