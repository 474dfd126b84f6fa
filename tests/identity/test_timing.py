"""Who does not exist, may not sign in, or mistypes costs the server the same work."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, update

from services88.identity import accounts, passwords, sign_in
from services88.identity.errors import PasswordRefused
from services88.identity.identity import Origin
from services88.identity.names import key_of
from services88.store import associates
from services88.store.database import Connection
from services88.store.schema import associate, credentials
from tests.identity.domain import CountingHasher, World, world
from tests.loop import run

PASSWORD, WRONG = "vellum orbit quartz", "marble lantern fjord"


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def here(database: str, hasher: CountingHasher) -> Iterator[World]:
    with world(database, hasher) as opened:
        run(_fill(opened))
        hasher.verified.clear()
        hasher.hashed = 0
        yield opened


async def _fill(here: World) -> None:
    await here.add("JANE", PASSWORD, email="jane@example.com")
    await here.add("RETIRED", PASSWORD)
    await accounts.retire(here.identity, here.tenant, "RETIRED", retired=True)
    await here.add("WAITING", PASSWORD)
    await here.add("TWIN1", PASSWORD, email="twin@example.com")
    await here.add("TWIN2", PASSWORD, email="twin@example.com")
    bare = await here.add("BARE", PASSWORD)

    async def work(connection: Connection) -> None:
        waiting = update(associate).where(associate.c.name == "WAITING")
        await connection.execute(waiting.values(waiting_for_approval=True))
        await connection.execute(
            delete(credentials).where(credentials.c.associate_id == bare.associate_id)
        )

    await here.identity.database.transaction(work)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("JANE", WRONG),
        ("JANE", ""),
        ("JANE", "x" * 5000),
        ("NOBODY", PASSWORD),
        ("", ""),
        ("nobody@example.com", PASSWORD),
        ("jane@example.com", WRONG),
        ("twin@example.com", PASSWORD),
        ("RETIRED", PASSWORD),
        ("RETIRED", WRONG),
        ("WAITING", PASSWORD),
        ("WAITING", WRONG),
        ("BARE", PASSWORD),
    ],
)
def test_a_sign_in_that_fails_costs_one_verification(
    here: World, hasher: CountingHasher, name: str, password: str
) -> None:
    assert run(here.sign_in(name, password)) is None
    assert len(hasher.verified) == 1
    assert hasher.hashed == 0
    cost = hasher.verified[0].split("$")[:4]
    assert cost == hasher.nobody.split("$")[:4], "and one of the usual cost"


@pytest.mark.parametrize("name", ["JANE", " jane ", "jane@example.com", "JANE@EXAMPLE.COM"])
def test_a_sign_in_that_succeeds_costs_one_verification(
    here: World, hasher: CountingHasher, name: str
) -> None:
    assert run(here.sign_in(name, PASSWORD)) is not None
    assert len(hasher.verified) == 1
    assert hasher.hashed == 0


def test_a_ticket_costs_none(here: World, hasher: CountingHasher) -> None:
    ticket = run(here.ticket("JANE", PASSWORD))
    hasher.verified.clear()
    assert run(here.sign_in(ticket, "")) is not None
    assert run(here.sign_in("7T:unknown", PASSWORD)) is None
    assert hasher.verified == []


@pytest.mark.parametrize("new", [WRONG, "", "x"])
def test_a_wrong_old_password_is_told_before_the_new_one_is_looked_at(
    here: World, hasher: CountingHasher, new: str
) -> None:
    async def story() -> None:
        caller = await here.caller(await here.ticket("JANE", PASSWORD))
        hasher.verified.clear()
        with pytest.raises(PasswordRefused) as caught:
            await passwords.change_own(here.identity, caller, WRONG, new, Origin())
        assert caught.value.reason == "old-password-wrong"

    run(story())
    assert (len(hasher.verified), hasher.hashed) == (1, 0)


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("JANE", "JANE"),
        ("jane@example.com", "JANE"),
        ("RETIRED", "RETIRED"),
        ("twin@example.com", None),
        ("NOBODY", None),
        ("", None),
    ],
)
def test_who_has_to_wait_is_who_would_sign_in(here: World, name: str, means: str | None) -> None:
    async def story() -> None:
        database, tenant = here.identity.database, here.tenant
        user = await accounts.find(here.identity, tenant, means) if means else None
        number = await associates.number_of(database, tenant.tenant_id, key_of(name))
        assert number == (user.associate_id if user else 0)
        found = await sign_in.find(here.identity, tenant, name)
        assert number == (found.associate_id if found else 0)

    run(story())
