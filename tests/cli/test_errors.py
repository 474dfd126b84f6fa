"""What cannot be done is refused with cause and remedy, exit status 1, and no traceback."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.databases import sql
from tests.programs import finished

Said = Callable[..., str]
PASSWORD = "vellum orbit quartz"


@pytest.mark.parametrize(
    ("url", "cause", "remedy"),
    [
        ("", "names no database", "Write sqlite:///FILE"),
        ("services88.sqlite3", "names no database", "Write sqlite:///FILE"),
        ("mysql://u:hush@h/x", "names no database of a kind", "Write sqlite:///FILE"),
        ("sqlite://", "names no file", "Write sqlite:///FILE"),
        ("sqlite:///:memory:", "names no file", "Write sqlite:///FILE"),
        ("sqlite:///nowhere/x.sqlite3", "No such file or directory", "folder must exist"),
        ("sqlite:///folder", "unable to open database file", "Name another file"),
        ("sqlite:///note.txt", "not a database", "Name another file"),
    ],
)
@pytest.mark.parametrize(
    "command", [("user", "list"), ("db", "upgrade"), ("db", "current"), ("serve", "--port", "0")]
)
def test_a_database_that_cannot_be_used(
    refused: Said, empty_folder: Path, command: tuple[str, ...], url: str, cause: str, remedy: str
) -> None:
    (empty_folder / "folder").mkdir()
    (empty_folder / "note.txt").write_text("This is no database, and longer than its header. " * 9)
    said = refused(*command, "--database", url)
    assert cause in said
    assert remedy in said
    assert "hush" not in said
    assert sorted(path.name for path in empty_folder.iterdir()) == ["folder", "note.txt"]


@pytest.mark.parametrize("command", [("user", "list"), ("db", "upgrade"), ("serve", "--port", "0")])
def test_a_database_that_a_newer_version_made(
    done: Said, refused: Said, database: str, command: tuple[str, ...]
) -> None:
    sql(database, "UPDATE alembic_version SET version_num = '9000'")
    said = refused(*command)
    assert "at revision 9000" in said
    assert "Install the newer version" in said
    assert done("db", "current").startswith("9000 ")


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("arguments", "stdin", "cause", "remedy"),
    [
        (["user", "add", "jane"], PASSWORD, "has a user jane already", ""),
        (["user", "add", "JOE"], "", "cannot be empty", "Choose a password"),
        (["user", "add", "JOE"], "\n", "cannot be empty", "Choose a password"),
        (["user", "add", "  "], PASSWORD, "", "1 to 254 characters"),
        (["user", "add", "7T:x"], PASSWORD, "cannot begin with 7T:", ""),
        (["user", "add", "a\u200bb"], PASSWORD, "no control or invisible characters", ""),
        (["user", "add", "JOE", "--role", "Boss"], PASSWORD, "no role Boss", "Administrator, User"),
        (["user", "add", "ß" * 128], PASSWORD, "254 characters, also with every ß as ss", ""),
        (["user", "add", "JOE", "--email", "ß" * 128 + "@x"], PASSWORD, "every ß as ss", ""),
        (["user", "add", "JOE", "--email", "x" * 255], PASSWORD, "address has at most 254", ""),
        (
            ["user", "add", "JOE", "--firstname", "x" * 100],
            PASSWORD,
            "first name has at most 99",
            "",
        ),
        (["user", "add", "JOE", "--lastname", "x" * 100], PASSWORD, "last name has at most 99", ""),
        (["user", "add", "JOE", "--firstname", "A\0"], PASSWORD, "first name has no control", ""),
        (["user", "add", "JOE", "--lastname", "A\nB"], PASSWORD, "last name has no control", ""),
        (["user", "add", "JOE", "--email", "a@b\0"], PASSWORD, "address has no control", ""),
        (["user", "add", "JOE", "--tenant", "no"], PASSWORD, "no tenant no", "tenant list"),
        (["user", "set-password", "JOE"], PASSWORD, "no user JOE", "user list"),
        (["user", "set-password", "JANE\0"], PASSWORD, "no user JANE", "user list"),
        (["user", "set-password", "JANE"], "\n", "cannot be empty", "Choose a password"),
    ],
)
def test_a_user_or_a_password_that_cannot_be(
    done: Said, refused: Said, arguments: list[str], stdin: str, cause: str, remedy: str
) -> None:
    done("user", "add", "JANE", "--password-stdin", stdin=PASSWORD)
    said = refused(*arguments, "--password-stdin", stdin=stdin)
    assert cause in said
    assert remedy in said
    assert PASSWORD not in said
    assert done("user", "list").count("\n") == 2, "nobody was added"


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["user", "show", "JOE"], "no user JOE"),
        (["user", "retire", "JOE"], "no user JOE"),
        (["user", "unretire", "JOE"], "no user JOE"),
        (["user", "unlock", "JOE"], "no user JOE"),
        (["user", "list", "--tenant", "no"], "no tenant no"),
        (["role", "list", "--tenant", "no"], "no tenant no"),
        (["tenant", "add", "DEFAULT"], "is a tenant DEFAULT already"),
        (["tenant", "add", "Remote"], "segment of its address"),
        (["tenant", "add", "a/b"], "segment of its address"),
        (["tenant", "add", ""], "segment of its address"),
        (["user", "show", "J\0E"], "no user J"),
        (["tenant", "add", "acme", "--company", "A\0"], "company has no control"),
        (["tenant", "add", "acme", "--company", "x" * 255], "company has at most 254"),
        (["app-token", "issue", "A\0B"], "application has no control"),
        (["app-token", "issue", " "], "1 to 99 characters"),
        (["app-token", "issue", "x" * 100], "1 to 99 characters"),
        (["app-token", "revoke", "7"], "no application token 7"),
        (["user", "list", "--config", "none.toml"], "no configuration file none.toml"),
    ],
)
def test_a_name_that_is_not_there_or_cannot_be(
    refused: Said, arguments: list[str], cause: str
) -> None:
    assert cause in refused(*arguments)


def test_a_password_that_is_not_utf_8() -> None:
    from click.testing import CliRunner

    from services88.cli import main

    result = CliRunner().invoke(main, ["user", "add", "JOE", "--password-stdin"], input=b"\xff\xfe")
    assert result.exit_code == 1
    assert "not UTF-8" in result.stderr
    assert "xff" not in result.stderr


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('colour = "red"', "colour"),
        ("port = 70000", "port"),
        ("this is not TOML", "own.toml"),
        ('installation = "cloud"', "installation"),
    ],
)
def test_a_configuration_file_that_cannot_be_used(
    refused: Said, empty_folder: Path, text: str, named: str
) -> None:
    (empty_folder / "own.toml").write_text(text)
    assert named in refused("serve", "--config", "own.toml")


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield str(listening.getsockname()[1])


@pytest.mark.parametrize("command", ["serve", "sandbox"])
def test_a_port_that_is_taken(refused: Said, command: str, taken_port: str) -> None:
    said = refused(command, "--port", taken_port)
    assert f"Cannot listen on 127.0.0.1 port {taken_port}" in said
    assert "in use" in said
    assert "Choose another with --host and --port" in said


@pytest.mark.parametrize("command", ["serve", "sandbox"])
@pytest.mark.parametrize("port", ["70000", "-1"])
def test_a_port_that_cannot_be(refused: Said, command: str, port: str) -> None:
    assert "port" in refused(command, "--port", port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "crm.example.com"])
def test_a_public_address_without_encryption(refused: Said, host: str) -> None:
    said = refused("serve", "--host", host, "--port", "0")
    assert "in the clear" in said
    assert "--tls-certificate" in said
    assert "--behind-proxy" in said


@pytest.mark.parametrize("half", ["--tls-certificate", "--tls-key"])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_half_of_what_tls_needs(refused: Said, empty_folder: Path, half: str, host: str) -> None:
    (empty_folder / "half.pem").write_text("")
    said = refused("serve", "--host", host, "--port", "0", half, "half.pem")
    assert "--tls-certificate" in said
    assert "--tls-key" in said


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_a_sandbox_on_a_public_address(refused: Said, host: str) -> None:
    said = refused("sandbox", "--host", host, "--port", "0")
    assert "test server" in said
    assert "--expose-test-server" in said


def test_a_sandbox_on_a_database_with_users(done: Said, database: str, empty_folder: Path) -> None:
    done("user", "add", "JANE", "--password-stdin", stdin=PASSWORD)
    arguments = ("sandbox", "--port", "0", "--database", database)
    result = finished(*arguments, folder=empty_folder)
    assert result.returncode == 1
    assert result.stderr.startswith(
        "Error: This database has users or tenants and was not made by the sandbox"
    )
    assert "--database" in result.stderr
    assert done("user", "list").count("\n") == 2, "no demo user was added"


def test_a_refusal_of_the_program_itself_is_one_line_and_status_1(empty_folder: Path) -> None:
    result = finished("user", "show", "JOE", folder=empty_folder)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == (
        "Error: Tenant default has no user JOE. `services88 user list` lists them.\n"
    )
