"""Writes what was measured into docs/performance.md, between its markers, and the plot."""

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.changes import RATE, Changes
from bench.cheap_call import BOUND, Row
from bench.growth import FEW, Growth
from bench.load import CONNECTIONS, wrk_version
from bench.plot import Bar, chart
from bench.starting import Start

__all__ = [
    "changes_section",
    "cheap_chart",
    "cheap_section",
    "growth_section",
    "machine",
    "start_section",
    "written",
]


def written(page: str, section: str, content: str) -> str:
    """Put content between the markers of a section of a page.

    :raises LookupError: The page has no such section.
    """
    marks = f"<!-- bench:{section}:begin -->", f"<!-- bench:{section}:end -->"
    before, begin, rest = page.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not begin or not end:
        raise LookupError(f"the page has no section {section}")
    return f"{before}{begin}\n{content.strip()}\n{end}{after}"


def machine() -> str:
    """Say where and when this was measured, and what else the machine did."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    packages = ", ".join(f"{name} {version(name)}" for name in ("uvicorn", "uvloop", "httptools"))
    cores = len(os.sched_getaffinity(0))
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {cores} cores ({cpu[1] if cpu else 'unknown'}), "
        f"Linux {platform.release().split('-')[0]}, Python {platform.python_version()}, "
        f"{packages}; "
        f"{wrk_version()}, {CONNECTIONS} connections. Load average before: "
        f"{os.getloadavg()[0]:.1f}."
    )


def cheap_section(rows: Sequence[Row]) -> str:
    """Write the table of the cheap call."""
    bounds = {row.workers: row.outcome for row in rows if row.name == BOUND}
    lines = []
    for row in rows:
        if row.outcome is None:
            lines.append([row.name, str(row.workers), row.does, f"not measured: {row.missing}"])
            continue
        one, bound = row.outcome, bounds.get(row.workers)
        behind = f" (+ {one.other_cpu:.0f} in PostgreSQL)" if one.other_cpu is not None else ""
        lines.append(
            [
                f"**{row.name}**" if row.ours else row.name,
                str(row.workers),
                row.does,
                f"{one.calls_per_second:,.0f}",
                f"{one.calls_per_second / bound.calls_per_second:.0%}" if bound else "",
                f"{one.cpu:.0f}{behind}",
                f"{bound.cpu / one.cpu:.0%}" if bound else "",
                f"{one.p50:.2f}",
                f"{one.p99:.2f}",
            ]
        )
    titles = ["server", "workers", "does", "calls/s", "of the bound", "CPU µs a call"]
    return _table([*titles, "of the bound", "p50 ms", "p99 ms"], lines)


def cheap_chart(rows: Sequence[Row]) -> str:
    """Draw the cheap call with one worker."""
    bars = [
        Bar(row.name, (row.outcome.calls_per_second, row.outcome.cpu), ours=row.ours)
        for row in rows
        if row.outcome is not None and row.workers == 1
    ]
    bars.sort(key=lambda bar: -bar.values[0])
    return chart(
        "CanChangePassword, one worker (the others check neither ticket nor database)",
        ("calls a second", "µs of CPU a call"),
        bars,
    )


def changes_section(done: Changes) -> str:
    """Write what came of changes under saturation."""
    lines = [
        ["Argon2 alone: one verify and one hash, on all cores", f"{done.limit:.1f}/s"],
        ["**ChangeOwnPassword**", f"{done.changes:.1f}/s ({done.reached:.0%} of that)"],
        [f"the same, with {RATE} cheap calls a second beside it", f"{done.beside:.1f}/s"],
    ]
    latencies = {
        "services88, nothing else asked for": done.idle,
        "**services88, passwords changed meanwhile**": done.busy,
        "bare handler, nothing else asked for": done.bare_idle,
        "bare handler, a thread a core that hashes beside it": done.bare_busy,
    }
    return "\n\n".join(
        [
            _table(["", "a second"], lines),
            _table(
                [f"the cheap call, {RATE} a second", "p50 ms", "p99 ms", "worst ms"],
                [
                    [name, f"{one.p50:.2f}", f"{one.p99:.2f}", f"{one.worst:.1f}"]
                    for name, one in latencies.items()
                ],
            ),
        ]
    )


def growth_section(found: Sequence[tuple[str, Growth]]) -> str:
    """Write how calls fare as a database grows, by its kind."""
    lines = []
    for kind, growth in found:
        for name, (few, many) in growth.calls.items():
            lines.append([kind, name, f"{few:.2f}", f"{many:.2f}", f"{many / few:.2f}"])
    scale = found[0][1].many
    much = f"{scale.users:,} users, {scale.tickets:,} tickets, {scale.events:,} audit events"
    return _table(["database", "call", f"p50 ms, {FEW} users", f"p50 ms, {much}", "ratio"], lines)


def start_section(found: Sequence[Start]) -> str:
    """Write how soon servers answer, and what they hold."""
    lines = [
        [
            one.name,
            f"{one.seconds:.2f}" if one.seconds is not None else "",
            f"{one.megabytes:.0f}" if one.megabytes is not None else f"not measured: {one.missing}",
        ]
        for one in found
    ]
    return _table(["", "s to the first answer", "MB held (shared pages in shares)"], lines)


def _table(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    width = len(titles)
    rows = [titles, ["---"] * width, *([*line, *[""] * (width - len(line))] for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
