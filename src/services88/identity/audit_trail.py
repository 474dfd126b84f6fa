"""Reading the audit trail, proving that it is whole, and removing what is too old."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from services88.identity import audit
from services88.identity.audit import AuditEvent, Result
from services88.identity.audit_chain import (
    GENESIS,
    ChainKey,
    content_of,
    head_is_keyed,
    keys_of,
)
from services88.identity.errors import BadInput
from services88.identity.identity import Identity, Origin
from services88.identity.names import key_of
from services88.store import application_tokens, associates, credentials
from services88.store import audit as stored
from services88.store.audit import ANY, AuditRow, Filter, Head, TrailHead
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
    "heads",
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
    :ivar keyed_from: Number of the first of those; 0 where there is none.
    :ivar keyed_at: Its time.
    :ivar compared: How many of the noted heads were compared; the others are older than the trail.
    """

    head: Head
    events: int
    keyed: int
    keyed_from: int = 0
    keyed_at: int = 0
    compared: int = 0


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

    def __init__(self, identity: Identity, tenant: int, expected: Sequence[Head]) -> None:
        self.at = Head(0, GENESIS)
        self.begin = 0
        self.events = 0
        self.keyed = 0
        self.keyed_from = 0
        self.keyed_at = 0
        self._arrived = False
        self._pruned = 0
        self._identity = identity
        self._tenant = tenant
        self._keys: dict[str, ChainKey] = keys_of(identity)
        self._expected: dict[int, set[str]] = {}
        for head in expected:
            self._expected.setdefault(head.sequence, set()).add(head.hash)

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
        if row.event == AuditEvent.AUDIT_CHAIN_BROKEN:
            raise ChainBroken(
                row.sequence,
                f"a server found that the head of the chain, at event {row.count}, was not written "
                "with the pepper or was an earlier one, and went on from there.",
            )
        self.events += 1
        if key.key is not None:
            self._note_key(row)
        if row.event == AuditEvent.AUDIT_PRUNED:
            self._pruned = row.count

    def _note_key(self, row: AuditRow) -> None:
        if not self.keyed:
            self.keyed_from, self.keyed_at = row.sequence, row.at
        self.keyed += 1
        if row.event == AuditEvent.AUDIT_KEYED or (
            row.event == AuditEvent.AUDIT_PRUNED and row.reason == audit.WITH_KEY
        ):
            self._arrived = True

    def _compare(self) -> None:
        noted = self._expected.get(self.at.sequence)
        if noted is not None and noted != {self.at.hash}:
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
        if self._identity.hashing.hasher.peppers and head is not None and self.keyed:
            self._check_head(head)
        later = [sequence for sequence in self._expected if sequence > self.at.sequence]
        if later:
            raise ChainBroken(
                self.at.sequence + 1,
                f"it is missing: the noted head was at {max(later)}, the last event is "
                f"{self.at.sequence}.",
            )
        if self._expected and not self.compared:
            raise BadInput(
                f"The noted head, {max(self._expected)}, is older than what is kept; the trail "
                f"begins after {self.begin}. What there is verifies."
            )

    def _check_head(self, head: Head) -> None:
        # An older version wrote heads without; then no event says that all have one from there on.
        if (self._arrived or head.mac) and not head_is_keyed(self._identity, self._tenant, head):
            raise ChainBroken(
                head.sequence + 1,
                "the head of the chain was not written with the pepper: events may have been cut "
                "off, and the head put back to the last one that is there.",
            )

    @property
    def compared(self) -> int:
        """How many of the noted heads are not older than what is kept."""
        return sum(
            len(noted)
            for sequence, noted in self._expected.items()
            if sequence == 0 or sequence >= self.begin
        )


async def verify(
    identity: Identity,
    tenant: Tenant,
    expected: Sequence[Head] = (),
    *,
    needs_key: bool = True,
) -> Verified:
    """Walk a tenant's whole chain.

    :param expected: Heads that were noted earlier; only such a one shows that the trail was put
        back to an earlier state of it, head and all.
    :param needs_key: Whether a chain without any key is broken where there is a pepper.
    :raises ChainBroken: The trail is not whole.
    :raises BadInput: All the noted heads are older than the trail's beginning.
    """
    walk = _Walk(identity, tenant.tenant_id, expected)
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
                break
    if needs_key and identity.hashing.hasher.peppers and not walk.keyed:
        await _check_not_keyed_yet(identity, tenant, walk.at)
    return Verified(walk.at, walk.events, walk.keyed, walk.keyed_from, walk.keyed_at, walk.compared)


async def _check_not_keyed_yet(identity: Identity, tenant: Tenant, at: Head) -> None:
    """Refuse a trail without any key beside a pepper, but that of a tenant where nothing was done.

    :raises ChainBroken: It is not that of such a tenant.
    """
    if at.sequence or await credentials.any_peppered(identity.database, tenant.tenant_id):
        raise ChainBroken(
            at.sequence + 1,
            "there is a pepper, and no event was hashed with it. Either the pepper is new and no "
            "server has begun with it (start one, and verify again), or somebody wrote the whole "
            "trail anew without the pepper.",
        )


async def heads(identity: Identity) -> Sequence[TrailHead]:
    """Return the end of every tenant's chain, to be kept elsewhere."""
    return await stored.heads(identity.database)


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
            connection,
            tenant.tenant_id,
            before,
            now=identity.clock.now(),
            last=head.sequence,
            mark=CHECKPOINT,
        )
        if count:
            await stored.replace_prefix(connection, tenant.tenant_id, _checkpoint(last, ""))
            await audit.record(
                connection,
                identity,
                tenant,
                AuditEvent.AUDIT_PRUNED,
                Origin(),
                associate_id=0,
                by=0,
                reason=audit.WITH_KEY if identity.hashing.hasher.peppers else "",
                count=last,
            )
        return count

    return await identity.database.transaction(work)
