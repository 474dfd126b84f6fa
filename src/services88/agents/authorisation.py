"""May the caller do this? Decided here for every operation, from what its declaration says."""

from dataclasses import dataclass, field
from typing import Any

from services88.contract.access import (
    GENERAL_ADMINISTRATOR,
    Access,
    EjUserId,
    GivenUser,
    GivenUserType,
    PersonId,
    RightIds,
    RoleCarrier,
    RoleId,
    ServiceAuthCarrier,
    Target,
    UserCarrier,
    UserId,
    UserIds,
    UserName,
)
from services88.contract.enumerations import UserType
from services88.contract.model import Operation
from services88.identity.accounts import AssociateType
from services88.identity.errors import NotAllowed, UnknownUser
from services88.identity.identity import Caller, Identity
from services88.identity.names import key_of
from services88.store import associates, roles
from services88.store.associates import Associate

__all__ = ["Given", "authorise", "check_no_escalation", "has_one_of"]

_EMPLOYEES = frozenset((AssociateType.EMPLOYEE, AssociateType.SYSTEM))


async def authorise(
    identity: Identity, caller: Caller, operation: Operation, arguments: dict[str, object]
) -> Associate | None:
    """Find the user whom a call concerns, and refuse callers who may not.

    Whether the server carries the operation out does not matter here.

    :returns: The user concerned, where the declaration has them looked up; otherwise None.
    :raises NotAllowed: The caller may not. It does not say whether the user concerned exists.
    :raises UnknownUser: The caller may, and the tenant has no such user.
    """
    access = operation.access
    if caller.type == AssociateType.ANONYMOUS:
        raise NotAllowed
    if access.open:
        return None
    without_right = access.for_signed_in or (access.for_employees and caller.type in _EMPLOYEES)
    target = access.concerns
    # Of the type that the target's kind asks for: the declaration was checked for that.
    named: Any = arguments[target.parameter] if target.parameter is not None else None
    if without_right and (not access.own or (access.new_is_own and _is_new(target, named))):
        return None
    user = await _find(identity, caller, target, named) if access.looks_up else None
    if without_right:
        if user is not None:
            own = user.associate_id == caller.associate_id
        else:
            own = await _is_own(identity, caller, target, named)
        if own:
            return user
    if not await has_one_of(identity, caller, access.rights):
        raise NotAllowed(access.rights)
    new = user is None and isinstance(target, UserCarrier) and _is_new(target, named)
    if user is None and access.must_exist and not new:
        raise UnknownUser
    if not access.reads:
        given = _given(access, arguments) if access.touches else None
        await check_no_escalation(identity, caller, user, given)
    return user


@dataclass(frozen=True, slots=True)
class Given:
    """What a change touches or hands out, beside the user concerned.

    :ivar role_ids: Roles that are changed, or given to somebody.
    :ivar right_ids: Functional rights that are given to a role.
    :ivar system: Whether somebody becomes a system user.
    """

    role_ids: frozenset[int] = field(default_factory=frozenset)
    right_ids: frozenset[int] = field(default_factory=frozenset)
    system: bool = False


async def check_no_escalation(
    identity: Identity, caller: Caller, user: Associate | None, given: Given | None = None
) -> None:
    """Keep everybody below a general administrator from changing one, and from making one.

    General administrators hold ``admin-all``; system users pass every check, so they count as such.

    :raises NotAllowed: The change is for general administrators, and the caller is none.
    """
    if user is None and given is None:
        return
    general = (GENERAL_ADMINISTRATOR,)
    if await has_one_of(identity, caller, general):
        return
    database, tenant = identity.database, caller.tenant.tenant_id
    if user is not None:
        rights = await roles.rights_of(database, user.role_id)
        if user.type == AssociateType.SYSTEM or GENERAL_ADMINISTRATOR in rights:
            raise NotAllowed(general)
    if given is None:
        return
    if given.system:
        raise NotAllowed(general)
    for role_id in given.role_ids:
        if await roles.holds(database, tenant, role_id, GENERAL_ADMINISTRATOR):
            raise NotAllowed(general)
    right_id = await roles.right_id(database, GENERAL_ADMINISTRATOR) if given.right_ids else None
    if right_id in given.right_ids:
        raise NotAllowed(general)


async def has_one_of(identity: Identity, caller: Caller, rights: tuple[str, ...]) -> bool:
    """Check whether the caller has one of some functional rights. System users have all."""
    if caller.type == AssociateType.SYSTEM:
        return True
    return not set(rights).isdisjoint(await roles.rights_of(identity.database, caller.role_id))


def _given(access: Access, arguments: dict[str, object]) -> Given:
    """Read from a call what it touches or hands out."""
    role_ids: set[int] = set()
    right_ids: set[int] = set()
    system = False
    for target in access.touches:
        named: Any = arguments[target.parameter or ""]
        match target:
            case RoleId():
                role_ids.add(named)
            case RoleCarrier() if named is not None:
                role_ids.add(named.role_id)
            case RightIds():
                right_ids.update(named or ())
            case GivenUserType():
                system |= named is UserType.SYSTEM_ASSOCIATE
            case UserCarrier() | GivenUser() if named is not None:
                system |= named.type is UserType.SYSTEM_ASSOCIATE
                if named.role is not None:
                    role_ids.add(named.role.id)
    return Given(frozenset(role_ids - {0}), frozenset(right_ids), system)


def _is_new(target: Target, named: Any) -> bool:
    """Check whether a call concerns what is not saved yet: the id 0, or no carrier at all."""
    match target:
        case UserCarrier():
            return named is None or named.associate_id == 0
        case ServiceAuthCarrier():
            return named is None or named.service_auth_id == 0
    return isinstance(target, UserId) and named == 0


async def _find(identity: Identity, caller: Caller, target: Target, named: Any) -> Associate | None:
    """Find the user whom a call concerns, by the kind of target that its declaration names."""
    database, tenant = identity.database, caller.tenant.tenant_id
    match target:
        case UserId():
            return await associates.by_id(database, tenant, named)
        case UserName():
            return await associates.by_name(database, tenant, key_of(named or ""))
        case UserCarrier() if named is not None:
            return await associates.by_id(database, tenant, named.associate_id)
    return None


async def _is_own(identity: Identity, caller: Caller, target: Target, named: Any) -> bool:
    """Check whether what a call concerns, other than one user, belongs to the caller.

    Of sign-ins at other servers and tokens none is stored yet, so none is anybody's.
    """
    match target:
        case UserIds():
            return set(named or ()) <= {caller.associate_id}
        case PersonId() | EjUserId() if named != 0:
            me = await associates.by_id(
                identity.database, caller.tenant.tenant_id, caller.associate_id
            )
            if me is None:
                return False
            return bool(named == (me.person_id if isinstance(target, PersonId) else me.ej_user_id))
    return False
