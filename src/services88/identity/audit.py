"""The audit trail: what happened, to whom, by whom, from where, and with what result.

An event is written in the transaction of the thing it tells of, as the last of it: both are kept,
or neither, and the head of the tenant's chain is locked for as short as can be. A refusal changes
nothing, so its event has a transaction of its own.

What anybody can cause without end and changes nothing is counted by the minute: of signed-in users
the first is written at once, the others of that minute with their number when it is over. How much
is counted apart has a limit; the rest is one count.

Never in it: passwords, tickets, application tokens, and names that no user has (people type
passwords there), which are kept as a keyed hash only (ASVS 16.2.5).
"""

import hmac
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from enum import StrEnum
from hashlib import sha256

from services88.identity.audit_chain import (
    GENESIS,
    current_key,
    hashed,
    head_is_keyed,
    mac_of,
    subkey,
)
from services88.identity.clock import MINUTE
from services88.identity.errors import NotSignedIn, PasswordRefused
from services88.identity.identity import Identity, Origin
from services88.identity.names import key_of
from services88.store import associates, credentials, tenants
from services88.store import audit as stored
from services88.store.audit import AuditRow, Head, Pending
from services88.store.database import Connection, Reader, Work
from services88.store.tenants import Tenant

__all__ = [
    "WITH_KEY",
    "AuditEvent",
    "Result",
    "application_token_refused",
    "check_heads",
    "counted",
    "failed",
    "hash_of_name",
    "plain_address",
    "record",
    "refusal",
    "refusals_told",
    "refused",
    "seal",
    "throttled",
    "ticket_not_a_name",
    "ticket_refused",
    "tickets_ended",
]


class AuditEvent(StrEnum):
    """What can happen. Names are OWASP's (Logging Vocabulary) where it has one; never renamed."""

    AUTHN_LOGIN_SUCCESS = "authn_login_success"
    """A sign-in, which issued a ticket; with the reason ``ticket`` one by a ticket there was."""
    AUTHN_LOGIN_FAIL = "authn_login_fail"
    """A refused sign-in. The reason says why, which the caller is not told."""
    AUTHN_LOGIN_FAIL_MAX = "authn_login_fail_max"
    """A password was disabled after too many failures."""
    AUTHN_LOGIN_UNLOCK = "authn_login_unlock"
    """A disabled password was enabled, or failures were forgiven."""
    EXCESS_RATE_LIMIT_EXCEEDED = "excess_rate_limit_exceeded"
    """Attempts answered without looking at the password: one event a minute, with the number."""
    AUTHN_PASSWORD_CHANGE = "authn_password_change"  # noqa: S105 - a name
    AUTHN_PASSWORD_CHANGE_FAIL = "authn_password_change_fail"  # noqa: S105 - a name
    """A refused change. The reason says why, and which rules the new password failed."""
    AUTHN_PASSWORD_LINK_REQUESTED = "authn_password_link_requested"  # noqa: S105 - a name
    """A mail with a link to change the password was asked for; OWASP has no name for it."""
    AUTHN_TOKEN_CREATED = "authn_token_created"  # noqa: S105 - a name
    """An application token was issued."""
    AUTHN_TOKEN_REVOKED = "authn_token_revoked"  # noqa: S105 - a name
    AUTHN_TOKEN_REFUSED = "authn_token_refused"  # noqa: S105 - a name
    """Calls with a bad application token, or none: one event a minute, with the number."""
    AUTHZ_FAIL = "authz_fail"
    """A signed-in user called what they may not. The reason is the operation."""
    SESSION_REVOKED = "session_revoked"
    """Tickets ended before their time: how many, and by what."""
    SESSION_REFUSED = "session_refused"
    """Calls without a good ticket: one event a minute, with the number; OWASP has no name."""
    SESSION_USE_AFTER_EXPIRE = "session_use_after_expire"
    """Calls with a ticket that has expired: one event a minute, with the number."""
    USER_CREATED = "user_created"
    USER_UPDATED = "user_updated"
    USER_RETIRED = "user_retired"
    USER_UNRETIRED = "user_unretired"
    PRIVILEGE_PERMISSIONS_CHANGED = "privilege_permissions_changed"
    """A user got another role."""
    POLICY_CHANGED = "policy_changed"
    """The rules for new passwords of the tenant were changed."""
    TENANT_CREATED = "tenant_created"
    AUDIT_PRUNED = "audit_pruned"
    """The beginning of the trail was removed: ``count`` is the number of the last removed event."""
    AUDIT_KEYED = "audit_keyed"
    """From here on events are hashed with a key, this one too: ``count`` were there before."""
    AUDIT_CHAIN_BROKEN = "audit_chain_broken"
    """The head of the chain was not written with the key, as it was before: somebody changed it."""


class Result(StrEnum):
    """How it ended."""

    SUCCESS = "success"
    FAILURE = "failure"


_FAILURES = frozenset(
    {
        AuditEvent.AUTHN_LOGIN_FAIL,
        AuditEvent.AUTHN_LOGIN_FAIL_MAX,
        AuditEvent.EXCESS_RATE_LIMIT_EXCEEDED,
        AuditEvent.AUTHN_PASSWORD_CHANGE_FAIL,
        AuditEvent.AUTHN_TOKEN_REFUSED,
        AuditEvent.AUTHZ_FAIL,
        AuditEvent.SESSION_REFUSED,
        AuditEvent.SESSION_USE_AFTER_EXPIRE,
        AuditEvent.AUDIT_CHAIN_BROKEN,
    }
)
WITH_KEY = "with-key"
"""Reason of :attr:`AuditEvent.AUDIT_PRUNED` where the chain is keyed."""

_log = logging.getLogger("services88.audit")

OTHERS = "others"
"""Reason of what is counted together, since too much is counted apart already."""

_ROWS_OF_USER = 10
_ROWS_OF_USERS = 100
_ROWS_OF_STRANGERS = 50
"""Counted apart in a minute and tenant, of one event: more is folded into a row of the user, or of
nobody."""

_AHEAD = 5
"""Minutes by which the clocks of two servers may differ; what is further ahead is written now."""
_LONGEST_REASON = 254
_LONGEST_ADDRESS = 64
_SEALED_AT_ONCE = 100
_NAME_KEY = "audit-name-key"


async def record(
    connection: Connection,
    identity: Identity,
    tenant: Tenant,
    event: AuditEvent,
    origin: Origin,
    *,
    associate_id: int,
    by: int,
    reason: str = "",
    count: int = 1,
    name_hash: str = "",
    at: int | None = None,
) -> None:
    """Write an event into the transaction of the thing it tells of. Call it last in there.

    :param associate_id: Number of the user it happened to; 0 for none, or for an unknown one.
    :param by: Number of the user who did it; 0 for the command line, or where nobody was proved.
    :param reason: In words without blanks, that are never renamed; see ``docs/audit.md``.
    :param name_hash: From :func:`hash_of_name`, where the name given is nobody's.
    """
    head = await stored.head_to_move(connection, tenant.tenant_id) or Head(0, GENESIS)
    head = await _keyed_head(connection, identity, tenant, head)
    await _append(
        connection,
        identity,
        tenant,
        head,
        event,
        origin,
        associate_id=associate_id,
        by=by,
        reason=reason,
        count=count,
        name_hash=name_hash,
        at=at,
    )


async def _append(
    connection: Connection,
    identity: Identity,
    tenant: Tenant,
    head: Head,
    event: AuditEvent,
    origin: Origin,
    *,
    associate_id: int = 0,
    by: int = 0,
    reason: str = "",
    count: int = 1,
    name_hash: str = "",
    at: int | None = None,
) -> Head:
    row = AuditRow(
        sequence=head.sequence + 1,
        at=identity.clock.now() if at is None else at,
        event=AuditEvent(event).value,
        result=(Result.FAILURE if event in _FAILURES else Result.SUCCESS).value,
        reason=" ".join(filter(None, (reason, origin.via)))[:_LONGEST_REASON],
        associate_id=associate_id,
        by_associate_id=by,
        application_token_id=origin.application_token_id,
        address=plain_address(origin.address),
        name_hash=name_hash,
        count=count,
        key_id="",
        hash="",
    )
    row = hashed(tenant.tenant_id, row, head.hash, current_key(identity))
    mac = mac_of(identity, tenant.tenant_id, row.sequence, row.hash)
    await stored.append(connection, tenant.tenant_id, row, mac)
    return Head(row.sequence, row.hash, mac)


async def _keyed_head(
    connection: Connection,
    identity: Identity,
    tenant: Tenant,
    head: Head,
    *,
    is_checked: bool = False,
    is_put_back: bool = False,
) -> Head:
    """Return the head to go on from; where there is a pepper it is one that was written with it.

    Where it was not, an event is added that says so: the key is new, or the chain is broken. The
    server goes on in either case, since nobody could sign in otherwise.

    :param is_checked: Whether nothing else is done in this transaction, so that a stored password
        which needs a pepper shows that the key is not new.
    :param is_put_back: Whether an event is gone that was there.
    """
    number = tenant.tenant_id
    if not identity.hashing.hasher.peppers:
        if head.mac:
            _log.error(
                "the audit trail of tenant %s was keyed with a pepper, and none is configured here:"
                " event %d will break it. Give every command the pepper file of the server.",
                tenant.name,
                head.sequence + 1,
            )
        return head
    if head_is_keyed(identity, number, head) and not is_put_back:
        return head
    traces = await stored.key_traces(
        connection,
        number,
        arrived=AuditEvent.AUDIT_KEYED,
        broken=AuditEvent.AUDIT_CHAIN_BROKEN,
        pruned=AuditEvent.AUDIT_PRUNED,
        with_key=WITH_KEY,
    )
    broken = (
        head.mac != ""
        or number in identity.keyed_trails
        or traces.arrived
        or (traces.any and not traces.last)
    )
    if not broken and is_checked and not traces.any:
        broken = await credentials.any_peppered(connection, number)
    if broken:
        identity.observer.trail_broken()
        _log.error(
            "the audit trail of tenant %s is broken before event %d: its head was not written with "
            "the pepper, or is an earlier one. Run `services88 audit verify`, and keep a copy of "
            "the database for evidence.",
            tenant.name,
            head.sequence + 1,
        )
    event = AuditEvent.AUDIT_CHAIN_BROKEN if broken else AuditEvent.AUDIT_KEYED
    return await _append(connection, identity, tenant, head, event, Origin(), count=head.sequence)


async def check_heads(identity: Identity) -> None:
    """Check that every trail is keyed where there is a pepper; add the event that says what is not.

    Call it when a process begins, and now and then: what was done to a trail while no event was
    written stands in it from then on. So does that a trail was put back to how it was before the
    last call.
    """
    if not identity.hashing.hasher.peppers:
        return
    for each in await stored.heads(identity.database):
        of, head = each.tenant, each.head
        is_put_back = not await _is_noted_there(identity, of.tenant_id)
        if is_put_back or not head_is_keyed(identity, of.tenant_id, head):

            async def work(
                connection: Connection, of: Tenant = of, is_put_back: bool = is_put_back
            ) -> Head:
                head = await stored.head_to_move(connection, of.tenant_id) or Head(0, GENESIS)
                return await _keyed_head(
                    connection, identity, of, head, is_checked=True, is_put_back=is_put_back
                )

            head = await identity.database.transaction(work)
        # Only what is kept is noted: an event of a transaction that is undone was never there.
        identity.keyed_trails[of.tenant_id] = head.sequence, head.hash


async def _is_noted_there(identity: Identity, tenant: int) -> bool:
    """Check that the event which was the last at the check before is there, or was pruned."""
    noted = identity.keyed_trails.get(tenant)
    if noted is None:
        return True
    sequence, its_hash = noted
    found = await stored.event_from(identity.database, tenant, sequence)
    return found is not None and (found.sequence > sequence or found.hash == its_hash)


def plain_address(address: str) -> str:
    """Keep what an address may hold: a proxy can send anything as one (ASVS 16.4.1)."""
    return _plain(address, "!")[:_LONGEST_ADDRESS]


def _plain(text: str, first: str = " ") -> str:
    return "".join(character if first <= character <= "~" else "?" for character in text)


async def tickets_ended(
    connection: Connection,
    identity: Identity,
    tenant: Tenant,
    origin: Origin,
    *,
    associate_id: int,
    by: int,
    count: int,
    reason: str,
) -> None:
    """Tell how many tickets of a user were ended; of none nothing is told."""
    if count:
        await record(
            connection,
            identity,
            tenant,
            AuditEvent.SESSION_REVOKED,
            origin,
            associate_id=associate_id,
            by=by,
            reason=reason,
            count=count,
        )


async def failed(
    identity: Identity,
    tenant: Tenant,
    event: AuditEvent,
    origin: Origin,
    *,
    reason: str,
    associate_id: int = 0,
    by: int = 0,
    name: str = "",
) -> None:
    """Write the event of a refusal, in a transaction of its own; see :func:`refusal`."""
    work = refusal(
        identity, tenant, event, origin, reason=reason, associate_id=associate_id, by=by, name=name
    )
    await identity.database.transaction(work)


def refusal(
    identity: Identity,
    tenant: Tenant,
    event: AuditEvent,
    origin: Origin,
    *,
    reason: str,
    associate_id: int = 0,
    by: int = 0,
    name: str = "",
) -> Work[None]:
    """Give the work that writes the event of a refusal into a transaction.

    :param name: What was typed; kept as a keyed hash where no user is known.
    """

    async def work(connection: Connection) -> None:
        # For a known user as well, so that both take the same time.
        name_hash = await _hash_of_name(connection, identity, tenant, key_of(name))
        await record(
            connection,
            identity,
            tenant,
            event,
            origin,
            associate_id=associate_id,
            by=by,
            reason=reason,
            name_hash=name_hash if name and not associate_id else "",
        )

    return work


@asynccontextmanager
async def refusals_told(
    identity: Identity, tenant: Tenant, origin: Origin, *, associate_id: int, by: int
) -> AsyncIterator[None]:
    """Write an event where a change of a password is refused.

    One for a wrong old password is always written whole, since that counts as a failure; others
    are counted by the minute.
    """
    try:
        yield
    except PasswordRefused as error:
        if error.reason == "throttled":
            await throttled(
                identity,
                tenant,
                "",
                origin,
                associate_id=associate_id,
                reason="throttled-change",
            )
        else:
            write = failed if error.reason == "old-password-wrong" else refused
            await write(
                identity,
                tenant,
                AuditEvent.AUTHN_PASSWORD_CHANGE_FAIL,
                origin,
                reason=" ".join((error.reason, *error.rules)),
                associate_id=associate_id,
                by=by,
            )
        raise


async def throttled(
    identity: Identity,
    tenant: Tenant,
    name_key: str,
    origin: Origin,
    *,
    associate_id: int | None = None,
    reason: str = "throttled",
) -> None:
    """Tell of an attempt that was answered without looking at the password.

    One event tells of all in a minute for a name and an address.

    :param name_key: The name as typed, in the form under which it is looked up.
    :param associate_id: The user meant; where None, whom the name means is looked up.
    """

    async def work(connection: Connection) -> None:
        known = associate_id
        if known is None:
            known = await associates.number_of(connection, tenant.tenant_id, name_key)
        name_hash = await _hash_of_name(connection, identity, tenant, name_key)
        await _count(
            connection,
            identity,
            tenant,
            AuditEvent.EXCESS_RATE_LIMIT_EXCEEDED,
            origin,
            reason=reason,
            associate_id=known,
            name_hash="" if known else name_hash,
        )

    await identity.database.transaction(work)


async def application_token_refused(
    identity: Identity, tenant: Tenant, origin: Origin, *, reason: str
) -> None:
    """Tell of a call without a good application token. One event tells of all in a minute.

    :param origin: With the number of the application, where the token was one once.
    """
    await _tell_once_a_minute(identity, tenant, AuditEvent.AUTHN_TOKEN_REFUSED, origin, reason)


async def ticket_refused(
    identity: Identity, tenant: Tenant, origin: Origin, refused: NotSignedIn
) -> None:
    """Tell of a call without a good ticket. One event tells of all in a minute."""
    expired = refused.reason == "expired"
    event = AuditEvent.SESSION_USE_AFTER_EXPIRE if expired else AuditEvent.SESSION_REFUSED
    reason = "" if expired else refused.reason
    await _tell_once_a_minute(identity, tenant, event, origin, reason, refused.associate_id)


async def ticket_not_a_name(
    identity: Identity, tenant: Tenant, origin: Origin, refused: NotSignedIn
) -> None:
    """Tell of a sign-in with a bad ticket in place of a name. One event tells of all in a minute.

    Such sign-ins have no waits, so with an event each they could fill the disk.
    """
    event, user = AuditEvent.AUTHN_LOGIN_FAIL, refused.associate_id
    await _tell_once_a_minute(identity, tenant, event, origin, "bad-ticket", user)


async def _tell_once_a_minute(
    identity: Identity,
    tenant: Tenant,
    event: AuditEvent,
    origin: Origin,
    reason: str,
    associate_id: int = 0,
) -> None:
    async def work(connection: Connection) -> None:
        await _count(
            connection, identity, tenant, event, origin, reason=reason, associate_id=associate_id
        )

    await identity.database.transaction(work)


async def refused(
    identity: Identity,
    tenant: Tenant,
    event: AuditEvent,
    origin: Origin,
    *,
    reason: str,
    associate_id: int = 0,
    by: int = 0,
) -> None:
    """Write the event of a refusal of a signed-in user that changed nothing, as :func:`counted`."""

    async def work(connection: Connection) -> None:
        await counted(
            connection,
            identity,
            tenant,
            event,
            origin,
            associate_id=associate_id,
            by=by,
            reason=reason,
        )

    await identity.database.transaction(work)


async def counted(
    connection: Connection,
    identity: Identity,
    tenant: Tenant,
    event: AuditEvent,
    origin: Origin,
    *,
    associate_id: int,
    by: int,
    reason: str = "",
) -> None:
    """Write an event of what a signed-in user can cause without end, last in a transaction.

    The first of a kind, user and address in a minute is written at once, the others of that minute
    with their number when it is over. The parameters are those of :func:`record`.
    """
    await _count(
        connection,
        identity,
        tenant,
        event,
        origin,
        reason=reason,
        associate_id=associate_id,
        by=by,
        at_once=True,
    )


async def _count(
    connection: Connection,
    identity: Identity,
    tenant: Tenant,
    event: AuditEvent,
    origin: Origin,
    *,
    reason: str,
    associate_id: int = 0,
    by: int = 0,
    name_hash: str = "",
    at_once: bool = False,
) -> None:
    await _seal(connection, identity, tenant)
    number = tenant.tenant_id
    minute, *_ = await _minute(connection, identity, number)
    pending = Pending(
        minute=minute,
        event=event.value,
        reason=_plain(" ".join(filter(None, (reason, origin.via))))[:_LONGEST_REASON],
        associate_id=associate_id,
        by_associate_id=by,
        application_token_id=origin.application_token_id,
        address=plain_address(origin.address),
        name_hash=name_hash,
    )
    if await stored.add_one(connection, number, pending):
        return
    fold = await _fold(connection, number, pending)
    if fold is not None and await stored.add_one(connection, number, fold):
        return
    # A row is made by one at a time, so that no more are made than the limits allow.
    await stored.head_to_move(connection, number)
    if await stored.add_one(connection, number, pending):
        return
    fold = await _fold(connection, number, pending)
    if fold is not None:
        if not await stored.add_one(connection, number, fold):
            await stored.insert_pending(connection, number, fold, count=1)
        return
    await stored.insert_pending(connection, number, pending, count=0 if at_once else 1)
    if at_once:
        await record(
            connection,
            identity,
            tenant,
            event,
            Origin(origin.address, origin.application_token_id),
            associate_id=associate_id,
            by=by,
            reason=pending.reason,
            name_hash=name_hash,
        )


async def _fold(connection: Connection, tenant: int, pending: Pending) -> Pending | None:
    """Return the row to count in where too much is counted apart; None where it is not."""
    own, all_alike = await stored.count_rows(connection, tenant, pending, OTHERS)
    folded = replace(pending, reason=OTHERS, application_token_id=0, address="", name_hash="")
    is_stranger = not pending.associate_id and not pending.by_associate_id
    if not is_stranger and own >= _ROWS_OF_USER:
        return folded
    if all_alike >= (_ROWS_OF_STRANGERS if is_stranger else _ROWS_OF_USERS):
        return replace(folded, associate_id=0, by_associate_id=0)
    return None


async def _minute(reader: Reader, identity: Identity, tenant: int) -> tuple[int, int, bool]:
    """Return the minute in which to count, the last one that is not too far ahead, and more.

    Of servers whose clocks differ by a little, all count in the minute of the one that is ahead:
    else each would take what the others count for over.

    :returns: At last whether something was counted in a minute that is over, or too far ahead.
    """
    now = identity.clock.now() // MINUTE
    last = now + _AHEAD
    found = await stored.minutes(reader, tenant, last)
    minute = max(now, found.newest or 0)
    if found.first is None or found.last is None:
        return minute, last, False
    return minute, last, found.first < minute or found.last > last


async def seal(identity: Identity, tenant: Tenant) -> None:
    """Write the events of what was counted in minutes that are over."""

    async def work(connection: Connection) -> int:
        return await _seal(connection, identity, tenant)

    *_, is_over = await _minute(identity.database, identity, tenant.tenant_id)
    while is_over:
        is_over = await identity.database.transaction(work) == _SEALED_AT_ONCE


async def _seal(connection: Connection, identity: Identity, tenant: Tenant) -> int:
    number, now = tenant.tenant_id, identity.clock.now()
    minute, last, is_over = await _minute(connection, identity, number)
    if not is_over:
        return 0
    # The head first: whoever begins to count takes it before the rows, too.
    await stored.head_to_move(connection, number)
    over = await stored.pending_outside(
        connection, number, first=minute, last=last, most=_SEALED_AT_ONCE
    )
    for pending, _ in over:
        await stored.remove_pending(connection, number, pending)
    for pending, count in over:
        if count:
            await record(
                connection,
                identity,
                tenant,
                AuditEvent(pending.event),
                Origin(pending.address, pending.application_token_id),
                associate_id=pending.associate_id,
                by=pending.by_associate_id,
                reason=pending.reason,
                count=count,
                name_hash=pending.name_hash,
                at=min(pending.minute * MINUTE, now),
            )
    return len(over)


async def hash_of_name(reader: Reader, identity: Identity, tenant: Tenant, name: str) -> str:
    """Give the keyed hash under which a name that no user has stands in the trail now.

    :returns: Empty where there is no key yet, so that no name was ever hashed.
    """
    key = await _name_key(reader, identity)
    return _keyed(key, tenant, key_of(name)) if key is not None else ""


async def _hash_of_name(
    connection: Connection, identity: Identity, tenant: Tenant, name_key: str
) -> str:
    key = await _name_key(connection, identity)
    if key is None:
        key = secrets.token_bytes(32)
        await tenants.put_fact(connection, _NAME_KEY, key.hex())
    return _keyed(key, tenant, name_key)


async def _name_key(reader: Reader, identity: Identity) -> bytes | None:
    """Give the key: from the current pepper, else a random one kept in the database."""
    peppers = identity.hashing.hasher.peppers
    if peppers:
        return subkey(peppers[0].key, "audit names")
    found = await tenants.get_fact(reader, _NAME_KEY)
    return bytes.fromhex(found) if found else None


def _keyed(key: bytes, tenant: Tenant, name_key: str) -> str:
    content = f"{tenant.tenant_id}:{name_key}".encode(errors="surrogatepass")
    return hmac.new(key, content, sha256).hexdigest()
