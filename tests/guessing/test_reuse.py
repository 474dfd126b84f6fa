"""Whether a new password was one before is told to nobody who could not as well guess it."""

import pytest

from services88.identity import accounts, password_rules, passwords, tenants
from services88.identity.errors import PasswordRefused
from services88.identity.identity import Origin
from services88.store.tenants import Tenant
from tests.databases import sql
from tests.guessing.conftest import HERE, RIGHT, WRONG, Guessed, guessed
from tests.identity.domain import HeldHasher, world
from tests.loop import run
from tests.running import Reply, Starter, credentials, envelope

SHORT = "vellum orbit q"
NEW, OTHER = "copper violin meadow lamp", "velvet harbour pencil dune"


@pytest.fixture
def here(start: Starter) -> Guessed:
    found = guessed(start)
    found.server.add_user("ROOT", RIGHT, role="Administrator")
    found.server.add_user("JANE", SHORT)
    found.server.add_user("KIM", NEW)

    async def work() -> None:
        identity = found.server.identity
        tenant = await tenants.default(identity)
        await password_rules.choose(identity, tenant, preset="nist", minimum_length=20)

    found.server.run(work())
    return found


def _as_root(here: Guessed, ticket: str, body: str) -> Reply:
    message = envelope(body, credentials(ticket))
    return here.server.post("User", message, X_Forwarded_For=HERE)


def _set(here: Guessed, ticket: str, name: str, password: str) -> Reply:
    return _as_root(
        here,
        ticket,
        f"<SetPasswordFromName><AssociateName>{name}</AssociateName>"
        f"<Password>{password}</Password></SetPasswordFromName>",
    )


def test_what_the_rules_refuse_is_not_compared(here: Guessed) -> None:
    ticket = here.ticket("ROOT")
    before = len(here.hasher.verified)
    current, other = _set(here, ticket, "JANE", SHORT), _set(here, ticket, "JANE", SHORT[::-1])
    assert current.extra["Rules"] == other.extra["Rules"] == "minimum-length"
    assert current.extra["Text"] == other.extra["Text"]
    assert len(here.hasher.verified) == before


def test_a_hit_counts_as_a_failure_and_is_throttled(here: Guessed) -> None:
    ticket = here.ticket("ROOT")
    for _ in range(3):
        assert _set(here, ticket, "KIM", NEW).extra["Rules"] == "same-as-current"
    counted = "SELECT failures FROM password_failure WHERE associate_id > 0"
    assert sql(here.server.database, counted) == [(3,)]
    before = len(here.hasher.verified)
    for candidate in (NEW, OTHER):
        throttled = _set(here, ticket, "KIM", candidate)
        assert throttled.extra["Reason"] == "throttled"
        assert throttled.extra["RetryAfter"] == "1"
    assert len(here.hasher.verified) == before
    here.clock.time += 1000
    assert _set(here, ticket, "KIM", OTHER).text("Response") == "true"
    assert here.signs_in("KIM", OTHER), "the failures were not those of signing in"


def test_failures_of_strangers_keep_no_administrator_from_helping(here: Guessed) -> None:
    here.fail("KIM", 25)
    for _ in range(3):
        here.try_("KIM", WRONG)
    ticket = here.ticket("ROOT")
    assert _set(here, ticket, "KIM", OTHER).text("Response") == "true"


def test_what_nobody_chose_is_compared_with_nothing(here: Guessed) -> None:
    ticket = here.ticket("ROOT")
    before = len(here.hasher.verified)
    body = "<SetGeneratedPasswordFromName><AssociateName>KIM</AssociateName>"
    generated = _as_root(here, ticket, f"{body}</SetGeneratedPasswordFromName>").text("Response")
    assert generated
    assert len(here.hasher.verified) == before
    assert here.signs_in("KIM", generated)


@pytest.mark.parametrize("operation", ["IsPasswordValid", "IsPasswordValidWithReason"])
def test_asking_whether_a_password_is_valid_looks_at_no_hash(here: Guessed, operation: str) -> None:
    ticket = here.ticket("ROOT")
    kim = here.server.run(
        accounts.find(here.server.identity, here.server.run(_default(here)), "KIM")
    )
    before = len(here.hasher.verified)
    replies = [
        _as_root(
            here,
            ticket,
            f"<{operation}><AssociateId>{kim.associate_id}</AssociateId>"
            f"<Type>InternalAssociate</Type><PersonId>0</PersonId>"
            f"<Password>{candidate}</Password></{operation}>",
        )
        for candidate in (NEW, OTHER)
    ]
    assert replies[0].content == replies[1].content
    assert len(here.hasher.verified) == before


async def _default(here: Guessed) -> Tenant:
    return await tenants.default(here.server.identity)


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("blank", ["<OldPassword></OldPassword>", ""])
def test_nobody_changes_their_own_password_without_the_old_one(
    here: Guessed, *, by_name: bool, blank: str
) -> None:
    ticket = here.ticket("ROOT")
    root = here.server.run(
        accounts.find(here.server.identity, here.server.run(_default(here)), "ROOT")
    )
    refused = _as_root(
        here,
        ticket,
        f"<ChangePasswordFromName><AssociateName>ROOT</AssociateName>{blank}"
        f"<NewPassword>{NEW}</NewPassword></ChangePasswordFromName>"
        if by_name
        else f"<ChangePassword><AssociateId>{root.associate_id}</AssociateId>{blank}"
        f"<NewPassword>{NEW}</NewPassword></ChangePassword>",
    )
    assert refused.text("Response") == "false"
    assert refused.extra["Reason"] == "old-password-wrong"
    assert here.signs_in("ROOT", RIGHT)


def test_a_password_set_meanwhile_is_not_set_again(database: str) -> None:
    """The hash that was compared is not the stored one any more."""
    hasher = HeldHasher()
    with world(database, hasher) as here:

        async def story() -> None:
            kim = await here.add("KIM", RIGHT)
            await here.add("ROOT", RIGHT, role="Administrator")
            await password_rules.choose(here.identity, here.tenant, preset="nist")
            caller = await here.caller(await here.ticket("ROOT", RIGHT))
            own = await here.caller(await here.ticket("KIM", RIGHT))
            change = passwords.change_own(here.identity, own, RIGHT, NEW, Origin())
            late = passwords.set_without_old(here.identity, caller, kim, NEW, Origin())
            with pytest.raises(PasswordRefused) as caught:
                await hasher.held("hash", late, change)
            assert caught.value.rules == ("same-as-current",)

        run(story())
