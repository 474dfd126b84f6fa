"""Rows of ``audit_event``, which are only ever added, and of what belongs to them.

``audit_head`` has the end of each tenant's chain; ``audit_pending`` counts what is told once a
minute, until the minute is over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, or_, select, update

from services88.store.database import Connection, Reader
from services88.store.schema import audit_event, audit_head, audit_pending

__all__ = [
    "ANY",
    "AuditRow",
    "Filter",
    "Head",
    "Pending",
    "about",
    "append",
    "count_up",
    "ends",
    "head_to_move",
    "newest",
    "page",
    "pending_before",
    "pending_count",
    "prefix_before",
    "remove_pending",
    "replace_prefix",
]

ANY = -1
"""Stands for every user in a :class:`Filter`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """An event as it is stored. The fields are the columns, but for the tenant's."""

    sequence: int
    at: int
    event: str
    result: str
    reason: str
    associate_id: int
    by_associate_id: int
    application_token_id: int
    address: str
    name_hash: str
    count: int
    key_id: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: the number of its last row, and that row's hash."""

    sequence: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What is told once a minute, and how often it happened."""

    minute: int
    event: str
    reason: str
    associate_id: int
    application_token_id: int
    address: str
    name_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which events to read.

    :ivar since: From this instant.
    :ivar until: Before this instant.
    :ivar event: Only of this name; empty for all.
    :ivar associate_id: Only about or by this user, or about the name; ``ANY`` for all.
    :ivar name_hash: Keyed hash of the name.
    """

    since: int = 0
    until: int = 2**62
    event: str = ""
    associate_id: int = ANY
    name_hash: str = ""


_NAMES = tuple(field.name for field in fields(AuditRow))
_PENDING = tuple(field.name for field in fields(Pending))
_columns = tuple(audit_event.c[name] for name in _NAMES)
_of_tenant = audit_event.c.tenant_id == bindparam("tenant")

_head = (
    select(audit_head.c.sequence, audit_head.c.hash)
    .where(audit_head.c.tenant_id == bindparam("tenant"))
    .with_for_update()
)
_last = (
    select(audit_event.c.sequence, audit_event.c.hash)
    .where(_of_tenant)
    .order_by(audit_event.c.sequence.desc())
    .limit(1)
)
_move_head = (
    update(audit_head)
    .where(audit_head.c.tenant_id == bindparam("tenant"))
    .values(sequence=bindparam("to"), hash=bindparam("hashed"))
)
# In one statement, so that nothing is added between reading one and the other.
_ends = select(
    select(audit_head.c.sequence)
    .where(audit_head.c.tenant_id == bindparam("tenant"))
    .scalar_subquery(),
    select(audit_head.c.hash)
    .where(audit_head.c.tenant_id == bindparam("tenant"))
    .scalar_subquery(),
    select(func.max(audit_event.c.sequence)).where(_of_tenant).scalar_subquery(),
)


def _matching() -> Select[*tuple[Any, ...]]:
    return select(*_columns).where(
        _of_tenant,
        audit_event.c.sequence > bindparam("after"),
        audit_event.c.at >= bindparam("since"),
        audit_event.c.at < bindparam("until"),
        or_(bindparam("named") == "", audit_event.c.event == bindparam("named")),
        or_(
            bindparam("user") == ANY,
            audit_event.c.associate_id == bindparam("user"),
            audit_event.c.by_associate_id == bindparam("user"),
            audit_event.c.name_hash == bindparam("hashed_name"),
        ),
    )


_page = _matching().order_by(audit_event.c.sequence).limit(bindparam("most"))
_newest = (
    _matching()
    .where(audit_event.c.sequence <= bindparam("upto"))
    .order_by(audit_event.c.sequence.desc())
    .limit(bindparam("most"))
)
_about = (
    select(*_columns)
    .where(_of_tenant, audit_event.c.associate_id == bindparam("user"))
    .order_by(audit_event.c.at.desc())
    .limit(bindparam("most"))
)

_first_kept = select(func.min(audit_event.c.sequence)).where(
    _of_tenant, audit_event.c.at >= bindparam("before"), audit_event.c.event != bindparam("mark")
)
_removable = select(func.count(), func.max(audit_event.c.sequence)).where(
    _of_tenant,
    audit_event.c.sequence < bindparam("kept"),
    audit_event.c.event != bindparam("mark"),
)
_hash_of = select(audit_event.c.hash).where(
    _of_tenant, audit_event.c.sequence == bindparam("number")
)
_remove_prefix = delete(audit_event).where(_of_tenant, audit_event.c.sequence <= bindparam("last"))

_this_pending = [audit_pending.c[name] == bindparam(f"the_{name}") for name in _PENDING]
_count_up = (
    update(audit_pending)
    .where(audit_pending.c.tenant_id == bindparam("tenant"), *_this_pending)
    .values(count=audit_pending.c.count + 1)
)
_remove_pending = delete(audit_pending).where(
    audit_pending.c.tenant_id == bindparam("tenant"), *_this_pending
)
_pending_before = (
    select(*(audit_pending.c[name] for name in _PENDING), audit_pending.c.count)
    .where(
        audit_pending.c.tenant_id == bindparam("tenant"),
        audit_pending.c.minute < bindparam("before"),
    )
    .order_by(*(audit_pending.c[name] for name in _PENDING))
    .limit(bindparam("most"))
    .with_for_update()
)
_pending_count = select(func.count()).where(audit_pending.c.tenant_id == bindparam("tenant"))


def _values(row: AuditRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in _NAMES}


def _this(pending: Pending) -> dict[str, object]:
    return {f"the_{name}": getattr(pending, name) for name in _PENDING}


async def head_to_move(connection: Connection, tenant: int) -> Head | None:
    """Read the end of a tenant's chain and lock it until the transaction ends.

    :returns: None where there is no row yet.
    """
    row = await connection.one(_head, tenant=tenant)
    if row is None:
        row = await connection.one(_last, tenant=tenant)
        if row is not None:
            await connection.insert(audit_head, tenant_id=tenant, sequence=row[0], hash=row[1])
    return Head(*row) if row else None


async def append(connection: Connection, tenant: int, row: AuditRow) -> None:
    """Add an event and move the head to it."""
    await connection.insert(audit_event, tenant_id=tenant, **_values(row))
    if not await connection.execute(_move_head, tenant=tenant, to=row.sequence, hashed=row.hash):
        await connection.insert(audit_head, tenant_id=tenant, sequence=row.sequence, hash=row.hash)


async def ends(reader: Reader, tenant: int) -> tuple[Head | None, int]:
    """Give the head of a tenant's chain, and the number of its last row; of one moment."""
    row = await reader.one(_ends, tenant=tenant)
    if row is None:
        return None, 0
    return (Head(row[0], row[1]) if row[0] is not None else None), row[2] or 0


def _bound(which: Filter) -> dict[str, object]:
    return {
        "since": which.since,
        "until": which.until,
        "named": which.event,
        "user": which.associate_id,
        "hashed_name": which.name_hash or "-",
    }


def _rows(found: Iterable[Sequence[Any]]) -> list[AuditRow]:
    return [AuditRow(**dict(zip(_NAMES, row, strict=True))) for row in found]


async def page(
    reader: Reader, tenant: int, *, after: int, most: int, which: Filter | None = None
) -> Sequence[AuditRow]:
    """Read the next events after a number, oldest first.

    :param which: Only these; None reads every row there is, possible or not.
    """
    chosen = which or Filter(since=-(2**62))
    return _rows(await reader.all(_page, tenant=tenant, after=after, most=most, **_bound(chosen)))


async def newest(
    reader: Reader, tenant: int, *, after: int, upto: int, most: int, which: Filter
) -> Sequence[AuditRow]:
    """Read the newest events between two numbers (the second included), oldest of them first."""
    bounds = {"after": after, "upto": upto, "most": most}
    return _rows(reversed(await reader.all(_newest, tenant=tenant, **bounds, **_bound(which))))


async def about(reader: Reader, tenant: int, user: int, *, most: int) -> Sequence[AuditRow]:
    """Read the newest events about a user, in any order."""
    return _rows(await reader.all(_about, tenant=tenant, user=user, most=most))


async def prefix_before(
    connection: Connection, tenant: int, before: int, *, last: int, mark: str
) -> tuple[int, int]:
    """Count the events at the beginning that are all older than an instant.

    :param last: The number of the last row.
    :param mark: The event name of checkpoints, which do not count.
    :returns: How many, and the number of the last of them.
    """
    kept = await connection.one(_first_kept, tenant=tenant, before=before, mark=mark)
    first = kept[0] if kept and kept[0] is not None else last + 1
    found = await connection.one(_removable, tenant=tenant, kept=first, mark=mark)
    return (found[0], found[1] or 0) if found else (0, 0)


async def replace_prefix(connection: Connection, tenant: int, checkpoint: AuditRow) -> None:
    """Replace the rows up to a number by a checkpoint, which keeps the hash of the last."""
    found = await connection.one(_hash_of, tenant=tenant, number=checkpoint.sequence)
    await connection.execute(_remove_prefix, tenant=tenant, last=checkpoint.sequence)
    values = _values(checkpoint) | {"hash": found[0] if found else ""}
    await connection.insert(audit_event, tenant_id=tenant, **values)


async def count_up(connection: Connection, tenant: int, pending: Pending) -> None:
    """Count something once more in its minute."""
    if not await connection.execute(_count_up, tenant=tenant, **_this(pending)):
        values = {name: getattr(pending, name) for name in _PENDING}
        await connection.insert(audit_pending, tenant_id=tenant, count=1, **values)


async def pending_before(
    connection: Connection, tenant: int, minute: int, *, most: int
) -> Sequence[tuple[Pending, int]]:
    """Read what was counted in minutes before one, with the counts."""
    rows = await connection.all(_pending_before, tenant=tenant, before=minute, most=most)
    return [(Pending(**dict(zip(_PENDING, row, strict=False))), row[-1]) for row in rows]


async def remove_pending(connection: Connection, tenant: int, pending: Pending) -> None:
    """Remove what was counted."""
    await connection.execute(_remove_pending, tenant=tenant, **_this(pending))


async def pending_count(reader: Reader, tenant: int) -> int:
    """Say how much is being counted."""
    row = await reader.one(_pending_count, tenant=tenant)
    return int(row[0]) if row else 0
