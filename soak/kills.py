"""Kills: the trials of ``tests/crashes``, many times."""

import tempfile
from collections import Counter
from pathlib import Path

from tests.crashes.databases import Postgresql, Sqlite
from tests.crashes.trial import Trial, trial
from tests.postgresql import postgresql

__all__ = ["postgresql_stopped", "servers_killed"]


def servers_killed(kind: str, kills: int, seed: int) -> Counter[str]:
    """Kill a server under load so many times, on a database of a kind, and check each time."""
    with tempfile.TemporaryDirectory(prefix="services88-soak-") as folder:
        if kind == "SQLite":
            with trial(Sqlite(Path(folder)), Path(folder), seed) as under:
                return _killed(under, kills)
        with (
            postgresql(durable=True) as server,
            trial(Postgresql(server), Path(folder), seed) as under,
        ):
            return _killed(under, kills)


def _killed(under: Trial, kills: int) -> Counter[str]:
    for number in range(kills):
        with under.server() as program:
            under.check()
            under.kill_under_load(program)
        if number % 10 == 9:
            print(f"  {number + 1} kills", flush=True)
    with under.server():
        under.check()
    under.check_mails()
    return under.figures()


def postgresql_stopped(stops: int, seed: int) -> Counter[str]:
    """Stop PostgreSQL at once so many times, under a server that goes on."""
    with (
        tempfile.TemporaryDirectory(prefix="services88-soak-") as folder,
        postgresql(durable=True) as server,
    ):
        tried = Postgresql(server)
        with trial(tried, Path(folder), seed) as under:
            with under.server():
                for _ in range(stops):
                    under.check()
                    under.stop_database_under_load(tried)
                under.check()
            under.check_mails()
            return under.figures()
