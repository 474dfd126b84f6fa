"""Rows of ``credentials``: passwords and tickets. Secrets are hashes by the time they come here."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, delete, func, or_, select, update

from services88.store.database import Connection, Reader
from services88.store.schema import associate, credentials, user_role_link

__all__ = [
    "FOREVER",
    "PASSWORD",
    "TICKET",
    "LiveTicketRow",
    "PasswordRow",
    "TicketRow",
    "add_password",
    "add_ticket",
    "any_peppered",
    "count_tickets",
    "delete_expired_tickets",
    "delete_password",
    "delete_ticket",
    "delete_tickets",
    "live_tickets",
    "locked_password_of",
    "model_of",
    "password_of",
    "renew_ticket",
    "replace_password",
    "ticket",
]

PASSWORD = "CRM5/PASSWORD"  # noqa: S105 - the documented name of the credential type
TICKET = "Ticket"
FOREVER = 253_402_214_400_000  # 9999-12-31, as documented for passwords

# CredentialUsage, as documented
_INBOUND = 1
_SESSION = 2


@dataclass(frozen=True, slots=True)
class PasswordRow:
    """A stored password. ``secret`` is its hash with the parameters it was made with."""

    credentials_id: int
    secret: str = field(repr=False)
    search_name: str
    valid_from: int
    """When the password was last changed."""


@dataclass(slots=True)  # not frozen: one is read with every call, and freezing takes longer
class TicketRow:
    """A stored ticket with the user it stands for."""

    credentials_id: int
    secret: str = field(repr=False)
    valid_to: int
    associate_id: int
    name: str
    type: int
    deleted: bool
    waiting_for_approval: bool
    role_id: int | None


@dataclass(frozen=True, slots=True)
class LiveTicketRow:
    """A ticket that is valid, as far as it may be shown: nothing that it is made of."""

    credentials_id: int
    associate_id: int
    name: str
    valid_from: int
    last_used: int | None
    last_used_info: str
    valid_to: int
    application_token_id: int


_password_of = select(
    credentials.c.credentials_id,
    credentials.c.secret,
    credentials.c.search_name,
    credentials.c.valid_from,
).where(
    credentials.c.associate_id == bindparam("associate"),
    credentials.c.credential_type == PASSWORD,
)
_peppered = (
    select(credentials.c.credentials_id)
    .where(
        credentials.c.tenant_id == bindparam("tenant"),
        credentials.c.credential_type == PASSWORD,
        credentials.c.secret.like("$s88$k=%"),
    )
    .limit(1)
)
_locked_password_of = _password_of.with_for_update()
_drawn = (
    select(credentials.c.secret)
    .where(credentials.c.tenant_id == bindparam("tenant"), credentials.c.draw.is_not(None))
    .order_by(credentials.c.draw)
    .limit(1)
)
# Those of the lowest number follow on those of the highest.
_model_of = select(
    _drawn.where(credentials.c.draw >= bindparam("at")).scalar_subquery(),
    _drawn.scalar_subquery(),
)
_ticket = (
    select(
        credentials.c.credentials_id,
        credentials.c.secret,
        credentials.c.valid_to,
        associate.c.associate_id,
        associate.c.name,
        associate.c.type,
        associate.c.deleted,
        associate.c.waiting_for_approval,
        user_role_link.c.role_id,
    )
    .select_from(credentials)
    .join(associate, associate.c.associate_id == credentials.c.associate_id)
    .outerjoin(user_role_link, user_role_link.c.associate_id == associate.c.associate_id)
    .where(
        credentials.c.tenant_id == bindparam("tenant"),
        credentials.c.credential_type == TICKET,
        credentials.c.search_name == bindparam("key"),
    )
)
# The compare-and-swap that every change of a password goes through.
_replace_password = (
    update(credentials)
    .where(
        credentials.c.credentials_id == bindparam("id"),
        credentials.c.secret == bindparam("verified"),
    )
    .values(secret=bindparam("new"), valid_from=bindparam("now"))
)
_delete_password = delete(credentials).where(
    credentials.c.associate_id == bindparam("associate"),
    credentials.c.credential_type == PASSWORD,
)
_renew_ticket = (
    update(credentials)
    .where(
        credentials.c.credentials_id == bindparam("id"),
        or_(
            credentials.c.valid_to < bindparam("until"),
            credentials.c.valid_to > bindparam("latest"),
        ),
    )
    .values(
        valid_to=bindparam("until"),
        last_used_date=bindparam("now"),
        last_used_info=bindparam("address"),
    )
)
_delete_tickets = delete(credentials).where(
    credentials.c.associate_id == bindparam("associate"),
    credentials.c.credential_type == TICKET,
    credentials.c.credentials_id != bindparam("keep"),
)
_count_tickets = (
    select(func.count())
    .select_from(credentials)
    .where(
        credentials.c.associate_id == bindparam("associate"),
        credentials.c.credential_type == TICKET,
        credentials.c.valid_to > bindparam("now"),
    )
)
_delete_ticket = delete(credentials).where(
    credentials.c.tenant_id == bindparam("tenant"),
    credentials.c.credential_type == TICKET,
    credentials.c.credentials_id == bindparam("id"),
)
_live_tickets = (
    select(
        credentials.c.credentials_id,
        associate.c.associate_id,
        associate.c.name,
        credentials.c.valid_from,
        credentials.c.last_used_date,
        credentials.c.last_used_info,
        credentials.c.valid_to,
        credentials.c.application_token_id,
    )
    .select_from(credentials)
    .join(associate, associate.c.associate_id == credentials.c.associate_id)
    .where(
        credentials.c.tenant_id == bindparam("tenant"),
        credentials.c.credential_type == TICKET,
        credentials.c.valid_to > bindparam("now"),
    )
    .order_by(credentials.c.credentials_id)
)
_live_tickets_of = _live_tickets.where(credentials.c.associate_id == bindparam("associate"))
_expired = (
    select(credentials.c.credentials_id)
    .where(
        credentials.c.tenant_id == bindparam("tenant"),
        credentials.c.credential_type == TICKET,
        credentials.c.valid_to < bindparam("now"),
    )
    .limit(100)
    .with_for_update(skip_locked=True)
)
_delete_expired = delete(credentials).where(credentials.c.credentials_id.in_(_expired))


async def password_of(reader: Reader, associate_id: int) -> PasswordRow | None:
    """Read a user's stored password."""
    row = await reader.one(_password_of, associate=associate_id)
    return PasswordRow(*row) if row else None


async def any_peppered(reader: Reader, tenant: int) -> bool:
    """Check whether a stored password of a tenant was hashed with a pepper. Reads many rows."""
    return await reader.one(_peppered, tenant=tenant) is not None


async def locked_password_of(connection: Connection, associate_id: int) -> PasswordRow | None:
    """Read a user's stored password, and keep others from changing it meanwhile."""
    row = await connection.one(_locked_password_of, associate=associate_id)
    return PasswordRow(*row) if row else None


async def model_of(reader: Reader, tenant: int, at: int) -> str | None:
    """Read the password hash that stands for a name which nobody has; None where there is none.

    Always the same for the same name, whoever is added or removed, but where it is that password.

    :param at: Drawn for the name, below 2**31.
    """
    row = await reader.one(_model_of, tenant=tenant, at=at)
    return (row[0] or row[1]) if row else None


async def add_password(
    connection: Connection, *, tenant: int, associate_id: int, name: str, secret: str, now: int
) -> int:
    """Store the hash of a user's first password."""
    return await connection.insert(
        credentials,
        tenant_id=tenant,
        associate_id=associate_id,
        credential_type=PASSWORD,
        search_name=name,
        secret=secret,
        valid_from=now,
        valid_to=FOREVER,
        is_active=_INBOUND,
        draw=secrets.randbits(31),
    )


async def replace_password(
    connection: Connection, row: PasswordRow, *, secret: str, now: int
) -> bool:
    """Store a new hash in place of exactly the one given; False where that is not there now."""
    changed = await connection.execute(
        _replace_password, id=row.credentials_id, verified=row.secret, new=secret, now=now
    )
    return changed == 1


async def delete_password(connection: Connection, associate_id: int) -> bool:
    """Delete a user's password; False where there is none."""
    return bool(await connection.execute(_delete_password, associate=associate_id))


async def ticket(reader: Reader, tenant: int, key: str) -> TicketRow | None:
    """Find a ticket by its public part."""
    row = await reader.one(_ticket, tenant=tenant, key=key)
    return TicketRow(*row) if row else None


async def add_ticket(
    connection: Connection,
    *,
    tenant: int,
    associate_id: int,
    key: str,
    secret: str,
    now: int,
    until: int,
    address: str,
    application_token_id: int,
) -> int:
    """Store a ticket: its public part, and the hash of the whole."""
    return await connection.insert(
        credentials,
        tenant_id=tenant,
        associate_id=associate_id,
        credential_type=TICKET,
        search_name=key,
        secret=secret,
        valid_from=now,
        valid_to=until,
        is_active=_SESSION,
        last_used_date=now,
        last_used_info=address,
        application_token_id=application_token_id,
    )


async def renew_ticket(
    connection: Connection, credentials_id: int, *, now: int, until: int, latest: int, address: str
) -> None:
    """Let a ticket live longer; not where it was deleted meanwhile.

    It lives shorter only where it would live longer than it may.

    :param latest: The last instant at which a ticket can end that was used by now.
    """
    await connection.execute(
        _renew_ticket, id=credentials_id, now=now, until=until, latest=latest, address=address
    )


async def live_tickets(
    reader: Reader, tenant: int, now: int, *, associate_id: int | None = None
) -> Sequence[LiveTicketRow]:
    """List the valid tickets of a tenant or of one user, oldest first."""
    if associate_id is None:
        rows = await reader.all(_live_tickets, tenant=tenant, now=now)
    else:
        rows = await reader.all(_live_tickets_of, tenant=tenant, now=now, associate=associate_id)
    return [LiveTicketRow(*row) for row in rows]


async def delete_ticket(connection: Connection, tenant: int, credentials_id: int) -> bool:
    """Delete one ticket of a tenant; False where it has none of that number."""
    return bool(await connection.execute(_delete_ticket, tenant=tenant, id=credentials_id))


async def count_tickets(reader: Reader, associate_id: int, now: int) -> int:
    """Count a user's tickets that have not expired."""
    row = await reader.one(_count_tickets, associate=associate_id, now=now)
    return int(row[0]) if row else 0


async def delete_tickets(connection: Connection, associate_id: int, *, keep: int = 0) -> int:
    """Delete a user's tickets but one, and give the number deleted."""
    return await connection.execute(_delete_tickets, associate=associate_id, keep=keep)


async def delete_expired_tickets(connection: Connection, tenant: int, now: int) -> None:
    """Delete some expired tickets of a tenant: few at a time, so that no transaction grows long."""
    await connection.execute(_delete_expired, tenant=tenant, now=now)
