"""A right password, verified, and overtaken by wrong ones before it opens anything."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from services88.identity import passwords
from services88.identity.errors import PasswordRefused
from services88.identity.guess_limits import GuessLimits
from services88.identity.identity import Origin
from tests.identity.domain import HeldHasher, World, world
from tests.loop import run
from tests.running import TestClock

RIGHT, WRONG, NEW = "vellum orbit quartz", "marble lantern fjord", "copper violin meadow"


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


def test_a_right_guess_overtaken_by_a_wait_issues_no_ticket(
    here: World, hasher: HeldHasher, clock: TestClock
) -> None:
    async def story() -> None:
        guess = here.sign_in("JANE", RIGHT)
        assert await hasher.held("verify", guess, _fail(here, 3)) is None
        clock.time += 1000
        assert await here.sign_in("JANE", RIGHT) is not None

    run(story())


def test_a_right_guess_overtaken_by_the_disabling_issues_no_ticket(
    here: World, hasher: HeldHasher
) -> None:
    never = GuessLimits(waits_from=99, waits_everywhere_from=99, disable_after=10)
    here.identity = replace(here.identity, guess_limits=never)

    async def story() -> None:
        guess = here.sign_in("JANE", RIGHT)
        assert await hasher.held("verify", guess, _fail(here, 10)) is None
        assert await here.sign_in("JANE", RIGHT) is None

    run(story())


@pytest.mark.parametrize("place", ["verify", "hash"])
def test_a_right_guess_overtaken_by_a_wait_changes_nothing(
    here: World, hasher: HeldHasher, clock: TestClock, place: str
) -> None:
    async def story() -> None:
        caller = await here.caller(await here.ticket("JANE", RIGHT))
        change = passwords.change_own(here.identity, caller, RIGHT, NEW, Origin())
        with pytest.raises(PasswordRefused) as caught:
            await hasher.held(place, change, _fail(here, 3))
        assert caught.value.reason == "throttled"
        assert caught.value.retry_after == 1
        clock.time += 1000
        assert await here.sign_in("JANE", RIGHT) is not None

    run(story())
