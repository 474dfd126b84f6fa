"""The parts of HTTP that the service endpoints need: bodies, media types, plain answers."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache

from starlette.types import Receive, Scope, Send

from services88.store.errors import DatabaseUnavailable, OutcomeUnknown
from services88.texts import _, marked

__all__ = [
    "FOR_BROWSERS",
    "RETRY_AFTER",
    "HttpRefusal",
    "MediaType",
    "header",
    "outage",
    "read_body",
    "send_response",
]

RETRY_AFTER = 5
"""Seconds after which a database that did not answer may do so."""

_log = logging.getLogger("services88.calls")
_GONE = marked("The database does not answer. Nothing was changed. Try again in {} seconds.")
_UNKNOWN = marked(
    "The database went away while it kept the change: all of it is kept, or nothing. "
    "Look which, by signing in, before you try again."
)

MAXIMUM_BODY = 65_536
"""Bytes of a request body: WCF's documented default of MaxReceivedMessageSize."""


FOR_BROWSERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
)
"""What is no page of ours: should a browser get it, it keeps, runs, loads and frames nothing."""


class HttpRefusal(Exception):
    """What HTTP itself refuses, before there is a message: one line of text/plain."""

    def __init__(self, status: int, text: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(text)
        self.status = status
        self.headers = tuple(headers)


@dataclass(frozen=True, slots=True)
class MediaType:
    """A Content-Type, read."""

    name: str
    charset: str | None
    action: str | None

    @classmethod
    def of(cls, value: str) -> "MediaType":
        """Read a Content-Type header (RFC 9110, 8.3); one that is too long is none."""
        if len(value) > _LONGEST:
            return cls("", None, None)
        return (_media_type if len(value) <= _KEPT else _read_media_type)(value)


_KEPT = 200  # clients send the same few values; what is longer is read each time, and not kept
_LONGEST = 1000
"""Characters of a Content-Type. The time that reading one takes grows with their square."""


def _read_media_type(value: str) -> MediaType:
    message = Message()
    try:
        message["Content-Type"] = value
        charset = message.get_param("charset")
        action = message.get_param("action")
    except ValueError:  # parameters that RFC 2231 continues without end
        return MediaType("", None, None)
    return MediaType(
        message.get_content_type() if value else "",
        charset.lower() if isinstance(charset, str) else None,
        action if isinstance(action, str) else None,
    )


_media_type = lru_cache(256)(_read_media_type)


def outage(error: DatabaseUnavailable) -> str:
    """Log that the database failed, and say so to whoever calls: whether anything was changed."""
    unknown = isinstance(error, OutcomeUnknown)
    _log.error("the database %s: %s", "went away in a commit" if unknown else "fails", error)
    return _(_UNKNOWN) if unknown else _(_GONE).format(RETRY_AFTER)


def header(scope: Scope, name: bytes) -> str | None:
    """Give a request header's value; None where it is absent."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """Read a request's body.

    :raises HttpRefusal: It is longer than any message of the contract, or encoded.
    :raises ConnectionError: The client left before it was there.
    """
    encoding = header(scope, b"content-encoding")
    if encoding and encoding.strip().lower() != "identity":
        raise HttpRefusal(415, "Content-Encoding is not accepted: send the message as it is.")
    announced = header(scope, b"content-length")
    if announced and announced.isdigit() and int(announced) > MAXIMUM_BODY:
        raise _too_large()
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the client left")
        part = message.get("body", b"")
        size += len(part)
        if size > MAXIMUM_BODY:
            raise _too_large()
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_large() -> HttpRefusal:
    return HttpRefusal(
        413,
        f"The message is too large: at most {MAXIMUM_BODY} bytes are read.",
        [("connection", "close")],
    )


async def send_response(
    send: Send,
    status: int,
    content_type: str,
    body: bytes,
    headers: Iterable[tuple[str, str]] = (),
    *,
    without_body: bool = False,
) -> None:
    """Send an answer, always with its length (some clients cannot take a chunked one)."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", content_type.encode("latin-1")),
                (b"content-length", str(len(body)).encode()),
                *FOR_BROWSERS,
                *((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers),
            ],
        }
    )
    await send({"type": "http.response.body", "body": b"" if without_body else body})
