"""Two hundred tests at once, each with the same user of its own: nobody sees another's."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from services88.testing import Services88
from tests.programs import program
from tests.running import sign_in
from tests.sandbox.posting import post, request

_FILE = """
import http.client, datetime
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from services88.contract import namespaces as ns
from services88.testing import Busy

S11 = "http://schemas.xmlsoap.org/soap/envelope/"

def post(url, agent, header, body):
    address = urlsplit(url)
    message = (f'<s:Envelope xmlns:s="{S11}" xmlns="{ns.SERVICES88}">'
               f"<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>")
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    connection.request("POST", f"{address.path}/{agent}.svc", message.encode(), headers)
    response = connection.getresponse()
    content = response.read().decode()
    connection.close()
    return response.status, content

def sign_in(url, password):
    body = ("<AuthenticateUsernamePassword><UserName>JANE</UserName>"
            f"<Password>{password}</Password></AuthenticateUsernamePassword>")
    return post(url, "SoPrincipal", "", body)[1].partition("<Ticket>")[2].partition("<")[0]

@pytest.mark.parametrize("number", range(200))
def test_alone(services88, number):
    services88.add_user("JANE", password=f"old {number}")
    if number % 4 == 0:
        services88.move_clock(datetime.timedelta(days=number))
    services88.snapshot()
    ticket = sign_in(services88.url, f"old {number}")
    assert ticket
    if number % 3 == 0:
        services88.fault(Busy(), "ChangeOwnPassword")
        assert post(services88.url, "User", "", "<ChangeOwnPassword/>")[0] == 503
    body = (f"<ChangeOwnPassword><OldPassword>old {number}</OldPassword>"
            f"<NewPassword>new {number}</NewPassword></ChangeOwnPassword>")
    credentials = f"<Credentials><Ticket>{ticket}</Ticket></Credentials>"
    status, content = post(services88.url, "User", credentials, body)
    assert status == 200 and "<Response>true</Response>" in content
    assert services88.accepts("JANE", f"new {number}")
    assert services88.count("ChangeOwnPassword", outcome="succeeded") == 1
    assert services88.count() == (3 if number % 3 == 0 else 2)
    assert [user.name for user in services88.users()] == ["JANE"]
    services88.restore()
    assert services88.accepts("JANE", f"old {number}")

def test_at_once_in_one_process(services88_server):
    def one(number):
        with services88_server.tenant("thread") as services88:
            test_alone.__wrapped__(services88, number) if hasattr(test_alone, "__wrapped__") \\
                else test_alone(services88, number)
            return services88.tenant
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(one, range(40)))) == 40
"""


def test_two_hundred_tests_do_not_see_each_other(tmp_path: Path) -> None:
    (tmp_path / "test_alone.py").write_text(_FILE)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "201 passed" in done.stdout, done.stdout[-3000:]


_AT_ONCE = 50
"""More than a real server lets one address have waiting (32)."""


def test_nobody_is_told_that_the_server_is_busy(services88: Services88) -> None:
    services88.add_user("JANE", "old")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        replies = pool.map(
            lambda _: post(services88, "SoPrincipal", sign_in("JANE", "old")), range(_AT_ONCE)
        )
        assert [reply.status for reply in replies] == [200] * _AT_ONCE


def test_nobody_is_told_so_by_the_program(tmp_path: Path) -> None:
    with program("sandbox", "--port", "0", folder=tmp_path) as running:
        url = running.wait_for(r"Admin API: (http://[\d.:]+)/__sandbox/docs")[1]
        path = "/Remote/Services88/SoPrincipal.svc"
        xml = {"Content-Type": "text/xml; charset=utf-8"}
        message = sign_in("JANE", "jane in the sandbox").encode()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            replies = pool.map(lambda _: request(url, "POST", path, message, xml), range(_AT_ONCE))
            assert [reply.status for reply in replies] == [200] * _AT_ONCE
