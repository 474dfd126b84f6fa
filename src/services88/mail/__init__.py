"""Sending the mails that users are owed, by the operator's SMTP server."""

from services88.mail.sender import sending
from services88.mail.smtp import MailServer

__all__ = ["MailServer", "sending"]
