"""The command: kills, stops of the database, inputs, and what came of them as tables.

Whatever is not as promised ends it with an error; the seed was printed first.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from soak.inputs import Flood, flooded
from soak.kills import postgresql_stopped, servers_killed
from soak.memory import ALLOWED, Kept, distinct

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "crashes.md"
BETWEEN = re.compile(r"(?<=<!-- soak:begin -->\n).*?(?=<!-- soak:end -->)", re.DOTALL)
KINDS = ("SQLite", "PostgreSQL")


def main() -> None:
    """Do all of it."""
    asked = _arguments()
    print(f"seed {asked.seed}", flush=True)
    began = time.monotonic()
    killed: dict[str, Counter[str]] = {}
    floods: dict[str, Flood] = {}
    for number, kind in enumerate(KINDS):
        with _step(f"{asked.kills // 2} kills on {kind}"):
            killed[kind] = servers_killed(kind, asked.kills // 2, asked.seed + number)
    with _step(f"{asked.stops} stops of PostgreSQL"):
        killed["PostgreSQL itself"] = postgresql_stopped(asked.stops, asked.seed)
    for number, kind in enumerate(KINDS):
        with _step(f"{asked.inputs // 2} inputs over HTTP on {kind}"):
            floods[kind] = flooded(kind, asked.inputs // 2, asked.seed + number)
    kept: dict[str, Kept] = {}
    for kind in KINDS:
        with _step(f"{asked.distinct} messages of which no two are alike on {kind}"):
            kept[kind] = distinct(kind, asked.distinct)
    with _step(f"{asked.fuzz} inputs of the fuzzer"):
        fuzzed = _fuzzed(asked.fuzz, asked.seed)
    minutes = (time.monotonic() - began) / 60
    said = (
        f"Run on {datetime.now(UTC):%Y-%m-%d} in {minutes:.0f} minutes on {os.cpu_count()} cores, "
        f"seed {asked.seed}.\n\n{_kills(killed)}\n{_inputs(floods, fuzzed)}\n{_kept(kept)}"
    )
    print(said)
    defects = [defect for flood in floods.values() for defect in flood.defects]
    defects += [
        f"{kind}: {one.growth} KiB were kept" for kind, one in kept.items() if one.growth > ALLOWED
    ]
    for defect in defects[:20]:
        print(defect)
    if defects:
        sys.exit(f"There are {len(defects)} defects.")
    if asked.write:
        PAGE.write_text(BETWEEN.sub(lambda _: said, PAGE.read_text()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of the server; half a database")
    parser.add_argument("--stops", type=int, default=20, help="of PostgreSQL, under a server")
    parser.add_argument("--inputs", type=int, default=200_000, help="over HTTP; half a database")
    parser.add_argument(
        "--distinct",
        type=int,
        default=50_000,
        help="messages, no two alike; a database",
    )
    parser.add_argument("--fuzz", type=int, default=1_000_000, help="inputs of the fuzzer")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(31))
    parser.add_argument("--write", action="store_true", help="write the figures to docs/crashes.md")
    return parser.parse_args()


@contextmanager
def _step(what: str) -> Iterator[None]:
    print(what, flush=True)
    began = time.monotonic()
    yield
    print(f"  {time.monotonic() - began:.0f} s", flush=True)


def _fuzzed(runs: int, seed: int) -> dict[str, int]:
    """Run the fuzzer of ``fuzz/`` and give its statistics."""
    done = subprocess.run(
        [sys.executable, "fuzz/messages.py", f"-runs={runs}", f"-seed={seed}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"The fuzzer found something:\n{done.stderr[-5000:]}")
    return {name: int(value) for name, value in re.findall(r"stat::(\w+): +(\d+)", done.stderr)}


_ROWS = {
    "kills": "kills of the server, with SIGKILL",
    "stops of the database": "stops of the database, with SIGQUIT",
    "acknowledged": "changes acknowledged; all of them held",
    "unacknowledged": "changes without an acknowledgement",
    "unacknowledged, kept": "… of which nobody heard, there wholly",
    "unacknowledged, absent": "… of which nobody heard, not there at all",
    "told that nothing was changed": "… answered that nothing was changed, and nothing was",
    "told that nobody knows": "… answered that nobody knows",
    "calls answered with 503": "calls answered with 503 meanwhile",
    "mails": "mails received; none was missing",
    "mails sent twice": "… of which for the second time",
}


def _kills(killed: dict[str, Counter[str]]) -> str:
    rows = [
        [what, *(str(counts[key]) for counts in killed.values())] for key, what in _ROWS.items()
    ]
    return _table(["killed or stopped", *killed], rows)


def _inputs(floods: dict[str, Flood], fuzzed: dict[str, int]) -> str:
    outcomes = sorted({outcome for flood in floods.values() for outcome in flood.outcomes})
    rows = [["inputs", *(f"{flood.sent:,}" for flood in floods.values())]]
    for outcome in outcomes:
        answers = (f"{flood.outcomes[outcome]:,}" for flood in floods.values())
        rows.append([f"answered with {outcome}", *answers])
    for what, memory in (
        ("memory of the server before, MiB", [one.memory_before for one in floods.values()]),
        ("… after", [one.memory_after for one in floods.values()]),
    ):
        rows.append([what, *(f"{kib / 1024:.1f}" for kib in memory)])
    return (
        _table(["over HTTP", *floods], rows)
        + "\nNo traceback, no hang, and every 500 is a SOAP fault that says what is wrong."
        + f"\nThe coverage-guided fuzzer read {fuzzed['number_of_executed_units']:,} inputs more, "
        + f"without a finding, in {fuzzed['peak_rss_mb']} MiB.\n"
    )


def _kept(kept: dict[str, Kept]) -> str:
    rows = [["messages of which no two are alike", *(f"{one.sent:,}" for one in kept.values())]]
    for number, when in enumerate(("after a warm-up", "after half of them", "after all")):
        memory = (f"{one.memory[number] / 1024:.1f}" for one in kept.values())
        rows.append([f"memory of the server {when}, MiB", *memory])
    return _table(["nothing is kept", *kept], rows)


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
