"""Rows of ``reset_link``: mailed links by which a password can be changed once, as hashes."""

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, or_, select, update

from services88.store.database import Connection, Reader
from services88.store.schema import reset_link, tenant
from services88.store.tenants import Tenant

__all__ = ["LinkRow", "add", "by_secret", "delete_links", "delete_old", "use"]


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A stored link, with the tenant it belongs to."""

    reset_link_id: int
    associate_id: int
    expires: int
    used: int | None
    tenant: Tenant


_by_secret = (
    select(
        reset_link.c.reset_link_id,
        reset_link.c.associate_id,
        reset_link.c.expires,
        reset_link.c.used,
        tenant.c.tenant_id,
        tenant.c.name,
        tenant.c.company_name,
        tenant.c.is_default,
    )
    .select_from(reset_link)
    .join(tenant, tenant.c.tenant_id == reset_link.c.tenant_id)
    .where(reset_link.c.secret == bindparam("hashed"))
)
# The compare-and-swap that lets a link be used once.
_use = (
    update(reset_link)
    .where(
        reset_link.c.reset_link_id == bindparam("id"),
        reset_link.c.used.is_(None),
        reset_link.c.expires > bindparam("now"),
    )
    .values(used=bindparam("now"))
)
_newest = (
    select(reset_link.c.reset_link_id)
    .where(reset_link.c.associate_id == bindparam("associate"))
    .order_by(reset_link.c.reset_link_id.desc())
    .limit(bindparam("most"))
)
_delete_old = delete(reset_link).where(
    reset_link.c.associate_id == bindparam("associate"),
    or_(
        reset_link.c.expires <= bindparam("now"),
        reset_link.c.reset_link_id.not_in(_newest),
    ),
)
_delete_links = delete(reset_link).where(reset_link.c.associate_id == bindparam("associate"))


async def by_secret(reader: Reader, hashed: str) -> LinkRow | None:
    """Find a link by its hash."""
    row = await reader.one(_by_secret, hashed=hashed)
    if row is None:
        return None
    number, associate_id, expires, used, *of = row
    return LinkRow(number, associate_id, expires, used, Tenant(*of))


async def add(
    connection: Connection, *, tenant: int, associate_id: int, hashed: str, expires: int
) -> None:
    """Store the hash of a link."""
    await connection.insert(
        reset_link, tenant_id=tenant, associate_id=associate_id, secret=hashed, expires=expires
    )


async def use(connection: Connection, link: LinkRow, now: int) -> bool:
    """Use a link up; False where it was used or deleted since, or has expired."""
    return bool(await connection.execute(_use, id=link.reset_link_id, now=now))


async def delete_links(connection: Connection, associate_id: int) -> None:
    """Delete all links of a user, used ones too."""
    await connection.execute(_delete_links, associate=associate_id)


async def delete_old(connection: Connection, associate_id: int, *, now: int, most: int) -> None:
    """Delete the links of a user that have expired, and of the others all but the newest."""
    await connection.execute(_delete_old, associate=associate_id, now=now, most=most)
