"""Which bodies are taken for messages, and in which encodings."""

import pytest

from tests.running import S11, S12, Reply, RunningServer, envelope
from tests.wire.operations import MEDIA

pytestmark = pytest.mark.one_database("it is about HTTP")

_PASSWORD = "пароль with søren"


@pytest.fixture(scope="module")
def soren(shared_server: RunningServer) -> RunningServer:
    shared_server.add_user("søren", _PASSWORD)
    shared_server.add_user("ascii", "plain password")
    return shared_server


def message(name: str, password: str, encoding: str | None = None) -> str:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>' if encoding else ""
    return declared + envelope(
        f"<AuthenticateUsernamePassword><UserName>{name}</UserName>"
        f"<Password>{password}</Password></AuthenticateUsernamePassword>"
    )


_UTF8 = message("søren", _PASSWORD)


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("text/xml", _UTF8.encode()),
        ("text/xml", message("søren", _PASSWORD, "utf-8").encode()),
        ("text/xml; charset=utf-8", b"\xef\xbb\xbf" + _UTF8.encode()),
        ("text/xml", b"\xef\xbb\xbf" + _UTF8.encode()),
        ("text/xml; charset=utf-16", _UTF8.encode("utf-16")),
        ("text/xml; charset=utf-16", b"\xfe\xff" + _UTF8.encode("utf-16-be")),
        ("text/xml", message("søren", _PASSWORD, "utf-16").encode("utf-16")),
        ("text/xml; charset=utf-8", _UTF8.encode("utf-16")),
        ("text/xml; charset=utf-16le", _UTF8.encode("utf-16-le")),
        ("text/xml; charset=utf-16be", _UTF8.encode("utf-16-be")),
        (
            "text/xml",
            message("søren", _PASSWORD, "iso-8859-1").encode("latin-1", "xmlcharrefreplace"),
        ),
        ("text/xml; charset=iso-8859-1", _UTF8.encode("latin-1", "xmlcharrefreplace")),
        ("text/xml; charset=us-ascii", _UTF8.encode("ascii", "xmlcharrefreplace")),
        # what the transport says outweighs what the document says (RFC 7303, 3)
        ("text/xml; charset=utf-8", message("søren", _PASSWORD, "iso-8859-1").encode()),
    ],
)
def test_every_usual_encoding_is_read(soren: RunningServer, media: str, body: bytes) -> None:
    reply = soren.post("SoPrincipal", body, media)
    assert reply.status == 200, reply.content
    assert reply.text("AuthenticationSucceeded") == "true"
    assert reply.text("Associate") == "søren"
    assert reply.headers["content-type"] == "text/xml; charset=utf-8"


@pytest.mark.parametrize(
    "media",
    [
        "text/xml",
        "TEXT/XML",
        "text/xml;charset=UTF-8",
        'text/xml; charset="utf-8"',
        "text/xml ; charset=UTF8",
        "text/xml; unknown=parameter; charset=utf-8",
    ],
)
def test_ways_to_write_the_media_type(soren: RunningServer, media: str) -> None:
    reply = soren.post("SoPrincipal", _UTF8, media)
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/xml; charset=utf-8"


@pytest.mark.parametrize(
    "media",
    [
        "",
        "xml",
        "application/xml",
        "application/json",
        "text/plain",
        "text/html",
        "application/x-www-form-urlencoded",
        'multipart/related; type="text/xml"; boundary=x',
        'multipart/related; type="application/xop+xml"; boundary=x; start-info="text/xml"',
        "text/xml; charset=shift_jis",
        "text/xml; charset=utf-7",
        "text/xml; charset=nonsense",
    ],
)
@pytest.mark.parametrize("soap", [S11, S12])
def test_anything_else_is_415(soren: RunningServer, media: str, soap: str) -> None:
    assert_refused(soren.post("SoPrincipal", envelope("<GetSystemInfo/>", soap=soap), media))


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "x-unknown"])
def test_compressed_messages_are_415(soren: RunningServer, encoding: str) -> None:
    assert_refused(soren.post("SoPrincipal", _UTF8, Content_Encoding=encoding))


def test_identity_is_no_compression(soren: RunningServer) -> None:
    assert soren.post("SoPrincipal", _UTF8, Content_Encoding="identity").status == 200


def assert_refused(reply: Reply) -> None:
    assert reply.status == 415
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.content.count(b"\n") <= 1


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("text/xml; charset=utf-8", _UTF8.encode("latin-1", "xmlcharrefreplace")),
        ("text/xml", _UTF8.encode("latin-1", "xmlcharrefreplace")),
        ("text/xml; charset=us-ascii", _UTF8.encode()),
        ("text/xml; charset=utf-16", _UTF8.encode()),
        ("text/xml", message("a", "b", "x-unknown").encode()),
    ],
)
def test_bytes_that_are_not_of_the_encoding_are_a_fault(
    soren: RunningServer, media: str, body: bytes
) -> None:
    reply = soren.post("SoPrincipal", body, media)
    assert reply.status == 500
    assert reply.root.findtext(".//faultcode") == "s:Client"
    assert _PASSWORD not in (reply.fault or "")


def test_soap_1_2_in_utf_16(soren: RunningServer) -> None:
    body = message("søren", _PASSWORD).replace(S11, S12).encode("utf-16")
    reply = soren.post("SoPrincipal", body, "application/soap+xml; charset=utf-16")
    assert reply.headers["content-type"] == MEDIA[S12]
    assert reply.text("AuthenticationSucceeded") == "true"
