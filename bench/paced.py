"""Load at a fixed rate, whether answers come or not, in a process of its own.

A call is due at a fixed moment and its time is counted from then on, so that a server that stops
for a while is charged for all calls that were due meanwhile (the opposite is called coordinated
omission). ``python -m bench.paced`` takes its orders as JSON on standard input.
"""

import json
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.load import Load

__all__ = ["Latencies", "pace"]

_ROOT = Path(__file__).resolve().parents[1]
_MOST = 500  # connections


@dataclass(frozen=True)
class Latencies:
    """Milliseconds, and how many calls."""

    calls: int
    p50: float
    p99: float
    worst: float


def pace(load: Load, rate: int, seconds: float) -> Latencies:
    """Send calls at a rate for some seconds.

    :raises RuntimeError: Not all were answered with 200.
    """
    orders = {
        "url": load.url,
        "body": load.body.decode(),
        "headers": dict(load.headers),
        "rate": rate,
        "seconds": seconds,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.paced"],
        cwd=_ROOT,
        input=json.dumps(orders),
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().rpartition("\n")[2])
    return Latencies(**json.loads(done.stdout))


class _Sender:
    """One thread sends what is due, another takes the answers."""

    def __init__(self, load: Load) -> None:
        parts = urlsplit(load.url)
        self._address = (parts.hostname or "", parts.port or 80)
        named = {**load.headers, "Host": parts.netloc, "Content-Length": str(len(load.body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        self._request = f"POST {parts.path} HTTP/1.1\r\n{head}\r\n".encode() + load.body
        self._selector = selectors.DefaultSelector()
        self._free: deque[socket.socket] = deque()
        self._due: dict[socket.socket, float] = {}
        self._parts: dict[socket.socket, bytes] = {}
        self.taken: list[float] = []
        self.failed = 0
        self._ending = False

    def run(self, rate: int, seconds: float) -> None:
        for _ in range(8):
            self._free.append(self._connect())
        taking = threading.Thread(target=self._take)
        taking.start()
        start = time.perf_counter() + 0.1
        for number in range(int(rate * seconds)):
            due = start + number / rate
            left = due - time.perf_counter()
            if left > 0:
                time.sleep(left)
            one = self._free.popleft() if self._free else self._connect()
            self._due[one] = due
            one.sendall(self._request)
        until = time.perf_counter() + 10
        while self._due and time.perf_counter() < until:
            time.sleep(0.01)
        self._ending = True
        taking.join()
        self.failed += len(self._due)

    def _connect(self) -> socket.socket:
        if len(self._parts) >= _MOST:
            raise RuntimeError("no answers come any more")
        one = socket.create_connection(self._address)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._parts[one] = b""
        self._selector.register(one, selectors.EVENT_READ)
        return one

    def _take(self) -> None:
        while not self._ending:
            for key, _ in self._selector.select(0.1):
                one: socket.socket = key.fileobj  # type: ignore[assignment]
                part = one.recv(65_536)
                now = time.perf_counter()
                self._parts[one] += part
                if not part:
                    self._selector.unregister(one)
                elif _is_whole(self._parts[one]):
                    self.failed += not self._parts[one].startswith(b"HTTP/1.1 200")
                    self._parts[one] = b""
                    self.taken.append(now - self._due.pop(one))
                    self._free.append(one)


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return len(body) >= int(length)


def _main() -> None:
    orders = json.load(sys.stdin)
    sender = _Sender(Load(orders["url"], orders["body"].encode(), orders["headers"]))
    sender.run(orders["rate"], orders["seconds"])
    if sender.failed:
        raise SystemExit(f"{sender.failed} calls were not answered with 200")
    taken = sorted(1000 * one for one in sender.taken)
    last = len(taken) - 1
    print(
        json.dumps(
            {
                "calls": len(taken),
                "p50": taken[round(last * 0.5)],
                "p99": taken[round(last * 0.99)],
                "worst": taken[last],
            }
        )
    )


if __name__ == "__main__":
    _main()
