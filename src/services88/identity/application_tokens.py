"""Application tokens: which applications may call an Online installation.

A token is shown once, when it is issued; stored is a hash. It holds 256 random bits, so a plain
SHA-256 protects it and no password hash is needed.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from services88.identity import audit
from services88.identity.audit import AuditEvent, record
from services88.identity.errors import ApplicationTokenRefused, BadInput
from services88.identity.identity import Identity, Origin
from services88.identity.names import check_text
from services88.store import application_tokens
from services88.store.application_tokens import ApplicationToken
from services88.store.database import Connection
from services88.store.tenants import Tenant

__all__ = ["Issued", "hashed", "issue", "listing", "revoke", "verify"]


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token. This is the only time that its text is known."""

    application_token_id: int
    text: str = field(repr=False)


def hashed(text: str) -> str:
    """Give what is stored of a token."""
    return hashlib.sha256(text.encode()).hexdigest()


async def issue(identity: Identity, tenant: Tenant, name: str) -> Issued:
    """Issue a token for an application.

    :raises BadInput: The application has no name, too long a one, or one that is not possible.
    """
    name = name.strip()
    if not 0 < len(name) <= 99:
        raise BadInput("Name the application that gets the token, in 1 to 99 characters.")
    check_text(name, "The name of an application", 99)
    text = secrets.token_urlsafe(32)

    async def work(connection: Connection) -> int:
        token_id = await application_tokens.add(
            connection,
            tenant=tenant.tenant_id,
            name=name,
            hashed=hashed(text),
            now=identity.clock.now(),
        )
        event, origin = AuditEvent.AUTHN_TOKEN_CREATED, Origin(application_token_id=token_id)
        await record(connection, identity, tenant, event, origin, associate_id=0, by=0)
        return token_id

    return Issued(await identity.database.transaction(work), text)


async def listing(identity: Identity, tenant: Tenant) -> Sequence[ApplicationToken]:
    """List a tenant's tokens, revoked ones too."""
    return await application_tokens.all_tokens(identity.database, tenant.tenant_id)


async def revoke(identity: Identity, tenant: Tenant, token_id: int) -> None:
    """Revoke a token; calls with it are refused from now on.

    :raises BadInput: The tenant has no such token in force.
    """

    async def work(connection: Connection) -> bool:
        now = identity.clock.now()
        done = await application_tokens.revoke(connection, tenant.tenant_id, token_id, now)
        if done:
            event, origin = AuditEvent.AUTHN_TOKEN_REVOKED, Origin(application_token_id=token_id)
            await record(connection, identity, tenant, event, origin, associate_id=0, by=0)
        return done

    if not await identity.database.transaction(work):
        raise BadInput(f"Tenant {tenant.name} has no application token {token_id} in force.")


async def verify(identity: Identity, tenant: Tenant, text: str | None, address: str = "") -> int:
    """Give the number of the application behind a token; refusals are told in the audit trail.

    :param address: Where the call comes from.
    :raises ApplicationTokenRefused: There is no token, or none of this tenant that is in force.
    """
    text = (text or "").strip()
    if not text:
        await audit.application_token_refused(identity, tenant, Origin(address), reason="missing")
        raise ApplicationTokenRefused(given=False)
    found = await application_tokens.by_secret(identity.database, tenant.tenant_id, hashed(text))
    if found is None or found.revoked is not None:
        origin = Origin(address, found.application_token_id if found else 0)
        reason = "revoked" if found else "unknown"
        await audit.application_token_refused(identity, tenant, origin, reason=reason)
        raise ApplicationTokenRefused(given=True)
    return found.application_token_id
