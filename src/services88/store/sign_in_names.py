"""Rows of ``sign_in_name``: one name space a tenant for what signs a user in.

Its primary key holds the invariant: a user name, e-mail address or nick name has one owner,
whoever adds, renames or imports at the same time.
"""

from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy import bindparam, delete, select, update

from services88.store.database import Connection, Reader
from services88.store.schema import associate, person, sign_in_name

__all__ = ["NameKind", "owner", "put", "release"]


class NameKind(StrEnum):
    """What a user has a name as. The values are stored."""

    USER_NAME = "name"
    EMAIL = "email"
    NICK_NAME = "nick"
    """Reserved for its owner; it signs nobody in."""


_of_key = (
    sign_in_name.c.tenant_id == bindparam("tenant"),
    sign_in_name.c.name_key == bindparam("key"),
)
_owner = select(sign_in_name.c.associate_id, sign_in_name.c.kind).where(*_of_key)
_names_of = select(sign_in_name.c.name_key, sign_in_name.c.kind).where(
    sign_in_name.c.associate_id == bindparam("associate")
)
_delete = delete(sign_in_name).where(*_of_key)
_set_kind = update(sign_in_name).where(*_of_key).values(kind=bindparam("to"))
_next_with_email = (
    select(associate.c.associate_id)
    .select_from(person)
    .join(associate, associate.c.person_id == person.c.person_id)
    .where(
        person.c.tenant_id == bindparam("tenant"),
        person.c.email_key == bindparam("key"),
        associate.c.associate_id != bindparam("but"),
    )
    .order_by(associate.c.deleted, associate.c.associate_id)
    .limit(1)
)


async def owner(reader: Reader, tenant: int, key: str) -> tuple[int, NameKind] | None:
    """Find whose a normalised name is, and what it is to that user."""
    row = await reader.one(_owner, tenant=tenant, key=key)
    return (row[0], NameKind(row[1])) if row else None


async def put(
    connection: Connection, tenant: int, associate_id: int, names: Mapping[str, NameKind]
) -> None:
    """Let a user have exactly some names, by their keys.

    An e-mail address that another user has stays theirs. Call it after the rows of the user and
    the person are written.

    :raises Conflict: Another user has one of the others.
    """
    had = {
        row[0]: NameKind(row[1]) for row in await connection.all(_names_of, associate=associate_id)
    }
    # In one order, so that of two who want the same names none waits for the other.
    for key in sorted(set(had) | set(names)):
        kind = names.get(key)
        if kind is None:
            await connection.execute(_delete, tenant=tenant, key=key)
            await _pass_on(connection, tenant, key, associate_id)
        elif key in had:
            if had[key] is not kind:
                await connection.execute(_set_kind, tenant=tenant, key=key, to=kind)
        elif kind is not NameKind.EMAIL or await owner(connection, tenant, key) is None:
            await _insert(connection, tenant, key, associate_id, kind)


async def release(connection: Connection, tenant: int, associate_id: int) -> None:
    """Take all names from a user who is about to be deleted."""
    await put(connection, tenant, associate_id, {})


async def _pass_on(connection: Connection, tenant: int, key: str, from_associate: int) -> None:
    """Let the next user have an e-mail address that was another's until now."""
    row = await connection.one(_next_with_email, tenant=tenant, key=key, but=from_associate)
    if row is not None:
        await _insert(connection, tenant, key, row[0], NameKind.EMAIL)


async def _insert(
    connection: Connection, tenant: int, key: str, associate_id: int, kind: NameKind
) -> None:
    await connection.insert(
        sign_in_name, tenant_id=tenant, name_key=key, associate_id=associate_id, kind=kind
    )
