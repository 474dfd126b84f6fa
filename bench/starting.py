"""How soon a server answers, and what memory it takes, beside WireMock."""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import servers
from bench.messages import HEADERS, can_change
from bench.processes import free_port, post, resident, started, tree, wait_until_answers
from bench.servers import Missing
from tests.programs import COMMAND, own_environment

__all__ = ["Start", "measure"]

_TIMES = 5
_CALLS = 2_000


@dataclass(frozen=True)
class Start:
    """Of one server.

    :ivar seconds: From starting the process to the first answer.
    :ivar megabytes: What it holds after some thousand calls; None where that was not measured.
    """

    name: str
    seconds: float | None
    megabytes: float | None
    missing: str = ""


def measure(tell: Callable[[str], None]) -> list[Start]:
    """Measure both."""
    found = [_sandbox(), *_workers(), _wiremock()]
    for one in found:
        tell(f"{one.name}: {one.missing or (one.seconds, one.megabytes)}")
    return found


def _sandbox() -> Start:
    def command(port: int, _: Path) -> list[str]:
        return [*COMMAND, "sandbox", "--port", str(port)]

    return _start("services88 sandbox", command, "/Remote/Services88/User.svc")


def _wiremock() -> Start:
    try:
        return _start("WireMock", servers.wiremock_command, "/User.svc")
    except Missing as missing:
        return Start("WireMock", None, None, str(missing))


def _start(name: str, command: Callable[[int, Path], list[str]], path: str) -> Start:
    body = can_change("7T:x", 1)
    taken: list[float] = []
    for _ in range(_TIMES):
        port = free_port()
        url = f"http://127.0.0.1:{port}{path}"
        with tempfile.TemporaryDirectory() as folder:
            words = command(port, Path(folder))
            begun = time.perf_counter()
            with started(words, Path(folder), own_environment()) as process:
                wait_until_answers(url, body, HEADERS)
                taken.append(time.perf_counter() - begun)
                for _ in range(_CALLS // _TIMES):
                    post(url, body, HEADERS)
                held = sum(resident(one) for one in tree(process))
    return Start(name, statistics.median(taken), held / 1e6)


def _workers() -> list[Start]:
    """What a worker of ``services88 serve`` holds."""
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        servers.add_user(database, "BENCH", Path(folder))
        try:
            with servers.services88(database, workers=2) as server:
                for _ in range(_CALLS):
                    post(server.cheap.url, server.cheap.body, server.cheap.headers)
                held = [resident(one) for one in tree(server.process)]
        except Missing as missing:
            return [Start("services88 serve, a worker", None, None, str(missing))]
    first, *workers = held
    return [
        Start("services88 serve, each of 2 workers", None, statistics.mean(workers) / 1e6),
        Start("services88 serve, their supervisor", None, first / 1e6),
    ]
