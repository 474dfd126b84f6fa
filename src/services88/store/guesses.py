"""Rows of ``guess_counter`` and ``password_failure``: wrong passwords, counted for all servers."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, case, delete, or_, select, update

from services88.store.database import Connection, Reader
from services88.store.schema import guess_counter, password_failure

__all__ = [
    "EVERYBODY",
    "EVERYWHERE",
    "Counter",
    "add_failure",
    "failures_of",
    "forget",
    "forget_everywhere",
    "forget_failures",
    "forget_unless_disabled",
    "locked_counter",
    "purge",
    "put",
    "set_disabled",
    "waits_of",
]

EVERYWHERE = ""
"""Address of the row that counts a name's failures from all addresses."""

EVERYBODY = ""
"""Hash of a name of the row that counts an address's failures for all names."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Failures of one name, address, or both.

    :ivar since: When the first of them was.
    """

    failures: int = 0
    since: int = 0
    last_failure: int = 0
    blocked_until: int = 0


_row = (
    guess_counter.c.tenant_id == bindparam("tenant"),
    guess_counter.c.name_hash == bindparam("named"),
    guess_counter.c.address == bindparam("place"),
)
_counter = select(
    guess_counter.c.failures,
    guess_counter.c.since,
    guess_counter.c.last_failure,
    guess_counter.c.blocked_until,
).where(*_row)
# Changes nothing, and keeps the row for this transaction until it ends.
_lock = update(guess_counter).where(*_row).values(failures=guess_counter.c.failures)
_put = (
    update(guess_counter)
    .where(*_row)
    .values(
        failures=bindparam("count"),
        since=bindparam("first"),
        last_failure=bindparam("last"),
        blocked_until=bindparam("until"),
        keep_until=bindparam("keep"),
    )
)
_forget = delete(guess_counter).where(
    guess_counter.c.tenant_id == bindparam("tenant"),
    guess_counter.c.name_hash == bindparam("named"),
    guess_counter.c.address.in_([EVERYWHERE, bindparam("place")]),
)
_forget_everywhere = delete(guess_counter).where(
    guess_counter.c.tenant_id == bindparam("tenant"),
    guess_counter.c.name_hash == bindparam("named"),
)
_old = (
    select(guess_counter.c.name_hash, guess_counter.c.address, guess_counter.c.keep_until)
    .where(
        guess_counter.c.tenant_id == bindparam("tenant"),
        or_(
            guess_counter.c.keep_until < bindparam("now"),
            guess_counter.c.keep_until > bindparam("far"),
        ),
    )
    .limit(10)
    .with_for_update(skip_locked=True)
)
_keep = update(guess_counter).where(*_row).values(keep_until=bindparam("keep"))
_delete = delete(guess_counter).where(*_row)
_waits_of = (
    select(
        guess_counter.c.address,
        guess_counter.c.failures,
        guess_counter.c.since,
        guess_counter.c.last_failure,
        guess_counter.c.blocked_until,
    )
    .where(
        guess_counter.c.tenant_id == bindparam("tenant"),
        guess_counter.c.name_hash == bindparam("named"),
        guess_counter.c.blocked_until > bindparam("now"),
    )
    .order_by(guess_counter.c.blocked_until.desc())
    .limit(bindparam("most"))
)

_failures_of = select(password_failure.c.failures, password_failure.c.disabled).where(
    password_failure.c.associate_id == bindparam("associate")
)
# What comes after the last failure that counts is none: the password is disabled.
_add_failure = (
    update(password_failure)
    .where(password_failure.c.associate_id == bindparam("associate"))
    .values(
        failures=password_failure.c.failures
        + case((password_failure.c.disabled.is_(None), 1), else_=0),
        last_failure=bindparam("now"),
    )
)
_set_disabled = (
    update(password_failure)
    .where(
        password_failure.c.associate_id == bindparam("associate"),
        password_failure.c.disabled.is_(None),
    )
    .values(disabled=bindparam("now"))
)
_forget_failures = delete(password_failure).where(
    password_failure.c.associate_id == bindparam("associate")
)
_forget_unless_disabled = _forget_failures.where(password_failure.c.disabled.is_(None))


async def locked_counter(
    connection: Connection, tenant: int, name_hash: str, address: str
) -> Counter:
    """Read a counter, made where there is none, and keep others from changing it."""
    key = {"tenant": tenant, "named": name_hash, "place": address}
    if not await connection.execute(_lock, **key):
        await connection.insert(
            guess_counter,
            tenant_id=tenant,
            name_hash=name_hash,
            address=address,
            failures=0,
            since=0,
            last_failure=0,
            blocked_until=0,
            keep_until=0,
        )
    row = await connection.one(_counter, **key)
    return Counter(*row) if row else Counter()


async def put(
    connection: Connection, tenant: int, name_hash: str, address: str, counter: Counter, keep: int
) -> None:
    """Write a counter that :func:`locked_counter` gave.

    :param keep: Until when it says anything; then it is purged.
    """
    await connection.execute(
        _put,
        tenant=tenant,
        named=name_hash,
        place=address,
        count=counter.failures,
        first=counter.since,
        last=counter.last_failure,
        until=counter.blocked_until,
        keep=keep,
    )


async def forget(connection: Connection, tenant: int, name_hash: str, address: str) -> None:
    """Forget the failures of a name from an address, and those counted from everywhere."""
    await connection.execute(_forget, tenant=tenant, named=name_hash, place=address)


async def forget_everywhere(connection: Connection, tenant: int, name_hash: str) -> None:
    """Forget all failures of a name."""
    await connection.execute(_forget_everywhere, tenant=tenant, named=name_hash)


async def purge(connection: Connection, tenant: int, now: int, longest: int) -> None:
    """Delete a few counters of a tenant that say nothing any more.

    :param longest: Milliseconds that any is kept. One kept for longer is of a clock that was ahead,
        and is kept for so long from now.
    """
    found = await connection.all(_old, tenant=tenant, now=now, far=now + longest)
    for name_hash, address, keep in found:
        key = {"tenant": tenant, "named": name_hash, "place": address}
        if keep < now:
            await connection.execute(_delete, **key)
        else:
            await connection.execute(_keep, **key, keep=now + longest)


async def waits_of(
    reader: Reader, tenant: int, name_hash: str, now: int, *, most: int
) -> Sequence[tuple[str, Counter]]:
    """List the networks from which a name waits, with their counters; the longest wait first."""
    rows = await reader.all(_waits_of, tenant=tenant, named=name_hash, now=now, most=most)
    return [(row[0], Counter(*row[1:])) for row in rows]


async def failures_of(reader: Reader, associate_id: int) -> tuple[int, bool]:
    """Tell how often in a row a user's password was wrong, and whether it is disabled."""
    row = await reader.one(_failures_of, associate=associate_id)
    return (row[0], row[1] is not None) if row else (0, False)


async def add_failure(connection: Connection, associate_id: int, now: int) -> tuple[int, bool]:
    """Count one more failure in a row of a user's password, and lock their number.

    :returns: The number, and whether the password was disabled before; then nothing was counted.
    """
    if not await connection.execute(_add_failure, associate=associate_id, now=now):
        await connection.insert(
            password_failure, associate_id=associate_id, failures=1, last_failure=now
        )
    return await failures_of(connection, associate_id)


async def set_disabled(connection: Connection, associate_id: int, now: int) -> bool:
    """Disable a user's password; False where it is disabled already."""
    return bool(await connection.execute(_set_disabled, associate=associate_id, now=now))


async def forget_failures(connection: Connection, associate_id: int) -> bool:
    """Forget a password's failures, which enables it again; False where there was none."""
    return bool(await connection.execute(_forget_failures, associate=associate_id))


async def forget_unless_disabled(connection: Connection, associate_id: int) -> bool:
    """Forget a password's failures; False where it is disabled, which stays so."""
    if await connection.execute(_forget_unless_disabled, associate=associate_id):
        return True
    _, disabled = await failures_of(connection, associate_id)
    return not disabled
