"""The dialect of the documented samples: what selects it, and that it is answered in kind."""

import pytest
from lxml import etree

from services88.contract import AGENTS
from services88.contract import namespaces as ns
from tests.reference import needs_reference, problems, sample
from tests.running import S11, S12, Reply, RunningServer, envelope
from tests.wire.conftest import Schemas
from tests.wire.operations import (
    HEADERS,
    MEDIA,
    NIL,
    TNS,
    TYPE,
    documented,
    documented_credentials,
    names,
    parts,
)

pytestmark = pytest.mark.one_database("it is about the writing of messages")

_USER, _PRINCIPAL = AGENTS["User"], AGENTS["SoPrincipal"]
_BOTH = pytest.mark.parametrize("soap", [S11, S12])


def change(old: str, new: str) -> str:
    return (
        f'<User:ChangeOwnPassword><User:OldPassword xsi:type="xsd:string">{old}</User:OldPassword>'
        f'<User:NewPassword xsi:type="xsd:string">{new}</User:NewPassword></User:ChangeOwnPassword>'
    )


def sign_in(name: str, password: str) -> str:
    return (
        "<SoPrincipal:AuthenticateUsernamePassword>"
        f'<SoPrincipal:UserName xsi:type="xsd:string">{name}</SoPrincipal:UserName>'
        f'<SoPrincipal:Password xsi:type="xsd:string">{password}</SoPrincipal:Password>'
        "</SoPrincipal:AuthenticateUsernamePassword>"
    )


def ticket_of(server: RunningServer, name: str) -> str:
    server.add_user(name, "old password")
    ticket = server.sign_in(name, "old password")
    assert ticket
    return ticket


def is_documented(reply: Reply) -> bool:
    """Whether an answer speaks the dialect; it does altogether or not at all."""
    elements = [element for element in reply.root.iter() if TYPE in element.attrib]
    prefixed = reply.root.prefix == "SOAP-ENV"
    assert bool(elements) is prefixed
    return prefixed


# --- the story ------------------------------------------------------------------------------------


@_BOTH
def test_signing_in_and_changing_a_password(
    shared_server: RunningServer, schemas: Schemas, soap: str
) -> None:
    name = f"DOC-{soap[-5:]}-{id(schemas)}"
    shared_server.add_user(name, "old password", role="Administrator")
    message = documented(_PRINCIPAL, sign_in(name, "old password"), soap=soap)
    signed_in = shared_server.post("SoPrincipal", message, MEDIA[soap])
    ticket = signed_in.text("Ticket")
    assert ticket
    block = documented_credentials(_USER, ticket)
    message = documented(_USER, change("old password", "new password"), block, soap)
    changed = shared_server.post("User", message, MEDIA[soap])
    assert changed.text("Response") == "true"
    refused = shared_server.post("User", message, MEDIA[soap])
    assert refused.text("Response") == "false"
    assert refused.extra["Reason"] == "old-password-wrong"
    assert shared_server.sign_in(name, "new password")
    for agent, reply in (("SoPrincipal", signed_in), ("User", changed), ("User", refused)):
        assert is_documented(reply)
        headers, body = parts(reply.content)
        assert names(headers) == HEADERS
        for part in (*headers, body):
            assert problems(schemas[agent], part) == []
            for value in part.iter():
                said = TYPE in value.attrib or value.get(NIL) == "true"
                assert said or value is body or str(value.tag).endswith("Pair"), value.tag


@needs_reference
@pytest.mark.parametrize("media", ["text/xml", "application/soap+xml"])
def test_the_documented_request_changes_the_password(
    shared_server: RunningServer, media: str
) -> None:
    name = f"SAMPLE-{media[:4]}"
    ticket = ticket_of(shared_server, name)
    message = sample("User", "ChangeOwnPassword", "request").decode()
    for there, filled_in in (
        ("7T:1234abcxyzExample==", ticket),
        ("></User:OldPassword>", ">old password</User:OldPassword>"),
        ("></User:NewPassword>", ">new password</User:NewPassword>"),
    ):
        assert there in message
        message = message.replace(there, filled_in)
    reply = shared_server.post("User", message, media)
    assert reply.text("Response") == "true"
    assert shared_server.sign_in(name, "new password")


@needs_reference
def test_the_answer_looks_as_documented(shared_server: RunningServer) -> None:
    ticket = ticket_of(shared_server, "LOOKS")
    block = documented_credentials(_USER, ticket)
    message = documented(_USER, change("wrong", "new password"), block)
    _, ours = parts(shared_server.post("User", message, MEDIA[S12]).content)
    (theirs,) = etree.fromstring(sample("User", "ChangeOwnPassword", "response")).iterfind("*/*")

    def canonical(element: etree._Element) -> str:
        only = etree.fromstring(
            etree.tostring(element, with_tail=False), etree.XMLParser(remove_blank_text=True)
        )
        etree.cleanup_namespaces(only, keep_ns_prefixes=["xsd"])
        return etree.tostring(only, method="c14n").decode()

    assert canonical(ours) == canonical(theirs)


@needs_reference
def test_who_signed_in_looks_as_documented(shared_server: RunningServer) -> None:
    shared_server.add_user("WHO", "old password", role="Administrator")
    message = documented(_PRINCIPAL, sign_in("WHO", "old password"))
    _, ours = parts(shared_server.post("SoPrincipal", message, MEDIA[S12]).content)
    (theirs,) = etree.fromstring(
        sample("SoPrincipal", "AuthenticateUsernamePassword", "response")
    ).iterfind("*/*")

    def outline(element: etree._Element) -> list[tuple[str, str | None, str | None]]:
        """Names, prefixes and types of the answer and of the user; nil has no type."""
        values = [element, *element, *element[0]]
        return [
            (str(v.tag), v.prefix, None if v.get(NIL) else v.get(TYPE))
            for v in values
            if v.get(NIL) is None
        ]

    nil = {value.tag for value in element_and_fields(ours) if value.get(NIL)}
    assert outline(ours) == [said for said in outline(theirs) if said[0] not in nil]
    assert ours.nsmap.items() >= theirs.nsmap.items()


def element_and_fields(element: etree._Element) -> list[etree._Element]:
    return [element, *element, *element[0]]


# --- what selects it ------------------------------------------------------------------------------

_BLOCKS = {
    "ApplicationToken": "<{0}:ApplicationToken>x</{0}:ApplicationToken>",
    "Credentials": "<{0}:Credentials><{0}:Ticket>7T:x</{0}:Ticket></{0}:Credentials>",
    "TimeZone": "<{0}:TimeZone><{0}:SoTimeZoneId>140</{0}:SoTimeZoneId></{0}:TimeZone>",
}


def message_with(beside: str, inside: str = "", soap: str = S12, agent: str = "User") -> str:
    """Write a call with blocks beside the Body, and blocks inside a Header."""
    body = "<ChangeOwnPassword/>" if agent == "User" else "<GetSystemInfo/>"
    whole = envelope(body, inside.replace("{0}:", "").replace(":{0}", ""), soap)
    beside = beside.replace("{0}", "p")
    return whole.replace("<s:Body>", f"{beside}<s:Body>").replace(
        "xmlns:s=", f'xmlns:p="{ns.SERVICES88}" xmlns:s=', 1
    )


@_BOTH
@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("block", _BLOCKS)
def test_each_block_under_envelope_selects_it(
    shared_server: RunningServer, soap: str, agent: str, block: str
) -> None:
    reply = shared_server.post(agent, message_with(_BLOCKS[block], "", soap, agent), MEDIA[soap])
    assert reply.status == 200
    assert is_documented(reply)
    assert parts(reply.content)[1].prefix == agent
    assert reply.text("SoTimeZoneId") == ("140" if block == "TimeZone" else "1")


@_BOTH
@pytest.mark.parametrize(
    "beside",
    [
        "",
        "<{0}:Other>x</{0}:Other>",
        "<{0}:Succeeded>true</{0}:Succeeded>",
        '<Credentials xmlns="urn:foreign"/>',
        '<ApplicationToken xmlns=""/>',
    ],
)
@pytest.mark.parametrize("inside", ["", "".join(_BLOCKS.values())])
def test_nothing_else_does(
    shared_server: RunningServer, soap: str, beside: str, inside: str
) -> None:
    reply = shared_server.post("User", message_with(beside, inside, soap), MEDIA[soap])
    assert reply.status == 200
    assert not is_documented(reply)


def test_prefixes_and_types_of_the_request_do_not_either(shared_server: RunningServer) -> None:
    message = (
        f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{S12}" xmlns:User="{ns.SERVICES88}" '
        f'xmlns:xsi="{ns.XML_SCHEMA_INSTANCE}" xmlns:xsd="{ns.XML_SCHEMA}"><SOAP-ENV:Header>'
        f"{documented_credentials(_USER, '7T:x')}</SOAP-ENV:Header>"
        f"<SOAP-ENV:Body>{change('a', 'b')}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )
    assert not is_documented(shared_server.post("User", message, MEDIA[S12]))


@_BOTH
@pytest.mark.parametrize("beside", _BLOCKS)
@pytest.mark.parametrize("inside", _BLOCKS)
@pytest.mark.parametrize("agent", AGENTS)
def test_blocks_in_both_places_are_a_sender_fault(
    shared_server: RunningServer, soap: str, beside: str, inside: str, agent: str
) -> None:
    message = message_with(_BLOCKS[beside], _BLOCKS[inside], soap, agent)
    assert_sender_fault(shared_server.post(agent, message, MEDIA[soap]), soap)


@_BOTH
@pytest.mark.parametrize("block", _BLOCKS)
def test_a_doubled_block_is_a_sender_fault(
    shared_server: RunningServer, soap: str, block: str
) -> None:
    message = message_with(_BLOCKS[block] * 2, "", soap)
    assert_sender_fault(shared_server.post("User", message, MEDIA[soap]), soap)


def assert_sender_fault(reply: Reply, soap: str) -> None:
    assert reply.status == (500 if soap == S11 else 400)
    code = reply.root.findtext(".//faultcode") or reply.root.findtext(f".//{{{S12}}}Value")
    assert code == ("s:Client" if soap == S11 else "s:Sender")


def test_a_header_with_other_blocks_may_stand_beside(shared_server: RunningServer) -> None:
    action = '<a:Action xmlns:a="http://www.w3.org/2005/08/addressing">urn:x</a:Action>'
    message = message_with(_BLOCKS["Credentials"], action)
    reply = shared_server.post("User", message, MEDIA[S12])
    assert reply.status == 200
    assert is_documented(reply)


def test_blocks_may_follow_the_body(shared_server: RunningServer) -> None:
    ticket = ticket_of(shared_server, "FOLLOWS")
    message = documented(_USER, change("old password", "new password"))
    block = documented_credentials(_USER, ticket)
    end = "</SOAP-ENV:Envelope>"
    reply = shared_server.post("User", message.replace(end, block + end), MEDIA[S12])
    assert reply.text("Response") == "true"
    assert parts(reply.content)[0][0].tag == f"{TNS}ExceptionInfo"
