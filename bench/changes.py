"""ChangeOwnPassword as fast as Argon2 lets it, and the cheap call meanwhile."""

import http.client
import os
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import argon2

from bench import servers
from bench.messages import HEADERS, SPACE, change
from bench.paced import Latencies, pace
from bench.servers import PASSWORD, Server

__all__ = ["RATE", "Changes", "measure"]

RATE = 200
_USERS = 8
_LEAD_IN = 1.0


@dataclass(frozen=True)
class Changes:
    """What came of it.

    :ivar limit: Times a second that Argon2 can verify and hash, on all cores, before and after.
    :ivar changes: Changes a second, nothing else asked for; ``beside`` with the cheap calls.
    :ivar idle: Of cheap calls, where nothing else is done.
    :ivar busy: Of cheap calls, while passwords are changed.
    :ivar bare_idle: As idle, of the bare handler; bare_busy with a thread a core that hashes.
    """

    limit: float
    changes: float
    beside: float
    idle: Latencies
    busy: Latencies
    bare_idle: Latencies
    bare_busy: Latencies

    @property
    def reached(self) -> float:
        """The part of the limit."""
        return self.changes / self.limit


def measure(seconds: float, tell: Callable[[str], None]) -> Changes:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        names = [f"CHANGER{number}" for number in range(_USERS)]
        for name in ("BENCH", *names):
            servers.add_user(database, name, Path(folder))
        before = _argon2_limit(seconds / 2)
        with servers.services88(database) as server:
            server.check()
            idle = pace(server.cheap, RATE, seconds)
            with _changing(server, names) as count:
                time.sleep(_LEAD_IN)
                changes = _rate(count, lambda: time.sleep(seconds))
                busy: list[Latencies] = []
                beside = _rate(count, lambda: busy.append(pace(server.cheap, RATE, seconds)))
        limit = (before + _argon2_limit(seconds / 2)) / 2
        with servers.bare() as server:
            bare_idle = pace(server.cheap, RATE, seconds)
        with servers.bare(hashing=_cores()) as server:
            bare_busy = pace(server.cheap, RATE, seconds)
    done = Changes(limit, changes, beside, idle, busy[0], bare_idle, bare_busy)
    tell(
        f"changes: {changes:.1f}/s of {limit:.1f}/s ({done.reached:.0%}), {beside:.1f}/s beside "
        f"{RATE} cheap calls/s; p99 of those {busy[0].p99:.1f} ms (idle {idle.p99:.1f}); bare "
        f"handler beside {_cores()} hashing threads {bare_busy.p99:.1f} ms "
        f"(idle {bare_idle.p99:.1f})"
    )
    return done


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _argon2_limit(seconds: float) -> float:
    """Verify and hash on as many threads as there are cores; no other limit does so little."""
    hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
    known = hasher.hash(PASSWORD)
    done = 0
    lock = threading.Lock()
    until = time.perf_counter() + seconds

    def work() -> None:
        nonlocal done
        while time.perf_counter() < until:
            hasher.verify(known, PASSWORD)
            hasher.hash(PASSWORD)
            with lock:
                done += 1

    begun = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(_cores())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done / (time.perf_counter() - begun)


def _rate(count: Callable[[], int], meanwhile: Callable[[], None]) -> float:
    first, begun = count(), time.perf_counter()
    meanwhile()
    return (count() - first) / (time.perf_counter() - begun)


@contextmanager
def _changing(server: Server, names: list[str]) -> Iterator[Callable[[], int]]:
    """Let users change their passwords, each again as soon as it is changed; counts changes."""
    at = server.cheap.url.rpartition("/")[0]
    parts = urlsplit(at)
    headers = {**HEADERS, "SOAPAction": f'"{SPACE}/User/ChangeOwnPassword"'}
    counts = [0] * len(names)
    failures: list[str] = []
    ending = threading.Event()

    def work(number: int) -> None:
        ticket, old = servers.signed_in(at, names[number]).ticket, PASSWORD
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        while not ending.is_set():
            new = secrets.token_urlsafe(18)
            connection.request("POST", f"{parts.path}/User.svc", change(ticket, old, new), headers)
            answer = connection.getresponse().read()
            if b"<Response>true<" not in answer:
                failures.append(answer.decode()[:600])
                break
            old = new
            counts[number] += 1
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(names))]
    for thread in threads:
        thread.start()
    try:
        yield lambda: sum(counts)
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    if failures:
        raise RuntimeError(f"a change failed: {failures[0]}")
