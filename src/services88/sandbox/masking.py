"""Masking secrets in what was on the wire, well-formed or not.

What is a secret follows from the contract, which marks its secret fields, and from names that look
like one but are none of the contract's (a misspelt ``<Pasword>`` is still somebody's password). It
errs to the safe side: where it is unclear where a secret ends, all that follows is masked.
"""

import re
from collections.abc import Iterable

from services88.contract import AGENTS
from services88.contract.model import (
    ArrayType,
    ComplexType,
    DictionaryType,
    Field,
    Operation,
    Type,
    complex_type,
)

__all__ = ["MASK", "mask_body", "mask_headers", "mask_query", "mask_text"]

MASK = "***"


def _declared() -> tuple[frozenset[str], frozenset[str]]:
    """Collect the names of secret fields, and all other names of the contract, in lower case."""
    secret: set[str] = set()
    public: set[str] = set()
    seen: set[int] = set()

    def visit(one: Type) -> None:
        if id(one) in seen:
            return
        seen.add(id(one))
        public.add(one.name.lower())
        match one:
            case ArrayType(item=item):
                visit(item)
            case DictionaryType(value=value, item_name=item_name):
                public.add(item_name.lower())
                visit(value)
            case ComplexType(cls=cls):
                take(one.fields)
                for child in cls.__subclasses__():
                    visit(complex_type(child))

    def take(fields: Iterable[Field]) -> None:
        for field in fields:
            (secret if field.secret else public).add(field.name.lower())
            visit(field.type)

    for agent in AGENTS.values():
        for header in agent.known_headers:
            (secret if header.secret else public).add(header.name.lower())
            visit(header.type)
        for operation in agent.operations.values():
            public |= {operation.name.lower(), operation.response_element.lower()}
            take(operation.request)
            for field in operation.response:
                visit(field.type)
    # A carrier of several answers has a field Response, which is secret in some; see mask_body.
    return frozenset(secret), frozenset(public - secret)


_SECRET, _PUBLIC = _declared()
_LOOKS_SECRET = re.compile(r"pass?wo?r?d|pwd|passw|ticket|token|secret|passphrase|kennwort|passord")
_START = re.compile(r"<(?![/!?])\s*(?:[^\s<>/:=\"']{1,64}:)?([^\s<>/:=\"']{1,128})")
_TICKET = re.compile(r"7T:[A-Za-z0-9+/=%&#;]+")
_KEY_BEFORE = re.compile(r"</(?:[\w.-]+:)?Key\s*>\s*$")
_NEAR = 256
"""Characters before an element in which the end of its neighbour is looked for."""
_QUIET_ATTRIBUTE = re.compile(r"\s*(?:xmlns(?::[\w.-]+)?|(?:[\w.-]+:)?(?:nil|type))\s*=\s*\Z")
_ATTRIBUTE = re.compile(r"([^=<>\"']*=\s*)(\"[^\"]*\"|'[^']*')")
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


def _is_secret(name: str) -> bool:
    lower = name.lower()
    if lower in _SECRET:
        return True
    return lower not in _PUBLIC and _LOOKS_SECRET.search(lower) is not None


def mask_body(
    body: bytes, *, operation: Operation | None = None, values: Iterable[str] = ()
) -> bytes:
    """Mask the secrets of a message.

    :param operation: The operation whose answer this is, since some answer with a secret.
    :param values: Secrets that were read from the message; masked wherever they stand.
    """
    if not body:
        return body
    text, encoding = _decoded(body)
    if text is None or (_START.search(text) is None):
        return f"{MASK} ({len(body)} bytes that are no XML)".encode()
    extra = frozenset(
        field.name.lower() for field in (operation.response if operation else ()) if field.secret
    )
    masked = mask_text(_mask_elements(text, extra), values)
    return masked.encode(encoding, "surrogatepass" if encoding != "latin-1" else "replace")


def _decoded(body: bytes) -> tuple[str | None, str]:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if body.startswith(mark) or b"<\0"[:: 1 if encoding == "utf-16-le" else -1] in body[:64]:
            even = body[: len(body) // 2 * 2]
            text = even.decode(encoding, "replace")
            return (text if "Envelope" in text else None), encoding
    if b"\0" in body or b"<" not in body:
        return None, ""
    # Names are ASCII; latin-1 leaves every byte as it is, whatever it means.
    return body.decode("latin-1"), "latin-1"


def _mask_elements(text: str, extra: frozenset[str]) -> str:
    out: list[str] = []
    at = 0
    while (start := _START.search(text, at)) is not None:
        name = start[1]
        secret = _is_secret(name) or name.lower() in extra
        if (
            secret
            and name.lower() == "value"
            and _KEY_BEFORE.search(text, max(0, start.start() - _NEAR), start.start())
        ):
            secret = False  # the value of a dictionary's pair
        out.append(text[at : start.end()])
        at = start.end()
        if not secret:
            continue
        end_of_tag = _end_of_tag(text, at)
        if end_of_tag is None:  # not even the tag ends
            out.append(MASK)
            return "".join(out)
        out.append(_ATTRIBUTE.sub(_masked_attribute, text[at:end_of_tag]))
        at = end_of_tag
        if text[at - 2 : at] == "/>":
            continue
        close = re.compile(rf"</\s*(?:[^\s<>/:]+:)?{re.escape(name)}\s*>").search(text, at)
        if close is None:
            out.append(MASK)
            return "".join(out)
        if close.start() > at:
            out.append(MASK)
        at = close.start()
    out.append(text[at:])
    return "".join(out)


def _end_of_tag(text: str, at: int) -> int | None:
    quote = ""
    for position in range(at, len(text)):
        character = text[position]
        if quote:
            if character == quote:
                quote = ""
        elif character in "\"'":
            quote = character
        elif character == ">":
            return position + 1
        elif character == "<":
            return None
    return None


def _masked_attribute(found: re.Match[str]) -> str:
    if _QUIET_ATTRIBUTE.match(found[1]):
        return found[0]
    return f'{found[1]}"{MASK}"'


def mask_text(text: str, values: Iterable[str] = ()) -> str:
    """Mask tickets, and secrets that are known, in a text."""
    for value in sorted({value for value in values if len(value) >= _SHORTEST}, key=len)[::-1]:
        for form in (value, value.encode().decode("latin-1"), _escaped(value)):
            text = text.replace(form, MASK)
    return _TICKET.sub(MASK, text)


_SHORTEST = 4
"""Shorter values stand everywhere, and mean nothing outside their element."""


def _escaped(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mask_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Mask the headers of HTTP that hold secrets."""
    return tuple(
        (name, MASK)
        if name.lower() in _SECRET_HEADERS or _is_secret(name)
        else (name, mask_text(value))
        for name, value in headers
    )


def mask_query(query: str) -> str:
    """Mask the parameters of a query that hold secrets."""
    parts = (part.partition("=") for part in query.split("&"))
    return "&".join(
        f"{name}{equals}{MASK if equals and _is_secret(name) else mask_text(value)}"
        for name, equals, value in parts
    )
