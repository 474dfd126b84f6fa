"""HTTP as real clients speak it: old versions, absolute URIs, 100-continue, closing, lengths."""

import re

import pytest

from tests.running import S11, S12, RunningServer, envelope
from tests.wire.operations import MEDIA
from tests.wire.raw import RawReply, connected, exchange, receive, request

pytestmark = pytest.mark.one_database("it is about HTTP")

_INFO = envelope("<GetSystemInfo/>")
_PATH = "/Remote/Services88/SoPrincipal.svc"
_XML = "Content-Type: text/xml"
_CALL = request(f"POST {_PATH} HTTP/1.1", _XML, body=_INFO)

_ANSWERS = {
    "200": _CALL,
    "200 SOAP 1.2": request(
        f"POST {_PATH} HTTP/1.1",
        f"Content-Type: {MEDIA[S12]}",
        body=envelope("<GetSystemInfo/>", soap=S12),
    ),
    "200 refused": request(
        "POST /Remote/Services88/User.svc HTTP/1.1", _XML, body=envelope("<GetAllRoles/>")
    ),
    "200 wsdl": request(f"GET {_PATH}?wsdl HTTP/1.1"),
    "400 fault": request(
        f"POST {_PATH} HTTP/1.1", f"Content-Type: {MEDIA[S12]}", body=envelope("<No/>", soap=S12)
    ),
    "400 no HTTP": b"this is no HTTP\r\n\r\n",
    "400 no header": b"GET / HTTP/1.1\r\nno header\r\n\r\n",
    "404": request("GET / HTTP/1.1"),
    "404 POST": request("POST /Remote/Services88/Contact.svc HTTP/1.1", _XML, body=_INFO),
    "405": request(f"PUT {_PATH} HTTP/1.1", _XML, body=_INFO),
    "405 GET": request(f"GET {_PATH} HTTP/1.1"),
    "405 OPTIONS": request(f"OPTIONS {_PATH} HTTP/1.1"),
    "413": request(f"POST {_PATH} HTTP/1.1", _XML, "Content-Length: 65537"),
    "413 chunked": request(f"POST {_PATH} HTTP/1.1", _XML, "Transfer-Encoding: chunked")
    + b"10001\r\n"
    + b"x" * 0x10001
    + b"\r\n",
    "415": request(f"POST {_PATH} HTTP/1.1", "Content-Type: application/json", body="{}"),
    "415 nothing said": request(f"POST {_PATH} HTTP/1.1", body=_INFO),
    "500 fault": request(f"POST {_PATH} HTTP/1.1", _XML, body="<no/>"),
}


@pytest.mark.parametrize("kind", _ANSWERS)
def test_every_answer_has_a_length_and_no_server(shared_server: RunningServer, kind: str) -> None:
    reply = exchange(shared_server, _ANSWERS[kind])
    assert reply.status == int(kind[:3])
    assert len(reply.all("content-length")) == len(reply.all("content-type")) == 1
    assert reply.all("server") == reply.all("transfer-encoding") == []


@pytest.mark.parametrize("path", [f"{_PATH}?wsdl", _PATH, "/"])
def test_head_has_the_length_and_no_body(shared_server: RunningServer, path: str) -> None:
    with connected(shared_server) as stream:
        stream.write(request(f"HEAD {path} HTTP/1.1"))
        assert int(receive(stream, bodiless=True).all("content-length")[0]) > 0
        stream.write(_CALL)  # what is read next is the next answer's beginning
        assert receive(stream).status == 200


@pytest.mark.parametrize("kind", ["404", "405", "413", "415"])
def test_what_http_refuses_is_one_line_of_text(shared_server: RunningServer, kind: str) -> None:
    reply = exchange(shared_server, _ANSWERS[kind])
    assert reply.all("content-type")[0].startswith("text/plain")
    assert re.fullmatch(rb"[^\r\n]+\n?", reply.content)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "GET", "HEAD"])
def test_405_says_what_is_allowed(shared_server: RunningServer, method: str) -> None:
    reply = exchange(
        shared_server, request(f"{method} {_PATH} HTTP/1.1"), bodiless=method == "HEAD"
    )
    assert reply.status == 405
    assert set(reply.all("allow")[0].split(", ")) == {"POST", "GET", "HEAD"}


def closes(server: RunningServer, call: bytes) -> RawReply:
    with connected(server) as stream:
        stream.write(call)
        reply = receive(stream)
        assert stream.read(1) == b"", "the connection stays open"
        return reply


@pytest.mark.parametrize("said", ["close", "Close", "CLOSE", "keep-alive, close"])
@pytest.mark.parametrize("kind", ["200", "200 wsdl", "404", "405", "415", "500 fault"])
def test_close_is_answered_with_the_same(
    shared_server: RunningServer, said: str, kind: str
) -> None:
    first, _, rest = _ANSWERS[kind].partition(b"\r\n")
    reply = closes(shared_server, first + b"\r\nConnection: " + said.encode() + b"\r\n" + rest)
    assert reply.status == int(kind[:3])
    assert [value.lower() for value in reply.all("connection")] == ["close"]


def test_otherwise_a_connection_is_kept(shared_server: RunningServer) -> None:
    with connected(shared_server) as stream:
        for kind in ("200", "500 fault", "404", "405", "415", "200 wsdl", "200"):
            stream.write(_ANSWERS[kind])
            reply = receive(stream)
            assert reply.status == int(kind[:3])
            assert reply.all("connection") == []


def test_calls_may_be_sent_without_waiting_for_answers(shared_server: RunningServer) -> None:
    with connected(shared_server) as stream:
        stream.write(_CALL * 5)
        assert [receive(stream).status for _ in range(5)] == [200] * 5


@pytest.mark.parametrize("host", ["localhost", None])
def test_http_1_0(shared_server: RunningServer, host: str | None) -> None:
    call = request(f"POST {_PATH} HTTP/1.0", _XML, body=_INFO, host=host)
    reply = closes(shared_server, call)
    assert reply.status == 200
    assert b"GetSystemInfoResponse" in reply.content


@pytest.mark.parametrize("origin", ["http://localhost:8088", "HTTP://crm.example.com"])
def test_an_absolute_uri_in_the_request_line(shared_server: RunningServer, origin: str) -> None:
    reply = exchange(shared_server, request(f"POST {origin}{_PATH} HTTP/1.1", _XML, body=_INFO))
    assert reply.status == 200
    wsdl = exchange(shared_server, request(f"GET {origin}{_PATH}?wsdl HTTP/1.1"))
    assert wsdl.status == 200
    assert f'{_PATH}"'.encode() in wsdl.content


def test_100_continue(shared_server: RunningServer) -> None:
    head, body = _CALL.split(b"\r\n\r\n", 1)
    with connected(shared_server) as stream:
        stream.write(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert stream.readline().startswith(b"HTTP/1.1 100 ")
        assert stream.readline() == b"\r\n"
        stream.write(body)
        assert receive(stream).status == 200


@pytest.mark.parametrize("kind", ["413", "415", "404 POST"])
def test_what_is_refused_anyway_is_not_asked_for(shared_server: RunningServer, kind: str) -> None:
    head = _ANSWERS[kind].split(b"\r\n\r\n", 1)[0]
    with connected(shared_server) as stream:
        stream.write(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert receive(stream).status == int(kind[:3])


def test_a_chunked_request_is_read(shared_server: RunningServer) -> None:
    body = _INFO.encode()
    head = request(f"POST {_PATH} HTTP/1.1", _XML, "Transfer-Encoding: chunked")
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:60], body[60:])
    )
    assert exchange(shared_server, head + chunks + b"0\r\n\r\n").status == 200


def test_a_length_beside_chunks_is_refused(shared_server: RunningServer) -> None:
    # Request smuggling: two ways to say where the message ends (ASVS 4.2.1).
    head = request(
        f"POST {_PATH} HTTP/1.1", _XML, "Transfer-Encoding: chunked", "Content-Length: 5"
    )
    assert exchange(shared_server, head + b"0\r\n\r\n").status == 400


def test_a_message_may_be_as_long_as_65536_bytes(shared_server: RunningServer) -> None:
    padded = _INFO + " " * (65_536 - len(_INFO))
    assert shared_server.post("SoPrincipal", padded).status == 200
    assert shared_server.post("SoPrincipal", padded + " ").status == 413


@pytest.mark.parametrize("soap", [S11, S12])
def test_the_client_may_leave_before_its_message_is_complete(
    shared_server: RunningServer, soap: str
) -> None:
    with connected(shared_server) as stream:
        stream.write(
            request(f"POST {_PATH} HTTP/1.1", f"Content-Type: {MEDIA[soap]}", "Content-Length: 500")
        )
    assert exchange(shared_server, _CALL).status == 200
