"""Reading the audit trail, proving that it is whole, and removing what is too old."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from services88.identity import audit
from services88.identity.audit import AuditEvent, Result
from services88.identity.audit_chain import GENESIS, ChainKey, content_of, keys_of
from services88.identity.errors import BadInput
from services88.identity.identity import Identity, Origin
from services88.identity.names import key_of
from services88.store import application_tokens, associates
from services88.store import audit as stored
from services88.store.audit import ANY, AuditRow, Filter, Head
from services88.store.database import Connection
from services88.store.tenants import Tenant

__all__ = [
    "CHECKPOINT",
    "AuditEntry",
    "ChainBroken",
    "Verified",
    "about",
    "each",
    "filtered",
    "newest",
    "pending",
    "prune",
    "verify",
]

CHECKPOINT = "checkpoint"
"""In place of a removed beginning. Not an event: it keeps the hash of the last one removed."""

_PAGE = 500
_LOOKED_AT = 5000
"""Events that are looked through before others have their turn on the loop."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An event, with the names that its numbers stand for today."""

    row: AuditRow
    tenant: str
    tenant_id: int
    user: str
    by: str
    application: str


class ChainBroken(Exception):
    """The trail was tampered with, or damaged. ``str()`` says where and how."""

    def __init__(self, sequence: int, cause: str) -> None:
        super().__init__(f"Event {sequence}: {cause}")
        self.sequence = sequence


@dataclass(frozen=True, slots=True)
class Verified:
    """A trail that is whole.

    :ivar head: Its end, to be kept elsewhere and compared with later.
    :ivar events: How many there are.
    :ivar keyed: How many of them were hashed with a key.
    """

    head: Head
    events: int
    keyed: int


async def filtered(
    identity: Identity,
    tenant: Tenant,
    *,
    user: str | None = None,
    since: int | None = None,
    until: int | None = None,
    event: str | None = None,
) -> Filter:
    """Say which events are wanted.

    :param user: A name, of somebody whom events are about or who did something; or of nobody, for
        the refused attempts with that name.
    :raises BadInput: There is no event of that name.
    """
    if event is not None and event not in [*AuditEvent]:
        raise BadInput(f"There is no event {event}. The events are: {', '.join(AuditEvent)}.")
    which = Filter(event=event or "")
    if user is not None:
        found = await associates.by_name(identity.database, tenant.tenant_id, key_of(user))
        which = replace(
            which,
            associate_id=found.associate_id if found else ANY - 1,
            name_hash=await audit.hash_of_name(identity.database, identity, tenant, user),
        )
    if since is not None:
        which = replace(which, since=since)
    if until is not None:
        which = replace(which, until=until)
    return which


async def newest(identity: Identity, tenant: Tenant, which: Filter, most: int) -> list[AuditEntry]:
    """Read the newest events that are wanted, the oldest of them first."""
    await audit.seal(identity, tenant)
    found: list[AuditRow] = []
    _, upto = await stored.ends(identity.database, tenant.tenant_id)
    while upto > 0 and len(found) < most:
        after = max(0, upto - _LOOKED_AT)
        found[:0] = await stored.newest(
            identity.database,
            tenant.tenant_id,
            after=after,
            upto=upto,
            most=most - len(found),
            which=which,
        )
        upto = after
        await asyncio.sleep(0)  # SQLite answers at once, and nobody else would have a turn
    return await _named(identity, tenant, found)


async def about(identity: Identity, tenant: Tenant, user: int, most: int) -> list[AuditEntry]:
    """Read the newest events about a user, the oldest of them first; quick in a long trail."""
    await audit.seal(identity, tenant)
    rows = await stored.about(identity.database, tenant.tenant_id, user, most=most)
    return await _named(identity, tenant, sorted(rows, key=lambda row: row.sequence))


async def each(identity: Identity, tenant: Tenant, which: Filter) -> AsyncIterator[AuditEntry]:
    """Read all events that are wanted, oldest first, a page at a time."""
    await audit.seal(identity, tenant)
    after = 0
    while True:
        rows = await stored.page(
            identity.database, tenant.tenant_id, after=after, most=_PAGE, which=which
        )
        for entry in await _named(identity, tenant, rows):
            yield entry
        if len(rows) < _PAGE:
            return
        after = rows[-1].sequence


async def pending(identity: Identity, tenant: Tenant) -> int:
    """Say how many events will be there when the minute is over."""
    return await stored.pending_count(identity.database, tenant.tenant_id)


async def _named(identity: Identity, tenant: Tenant, rows: Sequence[AuditRow]) -> list[AuditEntry]:
    users: dict[int, str] = {}
    applications = {
        token.application_token_id: token.name
        for token in await application_tokens.all_tokens(identity.database, tenant.tenant_id)
    }
    for number in {row.associate_id for row in rows} | {row.by_associate_id for row in rows}:
        user = await associates.by_id(identity.database, tenant.tenant_id, number)
        users[number] = user.name if user else ""
    return [
        AuditEntry(
            row=row,
            tenant=tenant.name,
            tenant_id=tenant.tenant_id,
            user=users[row.associate_id],
            by=users[row.by_associate_id],
            application=applications.get(row.application_token_id, ""),
        )
        for row in rows
    ]


def _checkpoint(sequence: int, hash: str) -> AuditRow:
    return AuditRow(
        sequence=sequence,
        at=0,
        event=CHECKPOINT,
        result=Result.SUCCESS.value,
        reason="",
        associate_id=0,
        by_associate_id=0,
        application_token_id=0,
        address="",
        name_hash="",
        count=0,
        key_id="",
        hash=hash,
    )


class _Walk:
    """A walk along a chain, row by row."""

    def __init__(self, tenant: int, keys: dict[str, ChainKey], expected: Head | None) -> None:
        self.at = Head(0, GENESIS)
        self.begin = 0
        self.events = 0
        self.keyed = 0
        self._pruned = 0
        self._tenant = tenant
        self._keys = keys
        self._expected = expected

    def step(self, row: AuditRow) -> None:
        if type(row.sequence) is not int:  # SQLite keeps whatever somebody wrote there
            raise ChainBroken(self.at.sequence + 1, "the number of an event was changed.")
        try:
            self._take(row)
        except (TypeError, ValueError):  # a column holds another kind of value, or no such text
            raise ChainBroken(row.sequence, "a value was changed to another kind.") from None

    def _take(self, row: AuditRow) -> None:
        if not self.events and not self.begin and row.event == CHECKPOINT:
            if row != _checkpoint(row.sequence, row.hash) or row.sequence < 1:
                raise ChainBroken(row.sequence, "the checkpoint was changed.")
            self.begin = row.sequence
        else:
            self._check(row)
        self.at = Head(row.sequence, row.hash)
        self._compare()

    def _check(self, row: AuditRow) -> None:
        if row.sequence != self.at.sequence + 1:
            missing = self.at.sequence + 1
            if row.sequence < missing:
                raise ChainBroken(row.sequence, "there can be no event of that number.")
            raise ChainBroken(missing, f"it is missing; the next one there is {row.sequence}.")
        key = self._keys.get(row.key_id)
        if key is None:
            raise ChainBroken(
                row.sequence,
                "it was hashed with a pepper that is not configured, so it cannot be verified. "
                "Add that pepper to the pepper file again, below the current one.",
            )
        try:
            right = key.digest(content_of(self._tenant, row, self.at.hash))
        except (TypeError, ValueError):
            right = ""
        if row.hash != right:
            raise ChainBroken(row.sequence, "it or the one before it was changed.")
        if self.keyed and key.key is None:
            raise ChainBroken(
                row.sequence,
                "it was hashed without the pepper, and events before it with one: by a command "
                "that was not told the pepper file, or by an intruder.",
            )
        self.events += 1
        self.keyed += key.key is not None
        if row.event == AuditEvent.AUDIT_PRUNED:
            self._pruned = row.count

    def _compare(self) -> None:
        expected = self._expected
        if expected and expected.sequence == self.at.sequence and expected.hash != self.at.hash:
            raise ChainBroken(self.at.sequence, "it is another than when the head was noted.")

    def end(self, head: Head | None) -> None:
        if head is not None and type(head.sequence) is not int:
            raise ChainBroken(self.at.sequence + 1, "the head of the chain was changed.")
        if head != self.at and (head is not None or self.at.sequence):
            raise ChainBroken(
                min(self.at.sequence, head.sequence if head else 0) + 1,
                f"the head of the chain is not at the last event ({self.at.sequence}).",
            )
        if self.begin != self._pruned:
            raise ChainBroken(
                self.begin, "events up to here are gone, and no event tells that they were pruned."
            )
        expected = self._expected
        if expected and expected.sequence > self.at.sequence:
            raise ChainBroken(
                self.at.sequence + 1,
                f"it is missing: the noted head was at {expected.sequence}, the last event is "
                f"{self.at.sequence}.",
            )
        if expected and 0 < expected.sequence < self.begin:
            raise BadInput(
                f"The noted head, {expected.sequence}, is older than what is kept; the trail "
                f"begins after {self.begin}. What there is verifies."
            )


async def verify(identity: Identity, tenant: Tenant, expected: Head | None = None) -> Verified:
    """Walk a tenant's whole chain.

    :param expected: A head that was noted earlier; that the end of the trail was cut since, only
        such a one can show.
    :raises ChainBroken: The trail is not whole.
    :raises BadInput: The noted head is older than the trail's beginning.
    """
    walk = _Walk(tenant.tenant_id, keys_of(identity), expected)
    after = -(2**62)
    while True:
        rows = await stored.page(identity.database, tenant.tenant_id, after=after, most=_PAGE)
        for row in rows:
            walk.step(row)
            after = row.sequence
        if not rows:
            head, last = await stored.ends(identity.database, tenant.tenant_id)
            if last <= walk.at.sequence:  # else some were added since
                walk.end(head)
                return Verified(walk.at, walk.events, walk.keyed)


async def prune(identity: Identity, tenant: Tenant, before: int) -> int:
    """Remove the events at the beginning that are older than an instant.

    What is left still verifies: a checkpoint keeps the hash of the last event removed, and an
    event tells of the removal.

    :returns: How many were removed.
    :raises ChainBroken: The trail is not whole; nothing was removed, so that the proof stays.
    """
    await verify(identity, tenant)

    async def work(connection: Connection) -> int:
        head = await stored.head_to_move(connection, tenant.tenant_id)
        if head is None:
            return 0
        count, last = await stored.prefix_before(
            connection, tenant.tenant_id, before, last=head.sequence, mark=CHECKPOINT
        )
        if count:
            await stored.replace_prefix(connection, tenant.tenant_id, _checkpoint(last, ""))
            event = AuditEvent.AUDIT_PRUNED
            await audit.record(
                connection, identity, tenant, event, Origin(), associate_id=0, by=0, count=last
            )
        return count

    return await identity.database.transaction(work)
