"""How the database looks things up: with an index, however many rows there are."""

import pytest
from sqlalchemy.dialects import sqlite

from services88.store import associates, attempts, audit, credentials, postgresql, sign_in_names
from services88.store.migrate import open_database
from tests.databases import kind_of
from tests.loop import run
from tests.postgresql import connected


@pytest.mark.one_database("PostgreSQL plans by what is in its tables: see bench/, growth")
@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (associates._by_name, {"tenant": 1, "key": "jane"}),
        (associates._by_id, {"tenant": 1, "associate": 1}),
        (associates._after, {"tenant": 1, "key": "jane", "most": 500}),
        (associates._by_sign_in_name, {"tenant": 1, "key": "jane@example.com"}),
        (associates._number_of, {"tenant": 1, "key": "jane@example.com"}),
        (sign_in_names._owner, {"tenant": 1, "key": "jane@example.com"}),
        (credentials._ticket, {"tenant": 1, "key": "{GUID}"}),
        (credentials._password_of, {"associate": 1}),
        (credentials._model_of, {"tenant": 1, "at": 1}),
        (
            attempts._state,
            {"tenant": 1, "named": "hash", "place": "192.0.2.1", "place_for_all": "192.0.2.1"},
        ),
        (audit._about, {"tenant": 1, "user": 1, "most": 10}),
        (
            audit._newest,
            {"tenant": 1, "after": 5000, "upto": 10_000, "most": 10} | audit._bound(audit.Filter()),
        ),
    ],
)
def test_a_look_up_reads_no_whole_table(
    database: str, statement: object, values: dict[str, object]
) -> None:
    opened = open_database(database)
    compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))  # type: ignore[attr-defined]
    reader = opened._read_driver  # type: ignore[attr-defined]
    plan = reader.execute(f"EXPLAIN QUERY PLAN {compiled}", {**compiled.params, **values})
    steps = [row[3] for row in plan.fetchall()]
    run(opened.close())
    assert steps
    steps = [step for step in steps if step != "SCAN CONSTANT ROW"]
    assert [step for step in steps if step.startswith("SCAN") or "TEMP" in step] == []


def test_a_model_is_found_by_its_index(database: str) -> None:
    """On PostgreSQL too, which would rather read the whole of so small a table."""
    if kind_of(database) == "sqlite":
        pytest.skip("that of SQLite is above")
    values: dict[str, object] = {"tenant": 1, "at": 1}
    drawn = postgresql._Compiled(credentials._model_of, tuple(values))

    async def work() -> str:
        async with connected(database) as driver:
            await driver.execute("SET enable_seqscan = off")
            rows = await driver.fetch(f"EXPLAIN {drawn.text}", *drawn.values(values))
            return "\n".join(row[0] for row in rows)

    plan = run(work())
    assert plan.count("ix_credentials_tenant_id_draw") == 2, plan
    assert "Sort" not in plan
