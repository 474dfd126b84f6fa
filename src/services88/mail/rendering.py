"""From what the outbox holds to a mail in plain text."""

import json
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from services88.identity.names import is_mailable
from services88.identity.notices import Cause, Notice
from services88.identity.reset_links import LIFETIME, PATH
from services88.store.associates import Associate
from services88.store.outbox import OwedMail
from services88.texts import _, marked

__all__ = ["render"]

_CAUSES = {
    Cause.OWNER: marked("You changed it yourself, with the password that it was."),
    Cause.LINK: marked("It was changed by a link that was mailed to you."),
    Cause.ADMINISTRATOR: marked("An administrator changed it."),
    Cause.OPERATOR: marked("The operator of the server changed it."),
}
_IF_NOT = marked("If you know nothing of this, tell your administrator at once.")
_TEXTS = {
    Notice.PASSWORD_CHANGED: (
        marked("Your password was changed"),
        (marked("The password of the user {name} was changed on {time}."), "{cause}", _IF_NOT),
    ),
    Notice.PASSWORD_REMOVED: (
        marked("Your password was removed"),
        (
            marked("An administrator removed the password of the user {name} on {time}."),
            _IF_NOT,
        ),
    ),
    Notice.PASSWORD_DISABLED: (
        marked("Your password was disabled"),
        (
            marked(
                "Too many wrong passwords were tried for the user {name}, so on {time} its "
                "password was disabled. Ask your administrator to enable it."
            ),
            marked("If it was not you who tried, somebody may be guessing your password."),
        ),
    ),
    Notice.NEW_APPLICATION: (
        marked("A sign-in from a new application"),
        (
            marked(
                "On {time} somebody signed in as the user {name} from the application "
                "{application}, from which this user had not signed in before. The network "
                "address was {address}."
            ),
            marked(
                "If it was you, all is well. If not, change your password, which ends all other "
                "sessions, and tell your administrator."
            ),
        ),
    ),
    Notice.RESET_LINK: (
        marked("Change your password"),
        (
            marked("By this link you can choose a new password for the user {name}:"),
            "{link}",
            marked("If the page asks for a code, it is the following:"),
            "{token}",
            marked(
                "The link works once, within {minutes} minutes, unless your password is changed "
                "before."
            ),
            marked("If you did not ask for it, ignore this mail; your password stays as it is."),
        ),
    ),
}


def render(
    mail: OwedMail, user: Associate, *, sender: str, now: int, public_url: str, token: str = ""
) -> EmailMessage:
    """Write a mail.

    :param token: What the link holds, for a mail that has one.
    :raises ValueError: The stored row is none that this version knows, or the address is none.
    """
    subject, paragraphs = _TEXTS[Notice(mail.kind)]
    parameters = json.loads(mail.parameters)
    cause = parameters.get("cause")
    values = {
        "name": user.name,
        "time": datetime.fromtimestamp(mail.created / 1000, UTC).strftime("%Y-%m-%d, %H:%M UTC"),
        "cause": _(_CAUSES[Cause(cause)]) if cause else "",
        "application": parameters.get("application", ""),
        "address": parameters.get("address", ""),
        # Behind the number sign it is sent to no server, so it is in no log and no Referer.
        "link": f"{public_url}{PATH}#{token}",
        "token": token,
        "minutes": LIFETIME // 60_000,
    }
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(addr_spec=sender)
    if not is_mailable(mail.recipient):  # the library's parser takes seconds for some texts
        raise ValueError("the address is none that mail can be sent to")
    message["To"] = Address(addr_spec=mail.recipient)
    message["Subject"] = _(subject)
    message["Date"] = format_datetime(datetime.fromtimestamp(now / 1000, UTC))
    # The same each time a mail is sent, so that one sent twice can be told.
    message["Message-ID"] = (
        f"<{mail.created}.{mail.outbox_id}.services88@{sender.rpartition('@')[2]}>"
    )
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    text = "\n\n".join(_(paragraph).format(**values) for paragraph in paragraphs)
    message.set_content(f"{text}\n")
    return message
