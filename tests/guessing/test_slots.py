"""Attempts take slots: as many as failures are left, for as long as their server lives."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from services88.identity.errors import ServerBusy
from services88.identity.guess_limits import GuessLimits
from services88.identity.hashing import Hashing
from services88.identity.identity import Origin
from services88.identity.sign_in import SignedIn, with_name
from services88.store import attempts
from tests.databases import sql
from tests.identity.domain import CheapHasher, HeldHasher, World, world
from tests.loop import run
from tests.running import TestClock

RIGHT, WRONG = "vellum orbit quartz", "marble lantern fjord"
DAY = 24 * 3_600_000
LONGEST = GuessLimits().longest_wait


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def here(database: str, clock: TestClock) -> Iterator[World]:
    with world(database, CheapHasher(), clock) as opened:
        run(opened.add("JANE", RIGHT))
        yield opened


def _take_all(here: World, database: str, lasting: int) -> None:
    """Leave what a killed server leaves: attempts under way, for so many milliseconds more."""
    run(here.sign_in("JANE", WRONG))  # which leaves a counter, that tells the hash of the name
    statement = "SELECT DISTINCT name_hash FROM guess_counter WHERE name_hash <> ''"
    ((named,),) = sql(database, statement)
    until = time.time_ns() // 1_000_000 + lasting
    for number in range(3):
        sql(
            database,
            "INSERT INTO password_attempt (tenant_id, name_hash, address, attempt_id, until) "
            "VALUES (1, ?, '-', ?, ?)",
            named,
            number,
            until,
        )


def test_slots_of_a_killed_server_are_free_after_a_while(here: World, database: str) -> None:
    _take_all(here, database, 1000)
    began = time.monotonic()
    assert run(here.sign_in("JANE", RIGHT)) is not None
    assert 0.3 < time.monotonic() - began < 5


@pytest.mark.parametrize("lasting", [-1, attempts.LIFETIME + 5_000])
def test_slots_of_no_time_are_free(here: World, database: str, lasting: int) -> None:
    """They have expired, or are of a clock that was set back."""
    _take_all(here, database, lasting)
    here.identity.hashing.patience = 2
    assert run(here.sign_in("JANE", RIGHT)) is not None
    run(here.sign_in("JANE", WRONG))
    assert sql(database, "SELECT * FROM password_attempt") == [], "failures purge them"


@pytest.mark.parametrize("password", [RIGHT, WRONG])
def test_who_waits_too_long_for_a_slot_is_refused_without_hashing(
    here: World, database: str, password: str
) -> None:
    _take_all(here, database, attempts.LIFETIME - 5_000)
    here.identity.hashing.patience = 0.1
    with pytest.raises(ServerBusy):
        run(here.sign_in("JANE", password))
    assert run(here.sign_in("JOE", RIGHT)) is None, "other names have slots of their own"
    assert here.identity.hashing.waiting == 0


@pytest.mark.parametrize("password", [RIGHT, WRONG])
def test_an_attempt_that_outlived_its_slot_comes_to_nothing(database: str, password: str) -> None:
    hasher = HeldHasher()

    async def expire() -> None:
        sql(database, "UPDATE password_attempt SET until = 1")

    with world(database, hasher) as here:

        async def story() -> None:
            await here.add("JANE", RIGHT)
            with pytest.raises(ServerBusy):
                await hasher.held("verify", here.sign_in("JANE", password), expire())

        run(story())
    assert sql(database, "SELECT * FROM guess_counter") == []
    assert sql(database, "SELECT * FROM credentials WHERE credential_type = 'Ticket'") == []


def test_a_network_is_let_in_as_often_as_its_limit_says(here: World, database: str) -> None:
    limits = GuessLimits(address_failures=5)
    here.identity = replace(here.identity, guess_limits=limits)

    async def story() -> list[SignedIn | None]:
        origin = Origin("192.0.2.1")
        names = [f"name-{number}" for number in range(29)]
        attempts = (
            with_name(here.identity, here.tenant, name, RIGHT, origin) for name in (*names, "JANE")
        )
        return await asyncio.gather(*attempts)

    assert [one for one in run(story()) if one] == []
    counted = "SELECT failures FROM guess_counter WHERE name_hash = ''"
    assert sql(database, counted) == [(5,)]


def test_right_ones_at_once_leave_nothing_behind(here: World, database: str) -> None:
    async def story() -> list[SignedIn | None]:
        return await asyncio.gather(*(here.sign_in("JANE", RIGHT) for _ in range(20)))

    assert None not in run(story())
    for table in ("password_attempt", "guess_counter", "password_failure"):
        assert sql(database, f"SELECT * FROM {table}") == []


def test_a_flood_of_one_name_takes_no_more_places_than_there_are(
    here: World, database: str
) -> None:
    _take_all(here, database, attempts.LIFETIME - 5_000)
    here.identity = replace(here.identity, hashing=Hashing(CheapHasher(), threads=1, queue=4))
    here.identity.hashing.patience = 0.5

    async def story() -> list[object]:
        guesses = (here.sign_in("JANE", WRONG) for _ in range(20))
        return await asyncio.gather(*guesses, return_exceptions=True)

    began = time.monotonic()
    assert [type(one) for one in run(story())] == [ServerBusy] * 20
    assert here.identity.hashing.rejected == 20
    assert time.monotonic() - began < 5
    here.identity.hashing.close()


@pytest.mark.parametrize("ahead", [1200 * DAY, 3_600_000, 600_000])
def test_no_wait_ends_later_than_the_longest_from_now(
    here: World, clock: TestClock, ahead: int
) -> None:
    """Failures by a clock that was ahead, or of before it was set back."""
    now = clock.time
    clock.time = now + ahead
    for _ in range(16):
        run(here.sign_in("JANE", WRONG))
        clock.time += LONGEST
    clock.time = now
    assert run(here.sign_in("JANE", RIGHT)) is None, "the failures count"
    clock.time = now + LONGEST - 1
    assert run(here.sign_in("JANE", RIGHT)) is None, "as of when they were first seen"
    clock.time = now + LONGEST
    assert run(here.sign_in("JANE", RIGHT)) is not None


def test_a_network_waits_no_longer_than_its_window_from_now(here: World, clock: TestClock) -> None:
    limits = GuessLimits(address_failures=3)
    here.identity = replace(here.identity, guess_limits=limits)
    now = clock.time
    clock.time += 1200 * DAY
    for name in ("A", "B", "C"):
        run(here.sign_in(name, WRONG))
    clock.time = now
    assert run(here.sign_in("JANE", RIGHT)) is None
    clock.time += limits.address_window
    assert run(here.sign_in("JANE", RIGHT)) is not None


def test_counters_of_the_future_are_kept_no_longer_than_others(
    here: World, clock: TestClock, database: str
) -> None:
    now = clock.time
    clock.time += 1200 * DAY
    run(here.sign_in("NOBODY", WRONG))
    clock.time = now
    run(here.sign_in("JANE", WRONG))
    kept = sql(database, "SELECT max(keep_until) FROM guess_counter")
    assert kept == [(now + GuessLimits().forgotten_after,)]
