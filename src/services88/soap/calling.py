"""The client's side of an envelope: from a typed call to bytes, and from bytes to a typed answer.

The mirror of ``envelopes.py``, out of the same declarations, readers and writers. Answers are read
in both versions and both dialects, whatever their prefixes.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import cast

from services88.contract import namespaces as ns
from services88.contract.headers import (
    EXCEPTION_INFO,
    EXTRA_INFO,
    SUCCEEDED,
    TIME_ZONE,
    SoExceptionInfo,
    SoTimeZone,
)
from services88.contract.messages import UTC, Answer
from services88.contract.model import Agent, Operation
from services88.soap.envelopes import (
    declare,
    documented_declarations,
    documented_style,
    namespaces_of,
)
from services88.soap.reading import Malformed, Reader, read_fields, reader_of
from services88.soap.versions import VERSIONS, Version
from services88.soap.writing import Style, writer
from services88.soap.xml import XML_DECLARATION, Element

__all__ = ["FaultReceived", "read_answer", "write_request"]

_RECEIVED: dict[str, tuple[str, Reader]] = {
    f"{{{header.namespace}}}{header.name}": (header.attribute, reader_of(header.type))
    for header in (EXCEPTION_INFO, EXTRA_INFO, SUCCEEDED, TIME_ZONE)
}


class FaultReceived(Exception):
    """The answer is a SOAP fault.

    :ivar code: Local name of the innermost fault code.
    :ivar reason: What the server says; not to be trusted.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


def write_request(
    operation: Operation,
    agent: Agent,
    version: Version,
    headers: dict[str, object],
    arguments: dict[str, object],
    *,
    documented: bool,
) -> bytes:
    """Write a call's envelope.

    :param headers: Values of header blocks, by their wire names; others are left out.
    :param arguments: Values of the parameters, by their Python names.
    :param documented: As the vendor's documentation shows it, else as clients generated from the
        vendor's WSDL write it.
    :raises Unwritable: A text cannot be written as XML without changing it.
    """
    sent = [header for header in agent.request_headers if header.name in headers]
    if documented:
        style = documented_style(agent, exact=True)
        soap, wrapped = "SOAP-ENV", False
        declarations = documented_declarations(agent, version)
    else:
        style = Style(((ns.SERVICES88, ""), (ns.ARRAYS, "a"), (ns.CRYPTOGRAPHY, "c")), exact=True)
        soap, wrapped = "s", bool(sent)
        spaces = namespaces_of(tuple(field.type for field in operation.request))
        declarations = {soap: version.namespace, "": ns.SERVICES88, "xsi": ns.XML_SCHEMA_INSTANCE}
        declarations |= {
            prefix: space for space, prefix in style.prefixes if prefix and space in spaces
        }
    out = [f"{XML_DECLARATION}<{soap}:Envelope{declare(declarations)}>"]
    out.append(f"<{soap}:Header>" if wrapped else "")
    for header in sent:
        writer(style, ns.SERVICES88, header.name, header.type)(out, headers[header.name])
    out.append(f"</{soap}:Header>" if wrapped else "")
    wrapper = style.name(ns.SERVICES88, operation.name)
    out.append(f"<{soap}:Body><{wrapper}>")
    for field in operation.request:
        writer(style, ns.SERVICES88, field.name, field.type)(out, arguments[field.attribute])
    out.append(f"</{wrapper}></{soap}:Body></{soap}:Envelope>")
    return "".join(out).encode()


def read_answer(operation: Operation, root: Element) -> Answer:
    """Read the answer to a call.

    An answer that says ``Succeeded`` is false and nothing else counts as refused all the same, with
    an empty ExceptionInfo.

    :raises FaultReceived: It is a SOAP fault.
    :raises Malformed: It is no answer to that operation.
    """
    version = VERSIONS.get(root.namespace)
    if version is None or root.name != "Envelope":
        raise Malformed("The answer is no SOAP envelope.")
    space = f"{{{version.namespace}}}"
    bodies = [child for child in root if child.tag == f"{space}Body"]
    if len(bodies) != 1 or len(bodies[0]) != 1:
        raise Malformed("The answer has no Body with one element in it.")
    element = bodies[0][0]
    if element.tag == f"{space}Fault":
        raise _fault(element, space)
    if element.tag != f"{{{ns.SERVICES88}}}{operation.response_element}":
        raise Malformed(f"The answer holds no {operation.response_element} of Services88.")
    headers = dict(_headers(root, space))
    refused = cast("SoExceptionInfo | None", headers.get(EXCEPTION_INFO.attribute))
    if headers.get(SUCCEEDED.attribute) is False:
        refused = refused or SoExceptionInfo()
    elif refused == SoExceptionInfo():
        refused = None  # some write an empty one where there is nothing to tell
    values = _answer_reader(operation)(element)
    result: object = None
    if operation.message is not None:
        result = operation.message(**values)
    elif operation.response:
        result = values[operation.response[0].attribute]
    return Answer(
        result,
        refused,
        cast("dict[str, str | None] | None", headers.get(EXTRA_INFO.attribute)),
        cast("SoTimeZone | None", headers.get(TIME_ZONE.attribute)) or UTC,
    )


@cache
def _answer_reader(operation: Operation) -> Callable[[Element], dict[str, object]]:
    return read_fields(operation.response, ns.SERVICES88)


def _headers(root: Element, space: str) -> Iterator[tuple[str, object]]:
    """Read header blocks in the Header and, as documented, directly under Envelope."""
    blocks = [child for child in root if child.tag in _RECEIVED]
    for header in root:
        if header.tag == f"{space}Header":
            blocks += [child for child in header if child.tag in _RECEIVED]
    seen: set[str] = set()
    for block in blocks:
        attribute, reader = _RECEIVED[block.tag]
        if attribute in seen:
            raise Malformed(f"The answer has two header blocks {block.name}.")
        seen.add(attribute)
        yield attribute, reader(block)


def _fault(element: Element, space: str) -> FaultReceived:
    code, reason = _at(element, "faultcode"), _at(element, "faultstring")
    if code is None and reason is None:  # SOAP 1.2, whose codes are nested: the innermost says most
        reason = _at(element, f"{space}Reason", f"{space}Text")
        found = _child(element, f"{space}Code")
        while found is not None:
            code = _at(found, f"{space}Value") or code
            found = _child(found, f"{space}Subcode")
    return FaultReceived((code or "").strip().rpartition(":")[2], (reason or "").strip())


def _child(element: Element, tag: str) -> Element | None:
    return next((child for child in element if child.tag == tag), None)


def _at(element: Element, *path: str) -> str | None:
    found: Element | None = element
    for tag in path:
        found = _child(found, tag) if found is not None else None
    return found.text if found is not None else None
