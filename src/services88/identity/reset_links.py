"""Mailed links by which a password can be changed once (ASVS 6.4.3).

The token in a link is made when its mail is sent and stands only there: it holds 256 random bits,
and stored is its SHA-256. A newer link of a user ends the older ones, and so does every change of
the password.
"""

import hashlib
import secrets

from services88.identity import notices, password_rules, passwords, sign_in
from services88.identity.accounts import AssociateType
from services88.identity.audit import AuditEvent, record
from services88.identity.clock import MINUTE
from services88.identity.errors import Refusal, ServerBusy
from services88.identity.identity import Caller, Identity, Origin
from services88.identity.notices import Cause, Notice
from services88.store import associates, credentials, outbox, reset_links
from services88.store.associates import Associate
from services88.store.database import Connection
from services88.store.errors import Conflict
from services88.store.reset_links import LinkRow
from services88.store.tenants import Tenant

__all__ = ["LIFETIME", "PATH", "LinkRefused", "ask", "ask_for_name", "issue", "look", "use"]

LIFETIME = 30 * MINUTE
PATH = "/password/reset"
"""Where links lead, below the public URL."""

_APART = MINUTE
"""Between two mails with a link to one user: nobody's mailbox is to be filled by asking."""


class LinkRefused(Refusal):
    """The link is unknown, used, replaced or expired. Which of it is not told."""

    def __init__(self) -> None:
        super().__init__("The link is not valid, or not any more. Ask for a new one.")


async def ask(identity: Identity, caller: Caller, user: Associate, origin: Origin) -> bool:
    """Owe a user a mail with a link; none beside one that was asked for a moment ago.

    :returns: False where the user has no e-mail address.
    """
    return await _owe(identity, caller.tenant, user, origin, by=caller.associate_id)


async def ask_for_name(identity: Identity, tenant: Tenant, name: str, origin: Origin) -> None:
    """Owe the user of a typed name or e-mail address a mail with a link, where there is one.

    Nothing tells whether there is, nor does what is raised; how long it takes does, so do not let
    whoever asked wait for it (ASVS 6.3.8).
    """
    user = await sign_in.find(identity, tenant, name)
    if user is not None and user.may_sign_in and AssociateType(user.type) in _SIGNING_IN:
        await _owe(identity, tenant, user, origin, by=0)


_SIGNING_IN = (AssociateType.EMPLOYEE, AssociateType.EXTERNAL_PERSON, AssociateType.SYSTEM)


async def _owe(
    identity: Identity, tenant: Tenant, user: Associate, origin: Origin, *, by: int
) -> bool:
    async def work(connection: Connection) -> bool:
        since = identity.clock.now() - _APART
        if await outbox.was_owed(connection, user.associate_id, Notice.RESET_LINK, since):
            return True
        if not await notices.owe(connection, identity, Notice.RESET_LINK, user):
            return False
        await record(
            connection,
            identity,
            tenant,
            AuditEvent.AUTHN_PASSWORD_LINK_REQUESTED,
            origin,
            associate_id=user.associate_id,
            by=by,
        )
        return True

    return await identity.database.transaction(work)


async def issue(identity: Identity, user: Associate) -> str:
    """Make the token of a new link, valid for half an hour. This is the only time it is known."""
    token = secrets.token_urlsafe(32)

    async def work(connection: Connection) -> None:
        await reset_links.delete_links(connection, user.associate_id)
        await reset_links.add(
            connection,
            tenant=user.tenant_id,
            associate_id=user.associate_id,
            hashed=_hash(token),
            expires=identity.clock.now() + LIFETIME,
        )

    await identity.database.transaction(work)
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


async def look(identity: Identity, token: str) -> tuple[Tenant, Associate]:
    """Say whose password a link changes, and change nothing.

    :raises LinkRefused: The link is not valid, or not any more.
    """
    link, user = await _valid(identity, token)
    return link.tenant, user


async def _valid(identity: Identity, token: str) -> tuple[LinkRow, Associate]:
    link = await reset_links.by_secret(identity.database, _hash(token))
    if link is None or link.used is not None or link.expires <= identity.clock.now():
        raise LinkRefused
    user = await associates.by_id(identity.database, link.tenant.tenant_id, link.associate_id)
    if user is None or not user.may_sign_in:
        raise LinkRefused
    return link, user


async def use(identity: Identity, token: str, new: str, origin: Origin) -> None:
    """Change a user's password by a link, which is used up; all their tickets end.

    :raises LinkRefused: The link is not valid, or not any more.
    :raises PasswordRefused: The new password is unacceptable; the link is not used up.
    :raises ServerBusy: There is too much to do. Nothing was changed.
    """
    link, user = await _valid(identity, token)
    tenant = link.tenant
    policy = await password_rules.policy_of(identity, tenant)
    row = await credentials.password_of(identity.database, user.associate_id)
    hashed = await passwords.hash_for_another(identity, policy, new, tenant, user, row, origin)

    async def work(connection: Connection) -> None:
        now_is = await associates.by_id(connection, tenant.tenant_id, user.associate_id)
        if now_is is None or not now_is.may_sign_in:
            raise LinkRefused
        if not await reset_links.use(connection, link, identity.clock.now()):
            raise LinkRefused
        changed = await passwords.store(
            connection,
            identity,
            tenant,
            now_is,
            policy,
            row,
            hashed,
            origin,
            cause=Cause.LINK,
            by=user.associate_id,
        )
        if not changed:  # no change, which would have ended the link: only hashed anew at a sign-in
            raise ServerBusy(retry_after=1)

    try:
        await identity.database.transaction(work)
    except Conflict:  # the user got a first password meanwhile
        raise LinkRefused from None
