"""The migrations lead to the tables that schema.py declares, once."""

import asyncio
import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from services88.store import migrate
from services88.store.errors import UnusableDatabase
from services88.store.schema import metadata


def _shape(path: Path) -> dict[str, object]:
    """Everything about the tables of a file, in an order that does not depend on its history."""
    with closing(sqlite3.connect(path)) as driver:

        def facts(pragma: str, name: str) -> list[tuple[Any, ...]]:
            return driver.execute(f"SELECT * FROM pragma_{pragma}('{name}')").fetchall()

        def indexes(table: str) -> set[tuple[object, ...]]:
            return {
                (bool(unique), origin, tuple(column[2] for column in facts("index_info", name)))
                for _, name, unique, origin, _ in facts("index_list", table)
            }

        tables = driver.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return {
            name: (
                {row[1:] for row in facts("table_info", name)},
                {row[2:] for row in facts("foreign_key_list", name)},
                indexes(name),
                "AUTOINCREMENT" in sql,
                sorted(re.findall(r"CONSTRAINT (\w+)", sql)),
            )
            for name, sql in tables
            if name != "alembic_version"
        }


def test_the_migrated_tables_are_the_declared_ones(path: Path, url: str) -> None:
    migrate.upgrade(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()

    declared = path.with_name("declared.sqlite3")
    engine = create_engine(f"sqlite:///{declared}")
    metadata.create_all(engine)
    engine.dispose()
    assert _shape(path) == _shape(declared)


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


def test_migrating_again_changes_nothing(path: Path, url: str) -> None:
    assert migrate.current(url) is None
    migrate.upgrade(url)

    def content() -> str:
        with closing(sqlite3.connect(path)) as driver:
            return "\n".join(driver.iterdump())

    before = content()
    migrate.upgrade(url)
    assert content() == before


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
def test_several_processes_at_once_migrate_once(path: Path, url: str, _round: int) -> None:
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
    with closing(sqlite3.connect(path)) as driver:
        assert driver.execute("SELECT version_num FROM alembic_version").fetchall() == [
            (migrate.head(),)
        ]
        assert driver.execute("SELECT count(*) FROM tenant WHERE is_default").fetchone() == (1,)
        assert driver.execute("SELECT name FROM role ORDER BY rank, role_id").fetchall() == [
            ("Administrator",),
            ("User level 0",),
        ]


def test_a_migration_that_fails_leaves_nothing_behind(path: Path, url: str) -> None:
    with closing(sqlite3.connect(path)) as driver:
        driver.execute("CREATE TABLE person (mine)")  # in the way of ours
    with pytest.raises(UnusableDatabase, match=r"person.*Nothing was changed"):
        migrate.upgrade(url)
    with closing(sqlite3.connect(path)) as driver:
        names = driver.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert names == [("person",)]


def test_a_newer_revision_is_refused(path: Path, url: str) -> None:
    migrate.upgrade(url)
    with closing(sqlite3.connect(path)) as driver, driver:
        driver.execute("UPDATE alembic_version SET version_num = '9000'")
    with pytest.raises(UnusableDatabase, match=r"9000.*Install the newer version"):
        migrate.open_database(url)


def test_the_files_are_for_their_owner_only(path: Path, url: str) -> None:
    old = path.parent.stat().st_mode
    opened = migrate.open_database(url)
    made = sorted(file for file in path.parent.iterdir())
    assert [file.name for file in made] == [path.name, f"{path.name}-shm", f"{path.name}-wal"]
    for file in made:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    assert path.parent.stat().st_mode == old
    asyncio.run(opened.close())
