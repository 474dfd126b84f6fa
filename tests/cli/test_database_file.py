"""Which database the commands take, and that they make it."""

from collections.abc import Callable
from pathlib import Path

import pytest

Said = Callable[..., str]


def test_the_default_database_is_made(done: Said, empty_folder: Path) -> None:
    done("user", "list")
    assert (empty_folder / "services88.sqlite3").is_file()


def test_the_database_is_named_by_flag_variable_or_file(
    done: Said, empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_folder / "own.toml").write_text('database = "sqlite:///file.sqlite3"\n')
    monkeypatch.setenv("SERVICES88_CONFIG", "own.toml")
    done("db", "upgrade")
    assert (empty_folder / "file.sqlite3").exists()
    monkeypatch.setenv("SERVICES88_DATABASE", "sqlite:///variable.sqlite3")
    done("db", "upgrade")
    assert (empty_folder / "variable.sqlite3").exists()
    done("db", "upgrade", "--database", "sqlite:///flag.sqlite3")
    assert (empty_folder / "flag.sqlite3").exists()
    assert not (empty_folder / "services88.sqlite3").exists()


def test_the_current_revision_makes_no_file(done: Said, empty_folder: Path) -> None:
    done("db", "current", "--database", "sqlite:///mistyped.sqlite3")
    assert list(empty_folder.iterdir()) == []
