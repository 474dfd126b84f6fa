"""Where a message departs from the contract: what was sent, what was expected, and is it accepted.

The server's own readers are lenient and say nothing; this is a second, strict reading beside them,
which runs in the sandbox only. It never quotes a value, nor a name that is not known: either may
be a secret.
"""

import difflib
from collections.abc import Iterable, Iterator, Sequence

from services88.contract import AGENTS
from services88.contract import namespaces as ns
from services88.contract.headers import APPLICATION_TOKEN, CREDENTIALS, TIME_ZONE
from services88.contract.model import (
    Agent,
    ArrayType,
    ComplexType,
    DictionaryType,
    Field,
    Operation,
    Type,
)
from services88.identity import tickets
from services88.sandbox.journal import NearMiss
from services88.sandbox.masking import (
    is_known,
    is_known_media_type,
    is_known_namespace,
    mask_path,
)
from services88.soap.envelopes import Envelope
from services88.soap.reading import Malformed, reader_of
from services88.soap.versions import SOAP11, SOAP12, VERSIONS
from services88.soap.xml import Element
from services88.web.http import MediaType

__all__ = [
    "called",
    "in_action",
    "in_address",
    "in_body",
    "in_envelope",
    "in_headers",
    "in_media_type",
    "miss",
    "of_operation",
]

_HEADERS = {header.name: header for header in (APPLICATION_TOKEN, CREDENTIALS, TIME_ZONE)}
_NIL = f"{{{ns.XML_SCHEMA_INSTANCE}}}nil"
_TYPE = f"{{{ns.XML_SCHEMA_INSTANCE}}}type"
_SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"


def miss(code: str, sent: str, expected: str, remark: str, *, accepted: bool) -> NearMiss:
    """Describe a departure; ``remark`` says what comes of it."""
    end = f"accepted: {remark}" if accepted and remark else ("accepted" if accepted else remark)
    message = f"{sent}; expected: {expected}" + (f" ({end})" if end else "")
    return NearMiss(code, message, sent, expected, accepted)


def called(name: str, what: str) -> str:
    """Return what a thing is called, where its name is known to be no secret."""
    return name if is_known(name) else f"{what} that is not known"


# --- HTTP -----------------------------------------------------------------------------------------


def in_address(path: str, query: str, method: str, agent: Agent | None) -> Iterator[NearMiss]:
    """Compare the address."""
    if agent is None:
        yield miss(
            "address-unknown",
            f"the address {mask_path(path)} is no service's",
            "/{tenant}/Remote/Services88/User.svc or .../SoPrincipal.svc",
            "404",
            accepted=False,
        )
        return
    wanted = f"/Remote/Services88/{agent.name}.svc"
    if not path.endswith(wanted):
        given = path[-len(wanted) :]
        yield miss(
            "address-case",
            f"the address ends in {given}",
            wanted,
            "letter case does not matter here, on other servers it may",
            accepted=True,
        )
    if method != "POST" and "wsdl" not in query.lower():
        yield miss(
            "method", f"{method} was sent", "POST with a message, or GET with ?wsdl", "405",
            accepted=False,
        )  # fmt: skip


def in_media_type(content_type: str | None, media: MediaType) -> Iterator[NearMiss]:
    """Compare the Content-Type alone."""
    expected = "text/xml; charset=utf-8 (SOAP 1.1) or application/soap+xml (SOAP 1.2)"
    if not content_type:
        yield miss("media-type", "there is no Content-Type", expected, "415", accepted=False)
    elif media.name not in (SOAP11.media_type, SOAP12.media_type):
        given = media.name if is_known_media_type(media.name) else "another"
        yield miss("media-type", f"Content-Type is {given}", expected, "415", accepted=False)
    elif media.charset is None:
        yield miss(
            "charset-missing",
            "Content-Type names no charset",
            "charset=utf-8",
            "what the XML says counts",
            accepted=True,
        )


def in_action(
    envelope: Envelope, media: MediaType, soapaction: str | None, operation: Operation | None
) -> Iterator[NearMiss]:
    """Compare the action, and the versions of HTTP's and of XML's side."""
    version = envelope.version
    if media.name == SOAP12.media_type and version is SOAP11:
        yield miss(
            "soap-version",
            "application/soap+xml holds a SOAP 1.1 envelope",
            "text/xml, or an envelope of SOAP 1.2",
            "415",
            accepted=False,
        )
    if media.name == SOAP11.media_type and version is SOAP12:
        yield miss(
            "soap-version",
            "text/xml holds a SOAP 1.2 envelope",
            "application/soap+xml, or an envelope of SOAP 1.1",
            "it is answered as SOAP 1.2",
            accepted=True,
        )
    if operation is None:
        return
    given = (soapaction or "").strip().strip('"')
    if version is SOAP11 and not given:
        yield miss(
            "action-missing",
            "SOAPAction is missing or empty",
            f'SOAPAction: "{operation.action}"',
            "the body decides",
            accepted=True,
        )
    if given and soapaction and not soapaction.strip().startswith('"'):
        yield miss(
            "action-unquoted",
            "SOAPAction has no quotes",
            f'SOAPAction: "{operation.action}"',
            "",
            accepted=True,
        )
    for action in (given, media.action):
        if action and action != operation.action:
            named = action.rpartition("/")[2]
            if not is_known(named):
                sent = f"SOAPAction is another than that of {operation.name}"
            elif named != operation.name:
                sent = f"SOAPAction names {named}, the body {operation.name}"
            else:
                sent = f"SOAPAction names {named} with something else before it"
            yield miss(
                "action-mismatch",
                sent,
                operation.action,
                "refused, so that nothing is sent under another's name",
                accepted=False,
            )


_LONGEST = 200


# --- the envelope ---------------------------------------------------------------------------------


def in_envelope(root: Element) -> Iterator[NearMiss]:
    """Compare the outermost elements."""
    name = root
    version = VERSIONS.get(name.namespace)
    if version is None or name.name != "Envelope":
        yield miss(
            "envelope-unknown",
            f"the root is {called(name.name, 'an element')} in {_space(name.namespace)}",
            f"Envelope in {SOAP11.namespace} or {SOAP12.namespace}",
            "fault VersionMismatch",
            accepted=False,
        )
        return
    space = f"{{{version.namespace}}}"
    for part, most in (("Body", 1), ("Header", 1)):
        number = sum(child.tag == space + part for child in root)
        if number > most or (part == "Body" and number == 0):
            yield miss(
                "envelope-parts",
                f"the Envelope has {number} {part}",
                f"{'one' if part == 'Body' else 'at most one'} {part}",
                "refused",
                accepted=False,
            )
    for child in root:
        inner = child
        if child.tag in (space + "Body", space + "Header"):
            continue
        if inner.name in ("Body", "Header"):
            yield miss(
                "envelope-namespace",
                f"{inner.name} is in {_space(inner.namespace)}",
                f"the Envelope's namespace, {version.namespace}",
                "not read",
                accepted=inner.name == "Header",
            )
        elif inner.name not in _HEADERS or inner.namespace != ns.SERVICES88:
            yield miss(
                "envelope-unknown-part",
                f"{called(inner.name, 'an element')} stood directly under Envelope",
                "Header and Body only",
                "not read",
                accepted=True,
            )
    tags = [child.tag for child in root if child.tag in (space + "Body", space + "Header")]
    if tags == [space + "Body", space + "Header"]:
        yield miss("header-after-body", "Header came after Body", "Header first", "", accepted=True)


def of_operation(agent: Agent, element: Element) -> Iterator[NearMiss]:
    """Say why the element of the body is no operation of the agent."""
    name = element
    local = name.name
    if name.namespace == ns.SERVICES88 and local in agent.operations:
        return
    if local in agent.operations:
        yield miss(
            "operation-namespace",
            f"{local} is in {_space(name.namespace)}",
            ns.SERVICES88,
            "refused",
            accepted=False,
        )
        return
    for other in AGENTS.values():
        if other is not agent and local in other.operations:
            yield miss(
                "operation-of-other-service",
                f"{local} was sent to {agent.name}.svc",
                f"{other.name}.svc",
                "refused",
                accepted=False,
            )
            return
    similar = _similar(local, agent.operations)
    yield miss(
        "operation-unknown",
        f"the body holds {called(local, 'an element')}",
        f"{similar}, perhaps" if similar else f"an operation of {agent.name}.svc; see its WSDL",
        "refused",
        accepted=False,
    )


def in_headers(envelope: Envelope, agent: Agent) -> Iterator[NearMiss]:
    """Compare the header blocks."""
    inside = envelope.headers
    ours = [b for b in inside if b.tag in {f"{{{ns.SERVICES88}}}{name}" for name in _HEADERS}]
    if ours and envelope.documented:
        yield miss(
            "headers-in-both",
            "header blocks stood in the Header and directly under Envelope",
            "all of them in the Header",
            "refused",
            accepted=False,
        )
    for block in envelope.documented:
        name = block.name
        yield miss(
            "header-outside",
            f"{name} stood outside Header",
            "inside Header",
            "as documented",
            accepted=True,
        )
    seen: set[str] = set()
    for block in ours or envelope.documented:
        name = block.name
        if name in seen:
            yield miss("header-twice", f"{name} is given twice", "once", "refused", accepted=False)
        seen.add(name)
        yield from _in_type(_HEADERS[name].type, block, name)
    for block in inside:
        if block in ours:
            continue
        found = block
        similar = _similar(found.name, _HEADERS)
        if found.namespace == _SECURITY:
            yield miss(
                "ws-security",
                "there is a WS-Security header",
                "a ticket in Credentials, from SoPrincipal.svc",
                "not read",
                accepted=True,
            )
        elif found.name in _HEADERS:
            yield miss(
                "header-namespace",
                f"{found.name} is in {_space(found.namespace)}",
                ns.SERVICES88,
                "not read",
                accepted=True,
            )
        elif similar and found.namespace in (ns.SERVICES88, ""):
            yield miss(
                "header-unknown", f"there is {called(found.name, 'a header')}", similar,
                "not read", accepted=True,
            )  # fmt: skip
    if agent.needs_ticket:
        yield from _about_ticket(ours or list(envelope.documented))


def _about_ticket(blocks: Sequence[Element]) -> Iterator[NearMiss]:
    expected = "Credentials with a Ticket, as AuthenticateUsernamePassword gives it"
    credentials = next((b for b in blocks if b.name == "Credentials"), None)
    if credentials is None:
        yield miss(
            "ticket-missing", "there are no Credentials", expected, "refused", accepted=False
        )
        return
    tag = f"{{{ns.SERVICES88}}}Ticket"
    text = next((child.text for child in credentials if child.tag == tag), "")
    if not text.strip("\ufeff \t\r\n"):
        yield miss("ticket-missing", "the Ticket is missing or empty", expected, "refused",
                   accepted=False)  # fmt: skip
    elif tickets.parse(text) is None:
        yield miss(
            "ticket-form",
            "the Ticket has not the form of a ticket",
            "7T: and base64, unchanged as it was given",
            "refused",
            accepted=False,
        )
    elif text != text.strip("\ufeff \t\r\n"):
        yield miss(
            "ticket-blanks",
            "there are blanks or a U+FEFF around the Ticket",
            "the ticket alone",
            "",
            accepted=True,
        )


# --- the body -------------------------------------------------------------------------------------


def in_body(operation: Operation, element: Element) -> Iterator[NearMiss]:
    """Compare the parameters of an operation."""
    if element.text.strip():
        yield miss(
            "text-beside-elements", f"{operation.name} holds text", "elements only", "not read",
            accepted=True,
        )  # fmt: skip
    yield from _in_fields(operation.request, ns.SERVICES88, element, operation.name)


def _in_fields(
    fields: Sequence[Field], namespace: str, element: Element, of: str
) -> Iterator[NearMiss]:
    index = {f"{{{namespace}}}{one.name}": one for one in fields}
    order = {one.name: number for number, one in enumerate(fields)}
    before: Field | None = None
    seen: set[str] = set()
    for number, child in enumerate(element, 1):
        one = index.get(child.tag)
        if one is None:
            yield _unknown(child, number, namespace, order, of)
            continue
        if one.name in seen:
            yield miss("field-twice", f"{one.name} is given twice", "once", "refused",
                       accepted=False)  # fmt: skip
            continue
        seen.add(one.name)
        if before is not None and order[before.name] > order[one.name]:
            yield miss(
                "field-order",
                f"{before.name} came before {one.name}",
                ", ".join(order),
                "order does not matter here, on other servers it may",
                accepted=True,
            )
        else:
            before = one
        yield from _in_value(one, child)
    for one in fields:
        if one.name not in seen:
            read = "nil" if one.type.nillable else "its default"
            yield miss(
                "field-missing",
                f"{of} has no {one.name}",
                ", ".join(order),
                f"read as {read}",
                accepted=True,
            )


def _unknown(
    child: Element, number: int, namespace: str, known: Iterable[str], of: str
) -> NearMiss:
    name = child
    if name.name in set(known):
        return miss(
            "field-namespace",
            f"{name.name} is in {_space(name.namespace)}",
            namespace,
            "not read",
            accepted=True,
        )
    similar = _similar(name.name, known)
    return miss(
        "field-unknown",
        f"{of} holds {called(name.name, 'an element')} (number {number})",
        f"{similar}, perhaps" if similar else (", ".join(known) or "no parameters"),
        "not read",
        accepted=True,
    )


def _in_value(field: Field, element: Element) -> Iterator[NearMiss]:
    nil = (element.get(_NIL) or "").strip()
    if nil in ("true", "1"):
        if field.type.nillable and not field.secret:
            return
        yield miss(
            "field-nil",
            f"{field.name} is nil",
            f"a value of type {field.type.name}",
            "read as its default" if not field.type.nillable else "read as empty",
            accepted=True,
        )
        return
    yield from _in_type(field.type, element, field.name)


def _in_type(of: Type, element: Element, name: str) -> Iterator[NearMiss]:
    match of:
        case ComplexType():
            said = element.get(_TYPE)
            if said is not None and said.strip().rpartition(":")[2] != of.name:
                try:
                    reader_of(of)(element)
                except Malformed as error:
                    yield miss("value", str(error).rstrip("."), of.name, "refused", accepted=False)
                return
            yield from _in_fields(of.fields, of.namespace, element, name)
        case ArrayType(item=item):
            tag = f"{{{of.namespace}}}{item.name}"
            for number, child in enumerate(element, 1):
                if child.tag != tag:
                    yield _unknown(child, number, of.namespace, [item.name], name)
                elif (child.get(_NIL) or "").strip() not in ("true", "1"):
                    yield from _in_type(item, child, item.name)
        case DictionaryType():
            for number, child in enumerate(element, 1):
                if child.tag != f"{{{of.namespace}}}{of.item_name}":
                    yield _unknown(child, number, of.namespace, [of.item_name], name)
        case _:
            said = element.get(_TYPE)
            if said is not None and said.strip().rpartition(":")[2] != of.name:
                yield miss(
                    "value-type",
                    f"{name} says that it is of another type",
                    f"{of.name}, or no xsi:type",
                    "the contract's type counts",
                    accepted=True,
                )
            try:
                reader_of(of)(element)
            except Malformed as error:
                yield miss(
                    "value",
                    f"{name} cannot be read",
                    str(error).rstrip("."),
                    "refused",
                    accepted=False,
                )


def _similar(name: str, known: Iterable[str]) -> str | None:
    folded = {one.lower(): one for one in known}
    found = difflib.get_close_matches(name.lower()[:_LONGEST], folded, n=1, cutoff=0.75)
    return folded[found[0]] if found else None


def _space(namespace: str) -> str:
    if not namespace:
        return "no namespace"
    return f"the namespace {namespace}" if is_known_namespace(namespace) else "another namespace"
