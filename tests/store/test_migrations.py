"""The migrations lead to the tables that schema.py declares, once."""

import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from services88.store import migrate
from services88.store.errors import UnusableDatabase
from services88.store.schema import metadata
from services88.store.sqlite import sqlite_path
from tests.databases import Databases, kind_of, on, sql
from tests.loop import run


@pytest.fixture
def url(databases: Databases) -> str:
    """A database without tables."""
    return databases.empty()


def _shape(url: str) -> object:
    """Everything about the tables of a database, in an order that has nothing of its history."""
    return (_sqlite_shape if kind_of(url) == "sqlite" else _postgresql_shape)(url)


def _sqlite_shape(url: str) -> object:
    def facts(pragma: str, name: str) -> list[tuple[Any, ...]]:
        return sql(url, f"SELECT * FROM pragma_{pragma}('{name}')")

    def indexes(table: str) -> set[tuple[object, ...]]:
        return {
            (bool(unique), origin, tuple(column[2] for column in facts("index_info", name)))
            for _, name, unique, origin, _ in facts("index_list", table)
        }

    tables = sql(
        url,
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )
    return {
        name: (
            {row[1:] for row in facts("table_info", name)},
            {row[2:] for row in facts("foreign_key_list", name)},
            indexes(name),
            "AUTOINCREMENT" in definition,
            sorted(re.findall(r"CONSTRAINT (\w+)", definition)),
        )
        for name, definition in tables
        if name != "alembic_version"
    }


def _postgresql_shape(url: str) -> object:
    ours = "IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)"
    return [
        {row for row in sql(url, query) if row[0] != "alembic_version"}
        for query in (
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text, "
            "character_maximum_length::int, column_default::text FROM information_schema.columns "
            "WHERE table_schema = 'public'",
            "SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) "
            f"FROM pg_constraint WHERE conrelid {ours}",
            "SELECT tablename::text, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        )
    ]


def test_the_migrated_tables_are_the_declared_ones(url: str, databases: Databases) -> None:
    migrate.upgrade(url)
    differences: list[object] = []

    def compare(connection: Connection) -> None:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences.extend(compare_metadata(context, metadata))

    on(url, compare)
    assert differences == []
    declared = databases.empty()
    on(declared, metadata.create_all)
    assert _shape(url) == _shape(declared)


def test_head_is_what_alembic_takes_for_it(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    assert [migrate.head()] == scripts.get_heads()
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True), "revisions are compared as text"
    assert {len(revision) for revision in revisions} == {4}
    migrate.upgrade(url)
    assert migrate.current(url) == migrate.head()


def test_migrating_again_changes_nothing(url: str) -> None:
    assert migrate.current(url) is None
    migrate.upgrade(url)
    before = (_shape(url), [sql(url, f"SELECT * FROM {name}") for name in metadata.tables])
    migrate.upgrade(url)
    assert (_shape(url), [sql(url, f"SELECT * FROM {name}") for name in metadata.tables]) == before


def test_a_migration_that_is_done_needs_no_alembic(url: str) -> None:
    migrate.upgrade(url)
    program = (
        "import sys; from services88.store.migrate import open_database;"
        f"open_database({url!r}); sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


_MIGRATE_AT_ONCE = """
import sys, alembic.command
from services88.store import migrate
print("ready", flush=True)
sys.stdin.readline()
migrate.upgrade(sys.argv[1])
"""


@pytest.mark.parametrize("_round", range(2))
def test_several_processes_at_once_migrate_once(url: str, _round: int) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _MIGRATE_AT_ONCE, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=30)[1] for process in processes]
    assert errors == ["", "", "", ""]
    assert sql(url, "SELECT version_num FROM alembic_version") == [(migrate.head(),)]
    assert sql(url, "SELECT count(*) FROM tenant WHERE is_default") == [(1,)]
    assert sql(url, "SELECT name FROM role ORDER BY rank, role_id") == [
        ("Administrator",),
        ("User level 0",),
    ]


def test_a_migration_that_fails_leaves_nothing_behind(url: str) -> None:
    sql(url, "CREATE TABLE person (mine INTEGER)")  # in the way of ours
    with pytest.raises(UnusableDatabase, match=r"person.*Nothing was changed"):
        migrate.upgrade(url)
    assert migrate.current(url) is None
    with pytest.raises((sqlite3.Error, asyncpg.PostgresError)):
        sql(url, "SELECT * FROM tenant")
    assert sql(url, "SELECT mine FROM person") == []


def test_a_newer_revision_is_refused(database: str) -> None:
    sql(database, "UPDATE alembic_version SET version_num = '9000'")
    with pytest.raises(UnusableDatabase, match=r"9000.*Install the newer version"):
        migrate.open_database(database)


@pytest.mark.one_database("it is about files")
def test_the_files_are_for_their_owner_only(url: str) -> None:
    path = sqlite_path(url)
    old = path.parent.stat().st_mode
    opened = migrate.open_database(url)
    made = sorted(path.parent.glob(f"{path.name}*"))
    assert [file.name for file in made] == [path.name, f"{path.name}-shm", f"{path.name}-wal"]
    for file in made:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    assert path.parent.stat().st_mode == old
    run(opened.close())
