"""Live and ready, and one line of what is wrong."""

import re
import socket
import urllib.request

import pytest
from sqlalchemy import text

from services88.store.database import Connection
from tests.databases import sql
from tests.postgresql import postgresql
from tests.running import RunningServer, Starter


@pytest.mark.parametrize("path", ["live", "ready"])
def test_all_is_well(shared_server: RunningServer, path: str) -> None:
    reply = shared_server.request("GET", f"/-/health/{path}")
    assert (reply.status, reply.content) == (200, f"{path}\n".encode())
    head = shared_server.request("HEAD", f"/-/health/{path}")
    assert (head.status, head.content) == (200, b"")
    assert shared_server.request("POST", f"/-/health/{path}").status == 405


def test_another_revision_is_not_ready(start: Starter) -> None:
    server = start()

    async def other(connection: Connection) -> None:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    server.run(server.identity.database.transaction(other))
    reply = server.request("GET", "/-/health/ready")
    assert reply.status == 503
    assert reply.content.startswith(b"not ready: the database is at revision 9999, not ")
    assert server.request("GET", "/-/health/live").status == 200


def test_a_database_that_does_not_answer_is_not_ready(start: Starter) -> None:
    server = start()
    sql(server.database, "DROP TABLE alembic_version")
    reply = server.request("GET", "/-/health/ready")
    assert (reply.status, reply.content) == (503, b"not ready: the database does not answer\n")


@pytest.mark.postgresql
@pytest.mark.one_database("it has a server of its own, to stop")
def test_postgresql_that_goes_away_and_comes_back(start: Starter) -> None:
    with postgresql() as database, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        taken.close()
        server = start(database=database.new_database(), metrics_port=port)

        def up() -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
                (found,) = re.findall(
                    r"^services88_database_up (\S+)", answer.read().decode(), re.M
                )
                return str(found)

        assert server.request("GET", "/-/health/ready").status == 200
        assert up() == "1.0"
        database.stop()
        reply = server.request("GET", "/-/health/ready")
        assert (reply.status, reply.content) == (503, b"not ready: the database does not answer\n")
        assert server.request("GET", "/-/health/live").status == 200
        assert up() == "0.0"
        database.start()
        assert server.request("GET", "/-/health/ready").status == 200
        assert up() == "1.0"
