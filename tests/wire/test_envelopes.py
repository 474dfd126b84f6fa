"""Versions of SOAP, the dialects of the answer, and what an envelope must be."""

import pytest
from lxml import etree

from services88.contract import namespaces as ns
from tests.running import S11, S12, RunningServer, envelope
from tests.wire.operations import HEADERS, MEDIA, TYPE, names, parts

pytestmark = pytest.mark.one_database("it is about the reading of messages")

_PREFIXED = (
    f'<a:Envelope xmlns:a="{S11}"><a:Header/><a:Body>'
    f'<b:GetSystemInfo xmlns:b="{ns.SERVICES88}"/></a:Body></a:Envelope>'
)


@pytest.mark.parametrize(
    ("soap", "media"),
    [(S11, "text/xml"), (S12, "application/soap+xml"), (S12, "text/xml")],
)
def test_the_answer_has_the_version_of_the_envelope_and_the_media_type_of_the_request(
    shared_server: RunningServer, soap: str, media: str
) -> None:
    for message, status in (("<GetSystemInfo/>", 200), ("<AuthenticateImplicit/>", 200)):
        reply = shared_server.post("SoPrincipal", envelope(message, soap=soap), media)
        assert reply.status == status
        assert reply.headers["content-type"] == f"{media}; charset=utf-8"
        assert reply.root.tag == f"{{{soap}}}Envelope"
    fault = shared_server.post("SoPrincipal", envelope("<No/>", soap=soap), media)
    assert fault.headers["content-type"] == f"{media}; charset=utf-8"
    assert fault.root.tag == f"{{{soap}}}Envelope"


def test_soap_1_1_is_no_application_soap_xml(shared_server: RunningServer) -> None:
    reply = shared_server.post("SoPrincipal", envelope("<GetSystemInfo/>"), "application/soap+xml")
    assert reply.status == 415
    assert reply.headers["content-type"].startswith("text/plain")


def test_prefixes_are_the_clients_own_matter(shared_server: RunningServer) -> None:
    reply = shared_server.post("SoPrincipal", _PREFIXED)
    assert names(parts(reply.content)[0]) == HEADERS


def test_encoding_style_on_the_envelope_changes_nothing(shared_server: RunningServer) -> None:
    style = 's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsi='
    message = envelope("<GetSystemInfo/>").replace("xmlns:xsi=", style, 1)
    reply = shared_server.post("SoPrincipal", message)
    assert reply.text("Succeeded") == "true"
    assert [element for element in reply.root.iter() if TYPE in element.attrib] == []


def test_a_header_after_the_body_is_read(shared_server: RunningServer) -> None:
    zone = "<TimeZone><SoTimeZoneId>140</SoTimeZoneId></TimeZone>"
    message = envelope("<GetSystemInfo/>", zone)
    start, header, rest = message.partition(f"<s:Header>{zone}</s:Header>")
    reply = shared_server.post(
        "SoPrincipal", start + rest.replace("</s:Body>", "</s:Body>" + header)
    )
    assert reply.text("SoTimeZoneId") == "140"


_WHOLE = envelope("<GetSystemInfo/>")
_NOT_ACCEPTABLE = {
    "empty": "",
    "no XML": "this is no XML",
    "cut off": _WHOLE[:-3],
    "two roots": _WHOLE + "<more/>",
    "a prefix without namespace": _WHOLE.replace("<GetSystemInfo/>", "<x:GetSystemInfo/>"),
    "an unknown entity": envelope("<GetSystemInfo>&secret;</GetSystemInfo>"),
    "a DOCTYPE": "<!DOCTYPE x>" + _WHOLE,
    "an entity": '<!DOCTYPE x [<!ENTITY e "GetSystemInfo">]>' + _WHOLE,
    "an external entity": '<!DOCTYPE x SYSTEM "file:///etc/hostname">' + _WHOLE,
    "a processing instruction": envelope("<?run this?><GetSystemInfo/>"),
    "a processing instruction before": "<?run this?>" + _WHOLE,
    "a processing instruction after": _WHOLE + "<?run this?>",
    "no Body": f'<s:Envelope xmlns:s="{S11}"/>',
    "an empty Body": envelope(""),
    "two Bodies": _WHOLE.replace("</s:Body>", "</s:Body><s:Body/>"),
    "two Headers": _WHOLE.replace("<s:Body>", "<s:Header/><s:Header/><s:Body>"),
    "two operations": envelope("<GetSystemInfo/><GetSystemInfo/>"),
    "33 levels": envelope("<GetSystemInfo>" + "<a>" * 30 + "</a>" * 30 + "</GetSystemInfo>"),
    "65 attributes": envelope("<GetSystemInfo " + " ".join(f'a{n}="1"' for n in range(65)) + "/>"),
}


@pytest.mark.parametrize("what", _NOT_ACCEPTABLE)
@pytest.mark.parametrize(("soap", "status"), [(S11, 500), (S12, 400)])
def test_a_sender_fault_answers(
    shared_server: RunningServer, what: str, soap: str, status: int
) -> None:
    message = _NOT_ACCEPTABLE[what].replace(S11, soap)
    reply = shared_server.post("SoPrincipal", message, MEDIA[soap])
    assert reply.status == status
    assert reply.root.tag == f"{{{soap}}}Envelope"
    code = reply.root.findtext(".//faultcode") or reply.root.findtext(f".//{{{S12}}}Value")
    assert code in ("s:Client", "s:Sender")
    assert reply.fault
    for echoed in ("secret", "run this", "hostname"):
        assert echoed not in reply.fault


def test_depth_and_attributes_within_the_limits_are_read(shared_server: RunningServer) -> None:
    deep = envelope("<GetSystemInfo>" + "<a>" * 29 + "</a>" * 29 + "</GetSystemInfo>")
    wide = envelope("<GetSystemInfo " + " ".join(f'a{n}="1"' for n in range(64)) + "/>")
    assert [shared_server.post("SoPrincipal", one).status for one in (deep, wide)] == [200, 200]


@pytest.mark.parametrize(
    "root",
    [
        "<html/>",
        f'<Body xmlns="{S11}"/>',
        '<Envelope xmlns="urn:another"/>',
        "<Envelope/>",
        _WHOLE.replace(S11, "http://www.w3.org/2001/12/soap-envelope"),
    ],
)
@pytest.mark.parametrize("soap", [S11, S12])
def test_what_is_no_soap_envelope_is_of_another_version(
    shared_server: RunningServer, soap: str, root: str
) -> None:
    reply = shared_server.post("SoPrincipal", root, MEDIA[soap])
    assert reply.status == 500
    assert reply.root.tag == f"{{{soap}}}Envelope"
    code = reply.root.findtext(".//faultcode") or reply.root.findtext(f".//{{{S12}}}Value")
    assert code == "s:VersionMismatch"


def test_plain_answers_look_as_generated_clients_expect(shared_server: RunningServer) -> None:
    reply = shared_server.post("SoPrincipal", envelope("<AuthenticateImplicit/>"))
    assert reply.content.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    assert etree.QName(parts(reply.content)[1]).namespace == ns.SERVICES88
