"""The WSDLs that a client can begin from: the one that the server hands out, and the vendor's."""

import pytest

from interop.client import Addresses, WsdlAddress
from tests.process import ServerProcess
from tests.reference import FOLDER, wsdl_path

__all__ = ["SOURCES", "begin_from"]

SOURCES = {"vendor": "from the vendor's WSDL", "ours": "from ours"}
_AGENTS = ("SoPrincipal", "User")


def begin_from(source: str, server: ServerProcess) -> Addresses:
    """Give the addresses; skips where the vendor's WSDL is not here."""
    if source == "ours":
        return {agent: WsdlAddress(f"{server.service(agent)}?wsdl", None) for agent in _AGENTS}
    if not (FOLDER / "reference").is_dir():
        pytest.skip("the vendor's WSDL is not here (set SERVICES88_REFERENCE to its folder)")
    return {agent: WsdlAddress(str(wsdl_path(agent)), server.service(agent)) for agent in _AGENTS}
