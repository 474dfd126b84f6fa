"""What the domain refuses, in words for the person who asked and with nothing for an attacker."""

__all__ = [
    "ApplicationTokenRefused",
    "BadInput",
    "CallerLeft",
    "LastAdministrator",
    "NotAllowed",
    "NotSignedIn",
    "NotYourself",
    "PasswordRefused",
    "Refusal",
    "ServerBusy",
    "UnknownUser",
]


class Refusal(Exception):
    """The call is not carried out. ``str()`` says why, and what to do."""


class NotSignedIn(Refusal):
    """The call needs a ticket and has none that is valid.

    :ivar reason: Which of it, for the audit trail; the caller is not told.
    :ivar associate_id: Whose ticket it was, where that is proved; else 0.
    """

    def __init__(self, *, given: bool, reason: str = "", associate_id: int = 0) -> None:
        self.reason = reason or ("unknown" if given else "missing")
        self.associate_id = associate_id
        super().__init__(
            "The ticket is unknown or has expired. Sign in again to get a new one."
            if given
            else "This call needs a ticket. Sign in, and send the ticket in the Credentials header."
        )


class ApplicationTokenRefused(Refusal):
    """The installation wants to know which application calls, and was not told."""

    def __init__(self, *, given: bool) -> None:
        super().__init__(
            "The application token is unknown or was revoked. Ask the operator for a new one."
            if given
            else "This installation needs an application token. Send it in the ApplicationToken "
            "header."
        )


class NotAllowed(Refusal):
    """The caller may not do this, or not for that user."""

    def __init__(self, rights: tuple[str, ...] = ()) -> None:
        needed = " or ".join(rights)
        super().__init__(
            f"You may not do this. It needs the functional right {needed}."
            if rights
            else "You may not do this."
        )


class NotYourself(Refusal):
    """An administrator would lock themselves out."""

    def __init__(self) -> None:
        super().__init__("You cannot retire yourself. Another administrator can.")


class LastAdministrator(Refusal):
    """A change would leave a tenant without a general administrator who can sign in."""

    def __init__(self) -> None:
        super().__init__(
            "Nothing was changed: no general administrator who can sign in would be left. Let "
            "another user with a password have a role with the right admin-all first."
        )


class UnknownUser(Refusal):
    """The call concerns a user that the caller's tenant does not have."""

    def __init__(self) -> None:
        super().__init__("There is no such user.")


class PasswordRefused(Refusal):
    """A password was not changed, for a reason that the person can do something about.

    :ivar reason: ``old-password-wrong``, ``policy`` or ``throttled``. Never renamed.
    :ivar rules: Codes of the rules that the new password failed. Never renamed.
    :ivar retry_after: Seconds after which trying again makes sense, where waiting helps.
    """

    def __init__(
        self, reason: str, text: str, *, rules: tuple[str, ...] = (), retry_after: int | None = None
    ) -> None:
        super().__init__(text)
        self.reason = reason
        self.rules = rules
        self.retry_after = retry_after


class ServerBusy(Exception):
    """There is more to do than can be done soon. Nothing was changed."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"The server is too busy. Nothing was changed. Try again in {retry_after} seconds."
        )
        self.retry_after = retry_after


class CallerLeft(ConnectionError):
    """Nobody waits for the answer any more, so what was not begun is dropped."""


class BadInput(Exception):
    """An operator's command cannot be carried out. ``str()`` says why, and what to do."""
