"""Which database the commands take, and that they make it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.programs import finished, serving

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


def test_a_database_that_everybody_can_read_is_used_with_a_warning(
    done: Said, empty_folder: Path
) -> None:
    """A refusal would stop installations that are there; new files are their owner's only."""
    done("db", "upgrade")
    file = empty_folder / "services88.sqlite3"
    assert "Warning" not in finished("user", "list", folder=empty_folder).stderr
    done("db", "backup", "copy.backup")
    assert {one.stat().st_mode & 0o777 for one in (file, empty_folder / "copy.backup")} == {0o600}
    with serving(folder=empty_folder) as server:
        assert {one.stat().st_mode & 0o077 for one in empty_folder.glob("services88*")} == {0}
        assert "can read or write" not in server.said
    file.chmod(0o644)
    listed = finished("user", "list", folder=empty_folder)
    assert listed.returncode == 0
    assert "everybody on this machine can read or write services88.sqlite3" in listed.stderr
    with serving("--workers", "2", folder=empty_folder) as server:
        server.wait_for("can read or write services88.sqlite3, which holds password hashes")
    assert server.said.count("can read or write services88.sqlite3,") == 1
    (empty_folder / "copy.backup").chmod(0o604)
    restored = finished("db", "restore", "copy.backup", "--force", folder=empty_folder)
    assert restored.returncode == 0
    assert "can read or write copy.backup" in restored.stderr
    assert file.stat().st_mode & 0o777 == 0o600
