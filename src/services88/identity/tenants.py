"""Tenants: the customers of one installation, each with users and tokens of its own."""

from collections.abc import Sequence

from services88.identity.audit import AuditEvent, record
from services88.identity.errors import BadInput
from services88.identity.identity import Identity, Origin
from services88.identity.names import check_tenant_name, check_text, key_of
from services88.store import roles, tenants
from services88.store.database import Connection
from services88.store.errors import Conflict
from services88.store.tenants import Tenant

__all__ = ["add", "default", "find", "listing", "named"]

ROLES = (
    ("Administrator", "May administer everything", False, ("admin-all",)),
    ("User level 0", "The role of a user to whom none was given", True, ()),
)
"""What every tenant begins with: name, tooltip, whether the default, functional rights."""


async def find(identity: Identity, name: str) -> Tenant | None:
    """Find a tenant by the segment that names it in an address, in any letter case."""
    return await tenants.by_key(identity.database, key_of(name))


async def default(identity: Identity) -> Tenant:
    """Give the tenant that an address without a segment means on-site."""
    return await tenants.default(identity.database)


async def named(identity: Identity, name: str | None) -> Tenant:
    """Give the tenant that an operator names; the default one where none is named.

    :raises BadInput: There is no such tenant.
    """
    if name is None:
        return await default(identity)
    tenant = await find(identity, name)
    if tenant is None:
        raise BadInput(f"There is no tenant {name}. `services88 tenant list` lists them.")
    return tenant


async def listing(identity: Identity) -> Sequence[Tenant]:
    """List all tenants."""
    return await tenants.all_tenants(identity.database)


async def add(identity: Identity, name: str, *, company: str = "") -> Tenant:
    """Add a tenant with the roles that every tenant begins with.

    :raises BadInput: The name is no segment of an address, or taken, or the company's is none.
    """
    name = check_tenant_name(name)
    check_text(company, "The name of a company", 254)

    async def work(connection: Connection) -> None:
        tenant_id = await tenants.add(
            connection, name=name, key=key_of(name), company=company, now=identity.clock.now()
        )
        for role_name, tooltip, is_default, rights in ROLES:
            await roles.add(
                connection,
                tenant=tenant_id,
                name=role_name,
                tooltip=tooltip,
                is_default=is_default,
                rights=rights,
            )
        added = Tenant(tenant_id, name, company, is_default=False)
        event = AuditEvent.TENANT_CREATED
        await record(connection, identity, added, event, Origin(), associate_id=0, by=0)

    try:
        await identity.database.transaction(work)
    except Conflict as error:
        raise BadInput(f"There is a tenant {name} already.") from error
    return await named(identity, name)
