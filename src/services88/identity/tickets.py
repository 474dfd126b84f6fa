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
from dataclasses import dataclass, field

from services88.identity.clock import HOUR, MINUTE
from services88.identity.errors import NotSignedIn
from services88.identity.identity import Caller, Identity
from services88.store import credentials
from services88.store.database import Connection
from services88.store.tenants import Tenant

__all__ = ["LIFETIME", "PREFIX", "Ticket", "issue", "looks_like_ticket", "new", "parse", "verify"]

PREFIX = "7T:"
LIFETIME = 6 * HOUR
"""Guaranteed from the last use, as documented (TicketDuration, 360 minutes)."""

_SLACK = 5 * MINUTE
"""Stored on top, so that a use needs a write only once in so long."""

_CONTENT = re.compile(r"(\{[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}\});[0-9]{1,39}")


@dataclass(frozen=True, slots=True)
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
    connection: Connection, identity: Identity, tenant: Tenant, associate_id: int
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
        until=now + LIFETIME + _SLACK,
    )
    return ticket


async def verify(identity: Identity, tenant: Tenant, text: str | None) -> Caller:
    """Find the user behind a ticket, and let the ticket live another six hours.

    :raises NotSignedIn: There is no ticket; or it is unknown to this tenant, has expired or was
        revoked; or its user may not sign in. The caller is not told which.
    """
    if text is None or not _bare(text):
        raise NotSignedIn(given=False)
    ticket = parse(text)
    if ticket is None:
        raise NotSignedIn(given=True)
    row = await credentials.ticket(identity.database, tenant.tenant_id, ticket.key)
    now = identity.clock.now()
    if (
        row is None
        or not hmac.compare_digest(row.secret, ticket.secret)
        or row.valid_to <= now
        or row.deleted
        or row.waiting_for_approval
    ):
        raise NotSignedIn(given=True)
    if row.valid_to - now < LIFETIME:
        found = row.credentials_id

        async def renew(connection: Connection) -> None:
            await credentials.renew_ticket(
                connection, found, now=now, until=now + LIFETIME + _SLACK
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
