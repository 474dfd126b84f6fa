"""Stacks that generate code from the WSDL and compile it: gSOAP and JAX-WS."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from interop.client import Addresses, Client, WsdlAddress
from interop.lines import line_client

__all__ = ["gsoap_client", "jaxws_client"]

_HERE = Path(__file__).parent
_built: list[TemporaryDirectory[str]] = []  # removed when the process ends


def _folder(name: str) -> Path:
    folder = TemporaryDirectory(prefix=f"interop-{name}-")
    _built.append(folder)
    return Path(folder.name)


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, " ".join(command[:2]) + "\n" + (done.stdout + done.stderr)[-4000:]


def _wsdls(addresses: Addresses) -> tuple[str, str]:
    return addresses["User"].wsdl, addresses["SoPrincipal"].wsdl


@cache
def _gsoap(user: str, so_principal: str) -> Path:
    folder = _folder("gsoap")
    share = Path("/usr/share/gsoap")
    typemap = str(share / "WS" / "typemap.dat")
    _run(folder, "wsdl2h", "-P", "-t", typemap, "-o", "services.h", user, so_principal)
    _run(folder, "soapcpp2", "-j", "-C", "-x", f"-I{share / 'import'}", "services.h")
    sources = (str(_HERE / "gsoap" / "client.cpp"), *(str(one) for one in folder.glob("*.cpp")))
    _run(folder, "g++", "-O0", "-w", "-I.", *sources, "-lgsoap++", "-o", "client")
    return folder


@contextmanager
def gsoap_client(addresses: Addresses) -> Iterator[Client]:
    """Generate with wsdl2h and soapcpp2, compile with g++, start."""
    if not Path("/usr/include/nlohmann/json.hpp").exists():
        pytest.skip("nlohmann-json3-dev is not installed (interop/install-debian installs it)")
    folder = _gsoap(*_wsdls(addresses))
    # Both services have one binding name, so it makes one proxy of them, with one default address.
    addresses = {
        agent: WsdlAddress(one.wsdl, one.endpoint or one.wsdl.removesuffix("?wsdl"))
        for agent, one in addresses.items()
    }
    with line_client([str(folder / "client")], addresses, folder) as client:
        yield client


_JARS = (
    *("jaxws-rt", "jaxws-api", "jaxb-api", "jaxb-core", "jaxb-impl", "gson", "saaj-impl"),
    *("stax-ex", "streambuffer", "mimepull", "metro-policy", "javax.activation", "gmbal"),
    *("jws-api", "FastInfoset", "javax.annotation-api", "geronimo-annotation-1.3-spec"),
)
_CLASSPATH = os.pathsep.join(f"/usr/share/java/{name}.jar" for name in _JARS)


@cache
def _jaxws(user: str, so_principal: str) -> Path:
    folder = _folder("jaxws")
    binding = str(_HERE / "jaxws" / "bindings.xml")
    for package, wsdl in (("client.user", user), ("client.principal", so_principal)):
        _run(folder, "wsimport", "-Xnocompile", "-quiet", "-b", binding, "-p", package, wsdl)
    sources = [str(one) for one in folder.rglob("*.java")]
    driver = str(_HERE / "jaxws" / "Driver.java")
    _run(folder, "javac", "-nowarn", "-cp", _CLASSPATH, "-d", "classes", driver, *sources)
    return folder


@contextmanager
def jaxws_client(addresses: Addresses) -> Iterator[Client]:
    """Generate with wsimport, compile with javac, start."""
    if not Path("/usr/share/java/gson.jar").exists():
        pytest.skip("libgoogle-gson-java is not installed (interop/install-debian installs it)")
    folder = _jaxws(*_wsdls(addresses))
    command = ["java", "-cp", f"classes{os.pathsep}{_CLASSPATH}", "Driver"]
    with line_client(command, addresses, folder) as client:
        yield client
