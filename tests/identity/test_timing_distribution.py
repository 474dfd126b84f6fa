"""How long a refusal takes tells nothing about who exists (ASVS 6.3.8, NIST SP 800-63B-4 3.2.2).

Samples are taken in turn, in an order drawn anew in each round, so that what else the machine does
meets all kinds alike. They are compared by rank (Mann-Whitney), never with a number of seconds: of
kinds that take the same time the statistic is normally distributed, whatever the times are, and
beyond the limit used here once in some million runs.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from math import sqrt

import pytest

from services88.identity import accounts
from services88.identity.guess_limits import GuessLimits
from services88.identity.hashing import Hasher, Hashing
from tests.identity.domain import World, world
from tests.loop import run
from tests.running import TestClock

RIGHT, WRONG = "vellum orbit quartz", "marble lantern fjord"
ROUNDS = 60
LIMIT = 5.0
"""In standard deviations of the statistic."""

_NEVER = GuessLimits(
    waits_from=10**6, waits_everywhere_from=10**6, disable_after=10**6, address_failures=10**6
)


@pytest.fixture
def here(database: str) -> Iterator[World]:
    with world(database, clock=TestClock()) as opened:
        run(_fill(opened))
        yield opened


async def _fill(here: World) -> None:
    for name in ("JANE", "JOE", "RETIRED"):
        await here.add(name, RIGHT)
    await accounts.retire(here.identity, here.tenant, "RETIRED", retired=True)


def distance(one: list[float], other: list[float]) -> float:
    """Give how far two samples are apart: the Mann-Whitney statistic in standard deviations."""
    wins = sum((a > b) + 0.5 * (a == b) for a in one for b in other)
    pairs = len(one) * len(other)
    return abs(wins - pairs / 2) / sqrt(pairs * (len(one) + len(other) + 1) / 12)


def measure(here: World, attempts: dict[str, tuple[str, str]]) -> dict[str, list[float]]:
    """Time each kind of attempt, in turn."""
    times: dict[str, list[float]] = {kind: [] for kind in attempts}

    async def story() -> None:
        kinds = list(attempts)
        for number in range(ROUNDS + 3):
            random.shuffle(kinds)
            for kind in kinds:
                began = time.perf_counter()
                assert await here.sign_in(*attempts[kind]) is None
                if number >= 3:  # the first ones make rows, and fill caches
                    times[kind].append(time.perf_counter() - began)

    run(story())
    return times


def test_unknown_wrong_and_retired_take_the_same_time(here: World) -> None:
    here.identity = replace(here.identity, guess_limits=_NEVER)
    times = measure(
        here,
        {
            "wrong": ("JANE", WRONG),
            "wrong, of another user": ("JOE", WRONG),
            "unknown": ("NOBODY", WRONG),
            "retired": ("RETIRED", RIGHT),
            "retired and wrong": ("RETIRED", WRONG),
        },
    )
    found = {kind: distance(times["wrong"], sample) for kind, sample in times.items()}
    assert max(found.values()) < LIMIT, found


@pytest.mark.one_database("what is verified does not depend on it")
def test_after_the_cost_was_raised_unknown_names_take_what_known_ones_do(here: World) -> None:
    """Until they sign in again, users have hashes that cost less than new ones."""
    raised = Hashing(Hasher(memory_kib=4 * 19_456), threads=2)
    here.identity = replace(here.identity, guess_limits=_NEVER, hashing=raised)
    times = measure(here, {"wrong": ("JANE", WRONG), "unknown": ("NOBODY", WRONG)})
    raised.close()
    assert distance(times["wrong"], times["unknown"]) < LIMIT


def test_waiting_names_take_the_same_time_whether_they_exist_or_not(here: World) -> None:
    async def wait() -> None:
        for name in ("JANE", "JOE", "NOBODY", "RETIRED"):
            for _ in range(3):
                await here.sign_in(name, WRONG)

    run(wait())  # the clock stands, so the waits do not end
    times = measure(
        here,
        {
            "known": ("JANE", RIGHT),
            "another known": ("JOE", RIGHT),
            "unknown": ("NOBODY", RIGHT),
            "retired": ("RETIRED", RIGHT),
        },
    )
    found = {kind: distance(times["known"], sample) for kind, sample in times.items()}
    assert max(found.values()) < LIMIT, found


def test_a_difference_would_be_noticed(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same measurement, of a server that answers for unknown users without hashing."""
    here.identity = replace(here.identity, guess_limits=_NEVER)
    verify = Hashing.verify

    async def hasty(
        self: Hashing, secret: str | None, password: str, *, like: str | None = None
    ) -> bool:
        return False if secret is None else await verify(self, secret, password, like=like)

    monkeypatch.setattr(Hashing, "verify", hasty)
    times = measure(here, {"wrong": ("JANE", WRONG), "unknown": ("NOBODY", WRONG)})
    assert distance(times["wrong"], times["unknown"]) > LIMIT
