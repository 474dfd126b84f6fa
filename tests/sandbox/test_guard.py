"""A web page cannot reach a sandbox by a name of its own: all of it answers to its own names."""

import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from services88.testing import SandboxServer, serving
from tests.programs import program
from tests.running import sign_in
from tests.sandbox.posting import request

XML = {"Content-Type": "text/xml; charset=utf-8"}
SERVICE = "/Remote/Services88/SoPrincipal.svc"
PATHS = ("/", "/admin", "/admin/users", "/account", "/password", "/services", f"{SERVICE}?wsdl",
         "/Remote/x", "/-/health/live", "/.well-known/change-password", "/__sandbox/",
         "/__sandbox/tenants", "/nothing", "//evil/")  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a sandbox as a program, which has pages."""
    folder = tmp_path_factory.mktemp("sandbox")
    arguments = ("sandbox", "--port", "0", "--allow-host", "crm.test")
    with program(*arguments, folder=folder) as running:
        yield running.wait_for(r"Admin API: (http://[\d.:]+)/__sandbox/docs")[1]


@pytest.mark.parametrize("path", PATHS)
def test_by_another_name_nothing_is_answered(url: str, path: str) -> None:
    for method in ("GET", "POST", "HEAD", "OPTIONS"):
        for more in ({}, {"X-Forwarded-Host": "localhost"}):
            headers = {"Host": "rebound.example:8088", **more}
            reply = request(url, method, path, b"" if method == "POST" else None, headers)
            assert reply.status == 403, (method, path)
            assert method == "HEAD" or b"--allow-host rebound.example" in reply.content


def test_a_page_that_rebinds_cannot_sign_in_with_the_published_passwords(url: str) -> None:
    message = sign_in("JANE", "jane in the sandbox").encode()
    refused = request(url, "POST", SERVICE, message, {**XML, "Host": "rebound.example"})
    assert (refused.status, b"Ticket" in refused.content) == (403, False)
    for host in ("crm.test", "CRM.test:8088", "localhost", "127.9.9.9:1", "[::1]:8088"):
        assert request(url, "POST", SERVICE, message, {**XML, "Host": host}).text("Ticket")
        assert request(url, "GET", "/admin", None, {"Host": host}).status < 400


@pytest.mark.parametrize(
    "host", ["", "localhost.evil.example", "127.0.0.1.evil.example", "evil-localhost", "10.9.8.7",
             "0.0.0.0", "[::]", "127.0.0.1@evil.example", "crm.test.evil"],
)  # fmt: skip
def test_names_that_look_like_its_own(url: str, host: str) -> None:
    assert request(url, "GET", "/admin", None, {"Host": host}).status in (400, 403)


def test_on_every_address_it_answers_to_the_one_that_was_called(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: finds this machine's own address
        except OSError:
            pytest.skip("this machine has no address but loopback")
        own = probe.getsockname()[0]
    arguments = ("sandbox", "--host", "0.0.0.0", "--port", "0", "--expose-test-server")
    with program(*arguments, folder=tmp_path) as running:
        port = running.wait_for(r"Admin API: http://127.0.0.1:(\d+)/")[1]
        assert request(f"http://{own}:{port}", "GET", "/-/health/live").status == 200
        there = {"Host": f"{own}:{port}"}  # by way of another address it is not its own
        assert request(f"http://127.0.0.1:{port}", "GET", "/admin", None, there).status == 403


def test_names_are_given_in_python_too(caplog: pytest.LogCaptureFixture) -> None:
    def tenants(server: SandboxServer, host: str) -> int:
        return request(server.url, "GET", "/__sandbox/tenants", None, {"Host": host}).status

    with caplog.at_level(logging.WARNING), serving(allowed_hosts=["crm.test"]) as server:
        assert tenants(server, "crm.test") == 200
        for _ in range(3):
            assert tenants(server, "other.test") == 403
    said = [one.getMessage() for one in caplog.records if "other.test" in one.getMessage()]
    assert len(said) == 1


def test_the_refusal_of_the_admin_api_is_json(url: str) -> None:
    reply = request(url, "GET", "/__sandbox/tenants", None, {"Host": "a.example"})
    assert json.loads(reply.content)["error"] == "This host name is not one of the sandbox's."
