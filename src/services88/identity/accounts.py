"""Accounts as an operator sees them: adding, listing, retiring."""

import asyncio
import secrets
from collections.abc import Sequence
from enum import IntEnum

from services88.identity import administrators, guessing, password_rules, sign_in_names, tickets
from services88.identity.audit import AuditEvent, record, tickets_ended
from services88.identity.errors import BadInput, NotYourself
from services88.identity.identity import Caller, Identity, Origin
from services88.identity.names import (
    check_email,
    check_nick_name,
    check_text,
    check_user_name,
    key_of,
)
from services88.identity.policy import Subject
from services88.store import associates, credentials, guesses, roles
from services88.store.associates import Associate
from services88.store.database import Connection
from services88.store.errors import Conflict
from services88.store.roles import Role
from services88.store.sign_in_names import NameKind
from services88.store.tenants import Tenant

__all__ = [
    "AssociateType",
    "add",
    "add_with_secret",
    "check_free",
    "choose_role",
    "find",
    "free_name",
    "is_locked",
    "is_nick_name_free",
    "listing",
    "matching",
    "require_password",
    "retire",
    "roles_of_tenant",
    "unlock",
]


class AssociateType(IntEnum):
    """Kind of user, by the documented numbers of ``associate.type``."""

    EMPLOYEE = 0
    RESOURCE = 1
    EXTERNAL_PERSON = 4
    ANONYMOUS = 7
    SYSTEM = 13


async def roles_of_tenant(identity: Identity, tenant: Tenant) -> Sequence[Role]:
    """List a tenant's roles."""
    return await roles.all_roles(identity.database, tenant.tenant_id)


async def listing(identity: Identity, tenant: Tenant) -> Sequence[Associate]:
    """List a tenant's users by name."""
    return await associates.all_associates(identity.database, tenant.tenant_id)


_AT_ONCE = 500
"""Users that are looked at before others have their turn on the loop."""


async def matching(identity: Identity, tenant: Tenant, text: str, most: int) -> list[Associate]:
    """List the first users, by name, in whose name, person and e-mail address all words stand."""
    words = key_of(text).split()
    found: list[Associate] = []
    key = ""
    while len(found) < most:
        batch = await associates.after(identity.database, tenant.tenant_id, key, _AT_ONCE)
        for user in batch:
            of = key_of(f"{user.name} {user.full_name} {user.email}")
            if all(word in of for word in words):
                found.append(user)
        if len(batch) < _AT_ONCE:
            break
        key = key_of(batch[-1].name)
        await asyncio.sleep(0)  # SQLite answers at once, and nobody else would have a turn
    return found[:most]


async def find(identity: Identity, tenant: Tenant, name: str) -> Associate:
    """Find a user by sign-in name.

    :raises BadInput: The tenant has no such user.
    """
    user = await associates.by_name(identity.database, tenant.tenant_id, key_of(name))
    if user is None:
        raise BadInput(
            f"Tenant {tenant.name} has no user {name}. `services88 user list` lists them."
        )
    return user


async def add(
    identity: Identity,
    tenant: Tenant,
    name: str,
    password: str,
    *,
    role: str | None = None,
    type: AssociateType = AssociateType.EMPLOYEE,
    firstname: str = "",
    lastname: str = "",
    email: str = "",
    nick_name: str = "",
) -> Associate:
    """Add a user with a password.

    :param role: Name of a role of the tenant; its default role where none is given.
    :raises PasswordRefused: The password is unacceptable.
    :raises BadInput: A name is not possible or taken, or there is no such role.
    """
    name = check_user_name(name)
    nick_name = check_nick_name(nick_name)
    await require_password(
        identity, tenant, name, password, firstname=firstname, lastname=lastname, email=email
    )
    role_id = choose_role(await roles_of_tenant(identity, tenant), role)
    return await add_with_secret(
        identity,
        tenant,
        name,
        await identity.hashing.hash(password),
        role_id=role_id,
        type=type,
        firstname=firstname,
        lastname=lastname,
        email=email,
        nick_name=nick_name,
    )


async def require_password(
    identity: Identity,
    tenant: Tenant,
    name: str,
    password: str,
    *,
    firstname: str,
    lastname: str,
    email: str,
) -> None:
    """Refuse an unacceptable first password of a user who is to be added.

    :raises PasswordRefused: It fails a rule of the tenant.
    """
    subject = Subject(
        user_name=name, names=(firstname, lastname), email=email, company=tenant.company_name
    )
    policy = await password_rules.policy_of(identity, tenant)
    await password_rules.require(identity, policy, password, subject)


async def add_with_secret(
    identity: Identity,
    tenant: Tenant,
    name: str,
    secret: str | None,
    *,
    role_id: int,
    type: AssociateType,
    firstname: str,
    lastname: str,
    email: str,
    nick_name: str = "",
    retired: bool = False,
    caller: Caller | None = None,
    origin: Origin | None = None,
) -> Associate:
    """Add a user with a password hash that is made already, in one transaction.

    :param name: One that :func:`check_user_name` gave.
    :param secret: A hash that verifies here; None for a user without a password.
    :param nick_name: One that :func:`check_nick_name` gave.
    :param caller: The administrator who does it; None for the command line.
    :raises BadInput: The name or the nick name is taken, or another text is not possible.
    """
    check_text(firstname, "A first name", 99)
    check_text(lastname, "A last name", 99)
    check_email(email)

    async def work(connection: Connection) -> None:
        now = identity.clock.now()
        if await associates.by_name(connection, tenant.tenant_id, key_of(name)) is not None:
            raise BadInput(f"Tenant {tenant.name} has a user {name} already.")
        await sign_in_names.check(connection, tenant, name, NameKind.USER_NAME)
        await sign_in_names.check(connection, tenant, nick_name, NameKind.NICK_NAME)
        associate_id = await associates.add(
            connection,
            tenant=tenant.tenant_id,
            name=name,
            name_key=key_of(name),
            type=type,
            role_id=role_id,
            firstname=firstname,
            lastname=lastname,
            email=email,
            email_key=key_of(email),
            nick_name=nick_name,
            nick_key=key_of(nick_name),
            now=now,
        )
        await sign_in_names.put(
            connection, tenant, associate_id, name=name, email=email, nick_name=nick_name
        )
        if secret is not None:
            await credentials.add_password(
                connection,
                tenant=tenant.tenant_id,
                associate_id=associate_id,
                name=name,
                secret=secret,
                now=now,
            )
        if caller is not None:
            await tickets.check_again(connection, caller)
        await record(
            connection,
            identity,
            tenant,
            AuditEvent.USER_CREATED,
            origin or Origin(),
            associate_id=associate_id,
            by=caller.associate_id if caller else 0,
        )
        added = await associates.by_id(connection, tenant.tenant_id, associate_id)
        if retired and added is not None:
            await associates.set_deleted(connection, added, to=True)
            await record(
                connection,
                identity,
                tenant,
                AuditEvent.USER_RETIRED,
                Origin(),
                associate_id=associate_id,
                by=0,
            )

    try:
        await identity.database.transaction(work)
    except Conflict as error:  # others added users at the same time, again and again
        raise BadInput("Another user got the name or the nick name just now.") from error
    return await find(identity, tenant, name)


def choose_role(available: Sequence[Role], name: str | None) -> int:
    """Give the number of a role by its name; that of the default role where none is given.

    :raises BadInput: There is no such role.
    """
    for role in available:
        if role.is_default if name is None else key_of(role.name) == key_of(name):
            return role.role_id
    known = ", ".join(role.name for role in available)
    raise BadInput(f"There is no role {name or '(default)'}. The roles are: {known}.")


async def check_free(identity: Identity, tenant: Tenant, name: str, *, but: int = 0) -> None:
    """Check that a name can be given to a user.

    :param but: Number of the user it is for, whose own name it may be.
    :raises BadInput: The name is not possible, or another user has it: as the user name, the e-mail
        address or the nick name.
    """
    name = check_user_name(name)
    await sign_in_names.check(identity.database, tenant, name, NameKind.USER_NAME, but=but)


async def is_nick_name_free(
    identity: Identity, tenant: Tenant, nick_name: str, *, but: int = 0
) -> bool:
    """Check that no other user has a name as nick name, user name or e-mail address.

    To have no nick name is free to everybody.

    :param but: Number of the user it is for, whose own it may be.
    """
    try:
        await sign_in_names.check(identity.database, tenant, nick_name, NameKind.NICK_NAME, but=but)
    except BadInput:
        return False
    return True


async def free_name(identity: Identity, tenant: Tenant, proposed: str, *, but: int = 0) -> str:
    """Give a name that a user can be given: the proposed one, or with a number behind.

    :param but: Number of the user it is for, whose own name it may be.
    """
    visible = "".join(one for one in proposed if one.isprintable()).strip()
    stem = visible.removeprefix("7T:")[:_LONGEST_STEM].strip() or "USER"
    for name in (stem, *(f"{stem}{number}" for number in range(2, _MOST_NAMES))):
        try:
            await check_free(identity, tenant, name, but=but)
        except BadInput:
            continue
        return name
    return f"{stem}-{secrets.token_hex(8)}"


_LONGEST_STEM = 200
_MOST_NAMES = 1000


async def retire(
    identity: Identity,
    tenant: Tenant,
    name: str,
    *,
    retired: bool,
    caller: Caller | None = None,
    origin: Origin | None = None,
    keep_administrator: bool = True,
) -> bool:
    """Retire a user, which ends all their tickets, or take them back.

    :param caller: The administrator who does it; None for the command line.
    :param keep_administrator: Whether to refuse to retire the last general administrator. Only a
        sandbox does not.
    :returns: False where the user was so already.
    :raises BadInput: The tenant has no such user.
    :raises NotYourself: The caller would retire themselves.
    :raises LastAdministrator: No general administrator would be left.
    :raises NotSignedIn: The caller's ticket was revoked meanwhile.
    """
    user = await find(identity, tenant, name)
    by = caller.associate_id if caller else 0
    if retired and user.associate_id == by:
        raise NotYourself

    async def work(connection: Connection) -> bool:
        if not keep_administrator:
            return await changed(connection)
        async with administrators.kept(connection, tenant):
            return await changed(connection)

    async def changed(connection: Connection) -> bool:
        if caller is not None:
            await tickets.check_again(connection, caller)
        if not await associates.set_deleted(connection, user, retired):
            return False
        ended = 0
        if retired:
            ended = await credentials.delete_tickets(connection, user.associate_id)
        await record(
            connection,
            identity,
            tenant,
            AuditEvent.USER_RETIRED if retired else AuditEvent.USER_UNRETIRED,
            origin or Origin(),
            associate_id=user.associate_id,
            by=by,
        )
        await tickets_ended(
            connection,
            identity,
            tenant,
            origin or Origin(),
            associate_id=user.associate_id,
            by=by,
            count=ended,
            reason="retired",
        )
        return True

    return await identity.database.transaction(work)


async def unlock(
    identity: Identity,
    tenant: Tenant,
    name: str,
    *,
    caller: Caller | None = None,
    origin: Origin | None = None,
) -> bool:
    """Forget a user's wrong passwords: enable the password, and end the waits for that name.

    The limit of an address for all names remains.

    :param caller: The administrator who does it; None for the command line.
    :returns: False where there was nothing to forget.
    :raises BadInput: The tenant has no such user.
    """
    user = await find(identity, tenant, name)

    async def work(connection: Connection) -> bool:
        if caller is not None:
            await tickets.check_again(connection, caller)
        if not await guessing.clear(connection, identity, tenant, user):
            return False
        await record(
            connection,
            identity,
            tenant,
            AuditEvent.AUTHN_LOGIN_UNLOCK,
            origin or Origin(),
            associate_id=user.associate_id,
            by=caller.associate_id if caller else 0,
        )
        return True

    return await identity.database.transaction(work)


async def is_locked(identity: Identity, user: Associate) -> bool:
    """Say whether a user's password was disabled after too many wrong ones."""
    _, disabled = await guesses.failures_of(identity.database, user.associate_id)
    return disabled
