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
    SHARED_EMAIL = "shared"
    """Of several users, the first of whom has the row; it signs nobody in."""
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
_with_email = (
    select(associate.c.associate_id)
    .select_from(person)
    .join(associate, associate.c.person_id == person.c.person_id)
    .where(
        person.c.tenant_id == bindparam("tenant"),
        person.c.email_key == bindparam("key"),
        associate.c.associate_id != bindparam("but"),
    )
    .order_by(associate.c.associate_id)
    .limit(2)
)
_email_of = (
    select(person.c.email_key)
    .join(associate, associate.c.person_id == person.c.person_id)
    .where(associate.c.associate_id == bindparam("associate"))
)


async def owner(reader: Reader, tenant: int, key: str) -> tuple[int, NameKind] | None:
    """Find whose a normalised name is, and what it is to that user."""
    row = await reader.one(_owner, tenant=tenant, key=key)
    return (row[0], NameKind(row[1])) if row else None


async def put(
    connection: Connection,
    tenant: int,
    associate_id: int,
    names: Mapping[str, NameKind],
    *,
    former_email: str = "",
) -> None:
    """Let a user have exactly some names, by their keys.

    An e-mail address that several users have is nobody's to sign in by. Call it after the rows of
    the user and the person are written.

    :param former_email: The key of the e-mail address that the user had before.
    :raises Conflict: Another user has one of the names, or got one at the same time.
    """
    had = {
        row[0]: NameKind(row[1]) for row in await connection.all(_names_of, associate=associate_id)
    }
    # In one order, so that two who want the same names do not wait for each other.
    for key in sorted({*had, *names, former_email} - {""}):
        kind = names.get(key)
        if kind is None:
            await _settle(connection, tenant, key, associate_id)
        elif key in had:
            if (had[key], kind) != (NameKind.SHARED_EMAIL, NameKind.EMAIL):
                await connection.execute(_set_kind, tenant=tenant, key=key, to=kind)
        elif kind is not NameKind.EMAIL or not await _shared(connection, tenant, key):
            await _insert(connection, tenant, key, associate_id, kind)


async def release(connection: Connection, tenant: int, associate_id: int) -> None:
    """Take all names from a user who is about to be deleted."""
    row = await connection.one(_email_of, associate=associate_id)
    await put(connection, tenant, associate_id, {}, former_email=row[0] if row else "")


async def _shared(connection: Connection, tenant: int, key: str) -> bool:
    """Make an e-mail address nobody's that is another user's now; False where nobody has it."""
    found = await owner(connection, tenant, key)
    if found is None:
        return False
    if found[1] is not NameKind.EMAIL:
        return True
    shared = NameKind.SHARED_EMAIL
    return bool(await connection.execute(_set_kind, tenant=tenant, key=key, to=shared))


async def _settle(connection: Connection, tenant: int, key: str, but: int) -> None:
    """Let those who have a key as e-mail address have it, which one user does not any more."""
    found = await owner(connection, tenant, key)
    if found is not None:
        if found[0] != but and found[1] in (NameKind.USER_NAME, NameKind.NICK_NAME):
            return
        await connection.execute(_delete, tenant=tenant, key=key)
    holders = await connection.all(_with_email, tenant=tenant, key=key, but=but)
    if holders:
        kind = NameKind.EMAIL if len(holders) == 1 else NameKind.SHARED_EMAIL
        await _insert(connection, tenant, key, holders[0][0], kind)


async def _insert(
    connection: Connection, tenant: int, key: str, associate_id: int, kind: NameKind
) -> None:
    await connection.insert(
        sign_in_name, tenant_id=tenant, name_key=key, associate_id=associate_id, kind=kind
    )
