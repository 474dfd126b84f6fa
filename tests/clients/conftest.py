"""Real SOAP clients, unmodified, against the real command."""

from collections.abc import Iterator

import pytest

from interop.client import Addresses
from interop.sources import SOURCES, begin_from
from tests.process import ServerProcess, serve


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all clients; each test adds a user of its own."""
    with serve(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(params=list(SOURCES))
def addresses(request: pytest.FixtureRequest, server: ServerProcess) -> Addresses:
    """Begin from the vendor's WSDL, and from the one that the server hands out."""
    return begin_from(request.param, server)
