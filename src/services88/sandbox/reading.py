"""What a request holds, as far as it can be read: for the journal, and to know which fault fits."""

from dataclasses import dataclass, field

from services88.contract import AGENTS
from services88.contract import namespaces as ns
from services88.contract.model import Agent, Complex, Field, Operation, complex_type
from services88.sandbox import near_misses
from services88.sandbox.journal import NearMiss
from services88.sandbox.masking import MASK, mask_text
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
    """

    version: Version
    media_type: str
    documented: bool = False
    agent: Agent | None = None
    operation: Operation | None = None
    arguments: dict[str, object] = field(default_factory=dict)
    name: str | None = None
    ticket: str | None = field(default=None, repr=False)
    secrets: set[str] = field(default_factory=set, repr=False)
    near_misses: list[NearMiss] = field(default_factory=list)


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
    reading = Reading(version, media.name or SOAP11.media_type, agent=agent)
    found = reading.near_misses
    found.extend(near_misses.in_address(path, query, method, agent))
    if agent is None or method != "POST":
        return reading
    found.extend(near_misses.in_media_type(content_type, media))
    root = _root(body, media, found)
    if root is None:
        return reading
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
                f"the header {name} must be understood",
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
    plain: dict[str, str | None] = {}
    fields = {f"{{{ns.SERVICES88}}}{one.name}": one for one in operation.request}
    for child in element:
        one = fields.get(child.tag)
        if one is None:
            continue
        try:
            value = reader_of(one.type)(child)
        except Malformed:
            continue
        if isinstance(value, str):
            plain[one.name] = value
        reading.arguments[one.name] = _shown(one, value, reading.secrets, keep=keep_secrets)
    if operation.agent_name == AGENTS["SoPrincipal"].name:
        name = plain.get("UserName")
        reading.name = None if name is None else mask_text(name)


def _shown(field: Field, value: object, secrets: set[str], *, keep: bool) -> object:
    """Give a value as JSON can hold it, secrets masked."""
    if field.secret and isinstance(value, str):
        secrets.add(value)
        return value if keep else MASK
    return _plain(value, secrets, keep=keep)


def _plain(value: object, secrets: set[str], *, keep: bool) -> object:
    match value:
        case None | bool() | int():
            return value
        case str():
            return value if keep else mask_text(value)
        case Complex():
            return {
                one.name: _shown(one, getattr(value, one.attribute), secrets, keep=keep)
                for one in complex_type(type(value)).fields
            }
        case list() | frozenset():
            return [_plain(one, secrets, keep=keep) for one in value]
        case dict():
            return {str(key): _plain(one, secrets, keep=keep) for key, one in value.items()}
        case _:
            inner = getattr(value, "value", value)
            return str(inner)
