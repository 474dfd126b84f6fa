"""Signing in: from a name and a password, or from a ticket, to a user and a ticket."""

from dataclasses import dataclass

from services88.identity import tickets
from services88.identity.errors import NotSignedIn, ServerBusy
from services88.identity.identity import Identity, Origin, record
from services88.identity.names import key_of
from services88.identity.tickets import Ticket
from services88.store import associates, credentials, roles
from services88.store.associates import Associate
from services88.store.credentials import PasswordRow
from services88.store.database import Connection
from services88.store.tenants import Tenant

__all__ = ["ProvidedCredential", "SignedIn", "with_name"]


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
    they are told and in the time it takes (ASVS 6.3.8).

    :param name: A sign-in name; an e-mail address that exactly one user has; or a ticket, for which
        the password does not matter.
    :returns: None where nobody was proved.
    :raises ServerBusy: There is too much to do.
    """
    if tickets.looks_like_ticket(name):
        return await _with_ticket(identity, tenant, name)
    for _ in range(_ATTEMPTS):
        user = await _find(identity, tenant, name)
        row = await credentials.password_of(identity.database, user.associate_id) if user else None
        usable = row is not None and user is not None and user.may_sign_in
        proved = await identity.hashing.verify(row.secret if row else None, password)
        if not proved or not usable or user is None or row is None:
            return None
        better = None
        if identity.hashing.needs_rehash(row.secret):
            better = await identity.hashing.hash(password)
        ticket = await _issue(identity, tenant, user, row, better, origin)
        if ticket is not None:
            provided = ProvidedCredential(credentials.PASSWORD, row.search_name, row.credentials_id)
            return await _signed_in(identity, user, ticket, provided)
        # The hash was replaced since it was read: by a change, or by a better one of the same.
    raise ServerBusy(retry_after=1)


_ATTEMPTS = 3


async def _find(identity: Identity, tenant: Tenant, name: str) -> Associate | None:
    key = key_of(name)
    user = await associates.by_name(identity.database, tenant.tenant_id, key)
    if user is None and "@" in key:
        found = await associates.by_email(identity.database, tenant.tenant_id, key)
        user = found[0] if len(found) == 1 else None
    return user


async def _issue(
    identity: Identity,
    tenant: Tenant,
    user: Associate,
    proved: PasswordRow,
    better: str | None,
    origin: Origin,
) -> Ticket | None:
    """Issue a ticket, unless the password was changed or the user retired since it was proved.

    :param better: A hash of the same password with today's cost, to replace the stored one.
    """

    async def work(connection: Connection) -> Ticket | None:
        if await credentials.password_of(connection, user.associate_id) != proved:
            return None
        if better is not None:
            await credentials.replace_password(
                connection, proved, secret=better, now=proved.valid_from
            )
        if not await associates.signed_in(connection, user.associate_id, identity.clock.now()):
            return None
        await record(
            connection,
            identity,
            tenant,
            "authn_login_success",
            origin,
            associate_id=user.associate_id,
            by=user.associate_id,
        )
        return await tickets.issue(connection, identity, tenant, user.associate_id)

    return await identity.database.transaction(work)


async def _with_ticket(identity: Identity, tenant: Tenant, text: str) -> SignedIn | None:
    try:
        caller = await tickets.verify(identity, tenant, text)
    except NotSignedIn:
        return None
    user = await associates.by_id(identity.database, tenant.tenant_id, caller.associate_id)
    ticket = tickets.parse(text)
    if user is None or ticket is None:
        return None
    provided = ProvidedCredential(credentials.TICKET, caller.ticket_key, caller.ticket_id)
    return await _signed_in(identity, user, ticket, provided)


async def _signed_in(
    identity: Identity, user: Associate, ticket: Ticket, provided: ProvidedCredential
) -> SignedIn:
    return SignedIn(
        user=user,
        ticket=ticket,
        provided=provided,
        rights=await roles.rights_of(identity.database, user.role_id),
        groups=await associates.groups_of(identity.database, user.associate_id),
    )
