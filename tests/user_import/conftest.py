"""Importing files through the command line, into a database of the test's own."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services88.cli import main

Import = Callable[..., Result]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with nobody's settings."""
    for name in [name for name in os.environ if "SERVICES88" in name]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(database: str) -> Import:
    """Run a command on the database."""

    def invoke(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(main, [*arguments, "--database", database], input=stdin)

    return invoke


@pytest.fixture
def imported(folder: Path, run: Import) -> Import:
    """Write a file and import it."""

    def invoke(content: str | bytes, *options: str, name: str = "users.csv") -> Result:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return run("user", "import", str(path), *options)

    return invoke
