"""Rows of ``outbox``: mails that are owed. No row holds a secret."""

from dataclasses import dataclass, replace

from sqlalchemy import and_, bindparam, case, delete, func, or_, select, update

from services88.store import associates
from services88.store.database import Connection, Reader
from services88.store.schema import outbox

__all__ = [
    "OwedMail",
    "add",
    "claim",
    "counts",
    "delete_old",
    "next_due",
    "postpone",
    "sent",
    "was_owed",
]


@dataclass(frozen=True, slots=True)
class OwedMail:
    """A mail that is owed to somebody.

    :ivar attempts: How often sending it was begun. It grows with every claim, so it tells claims
        of one row apart.
    """

    outbox_id: int
    tenant_id: int
    associate_id: int
    kind: str
    recipient: str
    parameters: str
    created: int
    attempts: int

    def claimed(self) -> "OwedMail":
        """Give the mail as it is after claiming it."""
        return replace(self, attempts=self.attempts + 1)


_is_due = and_(
    outbox.c.sent.is_(None),
    outbox.c.due <= bindparam("now"),
    or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= bindparam("now")),
)
_is_mine = and_(
    outbox.c.outbox_id == bindparam("id"),
    outbox.c.attempts == bindparam("seen"),
    outbox.c.sent.is_(None),
)
_next_due = (
    select(
        outbox.c.outbox_id,
        outbox.c.tenant_id,
        outbox.c.associate_id,
        outbox.c.kind,
        outbox.c.recipient,
        outbox.c.parameters,
        outbox.c.created,
        outbox.c.attempts,
    )
    .where(_is_due)
    .order_by(outbox.c.due)
    .limit(1)
)
# The compare-and-swap that keeps two servers from sending the same mail.
_claim = (
    update(outbox)
    .where(_is_mine, _is_due)
    .values(attempts=outbox.c.attempts + 1, claimed_until=bindparam("until"))
)
_sent = update(outbox).where(_is_mine).values(sent=bindparam("now"), claimed_until=None)
_postpone = update(outbox).where(_is_mine).values(due=bindparam("to"), claimed_until=None)
_was_owed = (
    select(outbox.c.outbox_id)
    .where(
        outbox.c.associate_id == bindparam("associate"),
        outbox.c.kind == bindparam("kind"),
        outbox.c.created > bindparam("since"),
    )
    .limit(1)
)
_counts = select(
    func.count(), func.coalesce(func.sum(case((outbox.c.attempts > 0, 1), else_=0)), 0)
).where(outbox.c.sent.is_(None))
_old = (
    select(outbox.c.outbox_id)
    .where(outbox.c.created < bindparam("before"))
    .limit(100)
    .with_for_update(skip_locked=True)
)
_delete_old = delete(outbox).where(outbox.c.outbox_id.in_(_old))


async def add(
    connection: Connection,
    *,
    tenant: int,
    associate_id: int,
    kind: str,
    recipient: str,
    parameters: str,
    now: int,
) -> int:
    """Add a mail that is owed from now on, in the transaction of the thing it tells of."""
    return await connection.insert(
        outbox,
        tenant_id=tenant,
        associate_id=associate_id,
        kind=kind,
        recipient=recipient,
        parameters=parameters,
        created=now,
        due=now,
    )


async def next_due(reader: Reader, now: int) -> OwedMail | None:
    """Give the mail that is due for longest and that no server is sending."""
    row = await reader.one(_next_due, now=now)
    return OwedMail(*row) if row else None


async def claim(connection: Connection, mail: OwedMail, *, now: int, until: int) -> bool:
    """Keep other servers from sending a mail until some time; False where one was faster."""
    changed = await connection.execute(
        _claim, id=mail.outbox_id, seen=mail.attempts, now=now, until=until
    )
    return changed == 1


async def sent(connection: Connection, mail: OwedMail, now: int) -> None:
    """Note that a mail was sent, or will never be; nothing where it was claimed anew since."""
    await connection.execute(_sent, id=mail.outbox_id, seen=mail.attempts, now=now)


async def postpone(connection: Connection, mail: OwedMail, to: int) -> None:
    """Let a claimed mail be due later; nothing where it was claimed anew since."""
    await connection.execute(_postpone, id=mail.outbox_id, seen=mail.attempts, to=to)


async def was_owed(connection: Connection, associate_id: int, kind: str, since: int) -> bool:
    """Check whether a mail of a kind was enqueued for a user after some time, sent or not.

    The user is locked until the transaction ends: of several callers at once only one finds none
    and adds one.
    """
    await associates.lock(connection, associate_id)
    row = await connection.one(_was_owed, associate=associate_id, kind=kind, since=since)
    return row is not None


async def counts(reader: Reader) -> tuple[int, int]:
    """Count the mails that are owed, and those of them that sending was begun of before."""
    row = await reader.one(_counts)
    return (int(row[0]), int(row[1])) if row else (0, 0)


async def delete_old(connection: Connection, before: int) -> None:
    """Delete some old rows, sent or not: few at a time, so that no transaction grows long."""
    await connection.execute(_delete_old, before=before)
