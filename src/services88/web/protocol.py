"""HTTP/1.1 on a connection, with the limits that uvicorn has no settings for.

A request's header section and body must be complete in a time and within a size; a connection may
be idle, or leave its answers unread, only so long. One timer a connection keeps all of them: it is
set forward when it fires, not with every request. How many there may be: ``connections.py``.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httptools
from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from services88.web.connections import Visit
from services88.web.http import FOR_BROWSERS

__all__ = ["BoundedProtocol", "ConnectionLimits"]

_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%\-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")

_LINGER_SECONDS = 5
"""That a client may go on sending what nobody reads, until it has read why it was refused."""
_PARTING_SECONDS = 0.5
"""That a server which stops still listens on idle connections."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What one connection may take.

    :ivar header_bytes: Of request line and header section together.
    :ivar url_bytes: Of the address in the request line. uvicorn decodes it before anybody looks.
    :ivar header_seconds: In which they must be complete, from their first byte on.
    :ivar body_bytes: Of a body as it is sent, with what chunks add to it. What a message may be is
        the application's to say.
    :ivar body_seconds: In which it must be complete.
    :ivar idle_seconds: That a connection may wait for a request, or leave an answer unread.
    :ivar pipelined: Requests that may wait for the answers to earlier ones.
    """

    header_bytes: int = 65_536
    url_bytes: int = 16_384
    header_seconds: float = 10
    body_bytes: int = 1_048_576
    body_seconds: float = 30
    idle_seconds: float = 60
    pipelined: int = 32


class _Answering:
    """The transport as an answer sees it.

    The head of an answer goes out with what follows it, in one packet: on its own it costs both
    sides another round through the kernel. Not that of a stream, which may begin much later. And a
    close waits for a client that is still sending.
    """

    __slots__ = ("_begun", "_close", "_head", "_write", "is_closing")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self._write = transport.write
        self._close = close
        self._begun = False
        self._head = b""
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        elif not self._begun and _LENGTH in data:  # so it is no "100 Continue", nor a stream's
            self._begun = True
            self._head = data
            return
        self._write(data)

    def flush(self) -> None:
        """Write a head that nothing follows."""
        if self._head:
            data, self._head = self._head, b""
            self._write(data)

    def close(self) -> None:
        self.flush()
        self._close()


_LENGTH = b"\r\ncontent-length: "


class _Refused(Exception):
    """A request is refused while it is read, and its connection closed."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


_TOO_LONG = "The header section is too long."


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, bounded."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: ConnectionLimits | None = None,
        visit: Visit | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits or ConnectionLimits()
        self._visit = visit
        self._phase = ""  # of the request being read: "header", "body", or none
        self._begun = 0  # requests
        self._size = 0  # of the part being read
        self._hosts = 0
        self._refusal: _Refused | None = None
        self._ignoring = False  # nothing that comes is read any more
        self._leaving = False  # the server stops
        self._answering: RequestResponseCycle | None = None
        self._out: _Answering | None = None  # what it writes to
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    # --- time -------------------------------------------------------------------------------------

    def _expect_within(self, seconds: float) -> None:
        self._deadline = deadline = self.loop.time() + seconds
        if self._timer is not None and self._timer.when() > deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self.loop.call_at(deadline, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        if self.loop.time() < self._deadline:
            self._timer = self.loop.call_at(self._deadline, self._time_is_up)
        elif self.transport.is_closing() or self.flow.write_paused:
            self.transport.abort()  # the client does not take what it is sent
        else:
            self._expect_within(self._limits.idle_seconds)  # for what is written last
            if self._phase:
                self._refuse(408, "The request was not complete in time.")
            else:
                self.transport.close()

    # --- connections ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection."""
        super().connection_made(transport)
        self._expect_within(self._limits.idle_seconds)
        if self._visit is not None:
            self._visit.begin(self)

    def is_idle(self) -> bool:
        """Return whether no request is under way."""
        cycle = self.cycle
        return (
            not self._phase
            and (cycle is None or cycle.response_complete)
            and not self.transport.is_closing()
        )

    def waits_since(self) -> float | None:
        """Return since when it waits for its client, by the loop's time; None where it does not."""
        if self._deadline is None or self.pipeline:
            return None
        if self._phase == "header" and self.cycle and not self.cycle.response_complete:
            return None  # an earlier request is being answered
        limits = self._limits
        if self.flow.write_paused or not self._phase:
            return self._deadline - limits.idle_seconds
        return self._deadline - (
            limits.header_seconds if self._phase == "header" else limits.body_seconds
        )

    def make_room(self) -> None:
        """Close the connection at once; where a request was not complete, with an answer.

        Nobody waits until the client has read it, or has said good-bye by the rules of TLS.
        """
        is_plain = (
            self.scheme == "http" and not self.flow.write_paused and not self.transport.is_closing()
        )
        if self._phase and is_plain:
            self._refuse(503, "There are too many connections. Try again in a few seconds.")
        if is_plain:
            self.transport.close()
        else:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection, and the requests that wait on it: nobody is there to answer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._deadline = None
        self._ignoring = True
        self.pipeline.clear()
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
        if self._visit is not None:
            self._visit.end()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Let what is under way end, and then close.

        On an idle connection a request may be on its way, which a proxy would take for lost and not
        send again; so it is still answered, as the last one.
        """
        self._leaving = True
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.keep_alive = False
        elif not self._phase:
            self._expect_within(_PARTING_SECONDS)

    def pause_writing(self) -> None:
        """Wait for a client that does not read, but not for ever."""
        super().pause_writing()
        self._expect_within(self._limits.idle_seconds)

    # --- reading ----------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        before = (self._phase, self._begun)
        while data and not self._ignoring:
            try:
                self.parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_upgrade() + data[upgrade.args[0] :]
            except httptools.HttpParserError:
                refusal = self._refusal or _Refused(400, "Invalid HTTP request received.")
                self._refuse(refusal.status, str(refusal))
        if self._ignoring:
            return
        if not self._phase:
            if not self.is_idle() and not self.flow.write_paused:
                self._deadline = None  # an answer takes the time that it takes
            return
        if (self._phase, self._begun) == before:
            self._size += len(data)
            if self._phase == "header" and self._size > self._limits.header_bytes:
                self._refuse(431, _TOO_LONG)
            elif self._phase == "body" and self._size > self._limits.body_bytes:
                self._refuse(413, "The request is too large.")
        elif self._phase == "header":
            self._expect_within(self._limits.header_seconds)
        else:
            self._expect_within(self._limits.body_seconds)

    def _refuse_in_parser(self, status: int, text: str) -> None:
        self._refusal = _Refused(status, text)
        raise self._refusal

    def _without_upgrade(self) -> bytes:
        """Write the head anew, as one that asks for no other protocol, for a parser to begin anew.

        httptools takes what follows such a head for another protocol, or for the next request,
        though it may be the body: Java's HttpClient asks for h2c with every first POST.
        """
        version = self.parser.get_http_version().encode()
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + version]
        for name, value in self.headers:
            if name == b"connection":
                kept = [one for one in value.split(b",") if one.strip().lower() != b"upgrade"]
                lines.append(b"connection: " + b",".join(kept))
            elif name != b"upgrade":
                lines.append(name + b": " + value)
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return b"\r\n".join([*lines, b"", b""])

    def on_message_begin(self) -> None:
        """Begin a request."""
        if len(self.pipeline) >= self._limits.pipelined:
            self._refuse_in_parser(503, "Too many requests wait for their answers.")
        super().on_message_begin()
        self._phase = "header"
        self._begun += 1
        self._size = 0
        self._hosts = 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the request line."""
        self._grow(len(url))
        super().on_url(url)
        if len(self.url) > self._limits.url_bytes:
            self._refuse_in_parser(414, "The address is too long.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a trailer is counted and dropped, since nothing may depend on one."""
        self._grow(len(name) + len(value) + 4)
        if self._phase != "header":
            return
        if name.lower() == b"host":
            self._hosts += 1
            if self._hosts > 1 or not _HOST.fullmatch(value):
                self._refuse_in_parser(400, "The request must name one host.")
        super().on_header(name, value)

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._limits.header_bytes and self._phase == "header":
            self._refuse_in_parser(431, _TOO_LONG)

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        if not self._hosts and self.parser.get_http_version() != "1.0":
            self._refuse_in_parser(400, "The request must name one host.")
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self._refuse_in_parser(400, "This is no proxy.")
            self._phase = ""  # it is read again, without the wish
            return
        super().on_headers_complete()
        self._phase = "body"
        self._size = 0

    def on_message_complete(self) -> None:
        """End a request."""
        if self._phase != "body":
            return
        self._phase = ""
        super().on_message_complete()

    # --- answering --------------------------------------------------------------------------------

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGIApp) -> None:  # type: ignore[override]
        self._answering = cycle
        if self._leaving and not self.pipeline:
            cycle.keep_alive = False
        self._out = _Answering(self.transport, self._part)
        cycle.transport = self._out  # type: ignore[assignment]
        cycle.scope["services88.transport"] = self.transport  # type: ignore[typeddict-unknown-key]
        super()._start_asgi_task(cycle, app)  # type: ignore[arg-type]

    def on_response_complete(self) -> None:
        """Go on to the next request that waits; only when none does, read more."""
        self.server_state.total_requests += 1
        if self._out is not None:
            self._out.flush()
        if self.transport.is_closing():
            self._expect_within(self._limits.idle_seconds)
        elif self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())  # type: ignore[arg-type]
        else:
            self.flow.resume_reading()
            if not self._phase:
                self._expect_within(self._limits.idle_seconds)

    def _refuse(self, status: int, text: str) -> None:
        """Refuse the request being read, after the answers to those before it, and close."""
        self._ignoring = True
        unfinished = self.cycle if self._phase == "body" else None
        if unfinished is not None and self.pipeline and self.pipeline[0][0] is unfinished:
            self.pipeline.popleft()
            unfinished = None
        elif unfinished is not None:
            answered = unfinished.response_started
            unfinished.disconnected = True
            unfinished.message_event.set()
            if answered:
                self.transport.close()
                return
        if unfinished is None:
            last = self.pipeline[0][0] if self.pipeline else self._answering
            if last is not None and not last.response_complete:
                last.keep_alive = False  # its answer is the last, and closes
                self._deadline = None
                return
        self._expect_within(self._limits.idle_seconds)
        content = f"{text}\n".encode()
        self.transport.write(
            STATUS_LINE[status]
            + b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
            + b"".join(b"%s: %s\r\n" % pair for pair in FOR_BROWSERS)
            + f"content-length: {len(content)}\r\n\r\n".encode()
            + content
        )
        if self._phase:
            self._linger()
        else:
            self.transport.close()

    def _part(self) -> None:
        """Close after an answer."""
        if self._phase:
            self._linger()
        else:
            self.transport.close()

    def _linger(self) -> None:
        """Close when the client has stopped sending (RFC 9112, section 9.6).

        Closed at once, the answer would be lost with what nobody has read: TCP then resets.
        """
        self._ignoring = True
        self._phase = ""
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._expect_within(_LINGER_SECONDS)
