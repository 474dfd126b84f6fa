"""Envelopes: from a message's bytes to a typed request, and from a typed answer to bytes.

Two dialects are spoken. The ordinary one is what clients generated from the WSDL speak. The
*documented* one is that of the vendor's sample envelopes, in which ApplicationToken, Credentials or
TimeZone stand directly under Envelope; a message like that is answered in kind, with the documented
prefixes and ``xsi:type`` on every value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from services88.contract import namespaces as ns
from services88.contract.headers import (
    APPLICATION_TOKEN,
    CREDENTIALS,
    EXCEPTION_INFO,
    EXTRA_INFO,
    SUCCEEDED,
    TIME_ZONE,
    SoCredentials,
    SoTimeZone,
)
from services88.contract.messages import Answer, Request
from services88.contract.model import (
    Agent,
    ArrayType,
    ComplexType,
    DictionaryType,
    Field,
    Operation,
    Type,
)
from services88.soap.faults import Code, Fault, SoapError
from services88.soap.reading import Malformed, read_fields, reader_of
from services88.soap.versions import VERSIONS, Version
from services88.soap.writing import Style, Writer, writer
from services88.soap.xml import XML_DECLARATION, Element

__all__ = [
    "Envelope",
    "declare",
    "documented_declarations",
    "documented_style",
    "namespaces_of",
    "open_envelope",
    "read_request",
    "write_answer",
]

_OURS = {
    f"{{{ns.SERVICES88}}}{header.name}": (header.name, reader_of(header.type))
    for header in (APPLICATION_TOKEN, CREDENTIALS, TIME_ZONE)
}
# Understood by both services, whatever they do with them: ours, and WS-Addressing.
_UNDERSTOOD_NAMESPACES = frozenset(
    {
        "http://www.w3.org/2005/08/addressing",
        "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    }
)
_UNDERSTOOD = frozenset(
    f"{{{ns.SERVICES88}}}{header.name}"
    for header in (APPLICATION_TOKEN, CREDENTIALS, TIME_ZONE, EXCEPTION_INFO, EXTRA_INFO, SUCCEEDED)
)


@dataclass(slots=True)
class Envelope:
    """A message, open but not yet read. Not frozen: one is made with every call."""

    version: Version
    body: Element
    headers: tuple[Element, ...]
    documented: tuple[Element, ...]
    """Header blocks directly under Envelope. Any of them selects the documented dialect."""


def open_envelope(root: Element) -> Envelope:
    """Find the parts of a message.

    :raises SoapError: It is no SOAP envelope with one Body.
    """
    version = VERSIONS.get(root.namespace)
    if version is None or root.name != "Envelope":
        raise SoapError(
            Fault(
                Code.VERSION_MISMATCH,
                "The message is no SOAP envelope. Send an Envelope of SOAP 1.1 "
                "(http://schemas.xmlsoap.org/soap/envelope/) or SOAP 1.2 "
                "(http://www.w3.org/2003/05/soap-envelope).",
            )
        )
    body_tag, header_tag, _ = _TAGS[version]
    body = header = None
    documented: list[Element] = []
    for child in root:
        tag = child.tag
        if tag == body_tag and body is None:
            body = child
        elif tag == header_tag and header is None:
            header = child
        elif tag in _OURS:
            documented.append(child)
        elif tag in (body_tag, header_tag):
            raise _sender(_PARTS)
    if body is None:
        raise _sender(_PARTS)
    return Envelope(version, body, () if header is None else tuple(header), tuple(documented))


_PARTS = "The Envelope must have one Body and at most one Header."
_TAGS = {
    version: tuple(
        f"{{{version.namespace}}}{name}" for name in ("Body", "Header", "mustUnderstand")
    )
    for version in VERSIONS.values()
}


def read_request(agent: Agent, envelope: Envelope, *actions: str | None) -> Request:
    """Read a call.

    :param actions: What the transport says the action is; the Body decides, and a different one is
        refused, so that nobody can send one operation under the name of another.
    :raises SoapError: It is no call of this agent.
    """
    _check_must_understand(envelope)
    if len(envelope.body) != 1:
        raise _sender("The Body must hold exactly one element: the operation.")
    element = envelope.body[0]
    operation = _operation(agent, element)
    for action in actions:
        if action and action != operation.action:
            raise _action_not_supported(
                f"The action names another operation than the Body, which holds {operation.name}. "
                f'Send "{operation.action}" as the action, or none.'
            )
    try:
        headers = _read_headers(envelope)
        arguments = _request_reader(operation)(element)
    except Malformed as error:
        raise _sender(str(error)) from error
    zone = cast("SoTimeZone | None", headers.get("TimeZone"))
    if zone == _NO_ZONE:
        zone = None
    return Request(
        operation,
        arguments,
        cast("str | None", headers.get("ApplicationToken")),
        cast("SoCredentials | None", headers.get("Credentials")),
        zone,
    )


_NO_ZONE = SoTimeZone()


def _operation(agent: Agent, element: Element) -> Operation:
    operation = agent.operations.get(element.name)
    if operation is None or element.namespace != ns.SERVICES88:
        raise _action_not_supported(
            f"The element in the Body is no operation of {agent.name}.svc. Its operations, in the "
            f"namespace {ns.SERVICES88}, are listed in its WSDL ({agent.name}.svc?wsdl)."
        )
    return operation


@cache
def _request_reader(operation: Operation) -> Callable[[Element], dict[str, object]]:
    return read_fields(operation.request, ns.SERVICES88)


def _read_headers(envelope: Envelope) -> dict[str, object]:
    inside = [block for block in envelope.headers if block.tag in _OURS]
    if inside and envelope.documented:
        raise Malformed(
            "Header blocks stand both in the Header and directly under Envelope. "
            "Put all of them in the Header."
        )
    headers: dict[str, object] = {}
    for block in inside or envelope.documented:
        name, reader = _OURS[block.tag]
        if name in headers:
            raise Malformed(f"The header block {name} is given twice.")
        headers[name] = reader(block)
    return headers


def _check_must_understand(envelope: Envelope) -> None:
    version = envelope.version
    attribute = _TAGS[version][2]
    not_understood: list[tuple[str, str]] = []
    for block in envelope.headers:
        said = block.get(attribute)
        if said is None:
            continue
        must = (said or "0").strip()
        if must not in ("0", "1", "true", "false"):
            raise _sender("mustUnderstand must be 0, 1, true or false.")
        if must in ("0", "false") or block.tag in _UNDERSTOOD:
            continue
        if block.namespace in _UNDERSTOOD_NAMESPACES:
            continue
        if (block.get(version.role_attribute) or "").strip() in version.roles:
            not_understood.append((block.namespace, block.name))
    if not_understood:
        raise SoapError(
            Fault(
                Code.MUST_UNDERSTAND,
                "A header block must be understood and is not: "
                + ", ".join(name for _, name in not_understood)
                + ".",
                not_understood=tuple(not_understood),
            )
        )


def _sender(reason: str) -> SoapError:
    return SoapError(Fault(Code.SENDER, reason))


def _action_not_supported(reason: str) -> SoapError:
    return SoapError(Fault(Code.SENDER, reason, action_not_supported=True))


# --- answers --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Template:
    """What is the same in every answer to an operation in one version and dialect."""

    start: str
    header_end: str
    end: str
    headers: tuple[Writer, Writer, Writer, Writer]
    fields: tuple[tuple[Field, Writer], ...]


def write_answer(
    operation: Operation, agent: Agent, version: Version, answer: Answer, *, documented: bool
) -> bytes:
    """Write an answer's envelope, with all four headers and every field of the body."""
    template = _template(operation, agent, version, documented)
    write_exception, write_extra, write_succeeded, write_zone = template.headers
    out = [template.start]
    write_exception(out, answer.refused)
    write_extra(out, answer.extra)
    write_succeeded(out, answer.refused is None)
    write_zone(out, answer.time_zone)
    out.append(template.header_end)
    for field, write in template.fields:
        if answer.refused is not None:
            value = field.type.default
        elif operation.message is not None:
            value = getattr(answer.result, field.attribute)
        else:
            value = answer.result
        write(out, value)
    out.append(template.end)
    return "".join(out).encode()


@cache
def _template(operation: Operation, agent: Agent, version: Version, documented: bool) -> _Template:
    if documented:
        style = header_style = documented_style(agent)
        soap, header_declarations, wrapper_declarations = "SOAP-ENV", "", ""
        declarations = documented_declarations(agent, version)
    else:
        # As WCF writes it: the body's own namespace is the default one there.
        style = Style(((ns.SERVICES88, ""), (ns.ARRAYS, "a"), (ns.CRYPTOGRAPHY, "c")))
        header_style = Style(((ns.SERVICES88, "h"),))
        soap = "s"
        declarations = {soap: version.namespace, "xsi": ns.XML_SCHEMA_INSTANCE}
        header_declarations = declare({"h": ns.SERVICES88})
        spaces = namespaces_of(tuple(field.type for field in operation.response))
        wrapper_declarations = declare(
            {
                prefix: space
                for space, prefix in style.prefixes
                if space == ns.SERVICES88 or space in spaces
            }
        )
    wrapper = style.name(ns.SERVICES88, operation.response_element)
    headers = tuple(
        writer(header_style, ns.SERVICES88, header.name, header.type)
        for header in (EXCEPTION_INFO, EXTRA_INFO, SUCCEEDED, TIME_ZONE)
    )
    return _Template(
        start=f"{XML_DECLARATION}<{soap}:Envelope{declare(declarations)}>"
        f"<{soap}:Header{header_declarations}>",
        header_end=f"</{soap}:Header><{soap}:Body><{wrapper}{wrapper_declarations}>",
        end=f"</{wrapper}></{soap}:Body></{soap}:Envelope>",
        headers=cast("tuple[Writer, Writer, Writer, Writer]", headers),
        fields=tuple(
            (field, writer(style, ns.SERVICES88, field.name, field.type))
            for field in operation.response
        ),
    )


def documented_style(agent: Agent, *, exact: bool = False) -> Style:
    """Say how values are written in the documented dialect."""
    return Style((*agent.prefixes.items(), (ns.XML_SCHEMA, "xsd")), typed=True, exact=exact)


def documented_declarations(agent: Agent, version: Version) -> dict[str, str]:
    """Give the namespaces of a documented envelope, by prefix; ``SOAP-ENV`` is the envelope's."""
    return {
        "SOAP-ENV": version.namespace,
        "SOAP-ENC": version.encoding,
        "xsi": ns.XML_SCHEMA_INSTANCE,
        "xsd": ns.XML_SCHEMA,
    } | {prefix: space for space, prefix in agent.prefixes.items()}


def declare(declarations: dict[str, str]) -> str:
    """Write namespace declarations, by prefix; the empty one is the default namespace."""
    return "".join(
        f' xmlns:{prefix}="{space}"' if prefix else f' xmlns="{space}"'
        for prefix, space in declarations.items()
    )


def namespaces_of(types: tuple[Type, ...]) -> frozenset[str]:
    """Collect the namespaces of everything that values of some types may hold."""
    seen: set[Any] = set()
    waiting = list(types)
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        match one:
            case ArrayType(item=item):
                waiting.append(item)
            case DictionaryType(value=value):
                waiting.append(value)
            case ComplexType():
                waiting.extend(field.type for field in one.fields)
    return frozenset(one.namespace for one in seen)
