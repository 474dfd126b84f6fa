"""May the caller administer users? For what administrators do outside the contract's operations."""

from services88.agents.authorisation import check_no_escalation, has_one_of
from services88.contract.access import GENERAL_ADMINISTRATOR, USER_ADMINISTRATORS
from services88.identity import audit
from services88.identity.accounts import AssociateType
from services88.identity.audit import AuditEvent
from services88.identity.errors import NotAllowed, UnknownUser
from services88.identity.identity import Caller, Identity, Origin
from services88.store import associates, roles
from services88.store.associates import Associate
from services88.store.roles import Role

__all__ = ["admit", "grantable", "is_administrator", "may_change", "readable", "target"]


async def is_administrator(identity: Identity, caller: Caller) -> bool:
    """Say whether the caller may administer users."""
    anonymous = caller.type == AssociateType.ANONYMOUS
    return not anonymous and await has_one_of(identity, caller, USER_ADMINISTRATORS)


async def admit(identity: Identity, caller: Caller, origin: Origin, action: str) -> None:
    """Refuse a caller who may not administer users; that stands in the audit trail.

    :param action: What was asked for, for the trail.
    :raises NotAllowed: The caller may not.
    """
    if not await is_administrator(identity, caller):
        await _told(identity, caller, origin, action)
        raise NotAllowed(USER_ADMINISTRATORS)


async def readable(
    identity: Identity, caller: Caller, origin: Origin, associate_id: int
) -> Associate:
    """Find a user of the caller's tenant, to be looked at.

    :raises NotAllowed: The caller may not.
    :raises UnknownUser: The tenant has no such user.
    """
    await admit(identity, caller, origin, "admin-page")
    user = await associates.by_id(identity.database, caller.tenant.tenant_id, associate_id)
    if user is None:
        raise UnknownUser
    return user


async def may_change(identity: Identity, caller: Caller, user: Associate) -> bool:
    """Say whether an administrator may change that user."""
    try:
        await check_no_escalation(identity, caller, user)
    except NotAllowed:
        return False
    return True


async def target(
    identity: Identity, caller: Caller, origin: Origin, action: str, associate_id: int
) -> Associate:
    """Find a user of the caller's tenant whom the caller may change.

    :raises NotAllowed: The caller may not.
    :raises UnknownUser: The tenant has no such user.
    """
    user = await readable(identity, caller, origin, associate_id)
    try:
        await check_no_escalation(identity, caller, user)
    except NotAllowed:
        await _told(identity, caller, origin, action)
        raise
    return user


async def grantable(identity: Identity, caller: Caller) -> list[Role]:
    """List the roles that the caller may give: a general administrator's only such a one."""
    general = await has_one_of(identity, caller, (GENERAL_ADMINISTRATOR,))
    return [
        role
        for role in await roles.all_roles(identity.database, caller.tenant.tenant_id)
        if general
        or GENERAL_ADMINISTRATOR not in await roles.rights_of(identity.database, role.role_id)
    ]


async def _told(identity: Identity, caller: Caller, origin: Origin, action: str) -> None:
    await audit.refused(
        identity,
        caller.tenant,
        AuditEvent.AUTHZ_FAIL,
        origin,
        reason=action,
        by=caller.associate_id,
    )
