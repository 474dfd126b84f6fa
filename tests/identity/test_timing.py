"""Who does not exist, may not sign in, or mistypes costs the server the same work."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, select, update

from services88.identity import accounts, passwords, sign_in
from services88.identity.accounts import AssociateType
from services88.identity.errors import PasswordRefused
from services88.identity.hashing import Hasher, Pepper, check_importable
from services88.identity.identity import Origin
from services88.identity.names import key_of
from services88.identity.sign_in import with_name
from services88.store import associates
from services88.store.database import Connection
from services88.store.schema import associate, credentials
from tests.databases import sql
from tests.hashing.vectors import VECTORS
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
        ("twin@example.com", WRONG),
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
        ("twin@example.com", "TWIN1"),
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


@pytest.fixture
def imported(database: str, hasher: CountingHasher) -> Iterator[World]:
    """Users whose hashes cost what they cost elsewhere, or did before the cost was raised."""
    lost = Hasher(peppers=(Pepper("lost", bytes(32)),)).hash(PASSWORD)
    older = Hasher(passes=3).hash(PASSWORD)
    made_elsewhere = [check_importable(vector.secret) for vector in VECTORS]
    with world(database, hasher) as opened:
        for number, secret in enumerate((lost, older, *made_elsewhere)):
            run(_add(opened, f"USER{number}", secret))
        run(_add(opened, "BARE", None))
        hasher.verified.clear()
        yield opened


async def _add(here: World, name: str, secret: str | None) -> None:
    await accounts.add_with_secret(
        here.identity,
        here.tenant,
        name,
        secret,
        role_id=1,
        type=AssociateType.EMPLOYEE,
        firstname="",
        lastname="",
        email="",
    )


def _tried(here: World, hasher: CountingHasher, names: list[str]) -> list[str]:
    """Fail with names; return the hash that was verified for each."""
    tried = []
    for number, name in enumerate(names):
        origin = Origin(f"192.0.2.{number}")
        assert run(with_name(here.identity, here.tenant, name, WRONG, origin)) is None
        (secret,) = hasher.verified
        tried.append(secret)
        hasher.verified.clear()
    return tried


def test_an_unknown_name_costs_what_a_known_one_could(
    imported: World, hasher: CountingHasher, database: str
) -> None:
    stored = [row[0] for row in sql(database, "SELECT secret FROM credentials")]
    decoys = {hasher.decoy(secret) for secret in stored}
    unknown = ["BARE", *(f"nobody{number}@example.com" for number in range(30))]
    first = _tried(imported, hasher, unknown)
    assert set(first) <= decoys
    assert len(set(first)) > len(decoys) // 4, "they are not all alike"
    assert _tried(imported, hasher, [name.upper() for name in unknown]) == first, "always the same"
    run(_add(imported, "NEW", hasher.nobody))
    later = _tried(imported, hasher, unknown)
    changed = {now for now, before in zip(later, first, strict=True) if now != before}
    assert changed <= {hasher.decoy(hasher.nobody)}, "but for those that imitate the new one"


def test_known_names_cost_what_theirs_do(imported: World, hasher: CountingHasher) -> None:
    statement = select(credentials.c.search_name, credentials.c.secret)
    rows = run(imported.identity.database.all(statement))
    assert _tried(imported, hasher, [row[0] for row in rows]) == [row[1] for row in rows]
