"""What is for testing stays out of production (ASVS 15.2.3), and out of others' test runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from services88.settings import Settings
from tests.programs import program
from tests.running import Starter
from tests.sandbox.posting import request

_LOADED = """
import atexit, sys
def tell():
    names = [name for name in sys.modules if name.startswith("services88.")]
    print("LOADED", *sorted(names), flush=True)
"""


def _loaded(code: str, folder: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED + code + "\ntell()"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stdout.partition("LOADED")[2].split())


def test_a_server_that_has_answered_has_loaded_none_of_it(tmp_path: Path) -> None:
    code = """
import threading, http.client, socket, time, os, signal
from services88.web import server as web_server
from services88.cli import main
real = web_server.server
def server(*given):
    made = real(*given)
    startup = made.startup
    async def started(sockets=None):
        await startup(sockets=sockets)
        address = sockets[0].getsockname()
        def ask():
            for path in ("/__sandbox/", "/Remote/Services88/User.svc?wsdl"):
                connection = http.client.HTTPConnection(*address[:2], timeout=30)
                connection.request("GET", path)
                print(path, connection.getresponse().status, flush=True)
                connection.close()
            os.kill(os.getpid(), signal.SIGTERM)
        threading.Thread(target=ask).start()
    made.startup = started
    return made
web_server.server = server
signal.signal(signal.SIGTERM, lambda *_: None)
try:
    main(["serve", "--port", "0"], standalone_mode=False)
except SystemExit:
    pass
"""
    loaded = _loaded(code, tmp_path)
    assert "services88.web.application" in loaded
    assert not [
        name for name in loaded if name.startswith(("services88.sandbox", "services88.test"))
    ]
    assert "services88.pytest_plugin" not in loaded


@pytest.mark.parametrize(
    "path",
    ["/__sandbox/", "/__sandbox", "/__sandbox/docs", "/__sandbox/tenants", "/__sandbox/events",
     "/__sandbox/openapi.json"],
)  # fmt: skip
def test_serve_answers_nothing_there(start: Starter, path: str) -> None:
    server = start()
    assert server.request("GET", path).status == 404
    content = b'{"name": "a"}'
    assert server.request("POST", path, content, Content_Type="application/json").status == 404


def test_serve_as_a_program_answers_nothing_there(tmp_path: Path) -> None:
    with program("serve", "--port", "0", folder=tmp_path) as running:
        url = running.wait_for(r"serves (http://[\d.]+:\d+)/")[1]
        assert request(url, "GET", "/__sandbox/").status == 404
        assert request(url, "GET", "/__sandbox/tenants").status == 404


def test_no_setting_is_of_the_sandbox() -> None:
    words = ("sandbox", "journal", "fault", "seed", "clock", "test", "snapshot")
    assert [name for name in Settings.model_fields if any(word in name for word in words)] == []


def test_the_plugin_loads_nothing_until_a_fixture_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "import sys\n"
        "def test_nothing_is_loaded():\n"
        "    ours = {name for name in sys.modules if name.startswith('services88')}\n"
        "    assert ours == {'services88', 'services88.pytest_plugin'}\n"
        "    for heavy in ('lxml', 'sqlalchemy', 'starlette', 'uvicorn', 'pydantic'):\n"
        "        assert heavy not in sys.modules\n"
        "def test_and_then_it_is(services88):\n"
        "    services88.add_user('JANE', password='x')\n"
        "    assert 'services88.sandbox' in sys.modules\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:hypothesispytest",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def _pytest(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run the tests of a folder, as a user's own."""
    return subprocess.run(
        [sys.executable, *options, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "theirs",
    [
        "class Mine:\n    def calls(self):\n        return 5\n"
        "@pytest.fixture\ndef services88():\n    return Mine()\n",
        "from services88.testing import running_async\n"
        "@pytest.fixture\ndef services88():\n"
        "    with asyncio.Runner() as runner:\n"
        "        context = running_async()\n"
        "        yield runner.run(context.__aenter__())\n"
        "        runner.run(context.__aexit__(None, None, None))\n",
    ],
)
def test_a_fixture_of_the_same_name_that_is_not_ours_breaks_no_report(
    tmp_path: Path, theirs: str
) -> None:
    (tmp_path / "test_theirs.py").write_text(
        f"import asyncio\nimport pytest\n{theirs}"
        "def test_it(services88):\n"
        "    assert not services88\n"
        "def test_after():\n"
        "    pass\n"
    )
    done = _pytest(tmp_path)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr


def test_a_failing_test_shows_what_the_server_was_asked(tmp_path: Path) -> None:
    (tmp_path / "test_failing.py").write_text(
        "import urllib.request\n"
        "def test_it(services88):\n"
        "    urllib.request.urlopen(services88.wsdl('User')).read()\n"
        "    assert services88.calls('ChangeOwnPassword')\n"
        "def test_silent(services88):\n"
        "    assert services88.calls()\n"
    )
    done = _pytest(tmp_path)
    assert "services88 journal" in done.stdout
    assert "/Remote/Services88/User.svc?wsdl http" in done.stdout
    assert "The server was asked nothing." in done.stdout


@pytest.mark.parametrize(
    "failing",
    [
        "@pytest.fixture\ndef jane(services88):\n    ask(services88)\n    raise ValueError\n"
        "def test_it(jane):\n    pass\n",
        "def test_it(request):\n    ask(request.getfixturevalue('services88'))\n    assert 0\n",
    ],
)
def test_so_does_a_failing_fixture_and_a_test_that_asks_for_ours_late(
    tmp_path: Path, failing: str
) -> None:
    (tmp_path / "test_failing.py").write_text(
        "import urllib.request\nimport pytest\n"
        "def ask(services88):\n"
        "    urllib.request.urlopen(services88.wsdl('User')).read()\n" + failing
    )
    done = _pytest(tmp_path)
    assert "/Remote/Services88/User.svc?wsdl http" in done.stdout, done.stdout


def test_a_failing_test_that_has_deleted_its_tenant_ends_no_run(tmp_path: Path) -> None:
    (tmp_path / "test_deleted.py").write_text(
        "def test_it(services88, services88_server):\n"
        "    services88_server.run(services88_server.sandbox.delete(services88.tenant))\n"
        "    assert 0\n"
        "def test_after():\n"
        "    pass\n"
    )
    done = _pytest(tmp_path)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "was deleted: its test has ended" in done.stdout


def test_a_fixture_that_has_ended_its_sandbox_says_so_and_ends_no_run(tmp_path: Path) -> None:
    (tmp_path / "test_ended.py").write_text(
        "import pytest\n"
        "from services88.testing import running\n"
        "@pytest.fixture\n"
        "def services88():\n"
        "    with running() as ended:\n"
        "        return ended\n"
        "def test_it(services88):\n"
        "    services88.users()\n"
        "def test_after():\n"
        "    pass\n"
    )
    done = _pytest(tmp_path, "-W", "error")
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "RuntimeError: The sandbox has ended." in done.stdout
    assert "RuntimeWarning" not in done.stdout + done.stderr
