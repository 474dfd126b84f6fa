"""Rows of ``request_counter``: how often a network asked for something without a sign-in.

There is one row for a network and a kind of request, whatever the number of servers. Rows that say
nothing any more are deleted, a few with each new one, so there are never many more than networks
that asked in the last minute.
"""

from sqlalchemy import bindparam, case, delete, or_, select, update

from services88.store.database import Connection
from services88.store.schema import request_counter

__all__ = ["purge", "take"]

_row = (
    request_counter.c.kind == bindparam("asked"),
    request_counter.c.network == bindparam("of"),
)
# A time far in the future is one of a clock that was wrong: it counts as over. One a little ahead
# is that of a caller at the same moment, or of a server whose clock differs: it counts.
_is_over = or_(
    request_counter.c.since <= bindparam("over"), request_counter.c.since > bindparam("ahead")
)
# Reads and counts in one: of callers at once, one server or many, each sees those before it.
_take = (
    update(request_counter)
    .where(*_row, or_(_is_over, request_counter.c.count < bindparam("most")))
    .values(
        since=case((_is_over, bindparam("now")), else_=request_counter.c.since),
        count=case((_is_over, 1), else_=request_counter.c.count + 1),
    )
)
_exists = select(request_counter.c.count).where(*_row)
_old = (
    select(request_counter.c.kind, request_counter.c.network)
    .where(_is_over)
    .order_by(request_counter.c.since)
    .limit(10)
    .with_for_update(skip_locked=True)
)
_delete = delete(request_counter).where(*_row)


async def take(
    connection: Connection, kind: str, network: str, *, now: int, window: int, most: int
) -> bool:
    """Count a request; False where there were too many, which is not counted.

    :param window: How long a count holds, from its first request on, in milliseconds.
    :param most: How many requests are let in during that time.
    :raises Conflict: Another server counted the first one of a network at the same time. Try again.
    """
    key = {"asked": kind, "of": network}
    times = {"now": now, "over": now - window, "ahead": now + window}
    if await connection.execute(_take, **key, **times, most=most):
        return True
    if await connection.one(_exists, **key) is not None:
        return False
    await connection.insert(request_counter, kind=kind, network=network, since=now, count=1)
    return True


async def purge(connection: Connection, *, now: int, window: int) -> None:
    """Delete a few rows that say nothing any more."""
    for kind, network in await connection.all(_old, over=now - window, ahead=now + window):
        await connection.execute(_delete, asked=kind, of=network)
