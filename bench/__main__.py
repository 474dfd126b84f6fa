"""``make bench``: measures, and writes docs/performance.md."""

import argparse
import itertools
import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench import changes, cheap_call, growth, report, starting
from bench.load import wrk_version
from tests.postgresql import postgresql

_DOCS = Path(__file__).resolve().parents[1] / "docs"
_PAGE = _DOCS / "performance.md"
_CHART = _DOCS / "images" / "performance.svg"
_PARTS = ("cheap", "changes", "growth", "start")
_FULL = 1_000_000


def main() -> None:
    """Measure the parts that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*_PARTS, []], help="Default: all of them.")
    parser.add_argument("--seconds", type=int, default=10, help="Of each measurement.")
    parser.add_argument("--growth", type=int, default=100_000, help="Users of the large database.")
    parser.add_argument(
        "--databases", default="sqlite", help="For growth: sqlite, postgresql, or both by comma."
    )
    options = parser.parse_args()
    if wrk_version() is None:
        parser.exit(1, "wrk is not here. Install it: apt-get install wrk\n")
    parts = options.parts or _PARTS
    where = report.machine()
    _say(where)
    for part in parts:
        _say(f"--- {part}")
        match part:
            case "cheap":
                rows = list(cheap_call.measure(options.seconds, _say))
                _CHART.write_text(report.cheap_chart(rows))
                _write("cheap", f"{where}\n\n{report.cheap_section(rows)}")
            case "changes":
                done = changes.measure(options.seconds, _say)
                _write("changes", report.changes_section(done))
            case "growth":
                section = "growth" if options.growth < _FULL else "growth-full"
                found = [
                    (kind, _growth(kind, options.growth)) for kind in options.databases.split(",")
                ]
                _write(section, report.growth_section(found))
            case "start":
                _write("start", report.start_section(starting.measure(_say)))


def _growth(kind: str, users: int) -> growth.Growth:
    with ExitStack() as stack:
        database: Callable[[], str]
        if kind == "postgresql":
            database = stack.enter_context(postgresql(durable=True)).new_database
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            numbers = itertools.count()
            database = partial(_file, folder, numbers)
        return growth.measure(database, users, _say)


def _file(folder: str, numbers: "itertools.count[int]") -> str:
    return f"sqlite:///{os.path.join(folder, f'growth-{next(numbers)}.sqlite3')}"


def _write(section: str, content: str) -> None:
    _PAGE.write_text(report.written(_PAGE.read_text(), section, content))


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
