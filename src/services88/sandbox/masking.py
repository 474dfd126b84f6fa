"""Masking secrets in what was on the wire, well-formed or not.

What is a secret follows from the contract, which marks its secret fields, and from names that look
like one but are none of the contract's (a misspelt ``<Pasword>`` is still somebody's password). It
errs to the safe side: where it is unclear where a secret ends, all that follows is masked.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote_plus

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
_START = re.compile(r"<(?![/!?])\s*(?:[^\s<>/:=\"']+:)?([^\s<>/:=\"']+)")
_TICKET = re.compile(r"7T(?::|%3[Aa]|&#(?:0*58|[xX]0*3[aA]);)[A-Za-z0-9+/=%&#;]+")
_SUBSET = re.compile(r"(<!DOCTYPE[^\[<>]*\[)(?:.*(\]\s*>)|.*)", re.DOTALL | re.IGNORECASE)
"""What a document declares for itself: an entity can be a password."""
_KEY_BEFORE = re.compile(r"</(?:[\w.-]+:)?Key\s*>\s*$")
_NEAR = 256
"""Characters before an element in which the end of its neighbour is looked for."""
_QUIET_ATTRIBUTE = re.compile(r"\s*(?:xmlns(?::[\w.-]+)?|(?:[\w.-]+:)?(?:nil|type))\s*=\s*\Z")
_ATTRIBUTE = re.compile(r"([^=<>\"']*=\s*)(\"[^\"]*\"|'[^']*')")
_NAMED_ATTRIBUTE = re.compile(
    r"(?<![^\s\"'])((?:[\w.-]+:)?([\w.-]+)\s*=\s*)(\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z)|[^\s\"'/>]+)"
)
_SECRET_HEADER = re.compile(r"auth|cookie|credential|api-?key")


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
    if text is None or not text.lstrip("\ufeff\xef\xbb\xbf \t\r\n").startswith("<"):
        return f"{MASK} ({len(body)} bytes that are no XML)".encode()
    extra = frozenset(
        field.name.lower() for field in (operation.response if operation else ()) if field.secret
    )
    text = _SUBSET.sub(rf"\1{MASK}\2", text)
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
        end_of_tag = _end_of_tag(text, at)
        if not secret:
            if end_of_tag is None:
                following = text.find("<", at)
                end_of_tag = len(text) if following < 0 else following
            out.append(_NAMED_ATTRIBUTE.sub(_masked_where_secret, text[at:end_of_tag]))
            at = end_of_tag
            continue
        if end_of_tag is None:  # not even the tag ends
            out.append(MASK)
            return "".join(out)
        out.append(_ATTRIBUTE.sub(_masked_attribute, text[at:end_of_tag]))
        at = end_of_tag
        if text[at - 2 : at] == "/>":
            continue
        close = _end_of_element(text, at, name)
        if close is None:
            out.append(MASK)
            return "".join(out)
        if close > at:
            out.append(MASK)
        at = close
    out.append(text[at:])
    return "".join(out)


def _end_of_element(text: str, at: int, name: str) -> int | None:
    """Find where an element is closed: not in a comment or CDATA, nor by one of its name inside."""
    marks = re.compile(
        r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)"
        rf"|<(?P<close>/?)\s*(?:[^\s<>/:]+:)?{re.escape(name)}(?:\s[^<>]*?)?(?P<empty>/?)>",
        re.DOTALL,
    )
    depth = 1
    for mark in marks.finditer(text, at):
        if mark["close"] is None or mark["empty"]:
            continue
        depth += -1 if mark["close"] else 1
        if depth == 0:
            return mark.start()
    return None


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


def _masked_where_secret(found: re.Match[str]) -> str:
    quiet = found[1].startswith("xmlns:") or not _is_secret(found[2])
    return found[0] if quiet else f'{found[1]}"{MASK}"'


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
        if _SECRET_HEADER.search(name.lower()) or _is_secret(name)
        else (name, _mask_address(value))
        for name, value in headers
    )


def _mask_address(value: str) -> str:
    before, mark, query = value.partition("?")
    return mask_text(before) + mark + mask_query(query)


def mask_query(query: str) -> str:
    """Mask the parameters of a query that hold secrets."""
    return "&".join(_mask_parameter(part) for part in query.split("&"))


def _mask_parameter(part: str) -> str:
    name, equals, _ = part.partition("=")
    names = (one.partition("=")[0] for one in part.split(";"))  # some clients part them so
    if equals and any(_is_secret(unquote_plus(one).strip()) for one in names):
        return f"{mask_text(name)}={MASK}"
    return mask_text(part)
