"""How often a network may ask for something without a sign-in, by clocks that are not alike."""

import pytest

from services88.identity import request_limits
from services88.identity.clock import HOUR
from services88.identity.request_limits import FORGOTTEN_FORMS
from tests.identity.domain import world
from tests.loop import run
from tests.running import TestClock


@pytest.mark.parametrize("behind", [1, 5_000, 59_000])
def test_a_clock_that_is_a_little_behind_starts_no_new_count(database: str, behind: int) -> None:
    clock = TestClock()
    with world(database, clock=clock) as here:

        def admitted() -> bool:
            return run(request_limits.admit(here.identity, FORGOTTEN_FORMS, "192.0.2.1"))

        assert [admitted() for _ in range(11)] == [True] * 10 + [False]
        clock.time -= behind
        assert not admitted()


def test_a_count_of_a_clock_that_was_far_ahead_is_over(database: str) -> None:
    clock = TestClock()
    with world(database, clock=clock) as here:

        def admitted() -> bool:
            return run(request_limits.admit(here.identity, FORGOTTEN_FORMS, "192.0.2.1"))

        assert [admitted() for _ in range(11)] == [True] * 10 + [False]
        clock.time -= 24 * HOUR
        assert admitted()
