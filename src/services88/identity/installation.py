"""What a database was made for: production, or trying out."""

from services88.identity.errors import BadInput
from services88.identity.identity import Identity
from services88.store import associates, tenants
from services88.store.database import Connection

__all__ = ["claim_for_sandbox", "refuse_sandbox"]

_MADE_BY = "made-by"
_SANDBOX = "sandbox"


async def refuse_sandbox(identity: Identity) -> None:
    """Refuse to serve a sandbox's database for real: its passwords are public (ASVS 13.2.3).

    :raises BadInput: A sandbox made it.
    """
    if await tenants.get_fact(identity.database, _MADE_BY) == _SANDBOX:
        raise BadInput(
            "This database was made by the sandbox, whose passwords everybody knows. "
            "Name another with --database."
        )


async def claim_for_sandbox(identity: Identity) -> None:
    """Mark a database as a sandbox's.

    :raises BadInput: It has users, and no sandbox made it.
    """

    async def work(connection: Connection) -> None:
        if await tenants.get_fact(connection, _MADE_BY) == _SANDBOX:
            return
        if await associates.count(connection) or len(await tenants.all_tenants(connection)) > 1:
            raise BadInput(
                "This database has users or tenants and was not made by the sandbox, which would "
                "add demo users to it. Name an empty or new one with --database, or none."
            )
        await tenants.put_fact(connection, _MADE_BY, _SANDBOX)

    await identity.database.transaction(work)
