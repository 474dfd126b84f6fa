"""The old password of a change is guessed as slowly as that of a sign-in (keycloak#31984)."""

from tests.guessing.conftest import RIGHT, WRONG, Guessed

NEW = "copper violin meadow"


def test_wrong_old_passwords_throttle_changes(here: Guessed) -> None:
    ticket = here.ticket("JANE")
    for _ in range(4):
        refused = here.change(ticket, WRONG, NEW)
        assert refused.extra["Reason"] == "old-password-wrong"
        here.clock.time += 1000
    before = len(here.hasher.verified), here.hasher.hashed
    here.clock.time += 500
    throttled = here.change(ticket, RIGHT, NEW)
    assert throttled.text("Response") == "false"
    assert throttled.extra["Reason"] == "throttled"
    assert throttled.extra["RetryAfter"] == "1", "what is left of 2 seconds, rounded up"
    assert (len(here.hasher.verified), here.hasher.hashed) == before
    here.clock.time += 500
    assert here.change(ticket, RIGHT, NEW).text("Response") == "true"


def test_changes_and_sign_ins_share_the_counter(here: Guessed) -> None:
    ticket = here.ticket("JANE")
    here.change(ticket, WRONG, NEW)
    here.try_("JANE", WRONG)
    here.change(ticket, WRONG, NEW)
    assert not here.hashes("JANE", RIGHT)
    assert here.change(ticket, RIGHT, NEW).extra["Reason"] == "throttled"
    assert here.signs_in(ticket), "a ticket in place of the name is no guess"


def test_a_change_resets(here: Guessed) -> None:
    ticket = here.ticket("JANE")
    for _ in range(2):
        here.change(ticket, WRONG, NEW)
    assert here.change(ticket, RIGHT, NEW).text("Response") == "true"
    assert [here.wait("JANE") for _ in range(3)] == [0, 0, 1]


def test_a_new_password_that_the_rules_refuse_is_no_failure(here: Guessed) -> None:
    ticket = here.ticket("JANE")
    for _ in range(10):
        assert here.change(ticket, RIGHT, RIGHT).text("Response") in ("true", "false")
    assert here.change(ticket, RIGHT, NEW).text("Response") == "true"


def test_tickets_as_names_are_not_counted(here: Guessed) -> None:
    for _ in range(30):
        assert not here.signs_in("7T:AAAA", "")
    assert here.signs_in("JANE")
