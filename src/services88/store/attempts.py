"""Rows of ``password_attempt``: attempts at a password under way, with the counters they share.

How long an attempt counts is measured by the database's clock, which all servers have in common.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnClause,
    bindparam,
    delete,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

from services88.store.database import Connection, Reader
from services88.store.guesses import EVERYBODY, EVERYWHERE, Counter
from services88.store.schema import guess_counter, password_attempt

__all__ = ["LIFETIME", "Key", "State", "begin", "end", "purge", "state"]

LIFETIME = 30_000
"""Milliseconds for which an attempt counts whose server does not end it, since it was killed."""

Key = tuple[str, str]
"""What is counted together: the hash of a name and a network, either of which may be empty."""


class _Now(FunctionElement[int]):
    """The milliseconds since 1970 UTC, by the database's clock."""

    type = BigInteger()
    inherit_cache = True


@compiles(_Now, "sqlite")
def _now_of_sqlite(*_: Any, **__: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


@compiles(_Now, "postgresql")
def _now_of_postgresql(*_: Any, **__: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"


@dataclass(frozen=True, slots=True)
class State:
    """What is known of the names and networks that an attempt counts for.

    :ivar counters: Failures so far; nothing where there were none.
    :ivar under_way: How many attempts are under way.
    """

    counters: Mapping[Key, Counter]
    under_way: Mapping[Key, int]


_zero: ColumnClause[int] = literal_column("0")
# Where the clock was set back, an attempt seems to count for longer than any can.
_counts = (
    password_attempt.c.until > _Now(),
    password_attempt.c.until <= _Now() + LIFETIME,
)
_of_place: BindParameter[str] = bindparam("place_for_all")
# One statement: what ends between two would be in neither.
_state = union_all(
    select(
        literal_column("1"),
        guess_counter.c.name_hash,
        guess_counter.c.address,
        guess_counter.c.failures,
        guess_counter.c.since,
        guess_counter.c.last_failure,
        guess_counter.c.blocked_until,
    ).where(
        guess_counter.c.tenant_id == bindparam("tenant"),
        or_(
            (guess_counter.c.name_hash == bindparam("named"))
            & guess_counter.c.address.in_([EVERYWHERE, bindparam("place")]),
            (guess_counter.c.name_hash == EVERYBODY) & (guess_counter.c.address == _of_place),
        ),
    ),
    select(
        _zero,
        password_attempt.c.name_hash,
        password_attempt.c.address,
        _zero,
        _zero,
        _zero,
        _zero,
    ).where(
        password_attempt.c.tenant_id == bindparam("tenant"),
        or_(
            password_attempt.c.name_hash == bindparam("named"),
            password_attempt.c.address == _of_place,
        ),
        *_counts,
    ),
)
_begin = insert(password_attempt).values(
    tenant_id=bindparam("tenant"),
    name_hash=bindparam("named"),
    address=bindparam("place"),
    attempt_id=bindparam("number"),
    until=_Now() + LIFETIME,
)
_end = delete(password_attempt).where(
    password_attempt.c.tenant_id == bindparam("tenant"),
    password_attempt.c.name_hash == bindparam("named"),
    password_attempt.c.address == bindparam("place"),
    password_attempt.c.attempt_id == bindparam("number"),
    *_counts,
)
_key = (
    password_attempt.c.tenant_id,
    password_attempt.c.name_hash,
    password_attempt.c.address,
    password_attempt.c.attempt_id,
)
_purge = delete(password_attempt).where(
    tuple_(*_key).in_(
        select(*_key)
        .where(
            password_attempt.c.tenant_id == bindparam("tenant"),
            or_(
                password_attempt.c.until <= _Now(),
                password_attempt.c.until > _Now() + LIFETIME,
            ),
        )
        .limit(10)
        .with_for_update(skip_locked=True)
    )
)


async def state(
    reader: Reader, tenant: int, name_hash: str, place: str, *, of_place: bool
) -> State:
    """Read failures and attempts under way: of a name from a network, and from all of them.

    :param of_place: Whether those of the network for all names are read as well.
    """
    rows = await reader.all(
        _state,
        tenant=tenant,
        named=name_hash,
        place=place,
        place_for_all=place if of_place else _NO_PLACE,
    )
    counters: dict[Key, Counter] = {}
    under_way = dict.fromkeys(((name_hash, place), (name_hash, EVERYWHERE), (EVERYBODY, place)), 0)
    for is_counter, named, at, *values in rows:
        if is_counter:
            counters[named, at] = Counter(*values)
            continue
        if named == name_hash:
            under_way[name_hash, EVERYWHERE] += 1
            under_way[name_hash, place] += at == place
        under_way[EVERYBODY, place] += at == place
    return State(counters, under_way)


_NO_PLACE = "*"
"""Stands for no network."""


async def begin(connection: Connection, tenant: int, name_hash: str, place: str) -> int:
    """Let an attempt count as under way, and return its number."""
    number = secrets.randbits(62)  # drawn: one that was used would end somebody else's attempt
    await connection.execute(_begin, tenant=tenant, named=name_hash, place=place, number=number)
    return number


async def end(connection: Connection, tenant: int, name_hash: str, place: str, number: int) -> bool:
    """End an attempt; False where it counted no more, so that others were let in meanwhile."""
    return bool(
        await connection.execute(_end, tenant=tenant, named=name_hash, place=place, number=number)
    )


async def purge(connection: Connection, tenant: int) -> None:
    """Delete some attempts of servers that were killed."""
    await connection.execute(_purge, tenant=tenant)
