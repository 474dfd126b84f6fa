"""How the database looks things up: with an index, however many rows there are."""

import pytest
from sqlalchemy.dialects import sqlite

from services88.store import associates, audit, credentials, sign_in_names
from services88.store.migrate import open_database
from tests.loop import run


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
    assert [step for step in steps if step.startswith("SCAN") or "TEMP" in step] == []
