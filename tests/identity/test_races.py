"""Things that happen at once, each held at the very moment at which it could go wrong."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from services88.identity import accounts, passwords, tickets
from services88.identity.errors import NotSignedIn, PasswordRefused, Refusal
from services88.identity.hashing import Hasher
from services88.identity.identity import Origin
from services88.store import credentials
from services88.store.database import Connection
from tests.identity.domain import HeldHasher, World, world
from tests.loop import run

OLD, NEW, OTHER = "vellum orbit quartz", "marble lantern fjord", "copper violin meadow"


@pytest.fixture
def hasher() -> HeldHasher:
    return HeldHasher()


@pytest.fixture
def here(database: str, hasher: HeldHasher) -> Iterator[World]:
    with world(database, hasher) as opened:
        run(opened.add("JANE", OLD))
        yield opened


async def _change(here: World, ticket: str, old: str, new: str) -> None:
    await passwords.change_own(here.identity, await here.caller(ticket), old, new, Origin())


async def _set(here: World, new: str) -> None:
    user = await accounts.find(here.identity, here.tenant, "JANE")
    await passwords.set_by_operator(here.identity, here.tenant, user, new)


async def _retire(here: World, retired: bool = True) -> None:
    assert await accounts.retire(here.identity, here.tenant, "JANE", retired=retired)


def test_a_change_overtaken_by_another_is_refused(here: World, hasher: HeldHasher) -> None:
    async def story() -> None:
        ticket, other = await here.ticket("JANE", OLD), await here.ticket("JANE", OLD)
        overtaking = _change(here, ticket, OLD, OTHER)
        with pytest.raises(PasswordRefused) as caught:
            await hasher.held("hash", _change(here, ticket, OLD, NEW), overtaking)
        assert caught.value.reason == "old-password-wrong"
        assert await here.those_that_sign_in("JANE", OLD, NEW, OTHER) == [OTHER]
        assert await here.lives(ticket)
        assert not await here.lives(other)

    run(story())


def test_a_change_overtaken_from_another_session_is_refused(
    here: World, hasher: HeldHasher
) -> None:
    async def story() -> None:
        ticket, other = await here.ticket("JANE", OLD), await here.ticket("JANE", OLD)
        with pytest.raises(Refusal):
            await hasher.held(
                "hash", _change(here, ticket, OLD, NEW), _change(here, other, OLD, OTHER)
            )
        assert await here.those_that_sign_in("JANE", OLD, NEW, OTHER) == [OTHER]
        assert not await here.lives(ticket)
        assert await here.lives(other)

    run(story())


@pytest.mark.parametrize("place", ["verify", "hash"])
def test_a_change_overtaken_by_retirement_is_refused(
    here: World, hasher: HeldHasher, place: str
) -> None:
    async def story() -> None:
        ticket = await here.ticket("JANE", OLD)
        with pytest.raises(NotSignedIn):
            await hasher.held(place, _change(here, ticket, OLD, NEW), _retire(here))
        assert not await here.lives(ticket)
        assert await here.those_that_sign_in("JANE", OLD, NEW) == []
        await _retire(here, retired=False)
        assert not await here.lives(ticket), "taken back, the old tickets stay ended"
        assert await here.those_that_sign_in("JANE", OLD, NEW) == [OLD]

    run(story())


@pytest.mark.parametrize("place", ["verify", "hash"])
def test_a_change_overtaken_by_the_operator_is_refused(
    here: World, hasher: HeldHasher, place: str
) -> None:
    async def story() -> None:
        ticket = await here.ticket("JANE", OLD)
        with pytest.raises(NotSignedIn):
            await hasher.held(place, _change(here, ticket, OLD, NEW), _set(here, OTHER))
        assert not await here.lives(ticket)
        assert await here.those_that_sign_in("JANE", OLD, NEW, OTHER) == [OTHER]

    run(story())


def test_a_change_whose_hash_was_replaced_by_another_of_the_same_password_succeeds(
    here: World, hasher: HeldHasher
) -> None:
    async def rehash(ticket: str) -> None:
        secret = Hasher().hash(OLD)

        async def work(connection: Connection) -> None:
            caller = await here.caller(ticket)
            row = await credentials.password_of(connection, caller.associate_id)
            assert row is not None
            assert await credentials.replace_password(connection, row, secret=secret, now=0)

        await here.identity.database.transaction(work)

    async def story() -> None:
        ticket = await here.ticket("JANE", OLD)
        await hasher.held("hash", _change(here, ticket, OLD, NEW), rehash(ticket))
        assert await here.those_that_sign_in("JANE", OLD, NEW) == [NEW]

    run(story())


def test_a_sign_in_overtaken_by_a_change_gives_no_ticket(here: World, hasher: HeldHasher) -> None:
    async def story() -> None:
        ticket = await here.ticket("JANE", OLD)
        late = hasher.held("verify", here.sign_in("JANE", OLD), _change(here, ticket, OLD, NEW))
        assert await late is None

    run(story())
    assert _tickets(here) == 1, "only the ticket of the one who changed the password"


def test_a_sign_in_overtaken_by_retirement_gives_no_ticket(here: World, hasher: HeldHasher) -> None:
    assert run(_held_sign_in(here, hasher)) is None
    assert _tickets(here) == 0


async def _held_sign_in(here: World, hasher: HeldHasher) -> object:
    return await hasher.held("verify", here.sign_in("JANE", OLD), _retire(here))


def _tickets(here: World) -> int:
    statement = text("SELECT count(*) FROM credentials WHERE credential_type = 'Ticket'")
    row = run(here.identity.database.one(statement))
    return int(row[0]) if row else 0


def test_a_ticket_issued_while_a_change_is_under_way_ends_with_it(
    here: World, hasher: HeldHasher
) -> None:
    async def story() -> None:
        ticket = await here.ticket("JANE", OLD)
        issued: list[str] = []

        async def meanwhile() -> None:
            issued.append(await here.ticket("JANE", OLD))
            assert await here.lives(issued[0])

        await hasher.held("hash", _change(here, ticket, OLD, NEW), meanwhile())
        assert not await here.lives(issued[0])
        assert await here.lives(ticket)
        assert await here.those_that_sign_in("JANE", OLD, NEW) == [NEW]

    run(story())


def test_a_ticket_that_is_revoked_while_it_is_renewed_stays_revoked(here: World) -> None:
    async def story() -> None:
        ticket = await here.ticket("JANE", OLD)
        row = await credentials.ticket(here.identity.database, 1, _key(ticket))
        assert row is not None
        await _retire(here)

        async def renew(connection: Connection) -> None:
            until = row.valid_to + 1
            await credentials.renew_ticket(
                connection, row.credentials_id, now=0, until=until, latest=2**62, address=""
            )

        await here.identity.database.transaction(renew)
        await _retire(here, retired=False)
        assert not await here.lives(ticket)

    run(story())


def _key(ticket: str) -> str:
    parsed = tickets.parse(ticket)
    assert parsed is not None
    return parsed.key


def test_two_sign_ins_that_both_find_a_better_hash_due_both_succeed(
    database: str, hasher: HeldHasher
) -> None:
    with world(database, Hasher(passes=3)) as before:
        run(before.add("JANE", OLD))
    with world(database, hasher) as here:

        async def story() -> object:
            return await hasher.held("hash", here.sign_in("JANE", OLD), here.sign_in("JANE", OLD))

        assert run(story()) is not None
