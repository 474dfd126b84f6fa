"""Servers as processes of their own, and what they cost: CPU and memory, from /proc."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["cpu_seconds", "free_port", "post", "resident", "started", "tree", "wait_until_answers"]

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 60


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def started(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Run a server, with what it says in a file of the folder, and give its process id."""
    with (folder / "said.log").open("ab") as said:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def post(
    url: str, body: bytes, headers: Mapping[str, str], timeout: float = 10
) -> tuple[int, bytes]:
    """Post one message, and give status and answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request("POST", parts.path, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def wait_until_answers(
    url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> None:
    """Post until an answer comes, whatever it says.

    :raises TimeoutError: None comes.
    """
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            post(url, body, headers or {})
        except (OSError, http.client.HTTPException):
            time.sleep(0.005)
        else:
            return
    raise TimeoutError(f"{url} does not answer")


def tree(process: int) -> list[int]:
    """List a process and all that descend from it."""
    found = [process]
    for one in found:
        for task in _entries(Path(f"/proc/{one}/task")):
            with contextlib.suppress(OSError):
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # it ended meanwhile
        return []


def cpu_seconds(process: int) -> float:
    """Say how long a process and its descendants have computed, in user and in kernel mode."""
    ticks = 0
    for one in tree(process):
        with contextlib.suppress(OSError):
            # The name, in parentheses, may hold anything: count from behind it (proc(5)).
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def resident(process: int) -> int:
    """Say how many bytes of memory one process holds; what it shares with others is halved so."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"process {process} tells no memory")
