"""Importing users from the command line, and signing in as them over HTTP."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from services88.identity import accounts, tenants, user_import
from services88.identity.errors import BadInput
from services88.identity.user_import import ImportRow
from services88.store.errors import DatabaseUnavailable
from services88.store.sqlite import sqlite_path
from tests.databases import sql
from tests.hashing.vectors import VECTORS, Vector
from tests.running import RunningServer, running
from tests.user_import.conftest import Import

PASSWORD = "vellum orbit quartz"
VECTOR = VECTORS[0]


def _json(*rows: dict[str, object]) -> str:
    return "\n".join(json.dumps(row) for row in rows)


def _named(vectors: tuple[Vector, ...]) -> list[dict[str, object]]:
    return [
        {"name": f"user{number}", "password_hash": vector.secret}
        for number, vector in enumerate(vectors)
    ]


def test_users_sign_in_with_the_passwords_they_had(database: str, imported: Import) -> None:
    result = imported(_json(*_named(VECTORS)), name="users.jsonl")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"Added {len(VECTORS)} users.\n"
    with running(database) as server:
        for number, vector in enumerate(VECTORS):
            name = f"user{number}"
            assert not server.sign_in(name, vector.password[1:])
            assert server.sign_in(name, vector.password), vector
            assert server.sign_in(name, vector.password), "and again"


def test_a_password_may_be_sent_in_another_composition(database: str, imported: Import) -> None:
    imported(_json(*_named((VECTOR,))), name="users.jsonl")
    with running(database) as server:
        assert server.sign_in("user0", unicodedata.normalize("NFD", VECTOR.password))
        assert server.sign_in("user0", VECTOR.password)


def test_an_imported_user_changes_the_password(database: str, imported: Import) -> None:
    imported(_json(*_named((VECTOR,))), name="users.jsonl")
    with running(database) as server:
        ticket = server.sign_in("user0", VECTOR.password)
        assert ticket
        reply = server.change_own(ticket, VECTOR.password, "marble lantern fjord")
        assert reply.text("Response") == "true", reply.content
        assert not server.sign_in("user0", VECTOR.password)
        assert server.sign_in("user0", "marble lantern fjord")


def test_a_row_becomes_a_user_with_everything_in_it(
    database: str, imported: Import, run: Import
) -> None:
    result = imported(
        "name,firstname,lastname,email,role,type,password_hash,retired\n"
        f"jane,Jane,Doe,jane@example.com,ADMINISTRATOR,external,{VECTOR.secret},\n"
        f"john,John,Roe,,,,{VECTOR.secret},true\n"
    )
    assert result.exit_code == 0, result.output
    shown = run("user", "show", "jane").stdout
    for said in ("external person", "Jane Doe", "jane@example.com", "Administrator", "active"):
        assert said in shown
    shown = run("user", "show", "john").stdout
    assert "User level 0" in shown
    assert "retired" in shown
    assert sql(database, "SELECT event, associate_id FROM audit_event ORDER BY sequence") == [
        ("user_created", 1),
        ("user_created", 2),
        ("user_retired", 2),
    ]
    with running(database) as server:
        assert server.sign_in("jane@example.com", VECTOR.password)
        assert not server.sign_in("john", VECTOR.password)


def test_a_password_in_clear_is_hashed_and_obeys_the_policy(
    database: str, imported: Import
) -> None:
    result = imported(f"name,password\njane,{PASSWORD}\njohn,tiny\n")
    assert result.exit_code == 1
    assert "Added 1 user.\n" in result.stdout
    assert "Line 3: The password is refused: " in result.stdout
    assert "tiny" not in result.stdout
    assert PASSWORD not in result.stdout
    ((secret,),) = sql(database, "SELECT secret FROM credentials")
    assert secret.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    with running(database) as server:
        assert server.sign_in("jane", PASSWORD)


def test_a_user_without_a_password_cannot_sign_in_until_one_is_set(
    database: str, imported: Import, run: Import
) -> None:
    result = imported("name\njane\n")
    assert result.stdout == "Added 1 user (1 without a password).\n"
    assert result.exit_code == 0
    with running(database) as server:
        assert not server.sign_in("jane", "")
        assert not server.sign_in("jane", PASSWORD)
    said = run("user", "set-password", "jane", "--password-stdin", stdin=PASSWORD)
    assert said.exit_code == 0, said.output
    with running(database) as server:
        assert server.sign_in("jane", PASSWORD)


def test_every_row_stands_for_itself(
    database: str, folder: Path, imported: Import, run: Import
) -> None:
    assert run("user", "add", "JANE", "--password-stdin", stdin=PASSWORD).exit_code == 0
    before = sql(database, "SELECT * FROM credentials")
    result = imported(
        "name,role,password_hash\n"
        f"jane,,{VECTOR.secret}\n"
        f"one,,{VECTOR.secret}\n"
        f"two,Boss,{VECTOR.secret}\n"
        "three,,7P:SGVtbWVsaWcgc2VjcmV0\n"
        f"ONE,,{VECTOR.secret}\n"
        f"four,,{VECTOR.secret}\n"
    )
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:2] == ["Added 2 users.", "4 problems:"]
    problems = result.stdout.splitlines()[2:]
    assert [line.split(":")[0] for line in problems] == [f"  Line {n}" for n in (2, 4, 5, 6)]
    assert "The tenant has a user of that name already" in problems[0]
    assert "The roles are: Administrator, User level 0" in problems[1]
    assert "7P:" in problems[2]
    assert "Line 3 has the same name" in problems[3]
    assert VECTOR.secret not in result.output
    assert sql(database, "SELECT name FROM associate ORDER BY associate_id") == [
        ("JANE",),
        ("one",),
        ("four",),
    ]
    assert sql(database, "SELECT * FROM credentials")[: len(before)] == before

    again = imported((folder / "users.csv").read_text())
    assert again.stdout.startswith("Added 0 users.\n6 problems:\n")


def test_a_dry_run_says_the_same_and_adds_nobody(database: str, imported: Import) -> None:
    content = f"name,password\njane,{PASSWORD}\njohn,short\nknut,\n"
    dry = imported(content, "--dry-run")
    assert dry.exit_code == 1
    assert dry.stdout.startswith("Would add 2 users (1 without a password).\n1 problem:\n")
    assert sql(database, "SELECT * FROM associate") == []
    wet = imported(content)
    assert wet.stdout == dry.stdout.replace("Would add", "Added")
    assert len(sql(database, "SELECT * FROM associate")) == 2


def test_users_go_to_the_tenant_named(database: str, imported: Import, run: Import) -> None:
    assert run("tenant", "add", "Cust1").exit_code == 0
    result = imported(_json(*_named((VECTOR,))), "--tenant", "cust1", name="users.jsonl")
    assert result.exit_code == 0, result.output
    with running(database) as server:
        assert server.sign_in("user0", VECTOR.password, site="/Cust1")
        assert not server.sign_in("user0", VECTOR.password)
    result = imported("name\nx\n", "--tenant", "nobody")
    assert result.exit_code == 1
    assert "There is no tenant nobody" in result.stderr


@pytest.mark.one_database("PostgreSQL's database is there before")
def test_a_file_that_cannot_be_used_makes_no_database(database: str, imported: Import) -> None:
    sqlite_path(database).unlink()
    result = imported("nom\njane\n")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: Column 1 has an unknown name.")
    assert not sqlite_path(database).exists()


def test_a_failing_database_ends_the_import_and_is_told(
    shared_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = shared_server.identity
    add = accounts.add_with_secret

    async def failing(*arguments: Any, **more: Any) -> Any:
        if arguments[2] == "second":
            raise DatabaseUnavailable("the disk is full")
        return await add(*arguments, **more)

    monkeypatch.setattr(accounts, "add_with_secret", failing)
    rows = [ImportRow(line=line, name=name) for line, name in enumerate(("first", "second", "x"))]

    async def work() -> user_import.Report:
        tenant = await tenants.default(identity)
        return await user_import.import_users(identity, tenant, rows)

    report = shared_server.run(work())
    assert report.added == 1
    (problem,) = report.problems
    assert problem.line == 1
    assert "the disk is full" in problem.cause
    assert "from here on" in problem.remedy


def test_a_policy_that_cannot_be_used_ends_the_import_and_is_told(
    shared_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = shared_server.identity

    async def failing(*_: object, **__: object) -> None:
        raise BadInput("The breached set is gone.")

    monkeypatch.setattr("services88.identity.password_rules.require", failing)
    rows = [
        ImportRow(line=2, name="without"),
        ImportRow(line=3, name="with", password=PASSWORD),
        ImportRow(line=4, name="after"),
    ]

    async def work() -> user_import.Report:
        tenant = await tenants.default(identity)
        return await user_import.import_users(identity, tenant, rows)

    report = shared_server.run(work())
    assert (report.added, [problem.line for problem in report.problems]) == (1, [3])
    assert report.problems[0].cause == "The breached set is gone."


def test_a_name_taken_meanwhile_is_a_problem_and_nothing_of_the_row_stays(
    database: str, imported: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking and adding somebody else adds the user: the transaction is undone."""
    assert imported("name\njane\n").exit_code == 0
    before = [sql(database, f"SELECT * FROM {table}") for table in ("associate", "person")]

    async def nobody(*_: object) -> None:
        return None

    monkeypatch.setattr("services88.store.associates.by_name", nobody)
    result = imported(f"name,password_hash\nJANE,{VECTOR.secret}\n")
    assert result.exit_code == 1
    assert "already" in result.stdout
    assert [sql(database, f"SELECT * FROM {table}") for table in ("associate", "person")] == before
    assert sql(database, "SELECT * FROM credentials") == []


def test_nick_names_come_along_and_are_unique(database: str, imported: Import) -> None:
    result = imported(
        "name,nickname\njane,Janie\njoe,\njim,\nsue,JANIE\nann,\x07\nbob," + "x" * 81 + "\n"
    )
    assert result.exit_code == 1
    assert "Added 3 users" in result.stdout
    assert "Line 5: The nick name is the nick name of line 2" in result.stdout
    assert "Line 6: A nick name has no control" in result.stdout
    assert "Line 7: A nick name has at most 80" in result.stdout
    assert sql(database, "SELECT name, nick_name, nick_key FROM associate ORDER BY name") == [
        ("jane", "Janie", "janie"),
        ("jim", "", None),
        ("joe", "", None),
    ]
