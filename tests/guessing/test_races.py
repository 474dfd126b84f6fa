"""A right password, verified, and wrong ones that fail before it opens anything."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from services88.identity import accounts, passwords
from services88.identity.errors import PasswordRefused
from services88.identity.guess_limits import GuessLimits
from services88.identity.identity import Origin
from tests.identity.domain import HeldHasher, World, world
from tests.loop import run
from tests.running import TestClock

RIGHT, WRONG, NEW = "vellum orbit quartz", "marble lantern fjord", "copper violin meadow"
_NEVER = GuessLimits(waits_from=99, waits_everywhere_from=99, disable_after=10)


@pytest.fixture
def hasher() -> HeldHasher:
    return HeldHasher()


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def here(database: str, hasher: HeldHasher, clock: TestClock) -> Iterator[World]:
    with world(database, hasher, clock) as opened:
        run(opened.add("JANE", RIGHT))
        yield opened


async def _fail(here: World, times: int) -> None:
    for _ in range(times):
        assert await here.sign_in("JANE", WRONG) is None


def test_no_wait_begins_while_a_guess_is_under_way(
    here: World, hasher: HeldHasher, clock: TestClock
) -> None:
    async def story() -> None:
        third: list[asyncio.Task[None]] = []

        async def meanwhile() -> None:
            await _fail(here, 2)
            third.append(asyncio.create_task(_fail(here, 1)))
            while not here.identity.hashing.waiting:  # noqa: ASYNC110
                await asyncio.sleep(0)

        guess = here.sign_in("JANE", RIGHT)
        assert await hasher.held("verify", guess, meanwhile()) is not None
        await third[0]
        await _fail(here, 2)
        assert await here.sign_in("JANE", RIGHT) is None, "three failures since it was right"
        clock.time += 1000
        assert await here.sign_in("JANE", RIGHT) is not None

    run(story())


def test_a_right_guess_overtaken_by_the_disabling_issues_no_ticket(
    here: World, hasher: HeldHasher
) -> None:
    here.identity = replace(here.identity, guess_limits=_NEVER)

    async def story() -> None:
        guess = here.sign_in("JANE", RIGHT)
        assert await hasher.held("verify", guess, _fail(here, 10)) is None
        assert await here.sign_in("JANE", RIGHT) is None

    run(story())


@pytest.mark.parametrize("place", ["verify", "hash"])
def test_a_right_guess_overtaken_by_the_disabling_changes_nothing(
    here: World, hasher: HeldHasher, place: str
) -> None:
    here.identity = replace(here.identity, guess_limits=_NEVER)

    async def story() -> None:
        caller = await here.caller(await here.ticket("JANE", RIGHT))
        change = passwords.change_own(here.identity, caller, RIGHT, NEW, Origin())
        with pytest.raises(PasswordRefused) as caught:
            await hasher.held(place, change, _fail(here, 10))
        assert (caught.value.reason, caught.value.retry_after) == ("throttled", None)
        assert await here.sign_in("JANE", RIGHT) is None

    run(story())


def test_a_wrong_guess_overtaken_by_the_disabling_looks_and_counts_like_a_right_one(
    here: World, hasher: HeldHasher
) -> None:
    here.identity = replace(here.identity, guess_limits=_NEVER)

    async def story() -> None:
        caller = await here.caller(await here.ticket("JANE", RIGHT))
        counted = []
        for old in (RIGHT, WRONG):
            change = passwords.change_own(here.identity, caller, old, NEW, Origin())
            with pytest.raises(PasswordRefused) as caught:
                await hasher.held("verify", change, _fail(here, 10))
            assert (caught.value.reason, caught.value.retry_after) == ("throttled", None)
            counted.append(
                await here.identity.database.all(
                    text("SELECT failures FROM guess_counter ORDER BY name_hash, address")
                )
            )
            user = await accounts.find(here.identity, here.tenant, "JANE")
            assert await accounts.unlock(here.identity, here.tenant, user.name)
        of_name = [[failures for (failures,) in rows][1:] for rows in counted]
        assert of_name == [[10, 10], [10, 10]], "the first one is of the network"

    run(story())
