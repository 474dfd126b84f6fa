"""The parts of HTTP that the endpoints need: bodies, media types, cookies, queries, plain answers.

What a stranger wrote is read here by rules of our own, in a time that grows with its length and no
faster. Those of the standard library (``http.cookies``, ``email``) take its square.
"""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from starlette.types import Receive, Scope, Send

from services88.store.errors import DatabaseUnavailable, OutcomeUnknown
from services88.texts import _, marked

__all__ = [
    "FOR_BROWSERS",
    "RETRY_AFTER",
    "HttpRefusal",
    "MediaType",
    "cookie",
    "form_fields",
    "header",
    "outage",
    "query",
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
        """Read a Content-Type header (RFC 9110, 8.3); one that is malformed or too long is none."""
        if len(value) > _LONGEST:
            return cls("", None, None)
        return (_media_type if len(value) <= _KEPT else _read_media_type)(value)


_KEPT = 200  # clients send the same few values; what is longer is read each time, and not kept
_LONGEST = 1000
"""Characters of a Content-Type."""

_PARAMETER = re.compile(
    r"[ \t]*;[ \t]*"
    r"""(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^\s";]*)|[^\s";=]*)"""
    r"[ \t]*"
)
"""Of RFC 9110, 5.6.6; one without a value is read too, and means nothing."""


def _read_media_type(value: str) -> MediaType:
    name, _, _ = value.partition(";")
    parameters: dict[str, str] = {}
    position = len(name)
    while position < len(value):
        found = _PARAMETER.match(value, position)
        if found is None:
            return MediaType("", None, None)
        position = found.end()
        if found[1]:
            parameters.setdefault(found[1].lower(), _unquoted(found[2]))
    charset = parameters.get("charset")
    return MediaType(
        name.strip(" \t").lower(),
        None if charset is None else charset.lower(),
        parameters.get("action"),
    )


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


_media_type = lru_cache(256)(_read_media_type)


_COOKIE_VALUE = re.compile(r"[A-Za-z0-9+/=:_.-]{1,256}")


def cookie(scope: Scope, name: str) -> str | None:
    """Return the value of a cookie of ours; None where there is none, or one that is not ours.

    The values that we set have up to 256 letters, digits and ``+/=:_.-``, and are never quoted.
    """
    start = f"{name}=".encode("latin-1")
    value = None
    for key, sent in scope["headers"]:
        if key == b"cookie":
            for pair in sent.split(b";"):
                stripped = pair.strip(b" \t")
                if stripped.startswith(start):
                    value = stripped[len(start) :].decode("latin-1")
    return value if value is not None and _COOKIE_VALUE.fullmatch(value) else None


_LONGEST_QUERY = 8192
"""Bytes of a query."""


def query(scope: Scope) -> dict[str, str]:
    """Return the parameters of the query; the last of several of one name.

    :raises HttpRefusal: It has more than 8,192 bytes or 100 parameters.
    """
    text = scope["query_string"]
    if len(text) > _LONGEST_QUERY:
        raise HttpRefusal(414, f"The query of the address has more than {_LONGEST_QUERY} bytes.")
    try:
        found = _pairs(text, "replace")
    except ValueError:
        raise HttpRefusal(
            400, f"The query of the address has more than {_MOST_FIELDS} parameters."
        ) from None
    return {name: values[-1] for name, values in found.items()}


def form_fields(body: bytes) -> dict[str, list[str]]:
    """Read ``application/x-www-form-urlencoded``, in UTF-8.

    :raises ValueError: It is none, or has more than 100 fields.
    """
    if _NO_ESCAPE.search(body):  # the library reads it, in five times the time
        raise ValueError("a percent sign is followed by two hexadecimal digits")
    return _pairs(body, "strict")


_NO_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def _pairs(text: bytes, errors: str) -> dict[str, list[str]]:
    pairs = text.split(b"&", _MOST_FIELDS)
    if len(pairs) > _MOST_FIELDS:
        raise ValueError(f"there are more than {_MOST_FIELDS} fields")

    def decoded(part: bytes) -> str:
        return unquote_to_bytes(part.replace(b"+", b" ")).decode("utf-8", errors)

    found: dict[str, list[str]] = {}
    for pair in filter(None, pairs):
        name, _, value = pair.partition(b"=")
        found.setdefault(decoded(name), []).append(decoded(value))
    return found


_MOST_FIELDS = 100


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
    if announced and _NUMBER.fullmatch(announced) and int(announced) > MAXIMUM_BODY:
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


_NUMBER = re.compile("[0-9]{1,18}")  # httptools takes no more


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
