"""Many clients change one password at once, against one server and against several."""

import http.client
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import pytest

from services88.identity import accounts, tenants
from tests.databases import Databases, kind_of, sql
from tests.identity.domain import world
from tests.loop import run
from tests.programs import serving
from tests.running import Reply, RunningServer, change_own, running, sign_in

T = TypeVar("T")

OLD = "vellum orbit quartz"
CLIENTS = 5
ROUNDS = 3


@dataclass(frozen=True)
class Server:
    """Where a server is; several may be one installation."""

    host: str
    port: int

    def post(self, agent: str, message: str) -> Reply:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            headers = {"Content-Type": "text/xml; charset=utf-8"}
            path = f"/Remote/Services88/{agent}.svc"
            connection.request("POST", path, message.encode(), headers)
            response = connection.getresponse()
            return Reply(response.status, {}, response.read())
        finally:
            connection.close()

    def sign_in(self, name: str, password: str) -> str | None:
        reply = self.post("SoPrincipal", sign_in(name, password))
        assert reply.status == 200, reply.content
        return reply.text("Ticket")

    def change(self, ticket: str, old: str, new: str) -> bool:
        reply = self.post("User", change_own(ticket, old, new))
        assert reply.status == 200, reply.content
        assert reply.text("Response") in ("true", "false")
        return reply.text("Response") == "true"

    def lives(self, ticket: str) -> bool:
        return self.sign_in(ticket, "") == ticket


@dataclass(frozen=True)
class Installation:
    """Servers on one database, and how to add a user."""

    servers: Sequence[Server]
    add: Callable[[str], object]

    def server(self, number: int) -> Server:
        return self.servers[number % len(self.servers)]


@pytest.fixture(scope="module")
def one_server(shared_databases: Databases) -> Iterator[Installation]:
    with running(shared_databases.new()) as server:
        yield Installation(
            [Server(server.host, server.port)], lambda name: server.add_user(name, OLD)
        )


@pytest.fixture(scope="module")
def several_processes(
    shared_databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    folder, database = tmp_path_factory.mktemp("several"), shared_databases.new()
    with ExitStack() as stack:
        here = stack.enter_context(world(database))
        arguments = ("--database", database)
        programs = [stack.enter_context(serving(*arguments, folder=folder)) for _ in range(3)]
        servers = [Server(program.host, program.port) for program in programs]
        yield Installation(servers, lambda name: run(here.add(name, OLD)))
    if kind_of(database) == "sqlite":
        assert sql(database, "PRAGMA integrity_check") == [("ok",)]


@pytest.fixture(params=["one_server", "several_processes"])
def installation(
    request: pytest.FixtureRequest,
    shared_databases: Databases,  # noqa: ARG001 - so that pytest sees that both kinds are to be run
) -> Installation:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Installation)
    return found


def _at_once(*works: Callable[[], T]) -> list[T]:
    """Do pieces of work in threads that begin together."""
    together = threading.Barrier(len(works))

    def begin(work: Callable[[], T]) -> T:
        together.wait(30)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(begin, works))


def _name(prefix: str) -> str:
    return f"{prefix}-{os.urandom(4).hex()}"


def _new(round_: int, client: int) -> str:
    return f"marble lantern fjord {round_}{client}{os.urandom(2).hex()}"


def _those_that_sign_in(
    installation: Installation, name: str, candidates: Sequence[str], right: str
) -> list[str]:
    """Try passwords, each after a right one, so that the failures before it set no wait for it."""
    found = []
    for number, candidate in enumerate(candidates):
        server = installation.server(number)
        deadline = time.monotonic() + 20
        while server.sign_in(name, right) is None:
            assert time.monotonic() < deadline, "the password of the change that won is right"
            time.sleep(0.1)
        if server.sign_in(name, candidate):
            found.append(candidate)
    return found


def test_of_changes_at_once_with_one_ticket_exactly_one_is_true(
    installation: Installation,
) -> None:
    for round_ in range(ROUNDS):
        name = _name("ONE")
        installation.add(name)
        ticket = installation.server(round_).sign_in(name, OLD)
        assert ticket is not None
        candidates = [_new(round_, client) for client in range(CLIENTS)]
        changed = _at_once(
            *(
                partial(installation.server(client).change, ticket, OLD, candidates[client])
                for client in range(CLIENTS)
            )
        )
        assert sum(changed) == 1, changed
        right = candidates[changed.index(True)]
        assert _those_that_sign_in(installation, name, [OLD, *candidates], right) == [right]
        assert installation.server(round_ + 1).lives(ticket), "the calling ticket stays"


def test_of_changes_at_once_from_several_sessions_one_is_true_and_its_ticket_stays(
    installation: Installation,
) -> None:
    for round_ in range(ROUNDS):
        name = _name("MANY")
        installation.add(name)
        tickets = [
            installation.server(client).sign_in(name, OLD) or "" for client in range(CLIENTS)
        ]
        candidates = [_new(round_, client) for client in range(CLIENTS)]
        changed = _at_once(
            *(
                partial(
                    installation.server(client).change, tickets[client], OLD, candidates[client]
                )
                for client in range(CLIENTS)
            )
        )
        assert sum(changed) == 1, changed
        winner = changed.index(True)
        right = candidates[winner]
        assert _those_that_sign_in(installation, name, [OLD, *candidates], right) == [right]
        for number, ticket in enumerate(tickets):
            for server in installation.servers:
                assert server.lives(ticket) == (number == winner), "at once, on every server"


def test_a_ticket_from_the_old_password_never_outlives_the_change(
    installation: Installation,
) -> None:
    for round_ in range(ROUNDS):
        name, new = _name("LATE"), _new(round_, 0)
        installation.add(name)
        ticket = installation.server(0).sign_in(name, OLD)
        assert ticket is not None
        changed, *issued = _at_once(
            partial(installation.server(0).change, ticket, OLD, new),
            *(partial(installation.server(client).sign_in, name, OLD) for client in range(CLIENTS)),
        )
        assert changed is True
        for late in issued:
            assert not (isinstance(late, str) and installation.server(1).lives(late))
        assert installation.server(1).lives(ticket)
        assert installation.server(1).sign_in(name, OLD) is None


def test_a_change_at_once_with_a_retirement_leaves_no_ticket_and_one_password(
    shared_server: RunningServer,
) -> None:
    server = Server(shared_server.host, shared_server.port)
    identity = shared_server.identity
    for round_ in range(ROUNDS):
        name, new = _name("GONE"), _new(round_, 0)
        shared_server.add_user(name, OLD)
        ticket = server.sign_in(name, OLD)
        assert ticket is not None

        async def retire(retired: bool, name: str = name) -> bool:
            tenant = await tenants.default(identity)
            return await accounts.retire(identity, tenant, name, retired=retired)

        changed, _ = _at_once(
            partial(server.change, ticket, OLD, new),
            partial(shared_server.run, retire(True)),
        )
        assert not server.lives(ticket)
        assert [server.sign_in(name, password) for password in (OLD, new)] == [None, None]
        shared_server.run(retire(False))
        assert not server.lives(ticket)
        signed_in = [password for password in (OLD, new) if server.sign_in(name, password)]
        assert signed_in == [new if changed else OLD]


def test_the_other_ticket_cannot_change_anything_any_more(shared_server: RunningServer) -> None:
    name = _name("DEAD")
    shared_server.add_user(name, OLD)
    dead, alive = shared_server.sign_in(name, OLD), shared_server.sign_in(name, OLD)
    assert dead
    assert alive
    new = _new(0, 0)
    assert shared_server.change_own(alive, OLD, new).text("Response") == "true"
    refused = shared_server.change_own(dead, new, _new(0, 1))
    assert refused.text("Succeeded") == "false"
    assert refused.text("ExceptionType") == "SuperOffice.Exceptions.SoSessionException"
    assert shared_server.change_own(alive, new, _new(0, 2)).text("Response") == "true"
