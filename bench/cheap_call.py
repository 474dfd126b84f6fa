"""The cheap call with a ticket, as fast as it goes, beside servers that check nothing."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import servers
from bench.load import Outcome, hammer
from bench.servers import Missing, Server
from tests.postgresql import postgresql

__all__ = ["Row", "measure"]

_WARM_UP = 2.0


@dataclass(frozen=True)
class Row:
    """One server, and what came of it.

    :ivar does: What it does for the call.
    :ivar missing: Why it could not be measured.
    """

    name: str
    does: str
    outcome: Outcome | None = None
    missing: str = ""


@dataclass(frozen=True)
class _Candidate:
    name: str
    does: str
    start: Callable[[], AbstractContextManager[Server]]
    warm_up: float = _WARM_UP


def measure(seconds: float, tell: Callable[[str], None]) -> Iterator[Row]:
    """Measure one server after the other; each runs alone."""
    with tempfile.TemporaryDirectory() as folder, _database_server() as cluster:
        file = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        servers.add_user(file, "BENCH", Path(folder))
        real = "ticket and database"
        candidates = [
            _Candidate("bare ASGI and lxml: the bound", "parses, answers", servers.bare),
            _Candidate("services88, SQLite", real, lambda: servers.services88(file)),
        ]
        if cluster is not None:
            url, process = cluster
            servers.add_user(url, "BENCH", Path(folder))
            candidates.append(
                _Candidate("services88, PostgreSQL", real, lambda: servers.services88(url))
            )
        candidates += [
            _Candidate("npm soap", "echo", servers.npm_soap),
            _Candidate("spyne", "echo", servers.spyne),
            # A virtual machine compiles what it finds to run often.
            _Candidate("WireMock", "a fixed answer", servers.wiremock, warm_up=8),
            _Candidate(
                "bare ASGI and lxml, 2 workers", "parses, answers", lambda: servers.bare(workers=2)
            ),
            _Candidate(
                "services88, SQLite, 2 workers", real, lambda: servers.services88(file, workers=2)
            ),
        ]
        if cluster is not None:
            candidates.append(
                _Candidate(
                    "services88, PostgreSQL, 2 workers",
                    real,
                    lambda: servers.services88(url, workers=2),
                )
            )
        for one in candidates:
            behind = process if cluster is not None and "PostgreSQL" in one.name else None
            try:
                with one.start() as server:
                    server.check()
                    hammer(server.cheap, one.warm_up, server.process)
                    outcome = hammer(server.cheap, seconds, server.process, behind)
            except (Missing, RuntimeError) as error:
                tell(f"{one.name}: {error}")
                yield Row(one.name, one.does, missing=str(error))
                continue
            tell(
                f"{one.name}: {outcome.calls_per_second:,.0f}/s, {outcome.cpu:.0f} us of CPU, "
                f"p50 {outcome.p50:.2f} ms, p99 {outcome.p99:.2f} ms, other {outcome.other_cpu}"
            )
            yield Row(one.name, one.does, outcome)


@contextmanager
def _database_server() -> Iterator[tuple[str, int] | None]:
    with postgresql(durable=True) as server:
        yield server.new_database(), server.process
