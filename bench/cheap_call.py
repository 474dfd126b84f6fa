"""The cheap call with a ticket, as fast as it goes, beside servers that check nothing."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import servers
from bench.load import Outcome, hammer
from bench.servers import Missing, Server
from tests.postgresql import postgresql

__all__ = ["BOUND", "Row", "measure"]

BOUND = "bare ASGI, lxml"
"""The name of the server that does nothing but parse and answer."""

_WARM_UP = 2


@dataclass(frozen=True)
class Row:
    """One server, and what came of it.

    :ivar does: What it does for the call.
    :ivar missing: Why it could not be measured.
    """

    name: str
    workers: int
    does: str
    outcome: Outcome | None = None
    missing: str = ""

    @property
    def ours(self) -> bool:
        """Whether it is this project's."""
        return self.name.startswith("services88")


@dataclass(frozen=True)
class _Candidate:
    name: str
    does: str
    start: Callable[[], AbstractContextManager[Server]]
    workers: int = 1
    warm_up: int = _WARM_UP
    database: int | None = None  # the process behind it


def measure(seconds: float, tell: Callable[[str], None]) -> Iterator[Row]:
    """Measure one server after the other; each runs alone."""
    with tempfile.TemporaryDirectory() as folder, postgresql(durable=True) as cluster:
        file, url = f"sqlite:///{Path(folder) / 'bench.sqlite3'}", cluster.new_database()
        for database in (file, url):
            servers.add_user(database, "BENCH", Path(folder))
        for one in _candidates(file, url, cluster.process):
            name = f"{one.name}, {one.workers} worker{'s' if one.workers > 1 else ''}"
            try:
                with one.start() as server:
                    server.check()
                    hammer(server.cheap, one.warm_up, server.process)
                    outcome = hammer(server.cheap, seconds, server.process, one.database)
            except (Missing, RuntimeError, TimeoutError) as error:
                tell(f"{name}: {error}")
                yield Row(one.name, one.workers, one.does, missing=str(error))
                continue
            tell(
                f"{name}: {outcome.calls_per_second:,.0f}/s, {outcome.cpu:.0f} us of CPU, "
                f"p50 {outcome.p50:.2f} ms, p99 {outcome.p99:.2f} ms"
            )
            yield Row(one.name, one.workers, one.does, outcome)


def _candidates(file: str, url: str, database: int) -> list[_Candidate]:
    echo, real = "parses, answers", "checks ticket and user"

    def sqlite(workers: int) -> _Candidate:
        start = partial(servers.services88, file, workers=workers)
        return _Candidate("services88, SQLite", real, start, workers)

    def on_postgresql(workers: int) -> _Candidate:
        start = partial(servers.services88, url, workers=workers)
        return _Candidate("services88, PostgreSQL", real, start, workers, database=database)

    return [
        _Candidate(BOUND, echo, servers.bare),
        sqlite(1),
        on_postgresql(1),
        _Candidate("npm soap", echo, servers.npm_soap),
        _Candidate("spyne, gunicorn", echo, servers.spyne),
        # A virtual machine compiles what it finds to run often.
        _Candidate("WireMock", "a fixed answer", servers.wiremock, warm_up=8),
        _Candidate(BOUND, echo, partial(servers.bare, workers=2), 2),
        sqlite(2),
        on_postgresql(2),
    ]
