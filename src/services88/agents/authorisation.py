"""May the caller do this? Decided here for every operation, from what its declaration says."""

from services88.contract.access import GENERAL_ADMINISTRATOR
from services88.contract.model import Operation
from services88.identity.accounts import AssociateType
from services88.identity.errors import NotAllowed, UnknownUser
from services88.identity.identity import Caller, Identity
from services88.identity.names import key_of
from services88.store import associates, roles
from services88.store.associates import Associate

__all__ = ["authorise", "check_no_escalation", "has_one_of"]


async def authorise(
    identity: Identity, caller: Caller, operation: Operation, arguments: dict[str, object]
) -> Associate | None:
    """Find the user whom a call concerns, and refuse callers who may not.

    :returns: The user concerned; None where the operation concerns none in particular.
    :raises NotAllowed: The caller may not. Whether the user concerned exists is not told.
    :raises UnknownUser: The caller may, and the tenant has no such user.
    """
    access = operation.access
    if caller.type == AssociateType.ANONYMOUS:
        raise NotAllowed
    named = arguments[access.concerns] if access.concerns is not None else None
    user = None
    if isinstance(named, list):
        if access.own and set(named) <= {caller.associate_id}:
            return None
    elif access.or_nobody and named == 0:
        return None
    elif access.concerns is not None:
        user = await _find(identity, caller, named)
        if access.own and user is not None and user.associate_id == caller.associate_id:
            return user
    if access.rights and not await has_one_of(identity, caller, access.rights):
        raise NotAllowed(access.rights)
    if access.concerns is not None and user is None and not isinstance(named, list):
        raise UnknownUser
    if user is not None and access.rights and not access.reads:
        await check_no_escalation(identity, caller, user)
    return user


async def check_no_escalation(identity: Identity, caller: Caller, user: Associate) -> None:
    """Keep user administrators from becoming general ones by another's account.

    :raises NotAllowed: The user is a general administrator or a system user, and the caller is not.
    """
    general = (GENERAL_ADMINISTRATOR,)
    if await has_one_of(identity, caller, general):
        return
    rights = await roles.rights_of(identity.database, user.role_id)
    if user.type == AssociateType.SYSTEM or GENERAL_ADMINISTRATOR in rights:
        raise NotAllowed(general)


async def has_one_of(identity: Identity, caller: Caller, rights: tuple[str, ...]) -> bool:
    """Say whether the caller has one of some functional rights. System users have all."""
    if caller.type == AssociateType.SYSTEM:
        return True
    return not set(rights).isdisjoint(await roles.rights_of(identity.database, caller.role_id))


async def _find(identity: Identity, caller: Caller, named: object) -> Associate | None:
    tenant = caller.tenant.tenant_id
    if isinstance(named, int):
        return await associates.by_id(identity.database, tenant, named)
    return await associates.by_name(identity.database, tenant, key_of(str(named or "")))
