"""``services88 serve`` as a process: it answers, over https too, and loses no call."""

import http.client
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services88.store.sqlite import sqlite_path
from tests.databases import Databases, kind_of
from tests.programs import Program, finished, program, serving
from tests.running import sign_in

PASSWORD = "vellum orbit quartz"
PATH = "/Remote/Services88/SoPrincipal.svc"
XML = {"Content-Type": "text/xml; charset=utf-8"}

Said = Callable[..., str]


@pytest.fixture
def jane(done: Said, database: str) -> None:  # noqa: ARG001 - the command finds it
    done("user", "add", "JANE", "--password-stdin", stdin=PASSWORD)


def _signs_in(connection: http.client.HTTPConnection, password: str = PASSWORD) -> bool:
    connection.request("POST", PATH, sign_in("JANE", password).encode(), XML)
    response = connection.getresponse()
    assert response.status == 200
    return b"<AuthenticationSucceeded>true<" in response.read()


@pytest.mark.usefixtures("jane")
def test_it_serves_the_users_of_the_database(database: str, empty_folder: Path) -> None:
    with serving("--database", database, folder=empty_folder) as server:
        connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
        assert _signs_in(connection)
        assert not _signs_in(connection, "not the password")
        connection.close()


def test_it_creates_the_database_and_has_no_user_in_it(
    done: Said, databases: Databases, empty_folder: Path
) -> None:
    empty = databases.empty()
    with serving("--database", empty, folder=empty_folder) as server:
        connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
        for name in ("ADMIN", "JANE", "admin", "root", ""):
            connection.request("POST", PATH, sign_in(name, "").encode(), XML)
            assert b"<AuthenticationSucceeded>false<" in connection.getresponse().read()
        connection.close()
    assert done("user", "list", "--database", empty).count("\n") == 1


def test_servers_that_start_at_once_make_the_tables_once(
    done: Said, databases: Databases, empty_folder: Path
) -> None:
    at = ("--database", databases.empty())
    arguments = ("serve", "--port", "0", *at)
    with (
        program(*arguments, folder=empty_folder) as one,
        program(*arguments, folder=empty_folder) as other,
    ):
        for server in (one, other):
            server.wait_for(r"serves http://")
            assert "Traceback" not in server.said
        assert done("tenant", "list", *at).count("\n") == 2


@pytest.mark.usefixtures("jane")
def test_a_change_from_the_command_line_counts_at_once(
    done: Said, database: str, empty_folder: Path
) -> None:
    with serving("--database", database, folder=empty_folder) as server:
        connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
        done("user", "retire", "JANE")
        assert not _signs_in(connection)
        done("user", "unretire", "JANE")
        assert _signs_in(connection)
        done("user", "set-password", "JANE", "--password-stdin", stdin="marble lantern fjord")
        assert not _signs_in(connection)
        assert _signs_in(connection, "marble lantern fjord")
        connection.close()


@pytest.mark.usefixtures("jane")
def test_online_asks_for_an_issued_token(done: Said, database: str, empty_folder: Path) -> None:
    token = done("app-token", "issue", "invoicing").strip()
    with serving("--database", database, "--installation", "online", folder=empty_folder) as server:

        def succeeds(header: str) -> bool:
            connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
            message = sign_in("JANE", PASSWORD).replace("<s:Body>", f"{header}<s:Body>")
            connection.request("POST", f"/default{PATH}", message.encode(), XML)
            content = connection.getresponse().read()
            connection.close()
            return b"<AuthenticationSucceeded>true<" in content

        header = f"<s:Header><ApplicationToken>{token}</ApplicationToken></s:Header>"
        assert not succeeds("")
        assert succeeds(header)
        done("app-token", "revoke", "1")
        assert not succeeds(header)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for 127.0.0.1, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl command")
    folder = tmp_path_factory.mktemp("tls")
    chain, key = str(folder / "chain.pem"), str(folder / "key.pem")
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *(
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=test",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
            ),
            *("-keyout", key, "-out", chain),
        ],
        check=True,
        capture_output=True,
    )
    return chain, key


@pytest.mark.usefixtures("jane")
@pytest.mark.one_database("it is about TLS")
def test_it_answers_over_https(
    database: str, empty_folder: Path, certificate: tuple[str, str]
) -> None:
    chain, key = certificate
    trusting = ssl.create_default_context(cafile=chain)
    arguments = ("--database", database, "--tls-certificate", chain, "--tls-key", key)
    with serving(*arguments, folder=empty_folder, tls=trusting) as server:
        assert "https://127.0.0.1" in server.said
        connection = http.client.HTTPSConnection(
            server.host, server.port, timeout=30, context=trusting
        )
        assert _signs_in(connection)
        connection.request("GET", f"{PATH}?wsdl")
        assert f"https://127.0.0.1:{server.port}{PATH}".encode() in connection.getresponse().read()
        connection.close()
        clear = http.client.HTTPConnection(server.host, server.port, timeout=30)
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            _signs_in(clear)
        clear.close()


def test_a_public_address_is_served_with_tls_or_behind_a_proxy(
    empty_folder: Path, certificate: tuple[str, str]
) -> None:
    chain, key = certificate
    trusting = ssl.create_default_context(cafile=chain)
    trusting.check_hostname = False
    arguments = ("--host", "0.0.0.0", "--tls-certificate", chain, "--tls-key", key)
    with serving(*arguments, folder=empty_folder, tls=trusting):
        pass
    with serving("--host", "0.0.0.0", "--behind-proxy", folder=empty_folder):
        pass


def test_a_certificate_that_cannot_be_read_is_refused(empty_folder: Path) -> None:
    (empty_folder / "not.pem").write_text("not a certificate")
    arguments = ("--tls-certificate", "not.pem", "--tls-key", "not.pem")
    result = finished("serve", "--port", "0", *arguments, folder=empty_folder)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "not.pem" in result.stderr


@pytest.fixture
def server(database: str, empty_folder: Path) -> Iterator[Program]:
    with serving("--database", database, folder=empty_folder) as running:
        yield running


def _wait_until_closed(server: Program) -> None:
    while True:
        try:
            socket.create_connection((server.host, server.port), timeout=30).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # it closed just now
            continue
        # Thousands at once fill the kernel's queue, and who is not let in there tries for a second.
        time.sleep(0.01)


@pytest.mark.usefixtures("jane")
def test_sigterm_answers_the_call_under_way_and_takes_no_other(server: Program) -> None:
    message = sign_in("JANE", PASSWORD).encode()
    address = (server.host, server.port)
    with socket.create_connection(address, timeout=30) as connection:
        answer = connection.makefile("rb")
        connection.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: test\r\nContent-Type: text/xml\r\n"
            f"Content-Length: {len(message)}\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        # The server asks for the body only once the call is under way.
        assert answer.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert answer.readline() == b"\r\n"
        server.process.send_signal(signal.SIGTERM)
        _wait_until_closed(server)
        connection.sendall(message)
        assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
        assert b"<AuthenticationSucceeded>true<" in answer.read()
    assert server.wait() == 0
    assert "Traceback" not in server.said


@pytest.mark.usefixtures("jane")
def test_what_is_sent_on_an_idle_connection_while_the_server_stops_is_answered(
    server: Program,
) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    connection.request("GET", "/-/health/live")
    assert connection.getresponse().read()
    server.process.send_signal(signal.SIGTERM)
    _wait_until_closed(server)
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    connection.request("POST", PATH, sign_in("JANE", PASSWORD), headers)
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.getheader("connection") == "close"
    assert b"<AuthenticationSucceeded>true<" in answer.read()
    connection.close()
    server.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_stops_at_once_when_told(
    server: Program, database: str, number: signal.Signals
) -> None:
    with socket.create_connection((server.host, server.port)):
        server.process.send_signal(number)
        server.wait()
    assert "Traceback" not in server.said
    if kind_of(database) == "sqlite":
        path = sqlite_path(database)
        assert not path.with_name(f"{path.name}-wal").exists(), "the database is closed"
