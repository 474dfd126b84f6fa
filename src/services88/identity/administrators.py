"""A tenant never loses its last general administrator.

Everything that could take one away runs inside :func:`kept`: retiring, deleting, another role,
other rights of a role, removing the password. It locks the row of the tenant, so that two such
changes are made one after the other, on however many servers, and looks at the end at what is left.

One change is not refused: too many wrong passwords disable the last administrator's password too,
as NIST SP 800-63B-4 3.2.2 demands. ``services88 user unlock`` enables it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services88.identity.errors import LastAdministrator
from services88.store import administrators
from services88.store.database import Connection
from services88.store.tenants import Tenant

__all__ = ["GENERAL_ADMINISTRATOR", "kept"]

GENERAL_ADMINISTRATOR = "admin-all"
"""The functional right of who may administer everything."""


@asynccontextmanager
async def kept(connection: Connection, tenant: Tenant) -> AsyncIterator[None]:
    """Make a change only if the tenant still has a general administrator after it.

    Enter it as the first thing of the transaction. A general administrator is a user who has the
    right ``admin-all`` by the role and can sign in: who is not retired, does not wait for approval,
    is no resource and not anonymous, and has a password that is not disabled.

    A tenant that had none before, as a new one, may be changed in any way.

    :raises LastAdministrator: Nobody would be left. The transaction must be undone, so let it pass.
    """
    await administrators.lock(connection, tenant.tenant_id)
    had = await _any_left(connection, tenant)
    yield
    if had and not await _any_left(connection, tenant):
        raise LastAdministrator


async def _any_left(connection: Connection, tenant: Tenant) -> bool:
    return await administrators.any_can_sign_in(connection, tenant.tenant_id, GENERAL_ADMINISTRATOR)
