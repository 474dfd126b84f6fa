"""The commands that keep users, tenants and application tokens."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from services88.store.migrate import head
from tests.databases import Databases, sql
from tests.programs import COMMAND, own_environment

pytestmark = pytest.mark.usefixtures("database")

PASSWORD = "vellum orbit quartz"
Said = Callable[..., str]


@pytest.fixture
def jane(done: Said) -> str:
    done("user", "add", "JANE", "--password-stdin", stdin=PASSWORD + "\n")
    return "JANE"


def _rows(table: str) -> list[list[str]]:
    return [re.split(r" {2,}", line) for line in table.splitlines()]


def test_a_user_is_added_listed_and_shown(done: Said) -> None:
    said = done(
        *("user", "add", " jane ", "--password-stdin", "--role", "administrator"),
        *("--firstname", "Jane", "--lastname", "Doe", "--email", "jane@example.com"),
        *("--nickname", "Janie"),
        stdin=PASSWORD,
    )
    assert said == "Added jane (associate 1) with role Administrator.\n"

    assert _rows(done("user", "list")) == [
        ["ID", "NAME", "FULL NAME", "NICK NAME", "ROLE", "STATE"],
        ["1", "jane", "Jane Doe", "Janie", "Administrator", "active"],
    ]
    shown = dict(
        re.split(r":\s*", line, maxsplit=1)
        for line in done("user", "show", "JANE").split("\n")
        if line
    )
    assert shown == {
        "Name": "jane",
        "Associate id": "1",
        "Kind": "employee",
        "Full name": "Jane Doe",
        "E-mail": "jane@example.com",
        "Nick name": "Janie",
        "Role": "Administrator",
        "State": "active",
        "Last sign-in": "never",
    }


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("employee", "employee"), ("external", "external person"), ("system", "system")],
)
def test_a_user_has_a_kind_and_the_default_role(done: Said, kind: str, shown: str) -> None:
    said = done("user", "add", "X", "--type", kind, "--password-stdin", stdin=PASSWORD)
    assert "with role User level 0" in said
    assert re.search(f"Kind: +{shown}\n", done("user", "show", "x"))


def test_the_last_administrator_is_not_retired(done: Said, refused: Said) -> None:
    role = ("--role", "Administrator", "--password-stdin")
    done("user", "add", "ADA", *role, stdin="vellum orbit quartz\n")
    assert "Let another user with a password have a role" in refused("user", "retire", "ADA")
    done("user", "add", "BOB", *role, stdin="vellum orbit quartz\n")
    assert done("user", "retire", "ADA") == "ADA is retired.\n"
    assert "general administrator" in refused("user", "retire", "BOB")


def test_a_user_is_retired_and_taken_back(done: Said, jane: str) -> None:
    assert done("user", "retire", jane) == "JANE is retired.\n"
    assert done("user", "retire", jane) == "JANE was retired already.\n"
    assert _rows(done("user", "list"))[1][-1] == "retired"
    assert done("user", "unretire", jane) == "JANE is active.\n"
    assert done("user", "unretire", jane) == "JANE was active already.\n"
    assert _rows(done("user", "list"))[1][-1] == "active"


def test_a_password_is_set(done: Said, jane: str) -> None:
    arguments = ("user", "set-password", jane.lower(), "--password-stdin")
    said = done(*arguments, stdin="marble lantern fjord\n")
    assert said == "The password of JANE is set. Their tickets have ended.\n"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nand another line\n"])
def test_standard_input_gives_one_line_whatever_its_end(
    done: Said, database: str, end: str
) -> None:
    from services88.identity.hashing import Hasher

    kept = f"  {PASSWORD} ä "
    done("user", "add", "JANE", "--password-stdin", stdin=kept + end)
    ((secret,),) = sql(database, "SELECT secret FROM credentials")
    assert Hasher().verify(secret, kept)


# Makes the terminal the child's own, as a shell does, so that /dev/tty is it.
_IN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


def _type(arguments: list[str], folder: Path, *typed: tuple[str, str]) -> tuple[int, str]:
    """Run a command in a terminal and type each line once its question has been asked."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _IN_TERMINAL, *COMMAND, *arguments],
        cwd=folder,
        env=own_environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = ""

    def read() -> bool:
        nonlocal shown
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the terminal's other end is closed
            return False
        shown += piece.decode()
        return bool(piece)

    try:
        seen = 0
        for question, answer in typed:
            while question not in shown[seen:]:
                assert read(), f"{question} was not asked: {shown}"
            seen = len(shown)
            os.write(ours, f"{answer}\n".encode())
        while read():
            pass
        return process.wait(30), shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.one_database("it is about the terminal")
def test_a_password_is_asked_for_twice_and_never_shown(empty_folder: Path) -> None:
    status, shown = _type(
        ["user", "add", "JANE"],
        empty_folder,
        ("Password: ", PASSWORD),
        ("Repeat for confirmation: ", "something else"),
        ("Password: ", PASSWORD),
        ("Repeat for confirmation: ", PASSWORD),
    )
    assert status == 0, shown
    assert "do not match" in shown
    assert "Added JANE" in shown
    assert PASSWORD not in shown


def test_tenants_are_added_and_listed_with_users_of_their_own(done: Said, jane: str) -> None:
    said = done("tenant", "add", "Acme", "--company", "Acme Ltd")
    assert said == "Added Acme, served at /Acme/Remote/Services88/.\n"
    assert _rows(done("tenant", "list")) == [
        ["ID", "NAME", "COMPANY", "DEFAULT"],
        ["1", "default", "yes"],
        ["2", "Acme", "Acme Ltd"],
    ]
    done("user", "add", jane, "--tenant", "ACME", "--password-stdin", stdin=PASSWORD)
    done("user", "add", "SUE", "--tenant", "acme", "--password-stdin", stdin=PASSWORD)
    assert [row[1] for row in _rows(done("user", "list", "--tenant", "acme"))[1:]] == [
        "JANE",
        "SUE",
    ]
    assert [row[1] for row in _rows(done("user", "list"))[1:]] == ["JANE"]


@pytest.mark.parametrize("tenant", [None, "acme"])
def test_every_tenant_begins_with_two_roles(done: Said, tenant: str | None) -> None:
    done("tenant", "add", "acme")
    rows = _rows(done("role", "list", *(["--tenant", tenant] if tenant else [])))
    assert [row[1] for row in rows] == ["NAME", "Administrator", "User level 0"]
    assert "yes" in rows[2]
    assert "yes" not in rows[1]


def test_an_application_token_is_shown_once_and_can_be_revoked(done: Said) -> None:
    token = done("app-token", "issue", "invoicing").strip()
    assert re.fullmatch(r"[\w-]{43}", token), "standard output has the token and nothing else"
    listed = done("app-token", "list")
    assert _rows(listed)[1][:2] == ["1", "invoicing"]
    assert token not in listed
    assert len(_rows(listed)[1]) == 3
    assert done("app-token", "revoke", "1") == "Token 1 is revoked.\n"
    assert len(_rows(done("app-token", "list"))[1]) == 4
    assert token not in done("app-token", "list")


@pytest.mark.one_database("it is about the WSDL")
@pytest.mark.parametrize("agent", ["User", "SoPrincipal"])
@pytest.mark.parametrize("address", [None, "https://crm.example.com/x/Remote/Services88/A.svc"])
def test_the_wsdl_is_printed(done: Said, agent: str, address: str | None) -> None:
    printed = done("wsdl", agent, *(["--address", address] if address else []))
    root = etree.fromstring(printed.encode())
    assert etree.QName(root).localname == "definitions"
    location = root.find(".//{http://schemas.xmlsoap.org/wsdl/soap/}address")
    assert location is not None
    assert location.get("location") == (
        address or f"http://127.0.0.1:8088/Remote/Services88/{agent}.svc"
    )


def test_the_database_is_brought_up_to_date(
    done: Said, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICES88_DATABASE", databases.empty())
    assert done("db", "current") == f"none (newest: {head()})\n"
    assert done("db", "upgrade") == f"From none to {head()}.\n"
    assert done("db", "upgrade") == f"At {head()} already.\n"
    assert done("db", "current") == f"{head()} (newest: {head()})\n"
    assert _rows(done("user", "list")) == [
        ["ID", "NAME", "FULL NAME", "NICK NAME", "ROLE", "STATE"]
    ]


def test_what_is_not_given_stays_as_the_installation_has_it(
    done: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICES88_PASSWORD_POLICY", "vendor")
    done("policy", "set", "--history", "3")
    monkeypatch.setenv("SERVICES88_PASSWORD_POLICY", "nist")
    shown = done("policy", "show")
    assert "nist" in shown
    assert re.search(r"History: +3", shown)
    done("policy", "set", "--preset", "vendor-online", "--preference", "MinNum=2")
    assert "vendor-online" in done("policy", "show")
    done("policy", "set", "--preference", "")
    assert "MinNum" not in done("policy", "show")
