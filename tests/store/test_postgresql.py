"""PostgreSQL: a real server, with the races and losses that SQLite does not have."""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import Connection as SqlalchemyConnection
from sqlalchemy import text

from services88.identity import audit_trail, tenants
from services88.store import migrate
from services88.store import postgresql as postgresql_module
from services88.store.database import Connection
from services88.store.errors import Conflict, DatabaseUnavailable, UnusableDatabase
from services88.store.postgresql import PostgresqlDatabase
from services88.store.tenants import get_fact, put_fact
from tests.postgresql import PostgresqlServer, connected, postgresql
from tests.running import RunningServer, running, sign_in

pytestmark = pytest.mark.postgresql


@pytest.fixture
def server(postgresql_server: PostgresqlServer) -> PostgresqlServer:
    return postgresql_server


@pytest.fixture
def url(server: PostgresqlServer) -> Iterator[str]:
    made = server.new_database()
    yield made
    server.drop_database(made)


def _verified(service: RunningServer) -> int:
    async def work() -> int:
        tenant = await tenants.default(service.identity)
        return (await audit_trail.verify(service.identity, tenant)).events

    return service.run(work())


def test_a_database_that_goes_away_and_comes_back() -> None:
    with postgresql(durable=True) as server, running(server.new_database()) as service:
        service.add_user("JANE", "old secret")
        ticket = service.sign_in("JANE", "old secret")
        assert ticket is not None
        server.stop(signal.SIGQUIT)  # as a crash
        gone = service.change_own(ticket, "old secret", "new secret")
        assert gone.status == 503
        assert "database does not answer" in (gone.fault or "")
        assert gone.headers["retry-after"] == "5"
        server.start()
        assert service.change_own(ticket, "old secret", "new secret").text("Response") == "true"
        assert service.sign_in("JANE", "new secret") is not None
        _verified(service)


class _Cutter:
    """A proxy before PostgreSQL: once told to, it lets a commit happen and then all is over.

    :ivar cuts: Whether it is to do so at a commit.
    :ivar spared: Commits before that, which it lets pass: the first is that of the attempt's slot.
    :ivar tells: Whether the client hears of the commit first; then nothing is let through any more.
    """

    def __init__(self, port: int) -> None:
        self.cuts = False
        self.spared = 1
        self.tells = False
        self._down = False
        self._behind = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> "_Cutter":
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):  # shut down
            while True:
                client, _ = self._listening.accept()
                if self._down:
                    client.close()
                    continue
                self._threads.append(threading.Thread(target=self._serve, args=(client,)))
                self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        cut = threading.Event()
        with client, socket.create_connection(("127.0.0.1", self._behind)) as server:
            answering = threading.Thread(target=self._answer, args=(client, server, cut))
            answering.start()
            with suppress(OSError):
                while data := client.recv(65_536):
                    if self.cuts and b"COMMIT" in data:
                        self.spared -= 1
                        if self.spared < 0:
                            self.cuts = False
                            cut.set()
                    server.sendall(data)
                server.shutdown(socket.SHUT_RDWR)
            answering.join(10)

    def _answer(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                if cut.is_set() and not self.tells:
                    break
                self._down = cut.is_set()
                client.sendall(data)
                if self._down:
                    break
            client.shutdown(socket.SHUT_RDWR)


def test_a_commit_of_which_nobody_hears_is_told_as_what_it_is(
    server: PostgresqlServer, url: str
) -> None:
    with _Cutter(server.port) as cutter:
        behind = url.replace(f":{server.port}/", f":{cutter.port}/")
        with running(behind) as service:
            service.add_user("JANE", "old secret")
            ticket = service.sign_in("JANE", "old secret")
            assert ticket is not None
            cutter.cuts = True
            unknown = service.change_own(ticket, "old secret", "new secret")
            assert not cutter.cuts
            assert unknown.status == 503
            assert "all of it is kept, or nothing" in (unknown.fault or "")
            assert service.sign_in("JANE", "old secret") is None
            assert service.sign_in("JANE", "new secret") is not None
            _verified(service)


def test_a_sign_in_that_is_kept_is_told_as_one(server: PostgresqlServer, url: str) -> None:
    with _Cutter(server.port) as cutter:
        behind = url.replace(f":{server.port}/", f":{cutter.port}/")
        with running(behind) as service:
            service.add_user("JANE", "a secret")
            cutter.cuts = cutter.tells = True
            assert service.sign_in("JANE", "a secret") is not None
            assert not cutter.cuts
            assert service.post("SoPrincipal", sign_in("JANE", "a secret")).status == 503


def test_a_lost_connection_is_made_anew_and_the_work_done_again(
    server: PostgresqlServer, url: str
) -> None:
    migrate.upgrade(url)
    tries = 0

    async def work(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        await put_fact(connection, "a", str(tries))
        if tries == 1:
            await asyncio.to_thread(
                server.do,
                lambda driver: driver.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = $1 AND pid <> pg_backend_pid()",
                    url.rpartition("/")[2],
                ),
            )
        await get_fact(connection, "b")

    async def run() -> str | None:
        database = PostgresqlDatabase(url)
        await database.transaction(work)
        found = await get_fact(database, "a")
        await database.close()
        return found

    assert asyncio.run(run()) == "2"


def test_tables_that_take_long_to_make_are_made_and_waited_for(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgresql_module._SESSION, "lock_timeout", "200ms")
    monkeypatch.setitem(postgresql_module._SESSION, "idle_in_transaction_session_timeout", "200ms")
    begun = threading.Event()
    told: list[str] = []

    def slow(connection: SqlalchemyConnection) -> None:
        begun.set()
        time.sleep(1)
        told.append("first")
        connection.execute(text("CREATE TABLE slow (one INTEGER)"))

    def quick(connection: SqlalchemyConnection) -> None:
        told.append("second")
        connection.execute(text("SELECT one FROM slow"))
        assert connection.scalar(text("SHOW lock_timeout")) == "200ms", "for tables"

    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(postgresql_module.alone, url, slow)
        assert begun.wait(30)
        postgresql_module.alone(url, quick)
        first.result(30)
    assert told == ["first", "second"]


def test_what_work_raises_undoes_all_of_it(url: str) -> None:
    migrate.upgrade(url)

    async def work(connection: Connection) -> None:
        await put_fact(connection, "a", "1")
        raise LookupError

    async def twice(connection: Connection) -> None:
        await put_fact(connection, "b", "1")
        await put_fact(connection, "b", "2")

    async def run() -> None:
        database = PostgresqlDatabase(url, connections=1)
        with pytest.raises(LookupError):
            await database.transaction(work)
        with pytest.raises(Conflict):
            await database.transaction(twice)
        assert await get_fact(database, "a") is None
        assert await get_fact(database, "b") is None
        await database.close()

    asyncio.run(run())


def test_few_connections_serve_many_who_wait_for_them(url: str) -> None:
    """A connection that is kept at hand is kept from nobody, and one that was cancelled is not."""
    migrate.open_database(url)

    async def work() -> None:
        database = PostgresqlDatabase(url, connections=2)
        try:

            async def read(_: int) -> str | None:
                return await get_fact(database, "none")

            async def write(number: int) -> None:
                await database.transaction(lambda to: put_fact(to, f"fact {number}", "x"))

            for _ in range(5):
                jobs = [asyncio.create_task(read(number)) for number in range(20)]
                await asyncio.sleep(0)
                for job in jobs[::7]:
                    job.cancel()
                ended = await asyncio.gather(*jobs, return_exceptions=True)
                assert set(map(type, ended)) <= {type(None), asyncio.CancelledError}
            await asyncio.gather(*(each(n) for n in range(20) for each in (read, write)))
            assert database.connections()["busy"] == 0
            assert 1 <= database.connections()["idle"] <= 2
            assert [await get_fact(database, f"fact {n}") for n in range(20)] == ["x"] * 20
        finally:
            await database.close()

    asyncio.run(asyncio.wait_for(work(), 30))


def test_a_right_that_was_taken_away_is_an_outage_and_no_mistake_of_ours(
    server: PostgresqlServer, url: str
) -> None:
    migrate.upgrade(url)
    database = url.rpartition("/")[2]
    server.do(
        lambda driver: driver.execute(
            f"CREATE ROLE reader LOGIN IN ROLE pg_read_all_data; "
            f"GRANT CONNECT ON DATABASE {database} TO reader"
        )
    )

    async def run() -> None:
        opened = PostgresqlDatabase(url.replace("postgres@", "reader@"))
        assert await get_fact(opened, "a") is None
        with pytest.raises(DatabaseUnavailable, match="permission denied"):
            await opened.transaction(lambda connection: put_fact(connection, "a", "1"))
        await opened.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("wrong", "error", "remedy"),
    [
        ("postgresql://postgres@127.0.0.1:{port}/nowhere", UnusableDatabase, "createdb"),
        ("postgresql://u:hush@127.0.0.1:1/x", DatabaseUnavailable, "Check that it runs"),
        ("postgresql://u:hush@127.0.0.1:{port}:x/y", UnusableDatabase, "postgresql://USER"),
    ],
)
def test_a_url_that_cannot_be_used_names_cause_and_remedy(
    server: PostgresqlServer, wrong: str, error: type[Exception], remedy: str
) -> None:
    with pytest.raises(error, match=remedy) as raised:
        migrate.open_database(wrong.format(port=server.port))
    assert "hush" not in str(raised.value)


def test_a_connection_that_may_only_read_is_not_kept(url: str) -> None:
    name = url.rpartition("/")[2]
    database = migrate.open_database(url)

    async def write(connection: Connection) -> None:
        await put_fact(connection, "written", "yes")

    async def may_only_read(value: str) -> None:
        async with connected(url) as driver:
            await driver.execute("SET default_transaction_read_only = off")
            await driver.execute(
                f"ALTER DATABASE {name} SET default_transaction_read_only = {value}"
            )

    async def run() -> None:
        await may_only_read("on")
        with pytest.raises(DatabaseUnavailable, match="read-only"):
            await database.transaction(write)
        await database.one(text("SELECT 1"))  # which leaves such a connection at hand
        await may_only_read("off")
        await database.transaction(write)
        await database.close()

    asyncio.run(run())


def test_a_connection_that_was_idle_for_long_is_not_used_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.upgrade(url)
    me = text("SELECT pg_backend_pid()")

    async def work() -> None:
        database = PostgresqlDatabase(url)
        try:
            first = await database.one(me)
            assert await database.one(me) == first
            with monkeypatch.context() as later:
                later.setattr(postgresql_module, "_AT_HAND_SECONDS", -1.0)
                second = await database.one(me)
                assert second != first
            assert await database.one(me) is not None
            assert database.connections()["busy"] == 0
        finally:
            await database.close()

    asyncio.run(work())


def test_connections_that_a_rush_left_are_given_back(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.upgrade(url)

    async def work() -> None:
        database = PostgresqlDatabase(url)
        try:
            slow = text("SELECT pg_sleep(0.2)")
            await asyncio.gather(*(database.one(slow) for _ in range(5)))
            assert database.connections() == {"idle": 5, "busy": 0}
            monkeypatch.setattr(postgresql_module, "_AT_HAND_SECONDS", 0.5)
            for _ in range(16):
                await database.one(text("SELECT 1"))
                await asyncio.sleep(0.05)
            assert len(database._at_hand) == 1
            assert database.connections() == {"idle": 5, "busy": 0}, "asyncpg closes them later"
        finally:
            await database.close()

    asyncio.run(work())
