"""A hundred failures in a row disable the password, not tickets (NIST SP 800-63B-4, 3.2.2)."""

import pytest
from click.testing import CliRunner

from services88.cli import main
from services88.identity import accounts, passwords, tenants
from services88.identity.errors import BadInput
from services88.settings import load
from tests.guessing.conftest import RIGHT, WRONG, Guessed, guessed
from tests.running import Reply, Starter, credentials, envelope

NEW = "copper violin meadow"
FEW = 12


@pytest.fixture
def here(start: Starter) -> Guessed:
    found = guessed(start, guess_disable_after=FEW)
    found.server.add_user("JANE", RIGHT, email="jane@example.com")
    found.server.add_user("ROOT", RIGHT, role="Administrator")
    return found


def _later(here: Guessed) -> None:
    here.clock.time += 15 * 60_000


def test_by_default_after_a_hundred(start: Starter) -> None:
    here = guessed(start)
    here.server.add_user("JANE", RIGHT)
    here.fail("JANE", 99)
    _later(here)
    assert here.signs_in("JANE"), "one failure less does not disable it"
    here.fail("JANE", 100)
    _later(here)
    assert not here.signs_in("JANE")


def test_a_disabled_password_is_refused_after_hashing_like_a_wrong_one(here: Guessed) -> None:
    here.fail("JANE", FEW)
    here.fail("NOBODY", FEW)
    _later(here)
    before = len(here.hasher.verified)
    right, wrong = here.try_("JANE", RIGHT), here.try_("JANE", WRONG)
    unknown = here.try_("NOBODY", RIGHT)
    assert right.content == wrong.content == unknown.content
    assert len(here.hasher.verified) == before + 3


def test_failures_by_name_and_by_address_count_together(here: Guessed) -> None:
    here.fail("JANE", FEW // 2)
    here.fail("jane@example.com", FEW // 2)
    _later(here)
    assert not here.signs_in("JANE")


def test_failures_of_long_ago_count(here: Guessed) -> None:
    here.fail("JANE", FEW - 1)
    here.clock.time += 365 * 24 * 3_600_000
    here.fail("NOBODY", 3)
    here.fail("JANE", 1)
    _later(here)
    assert not here.signs_in("JANE")


def test_a_valid_ticket_works_and_cannot_change_the_password(here: Guessed) -> None:
    ticket = here.ticket("JANE")
    here.fail("JANE", FEW)
    _later(here)
    assert here.signs_in(ticket), "a ticket in place of the name"
    before = len(here.hasher.verified)
    refused = here.change(ticket, RIGHT, NEW)
    assert (refused.text("Response"), refused.extra["Reason"]) == ("false", "throttled")
    assert "RetryAfter" not in refused.extra, "waiting does not help"
    assert len(here.hasher.verified) == before


def test_unlock(here: Guessed) -> None:
    here.fail("JANE", FEW)
    assert here.unlock("jane")
    assert here.signs_in("JANE")
    assert not here.unlock("JANE")


def test_an_operator_sets_a_new_password(here: Guessed) -> None:
    here.fail("JANE", FEW)

    async def work() -> None:
        identity = here.server.identity
        tenant = await tenants.default(identity)
        user = await accounts.find(identity, tenant, "JANE")
        assert await accounts.is_locked(identity, user)
        await passwords.set_by_operator(identity, tenant, user, NEW)
        assert not await accounts.is_locked(identity, user)

    here.server.run(work())
    assert here.signs_in("JANE", NEW)


def test_an_administrator_sets_a_new_password(here: Guessed) -> None:
    here.fail("JANE", FEW)
    ticket = here.ticket("ROOT")
    body = (
        "<SetPasswordFromName><AssociateName>JANE</AssociateName>"
        f"<Password>{NEW}</Password></SetPasswordFromName>"
    )
    done = here.server.post("User", envelope(body, credentials(ticket)))
    assert done.text("Response") == "true", done.content
    assert here.signs_in("JANE", NEW)


def test_an_administrator_is_not_told_of_their_own_password(here: Guessed) -> None:
    here.fail("JANE", FEW)
    ticket = here.ticket("ROOT")

    def change(old: str) -> Reply:
        body = (
            "<ChangePasswordFromName><AssociateName>JANE</AssociateName>"
            f"<OldPassword>{old}</OldPassword><NewPassword>{NEW}</NewPassword>"
            "</ChangePasswordFromName>"
        )
        return here.server.post("User", envelope(body, credentials(ticket)))

    refused = change(RIGHT)
    assert (refused.text("Response"), refused.extra["Reason"]) == ("false", "throttled")
    said = refused.extra["Text"] or ""
    assert said.startswith("The password of this user was disabled")
    assert "Leave the old password empty" in said
    assert change("").text("Response") == "true", "what the text advises works"
    assert here.signs_in("JANE", NEW)


def test_the_command_shows_and_unlocks(here: Guessed) -> None:
    def said(*command: str) -> str:
        result = CliRunner().invoke(main, [*command, "--database", here.server.database])
        assert result.exit_code == 0, result.output
        return result.output

    here.fail("JANE", FEW)
    assert "active, password disabled" in said("user", "show", "JANE")
    assert said("user", "unlock", "JANE") == "JANE is unlocked.\n"
    assert said("user", "unlock", "JANE") == "JANE was not locked.\n"
    assert "disabled" not in said("user", "show", "JANE")
    assert here.signs_in("JANE")


def test_the_limit_is_never_more_than_a_hundred() -> None:
    with pytest.raises(BadInput):
        load({"guess_disable_after": 101})
    with pytest.raises(BadInput, match="guess_exempt_networks"):
        load({"guess_exempt_networks": "192.0.2.1/24"})
