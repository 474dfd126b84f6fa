"""The stacks: what each needs on this machine, and how a client of it starts."""

import importlib.util
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from interop.client import Addresses, Client
from interop.compiled import gsoap_client, jaxws_client
from interop.node_client import node_client
from interop.php_client import php_client
from interop.suds_client import suds_client
from interop.zeep_client import zeep_client

__all__ = ["STACKS", "Stack"]

Start = Callable[[Addresses], AbstractContextManager[Client]]


@dataclass(frozen=True)
class Stack:
    """A SOAP client that others wrote.

    :ivar programs: What must be on the search path.
    :ivar module: What Python must be able to import.
    :ivar quick: Whether it takes part in `make test`.
    """

    start: Start
    programs: tuple[str, ...] = ()
    module: str | None = None
    quick: bool = False

    def missing(self) -> str | None:
        """Say what is not here; None where all is."""
        if self.module and importlib.util.find_spec(self.module) is None:
            return f"the Python package with {self.module} is not installed"
        absent = [one for one in self.programs if shutil.which(one) is None]
        if absent:
            return f"{', '.join(absent)} not installed (interop/install-debian installs it)"
        return None


STACKS: dict[str, Stack] = {
    "Python, zeep": Stack(zeep_client, module="zeep", quick=True),
    "Python, suds": Stack(suds_client, module="suds"),
    "Node, soap": Stack(lambda at: node_client("soap", at), quick=True),
    "Node, strong-soap": Stack(lambda at: node_client("strong-soap", at), quick=True),
    "PHP, ext/soap": Stack(php_client, ("php",)),
    "C++, gSOAP": Stack(gsoap_client, ("wsdl2h", "soapcpp2", "g++")),
    "Java, JAX-WS": Stack(jaxws_client, ("wsimport", "javac", "java")),
}
"""By the name that the README's table has."""
