"""Rows of ``application_token``: which applications may call an Online installation."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from services88.store.database import Connection, Reader
from services88.store.schema import application_token

__all__ = ["ApplicationToken", "add", "all_tokens", "by_secret", "name_of", "revoke"]


@dataclass(frozen=True, slots=True)
class ApplicationToken:
    """A token that was issued; the token itself is not kept."""

    application_token_id: int
    name: str
    registered: int
    revoked: int | None


_columns = (
    application_token.c.application_token_id,
    application_token.c.name,
    application_token.c.registered,
    application_token.c.revoked,
)
_by_secret = select(*_columns).where(
    application_token.c.tenant_id == bindparam("tenant"),
    application_token.c.secret == bindparam("hashed"),
)
_name = select(application_token.c.name).where(
    application_token.c.tenant_id == bindparam("tenant"),
    application_token.c.application_token_id == bindparam("id"),
)
_all = (
    select(*_columns)
    .where(application_token.c.tenant_id == bindparam("tenant"))
    .order_by(application_token.c.application_token_id)
)
_revoke = (
    update(application_token)
    .where(
        application_token.c.tenant_id == bindparam("tenant"),
        application_token.c.application_token_id == bindparam("id"),
        application_token.c.revoked.is_(None),
    )
    .values(revoked=bindparam("now"))
)


async def by_secret(reader: Reader, tenant: int, hashed: str) -> ApplicationToken | None:
    """Find a token by its hash."""
    row = await reader.one(_by_secret, tenant=tenant, hashed=hashed)
    return ApplicationToken(*row) if row else None


async def name_of(reader: Reader, tenant: int, token_id: int) -> str:
    """Give the name of the application behind a token; empty where there is no such token."""
    row = await reader.one(_name, tenant=tenant, id=token_id)
    return str(row[0]) if row else ""


async def all_tokens(reader: Reader, tenant: int) -> Sequence[ApplicationToken]:
    """List a tenant's tokens, revoked ones too."""
    return [ApplicationToken(*row) for row in await reader.all(_all, tenant=tenant)]


async def add(connection: Connection, *, tenant: int, name: str, hashed: str, now: int) -> int:
    """Store the hash of a token and give its number."""
    return await connection.insert(
        application_token, tenant_id=tenant, name=name, secret=hashed, registered=now
    )


async def revoke(connection: Connection, tenant: int, token_id: int, now: int) -> bool:
    """Revoke a token; False where there is none in force with that number."""
    return bool(await connection.execute(_revoke, tenant=tenant, id=token_id, now=now))
