"""Failures make the next attempt wait (ASVS 6.1.1, 6.3.1; OWASP Authentication)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from services88.identity.guess_limits import GuessLimits
from tests.databases import content
from tests.guessing.conftest import HERE, RIGHT, WRONG, Guessed, guessed
from tests.running import Starter

ELSEWHERE = "203.0.113.9"


@pytest.mark.parametrize("name", ["JANE", "NOBODY", "jane@example.com", "a@b", "", "\u00e9 ?"])
def test_waits_double_from_one_second_to_fifteen_minutes(here: Guessed, name: str) -> None:
    waits = [here.wait(name) for _ in range(14)]
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_a_throttled_attempt_hashes_nothing_and_looks_like_a_wrong_password(here: Guessed) -> None:
    ordinary = here.try_("JANE", WRONG)
    for _ in range(2):
        here.try_("JANE", WRONG)
    hashed = len(here.hasher.verified)
    throttled = [here.try_("JANE", RIGHT), here.try_("jane", WRONG), here.try_(" Jane ", WRONG)]
    assert len(here.hasher.verified) == hashed
    assert {reply.content for reply in throttled} == {ordinary.content}
    assert {reply.status for reply in throttled} == {200}


def test_throttled_attempts_do_not_count(here: Guessed) -> None:
    for _ in range(3):
        here.try_("JANE", WRONG)
    for _ in range(30):
        assert not here.hashes("JANE")
    here.clock.time += 1000
    assert here.signs_in("JANE"), "30 more failures would have set a longer wait"


def test_waits_of_one_address_are_not_those_of_another(here: Guessed) -> None:
    for _ in range(3):
        here.try_("JANE", WRONG, ELSEWHERE)
    assert not here.signs_in("JANE", RIGHT, ELSEWHERE)
    assert here.signs_in("JANE", RIGHT, HERE)
    here.clock.time += 500
    assert not here.signs_in("JANE", RIGHT, ELSEWHERE), "who knows the password ended no wait there"


def test_a_network_of_ipv6_is_one_address(here: Guessed) -> None:
    for number in range(3):
        here.try_("JANE", WRONG, f"2001:db8:1:2::{number}")
    assert not here.signs_in("JANE", RIGHT, "2001:db8:1:2:ffff::1")
    assert here.signs_in("JANE", RIGHT, "2001:db8:1:3::1")


def test_success_resets(here: Guessed) -> None:
    for _ in range(4):
        here.try_("JANE", WRONG)
        here.clock.time += 2000
    assert here.signs_in("JANE")
    assert [here.wait("JANE") for _ in range(3)] == [0, 0, 1]


def test_a_day_without_failures_resets(here: Guessed) -> None:
    here.fail("JANE", 5, everywhere=False)
    here.clock.time += GuessLimits().forgotten_after
    assert [here.wait("JANE") for _ in range(3)] == [0, 0, 1]


@pytest.mark.parametrize("name", ["JANE", "NOBODY"])
def test_from_twenty_failures_on_all_addresses_wait(here: Guessed, name: str) -> None:
    for number in range(19):
        assert here.hashes(name, WRONG, f"198.51.100.{number}")
    assert here.admits(name, ELSEWHERE)
    assert here.hashes(name, WRONG, "198.51.100.200")
    assert not here.hashes(name, RIGHT, ELSEWHERE)
    here.clock.time += 1000
    assert here.wait(name, ELSEWHERE) == 2, "the 21st failure"


def test_an_address_that_tries_many_names_waits_for_the_end_of_five_minutes(start: Starter) -> None:
    here = guessed(start)
    here.server.add_user("JANE", RIGHT)
    for number in range(100):
        assert here.hashes(f"name-{number}")
    assert not here.hashes("JANE", RIGHT)
    assert here.hashes("name-1", WRONG, ELSEWHERE)
    here.clock.time += 5 * 60_000
    assert here.signs_in("JANE")


def test_exempt_networks_have_no_limit_across_names(start: Starter) -> None:
    here = guessed(start, guess_exempt_networks="192.0.2.0/24, 2001:db8::/32")
    here.server.add_user("JANE", RIGHT)
    for number in range(101):
        assert here.hashes(f"name-{number}")
    assert here.signs_in("JANE")
    for _ in range(3):
        here.try_("JANE", WRONG)
    assert not here.signs_in("JANE"), "the limit of one name from there holds"


def test_servers_on_one_database_share_the_counters(start: Starter, database: str) -> None:
    one = guessed(start, database=database)
    other = guessed(start, clock=one.clock, database=database)
    one.server.add_user("JANE", RIGHT)
    for server in (one, other, one):
        assert server.hashes("JANE")
    assert not other.hashes("JANE", RIGHT)
    assert not one.hashes("JANE", RIGHT)


def test_guesses_at_once_gain_nothing(here: Guessed) -> None:
    guesses = [*[WRONG] * 24, RIGHT]
    with ThreadPoolExecutor(25) as pool:
        results = list(pool.map(lambda guess: here.signs_in("JANE", guess), guesses))
    # The right one may have come among the first; then its success let three others in.
    assert results.count(True) <= 1
    assert not here.admits("JANE") or len(here.hasher.verified) < 25
    here.clock.time += 15 * 60_000
    assert here.signs_in("JANE")


def test_names_are_not_stored(here: Guessed) -> None:
    typed = "my secret password 1234"
    here.try_(typed, "JANE")
    stored = content(here.server.database)
    assert b"jane@example.com" in stored
    assert typed.encode() not in stored
