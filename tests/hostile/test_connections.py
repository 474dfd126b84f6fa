"""Connections made to do harm, against a real server over real sockets."""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import Databases
from tests.programs import serving
from tests.running import RunningServer, Starter, envelope, running
from tests.wire.raw import connected, exchange, receive, request

pytestmark = pytest.mark.one_database("it is about HTTP")

_PATH = "/Remote/Services88/SoPrincipal.svc"
_XML = "Content-Type: text/xml"
_INFO = envelope("<GetSystemInfo/>")
_POST = f"POST {_PATH} HTTP/1.1"
_CALL = request(_POST, _XML, body=_INFO)
_CHUNKED = request(_POST, _XML, "Transfer-Encoding: chunked")
_CHUNK = b"%x\r\n%s\r\n" % (len(_INFO), _INFO.encode())


@pytest.fixture(scope="module")
def hasty(shared_databases: Databases) -> Iterator[RunningServer]:
    """A server that waits for nobody."""
    with running(
        shared_databases.new(), header_seconds=0.4, body_seconds=0.8, idle_seconds=1.2
    ) as server:
        yield server


def everything(server: RunningServer, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send parts, and give all that comes until the server closes."""
    said = b""
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
        except OSError:
            pass  # it closed while we spoke
        try:
            while part := connection.recv(65536):
                said += part
        except ConnectionResetError:
            pass
    return said


@pytest.mark.parametrize(
    "parts",
    [
        [b"P", b"O", b"S", b"T", b" ", b"/"],
        [f"{_POST}\r\n".encode(), *([b"X-More: 1\r\n"] * 20)],
        [_CALL, b"GET / HT", b"TP/1.1"],
    ],
)
def test_a_header_section_must_come_in_time(hasty: RunningServer, parts: list[bytes]) -> None:
    said = everything(hasty, *parts, pause=0.1)
    assert said.count(b"HTTP/1.1 408 ") == 1
    assert said.count(b"HTTP/1.1 200 ") == parts.count(_CALL)


@pytest.mark.parametrize(
    "parts",
    [
        [request(_POST, _XML, "Content-Length: 500"), *([b" "] * 20)],
        [_CHUNKED, *([b"1\r\n \r\n"] * 20)],
        [_CHUNKED, _CHUNK, b"0\r\n", *([b"X-Trailer: 1\r\n"] * 20)],
    ],
)
def test_a_body_must_come_in_time(hasty: RunningServer, parts: list[bytes]) -> None:
    said = everything(hasty, *parts, pause=0.1)
    assert said.count(b"HTTP/1.1 ") == said.count(b"HTTP/1.1 408 ") == 1


@pytest.mark.parametrize("sent", [b"", b"\r\n", _CALL])
def test_an_idle_connection_is_closed(hasty: RunningServer, sent: bytes) -> None:
    started = time.monotonic()
    said = everything(hasty, sent)
    assert 1 < time.monotonic() - started < 10
    assert said.count(b"HTTP/1.1 ") == (1 if sent == _CALL else 0)


def test_a_connection_in_use_stays_open(hasty: RunningServer) -> None:
    with connected(hasty) as stream:
        for _ in range(8):
            stream.write(_CALL)
            assert receive(stream).status == 200
            time.sleep(0.3)


def test_answers_that_nobody_reads_are_dropped(hasty: RunningServer) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect((hasty.host, hasty.port))
        wsdl = request("GET /Remote/Services88/User.svc?wsdl HTTP/1.1")

        def ask_for_ever() -> None:
            for _ in range(2000):
                connection.sendall(wsdl)
                time.sleep(0.01)

        with pytest.raises(OSError, match=r"reset|pipe"):
            ask_for_ever()


@pytest.mark.parametrize(("allowed", "taken"), [(4096, 300), (256, 146)])
def test_files_for_all_connections_may_be_opened(allowed: int, taken: int) -> None:
    program = (
        "import logging, resource\n"
        "from services88.settings import load\n"
        "from services88.web.server import allow_files, connections_of\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, (200, {allowed}))\n"
        "logging.basicConfig()\n"
        "settings = load({'max_connections': 300})\n"
        "allow_files(settings)\n"
        "room = connections_of(settings).room\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], room.connections, room.of_address)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.split() == [str(min(allowed, 410)), str(taken), str(taken // 5)]
    assert ("may open 256 files and needs 410" in done.stderr) is (allowed < 410)


def test_a_connection_too_many(start: Starter) -> None:
    server = start(max_connections=3)
    with connected(server) as one, connected(server) as two, connected(server) as three:
        for stream in (one, two, three):
            stream.write(_CALL[:10])
        time.sleep(0.2)
        assert everything(server).startswith(b"HTTP/1.1 503 ")
        one.write(_CALL[10:])
        assert receive(one).status == 200  # and is idle now: it makes room
        assert exchange(server, _CALL).status == 200
        assert one.read(1) == b""


@pytest.mark.parametrize(
    "head",
    [
        f"{_POST}\r\nHost: a\r\nX: {'x' * 66_000}\r\n\r\n",
        f"{_POST}\r\nHost: a\r\n" + "X: y\r\n" * 14_000 + "\r\n",
        f"{_POST}\r\nHost: a\r\n{'x' * 66_000}",
    ],
)
def test_a_header_section_may_be_64_kib(shared_server: RunningServer, head: str) -> None:
    half = len(head) // 2
    said = everything(
        shared_server, head[:half].encode(), head[half:].encode(), b"x" * 66_000, pause=0.05
    )
    assert said.startswith(b"HTTP/1.1 431 ") or said == b""  # a reset may overtake the answer


def test_an_address_may_be_16_kib(shared_server: RunningServer) -> None:
    for size, status in ((16_383, b"404"), (16_384, b"414"), (30_000, b"414")):
        head = f"GET /{'x' * size} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
        said = everything(shared_server, head[:9_000], head[9_000:], pause=0.05)
        assert said.startswith(b"HTTP/1.1 %s " % status)


@pytest.mark.parametrize("size", [100_000, 2_000_000, 30_000_000])
@pytest.mark.parametrize("kind", ["body", "chunks", "header"])
def test_who_sends_too_much_learns_of_it(
    shared_server: RunningServer, kind: str, size: int
) -> None:
    # The client reads nothing before it has sent all, as most do.
    connection = http.client.HTTPConnection(shared_server.host, shared_server.port, timeout=30)
    media = {"Content-Type": "text/xml"}
    if kind == "header":
        connection.request("POST", _PATH, b"", {"X-Long": "x" * size})
    elif kind == "body":
        connection.request("POST", _PATH, b"x" * size, media)
    else:
        chunks = (b"x" * 32_768 for _ in range(size // 32_768 + 1))
        connection.request("POST", _PATH, chunks, media, encode_chunked=True)
    answer = connection.getresponse()
    assert answer.status == (431 if kind == "header" else 413)
    assert answer.getheader("connection") == "close"
    assert b"too l" in answer.read()
    connection.close()


def _memory(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


@pytest.mark.parametrize(
    "kind", ["header", "url", "chunk extension", "trailer", "chunks", "pipelined"]
)
def test_memory_is_bounded(tmp_path: Path, kind: str) -> None:
    first, more = {
        "header": (request(_POST).removesuffix(b"\r\n") + b"X: ", b"x" * 65536),
        "url": (b"GET /", b"x" * 65536),
        "chunk extension": (_CHUNKED + b"5;a=", b"x" * 65536),
        "trailer": (_CHUNKED + b"0\r\n", b"X: " + b"x" * 65000 + b"\r\n"),
        "chunks": (_CHUNKED, b"1\r\nx\r\n" * 10_000),
        "pipelined": (b"", request("GET / HTTP/1.1") * 2000),
    }[kind]
    with serving("--database", f"sqlite:///{tmp_path / 'a.sqlite3'}", folder=tmp_path) as server:
        before = _memory(server.process.pid)
        with socket.create_connection((server.host, server.port), timeout=20) as connection:
            try:
                connection.sendall(first)
                for _ in range(200 * 16):  # 200 MiB
                    connection.sendall(more)
            except OSError:
                pass
        assert _memory(server.process.pid) - before < 16
        assert exchange(server, _CALL).status == 200  # type: ignore[arg-type]
        assert "Traceback" not in server.said


_LENGTH = f"Content-Length: {len(_INFO)}"
_SMUGGLING = {
    "both": [_LENGTH, "Transfer-Encoding: chunked"],
    "two lengths": [_LENGTH, "Content-Length: 5"],
    "two lengths in one": [f"{_LENGTH}, 5"],
    "a signed length": [f"Content-Length: +{len(_INFO)}"],
    "a negative length": ["Content-Length: -1"],
    "a hexadecimal length": ["Content-Length: 0x10"],
    "xchunked": ["Transfer-Encoding: xchunked"],
    "chunked not last": ["Transfer-Encoding: chunked, identity"],
    "chunked and more": ["Transfer-Encoding: chunked", "Transfer-Encoding: x"],
    "blank before the colon": [_LENGTH + "\r\nTransfer-Encoding : chunked"],
    "blank before the colon of the length": [f"Content-Length : {len(_INFO)}"],
    "a null byte": [_LENGTH, "X: a\0b"],
    "a lone CR": [_LENGTH, "X: a\rTransfer-Encoding: chunked"],
    "two hosts": [_LENGTH, "Host: b"],
    "a lone LF": [_LENGTH, "X: a\nTransfer-Encoding: chunked"],
    "a folded header": [_LENGTH, "X: a\r\n b"],
    "a folded length": ["Content-Length: 1\r\n 2"],
}


@pytest.mark.parametrize("kind", _SMUGGLING)
def test_two_ways_to_read_a_request_are_none(shared_server: RunningServer, kind: str) -> None:
    said = everything(
        shared_server, request(_POST, _XML, *_SMUGGLING[kind]) + _INFO.encode() + _CALL
    )
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1 ") == 1  # and what follows is no request


@pytest.mark.parametrize(
    "chunk", [b"1\nx\n0\n\n", b"1;\n a\r\nx\r\n0\r\n\r\n", b"1;a=\rb\r\nx\r\n"]
)
def test_chunks_end_their_lines_as_all_do(shared_server: RunningServer, chunk: bytes) -> None:
    said = everything(shared_server, _CHUNKED + chunk + _CALL)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("host", ["", "a b", "a/b", "user@a", "a:b", "a\tb", "[::1"])
def test_a_host_that_is_none(shared_server: RunningServer, host: str) -> None:
    reply = exchange(shared_server, request(_POST, _XML, body=_INFO, host=host))
    assert reply.status == (200 if host == "" else 400)


def test_no_host(shared_server: RunningServer) -> None:
    assert exchange(shared_server, request(_POST, _XML, body=_INFO, host=None)).status == 400


@pytest.mark.parametrize(
    "start",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"CONNECT elsewhere:80 HTTP/1.1\r\nHost: elsewhere\r\n\r\n",
    ],
)
def test_other_protocols(shared_server: RunningServer, start: bytes) -> None:
    said = everything(shared_server, start)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("to", ["h2c", "websocket", "TLS/1.0"])
def test_an_upgrade_is_not_made(shared_server: RunningServer, to: str) -> None:
    upgrade = request(
        _POST, _XML, "Connection: Upgrade, HTTP2-Settings", f"Upgrade: {to}", body=_INFO
    )
    with connected(shared_server) as stream:
        head, body = upgrade.split(b"\r\n\r\n", 1)
        stream.write(head + b"\r\n\r\n")
        time.sleep(0.05)
        stream.write(body + _CALL)
        assert [receive(stream).status for _ in range(2)] == [200, 200]


def test_the_body_of_an_upgrade_is_no_request(shared_server: RunningServer) -> None:
    upgrade = request(_POST, _XML, "Connection: Upgrade", "Upgrade: h2c", body=_CALL)
    with connected(shared_server) as stream:
        stream.write(upgrade + _CALL)
        assert [receive(stream).status for _ in range(2)] == [500, 200]


def test_answers_come_in_order_and_a_bad_request_is_the_last(shared_server: RunningServer) -> None:
    said = everything(shared_server, _CALL * 3 + b"bad\r\n\r\n" + _CALL)
    assert said.count(b"HTTP/1.1 ") == said.count(b"HTTP/1.1 200 ") == 3


def test_trailers_change_nothing(shared_server: RunningServer) -> None:
    message = _CHUNKED + _CHUNK + b"0\r\nSOAPAction: urn:other\r\nContent-Encoding: gzip\r\n\r\n"
    with connected(shared_server) as stream:
        stream.write(message + _CALL)
        assert [receive(stream).status for _ in range(2)] == [200, 200]


def test_nothing_is_done_after_a_close(shared_server: RunningServer) -> None:
    closing = request(_POST, _XML, "Connection: close", body=_INFO)
    assert everything(shared_server, closing + _CALL).count(b"HTTP/1.1 ") == 1
