"""The revision that the tables of a database are at, as Alembic keeps it."""

from sqlalchemy import Column, MetaData, String, Table, select

from services88.store.database import Reader

__all__ = ["revision"]

_version = Table("alembic_version", MetaData(), Column("version_num", String(32)))
_revision = select(_version.c.version_num)


async def revision(reader: Reader) -> str | None:
    """Give the revision of the tables.

    :raises DatabaseUnavailable: The database does not answer, or has no such table.
    """
    row = await reader.one(_revision)
    return str(row[0]) if row else None
