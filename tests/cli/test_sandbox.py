"""``services88 sandbox`` as a process: what it prints can be used as printed."""

import http.client
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.databases import Databases
from tests.programs import Program, finished, program
from tests.running import sign_in

LAST_LINE = r"Sign in with the new one:\n\ncurl(?s:.*?)</s:Envelope>\"\n"
PATH = "/Remote/Services88/SoPrincipal.svc"


@pytest.fixture(scope="module")
def touring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A sandbox that has played its tour."""
    folder = tmp_path_factory.mktemp("sandbox")
    with program("sandbox", "--port", "0", "--tour", folder=folder) as running:
        running.wait_for(LAST_LINE)
        found = running.wait_for(r"http://([\d.]+):(\d+)/Remote/Services88/SoPrincipal.svc")
        running.host, running.port = found[1], int(found[2])
        yield running
        assert not list(folder.iterdir()), "the database is a throw-away one, elsewhere"


def _signs_in(sandbox: Program, name: str, password: str) -> bool:
    connection = http.client.HTTPConnection(sandbox.host, sandbox.port, timeout=30)
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    connection.request("POST", PATH, sign_in(name, password).encode(), headers)
    content = connection.getresponse().read()
    connection.close()
    return b"<AuthenticationSucceeded>true<" in content


def _demo_users(sandbox: Program) -> list[tuple[str, str, str]]:
    listed = sandbox.wait_for(r"Demo sign-ins\n((?:  .+\n)+)")[1]
    found = re.findall(r"^  (\w+) +(.+?) {2,}(.+)$", listed, re.MULTILINE)
    return [(name, password, role) for name, password, role in found]


def test_the_tour_shows_every_exchange_of_the_story(touring: Program) -> None:
    steps = re.split(r"(?m)^(?=\d\. )", touring.said.partition("services88 sandbox:")[0])[1:]
    assert [step.splitlines()[0] for step in steps] == [
        "1. Sign in",
        "2. Change the password, with a wrong old one",
        "3. Change the password",
        "4. Sign in with the old password: refused",
        "5. Sign in with the new password: accepted",
        "6. Change it back, so that the demo sign-in below is true",
    ]
    outcomes = [
        re.findall(r"<(?:AuthenticationSucceeded|Response)>(true|false)<", step)[-1]
        for step in steps
    ]
    assert outcomes == ["true", "false", "true", "false", "true", "true"]
    for step in steps:
        assert re.search(r"^POST /Remote/Services88/\w+\.svc$", step, re.MULTILINE)
        assert "HTTP 200" in step
    assert "old-password-wrong" in steps[1]


def test_the_demo_users_sign_in_as_printed(touring: Program) -> None:
    users = _demo_users(touring)
    assert sorted(role for _, _, role in users) == ["Administrator", "User level 0", "User level 0"]
    for name, password, _ in users:
        assert len(password) > 15
        if name != "JANE":  # the curl commands change hers
            assert _signs_in(touring, name, password)


def test_the_printed_curl_commands_work_as_they_stand(touring: Program) -> None:
    bash = shutil.which("bash")
    if bash is None or shutil.which("curl") is None:
        pytest.skip("there is no bash or no curl")
    guide = touring.said.partition("Try it.")[2]
    commands = [
        block for block in guide.split("\n\n") if block.startswith(("curl ", "TICKET=$(curl "))
    ]
    assert len(commands) == 3
    script = "\n".join([commands[0], 'echo "ticket: $TICKET"', *commands[1:]])
    result = subprocess.run([bash, "-c", script], capture_output=True, text=True, check=True)
    assert result.stderr == ""
    assert re.search(r"^ticket: 7T:\S+$", result.stdout, re.MULTILINE)
    changed, _, again = result.stdout.partition("</s:Envelope>")
    assert "<Response>true</Response>" in changed
    assert "<AuthenticationSucceeded>true</AuthenticationSucceeded>" in again
    jane = next(password for name, password, _ in _demo_users(touring) if name == "JANE")
    assert not _signs_in(touring, "JANE", jane)


def test_a_site_that_is_unknown_is_refused(touring: Program) -> None:
    connection = http.client.HTTPConnection(touring.host, touring.port, timeout=30)
    connection.request("GET", f"/nobody{PATH}?wsdl")
    assert connection.getresponse().status == 404
    connection.close()


def test_a_kept_database_is_for_sandboxes_only(databases: Databases, empty_folder: Path) -> None:
    kept = ("--database", databases.empty())
    for _ in range(2):  # made, and taken up again
        with program("sandbox", "--port", "0", *kept, folder=empty_folder) as sandbox:
            sandbox.wait_for(LAST_LINE)
    refused = finished("serve", "--port", "0", *kept, folder=empty_folder)
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: This database was made by the sandbox")
    assert "--database" in refused.stderr


def test_a_public_address_is_possible_by_saying_what_it_is(empty_folder: Path) -> None:
    arguments = ("sandbox", "--host", "0.0.0.0", "--port", "0", "--expose-test-server")
    with program(*arguments, folder=empty_folder) as sandbox:
        sandbox.wait_for(LAST_LINE)
        told = sandbox.wait_for(r"See calls as they come: (\S+)")[1]
        with urlopen(told, timeout=30) as page:
            assert page.status == 200
