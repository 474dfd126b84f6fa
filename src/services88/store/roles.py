"""Rows of ``role`` and the functional rights linked to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from services88.store.database import Connection, Reader
from services88.store.schema import function_right, function_right_role_link, role

__all__ = ["Role", "add", "all_roles", "holds", "right_id", "rights_of"]


@dataclass(frozen=True, slots=True)
class Role:
    """What a user may do."""

    role_id: int
    name: str
    tooltip: str
    is_default: bool


_all = (
    select(role.c.role_id, role.c.name, role.c.tooltip, role.c.is_default)
    .where(role.c.tenant_id == bindparam("tenant"), role.c.deleted.is_(False))
    .order_by(role.c.rank, role.c.role_id)
)
_rights_of = (
    select(function_right.c.name)
    .join(
        function_right_role_link,
        function_right_role_link.c.function_right_id == function_right.c.function_right_id,
    )
    .where(function_right_role_link.c.role_id == bindparam("role"))
    .order_by(function_right.c.name)
)
_holds = (
    select(role.c.role_id)
    .join(function_right_role_link, function_right_role_link.c.role_id == role.c.role_id)
    .join(
        function_right,
        function_right.c.function_right_id == function_right_role_link.c.function_right_id,
    )
    .where(
        role.c.tenant_id == bindparam("tenant"),
        role.c.role_id == bindparam("role"),
        function_right.c.name == bindparam("name"),
    )
)
_right_id = select(function_right.c.function_right_id).where(
    function_right.c.name == bindparam("name")
)


async def all_roles(reader: Reader, tenant: int) -> Sequence[Role]:
    """List a tenant's roles."""
    return [Role(*row) for row in await reader.all(_all, tenant=tenant)]


async def rights_of(reader: Reader, role_id: int) -> list[str]:
    """List the code names of a role's functional rights, sorted."""
    return [row[0] for row in await reader.all(_rights_of, role=role_id)]


async def holds(reader: Reader, tenant: int, role_id: int, right: str) -> bool:
    """Check whether a role of a tenant has a functional right."""
    return await reader.one(_holds, tenant=tenant, role=role_id, name=right) is not None


async def right_id(reader: Reader, name: str) -> int | None:
    """Return the id of a functional right; None where there is none of that name."""
    row = await reader.one(_right_id, name=name)
    return row[0] if row else None


async def add(
    connection: Connection,
    *,
    tenant: int,
    name: str,
    tooltip: str,
    is_default: bool,
    rights: Sequence[str],
) -> int:
    """Insert a role with its functional rights."""
    role_id = await connection.insert(
        role, tenant_id=tenant, name=name, tooltip=tooltip, is_default=is_default
    )
    for right in rights:
        found = await right_id(connection, right)
        if found is None:
            raise LookupError(f"no functional right is named {right}")
        await connection.insert(function_right_role_link, role_id=role_id, function_right_id=found)
    return role_id
