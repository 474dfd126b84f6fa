"""Signing in: from a name and a password, or from a ticket, to a user and a ticket."""

from dataclasses import dataclass

from services88.identity import audit, guessing, tickets
from services88.identity.audit import AuditEvent
from services88.identity.errors import NotSignedIn, ServerBusy
from services88.identity.guessing import Attempt, MustWait
from services88.identity.identity import Identity, Origin
from services88.identity.names import key_of
from services88.identity.notices import owe_new_application
from services88.identity.tickets import Ticket
from services88.store import associates, credentials, roles
from services88.store.associates import Associate
from services88.store.credentials import PasswordRow
from services88.store.database import Connection
from services88.store.tenants import Tenant

__all__ = ["ProvidedCredential", "SignedIn", "find", "with_name"]


@dataclass(frozen=True, slots=True)
class ProvidedCredential:
    """The credential with which somebody signed in."""

    type: str
    search_name: str
    credentials_id: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user who has proved who they are, and the ticket to show from now on."""

    user: Associate
    ticket: Ticket
    provided: ProvidedCredential
    rights: list[str]
    groups: list[int]


async def with_name(
    identity: Identity, tenant: Tenant, name: str, password: str, origin: Origin
) -> SignedIn | None:
    """Sign in with a user name, an e-mail address or a ticket, and a password.

    Unknown, retired and waiting users and a wrong password are the same to the caller, in what
    they are told and in the time it takes (ASVS 6.3.8). After too many failures the next attempt is
    answered like them, without a look at the password, until some time has passed; see
    ``guessing.py``.

    :param name: A user name; an e-mail address, which of several users who have it means the first;
        or a ticket, for which the password does not matter.
    :returns: None where nobody was proved.
    :raises ServerBusy: There is too much to do.
    """
    if tickets.looks_like_ticket(name):
        return await _with_ticket(identity, tenant, name, origin)
    attempt = guessing.attempt(identity, tenant, name, origin)
    try:
        async with guessing.admitted(identity, attempt):
            return await _admitted(identity, attempt, name, password)
    except MustWait:
        await audit.throttled(identity, tenant, key_of(name), origin)
        identity.observer.not_signed_in("throttled")
        return None


async def _admitted(
    identity: Identity, attempt: Attempt, name: str, password: str
) -> SignedIn | None:
    tenant, origin = attempt.tenant, attempt.origin
    for _ in range(_ATTEMPTS):
        user = await find(identity, tenant, name)
        known = user.associate_id if user else 0
        # Looked up for nobody as well, so that it takes the same time (ASVS 6.3.8).
        row = await credentials.password_of(identity.database, known)
        model = await guessing.model_of(identity.database, identity, tenant, name)
        of_user = attempt.by(user if row else None)
        usable = row is not None and user is not None and user.may_sign_in
        disabled = await guessing.is_disabled(identity.database, of_user)
        secret = row.secret if row else None
        proved = await identity.hashing.verify(secret, password, like=model)
        if not proved or not usable or disabled or user is None or row is None:
            reason = "password-disabled" if proved and disabled else _why_not(user, row)
            told = audit.refusal(
                identity,
                tenant,
                AuditEvent.AUTHN_LOGIN_FAIL,
                origin,
                reason=reason,
                associate_id=known,
                name=name,
            )
            await guessing.count_failure(identity, of_user, told)
            identity.observer.not_signed_in(reason)
            return None
        better = None
        if identity.hashing.may_replace(row.secret, password):
            better = await identity.hashing.hash(password)
        rights, groups = await _told_of(identity, user)
        ticket = await _issue(identity, of_user, user, row, better)
        if ticket is not None:
            provided = ProvidedCredential(credentials.PASSWORD, row.search_name, row.credentials_id)
            return SignedIn(user, ticket, provided, rights, groups)
        # Meanwhile the hash was replaced, by a change or by a better one of the same; or the user
        # was retired, or the password disabled.
    raise ServerBusy(retry_after=1)


_ATTEMPTS = 3


async def find(identity: Identity, tenant: Tenant, name: str) -> Associate | None:
    """Find the user whom a typed name or e-mail address means.

    One look-up by a key, whatever is typed and whoever is found (ASVS 6.3.8).
    """
    return await associates.by_sign_in_name(identity.database, tenant.tenant_id, key_of(name))


def _why_not(user: Associate | None, row: PasswordRow | None) -> str:
    """Say for the audit trail why nobody was proved; the caller is not told."""
    if user is None:
        return "unknown-name"
    if user.deleted:
        return "retired"
    if user.waiting_for_approval:
        return "not-approved"
    return "wrong-password" if row is not None else "no-password"


async def _issue(
    identity: Identity,
    attempt: Attempt,
    user: Associate,
    proved: PasswordRow,
    better: str | None,
) -> Ticket | None:
    """Issue a ticket, unless what allowed it has changed since the password was proved.

    :param better: A hash of the same password with today's cost, to replace the stored one.
    """
    tenant, origin = attempt.tenant, attempt.origin

    async def work(connection: Connection) -> Ticket | None:
        if await credentials.locked_password_of(connection, user.associate_id) != proved:
            return None
        if not await associates.signed_in(connection, user.associate_id, identity.clock.now()):
            return None
        if not await guessing.succeeded(connection, identity, attempt, user):
            raise _Overtaken
        if better is not None:
            await credentials.replace_password(
                connection, proved, secret=better, now=proved.valid_from
            )
        ticket = await tickets.issue(connection, identity, tenant, user.associate_id, origin)
        await owe_new_application(connection, identity, user, origin)
        await audit.record(
            connection,
            identity,
            tenant,
            AuditEvent.AUTHN_LOGIN_SUCCESS,
            origin,
            associate_id=user.associate_id,
            by=user.associate_id,
        )
        return ticket

    try:
        ticket = await identity.database.transaction(work)
    except _Overtaken:
        return None
    attempt.slot.ended = ticket is not None
    return ticket


class _Overtaken(Exception):
    """The password was disabled since it was verified: undo what the transaction did."""


async def _with_ticket(
    identity: Identity, tenant: Tenant, text: str, origin: Origin
) -> SignedIn | None:
    try:
        caller = await tickets.verify(identity, tenant, text, origin.address)
    except NotSignedIn as refused:
        await audit.ticket_not_a_name(identity, tenant, origin, refused)
        identity.observer.not_signed_in("bad-ticket")
        return None
    user = await associates.by_id(identity.database, tenant.tenant_id, caller.associate_id)
    ticket = tickets.parse(text)
    if user is None or ticket is None:
        return None

    async def work(connection: Connection) -> None:
        await owe_new_application(connection, identity, user, origin)
        await audit.counted(
            connection,
            identity,
            tenant,
            AuditEvent.AUTHN_LOGIN_SUCCESS,
            origin,
            associate_id=caller.associate_id,
            by=caller.associate_id,
            reason="ticket",
        )

    rights, groups = await _told_of(identity, user)
    await identity.database.transaction(work)
    provided = ProvidedCredential(credentials.TICKET, caller.ticket_key, caller.ticket_id)
    return SignedIn(user, ticket, provided, rights, groups)


async def _told_of(identity: Identity, user: Associate) -> tuple[list[str], list[int]]:
    """Give the rights and groups of a user, for the answer.

    Read before the sign-in is kept: a database that goes away after that must not make a failure
    of it, of which the caller would be told that nothing was changed.
    """
    rights = await roles.rights_of(identity.database, user.role_id)
    return rights, await associates.groups_of(identity.database, user.associate_id)
