"""Many connections that only wait, of one address and of a proxy: others get in."""

import asyncio
import logging
import os
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import trustme

from services88.web.addresses import TrustedProxies
from services88.web.connections import AddressCounts, Connections, Room
from tests.running import RunningServer, Starter, envelope
from tests.wire.raw import receive, request

pytestmark = pytest.mark.one_database("it is about connections")

_CALL = request(
    "POST /Remote/Services88/SoPrincipal.svc HTTP/1.1",
    "Content-Type: text/xml",
    body=envelope("<GetSystemInfo/>"),
)
_HALF = _CALL[:60]
_PROXY = "127.0.0.1"  # trusted, as it is by default
_ATTACKER, _OTHER = "127.0.0.2", "127.0.0.3"


@contextmanager
def many(
    port: int, number: int, sent: bytes = b"", source: str = _ATTACKER
) -> Iterator[list[socket.socket]]:
    """Open connections from an address, and send the same on each."""
    with ExitStack() as stack:
        made = []
        for _ in range(number):
            one = stack.enter_context(
                socket.create_connection(("127.0.0.1", port), 20, source_address=(source, 0))
            )
            if sent:
                _send(one, sent)
            made.append(one)
        yield made


def _send(one: socket.socket, sent: bytes) -> None:
    try:
        one.sendall(sent)
    except OSError:
        pass  # it was refused before


def answers(port: int, source: str = _OTHER) -> int:
    """Make a call from an address, and give the status of its answer."""
    with (
        socket.create_connection(("127.0.0.1", port), 20, source_address=(source, 0)) as one,
        one.makefile("rwb", buffering=0) as stream,
    ):
        _send(one, _CALL)
        return receive(stream).status  # type: ignore[arg-type]


def refused(made: list[socket.socket]) -> int:
    """Count those that were refused or closed by now, all of which the server has seen."""
    number = 0
    for one in made:
        one.setblocking(False)
        try:
            got = one.recv(12)
        except BlockingIOError:
            continue
        except ConnectionResetError:
            got = b""
        assert got in (b"", b"HTTP/1.1 503")
        number += 1
    return number


def eventually(happens: Callable[[], bool]) -> None:
    for _ in range(400):
        if happens():
            return
        time.sleep(0.05)
    raise AssertionError("it never happened")


def figures(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        lines = [line for line in answer.read().decode().splitlines() if line[0] != "#"]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_half_sent_requests_of_one_address_keep_nobody_else_out(
    start: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = free_port()
    server = start(max_connections=50, metrics_port=metrics)
    with many(server.port, 80, _HALF) as made:
        assert answers(server.port) == 200
        assert refused(made) == 70, "a fifth is let in"
        assert [answers(server.port) for _ in range(20)] == [200] * 20
        found = figures(metrics)
        assert found['services88_connections_refused_total{reason="address"}'] == 70
        assert 10 <= found["services88_connections"] <= 12
        lines = [one for one in caplog.messages if "their address has as many" in one]
        assert len(lines) == 1, "a line a minute"
        assert _ATTACKER in lines[0]
    eventually(lambda: answers(server.port, _ATTACKER) == 200)


def test_who_shares_an_address_with_an_attacker_waits_a_second_at_most(start: Starter) -> None:
    server = start(max_connections=50)
    with many(server.port, 10, _HALF):
        time.sleep(1.1)
        assert [answers(server.port, _ATTACKER) for _ in range(5)] == [200] * 5


def test_idle_connections_of_an_address_make_room(start: Starter) -> None:
    server = start(max_connections=50)
    with many(server.port, 10, _CALL) as made:
        for one in made:
            with one.makefile("rb", buffering=0) as stream:
                assert receive(stream).status == 200  # type: ignore[arg-type]
        assert answers(server.port, _ATTACKER) == 200
        eventually(lambda: refused(made[:1]) == 1)  # the one that was idle for longest
        assert refused(made[1:]) == 0


def test_a_proxy_has_no_limit_but_that_of_the_server(
    start: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    server = start(max_connections=50)
    with many(server.port, 50, _HALF, _PROXY) as made:
        assert answers(server.port) == 503, "all are young, and none is idle"
        assert refused(made) == 0
        time.sleep(1.1)
        assert [answers(server.port) for _ in range(5)] == [200] * 5
        assert refused(made) > 0
    assert any("none of them only waits" in one for one in caplog.messages)
    assert any("closed to make room" in one for one in caplog.messages)


@pytest.fixture
def over_tls(start: Starter, tmp_path: Path) -> tuple[RunningServer, ssl.SSLContext]:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    certificate.cert_chain_pems[0].write_to_path(chain)
    certificate.private_key_pem.write_to_path(key)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return start(max_connections=50, tls_certificate=chain, tls_key=key), trusting


@pytest.mark.parametrize(("source", "number"), [(_ATTACKER, 120), (_PROXY, 50)])
def test_silent_handshakes_keep_nobody_out(
    over_tls: tuple[RunningServer, ssl.SSLContext],
    caplog: pytest.LogCaptureFixture,
    source: str,
    number: int,
) -> None:
    server, trusting = over_tls
    before = len(os.listdir("/proc/self/fd"))
    with many(server.port, number, b"\x16\x03\x01", source) as made:
        if source == _PROXY:
            time.sleep(1.1)
        for _ in range(5):
            with (
                socket.create_connection(
                    ("127.0.0.1", server.port), 20, source_address=(_OTHER, 0)
                ) as plain,
                trusting.wrap_socket(plain, server_hostname="127.0.0.1") as one,
                one.makefile("rwb", buffering=0) as stream,
            ):
                one.sendall(_CALL)
                assert receive(stream).status == 200  # type: ignore[arg-type]
        # This process is both sides: what it opened, and what the server holds.
        held = len(os.listdir("/proc/self/fd")) - before - len(made)
        assert held <= 10 + 5 if source == _ATTACKER else held <= 50 + 5
    expected = "address has as many" if source == _ATTACKER else "closed to make room"
    assert any(expected in one for one in caplog.messages)


def test_a_handshake_that_fails_is_counted(
    over_tls: tuple[RunningServer, ssl.SSLContext], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "services88.connections")
    server, _ = over_tls
    with many(server.port, 1, b"GET / HTTP/1.1\r\n\r\n"):
        eventually(lambda: any("handshakes of TLS failed" in one for one in caplog.messages))


def test_silent_connections_to_the_metrics_use_nothing_up(start: Starter) -> None:
    metrics = free_port()
    server = start(metrics_port=metrics)
    server.add_user("JANE", "vellum orbit")
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    with many(metrics, 150) as silent, many(metrics, 100, b"GET /metrics HTTP/1.1\r\n") as half:
        time.sleep(1.1)
        assert figures(metrics)["services88_database_up"] == 1
        assert server.sign_in("JANE", "vellum orbit")
        own = len(silent) + len(half)
        assert len(os.listdir("/proc/self/fd")) - files - own <= 40
        assert threading.active_count() - threads <= 5


def _admitted(of: Connections, *hosts: str) -> list[bool]:
    async def work() -> list[bool]:
        return [of.admit(host) is not None for host in hosts]

    return asyncio.run(work())


def test_an_ipv6_network_is_one_address() -> None:
    of = Connections(Room(50, 2), exempt=TrustedProxies("2001:db8:9::/48"))
    same = ("2001:db8::1", "2001:db8::2", "2001:db8::ffff:3")
    assert _admitted(of, *same) == [True, True, False]
    assert _admitted(of, "2001:db8:0:1::1", "192.0.2.1", "::ffff:192.0.2.1") == [True] * 3
    assert _admitted(of, "192.0.2.1") == [False]
    assert _admitted(of, *["2001:db8:9::1"] * 9) == [True] * 9


def test_a_process_that_died_leaves_nothing_behind() -> None:
    counts = AddressCounts(2)
    counts.begin(0)
    assert [counts.take("192.0.2.1", 2) for _ in range(3)] == [True, True, False]
    counts.begin(1)
    assert not counts.take("192.0.2.1", 2)
    counts.begin(0)
    assert counts.take("192.0.2.1", 2)
