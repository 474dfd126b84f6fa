"""Several workers of one command: one state, replaced when they die, gone when they should be."""

import http.client
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.postgresql import postgresql
from tests.programs import Program, finished, own_environment, program, serving
from tests.running import Reply, change_own, credentials, envelope, sign_in

_PROCESSES = pytest.mark.one_database("it is about processes")

PASSWORD = "vellum orbit quartz"
FOLDER = "/Remote/Services88"


def post(server: Program, agent: str, message: str) -> Reply:
    """Make a call on a connection of its own, which any worker may take."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    try:
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        connection.request("POST", f"{FOLDER}/{agent}.svc", message.encode(), headers)
        response = connection.getresponse()
        return Reply(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def workers_of(server: Program) -> set[int]:
    """Find the processes that a server has begun and that are not gone."""
    found = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return {int(pid) for pid in found.split()}


def eventually(happens: Callable[[], bool]) -> None:
    for _ in range(600):
        if happens():
            return
        time.sleep(0.05)
    raise AssertionError("it never happened")


@pytest.fixture
def folder(tmp_path: Path, database: str) -> Path:
    command = ("user", "add", "JANE", "--password-stdin", "--database", database)
    added = finished(*command, folder=tmp_path, stdin=f"{PASSWORD}\n")
    assert added.returncode == 0, added.stderr
    return tmp_path


@pytest.fixture
def server(folder: Path, database: str) -> Iterator[Program]:
    with serving("--workers", "3", "--database", database, folder=folder) as running:
        eventually(lambda: len(workers_of(running)) == 3)
        yield running


def _ticket(server: Program, password: str) -> str:
    reply = post(server, "SoPrincipal", sign_in("JANE", password))
    ticket = reply.text("Ticket")
    assert ticket, reply.content
    return ticket


def _is_known(server: Program, ticket: str) -> bool:
    cheap = "<GetCredentialTypes/>"
    reply = post(server, "User", envelope(cheap, credentials(ticket)))
    assert reply.status == 200, reply.content
    return reply.text("ExceptionType") is None


def test_what_one_worker_changes_holds_for_all_from_the_next_call_on(
    server: Program, folder: Path, database: str
) -> None:
    ticket, other = _ticket(server, PASSWORD), _ticket(server, PASSWORD)
    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(lambda _: _is_known(server, other), range(60)))
        reply = post(server, "User", change_own(ticket, PASSWORD, "marble lantern fjord"))
        assert reply.text("Response") == "true", reply.content
        # A change ends the other tickets, in whichever worker they are shown.
        assert not any(pool.map(lambda _: _is_known(server, other), range(60)))
        assert all(pool.map(lambda _: _is_known(server, ticket), range(60)))
    retired = finished("user", "retire", "JANE", "--database", database, folder=folder)
    assert retired.returncode == 0, retired.stderr
    with ThreadPoolExecutor(12) as pool:
        assert not any(pool.map(lambda _: _is_known(server, ticket), range(60)))


@_PROCESSES
def test_a_worker_that_dies_is_replaced(server: Program) -> None:
    before = workers_of(server)
    os.kill(min(before), signal.SIGKILL)
    eventually(lambda: len(workers_of(server)) == 3 and workers_of(server) != before)
    for _ in range(10):
        assert _ticket(server, PASSWORD)
    assert "and is replaced" in server.said
    assert "Traceback" not in server.said


@pytest.mark.postgresql
@_PROCESSES
def test_a_worker_that_dies_while_the_database_is_away_is_replaced(tmp_path: Path) -> None:
    with postgresql() as database:
        of = ("--database", database.new_database())
        command = ("user", "add", "JANE", "--password-stdin", *of)
        assert finished(*command, folder=tmp_path, stdin=f"{PASSWORD}\n").returncode == 0
        with serving("--workers", "2", *of, folder=tmp_path) as server:
            eventually(lambda: len(workers_of(server)) == 2)
            before = workers_of(server)
            database.stop(signal.SIGQUIT)
            os.kill(min(before), signal.SIGKILL)
            eventually(lambda: len(workers_of(server)) == 2 and workers_of(server) != before)
            assert post(server, "SoPrincipal", sign_in("JANE", PASSWORD)).status == 503
            os.kill(max(before), signal.SIGKILL)  # so that it is the new one that answers
            database.start()
            assert _ticket(server, PASSWORD)
            assert "Traceback" not in server.said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@_PROCESSES
def test_told_to_stop_all_workers_stop(server: Program, number: signal.Signals) -> None:
    workers = workers_of(server)
    assert _ticket(server, PASSWORD)
    server.process.send_signal(number)
    assert server.wait() == 0, server.said
    for pid in workers:
        assert not Path(f"/proc/{pid}").exists()
    assert "Traceback" not in server.said


@_PROCESSES
def test_told_to_stop_the_calls_under_way_are_answered(server: Program) -> None:
    message = sign_in("JANE", PASSWORD).encode()
    with socket.create_connection((server.host, server.port), timeout=30) as connection:
        answer = connection.makefile("rb")
        connection.sendall(
            f"POST {FOLDER}/SoPrincipal.svc HTTP/1.1\r\nHost: test\r\nContent-Type: text/xml\r\n"
            f"Content-Length: {len(message)}\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        assert answer.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert answer.readline() == b"\r\n"
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: len(workers_of(server)) == 1)
        connection.sendall(message)
        assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
        assert b"<AuthenticationSucceeded>true<" in answer.read()
    assert server.wait() == 0


@_PROCESSES
def test_workers_do_not_outlive_a_server_that_is_killed(server: Program) -> None:
    workers = workers_of(server)
    server.process.kill()
    eventually(lambda: not any(_runs(pid) for pid in workers))


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@_PROCESSES
def test_a_hangup_without_a_terminal_ends_nobody(server: Program) -> None:
    before = workers_of(server)
    for _ in range(5):  # at first while they begin
        server.process.send_signal(signal.SIGHUP)
        assert _ticket(server, PASSWORD)
    server.wait_for("nothing to reload")
    assert workers_of(server) == before
    assert _ticket(server, PASSWORD)


@_PROCESSES
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_terminal_that_closes_ends_the_server(folder: Path, database: str, workers: str) -> None:
    ours, its = os.openpty()
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup ignores it, for children too
    try:
        started = ("serve", "--port", "0", "--workers", workers, "--database", database)
        with program(*started, folder=folder, stdin=its) as running:
            running.wait_for("services88 serves")
            running.process.send_signal(signal.SIGHUP)
            assert running.wait() in (0, -signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
        os.close(ours)
        os.close(its)


@_PROCESSES
def test_an_address_has_one_limit_with_all_workers(folder: Path, database: str) -> None:
    options = ("--workers", "4", "--database", database)
    limits: dict[str, Any] = {
        "SERVICES88_MAX_CONNECTIONS": "500",
        "SERVICES88_MAX_CONNECTIONS_PER_ADDRESS": "10",
        "SERVICES88_HEADER_SECONDS": "60",
    }
    with serving(*options, folder=folder, **limits) as server, ExitStack() as stack:
        eventually(lambda: len(workers_of(server)) == 4)

        def half_sent(_: int) -> socket.socket:
            one = socket.create_connection(
                (server.host, server.port), timeout=20, source_address=("127.0.0.2", 0)
            )
            one.sendall(b"POST / HT")
            return stack.enter_context(one)

        with ThreadPoolExecutor(20) as pool:
            made = list(pool.map(half_sent, range(60)))
        waiting = select.poll()
        for one in made:
            waiting.register(one, select.POLLIN)
        eventually(lambda: len(waiting.poll(0)) >= 50)
        assert len(waiting.poll(500)) == 50, "ten were let in"
        assert post(server, "SoPrincipal", sign_in("JANE", PASSWORD)).status == 200
        server.wait_for("their address has as many as it may")


def _two_free_ports() -> int:
    # Not among those that the system gives to whoever asks for any.
    while True:
        port = random.randrange(10_000, 30_000)
        try:
            for each in (port, port + 1):
                socket.create_server(("127.0.0.1", each)).close()
        except OSError:
            continue
        return port


def test_each_worker_gives_its_own_metrics(folder: Path, database: str) -> None:
    port = _two_free_ports()
    arguments = ("--workers", "2", "--metrics-port", str(port), "--database", database)
    with serving(*arguments, folder=folder) as running:
        running.wait_for(f"metrics are on 127.0.0.1 port {port}\\D")
        running.wait_for(f"metrics are on 127.0.0.1 port {port + 1}\\D")
        assert _ticket(running, PASSWORD)
        signed_in = 0.0
        for each in (port, port + 1):
            connection = http.client.HTTPConnection("127.0.0.1", each, timeout=30)
            connection.request("GET", "/metrics")
            said = connection.getresponse().read().decode()
            connection.close()
            signed_in += sum(
                float(line.rpartition(" ")[2])
                for line in said.splitlines()
                if line.startswith("services88_calls_total") and "AuthenticateUsername" in line
            )
        assert signed_in == 1


def test_workers_that_cannot_start_end_the_server(tmp_path: Path) -> None:
    code = (
        "import socket, sys; from services88.web.workers import supervise\n"
        "sys.exit(supervise(2, socket.socket(), lambda number: sys.exit(3), end_on_hangup=False))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=own_environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "could not start" in done.stderr


def test_a_number_that_cannot_be_is_refused(tmp_path: Path) -> None:
    refused = finished("serve", "--workers", "0", folder=tmp_path)
    assert refused.returncode == 1
    assert "workers" in refused.stderr
    with program("serve", "--workers", "many", folder=tmp_path) as running:
        assert running.wait() == 2
