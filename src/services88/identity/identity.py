"""What every part of the domain works with."""

from dataclasses import dataclass

from services88.identity.clock import Clock
from services88.identity.hashing import Hashing
from services88.identity.policy import PolicyChoice
from services88.store import audit
from services88.store.database import Connection, Database
from services88.store.tenants import Tenant

__all__ = ["Caller", "Identity", "Origin", "record"]


@dataclass(frozen=True, slots=True)
class Identity:
    """The database, the clock and the hashing that one server has.

    :ivar policy: The rules for new passwords where a tenant chose none.
    """

    database: Database
    clock: Clock
    hashing: Hashing
    policy: PolicyChoice


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call comes from: network address and application, as far as known."""

    address: str = ""
    application_token_id: int = 0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call: the user behind a ticket that was found valid."""

    tenant: Tenant
    associate_id: int
    name: str
    type: int
    role_id: int
    ticket_key: str
    ticket_id: int


async def record(
    connection: Connection,
    identity: Identity,
    tenant: Tenant,
    event: str,
    origin: Origin,
    *,
    associate_id: int,
    by: int,
) -> None:
    """Write an audit event into the transaction of the thing it tells of.

    :param event: A name from the OWASP logging vocabulary.
    """
    await audit.add(
        connection,
        tenant=tenant.tenant_id,
        at=identity.clock.now(),
        event=event,
        associate_id=associate_id,
        by_associate_id=by,
        application_token_id=origin.application_token_id,
        address=origin.address,
    )
