"""Load as fast as a server takes it, by wrk (Debian's package of that name)."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.processes import cpu_seconds

__all__ = ["CONNECTIONS", "Load", "Outcome", "hammer", "wrk_version"]

CONNECTIONS = 16

_SCRIPT = """
wrk.method = "POST"
%s
local requests, next = {}, 0
function init(args)
   for body in io.lines(%s) do requests[#requests + 1] = wrk.format(nil, nil, nil, body) end
end
function request()
   next = next %% #requests + 1
   return requests[next]
end
function done(summary, latency)
   local e = summary.errors
   io.write(string.format(
      '\\n{"calls": %%d, "microseconds": %%d, "failed": %%d, "p50": %%d, "p99": %%d}\\n',
      summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
      latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Load:
    """What is posted, again and again.

    :ivar more: Bodies that are posted in turn with the first one.
    """

    url: str
    body: bytes
    headers: Mapping[str, str]
    more: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    :ivar cpu: Microseconds of CPU that the server took for a call, in user and kernel mode.
    :ivar p50: Milliseconds, as p99.
    :ivar other_cpu: As cpu, of a process behind the server: its database.
    """

    calls_per_second: float
    cpu: float
    p50: float
    p99: float
    other_cpu: float | None = None


def wrk_version() -> str | None:
    """Say which wrk is here; None where there is none."""
    if shutil.which("wrk") is None:
        return None
    done = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    return " ".join(done.stdout.split()[:2])


def hammer(load: Load, seconds: float, process: int, other: int | None = None) -> Outcome:
    """Load a server for some seconds.

    :param process: Of the server, whose CPU is measured; other is of its database.
    :raises RuntimeError: Calls failed, so that the figures would say nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        bodies, script = Path(folder) / "bodies", Path(folder) / "load.lua"
        bodies.write_bytes(b"\n".join((load.body, *load.more)))
        headers = "\n".join(
            f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}"
            for name, value in load.headers.items()
        )
        script.write_text(_SCRIPT % (headers, json.dumps(str(bodies))))
        command = [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds:.0f}s",
            "-s",
            str(script),
            load.url,
        ]
        before = cpu_seconds(process), cpu_seconds(other) if other else 0
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        after = cpu_seconds(process), cpu_seconds(other) if other else 0
    said = json.loads(done.stdout.rstrip().rpartition("\n")[2])
    if said["failed"] or not said["calls"]:
        raise RuntimeError(f"{said['failed']} of {said['calls']} calls of {load.url} failed")
    each = 1_000_000 / said["calls"]
    return Outcome(
        calls_per_second=said["calls"] * 1_000_000 / said["microseconds"],
        cpu=(after[0] - before[0]) * each,
        p50=said["p50"] / 1000,
        p99=said["p99"] / 1000,
        other_cpu=(after[1] - before[1]) * each if other else None,
    )
