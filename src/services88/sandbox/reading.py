"""What a request holds, as far as it can be read: for the journal, and to know which fault fits."""

from collections import Counter
from dataclasses import dataclass
from dataclasses import field as dataclass_field

from services88.contract import AGENTS
from services88.contract import namespaces as ns
from services88.contract.model import Agent, Complex, Field, Operation, complex_type
from services88.sandbox import near_misses
from services88.sandbox.journal import NearMiss
from services88.sandbox.masking import MASK, mask_text, unknown_names
from services88.sandbox.near_misses import miss
from services88.soap.envelopes import Envelope, open_envelope, read_request
from services88.soap.faults import SoapError
from services88.soap.reading import Malformed, reader_of
from services88.soap.versions import SOAP11, SOAP12, Version
from services88.soap.xml import Element, NotAcceptable
from services88.soap.xml import parse as parse_xml
from services88.web.http import MediaType

__all__ = ["Reading", "read"]


@dataclass(slots=True)
class Reading:
    """A request, read leniently.

    :ivar name: Who would sign in; None where the call is made with a ticket.
    :ivar ticket: The ticket that came with it.
    :ivar secrets: Passwords, tickets and tokens that stand in it, for masking.
    :ivar repeated: What a fault may repeat of it and nobody knows to be no secret.
    """

    version: Version
    media_type: str
    documented: bool = False
    agent: Agent | None = None
    operation: Operation | None = None
    arguments: dict[str, object] = dataclass_field(default_factory=dict)
    name: str | None = None
    ticket: str | None = dataclass_field(default=None, repr=False)
    charset: str | None = None
    secrets: set[str] = dataclass_field(default_factory=set, repr=False)
    repeated: set[str] = dataclass_field(default_factory=set, repr=False)
    near_misses: list[NearMiss] = dataclass_field(default_factory=list)


def read(
    agent: Agent | None,
    method: str,
    path: str,
    query: str,
    headers: dict[str, str],
    body: bytes,
    *,
    keep_secrets: bool,
) -> Reading:
    """Read a request. Never fails: what cannot be read is left out."""
    content_type = headers.get("content-type")
    media = MediaType.of(content_type or "")
    version = SOAP12 if media.name == SOAP12.media_type else SOAP11
    reading = Reading(version, media.name or SOAP11.media_type, agent=agent, charset=media.charset)
    found = reading.near_misses
    found.extend(near_misses.in_address(path, query, method, agent))
    if agent is None or method != "POST":
        return reading
    found.extend(near_misses.in_media_type(content_type, media))
    root = _root(body, media, found)
    if root is None:
        return reading
    reading.repeated = unknown_names(root)
    found.extend(near_misses.in_envelope(root))
    try:
        envelope = open_envelope(root)
    except SoapError:
        return reading
    reading.version, reading.documented = envelope.version, bool(envelope.documented)
    if len(envelope.body) != 1:
        found.append(
            miss(
                "body-parts",
                f"the Body holds {len(envelope.body)} elements",
                "exactly one: the operation",
                "refused",
                accepted=False,
            )
        )
    _read_headers(reading, envelope)
    found.extend(near_misses.in_headers(envelope, agent))
    found.extend(_not_understood(agent, envelope))
    if len(envelope.body) == 0:
        return reading
    element = envelope.body[0]
    found.extend(near_misses.of_operation(agent, element))
    if element.namespace == ns.SERVICES88 and len(envelope.body) == 1:
        reading.operation = agent.operations.get(element.name)
    found.extend(
        near_misses.in_action(envelope, media, headers.get("soapaction"), reading.operation)
    )
    if reading.operation is not None:
        found.extend(near_misses.in_body(reading.operation, element))
        _read_arguments(reading, reading.operation, element, keep_secrets=keep_secrets)
    return reading


def _root(body: bytes, media: MediaType, found: list[NearMiss]) -> Element | None:
    try:
        return parse_xml(body, media.charset)
    except NotAcceptable as error:
        sent = str(error).rstrip(".")
        found.append(miss("not-xml", sent, "a SOAP envelope", "refused", accepted=False))
        return None


def _not_understood(agent: Agent, envelope: Envelope) -> list[NearMiss]:
    try:
        read_request(agent, envelope)
    except SoapError as error:
        return [
            miss(
                "must-understand",
                f"{near_misses.called(name, 'a header')} must be understood",
                "a header of the contract, or mustUnderstand 0",
                "refused",
                accepted=False,
            )
            for _, name in error.fault.not_understood
        ]
    return []


def _read_headers(reading: Reading, envelope: Envelope) -> None:
    space = f"{{{ns.SERVICES88}}}"
    for block in (*envelope.headers, *envelope.documented):
        if block.tag == f"{space}Credentials":
            ticket = next((one.text for one in block if one.tag == f"{space}Ticket"), "")
            reading.ticket = reading.ticket or ticket or None
            reading.secrets.add(ticket)
        elif block.tag == f"{space}ApplicationToken":
            reading.secrets.add(block.text)


def _read_arguments(
    reading: Reading, operation: Operation, element: Element, *, keep_secrets: bool
) -> None:
    values: dict[str, tuple[Field, object]] = {}
    fields = {f"{{{ns.SERVICES88}}}{one.name}": one for one in operation.request}
    count = Counter(child.tag for child in element)
    for child in element:
        one = fields.get(child.tag)
        if one is None:
            continue
        try:
            value = reader_of(one.type)(child)
        except Malformed:
            continue
        _collect(one, value, reading.secrets)
        if count[child.tag] == 1:  # given twice, neither is read
            values[one.name] = (one, value)
    shown = _Shown(frozenset(reading.secrets), keep=keep_secrets)
    reading.arguments = {name: shown.of(one, value) for name, (one, value) in values.items()}
    if operation.agent_name == AGENTS["SoPrincipal"].name and "UserName" in values:
        name = values["UserName"][1]
        reading.name = mask_text(name) if isinstance(name, str) else None


def _collect(field: Field, value: object, secrets: set[str]) -> None:
    """Collect the secrets in a value."""
    if field.secret and isinstance(value, str):
        secrets.add(value)
    elif isinstance(value, Complex):
        for one in complex_type(type(value)).fields:
            _collect(one, getattr(value, one.attribute), secrets)
    elif isinstance(value, list):
        for one in value:
            _collect(field, one, secrets)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Makes values such as JSON can hold; secrets are masked wherever they stand."""

    secrets: frozenset[str] = dataclass_field(repr=False)
    keep: bool

    def of(self, field: Field, value: object) -> object:
        if field.secret and not self.keep and value is not None:
            return MASK
        return self.plain(value)

    def plain(self, value: object) -> object:
        match value:
            case None | bool() | int():
                return value
            case str():
                return value if self.keep else mask_text(value, self.secrets)
            case Complex():
                return {
                    one.name: self.of(one, getattr(value, one.attribute))
                    for one in complex_type(type(value)).fields
                }
            case list() | frozenset():
                return [self.plain(one) for one in value]
            case dict():
                if not self.keep:  # its keys and values are anybody's
                    return {MASK: MASK} if value else {}
                return {str(key): self.plain(one) for key, one in value.items()}
            case bytes():
                return value.hex() if self.keep else MASK
            case _:
                inner = getattr(value, "value", value)
                return str(inner)
