"""What Prometheus reads."""

import asyncio
import socket
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services88.identity.clock import HOUR
from tests.programs import finished
from tests.running import RunningServer, Starter, TestClock, envelope, running


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def metered(start: Starter) -> tuple[RunningServer, int]:
    port = _free_port()
    server = start(metrics_port=port, smtp_host="127.0.0.1", smtp_port=1, mail_from="a@b.example")
    server.request("GET", "/-/health/live")
    return server, port


def _read(port: int) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _calls(agent: str, operation: str, outcome: str) -> tuple[str, frozenset[tuple[str, str]]]:
    labels = {"agent": agent, "operation": operation, "outcome": outcome}
    return "services88_calls_total", frozenset(labels.items())


def test_calls_are_counted_by_operation_and_outcome(metered: tuple[RunningServer, int]) -> None:
    server, port = metered
    server.add_user("JANE", "vellum orbit", email="jane@example.com")
    ticket = server.sign_in("JANE", "vellum orbit")
    assert ticket
    server.change_own(ticket, "wrong", "marble lantern")
    server.change_own(ticket, "vellum orbit", "marble lantern")
    for number in range(5):
        server.post("User", envelope(f"<Invented{number}/>"))
    found = _read(port)
    assert found[_calls("SoPrincipal", "AuthenticateUsernamePassword", "done")] == 1
    assert found[_calls("User", "ChangeOwnPassword", "refused")] == 1
    assert found[_calls("User", "ChangeOwnPassword", "done")] == 1
    assert found[_calls("User", "", "fault")] == 5
    assert not [labels for _, labels in found if "Invented" in str(labels)]
    of = frozenset({("agent", "User"), ("operation", "ChangeOwnPassword")})
    assert found["services88_call_seconds_count", of] == 2
    nothing: frozenset[tuple[str, str]] = frozenset()
    assert found["services88_database_up", nothing] == 1
    assert found["services88_outbox_waiting", nothing] == 1, "the mail about the change"
    assert found["services88_hashing_waiting", nothing] == 0
    idle = found["services88_database_connections", frozenset({("state", "idle")})]
    assert idle in (1, 2), "as many as were needed at once; of SQLite two"
    of = frozenset({("tenant", "default")})
    assert found["services88_audit_head", of] >= 4
    assert found["services88_audit_breaks_total", nothing] == 0
    assert found["process_resident_memory_bytes", nothing] > 1_000_000


def test_throttles_disablements_and_what_was_too_much_to_hash(database: str) -> None:
    port, clock = _free_port(), TestClock()
    nothing: frozenset[tuple[str, str]] = frozenset()

    def counted() -> list[float]:
        names = ("password_throttles", "password_disablements", "hashing_rejected")
        found = _read(port)
        return [found[f"services88_{name}_total", nothing] for name in names]

    few: dict[str, Any] = {"hashing_threads": 1, "hashing_queue": 2, "guess_disable_after": 10}
    with running(database, clock, metrics_port=port, **few) as server:
        server.add_user("JANE", "vellum orbit")
        assert counted() == [0, 0, 0]
        for _ in range(10):
            server.sign_in("JANE", "wrong")
            clock.time += HOUR  # nobody waits so long
        assert counted() == [0, 1, 0]
        for _ in range(4):
            server.sign_in("NOBODY", "wrong")
        assert counted() == [1, 1, 0]
        hashing, release = server.identity.hashing, threading.Event()

        async def too_much() -> None:
            work = [asyncio.ensure_future(hashing.run(release.wait)) for _ in range(4)]
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)  # the one refused
            release.set()
            await asyncio.gather(*work, return_exceptions=True)

        server.run(too_much())
        assert counted() == [1, 1, 1]


def test_a_port_that_is_taken_is_told(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = finished("serve", "--port", "0", "--metrics-port", port, folder=folder)
    assert result.returncode == 1
    assert f"Cannot give metrics on 127.0.0.1 port {port}" in result.stderr
    assert "Traceback" not in result.stderr


def test_there_are_none_by_default(shared_server: RunningServer) -> None:
    for path in ("/metrics", "/-/metrics"):
        assert shared_server.request("GET", path).status == 404
