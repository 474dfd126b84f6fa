"""Masking secrets in what was on the wire, well-formed or not.

Shown is only what is known to be no secret; all else becomes ``***``. Of a message those are the
markup of the contract and of SOAP, and the values that the contract's own reader takes for fields
that are not secret. A password can stand anywhere (in a misspelt element, a comment, an attribute,
even as a name), so nothing is looked for by what it looks like. What cannot be read as XML at all
is masked whole.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from services88.contract import AGENTS
from services88.contract import namespaces as ns
from services88.contract.headers import (
    APPLICATION_TOKEN,
    CREDENTIALS,
    EXCEPTION_INFO,
    EXTRA_INFO,
    SUCCEEDED,
    TIME_ZONE,
)
from services88.contract.model import (
    Agent,
    ArrayType,
    Complex,
    ComplexType,
    DictionaryType,
    Field,
    Header,
    Operation,
    Type,
    complex_type,
)
from services88.soap.envelopes import open_envelope
from services88.soap.faults import SoapError
from services88.soap.reading import Malformed, reader_of
from services88.soap.versions import VERSIONS
from services88.soap.xml import Element, NotAcceptable, parse, text_of
from services88.web.http import MAXIMUM_BODY

__all__ = [
    "MASK",
    "is_known",
    "is_known_media_type",
    "is_known_namespace",
    "mask_answer",
    "mask_answer_headers",
    "mask_headers",
    "mask_message",
    "mask_path",
    "mask_query",
    "mask_text",
    "unknown_names",
]

MASK = "***"


# --- what is known --------------------------------------------------------------------------------


def _words() -> Iterator[str]:
    """List every name of the contract."""
    seen: set[int] = set()

    def visit(one: Type) -> Iterator[str]:
        if id(one) in seen:
            return
        seen.add(id(one))
        yield one.name
        match one:
            case ArrayType(item=item):
                yield from visit(item)
            case DictionaryType(value=value, item_name=item_name):
                yield from (item_name, "Key", "Value")
                yield from visit(value)
            case ComplexType(cls=cls):
                yield from take(one.fields)
                for child in cls.__subclasses__():
                    yield from visit(complex_type(child))

    def take(fields: Iterable[Field]) -> Iterator[str]:
        for one in fields:
            yield one.name
            yield from visit(one.type)

    for agent in AGENTS.values():
        yield agent.name
        for header in agent.known_headers:
            yield header.name
            yield from visit(header.type)
        for operation in agent.operations.values():
            yield from (operation.name, operation.response_element)
            yield from take(operation.request)
            yield from take(operation.response)


_OTHER_WORDS = """
    Envelope Header Body Fault faultcode faultstring faultactor detail Code Subcode Reason Text Role
    Node NotUnderstood Upgrade SupportedEnvelope mustUnderstand actor role relay encodingStyle nil
    type id Id lang To From Action MessageID ReplyTo FaultTo RelatesTo Address EndpointReference
    ReferenceParameters Security UsernameToken Username Password Nonce Created Timestamp Expires
    BinarySecurityToken IsReferenceParameter xmlns xml
"""  # SOAP 1.1 and 1.2, XML Schema, WS-Addressing, WS-Security
_WORDS = frozenset(word.lower() for word in (*_words(), *_OTHER_WORDS.split()))
_XSD = frozenset(
    {"string", "int", "short", "long", "boolean", "dateTime", "base64Binary", "double"}
)
_PREFIX = re.compile(
    "[A-Za-z][0-9]?|ns[0-9]{1,3}|soap(?:env|-env|-enc|1[12])?|env|enc|xsi|xsd|tns|web|ser|arr|typ|"
    "wsse|wsu|wsa|xml|"
    + "|".join({p for agent in AGENTS.values() for p in agent.prefixes.values()}),
    re.IGNORECASE,
)
_NAMESPACE = re.compile(
    r"http://www\.superoffice\.net/ws/crm/NetServer/Services[0-9]{2}"
    r"|http://schemas\.xmlsoap\.org/(?:soap|ws)/[a-z0-9/]{1,40}"
    r"|http://www\.w3\.org/(?:2001/XMLSchema(?:-instance)?|2003/05/soap-(?:envelope|encoding)"
    r"|2005/08/addressing(?:/(?:anonymous|none))?|XML/1998/namespace)"
    r"|http://docs\.oasis-open\.org/wss/2004/01/oasis-200401-wss-wssecurity-[a-z]{1,20}-1\.0\.xsd"
    r"|http://schemas\.microsoft\.com/2003/10/Serialization/(?:Arrays)?"
    rf"|{re.escape(ns.CRYPTOGRAPHY)}"
)
_NAMESPACES = frozenset(
    {
        *(space for agent in AGENTS.values() for space in agent.prefixes),
        *(version.namespace for version in VERSIONS.values()),
        *(version.encoding for version in VERSIONS.values()),
        *(role for version in VERSIONS.values() for role in version.roles),
    }
)
_ACTIONS = frozenset(
    operation.action for agent in AGENTS.values() for operation in agent.operations.values()
)


def is_known(name: str) -> bool:
    """Check that a local name is one of the contract, or of what surrounds it in an envelope."""
    return name.lower() in _WORDS


def is_known_namespace(namespace: str) -> bool:
    """Check that a namespace is one that messages of such services have."""
    return namespace in _NAMESPACES or _NAMESPACE.fullmatch(namespace) is not None


def unknown_names(root: Element) -> set[str]:
    """Collect the names and namespaces of header blocks that a response may repeat."""
    found: set[str] = set()
    for part in root:
        for block in part if part.name == "Header" else ():
            found |= {one for one in (block.name,) if not is_known(one)}
            found |= {one for one in (block.namespace,) if one and not is_known_namespace(one)}
    return found


# --- messages -------------------------------------------------------------------------------------


def mask_message(
    body: bytes,
    *,
    agent: Agent | None = None,
    charset: str | None = None,
    values: Iterable[str] = (),
) -> bytes:
    """Return a request with all masked that is not known to be no secret; in UTF-8.

    :param agent: The service that it was sent to; where None, no value is known.
    :param charset: What the transport says of its encoding.
    :param values: Secrets that were read from the message; masked in other fields as well.
    """
    if not body:
        return body
    opened = _opened(body, charset)
    if opened is not None:
        text, root = opened
        found = _of_message(root, agent)
        found.texts = {of: mask_text(value, values) for of, value in found.texts.items()}
        written = _write(text, root, found, is_ours=False)
        if written is not None:
            return written.encode()
    return f"{MASK} ({len(body)} bytes that cannot be read as a message)".encode()


def mask_answer(
    body: bytes, operation: Operation | None, agent: Agent | None, values: Iterable[str] = ()
) -> bytes:
    """Return a response of ours with the secrets in it masked.

    :param operation: The operation that it answers; None where there is only a fault.
    :param values: What was in the request and a fault may repeat; see :func:`unknown_names`.
    """
    opened = _opened(body, "utf-8", most=None)
    if opened is not None:
        text, root = opened
        written = _write(text, root, _of_answer(root, operation, agent), is_ours=True)
        if written is not None:
            return mask_text(written, values).encode()
    return f"{MASK} ({len(body)} bytes that cannot be read as a message)".encode()


def _opened(
    body: bytes, charset: str | None, most: int | None = MAXIMUM_BODY
) -> tuple[str, Element] | None:
    if most is not None and len(body) > most:
        return None
    for encoding in _encodings(body, charset):
        try:
            text = body.decode(encoding)
            return text, parse(text.encode(), "utf-8")
        except (UnicodeError, NotAcceptable):
            continue
    return None


def _encodings(body: bytes, charset: str | None) -> Sequence[str]:
    if body.startswith(b"\xef\xbb\xbf"):
        return ("utf-8-sig",)
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    if b"\0" in body[:4] or (charset or "").startswith("utf-16"):
        return ("utf-16-le", "utf-16-be")
    return ("utf-8", "latin-1")


@dataclass(slots=True)
class _Recognised:
    """What the reader of the contract takes for what, by the identity of elements.

    :ivar texts: The values that are no secret.
    :ivar holders: Elements that hold elements; blanks in them are layout.
    """

    texts: dict[int, str] = field(default_factory=dict)
    holders: set[int] = field(default_factory=set)
    is_ours: bool = False

    def take_headers(self, blocks: Iterable[Element], known: Iterable[Header]) -> None:
        self.take_fields(
            [(f"{{{ns.SERVICES88}}}{one.name}", one.type, one.secret) for one in known], blocks
        )

    def take_of(self, fields: Iterable[Field], namespace: str, element: Element) -> None:
        self.holders.add(id(element))
        self.take_fields(
            [(f"{{{namespace}}}{one.name}", one.type, one.secret) for one in fields], element
        )

    def take_fields(
        self, fields: Iterable[tuple[str, Type, bool]], elements: Iterable[Element]
    ) -> None:
        found = {tag: of for tag, of, is_secret in fields if not is_secret}
        elements = list(elements)
        count = Counter(one.tag for one in elements)
        for one in elements:
            if one.tag in found and count[one.tag] == 1:  # given twice, neither is read
                self.take(found[one.tag], one)

    def take(self, of: Type, element: Element) -> None:
        """Take a value, as far as it can be read."""
        if (element.get(_NIL) or "").strip() in ("true", "1"):
            return
        try:
            value = reader_of(of)(element)
        except Malformed:
            return
        match of:
            case ComplexType():
                actual = complex_type(type(value)) if isinstance(value, Complex) else of
                self.take_of(actual.fields, actual.namespace, element)
            case ArrayType(item=item):
                self.holders.add(id(element))
                for child in element:
                    if child.tag == f"{{{of.namespace}}}{item.name}":
                        self.take(item, child)
            case DictionaryType():
                self.holders |= {id(element), *map(id, element)}
                if self.is_ours:  # in a request its keys and values are anybody's
                    for pair in element:
                        self.texts |= {id(one): one.text for one in pair if not len(one)}
            case _ if not isinstance(value, bytes):
                self.texts[id(element)] = element.text

    def take_all(self, element: Element) -> None:
        if len(element):
            self.holders.add(id(element))
            for child in element:
                self.take_all(child)
        else:
            self.texts[id(element)] = element.text


_NIL = f"{{{ns.XML_SCHEMA_INSTANCE}}}nil"
_SENT = (APPLICATION_TOKEN, CREDENTIALS, TIME_ZONE)
_ANSWERED = (EXCEPTION_INFO, EXTRA_INFO, SUCCEEDED, TIME_ZONE)


def _of_message(root: Element, agent: Agent | None) -> _Recognised:
    found = _Recognised()
    try:
        envelope = open_envelope(root)
    except SoapError:
        return found
    found.holders |= {id(root), *(id(one) for one in root if one.name in ("Header", "Body"))}
    if agent is None:
        return found
    tags = {f"{{{ns.SERVICES88}}}{one.name}" for one in _SENT}
    inside = [block for block in envelope.headers if block.tag in tags]
    if not (inside and envelope.documented):
        found.take_headers(inside or envelope.documented, _SENT)
    if len(envelope.body) == 1:
        element = envelope.body[0]
        operation = agent.operations.get(element.name)
        if operation is not None and element.namespace == ns.SERVICES88:
            found.take_of(operation.request, ns.SERVICES88, element)
    return found


def _of_answer(root: Element, operation: Operation | None, agent: Agent | None) -> _Recognised:
    found = _Recognised(is_ours=True)
    version = VERSIONS.get(root.namespace)
    if version is None:
        return found
    found.holders |= {id(root), *map(id, root)}
    for part in root:
        if part.name == "Header":
            found.take_headers(part, agent.known_headers if agent else _ANSWERED)
            continue
        for element in part:
            if element.tag == f"{{{version.namespace}}}Fault":
                found.take_all(element)
            elif operation is not None and element.name == operation.response_element:
                found.take_of(operation.response, ns.SERVICES88, element)
    return found


_TOKEN = re.compile(
    r"<!--(?P<comment>.*?)-->|<!\[CDATA\[(?P<cdata>.*?)\]\]>|<\?(?P<declaration>.*?)\?>"
    r"|</(?P<close>[^\s>]+)\s*>"
    r"|<(?P<open>[^\s/>!?]+)(?P<attributes>(?:[^>\"'/]|\"[^\"]*\"|'[^']*')*)(?P<empty>/?)>"
    r"|(?P<text>[^<]+)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"(\s+)([^\s=]+)(\s*=\s*)(\"[^\"]*\"|'[^']*')")
_DECLARATION = re.compile(
    r"""xml\s+version=["']1\.[0-9]["'](?:\s+encoding=["'](?:utf-?8|utf-16(?:le|be)?|us-ascii|"""
    r"""iso-8859-1)["'])?(?:\s+standalone=["'](?:yes|no)["'])?\s*""",
    re.IGNORECASE,
)


def _in_order(root: Element) -> Iterator[Element]:
    """List elements as their start tags come."""
    waiting = [root]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(reversed(list(one)))


def _write(text: str, root: Element, found: _Recognised, *, is_ours: bool) -> str | None:
    """Write a document again, masked; None where its tags are not those that were read.

    The text was read as XML before, without DOCTYPE and processing instructions, so that its tokens
    can be told apart by a regular expression.
    """
    out: list[str] = []
    around: list[Element] = []
    order = _in_order(root)
    at = 0
    for token in _TOKEN.finditer(text):
        if token.start() != at:
            return None
        at = token.end()
        inner = around[-1] if around else None
        if token["open"] is not None:
            element = next(order, None)
            if element is None or element.name != token["open"].rpartition(":")[2]:
                return None
            out.append(token[0] if is_ours else _tag(token))
            if not token["empty"]:
                around.append(element)
                out.append(text_of(found.texts.get(id(element), "")))
        elif token["close"] is not None:
            if not around:
                return None
            around.pop()
            out.append(token[0] if is_ours else f"</{_name(token['close'])}>")
        elif inner is not None and id(inner) in found.texts:
            continue  # it was written as it was read, however it was spelt
        elif token["declaration"] is not None:
            known = _DECLARATION.fullmatch(token["declaration"])
            out.append(token[0] if known else f"<?xml {MASK}?>")
        elif token["comment"] is not None:
            out.append(f"<!--{MASK}-->")
        elif token[0].isspace() and (inner is None or len(inner) or id(inner) in found.holders):
            out.append(token[0])
        elif out[-1] != MASK:
            out.append(MASK)
    return "".join(out) if at == len(text) and not around else None


def _tag(token: re.Match[str]) -> str:
    attributes = _ATTRIBUTE.sub(_attribute, token["attributes"])
    return f"<{_name(token['open'])}{attributes}{token['empty']}>"


def _name(name: str) -> str:
    prefix, colon, local = name.rpartition(":")
    shown = prefix if not prefix or _PREFIX.fullmatch(prefix) else MASK
    return f"{shown}{colon}{local if is_known(local) else MASK}"


def _attribute(found: re.Match[str]) -> str:
    blank, name, equals, quoted = found.groups()
    value = quoted[1:-1]
    prefix, _, local = name.rpartition(":")
    if prefix == "xmlns":
        shown = f"xmlns:{local if _PREFIX.fullmatch(local) else MASK}"
        is_shown = is_known_namespace(value)
    else:
        shown = _name(name)
        is_shown = shown == name and _is_known_value(local, value)
    return f"{blank}{shown}{equals}{quoted if is_shown else f'{quoted[0]}{MASK}{quoted[0]}'}"


def _is_known_value(name: str, value: str) -> bool:
    if name in ("nil", "mustUnderstand", "relay"):
        return value in ("0", "1", "true", "false")
    if name == "type":
        prefix, _, local = value.rpartition(":")
        return (not prefix or _PREFIX.fullmatch(prefix) is not None) and (
            local in _XSD or is_known(local)
        )
    if name in ("xmlns", "actor", "role", "encodingStyle"):
        return is_known_namespace(value)
    return False


# --- texts, headers and addresses -----------------------------------------------------------------

_TICKET = re.compile(r"7T(?::|%3[Aa]|&#(?:0*58|[xX]0*3[aA]);)[A-Za-z0-9+/=%&#;]+")
_SHORTEST = 4
"""Shorter values stand everywhere, and mean nothing outside their element."""


def mask_text(text: str, values: Iterable[str] = ()) -> str:
    """Mask tickets, and values that are given, in a text."""
    for value in sorted({value for value in values if len(value) >= _SHORTEST}, key=len)[::-1]:
        for form in {value, text_of(value)}:  # as it is, and as XML holds it
            text = text.replace(form, MASK)
    return _TICKET.sub(MASK, text)


_MEDIA_TYPES = frozenset(
    {"text/xml", "application/soap+xml", "application/xml", "application/json", "text/plain",
     "text/html", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/related",
     "application/octet-stream", "application/xhtml+xml"}
)  # fmt: skip
_CHARSETS = frozenset({"utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "iso-8859-1"})
_HEADER_WORDS = _MEDIA_TYPES | {
    "*", "*/*", "text/*", "image/*", "gzip", "deflate", "br", "zstd", "identity", "keep-alive",
    "close", "chunked", "no-cache", "no-store", "100-continue", "trailers", "en", "en-us", "http",
    "https", "upgrade",
}  # fmt: skip
_IN_WORDS = frozenset(
    {"accept", "accept-encoding", "accept-language", "connection", "transfer-encoding", "expect",
     "cache-control", "pragma", "te", "x-forwarded-proto"}
)  # fmt: skip
_MASKED_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "referer", "origin", "x-request-id",
     "x-forwarded-host", "forwarded", "via", "upgrade"}
)  # fmt: skip
_QUALITY = re.compile(r"q=[01](?:\.[0-9]{1,3})?|max-age=0")
_BY_FORM = {
    "host": re.compile(r"[A-Za-z0-9._-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?"),
    "content-length": re.compile("[0-9]{1,12}"),
    "x-forwarded-for": re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"),
    "user-agent": re.compile(
        r"(?:(?:Python|Python-urllib|python-requests|python-httpx|zeep|suds|axios|node|undici|"
        r"PHP-SOAP|PHP|gSOAP|Apache-CXF|Axis|Axis2|Java|okhttp|curl|Wget|Go-http-client|Mono)"
        r"/[0-9]{1,3}(?:\.[0-9]{1,5}){0,3}|node|\(www\.python-zeep\.org\)| )+",
        re.IGNORECASE,
    ),
}
_SECRET_HEADER = re.compile(r"auth|cookie|credential|api-?key")


def is_known_media_type(name: str) -> bool:
    """Check that a media type is one that clients send."""
    return name in _MEDIA_TYPES


def mask_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Mask the headers of a request but for what is known to be no secret."""
    headers = tuple(headers)
    forwarded = any(name.lower() == "x-forwarded-host" for name, _ in headers)
    return tuple(
        # Host was the sandbox's own, unless a forwarded one has taken its place.
        (name, MASK) if forwarded and name.lower() == "host" else _header(name, value)
        for name, value in headers
    )


def _header(name: str, value: str) -> tuple[str, str]:
    lower = name.lower()
    if lower == "content-type":
        return name, _content_type(value)
    if lower == "soapaction":
        return name, value if value.strip().strip('"') in (*_ACTIONS, "") else MASK
    if lower in _BY_FORM:
        return name, value if _BY_FORM[lower].fullmatch(value) else MASK
    if lower in _IN_WORDS:
        parts = [part.strip().lower() for part in re.split("[,;]", value)]
        known = all(part in _HEADER_WORDS or _QUALITY.fullmatch(part) for part in parts)
        return name, value if known else MASK
    return (name if lower in _MASKED_HEADERS else MASK), MASK


def _content_type(value: str) -> str:
    name, *parameters = value.split(";")
    shown = [name if is_known_media_type(name.strip().lower()) else MASK]
    for parameter in parameters:
        key, _, given = parameter.partition("=")
        given = given.strip().strip('"')
        known = (key.strip().lower() == "charset" and given.lower() in _CHARSETS) or (
            key.strip().lower() == "action" and given in _ACTIONS
        )
        shown.append(parameter if known else f" {MASK}")
    return ";".join(shown)


def mask_answer_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Mask the headers of a response of ours: what is secret, and what repeats the request."""
    return tuple(
        (name, _content_type(value))
        if name.lower() == "content-type"
        else (name, MASK if _repeats(name, value) else value)
        for name, value in headers
    )


def _repeats(name: str, value: str) -> bool:
    if name.lower() == "x-request-id":
        return re.fullmatch("[0-9a-f]{16}", value) is None  # a client chose it
    return _SECRET_HEADER.search(name.lower()) is not None


def mask_query(query: str) -> str:
    """Mask a query but for names that are known."""
    return "&".join(_parameter(part) for part in query.split("&"))


def _parameter(part: str) -> str:
    name, equals, value = part.partition("=")
    shown = name if name.lower() in ("", "wsdl", "singlewsdl") or is_known(name) else MASK
    return f"{shown}{equals}{MASK if value else ''}"


_SEGMENT = re.compile(r"remote|services[0-9]{2}|[a-z]{1,40}\.svc", re.IGNORECASE)


def mask_path(path: str, tenant: str | None = None) -> str:
    """Mask the path of an address but for services, others' too, and the tenant that it names.

    :param path: As it was asked for, without escapes.
    """

    def shown(segment: str) -> str:
        lower = unquote(segment).lower()
        known = not segment or _SEGMENT.fullmatch(segment)
        return quote(segment) if known or (tenant and lower == tenant.lower()) else MASK

    return "/".join(map(shown, path.split("/")))
