"""Mails that users are owed, above all after a change of their password (ASVS 6.3.7).

A mail is owed in the transaction of the thing it tells of, so neither is there without the other.
It is rendered and sent later, by ``services88.mail``.
"""

import json
from enum import StrEnum

from services88.identity.audit import plain_address
from services88.identity.clock import HOUR
from services88.identity.identity import Identity, Origin
from services88.store import application_tokens, associates, outbox, seen_applications
from services88.store.associates import Associate
from services88.store.database import Connection

__all__ = [
    "DAY",
    "FORGOTTEN_AFTER",
    "Cause",
    "Notice",
    "owe",
    "owe_disablement",
    "owe_new_application",
]

DAY = 24 * HOUR
FORGOTTEN_AFTER = 7 * DAY
"""How long the outbox remembers a mail, sent or not."""


class Notice(StrEnum):
    """What a mail tells. The values are stored."""

    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - no password
    PASSWORD_REMOVED = "password-removed"  # noqa: S105
    PASSWORD_DISABLED = "password-disabled"  # noqa: S105
    RESET_LINK = "reset-link"
    NEW_APPLICATION = "new-application"


class Cause(StrEnum):
    """Who changed a password. The values are stored."""

    OWNER = "owner"
    LINK = "link"
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"


async def owe(
    connection: Connection,
    identity: Identity,
    notice: Notice,
    user: Associate,
    **parameters: str,
) -> bool:
    """Owe a user a mail; it is sent to the address that they have now.

    :param parameters: What the mail tells beside the user and the time. Never a secret.
    :returns: False where the user has no e-mail address, so that none is owed.
    """
    if not user.email:
        return False
    now = identity.clock.now()
    await outbox.delete_old(connection, now - FORGOTTEN_AFTER)
    await outbox.add(
        connection,
        tenant=user.tenant_id,
        associate_id=user.associate_id,
        kind=notice,
        recipient=user.email,
        parameters=json.dumps(parameters),
        now=now,
    )
    return True


async def owe_disablement(connection: Connection, identity: Identity, user: Associate) -> bool:
    """Owe a user the news that their password was disabled: at most one a day.

    :returns: False where none is owed.
    """
    since = identity.clock.now() - DAY
    if await outbox.was_owed(connection, user.associate_id, Notice.PASSWORD_DISABLED, since):
        return False
    return await owe(connection, identity, Notice.PASSWORD_DISABLED, user)


async def owe_new_application(
    connection: Connection, identity: Identity, user: Associate, origin: Origin
) -> bool:
    """Note from which application a user signs in, and owe them the news of one that is new.

    The first that is noted of a user is no news: it is how everybody begins, and how everybody
    would be told at once when the server is updated. On-site no application is known.

    :returns: False where no mail is owed.
    """
    application = origin.application_token_id
    if not application:
        return False
    if application in await seen_applications.of_user(connection, user.associate_id):
        return False
    await associates.lock(connection, user.associate_id)  # of two new ones at once one is the first
    seen = await seen_applications.of_user(connection, user.associate_id)
    if application in seen:
        return False
    now = identity.clock.now()
    await seen_applications.add(connection, user.associate_id, application, now)
    if not seen:
        return False
    name = await application_tokens.name_of(connection, user.tenant_id, application)
    return await owe(
        connection,
        identity,
        Notice.NEW_APPLICATION,
        user,
        application=name,
        address=plain_address(origin.address),
    )
