"""Rows of ``preference``: what a tenant has chosen."""

from sqlalchemy import bindparam, delete, select

from services88.store.database import Connection, Reader
from services88.store.schema import preference

__all__ = ["in_section", "put", "remove"]

_in_section = select(preference.c.key, preference.c.value).where(
    preference.c.tenant_id == bindparam("tenant"), preference.c.section == bindparam("of")
)
_remove = delete(preference).where(
    preference.c.tenant_id == bindparam("tenant"),
    preference.c.section == bindparam("of"),
    preference.c.key == bindparam("named"),
)


async def in_section(reader: Reader, tenant: int, section: str) -> dict[str, str]:
    """Read all preferences of a section."""
    return {row[0]: row[1] for row in await reader.all(_in_section, tenant=tenant, of=section)}


async def put(connection: Connection, tenant: int, section: str, key: str, value: str) -> None:
    """Write a preference in place of the one that is there."""
    await remove(connection, tenant, section, key)
    await connection.insert(preference, tenant_id=tenant, section=section, key=key, value=value)


async def remove(connection: Connection, tenant: int, section: str, key: str) -> None:
    """Remove a preference, if it is there."""
    await connection.execute(_remove, tenant=tenant, of=section, named=key)
