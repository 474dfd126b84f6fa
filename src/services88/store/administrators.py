"""Statements about the general administrators of a tenant."""

from sqlalchemy import bindparam, exists, select

from services88.store.credentials import PASSWORD
from services88.store.database import Connection
from services88.store.schema import (
    associate,
    credentials,
    function_right,
    function_right_role_link,
    password_failure,
    role,
    tenant,
    user_role_link,
)

__all__ = ["any_can_sign_in", "lock"]

_RESOURCE, _ANONYMOUS = 1, 7
"""Who does not count, by the documented numbers of ``associate.type``."""

_lock = (
    select(tenant.c.tenant_id)
    .where(tenant.c.tenant_id == bindparam("tenant"))
    .with_for_update(key_share=True)  # users and events can be added meanwhile
)
_any = (
    select(associate.c.associate_id)
    .join(user_role_link, user_role_link.c.associate_id == associate.c.associate_id)
    .join(role, role.c.role_id == user_role_link.c.role_id)
    .join(function_right_role_link, function_right_role_link.c.role_id == role.c.role_id)
    .join(
        function_right,
        function_right.c.function_right_id == function_right_role_link.c.function_right_id,
    )
    .where(
        associate.c.tenant_id == bindparam("tenant"),
        associate.c.type != _RESOURCE,
        associate.c.type != _ANONYMOUS,
        associate.c.deleted.is_(False),
        associate.c.waiting_for_approval.is_(False),
        role.c.deleted.is_(False),
        function_right.c.name == bindparam("right"),
        exists().where(
            credentials.c.associate_id == associate.c.associate_id,
            credentials.c.credential_type == PASSWORD,
        ),
        ~exists().where(
            password_failure.c.associate_id == associate.c.associate_id,
            password_failure.c.disabled.is_not(None),
        ),
    )
    .limit(1)
)


async def lock(connection: Connection, tenant_id: int) -> None:
    """Let no other transaction that locks this tenant pass until this one ends."""
    await connection.one(_lock, tenant=tenant_id)


async def any_can_sign_in(connection: Connection, tenant_id: int, right: str) -> bool:
    """Check whether a user has a right by the role, and a password that signs in."""
    return await connection.one(_any, tenant=tenant_id, right=right) is not None
