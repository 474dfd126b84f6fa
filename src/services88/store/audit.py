"""Rows of ``audit_event``, which are only ever added, and of what belongs to them.

``audit_head`` has the end of each tenant's chain; ``audit_pending`` counts what is written once a
minute, until the minute is over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, or_, select, update

from services88.store.database import Connection, Reader
from services88.store.schema import audit_event, audit_head, audit_pending, tenant
from services88.store.tenants import Tenant

__all__ = [
    "ANY",
    "AuditRow",
    "Filter",
    "Head",
    "KeyTraces",
    "Minutes",
    "Pending",
    "TrailHead",
    "about",
    "add_one",
    "append",
    "count_rows",
    "ends",
    "event_from",
    "head_to_move",
    "heads",
    "insert_pending",
    "key_traces",
    "minutes",
    "newest",
    "page",
    "pending_count",
    "pending_outside",
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
    """The end of a chain: the number of its last row, and that row's hash.

    :ivar mac: Keyed hash of the head, behind the id of its key; empty where there is none.
    """

    sequence: int
    hash: str
    mac: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class TrailHead:
    """The head of one tenant's chain, with the time of its last event."""

    tenant: Tenant
    head: Head
    at: int


@dataclass(frozen=True, slots=True)
class KeyTraces:
    """What a trail tells of the key that it was hashed with.

    :ivar last: Whether the last event was hashed with a key.
    :ivar any: Whether one of the events was.
    :ivar arrived: Whether one of the events after which every head has a keyed hash is there.
    """

    last: bool
    any: bool
    arrived: bool


@dataclass(frozen=True, slots=True)
class Minutes:
    """In which minutes something is being counted.

    :ivar newest: The newest but for those too far ahead; None where there is none.
    :ivar first: The first of all.
    :ivar last: The last of all.
    """

    newest: int | None
    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What is written once a minute, but for how often it happened."""

    minute: int
    event: str
    reason: str
    associate_id: int
    by_associate_id: int
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


_NAMES = tuple(each.name for each in fields(AuditRow))
_PENDING = tuple(each.name for each in fields(Pending))
_columns = tuple(audit_event.c[name] for name in _NAMES)
_of_tenant = audit_event.c.tenant_id == bindparam("tenant")

_head = (
    select(audit_head.c.sequence, audit_head.c.hash, audit_head.c.mac)
    .where(audit_head.c.tenant_id == bindparam("tenant"))
    .with_for_update()
)
_heads = (
    select(
        tenant.c.tenant_id,
        tenant.c.name,
        tenant.c.company_name,
        tenant.c.is_default,
        func.coalesce(audit_head.c.sequence, 0),
        func.coalesce(audit_head.c.hash, ""),
        func.coalesce(audit_head.c.mac, ""),
        func.coalesce(audit_event.c.at, 0),
    )
    .select_from(tenant)
    .outerjoin(audit_head, audit_head.c.tenant_id == tenant.c.tenant_id)
    .outerjoin(
        audit_event,
        and_(
            audit_event.c.tenant_id == tenant.c.tenant_id,
            audit_event.c.sequence == audit_head.c.sequence,
        ),
    )
    .order_by(tenant.c.tenant_id)
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
    .values(sequence=bindparam("to"), hash=bindparam("hashed"), mac=bindparam("keyed"))
)
_event_from = (
    select(audit_event.c.sequence, audit_event.c.hash)
    .where(_of_tenant, audit_event.c.sequence >= bindparam("first"))
    .order_by(audit_event.c.sequence)
    .limit(1)
)
_last_key = (
    select(audit_event.c.key_id).where(_of_tenant).order_by(audit_event.c.sequence.desc()).limit(1)
)
_any_key = select(audit_event.c.sequence).where(_of_tenant, audit_event.c.key_id != "").limit(1)
_arrival = (
    select(audit_event.c.sequence)
    .where(
        _of_tenant,
        or_(
            audit_event.c.event.in_([bindparam("arrived"), bindparam("broken")]),
            and_(
                audit_event.c.event == bindparam("pruned"),
                audit_event.c.reason == bindparam("with_key"),
            ),
        ),
    )
    .limit(1)
)
# In one statement, so that nothing is added between reading one and the other.
_ends = select(
    select(audit_head.c.sequence)
    .where(audit_head.c.tenant_id == bindparam("tenant"))
    .scalar_subquery(),
    select(audit_head.c.hash)
    .where(audit_head.c.tenant_id == bindparam("tenant"))
    .scalar_subquery(),
    select(audit_head.c.mac).where(audit_head.c.tenant_id == bindparam("tenant")).scalar_subquery(),
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
    _of_tenant,
    audit_event.c.at >= bindparam("before"),
    audit_event.c.at <= bindparam("now"),
    audit_event.c.event != bindparam("mark"),
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
_pending_outside = (
    select(*(audit_pending.c[name] for name in _PENDING), audit_pending.c.count)
    .where(
        audit_pending.c.tenant_id == bindparam("tenant"),
        or_(
            audit_pending.c.minute < bindparam("first"), audit_pending.c.minute > bindparam("last")
        ),
    )
    .order_by(*(audit_pending.c[name] for name in _PENDING))
    .limit(bindparam("most"))
    .with_for_update()
)
_pending_count = select(func.count()).where(
    audit_pending.c.tenant_id == bindparam("tenant"), audit_pending.c.count > 0
)


def _minute(found: Any, *which: Any) -> Any:
    return (
        select(found(audit_pending.c.minute))
        .where(audit_pending.c.tenant_id == bindparam("tenant"), *which)
        .scalar_subquery()
    )


_minutes = select(
    _minute(func.max, audit_pending.c.minute <= bindparam("last")),
    _minute(func.min),
    _minute(func.max),
)
_same_kind = (
    audit_pending.c.tenant_id == bindparam("tenant"),
    audit_pending.c.minute == bindparam("the_minute"),
    audit_pending.c.event == bindparam("the_event"),
    audit_pending.c.reason != bindparam("folded"),
)
_is_strangers = and_(audit_pending.c.associate_id == 0, audit_pending.c.by_associate_id == 0)
_rows_of_user = select(func.count()).where(
    *_same_kind,
    audit_pending.c.associate_id == bindparam("the_associate_id"),
    audit_pending.c.by_associate_id == bindparam("the_by_associate_id"),
)
_rows_of_users = select(func.count()).where(*_same_kind, ~_is_strangers)
_rows_of_strangers = select(func.count()).where(*_same_kind, _is_strangers)


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


async def append(connection: Connection, tenant: int, row: AuditRow, mac: str) -> None:
    """Add an event and move the head to it.

    :param mac: Keyed hash of the new head; empty for none.
    """
    await connection.insert(audit_event, tenant_id=tenant, **_values(row))
    values = {"to": row.sequence, "hashed": row.hash, "keyed": mac}
    if not await connection.execute(_move_head, tenant=tenant, **values):
        await connection.insert(
            audit_head, tenant_id=tenant, sequence=row.sequence, hash=row.hash, mac=mac
        )


async def ends(reader: Reader, tenant: int) -> tuple[Head | None, int]:
    """Return the head of a tenant's chain, and the number of its last row; of one moment."""
    row = await reader.one(_ends, tenant=tenant)
    if row is None:
        return None, 0
    return (Head(*row[:3]) if row[0] is not None else None), row[3] or 0


async def event_from(reader: Reader, tenant: int, first: int) -> Head | None:
    """Return number and hash of the first event from a number on; None where there is none."""
    row = await reader.one(_event_from, tenant=tenant, first=first)
    return Head(*row) if row else None


async def heads(reader: Reader) -> Sequence[TrailHead]:
    """Read the head of every tenant's chain; one that is missing has the number 0."""
    return [
        TrailHead(Tenant(*row[:4]), Head(*row[4:7]), row[7]) for row in await reader.all(_heads)
    ]


async def key_traces(
    reader: Reader, tenant: int, *, arrived: str, broken: str, pruned: str, with_key: str
) -> KeyTraces:
    """Look for events that were hashed with a key. This may read the whole trail.

    :param arrived: Name of the event that stands for the key's arrival.
    :param broken: Name of the event after a break.
    :param pruned: Name of the event that vouches for a removed beginning, where its reason is
        ``with_key``.
    """
    last = await reader.one(_last_key, tenant=tenant)
    marks = {"arrived": arrived, "broken": broken, "pruned": pruned, "with_key": with_key}
    return KeyTraces(
        last=last is not None and last[0] != "",
        any=await reader.one(_any_key, tenant=tenant) is not None,
        arrived=await reader.one(_arrival, tenant=tenant, **marks) is not None,
    )


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
    connection: Connection, tenant: int, before: int, *, now: int, last: int, mark: str
) -> tuple[int, int]:
    """Count the events at the beginning that are all older than an instant.

    An event of a later time than now, by a clock that was wrong, is as old as those around it.

    :param last: The number of the last row.
    :param mark: The event name of checkpoints, which do not count.
    :returns: How many, and the number of the last of them.
    """
    kept = await connection.one(_first_kept, tenant=tenant, before=before, now=now, mark=mark)
    first = kept[0] if kept and kept[0] is not None else last + 1
    found = await connection.one(_removable, tenant=tenant, kept=first, mark=mark)
    return (found[0], found[1] or 0) if found else (0, 0)


async def replace_prefix(connection: Connection, tenant: int, checkpoint: AuditRow) -> None:
    """Replace the rows up to a number by a checkpoint, which keeps the hash of the last."""
    found = await connection.one(_hash_of, tenant=tenant, number=checkpoint.sequence)
    await connection.execute(_remove_prefix, tenant=tenant, last=checkpoint.sequence)
    values = _values(checkpoint) | {"hash": found[0] if found else ""}
    await connection.insert(audit_event, tenant_id=tenant, **values)


async def add_one(connection: Connection, tenant: int, pending: Pending) -> bool:
    """Count something once more in its minute; False where it is not being counted yet."""
    return bool(await connection.execute(_count_up, tenant=tenant, **_this(pending)))


async def insert_pending(
    connection: Connection, tenant: int, pending: Pending, *, count: int
) -> None:
    """Begin to count something.

    :raises Conflict: Somebody else began at the same time.
    """
    values = {name: getattr(pending, name) for name in _PENDING}
    await connection.insert(audit_pending, tenant_id=tenant, count=count, **values)


async def count_rows(
    connection: Connection, tenant: int, pending: Pending, folded: str
) -> tuple[int, int]:
    """Count the rows of a minute and event, but for those into which others were folded.

    :param folded: The reason of those.
    :returns: How many there are of the same user; and of all users, or of strangers where the row
        is of nobody.
    """
    user, by = pending.associate_id, pending.by_associate_id
    kind: dict[str, object] = {
        "tenant": tenant,
        "the_minute": pending.minute,
        "the_event": pending.event,
        "folded": folded,
    }
    if not user and not by:
        row = await connection.one(_rows_of_strangers, **kind)
        return 0, int(row[0]) if row else 0
    who = {"the_associate_id": user, "the_by_associate_id": by}
    own = await connection.one(_rows_of_user, **kind, **who)
    row = await connection.one(_rows_of_users, **kind)
    return int(own[0]) if own else 0, int(row[0]) if row else 0


async def minutes(reader: Reader, tenant: int, last: int) -> Minutes:
    """Read in which minutes something is being counted.

    :param last: Minutes after this one are too far ahead.
    """
    row = await reader.one(_minutes, tenant=tenant, last=last)
    return Minutes(*row) if row else Minutes(None, None, None)


async def pending_outside(
    connection: Connection, tenant: int, *, first: int, last: int, most: int
) -> Sequence[tuple[Pending, int]]:
    """Read what was counted in minutes before one and after another, with the counts."""
    rows = await connection.all(_pending_outside, tenant=tenant, first=first, last=last, most=most)
    return [(Pending(**dict(zip(_PENDING, row, strict=False))), row[-1]) for row in rows]


async def remove_pending(connection: Connection, tenant: int, pending: Pending) -> None:
    """Remove what was counted."""
    await connection.execute(_remove_pending, tenant=tenant, **_this(pending))


async def pending_count(reader: Reader, tenant: int) -> int:
    """Return how many events are being counted."""
    row = await reader.one(_pending_count, tenant=tenant)
    return int(row[0]) if row else 0
