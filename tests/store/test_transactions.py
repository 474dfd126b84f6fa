"""Transactions: all or nothing, and clear errors."""

import asyncio
import sqlite3
import subprocess
import sys

import asyncpg
import pytest
from sqlalchemy import select

from services88.store import tenants
from services88.store.database import Connection, Database
from services88.store.errors import Conflict, DatabaseUnavailable
from services88.store.schema import installation, tenant, user_role_link
from tests.databases import sql
from tests.loop import run

_REFERENCE = (sqlite3.IntegrityError, asyncpg.ForeignKeyViolationError)


def _fact(database: Database, name: str) -> str | None:
    return run(tenants.get_fact(database, name))


def test_what_a_transaction_did_is_kept_and_its_result_given(opened: Database) -> None:
    async def work(connection: Connection) -> str:
        await tenants.put_fact(connection, "a", "1")
        await tenants.put_fact(connection, "b", "2")
        return "done"

    assert run(opened.transaction(work)) == "done"
    assert (_fact(opened, "a"), _fact(opened, "b")) == ("1", "2")


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), asyncio.CancelledError()])
def test_what_work_raises_undoes_all_of_it_and_is_raised(
    opened: Database, error: BaseException
) -> None:
    async def work(connection: Connection) -> None:
        await tenants.put_fact(connection, "a", "1")
        raise error

    async def attempt() -> BaseException | None:
        try:
            await opened.transaction(work)
        except type(error) as raised:
            return raised
        return None

    assert run(attempt()) is error
    assert _fact(opened, "a") is None
    _works(opened)


def _works(database: Database) -> None:
    async def work(connection: Connection) -> None:
        await tenants.put_fact(connection, "works", "yes")

    run(database.transaction(work))
    assert _fact(database, "works") == "yes"


def test_a_unique_value_that_is_taken_is_a_conflict_and_undoes_all(
    opened: Database,
) -> None:
    async def work(connection: Connection) -> None:
        await tenants.put_fact(connection, "a", "1")
        await tenants.add(connection, name="X", key="default", company="", now=0)

    with pytest.raises(Conflict, match=r"tenant[._]name_key"):
        run(opened.transaction(work))
    assert _fact(opened, "a") is None
    _works(opened)


def test_a_broken_reference_is_no_conflict(opened: Database) -> None:
    async def work(connection: Connection) -> None:
        await connection.insert(user_role_link, associate_id=4711, role_id=4711)

    with pytest.raises(_REFERENCE, match=r"(?i)foreign key"):
        run(opened.transaction(work))
    _works(opened)


# --- other processes --------------------------------------------------------------------------

_IN_ANOTHER_PROCESS = """
import asyncio, sys
from services88.store import tenants
from services88.store.migrate import open_database

async def work(connection):
    await tenants.put_fact(connection, sys.argv[2], "theirs")

async def main():
    database = open_database(sys.argv[1])
    await database.transaction(work)
    print(await tenants.get_fact(database, sys.argv[3]))
    await database.close()

asyncio.run(main())
"""


def _another_process(url: str, writes: str, reads: str) -> str:
    arguments = [sys.executable, "-c", _IN_ANOTHER_PROCESS, url, writes, reads]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=30)
    return done.stdout.strip()


def test_processes_see_what_each_other_wrote(opened: Database, database: str) -> None:
    assert _another_process(database, writes="a", reads="nothing") == "None"
    assert _fact(opened, "a") == "theirs"
    _works(opened)
    assert _another_process(database, writes="b", reads="works") == "yes"
    assert _fact(opened, "b") == "theirs"


def test_a_missing_table_is_unavailable(opened: Database, database: str) -> None:
    sql(database, "DROP TABLE installation")
    with pytest.raises(DatabaseUnavailable, match="installation"):
        run(opened.one(select(installation.c.key)))


def test_truth_values_come_back_as_such(opened: Database) -> None:
    row = run(opened.one(select(tenant.c.is_default)))
    assert row == (True,)
    assert row is not None
    assert row[0] is True
