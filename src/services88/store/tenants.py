"""Rows of ``tenant`` and ``installation``."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from services88.store.database import Connection, Reader
from services88.store.schema import installation, tenant

__all__ = ["Tenant", "add", "all_tenants", "by_key", "default", "get_fact", "put_fact"]


@dataclass(frozen=True, slots=True)
class Tenant:
    """One customer's part of the installation; the path segment names it."""

    tenant_id: int
    name: str
    company_name: str
    is_default: bool


_columns = (tenant.c.tenant_id, tenant.c.name, tenant.c.company_name, tenant.c.is_default)
_by_key = select(*_columns).where(tenant.c.name_key == bindparam("key"))
_default = select(*_columns).where(tenant.c.is_default)
_all = select(*_columns).order_by(tenant.c.tenant_id)
_fact = select(installation.c.value).where(installation.c.key == bindparam("name"))


async def by_key(reader: Reader, key: str) -> Tenant | None:
    """Find a tenant by its normalised name."""
    row = await reader.one(_by_key, key=key)
    return Tenant(*row) if row else None


async def default(reader: Reader) -> Tenant:
    """Give the tenant that the first migration made."""
    row = await reader.one(_default)
    if row is None:
        raise LookupError("the database has no default tenant")
    return Tenant(*row)


async def all_tenants(reader: Reader) -> Sequence[Tenant]:
    """List all tenants, oldest first."""
    return [Tenant(*row) for row in await reader.all(_all)]


async def add(connection: Connection, *, name: str, key: str, company: str, now: int) -> int:
    """Insert a tenant and give its number."""
    return await connection.insert(
        tenant, name=name, name_key=key, company_name=company, is_default=False, registered=now
    )


async def get_fact(reader: Reader, name: str) -> str | None:
    """Read a fact about this database."""
    row = await reader.one(_fact, name=name)
    return str(row[0]) if row else None


async def put_fact(connection: Connection, name: str, value: str) -> None:
    """Write down a fact about this database, once."""
    await connection.insert(installation, key=name, value=value)
