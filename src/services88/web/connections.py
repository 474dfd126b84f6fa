"""How many connections there may be: of a server, and of one address.

A connection counts from the moment at which it is accepted, before any handshake, until its file is
closed. uvicorn and asyncio accept by themselves and tell nobody before a handshake is done; so this
accepts.
"""

import asyncio
import errno
import logging
import mmap
import os
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Protocol

from services88.identity.guessing import place_of
from services88.web.addresses import TrustedProxies

__all__ = ["AddressCounts", "Connections", "Held", "Listener", "Room", "Visit"]

_log = logging.getLogger("services88.connections")

_PATIENT_SECONDS = 1.0
"""That a request which is not complete keeps its connection, however many others want it."""
_CLOSING = 50
"""Connections that may still be closing, beside those that are open."""
_BATCH = 64
"""Connections accepted in one turn of the loop."""
_PAUSE_SECONDS = 0.1
"""Without accepting, where no file may be opened."""
_QUIET_SECONDS = 60
"""Between two lines about the same."""
_SHUTDOWN_SECONDS = 5
"""That a client may take to say good-bye by the rules of TLS."""

_NO_FILES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Held(Protocol):
    """What holds an open connection, as a protocol of asyncio does."""

    def is_idle(self) -> bool:
        """Return whether nothing is lost by closing it."""

    def waits_since(self) -> float | None:
        """Return since when it waits for its client, by the loop's time; None where it does not."""

    def make_room(self) -> None:
        """Close it at once."""

    def shutdown(self) -> None:
        """Close it after what is under way."""


class AddressCounts:
    """Connections by address, over all processes of a server.

    A row of counters for each process, in memory that they share; only the process itself writes
    to its row. The column of an address is a keyed hash, so that nobody chooses with whom to share
    one. Must be made before the processes are forked.
    """

    _COLUMNS = 1 << 14

    def __init__(self, processes: int = 1) -> None:
        """Make counters, all of them zero."""
        self._counters = memoryview(mmap.mmap(-1, processes * self._COLUMNS * 4)).cast("I")
        self._key = os.urandom(16)
        self._row = 0
        self._column = lru_cache(4096)(self._hash)

    def begin(self, process: int) -> None:
        """Take the row of a process, by its number, and forget what a process before left there."""
        self._row = process * self._COLUMNS
        self._counters[self._row : self._row + self._COLUMNS] = memoryview(
            bytes(self._COLUMNS * 4)
        ).cast("I")

    def take(self, address: str, most: int) -> bool:
        """Count a connection, unless the address has as many as it may.

        It is counted first and looked at then, so two processes at once never let in one too many.
        """
        column = self._column(address)
        self._counters[self._row + column] += 1
        if sum(self._counters[column :: self._COLUMNS]) <= most:
            return True
        self._counters[self._row + column] -= 1
        return False

    def leave(self, address: str) -> None:
        """Count a connection no more."""
        self._counters[self._row + self._column(address)] -= 1

    def _hash(self, address: str) -> int:
        digest = blake2b(address.encode(), key=self._key, digest_size=4).digest()
        return int.from_bytes(digest, "big") % self._COLUMNS


@dataclass(frozen=True, slots=True)
class Room:
    """How many connections one process takes.

    :ivar connections: Of all addresses together.
    :ivar of_address: Of one address (of IPv6: of one network of 64 bits), in all processes of a
        server together. None for no limit.
    """

    connections: int = 1000
    of_address: int | None = None


class Visit:
    """A connection, from accept to the end of its file."""

    __slots__ = ("_connections", "address", "handshake", "held", "since")

    def __init__(self, connections: "Connections", address: str) -> None:
        self._connections = connections
        self.address = address
        """What it counts for; empty where that has no limit."""
        self.held: Held | None = None
        self.handshake: asyncio.Task[None] | None = None
        self.since: float | None = None

    def begin_handshake(self, task: asyncio.Task[None] | None) -> None:
        """Take note of the task that waits for a handshake of TLS."""
        self.handshake = task
        self.since = asyncio.get_running_loop().time()

    def begin(self, held: Held) -> None:
        """Take note of what holds it from now on: the handshake, if any, is done."""
        self.held = held
        if not self._connections.holds(self):  # it was closed at the same moment
            asyncio.get_running_loop().call_soon(held.make_room)
        elif self._connections.is_leaving:
            asyncio.get_running_loop().call_soon(held.shutdown)

    def end(self) -> None:
        """Forget it: its file is closed. May be called again."""
        self._connections.forget(self)

    def is_idle(self) -> bool:
        """Return whether nothing is lost by closing it."""
        return self.held is not None and self.held.is_idle()

    def waits_since(self) -> float | None:
        """Return since when it waits for its client; None where it does not."""
        return self.since if self.held is None else self.held.waits_since()

    def close(self) -> None:
        """Close it at once."""
        if self.held is not None:
            self.held.make_room()
        elif self.handshake is not None:
            self.handshake.cancel()


class Connections:
    """The connections of one process, and which others may come.

    Where there are too many, of one address or at all, a new one takes the place of the one that
    has been idle for longest; else of the one whose client has kept it waiting for longest, for a
    handshake, for the rest of a request or for an answer to be read, if that is a second or more;
    else it is refused. So connections that only wait keep out nobody.

    :ivar refused: How many connections were refused, or closed before they were idle, by reason.
    """

    REASONS = {
        "address": "connections were refused: their address has as many as it may "
        "(SERVICES88_MAX_CONNECTIONS_PER_ADDRESS)",
        "full": "connections were refused: there are as many as there may be, and none of them "
        "only waits (SERVICES88_MAX_CONNECTIONS)",
        "slow": "connections were closed to make room: their clients kept them waiting",
        "files": "times no connection could be accepted: this process may open no more files "
        "(ulimit -n, LimitNOFILE=)",
        "handshake": "handshakes of TLS failed, or were not done in time",
    }

    def __init__(
        self,
        room: Room,
        *,
        counts: AddressCounts | None = None,
        exempt: TrustedProxies | None = None,
    ) -> None:
        """Begin without connections.

        :param counts: Shared by the processes of one server.
        :param exempt: Addresses that have no limit of their own: each stands for many clients.
        """
        self.room = room
        self.refused = Counter(dict.fromkeys(self.REASONS, 0))
        self.is_leaving = False
        self._counts = counts or AddressCounts()
        self._exempt = exempt
        self._open: set[Visit] = set()
        self._of_address: dict[str, set[Visit]] = {}
        self._closing: set[Visit] = set()
        self._lines: dict[str, _Line] = {}

    @property
    def number(self) -> int:
        """How many are open."""
        return len(self._open)

    def admit(self, host: str) -> Visit | None:
        """Count a connection that was accepted just now; None where it must be refused."""
        now = asyncio.get_running_loop().time()
        address = self._address(host)
        if address and not self._take(address, now):
            self.note("address", host)
            return None
        if not self._has_room(now):
            if address:
                self._counts.leave(address)
            self.note("full", host)
            return None
        visit = Visit(self, address)
        self._open.add(visit)
        if address:
            self._of_address.setdefault(address, set()).add(visit)
        return visit

    def holds(self, visit: Visit) -> bool:
        """Return whether a connection is open, and was not told to close."""
        return visit in self._open

    def forget(self, visit: Visit) -> None:
        """Forget a connection whose file is closed."""
        self._closing.discard(visit)
        self._leave(visit)

    def shed(self) -> None:
        """Close a connection that only waits, for its file."""
        self._make_room(self._open, asyncio.get_running_loop().time())

    def note(self, reason: str, host: str = "", detail: str = "") -> None:
        """Count and log a connection that was refused or closed; one line a minute for a reason."""
        self.refused[reason] += 1
        line = self._lines.get(reason)
        if line is None:
            level = logging.INFO if reason == "handshake" else logging.WARNING
            line = self._lines[reason] = _Line(level, self.REASONS[reason])
        line.add(" ".join(filter(None, (host, detail))))

    def _address(self, host: str) -> str:
        if self.room.of_address is None or (self._exempt is not None and self._exempt.hold(host)):
            return ""
        return _address_of(host)

    def _take(self, address: str, now: float) -> bool:
        most = self.room.of_address or 0
        if self._counts.take(address, most):
            return True
        # Only in this process: nobody closes the connections of another.
        of = self._of_address.get(address, set())
        return self._make_room(of, now) and self._counts.take(address, most)

    def _has_room(self, now: float) -> bool:
        if len(self._open) < self.room.connections:
            return True
        if len(self._open) + len(self._closing) >= self.room.connections + _CLOSING:
            return False  # those that were to make room have not gone yet
        return self._make_room(self._open, now)

    def _make_room(self, among: Collection[Visit], now: float) -> bool:
        """Close the connection that has waited for longest."""
        idle: Visit | None = None
        slow: Visit | None = None
        idle_since, slow_since = now, now - _PATIENT_SECONDS
        for visit in among:
            since = visit.waits_since()
            if since is None:
                continue
            if visit.is_idle():
                if idle is None or since < idle_since:
                    idle, idle_since = visit, since
            elif since <= slow_since:
                slow, slow_since = visit, since
        chosen = idle or slow
        if chosen is None:
            return False
        if idle is None:
            self.note("slow", chosen.address)
        self._leave(chosen)
        self._closing.add(chosen)
        chosen.close()
        return True

    def _leave(self, visit: Visit) -> None:
        if visit not in self._open:
            return
        self._open.remove(visit)
        if visit.address:
            self._counts.leave(visit.address)
            of = self._of_address[visit.address]
            of.remove(visit)
            if not of:
                del self._of_address[visit.address]


@lru_cache(4096)
def _address_of(host: str) -> str:
    return place_of(host)


class _Line:
    """Says the same once a minute at most, with the number of times that it happened since."""

    def __init__(self, level: int, text: str) -> None:
        self._level = level
        self._text = text
        self._times = 0
        self._last = ""
        self._until: asyncio.TimerHandle | None = None

    def add(self, what: str) -> None:
        self._times += 1
        self._last = what
        if self._until is None:
            self._write()

    def _write(self) -> None:
        self._until = None
        if not self._times:
            return
        last = f"; the last was {self._last}" if self._last else ""
        _log.log(self._level, "%d %s%s", self._times, self._text, last)
        self._times = 0
        self._until = asyncio.get_running_loop().call_later(_QUIET_SECONDS, self._write)


class Listener:
    """Accepts connections on a socket, for as long as there is room."""

    def __init__(
        self,
        listening: socket.socket,
        connections: Connections,
        make: Callable[[Visit], asyncio.Protocol],
        *,
        tls: ssl.SSLContext | None = None,
        handshake_seconds: float = 10,
    ) -> None:
        """Begin to accept. Must be made on the loop that serves.

        :param make: Makes the protocol of a connection, which tells the visit of begin and end.
        :param handshake_seconds: That a client has for the handshake of TLS.
        """
        self._listening = listening
        self._connections = connections
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._beginning: set[asyncio.Task[None]] = set()
        self._tls = {}
        if tls is not None:
            self._tls = {
                "ssl": tls,
                "ssl_handshake_timeout": handshake_seconds,
                "ssl_shutdown_timeout": _SHUTDOWN_SECONDS,
            }
        listening.setblocking(False)
        self._go_on()

    def close(self) -> None:
        """Accept no more; what was accepted goes on."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._loop.remove_reader(self._listening)
        self._connections.is_leaving = True

    async def wait_closed(self) -> None:
        """Return at once: there is nothing to wait for. uvicorn calls it."""

    def _go_on(self) -> None:
        self._timer = None
        self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        for _ in range(_BATCH):
            try:
                made, peer = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                return
            except OSError as error:
                self._pause(error)
                return
            made.setblocking(False)
            visit = self._connections.admit(peer[0])
            if visit is None:
                self._turn_away(made)
                continue
            task = self._loop.create_task(self._begin(made, visit, peer[0]))
            self._beginning.add(task)
            task.add_done_callback(self._beginning.discard)

    def _pause(self, error: OSError) -> None:
        if error.errno not in _NO_FILES:
            _log.error("no connection can be accepted: %s", error)
        else:
            self._connections.note("files")
            self._connections.shed()
        self._loop.remove_reader(self._listening)
        self._timer = self._loop.call_later(_PAUSE_SECONDS, self._go_on)

    def _turn_away(self, made: socket.socket) -> None:
        with suppress(OSError):
            if not self._tls:
                # What has come is read: TCP would reset the connection, and the answer be lost.
                with suppress(BlockingIOError):
                    made.recv(65536)
                made.send(_TOO_MANY)
        made.close()

    async def _begin(self, made: socket.socket, visit: Visit, host: str) -> None:
        if self._tls:
            visit.begin_handshake(asyncio.current_task())
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._make(visit),
                made,
                **self._tls,  # type: ignore[arg-type]
            )
        except asyncio.CancelledError:  # another took its place
            made.close()
            visit.end()
        except Exception as error:
            made.close()
            visit.end()
            if self._tls:
                self._connections.note("handshake", host, _said(error))
        finally:
            visit.handshake = None


_TEXT = b"There are too many connections. Try again in a few seconds.\n"
_TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\n"
    b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(_TEXT), _TEXT)
)


def _said(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return f"({reason or type(error).__name__})"
