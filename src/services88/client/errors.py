"""What can go wrong with a call. Every message names the cause and the remedy.

What the server said is quoted on one line, without control characters and not at any length: it is
shown on terminals, and the server may be anybody's.
"""

from collections.abc import Mapping

from services88.contract.headers import SoExceptionInfo

__all__ = [
    "AddressError",
    "CallRefused",
    "ClientError",
    "NotSent",
    "NotServices88",
    "NotSignedIn",
    "PasswordNotChanged",
    "TransportError",
    "quoted",
]

_LONGEST = 500


def quoted(text: str) -> str:
    """Make a stranger's text fit to be shown: one line, no control characters, bounded."""
    line = " ".join(text.split())
    shown = "".join(character if character.isprintable() else "\ufffd" for character in line)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


class ClientError(Exception):
    """A call that did not do what was asked."""


class AddressError(ClientError):
    """The URL is no address of a Services88 server, or passwords may not be sent to it."""


class TransportError(ClientError):
    """No answer came: no connection, no trust in the certificate, a time-out.

    Where the call was on its way already, the server may have carried it out.
    """


class NotServices88(ClientError):
    """What answered does not speak Services88: HTTP errors, SOAP faults, other documents.

    :ivar status: HTTP status, where there was one.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class NotSent(ClientError):
    """The call holds a text that cannot be sent as it is. Nothing was sent."""


class NotSignedIn(ClientError):
    """The server does not accept the user name with that password."""


class CallRefused(ClientError):
    """The server refused a call with an ExceptionInfo.

    :ivar info: The ExceptionInfo, as it came.
    """

    def __init__(self, info: SoExceptionInfo) -> None:
        self.info = info
        said = info.friendly_text or info.message or "It gave no reason."
        kind = f" ({info.exception_type})" if info.exception_type else ""
        super().__init__(
            quoted(f"The server refused the call: {said}{kind}") + _facts(info.parameters)
        )


class PasswordNotChanged(ClientError):
    """The server answered that the password did not change.

    :ivar extra: The facts beside the answer; services88 says why by ``Reason``, ``Rules``,
        ``Text`` and ``RetryAfter``, the vendor's server is not known to say anything.
    """

    def __init__(self, extra: Mapping[str, str | None]) -> None:
        self.extra = dict(extra)
        said = extra.get("Text") or (
            "it did not say why. Check that the old password is right and that the new one "
            "follows the rules of your organisation"
        )
        super().__init__(quoted(f"The server did not change the password: {said}") + _facts(extra))

    @property
    def reason(self) -> str | None:
        """The documented word for why, such as ``policy``."""
        return self.extra.get("Reason")


def _facts(facts: Mapping[str, str | None] | None) -> str:
    """Write further facts, one a line."""
    told = [(key, value) for key, value in (facts or {}).items() if value and key != "Text"]
    return "".join(f"\n  {quoted(key)}: {quoted(value)}" for key, value in told[:_MOST_FACTS])


_MOST_FACTS = 20
