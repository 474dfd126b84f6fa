"""Running commands in an empty folder, with no settings of anybody's around."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services88.cli import main
from tests.databases import Databases

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one; the default database will be made in it."""
    for name in [name for name in os.environ if "SERVICES88" in name]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def database(databases: Databases, monkeypatch: pytest.MonkeyPatch, empty_folder: Path) -> str:  # noqa: ARG001 - the environment is emptied first
    """A database that commands find in the environment; a process of its own has to be told."""
    url = databases.new()
    monkeypatch.setenv("SERVICES88_DATABASE", url)
    return url


@pytest.fixture
def run() -> Run:
    """Run a command within this process."""

    def invoke(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(main, arguments, input=stdin)

    return invoke


@pytest.fixture
def done(run: Run) -> Callable[..., str]:
    """Run a command that succeeds, and give what it prints."""

    def invoke(*arguments: str, stdin: str = "") -> str:
        result = run(*arguments, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    return invoke


@pytest.fixture
def refused(run: Run) -> Callable[..., str]:
    """Run a command that cannot be carried out, and give its one message."""

    def invoke(*arguments: str, stdin: str = "") -> str:
        result = run(*arguments, stdin=stdin)
        assert result.exit_code == 1, result.output
        assert isinstance(result.exception, SystemExit), result.exception
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert "Traceback" not in result.stderr
        return result.stderr.removeprefix("Error: ").strip()

    return invoke
