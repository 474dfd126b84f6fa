"""Live and ready, and one line of what is wrong."""

import re
import resource
import socket
import sqlite3
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from services88.store import migrate
from services88.store.database import Connection
from services88.store.sqlite import sqlite_path
from tests.databases import Databases, kind_of, sql
from tests.postgresql import PostgresqlServer, postgresql, standby
from tests.running import Reply, RunningServer, Starter, sign_in

_NO_CHANGES = b"not ready: the database takes no changes\n"


def becomes(server: RunningServer, status: int) -> Reply:
    """Wait until a server is ready, or not; an answer may be a second old."""
    for _ in range(200):
        begun = time.monotonic()
        reply = server.request("GET", "/-/health/ready")
        assert time.monotonic() - begun < 2.5
        if reply.status == status:
            return reply
        time.sleep(0.05)
    raise AssertionError(f"it did not become {status}: {reply.content!r}")


def signs_in(server: RunningServer) -> int:
    return server.post("SoPrincipal", sign_in("JANE", "vellum orbit")).status


@pytest.mark.parametrize("path", ["live", "ready"])
def test_all_is_well(shared_server: RunningServer, path: str) -> None:
    reply = shared_server.request("GET", f"/-/health/{path}")
    assert (reply.status, reply.content) == (200, f"{path}\n".encode())
    head = shared_server.request("HEAD", f"/-/health/{path}")
    assert (head.status, head.content) == (200, b"")
    assert shared_server.request("POST", f"/-/health/{path}").status == 405


def test_another_revision_is_not_ready(start: Starter, caplog: pytest.LogCaptureFixture) -> None:
    server = start()

    async def other(connection: Connection) -> None:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    server.run(server.identity.database.transaction(other))
    reply = becomes(server, 503)
    assert reply.content == b"not ready: the database is not of this version\n"
    assert any("at revision 9999, not " in one for one in caplog.messages)
    assert server.request("GET", "/-/health/live").status == 200


def test_a_database_that_does_not_answer_is_not_ready(start: Starter) -> None:
    server = start()
    sql(server.database, "DROP TABLE alembic_version")
    assert becomes(server, 503).content == b"not ready: the database does not answer\n"


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
        assert becomes(server, 503).content == b"not ready: the database does not answer\n"
        assert server.request("GET", "/-/health/live").status == 200
        assert up() == "0.0"
        database.start()
        becomes(server, 200)
        assert up() == "1.0"


@contextmanager
def _files_end_at(size: int) -> Iterator[None]:
    """Let no file of this process, which is the server's too, grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.one_database("its disk is this process's")
def test_where_no_file_can_grow_it_is_not_ready(
    start: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    server = start()
    server.add_user("JANE", "vellum orbit")
    becomes(server, 200)
    path = sqlite_path(server.database)
    before = path.stat().st_size
    with _files_end_at(8192):
        assert becomes(server, 503).content == _NO_CHANGES
        assert signs_in(server) == 503
        assert any("not ready: disk I/O error" in one for one in caplog.messages)
    becomes(server, 200)
    assert signs_in(server) == 200
    assert path.stat().st_size == before
    with closing(sqlite3.connect(path)) as driver:
        found = driver.execute("SELECT count(*) FROM installation WHERE key = 'probe'").fetchone()
    assert found == (0,), "what was tried leaves nothing behind"


@pytest.mark.one_database("PostgreSQL locks rows, not databases")
def test_behind_a_lock_that_stays_it_is_not_ready(start: Starter) -> None:
    server = start()
    with closing(sqlite3.connect(sqlite_path(server.database), isolation_level=None)) as driver:
        driver.execute("BEGIN IMMEDIATE")
        assert becomes(server, 503).content == _NO_CHANGES
        driver.execute("ROLLBACK")
    becomes(server, 200)


@pytest.mark.postgresql
@pytest.mark.one_database("SQLite has no such setting")
def test_a_postgresql_that_may_only_be_read_is_not_ready(
    postgresql_server: PostgresqlServer,
    postgresql_template: str,
    start: Starter,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = postgresql_server.new_database(postgresql_template)
    server = start(url, database_connections=2)
    becomes(server, 200)
    _set_read_only(postgresql_server, url, "on")
    assert becomes(server, 503).content == _NO_CHANGES
    assert any("read only" in one for one in caplog.messages)
    _set_read_only(postgresql_server, url, "off")
    becomes(server, 200)


def _set_read_only(server: PostgresqlServer, url: str, value: str) -> None:
    name = url.rpartition("/")[2]

    async def work(driver: object) -> None:
        alter = f"ALTER DATABASE {name} SET default_transaction_read_only = {value}"
        await driver.execute(alter)  # type: ignore[attr-defined]
        # It holds for connections that are made from now on.
        await driver.execute(  # type: ignore[attr-defined]
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )

    server.do(work)


@pytest.mark.postgresql
@pytest.mark.one_database("SQLite has no standby")
def test_a_standby_is_not_ready_until_it_takes_over(
    start: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    with postgresql() as first:
        url = first.new_database()
        migrate.upgrade(url)
        with standby(first) as second:
            server = start(second.url_of(url.rpartition("/")[2]))
            assert becomes(server, 503).content == _NO_CHANGES
            assert any("is a standby" in one for one in caplog.messages)
            second.do(lambda driver: driver.execute("SELECT pg_promote()"))
            becomes(server, 200)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 96 MiB; where none can be made, the test is skipped."""
    with tempfile.TemporaryDirectory(prefix="services88-disk-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", folder]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("no disk can be made here")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


@pytest.mark.postgresql
@pytest.mark.one_database("it has a server of its own, on a disk of its own")
def test_a_postgresql_whose_disk_is_full_is_not_ready(
    start: Starter, small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = PostgresqlServer(small_disk)
    try:
        server = start(database.new_database())
        becomes(server, 200)
        filling = small_disk / "filling"
        with filling.open("wb") as file, suppress(OSError):
            while True:
                file.write(bytes(65_536))
                file.flush()
        assert becomes(server, 503).content == _NO_CHANGES
        assert any("No space left on device" in one for one in caplog.messages)
        filling.unlink()
        becomes(server, 200)
    finally:
        server.run(server.identity.database.close())
        database.stop()


@pytest.mark.one_database("PostgreSQL has its own files")
@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_a_server_whose_database_was_taken_away_stops_serving(
    start: Starter, databases: Databases, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    server = start()
    server.add_user("JANE", "vellum orbit")
    ticket = server.sign_in("JANE", "vellum orbit")
    assert ticket
    becomes(server, 200)
    path = sqlite_path(server.database)
    if how == "replaced":
        sqlite_path(databases.new()).replace(path)
    else:
        path.unlink()
    reply = server.change_own(ticket, "vellum orbit", "marble lantern")
    assert (reply.status, reply.headers["retry-after"]) == (503, "5")
    assert reply.fault
    assert str(path) not in reply.fault
    assert signs_in(server) == 503
    assert becomes(server, 503).content == b"not ready: the database does not answer\n"
    assert server.request("GET", "/-/health/live").status == 200
    assert any("Stop this server" in one for one in caplog.messages)


def test_many_who_ask_cost_one_look_a_second(databases: Databases, start: Starter) -> None:
    server = start(databases.new())
    done = 0
    real = server.identity.database.check_writable

    async def counted() -> None:
        nonlocal done
        done += 1
        await real()

    # The real check runs; it is only counted.
    server.identity.database.check_writable = counted  # type: ignore[method-assign]
    begun = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        asked = pool.map(lambda _: server.request("GET", "/-/health/ready").status, range(400))
        assert set(asked) == {200}
    assert 1 <= done <= time.monotonic() - begun + 1, kind_of(server.database)
