"""Tickets: what a signed-in user shows at every later call.

A ticket is ``7T:`` and the base64 of ``{GUID};number``, as documented. The GUID is 128 random bits
and the key under which the ticket is found; the number is another 128 and the secret (ASVS 7.2.3
asks for 128, NIST SP 800-63B-4 5.1 for 64). Stored is only a hash of the whole, from which the
ticket cannot be derived.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from services88.identity.audit import plain_address, tickets_ended
from services88.identity.clock import HOUR, MINUTE
from services88.identity.errors import NotSignedIn
from services88.identity.identity import Caller, Identity, Origin
from services88.store import credentials
from services88.store.associates import Associate
from services88.store.credentials import LiveTicketRow
from services88.store.database import Connection
from services88.store.tenants import Tenant

__all__ = [
    "LIFETIME",
    "LONGEST",
    "PREFIX",
    "Ticket",
    "check_again",
    "issue",
    "listing",
    "looks_like_ticket",
    "new",
    "parse",
    "revoke",
    "revoke_numbered",
    "verify",
]

PREFIX = "7T:"
LIFETIME = 6 * HOUR
"""Guaranteed from the last use, as documented (TicketDuration, 360 minutes)."""

_SLACK = 5 * MINUTE
"""Stored on top, so that a use needs a write only once in so long."""

LONGEST = LIFETIME + _SLACK
"""That a ticket is stored to live from now. One that lives longer was issued by a clock that ran
ahead: it is cut at its next use, and by every server once a minute."""

_CONTENT = re.compile(r"(\{[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}\});[0-9]{1,39}")


@dataclass(slots=True)
class Ticket:
    """A ticket, well-formed; whether it is valid only the database says."""

    text: str = field(repr=False)
    key: str

    @property
    def secret(self) -> str:
        """What is stored of it: ``7S:`` and a SHA-256 of the whole."""
        digest = hashlib.sha256(self.text.encode()).digest()
        return "7S:" + base64.b64encode(digest).decode()


def new() -> Ticket:
    """Make a ticket that nobody can guess."""
    key = "{" + str(uuid.UUID(bytes=secrets.token_bytes(16))).upper() + "}"
    content = f"{key};{secrets.randbits(128)}"
    return Ticket(PREFIX + base64.b64encode(content.encode()).decode(), key)


def looks_like_ticket(text: str) -> bool:
    """Say whether a text is meant as a ticket, valid or not."""
    return _bare(text).startswith(PREFIX)


def parse(text: str) -> Ticket | None:
    """Read a ticket, ignoring U+FEFF and blanks around it; None where it is none of ours."""
    bare = _bare(text)
    if not bare.startswith(PREFIX):
        return None
    try:
        content = base64.b64decode(bare[len(PREFIX) :], validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    match = _CONTENT.fullmatch(content)
    return Ticket(bare, match[1]) if match else None


def _bare(text: str) -> str:
    return text.strip("\ufeff \t\r\n")


async def issue(
    connection: Connection, identity: Identity, tenant: Tenant, associate_id: int, origin: Origin
) -> Ticket:
    """Store a new ticket for a user, and clear away some that have expired."""
    ticket = new()
    now = identity.clock.now()
    await credentials.delete_expired_tickets(connection, tenant.tenant_id, now)
    await credentials.add_ticket(
        connection,
        tenant=tenant.tenant_id,
        associate_id=associate_id,
        key=ticket.key,
        secret=ticket.secret,
        now=now,
        until=now + LONGEST,
        address=plain_address(origin.address),
        application_token_id=origin.application_token_id,
    )
    return ticket


async def verify(identity: Identity, tenant: Tenant, text: str | None, address: str = "") -> Caller:
    """Find the user behind a ticket, and let the ticket live another six hours.

    :param address: Where the call comes from.
    :raises NotSignedIn: There is no ticket; or it is unknown to this tenant, has expired or was
        revoked; or its user may not sign in. The caller is not told which.
    """
    if text is None or not _bare(text):
        raise NotSignedIn(given=False)
    ticket = parse(text)
    if ticket is None:
        raise NotSignedIn(given=True, reason="malformed")
    row = await credentials.ticket(identity.database, tenant.tenant_id, ticket.key)
    now = identity.clock.now()
    if row is None or not hmac.compare_digest(row.secret, ticket.secret):
        raise NotSignedIn(given=True)
    if row.valid_to <= now:
        raise NotSignedIn(given=True, reason="expired", associate_id=row.associate_id)
    if row.deleted or row.waiting_for_approval:
        reason = "retired" if row.deleted else "not-approved"
        raise NotSignedIn(given=True, reason=reason, associate_id=row.associate_id)
    if not LIFETIME <= row.valid_to - now <= LONGEST + MINUTE:
        found = row.credentials_id

        async def renew(connection: Connection) -> None:
            await credentials.renew_ticket(
                connection,
                found,
                now=now,
                until=now + LONGEST,
                latest=now + LONGEST + MINUTE,
                address=plain_address(address),
            )

        await identity.database.transaction(renew)
    return Caller(
        tenant=tenant,
        associate_id=row.associate_id,
        name=row.name,
        type=row.type,
        role_id=row.role_id or 0,
        ticket_key=ticket.key,
        ticket_id=row.credentials_id,
    )


async def check_again(connection: Connection, caller: Caller) -> None:
    """Refuse, within the transaction that changes something, a caller whose ticket ended since.

    :raises NotSignedIn: It did, or its user may not sign in any more.
    """
    row = await credentials.ticket(connection, caller.tenant.tenant_id, caller.ticket_key)
    if row is None or row.deleted or row.waiting_for_approval:
        raise NotSignedIn(given=True)


async def listing(
    identity: Identity, tenant: Tenant, user: Associate | None = None
) -> Sequence[LiveTicketRow]:
    """List the valid tickets of a user, or of the whole tenant; nothing they are made of."""
    return await credentials.live_tickets(
        identity.database,
        tenant.tenant_id,
        identity.clock.now(),
        associate_id=user.associate_id if user else None,
    )


async def revoke(
    identity: Identity,
    tenant: Tenant,
    user: Associate | None = None,
    *,
    caller: Caller | None = None,
    origin: Origin | None = None,
) -> int:
    """End all tickets of a user, or of the whole tenant, at once and on every server (ASVS 7.4.5).

    :param caller: The administrator who does it; None for the command line.
    :returns: How many were valid.
    """
    return await _revoke(
        identity, tenant, user.associate_id if user else None, None, caller, origin
    )


async def revoke_numbered(
    identity: Identity,
    tenant: Tenant,
    numbers: set[int],
    *,
    associate_id: int | None = None,
    caller: Caller | None = None,
    origin: Origin | None = None,
) -> int:
    """End the tickets of some numbers; those that are not valid ones of the tenant are left out.

    :param associate_id: Leave out those of others than this user as well.
    :param caller: Who does it; None for the command line.
    :returns: How many were valid.
    """
    return await _revoke(identity, tenant, associate_id, numbers, caller, origin)


async def _revoke(
    identity: Identity,
    tenant: Tenant,
    associate_id: int | None,
    numbers: set[int] | None,
    caller: Caller | None,
    origin: Origin | None,
) -> int:
    async def work(connection: Connection) -> int:
        if caller is not None:
            await check_again(connection, caller)
        found = await credentials.live_tickets(
            connection, tenant.tenant_id, identity.clock.now(), associate_id=associate_id
        )
        ended: dict[int, int] = {}
        for row in found:
            if numbers is not None and row.credentials_id not in numbers:
                continue
            if await credentials.delete_ticket(connection, tenant.tenant_id, row.credentials_id):
                ended[row.associate_id] = ended.get(row.associate_id, 0) + 1
        for owner, count in ended.items():
            await tickets_ended(
                connection,
                identity,
                tenant,
                origin or Origin(),
                associate_id=owner,
                by=caller.associate_id if caller else 0,
                count=count,
                reason=_reason(caller, owner),
            )
        return sum(ended.values())

    return await identity.database.transaction(work)


def _reason(caller: Caller | None, owner: int) -> str:
    if caller is None:
        return "operator"
    return "signed-out" if caller.associate_id == owner else "administrator"
