"""Handing one mail to the SMTP server."""

import asyncio
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Literal

import aiosmtplib

__all__ = ["MailServer", "deliver"]

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_SECONDS = 60
"""How long one mail may take altogether."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in, and what stands in them.

    :ivar port: The usual one where it is None.
    :ivar security: With ``starttls`` and ``tls``, nothing goes to a server without a good
        certificate.
    :ivar sender: The address that mails come from.
    :ivar public_url: What links in mails begin with; without it there are none.
    """

    host: str
    port: int | None
    security: Literal["starttls", "tls", "none"]
    user: str | None
    password: str | None = field(repr=False)
    sender: str
    public_url: str | None


async def deliver(server: MailServer, message: EmailMessage, recipient: str) -> None:
    """Hand a mail to the server, for one recipient.

    :raises OSError: The server cannot be reached, or not in time.
    :raises aiosmtplib.SMTPException: It does not take the mail.
    """
    async with asyncio.timeout(_SECONDS):
        await aiosmtplib.send(
            message,
            sender=server.sender,
            recipients=[recipient],
            hostname=server.host,
            port=server.port or _PORTS[server.security],
            username=server.user,
            password=server.password,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            timeout=_SECONDS,
        )
