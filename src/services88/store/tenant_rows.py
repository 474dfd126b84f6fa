"""All rows of a tenant, whatever their table: reading, putting back, deleting.

Which tables a tenant has rows in, and how a row is found to be its, follows from the schema: by
``tenant_id``, or by the user or the role that the row belongs to.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, ColumnElement, Table, bindparam, delete, select

from services88.store.database import Connection, Reader
from services88.store.schema import (
    associate,
    audit_event,
    audit_head,
    audit_pending,
    function_right,
    installation,
    metadata,
    person,
    request_counter,
    role,
    tenant,
)

__all__ = ["NOBODYS", "TenantRows", "delete_all", "delete_user", "read", "replace"]

TenantRows: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by table and column."""

NOBODYS = frozenset({installation.name, function_right.name, request_counter.name})
"""Tables that belong to the whole installation."""

# The audit trail only ever grows: putting earlier rows back does not undo what it tells.
_AUDIT = frozenset({audit_event.name, audit_head.name, audit_pending.name})


def _of_tenant(table: Table) -> ColumnElement[bool]:
    given: BindParameter[int] = bindparam("tenant")
    if "tenant_id" in table.c:
        return table.c.tenant_id == given
    for owner, key in ((associate, "associate_id"), (role, "role_id")):
        if key in table.c:
            owned = select(owner.c[key]).where(owner.c.tenant_id == given)
            return table.c[key].in_(owned)
    raise LookupError(f"nothing says to which tenant a row of {table.name} belongs")


# Parents before children, as the foreign keys ask.
_tables = [table for table in metadata.sorted_tables if table.name not in NOBODYS]
_kept = [table for table in _tables if table.name not in _AUDIT and table is not tenant]
_read = {table.name: select(table).where(_of_tenant(table)) for table in _kept}
_delete = {table.name: delete(table).where(_of_tenant(table)) for table in _tables}
# Children first, and of them first those that are found by their user or role.
_deleted = [
    *(table for table in reversed(_tables) if "tenant_id" not in table.c),
    *(table for table in reversed(_tables) if "tenant_id" in table.c),
]
_delete_of_user = {
    table.name: delete(table).where(table.c.associate_id == bindparam("associate"))
    for table in _kept
    if "associate_id" in table.c
}
_delete_person = delete(person).where(person.c.person_id == bindparam("person"))


async def read(reader: Reader, tenant_id: int) -> TenantRows:
    """Read all rows of a tenant but its own and the audit trail's."""
    found: dict[str, Sequence[Mapping[str, Any]]] = {}
    for table in _kept:
        names = [column.name for column in table.columns]
        rows = await reader.all(_read[table.name], tenant=tenant_id)
        found[table.name] = [dict(zip(names, row, strict=True)) for row in rows]
    return found


async def replace(connection: Connection, tenant_id: int, rows: TenantRows) -> None:
    """Put rows that :func:`read` gave in place of those there are now. The audit trail stays."""
    for table in _deleted:
        if table in _kept:
            await connection.execute(_delete[table.name], tenant=tenant_id)
    for table in _kept:
        for row in rows[table.name]:
            await connection.insert(table, **row)


async def delete_all(connection: Connection, tenant_id: int) -> None:
    """Delete a tenant with all it has, the audit trail too."""
    for table in _deleted:
        await connection.execute(_delete[table.name], tenant=tenant_id)


async def delete_user(connection: Connection, *, associate_id: int, person_id: int) -> None:
    """Delete a user and the person behind, with all they have; the audit trail stays."""
    for table in reversed(_kept):
        if table.name in _delete_of_user:
            await connection.execute(_delete_of_user[table.name], associate=associate_id)
    await connection.execute(_delete_person, person=person_id)
