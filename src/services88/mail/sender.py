"""The background sender: every mail that is owed is sent at least once.

A server claims a mail before it sends it, so that of several servers on one database one sends it.
One that is killed meanwhile leaves a claim that runs out, and the mail is sent by the next: twice
at worst, if the first got as far as the SMTP server's receipt.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from services88.identity import reset_links
from services88.identity.clock import HOUR, MINUTE
from services88.identity.identity import Identity
from services88.identity.notices import DAY, Notice
from services88.identity.reset_links import LinkRefused
from services88.mail.rendering import render
from services88.mail.smtp import MailServer, deliver
from services88.store import associates, outbox
from services88.store.database import Connection
from services88.store.errors import DatabaseUnavailable
from services88.store.outbox import OwedMail

__all__ = ["CLAIM", "LONGEST_WAIT", "sending"]

_log = logging.getLogger("services88.mail")

_PAUSE = 1.0
"""Seconds between looks at the outbox; other processes put mails there too."""

CLAIM = 5 * MINUTE
"""For which one server has a mail for itself."""

_FIRST_WAIT = MINUTE // 2
LONGEST_WAIT = HOUR
"""Between two tries to send a mail."""

_GIVEN_UP_AFTER = 5 * DAY  # RFC 5321, 4.5.4.1
_PATIENCE = 10
"""Seconds that a mail under way has when the server stops."""


@asynccontextmanager
async def sending(identity: Identity, server: MailServer) -> AsyncIterator[None]:
    """Send the mails that are owed, for as long as the context lasts."""
    stop = asyncio.Event()
    task = asyncio.create_task(_send_until(stop, identity, server), name="mail sender")
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait([task], timeout=_PATIENCE)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _send_until(stop: asyncio.Event, identity: Identity, server: MailServer) -> None:
    while not stop.is_set():
        try:
            while not stop.is_set() and await _send_next(identity, server):
                pass
        except DatabaseUnavailable as error:
            _log.error("the database does not answer: %s", error)
        except Exception:  # the sender outlives whatever is wrong with one mail
            _log.exception("sending mails failed")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PAUSE)


async def _send_next(identity: Identity, server: MailServer) -> bool:
    """Send the mail that is due; False where there is none, or where it could not be sent."""
    mail = await outbox.next_due(identity.database, identity.clock.now())
    if mail is None:
        return False
    claimed = await _claim(identity, mail)
    if claimed is None:
        return True  # another server sends it
    try:
        # One that was never tried is not too old: a clock may have been behind when it was created.
        if not mail.attempts or identity.clock.now() - mail.created < _GIVEN_UP_AFTER:
            await _send(identity, server, claimed)
        else:
            _log.error("mail %d (%s) is given up: too old", mail.outbox_id, mail.kind)
    except Exception as error:  # whatever it is, the mail is still owed
        await _postpone(identity, claimed, error)
        return False
    await _finish(identity, claimed)
    return True


async def _claim(identity: Identity, mail: OwedMail) -> OwedMail | None:
    async def work(connection: Connection) -> bool:
        now = identity.clock.now()
        return await outbox.claim(connection, mail, now=now, until=now + CLAIM)

    return mail.claimed() if await identity.database.transaction(work) else None


async def _send(identity: Identity, server: MailServer, mail: OwedMail) -> None:
    user = await associates.by_id(identity.database, mail.tenant_id, mail.associate_id)
    if user is None:
        return
    token = ""
    if mail.kind == Notice.RESET_LINK:
        if not user.may_sign_in or server.public_url is None:
            _log.warning("mail %d (%s) is not sent: no link", mail.outbox_id, mail.kind)
            return
        try:
            token = await reset_links.issue(identity, user)
        except LinkRefused:
            _log.info(
                "mail %d (%s) is not sent: the password is removed", mail.outbox_id, mail.kind
            )
            return
    message = render(
        mail,
        user,
        sender=server.sender,
        now=identity.clock.now(),
        public_url=server.public_url or "",
        token=token,
    )
    await deliver(server, message, mail.recipient)


async def _postpone(identity: Identity, mail: OwedMail, error: Exception) -> None:
    wait = min(_FIRST_WAIT << min(mail.attempts - 1, 16), LONGEST_WAIT)

    async def work(connection: Connection) -> None:
        await outbox.postpone(connection, mail, identity.clock.now() + wait)

    await identity.database.transaction(work)
    # Not what the SMTP server said: filters quote the mail there, and it may hold a link.
    _log.warning(
        "mail %d (%s) could not be sent: %s %s; next try in %d s",
        mail.outbox_id,
        mail.kind,
        type(error).__name__,
        getattr(error, "code", ""),
        wait // 1000,
    )


async def _finish(identity: Identity, mail: OwedMail) -> None:
    async def work(connection: Connection) -> None:
        await outbox.sent(connection, mail, identity.clock.now())

    await identity.database.transaction(work)
    _log.info("mail %d (%s) is sent", mail.outbox_id, mail.kind)
