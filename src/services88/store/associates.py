"""Rows of ``associate`` with the person, role and groups behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select, update

from services88.store.database import Connection, Reader
from services88.store.schema import (
    associate,
    person,
    role,
    sign_in_name,
    user_group_link,
    user_role_link,
)

__all__ = [
    "Associate",
    "add",
    "after",
    "all_associates",
    "by_id",
    "by_name",
    "by_sign_in_name",
    "count",
    "groups_of",
    "lock",
    "number_of",
    "set_deleted",
    "set_invited",
    "signed_in",
    "was_invited",
]


@dataclass(frozen=True, slots=True)
class Associate:
    """A user, with person and role."""

    associate_id: int
    tenant_id: int
    name: str
    type: int
    deleted: bool
    waiting_for_approval: bool
    group_idx: int
    ej_user_id: int
    tooltip: str
    lastlogin: int | None
    nick_name: str
    person_id: int
    firstname: str
    middle_name: str
    lastname: str
    email: str
    contact_id: int
    country_id: int
    role_id: int
    role_name: str
    role_tooltip: str
    role_type: int

    @property
    def full_name(self) -> str:
        """The person's name, in the order it is spoken."""
        return " ".join(part for part in (self.firstname, self.middle_name, self.lastname) if part)

    @property
    def may_sign_in(self) -> bool:
        """Whether neither retired nor waiting for approval."""
        return not (self.deleted or self.waiting_for_approval)


def _select() -> Select[*tuple[Any, ...]]:
    def text(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.coalesce(column, "")

    def number(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.coalesce(column, 0)

    return (
        select(
            associate.c.associate_id,
            associate.c.tenant_id,
            associate.c.name,
            associate.c.type,
            associate.c.deleted,
            associate.c.waiting_for_approval,
            associate.c.group_idx,
            associate.c.ej_user_id,
            associate.c.tooltip,
            associate.c.lastlogin,
            associate.c.nick_name,
            number(associate.c.person_id),
            text(person.c.firstname),
            text(person.c.middle_name),
            text(person.c.lastname),
            text(person.c.email),
            number(person.c.contact_id),
            number(person.c.country_id),
            number(role.c.role_id),
            text(role.c.name),
            text(role.c.tooltip),
            number(role.c.role_type),
        )
        .select_from(associate)
        .outerjoin(person, person.c.person_id == associate.c.person_id)
        .outerjoin(user_role_link, user_role_link.c.associate_id == associate.c.associate_id)
        .outerjoin(role, role.c.role_id == user_role_link.c.role_id)
        .where(associate.c.tenant_id == bindparam("tenant"))
    )


_by_name = _select().where(associate.c.name_key == bindparam("key"))
_by_id = _select().where(associate.c.associate_id == bindparam("associate"))
# A nick name is reserved, and signs nobody in.
_is_meant = (
    sign_in_name.c.tenant_id == bindparam("tenant"),
    sign_in_name.c.name_key == bindparam("key"),
    sign_in_name.c.kind != "nick",
)
_by_sign_in_name = (
    _select()
    .join(sign_in_name, sign_in_name.c.associate_id == associate.c.associate_id)
    .where(*_is_meant)
)
# Always one row, so that it takes the same time whether there is anybody.
_number_of = select(func.coalesce(func.max(sign_in_name.c.associate_id), 0)).where(*_is_meant)
_all = _select().order_by(associate.c.name_key)
_after = (
    _select()
    .where(associate.c.name_key > bindparam("key"))
    .order_by(associate.c.name_key)
    .limit(bindparam("most"))
)
_count = select(func.count()).select_from(associate)
_groups = (
    select(user_group_link.c.user_group_id)
    .where(user_group_link.c.associate_id == bindparam("associate"))
    .order_by(user_group_link.c.user_group_id)
)
# Blocks what would lock the same row, but no insertion of rows that refer to it.
_lock = (
    select(associate.c.associate_id)
    .where(associate.c.associate_id == bindparam("associate"))
    .with_for_update(key_share=True)
)
_was_invited = select(associate.c.invited).where(associate.c.associate_id == bindparam("associate"))
_set_invited = (
    update(associate)
    .where(associate.c.associate_id == bindparam("associate"))
    .values(invited=bindparam("at"))
)
_set_deleted = (
    update(associate)
    .where(
        associate.c.associate_id == bindparam("associate"),
        associate.c.deleted != bindparam("to"),
    )
    .values(deleted=bindparam("to"))
)
_set_person_retired = (
    update(person).where(person.c.person_id == bindparam("person")).values(retired=bindparam("to"))
)
_signed_in = (
    update(associate)
    .where(
        associate.c.associate_id == bindparam("associate"),
        associate.c.deleted.is_(False),
        associate.c.waiting_for_approval.is_(False),
    )
    .values(lastlogin=bindparam("now"))
)


async def by_name(reader: Reader, tenant: int, key: str) -> Associate | None:
    """Find a user by normalised sign-in name."""
    row = await reader.one(_by_name, tenant=tenant, key=key)
    return Associate(*row) if row else None


async def by_id(reader: Reader, tenant: int, associate_id: int) -> Associate | None:
    """Find a user by number."""
    row = await reader.one(_by_id, tenant=tenant, associate=associate_id)
    return Associate(*row) if row else None


async def by_sign_in_name(reader: Reader, tenant: int, key: str) -> Associate | None:
    """Find the user whom a normalised name or e-mail address signs in. One look-up by a key."""
    row = await reader.one(_by_sign_in_name, tenant=tenant, key=key)
    return Associate(*row) if row else None


async def number_of(reader: Reader, tenant: int, key: str) -> int:
    """Return the number of the user whom a normalised name or e-mail address signs in, or 0.

    It takes the same time whether there is one (ASVS 6.3.8).
    """
    row = await reader.one(_number_of, tenant=tenant, key=key)
    return int(row[0]) if row else 0


async def all_associates(reader: Reader, tenant: int) -> Sequence[Associate]:
    """List a tenant's users by name."""
    return [Associate(*row) for row in await reader.all(_all, tenant=tenant)]


async def after(reader: Reader, tenant: int, key: str, most: int) -> Sequence[Associate]:
    """List the first of a tenant's users whose name comes after a key, by name."""
    rows = await reader.all(_after, tenant=tenant, key=key, most=most)
    return [Associate(*row) for row in rows]


async def count(reader: Reader) -> int:
    """Count the users of all tenants."""
    row = await reader.one(_count)
    return int(row[0]) if row else 0


async def groups_of(reader: Reader, associate_id: int) -> list[int]:
    """List the numbers of a user's groups other than the primary one."""
    return [row[0] for row in await reader.all(_groups, associate=associate_id)]


async def add(
    connection: Connection,
    *,
    tenant: int,
    name: str,
    name_key: str,
    type: int,
    role_id: int,
    firstname: str,
    lastname: str,
    email: str,
    email_key: str,
    nick_name: str,
    nick_key: str,
    now: int,
) -> int:
    """Insert a person and the user that it is, and give the user's number."""
    person_id = await connection.insert(
        person,
        tenant_id=tenant,
        firstname=firstname,
        lastname=lastname,
        email=email,
        email_key=email_key,
    )
    associate_id = await connection.insert(
        associate,
        tenant_id=tenant,
        name=name,
        name_key=name_key,
        type=type,
        person_id=person_id,
        nick_name=nick_name,
        nick_key=nick_key or None,
        registered=now,
    )
    await connection.insert(user_role_link, associate_id=associate_id, role_id=role_id)
    return associate_id


async def lock(connection: Connection, associate_id: int) -> None:
    """Let no other transaction that locks this user pass until this one ends.

    What is read after it and then acted on cannot change in between, where all who change it lock.
    """
    await connection.one(_lock, associate=associate_id)


async def was_invited(reader: Reader, associate_id: int) -> bool:
    """Check whether an administrator let a user choose a password by mail."""
    row = await reader.one(_was_invited, associate=associate_id)
    return row is not None and row[0] is not None


async def set_invited(connection: Connection, associate_id: int, at: int | None) -> None:
    """Note when an administrator let a user choose a password by mail; None takes it back."""
    await connection.execute(_set_invited, associate=associate_id, at=at)


async def set_deleted(connection: Connection, user: Associate, to: bool) -> bool:
    """Retire or un-retire a user and the person; False where nothing changed."""
    changed = await connection.execute(_set_deleted, associate=user.associate_id, to=to)
    await connection.execute(_set_person_retired, person=user.person_id, to=to)
    return bool(changed)


async def signed_in(connection: Connection, associate_id: int, now: int) -> bool:
    """Note a sign-in; False where the user may not sign in (any more)."""
    return bool(await connection.execute(_signed_in, associate=associate_id, now=now))
