"""What a burst learns and does is what the same attempts do one after the other."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.burst import Servers, several_servers
from tests.databases import Databases, sql
from tests.identity.domain import World, world
from tests.loop import run
from tests.running import Reply, change_own, sign_in

RIGHT, WRONG = "vellum orbit quartz", "marble lantern fjord"
CALLERS, ROUNDS = 50, 3


@pytest.fixture(scope="module")
def servers(
    shared_databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    """One set of servers for all tests of this module; each adds users of its own."""
    folder = tmp_path_factory.mktemp("servers")
    # All callers are one network, which has a limit of its own.
    environment = {"SERVICES88_GUESS_EXEMPT_NETWORKS": "127.0.0.1/32"}
    with several_servers(shared_databases.new(), folder, **environment) as several:
        yield several


@pytest.fixture
def here(servers: Servers) -> Iterator[World]:
    with world(servers.database) as opened:
        yield opened


@contextmanager
def _at_most() -> Iterator[Callable[[], int]]:
    """Count the failures that one after the other would be let in, of one name, in so much time."""
    began = time.monotonic()
    yield lambda: 3 + int(math.log2(time.monotonic() - began + 1))


def _failures(servers: Servers, user: int) -> list[tuple[int, bool]]:
    statement = "SELECT failures, disabled FROM password_failure WHERE associate_id = ?"
    return [(row[0], row[1] is not None) for row in sql(servers.database, statement, user)]


def _outcome(reply: Reply) -> str:
    if reply.status == 503:
        return "busy"
    assert reply.status == 200, reply.content
    return reply.extra["Reason"] or ""


def test_a_burst_of_changes_tells_what_three_of_them_tell(servers: Servers, here: World) -> None:
    for round_ in range(ROUNDS):
        user = run(here.add(f"JANE{round_}", RIGHT))
        reply = servers.post("SoPrincipal", sign_in(user.name, RIGHT))
        ticket = reply.text("Ticket")
        assert ticket
        guesses = [f"{WRONG} {number}" for number in range(CALLERS)]
        guesses[17 * round_] = RIGHT
        # The new password is refused, so that nothing changes and it could be tried for ever.
        with _at_most() as most:
            replies = servers.fire("User", [change_own(ticket, old, "") for old in guesses])
        told = Counter(_outcome(reply) for reply in replies)
        assert 3 <= told["old-password-wrong"] <= most(), told
        assert told["policy"] <= 1
        assert told["throttled"] + told["busy"] + told["policy"] >= CALLERS - most()
        assert _failures(servers, user.associate_id) == [(told["old-password-wrong"], False)]


def test_a_burst_of_sign_ins_counts_no_more_than_three(servers: Servers, here: World) -> None:
    for round_ in range(ROUNDS):
        email = f"joe{round_}@example.com"
        user = run(here.add(f"JOE{round_}", RIGHT, email=email))
        names = [user.name, email] * (CALLERS // 2)
        with _at_most() as most:
            replies = servers.fire("SoPrincipal", [sign_in(name, WRONG) for name in names])
        assert {reply.text("Ticket") for reply in replies if reply.status == 200} == {None}
        ((failures, disabled),) = _failures(servers, user.associate_id)
        assert 6 <= failures <= 2 * most(), "a name and an e-mail address wait apart"
        assert not disabled
        busy = sum(reply.status == 503 for reply in replies)
        counted = (
            "SELECT coalesce(sum(count), 0) FROM ({}) AS counted "
            "WHERE event = 'excess_rate_limit_exceeded' AND associate_id = ?"
        ).format(
            "SELECT event, associate_id, count FROM audit_event "
            "UNION ALL SELECT event, associate_id, count FROM audit_pending"
        )
        ((throttled,),) = sql(servers.database, counted, user.associate_id)
        assert throttled == CALLERS - failures - busy


def test_no_failure_too_many_disables(servers: Servers, here: World) -> None:
    for round_ in range(ROUNDS):
        email = f"kim{round_}@example.com"
        user = run(here.add(f"KIM{round_}", RIGHT, email=email))
        before = (
            "INSERT INTO password_failure (associate_id, failures, last_failure) VALUES (?, ?, 0)"
        )
        sql(servers.database, before, user.associate_id, 98)
        names = [user.name, email] * (CALLERS // 2)
        servers.fire("SoPrincipal", [sign_in(name, WRONG) for name in names])
        assert _failures(servers, user.associate_id) == [(100, True)]


def test_right_ones_all_succeed(servers: Servers, here: World) -> None:
    for round_ in range(ROUNDS):
        user = run(here.add(f"SERVICE{round_}", RIGHT))
        replies = servers.fire("SoPrincipal", [sign_in(user.name, RIGHT)] * 20)
        assert [reply.status for reply in replies] == [200] * 20
        assert all(reply.text("Ticket") for reply in replies)
    assert sql(servers.database, "SELECT * FROM password_attempt") == []
