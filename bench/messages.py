"""The messages that are posted."""

from collections.abc import Mapping

from tests.running import change_own, credentials, envelope
from tests.running import sign_in as sign_in_message

__all__ = ["HEADERS", "SPACE", "can_change", "change", "sign_in"]

SPACE = "http://www.superoffice.net/ws/crm/NetServer/Services88"
HEADERS: Mapping[str, str] = {
    "Content-Type": "text/xml; charset=utf-8",
    "SOAPAction": f'"{SPACE}/User/CanChangePassword"',
}


def can_change(ticket: str, associate_id: int) -> bytes:
    """Write a call of CanChangePassword."""
    called = f"<CanChangePassword><AssociateId>{associate_id}</AssociateId></CanChangePassword>"
    return envelope(called, credentials(ticket)).encode()


def change(ticket: str, old: str, new: str) -> bytes:
    """Write a call of ChangeOwnPassword."""
    return change_own(ticket, old, new).encode()


def sign_in(name: str, password: str) -> bytes:
    """Write a call of AuthenticateUsernamePassword."""
    return sign_in_message(name, password).encode()
