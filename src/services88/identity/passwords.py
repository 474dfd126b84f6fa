"""Changing passwords: never lost, never half-changed.

Hashing takes long, so it happens before and outside any transaction; the transaction then replaces
exactly the hash that was verified, or nothing.
"""

from services88.identity import administrators, guessing, notices, password_rules, tickets
from services88.identity.audit import AuditEvent, record, refusals_told, tickets_ended
from services88.identity.errors import BadInput, NotSignedIn, PasswordRefused, ServerBusy
from services88.identity.generated import generate
from services88.identity.guessing import Attempt, MustWait
from services88.identity.identity import Caller, Identity, Origin
from services88.identity.notices import Cause, Notice
from services88.identity.policy import Policy
from services88.store import associates, credentials, reset_links
from services88.store.associates import Associate
from services88.store.credentials import PasswordRow
from services88.store.database import Connection
from services88.store.errors import Conflict
from services88.store.tenants import Tenant
from services88.texts import _, marked

__all__ = [
    "change",
    "change_own",
    "hash_for_another",
    "remove",
    "set_by_operator",
    "set_generated",
    "set_without_old",
    "store",
    "store_by_operator",
]

_ATTEMPTS = 3
_GENERATED = (5, 8, 16)
"""Characters of each kind: longer ones where the rules ask for more."""


async def change_own(
    identity: Identity, caller: Caller, old: str, new: str, origin: Origin
) -> None:
    """Change the caller's own password; every other ticket of theirs ends (ASVS 7.4.3).

    Of two changes at once from the same old password exactly one succeeds (ASVS 15.4.2).

    :raises PasswordRefused: The old password is wrong or the new one unacceptable.
    :raises NotSignedIn: The ticket was revoked meanwhile.
    :raises ServerBusy: There is too much to do. Nothing was changed.
    """
    user = await associates.by_id(identity.database, caller.tenant.tenant_id, caller.associate_id)
    if user is None:
        raise NotSignedIn(given=True)
    await change(identity, caller, user, old, new, origin)


async def change(
    identity: Identity, caller: Caller, user: Associate, old: str, new: str, origin: Origin
) -> None:
    """Change a user's password with the current one; all tickets of theirs end but the calling one.

    Whether the caller may was decided before. Nobody looks at the new password before the old one
    was found right, nor at the old one where there were too many wrong ones.

    :param old: The current password. An empty one is a wrong one.
    :raises PasswordRefused: The old password is wrong or the new one unacceptable.
    :raises NotSignedIn: The caller's ticket was revoked meanwhile.
    :raises ServerBusy: There is too much to do. Nothing was changed.
    """
    async with refusals_told(
        identity, caller.tenant, origin, associate_id=user.associate_id, by=caller.associate_id
    ):
        attempt = guessing.attempt(identity, caller.tenant, user.name, origin, user)
        try:
            async with guessing.admitted(identity, attempt):
                await _change(identity, caller, user, old, new, attempt)
        except MustWait as wait:
            raise _throttled(wait) from None


async def _change(
    identity: Identity, caller: Caller, user: Associate, old: str, new: str, attempt: Attempt
) -> None:
    database, tenant, origin = identity.database, caller.tenant, attempt.origin
    own = user.associate_id == caller.associate_id
    if await guessing.is_disabled(database, attempt):
        raise _disabled(own=own)
    policy = await password_rules.policy_of(identity, tenant)
    was_right = False
    for _attempt in range(_ATTEMPTS):
        row = await credentials.password_of(database, user.associate_id)
        model = await guessing.model_of(database, identity, tenant, user.name)
        proved = await identity.hashing.verify(row.secret if row else None, old, like=model)
        if row is None or not proved:
            # It was no guess where another change made it wrong just now.
            if not was_right and not await guessing.count_failure(
                identity, attempt.by(user if row else None), unless_disabled=True
            ):
                raise _disabled(own=own)
            raise PasswordRefused("old-password-wrong", "The current password is not correct.")
        was_right = True
        hashed = await password_rules.hash_of_owner(
            identity, policy, new, tenant, user, row, proved=old
        )
        if await _replace(identity, caller, user, policy, row, hashed, origin, attempt):
            return
        # Somebody else replaced the hash since it was read: is the old password still the password?
    raise ServerBusy(retry_after=1)


async def set_without_old(
    identity: Identity, caller: Caller, user: Associate, new: str, origin: Origin
) -> None:
    """Set a user's password without the current one; all their tickets end but the calling one.

    Whether the caller may, and may without the current one, was decided before.

    :raises PasswordRefused: The new password is unacceptable.
    :raises NotSignedIn: The caller's ticket was revoked meanwhile.
    :raises ServerBusy: There is too much to do. Nothing was changed.
    """
    await _set(identity, caller, user, new, origin, generated=False)


async def _set(
    identity: Identity,
    caller: Caller,
    user: Associate,
    new: str,
    origin: Origin,
    *,
    generated: bool,
) -> None:
    async with refusals_told(
        identity, caller.tenant, origin, associate_id=user.associate_id, by=caller.associate_id
    ):
        policy = await password_rules.policy_of(identity, caller.tenant)
        for _attempt in range(_ATTEMPTS):
            row = await credentials.password_of(identity.database, user.associate_id)
            # Each time anew: what was set meanwhile may be this very password.
            hashed = await hash_for_another(
                identity, policy, new, caller.tenant, user, row, origin, generated=generated
            )
            if await _replace(identity, caller, user, policy, row, hashed, origin, None):
                return
    raise ServerBusy(retry_after=1)


async def hash_for_another(
    identity: Identity,
    policy: Policy,
    new: str,
    tenant: Tenant,
    user: Associate,
    row: PasswordRow | None,
    origin: Origin,
    *,
    generated: bool = False,
) -> str:
    """Hash a new password that somebody sets who has not given the current one, or refuse it.

    Whether it is the current password or an earlier one is judged only where it would be taken
    otherwise; where it is one, that counts as a failure of the user's. So whoever tries candidates
    changes the password with the first that is none.

    :param row: The password that is to be replaced.
    :param generated: Whether nobody chose it, so that it is none that was.
    :raises PasswordRefused: It fails a rule, or there were too many failures of that kind.
    :raises ServerBusy: There is too much to do.
    """
    hashed = await password_rules.hash_unless_refused(identity, policy, new, tenant, user)
    secrets = await password_rules.secrets_of(identity, policy, user, row)
    if not secrets or generated:
        return hashed
    attempt = guessing.attempt(identity, tenant, user.name, origin, user, of_reuse=True)
    try:
        async with guessing.admitted(identity, attempt):
            try:
                await password_rules.check_reuse(identity, policy, new, secrets)
            except PasswordRefused:
                await guessing.count_failure(identity, attempt)
                raise
    except MustWait as wait:
        raise _throttled(wait) from None
    return hashed


def _throttled(wait: MustWait) -> PasswordRefused:
    return PasswordRefused(
        "throttled", _(_THROTTLED).format(wait.seconds), retry_after=wait.seconds
    )


def _disabled(*, own: bool) -> PasswordRefused:
    return PasswordRefused("throttled", _(_DISABLED if own else _DISABLED_OF_ANOTHER))


_THROTTLED = marked("There were too many wrong passwords. Nothing was changed. Try again in {} s.")
_DISABLED = marked(
    "Your password was disabled after too many wrong ones. Nothing was changed. "
    "Ask an administrator to set a new one."
)
_DISABLED_OF_ANOTHER = marked(
    "The password of this user was disabled after too many wrong ones, so the old password is not "
    "looked at. Nothing was changed. Leave the old password empty to set a new one."
)


async def set_generated(identity: Identity, caller: Caller, user: Associate, origin: Origin) -> str:
    """Set a password that nobody chose and that the rules accept; all tickets of the user end.

    :returns: The password. This is the only time that it is known.
    :raises PasswordRefused: The rules are such that no generated password passes.
    """
    for each in _GENERATED:
        candidate = generate(each)
        if not await password_rules.explain(identity, caller.tenant, candidate, user):
            break
    await _set(identity, caller, user, candidate, origin, generated=True)
    return candidate


async def remove(identity: Identity, caller: Caller, user: Associate, origin: Origin) -> bool:
    """Take a user's password away: they cannot sign in, and all tickets of theirs end.

    No mailed link brings it back, until an administrator mails one again.

    :returns: False where the user has no password.
    :raises NotSignedIn: The caller's ticket was revoked meanwhile.
    :raises LastAdministrator: No general administrator would be left.
    """
    policy = await password_rules.policy_of(identity, caller.tenant)

    async def work(connection: Connection) -> bool:
        async with administrators.kept(connection, caller.tenant):
            return await removed(connection)

    async def removed(connection: Connection) -> bool:
        await tickets.check_again(connection, caller)
        await associates.lock(connection, user.associate_id)
        await associates.set_invited(connection, user.associate_id, None)
        await reset_links.delete_links(connection, user.associate_id)
        row = await credentials.locked_password_of(connection, user.associate_id)
        if row is None:
            return False
        await credentials.delete_password(connection, user.associate_id)
        await policy.changed(connection, user.associate_id, row.secret, identity.clock.now())
        ended = await credentials.delete_tickets(connection, user.associate_id)
        await notices.owe(connection, identity, Notice.PASSWORD_REMOVED, user)
        await record(
            connection,
            identity,
            caller.tenant,
            AuditEvent.AUTHN_PASSWORD_CHANGE,
            origin,
            associate_id=user.associate_id,
            by=caller.associate_id,
            reason="removed",
        )
        await tickets_ended(
            connection,
            identity,
            caller.tenant,
            origin,
            associate_id=user.associate_id,
            by=caller.associate_id,
            count=ended,
            reason="password-removed",
        )
        return True

    return await identity.database.transaction(work)


async def _replace(
    identity: Identity,
    caller: Caller,
    user: Associate,
    policy: Policy,
    verified: PasswordRow | None,
    hashed: str,
    origin: Origin,
    attempt: Attempt | None,
) -> bool:
    async def work(connection: Connection) -> None:
        await tickets.check_again(connection, caller)
        own = user.associate_id == caller.associate_id
        if attempt is not None and not await guessing.succeeded(
            connection, identity, attempt, user
        ):
            raise _disabled(own=own)
        if not await store(
            connection,
            identity,
            caller.tenant,
            user,
            policy,
            verified,
            hashed,
            origin,
            cause=Cause.OWNER if own else Cause.ADMINISTRATOR,
            by=caller.associate_id,
            keep=caller.ticket_id,
        ):
            raise _Overtaken

    try:
        await identity.database.transaction(work)
    except (_Overtaken, Conflict):  # a Conflict: the user got a first password meanwhile
        return False
    if attempt is not None:
        attempt.slot.ended = True
    return True


class _Overtaken(Exception):
    """The hash was replaced since it was read: undo what the transaction did."""


async def store(
    connection: Connection,
    identity: Identity,
    tenant: Tenant,
    user: Associate,
    policy: Policy,
    verified: PasswordRow | None,
    hashed: str,
    origin: Origin,
    *,
    cause: Cause,
    by: int,
    keep: int = 0,
) -> bool:
    """Store a new hash in place of exactly the one verified, with all that a change entails.

    The user's tickets but one end, and so do mailed links; the owner is owed a notice.

    :param verified: The password that was; None where there was none.
    :param by: Number of who changes it; 0 for the command line.
    :param keep: Number of the ticket that does not end.
    :returns: False where the stored hash is another by now; nothing was changed.
    :raises Conflict: There was no password, and now there is one.
    """
    now = identity.clock.now()
    if verified is None:
        await credentials.add_password(
            connection,
            tenant=tenant.tenant_id,
            associate_id=user.associate_id,
            name=user.name,
            secret=hashed,
            now=now,
        )
    elif not await credentials.replace_password(connection, verified, secret=hashed, now=now):
        return False
    before = verified.secret if verified else None
    await policy.changed(connection, user.associate_id, before, now)
    await guessing.clear(connection, identity, tenant, user)
    ended = await credentials.delete_tickets(connection, user.associate_id, keep=keep)
    await reset_links.delete_links(connection, user.associate_id)
    await notices.owe(connection, identity, Notice.PASSWORD_CHANGED, user, cause=cause)
    # The audit trail last: its head is locked until the transaction ends.
    await record(
        connection,
        identity,
        tenant,
        AuditEvent.AUTHN_PASSWORD_CHANGE,
        origin,
        associate_id=user.associate_id,
        by=by,
    )
    await tickets_ended(
        connection,
        identity,
        tenant,
        origin,
        associate_id=user.associate_id,
        by=by,
        count=ended,
        reason="password-changed",
    )
    return True


async def set_by_operator(identity: Identity, tenant: Tenant, user: Associate, new: str) -> None:
    """Set a user's password from the command line; all tickets of theirs end.

    :raises PasswordRefused: The new password is unacceptable.
    :raises BadInput: Somebody else changed it at the same time.
    """
    policy = await password_rules.policy_of(identity, tenant)
    row = await credentials.password_of(identity.database, user.associate_id)
    hashed = await hash_for_another(identity, policy, new, tenant, user, row, Origin())
    await store_by_operator(identity, tenant, user, policy, row, hashed)


async def store_by_operator(
    identity: Identity,
    tenant: Tenant,
    user: Associate,
    policy: Policy,
    row: PasswordRow | None,
    hashed: str,
) -> None:
    """Store a new hash of a user's for the operator, whatever the rules; all their tickets end.

    :param row: The password that was; None where there was none.
    :raises BadInput: Somebody else changed it at the same time.
    """

    async def work(connection: Connection) -> bool:
        return await store(
            connection,
            identity,
            tenant,
            user,
            policy,
            row,
            hashed,
            Origin(),
            cause=Cause.OPERATOR,
            by=0,
        )

    if not await identity.database.transaction(work):
        raise BadInput("The password was changed by somebody else at the same time. Try again.")
