"""Memory: messages of which no two are alike, accepted and refused, to one server process.

Whatever a stranger chooses is new in each: names, prefixes, encodings, actions, paths, hosts,
headers, addresses, user names, tickets, tenants, media types. A cache that keeps any of it grows.
"""

import base64
import http.client
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.crashes.databases import Postgresql, Sqlite, Tried
from tests.postgresql import postgresql
from tests.programs import Program, serving
from tests.running import S12, envelope, sign_in

__all__ = ["ALLOWED", "Kept", "distinct", "resident"]

ALLOWED = 6 * 1024
"""KiB that a process may grow in a run, of any length: the heap is never quite the same twice."""

_THREADS = 4
_PATIENCE = 60
_WARM = 15_000
_SERVICE = "/Remote/Services88/"


@dataclass
class Kept:
    """What came of a run.

    :ivar memory: KiB that the server had in memory after the warm-up, after half, and at the end.
    """

    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)

    @property
    def growth(self) -> int:
        """KiB that the server grew after the warm-up."""
        return self.memory[-1] - self.memory[0]


def distinct(kind: str, messages: int, warm: int = _WARM) -> Kept:
    """Send so many messages, of which no two are alike, to a server on a database of a kind.

    :param warm: So many are sent before the memory is looked at, and what is bounded is full.
    """
    with tempfile.TemporaryDirectory(prefix="services88-soak-") as name:
        folder = Path(name)
        if kind == "SQLite":
            return _on(Sqlite(folder), folder, messages, warm)
        with postgresql() as server:
            return _on(Postgresql(server), folder, messages, warm)


def _on(tried: Tried, folder: Path, messages: int, warm: int) -> Kept:
    kept = Kept()
    with (
        serving(
            *("--database", tried.url, "--log-level", "warning"),
            folder=folder,
            SERVICES88_PAGES="all",
            SERVICES88_ADMIN_PAGES="true",
            SERVICES88_TRUSTED_PROXIES="127.0.0.1",
        ) as program,
        ThreadPoolExecutor(_THREADS) as threads,
    ):
        numbers = iter(range(warm + messages))
        for amount in (warm, messages // 2, messages - messages // 2):
            kept.statuses.clear()
            left = threading.Semaphore(amount)
            for done in [
                threads.submit(_send, program, numbers, left, kept) for _ in range(_THREADS)
            ]:
                done.result()
            kept.memory.append(resident(program))
        kept.sent = messages
    assert "Traceback" not in program.said, program.said[-3000:]
    return kept


def resident(program: Program) -> int:
    """Return the KiB that a process has in memory."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


_lock = threading.Lock()


def _send(program: Program, numbers: Iterator[int], left: threading.Semaphore, kept: Kept) -> None:
    connection = http.client.HTTPConnection(program.host, program.port, timeout=_PATIENCE)
    while left.acquire(blocking=False):
        with _lock:
            number = next(numbers)
        method, path, body, headers = _message(number)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status not in _EXPECTED:
            raise AssertionError(f"{answer.status} to {method} {path[:100]} {body[:300]!r}")
        with _lock:
            kept.statuses[answer.status] += 1
    connection.close()


_EXPECTED = frozenset({200, 303, 400, 403, 404, 405, 413, 414, 415, 422, 429, 500, 503})


def _message(number: int) -> tuple[str, str, bytes, dict[str, str]]:
    """Make a message that no other is like; the kinds take turns."""
    # Some of each kind are long, so that it shows where they are kept.
    own = f"n{number}" + "xyz" * (30 if number // 20 % 10 else 3000)
    short = own[:150]
    address = f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1"
    # Most come from one address, whose guesses are refused unhashed.
    headers = {"Content-Type": "text/xml", "X-Forwarded-For": "192.0.2.1"}
    asked = "<GetSystemInfo/>"
    match number % 20:
        case 0:
            body = envelope(f"<{own}/>")
        case 1:
            body = envelope(f'<p{own}:a xmlns:p{own}="urn:{short}" p{own}:b="c"/>')
        case 2:
            encoding = short + "e" * 60_000
            body = f'<?xml version="1.0" encoding="{encoding}"?>{envelope(asked)}'
        case 3:
            headers["Content-Type"] = f"text/xml; charset={own[:900]}"
            body = envelope(asked)
        case 4:
            headers["Content-Type"] = f"text/{short}; {short}={short}"
            body = envelope(asked)
        case 5:
            headers["SOAPAction"] = f'"{own}"'
            body = envelope(asked)
        case 6:
            headers["Content-Type"] = f'application/soap+xml; action="{own[:900]}"'
            body = envelope(asked, soap=S12)
        case 7:
            return "POST", f"/{own}{_SERVICE}SoPrincipal.svc", envelope(asked).encode(), headers
        case 8:
            return "GET", f"/{own}/{short}?{short}={own[:5000]}", b"", {}
        case 9:
            named = {"Host": f"{short}.example", "X-Forwarded-Host": f"{short}.example"}
            return "GET", f"{_SERVICE}User.svc?wsdl", b"", named
        case 10:
            headers |= {f"X-{short}": own, "Cookie": f"{short}={own}", "X-Request-Id": own[:60]}
            headers |= {"Accept-Language": short, "Accept": own, "Origin": f"http://{short}"}
            body = envelope(asked)
        case 11:
            body = sign_in(own, own)
        case 12:
            if number % 200 == 12:  # hashed
                headers["X-Forwarded-For"] = address
            body = sign_in(short, own)
        case 13:
            ticket = base64.b64encode(own.encode()).decode()
            body = envelope(
                "<GetUserInfoList/>", f"<Credentials><Ticket>7T:{ticket}</Ticket></Credentials>"
            )
        case 14:
            headers["X-Forwarded-For"] = f"{address}, {short}" if number % 3 else address
            body = envelope(asked)
        case 15:
            form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
            form |= {"Cookie": f"services88-form={short}", "X-Forwarded-For": address}
            fields = f"csrf={short}&name={own}&new={short}&{short}=1"
            return "POST", "/password/judge", fields.encode(), form
        case 16:
            content = f'{{"token": "{own}", "new_password": "{short}", "{short}": ""}}'
            return "POST", "/password/reset", content.encode(), {"Content-Type": "application/json"}
        case 17:
            kept = {"Cookie": f"services88-admin=7T:{base64.b64encode(short.encode()).decode()}"}
            return "GET", f"/{short}/{'admin' if number % 40 == 17 else 'password'}", b"", kept
        case 18:
            return "GET", f"{_SERVICE}User.svc?op={short}&q={short}", b"", {"Host": "localhost"}
        case _:
            zone = f"<TimeZone><SoTimeZoneCode>{short}</SoTimeZoneCode></TimeZone>"
            body = envelope(asked, f'<{own} xmlns="urn:{short}"/>{zone}')
    return "POST", f"{_SERVICE}SoPrincipal.svc", body.encode(), headers
