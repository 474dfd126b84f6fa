"""A client of any Services88 server, ours or the vendor's.

    with Client("https://crm.example.com/Remote/Services88") as client:
        client.sign_in("JANE", old_password)
        client.change_own_password(old_password, new_password)

Every operation of the contract can be called, with the types of its declaration:
:meth:`Client.call`. What can go wrong is a :class:`ClientError`.
"""

from services88.client.addresses import service_folder
from services88.client.client import Client, Reply
from services88.client.errors import (
    AddressError,
    CallRefused,
    ClientError,
    NotSent,
    NotServices88,
    NotSignedIn,
    PasswordNotChanged,
    TransportError,
)

__all__ = [
    "AddressError",
    "CallRefused",
    "Client",
    "ClientError",
    "NotSent",
    "NotServices88",
    "NotSignedIn",
    "PasswordNotChanged",
    "Reply",
    "TransportError",
    "service_folder",
]
