"""``config show`` and ``config check``."""

import tomllib
from pathlib import Path

import pytest

from services88.settings import Settings, load, masked_url
from tests.programs import finished


def test_every_setting_is_shown_with_its_source_and_without_secrets(folder: Path) -> None:
    (folder / "own.toml").write_text(
        'smtp_host = "mail.example.com"\nmail_from = "a@example.com"\nport = 1\n'
        'log_level = "error"\n'
    )
    shown = finished(
        *("config", "show", "--config", "own.toml", "--host", "::1"),
        folder=folder,
        SERVICES88_PORT="4711",
        SERVICES88_SMTP_USER="mailer",
        SERVICES88_SMTP_PASSWORD="hidden-1",
        SERVICES88_DATABASE="postgresql://user:hidden-2@db.example.com/x",
    )
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert 'host = "::1"  # flag' in lines
    assert "port = 4711  # environment" in lines
    assert 'log_level = "error"  # file' in lines
    assert "wsdl = true  # default" in lines
    assert "header_seconds = 10.0  # default" in lines
    assert '# smtp_password = "***"  # environment' in lines
    assert '# database = "postgresql://user:***@db.example.com/x"  # environment' in lines
    assert "hidden" not in shown.stdout + shown.stderr
    for name in Settings.model_fields:
        assert any(line.lstrip("# ").startswith(f"{name} ") for line in lines), name
    tomllib.loads(shown.stdout)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u@h/db?password=hidden", "postgresql://u@h/db?password=***"),
        (
            "postgresql://u@h/db?sslmode=require&sslpassword=hidden",
            "postgresql://u@h/db?sslmode=require&sslpassword=***",
        ),
        ("postgresql://u:not@hidden@h/db", "***"),
        ("postgresql://u:not@hid/hidden@h/db", "***"),
        ("postgresql://u:hidden@h:port/db", "***"),
        ("postgresql://u:hid/hidden@h/db", "postgresql://u:***@h/db"),
    ],
)
def test_a_password_is_not_shown_wherever_it_stands_in_the_url(url: str, shown: str) -> None:
    assert masked_url(url) == shown
    assert "hidden" not in repr(load({"database": url}))


def test_a_password_that_was_not_escaped_is_not_told(folder: Path) -> None:
    for password in ("hidden/more", "hidden#more", "more?hidden"):
        url = f"postgresql://u:{password}@127.0.0.1:1/db"
        refused = finished("db", "current", "--database", url, folder=folder)
        assert refused.returncode == 1
        assert "cannot be read" in refused.stderr
        assert "hidden" not in refused.stderr


def test_what_cannot_be_seen_is_shown_escaped(folder: Path) -> None:
    sender = "a\u202e\u2028\x9b@example.com"
    shown = finished("config", "show", folder=folder, SERVICES88_MAIL_FROM=sender)
    assert 'mail_from = "a\\u202e\\u2028\\u009b@example.com"' in shown.stdout
    assert tomllib.loads(shown.stdout)["mail_from"] == sender


def test_what_is_shown_makes_the_same_server(folder: Path) -> None:
    first = finished("config", "show", "--port", "4711", "--no-wsdl", folder=folder)
    (folder / "shown.toml").write_text(first.stdout)
    again = finished("config", "show", "--config", "shown.toml", folder=folder)
    assert tomllib.loads(again.stdout) == tomllib.loads(first.stdout)


def test_check_tells_what_is_wrong_and_touches_nothing(folder: Path) -> None:
    good = finished("config", "check", folder=folder)
    assert (good.returncode, good.stdout) == (0, "The settings can be used.\n")
    for arguments, expected in (
        (("--host", "0.0.0.0"), "passwords in the clear"),
        (("--port", "70000"), "port"),
    ):
        bad = finished("config", "check", *arguments, folder=folder)
        assert bad.returncode == 1
        assert expected in bad.stderr
    bad = finished("config", "check", folder=folder, SERVICES88_BLOCKLIST="absent.txt")
    assert bad.returncode == 1
    assert "absent.txt" in bad.stderr
    assert list(folder.iterdir()) == []
