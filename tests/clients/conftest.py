"""Real SOAP clients, unmodified, against the real command."""

from collections.abc import Iterator

import pytest

from interop.client import Addresses, WsdlAddress
from tests.process import ServerProcess, serve
from tests.reference import needs_reference, wsdl_path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all clients; each test adds a user of its own."""
    with serve(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(params=["ours", pytest.param("vendor", marks=needs_reference)])
def addresses(request: pytest.FixtureRequest, server: ServerProcess) -> Addresses:
    """Begin from the WSDL that the server hands out, and from the vendor's."""
    agents = ("SoPrincipal", "User")
    if request.param == "ours":
        return {agent: WsdlAddress(f"{server.service(agent)}?wsdl", None) for agent in agents}
    return {agent: WsdlAddress(str(wsdl_path(agent)), server.service(agent)) for agent in agents}
