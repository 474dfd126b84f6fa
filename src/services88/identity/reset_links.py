"""Mailed links by which a password can be changed once (ASVS 6.4.3).

The token in a link is made when its mail is sent and stands only there: it holds 256 random bits,
and stored is its SHA-256. A link stays good until it expires, also beside newer ones: else whoever
asks for one each minute would end the link that the owner has just got. Every change of the
password ends all links of the user.

A password that an administrator removed does not come back by asking for a link: a user without a
password is mailed one only where an administrator has asked for it since.
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

_MOST_LINKS = 32
"""That a user has at once: more than can be asked for while one lasts, so that none ends early but
where mails were held up and come all at once."""


class LinkRefused(Refusal):
    """The link is unknown, used, ended or expired. Which of it is not told."""

    def __init__(self) -> None:
        super().__init__("The link is not valid, or not any more. Ask for a new one.")


async def ask(identity: Identity, caller: Caller, user: Associate, origin: Origin) -> bool:
    """Enqueue a mail with a link; none beside one that was asked for a moment ago.

    Where the caller is an administrator, the user may choose a password by mail from now on, also
    where there is none (any more).

    :returns: False where the user has no e-mail address.
    """
    return await _owe(identity, caller.tenant, user, origin, by=caller.associate_id)


async def ask_for_name(identity: Identity, tenant: Tenant, name: str, origin: Origin) -> None:
    """Enqueue a mail with a link for the user of a typed name or e-mail address, if there is one.

    Neither the result nor what is raised tells whether there is; how long it takes does, so do it
    where nobody can measure it (ASVS 6.3.8): see :mod:`services88.identity.errands`.
    """
    user = await sign_in.find(identity, tenant, name)
    if user is not None and user.may_sign_in and AssociateType(user.type) in _SIGNING_IN:
        await _owe(identity, tenant, user, origin, by=0)


_SIGNING_IN = (AssociateType.EMPLOYEE, AssociateType.EXTERNAL_PERSON, AssociateType.SYSTEM)


async def _owe(
    identity: Identity, tenant: Tenant, user: Associate, origin: Origin, *, by: int
) -> bool:
    async def work(connection: Connection) -> bool:
        now = identity.clock.now()
        kind = Notice.RESET_LINK
        asked = await outbox.was_owed(connection, user.associate_id, kind, now - _APART)
        might = await _may_choose(connection, user)
        if by not in (0, user.associate_id):
            await associates.set_invited(connection, user.associate_id, now)
        elif not might:
            return True
        if asked and might:  # what was asked for before the password was removed does not count
            return True
        if not await notices.owe(connection, identity, kind, user):
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


async def _may_choose(connection: Connection, user: Associate) -> bool:
    """Check that a user has a password, or was let choose one by an administrator."""
    if await credentials.password_of(connection, user.associate_id) is not None:
        return True
    return await associates.was_invited(connection, user.associate_id)


async def issue(identity: Identity, user: Associate) -> str:
    """Make the token of a new link, valid for half an hour. This is the only time it is known.

    :raises LinkRefused: The user's password was removed since the mail was asked for.
    """
    token = secrets.token_urlsafe(32)

    async def work(connection: Connection) -> None:
        await associates.lock(connection, user.associate_id)  # against a removal meanwhile
        if not await _may_choose(connection, user):
            raise LinkRefused
        now = identity.clock.now()
        await reset_links.delete_old(connection, user.associate_id, now=now, most=_MOST_LINKS - 1)
        await reset_links.add(
            connection,
            tenant=user.tenant_id,
            associate_id=user.associate_id,
            hashed=_hash(token),
            expires=now + LIFETIME,
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
