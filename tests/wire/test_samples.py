"""The documented sample envelopes: every request is read, every response can be written."""

import pytest
from lxml import etree

from services88.contract import namespaces as ns
from services88.contract.headers import SoCredentials
from services88.contract.messages import Answer
from services88.contract.model import Agent, Field, Operation
from services88.soap.envelopes import open_envelope, read_request, write_answer
from services88.soap.reading import read_fields
from services88.soap.versions import SOAP12
from services88.soap.writing import Style, writer
from services88.soap.xml import parse
from tests.reference import needs_reference, problems, sample
from tests.running import S12, RunningServer
from tests.wire.conftest import Schemas
from tests.wire.operations import EVERY, HEADERS, NIL, TYPE, names, parts

pytestmark = [needs_reference, pytest.mark.one_database("it is about the writing of messages")]

_BODY = f"{{{S12}}}Body"


def _difference(theirs: etree._Element, ours: etree._Element, where: str = "") -> list[str]:
    """Compare a sample's element with ours. What it leaves unsaid, ours may say."""
    where = f"{where}/{etree.QName(theirs).localname}"
    if (theirs.tag, theirs.prefix) != (ours.tag, ours.prefix):
        return [f"{where}: is {ours.prefix}:{ours.tag!s}"]
    found = []
    if theirs.get(NIL) == "true":
        number = {"Id": "0", "Rank": "0", "ColorBlock": "0", "Deleted": "false"}
        expected = number.get(etree.QName(theirs).localname)
        if expected != ours.text or (expected is None and ours.get(NIL) != "true"):
            found.append(f"{where}: should be nil")
        return found
    if TYPE in theirs.attrib and theirs.get(TYPE) != ours.get(TYPE):
        found.append(f"{where}: is of type {ours.get(TYPE)}, not {theirs.get(TYPE)}")
    if (theirs.text or "").strip() != (ours.text or "").strip():
        found.append(f"{where}: holds {ours.text!r}, not {theirs.text!r}")
    if names(list(theirs)) != names(list(ours)):
        return [*found, f"{where}: has {names(list(ours))}, not {names(list(theirs))}"]
    for one, other in zip(theirs, ours, strict=True):
        found += _difference(one, other, where)
    return found


def _written(agent: Agent, fields: tuple[Field, ...], values: dict[str, object]) -> etree._Element:
    """Write values as the documented dialect does, in an element of no importance."""
    style = Style((*agent.prefixes.items(), (ns.XML_SCHEMA, "xsd")), typed=True)
    out = ["<all xmlns:xsi='", ns.XML_SCHEMA_INSTANCE, "'"]
    out += [f" xmlns:{prefix}='{space}'" for space, prefix in style.prefixes]
    out.append(">")
    for field in fields:
        writer(style, ns.SERVICES88, field.name, field.type)(out, values[field.attribute])
    return etree.fromstring("".join([*out, "</all>"]))


@pytest.mark.parametrize(("agent", "operation"), EVERY)
def test_a_request_is_read_to_typed_values_and_nothing_is_lost(
    agent: Agent, operation: Operation
) -> None:
    message = sample(agent.name, operation.name, "request")
    read = read_request(agent, open_envelope(parse(message)))

    assert read.operation is operation
    assert read.application_token == "1234567-1234-9876"
    ticket = SoCredentials(ticket="7T:1234abcxyzExample==") if agent.needs_ticket else None
    assert read.credentials == ticket
    assert list(read.arguments) == [field.attribute for field in operation.request]
    (theirs,) = etree.fromstring(message).iterfind(f"{_BODY}/*")
    ours = _written(agent, operation.request, read.arguments)
    assert names(list(theirs)) == names(list(ours))
    assert [
        d for one, other in zip(theirs, ours, strict=True) for d in _difference(one, other)
    ] == []


@pytest.mark.parametrize(("agent", "operation"), EVERY)
def test_a_response_is_written_as_documented(
    schemas: Schemas, agent: Agent, operation: Operation
) -> None:
    message = sample(agent.name, operation.name, "response")
    sample_root = etree.fromstring(message)
    (theirs,) = sample_root.iterfind(f"{_BODY}/*")
    values = read_fields(operation.response, ns.SERVICES88)(open_envelope(parse(message)).body[0])
    result = operation.message(**values) if operation.message else next(iter(values.values()), None)

    content = write_answer(operation, agent, SOAP12, Answer(result), documented=True)

    root = etree.fromstring(content)
    headers, ours = parts(content)
    assert root.prefix == sample_root.prefix
    assert dict(sample_root.nsmap).items() <= dict(root.nsmap).items()
    assert _difference(theirs, ours) == []
    assert names(headers) == HEADERS
    assert problems(schemas[agent.name], ours) == []


@pytest.mark.parametrize("media", ["text/xml", "application/soap+xml; charset=utf-8"])
@pytest.mark.parametrize(("agent", "operation"), EVERY)
def test_a_request_as_it_stands_is_answered_in_kind(
    schemas: Schemas,
    shared_server: RunningServer,
    agent: Agent,
    operation: Operation,
    media: str,
) -> None:
    message = sample(agent.name, operation.name, "request")
    reply = shared_server.post(agent.name, message, media)

    assert reply.status == 200, reply.content
    assert reply.headers["content-type"].partition(";")[0] == media.partition(";")[0]
    headers, body = parts(reply.content)
    answer = etree.fromstring(sample(agent.name, operation.name, "response"))
    (documented,) = answer.iterfind(f"{_BODY}/*")
    assert (body.tag, body.prefix) == (documented.tag, documented.prefix)
    assert names(list(body)) == names(list(documented))
    assert names(headers) == HEADERS
    if agent.needs_ticket:  # the sample's own ticket is none of ours
        assert headers[2].text == "false"
    assert [p for part in (*headers, body) for p in problems(schemas[agent.name], part)] == []
