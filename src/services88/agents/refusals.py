"""How refusals look on the wire.

What a real installation answers is not documented (semantics of Services88, sections 3 to 5); the
exception types are documented ones, which of them stands for what is our choice.
"""

from services88.contract.headers import SoExceptionInfo
from services88.identity.errors import (
    ApplicationTokenRefused,
    NotSignedIn,
    PasswordRefused,
    Refusal,
)

__all__ = [
    "AdministratorsMayNotChoose",
    "NotExternal",
    "NotSupported",
    "OldPasswordNeeded",
    "UnknownCredentialType",
    "exception_info",
    "password_facts",
]

_SESSION = "SuperOffice.Exceptions.SoSessionException"
_PASSWORD = "SuperOffice.Exceptions.SoInvalidPasswordException"  # noqa: S105 - a type name
_ILLEGAL = "SuperOffice.Exceptions.SoIllegalOperationException"


class NotSupported(Refusal):
    """The operation is part of the contract and does nothing here yet."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not supported by this server yet. Nothing was done.")


class OldPasswordNeeded(Refusal):
    """An administrator would set their own password without the old one."""

    def __init__(self) -> None:
        super().__init__("To change your own password, use ChangeOwnPassword with the current one.")


class NotExternal(Refusal):
    """The call is for external users, and the user is none."""

    def __init__(self) -> None:
        super().__init__("This is for external users only. Use SetGeneratedPassword for others.")


class UnknownCredentialType(Refusal):
    """The call names a kind of credential that this server does not have."""

    def __init__(self) -> None:
        super().__init__(
            "There is no such credential type. GetCredentialTypes lists those there are."
        )


class AdministratorsMayNotChoose(Refusal):
    """The operator does not let administrators choose the passwords of others (ASVS 6.4.6)."""

    def __init__(self) -> None:
        super().__init__(
            "On this server administrators do not choose the passwords of others. "
            "SetGeneratedPassword sets one that nobody chose."
        )


def exception_info(refusal: Refusal) -> SoExceptionInfo:
    """Write a refusal as the contract's ExceptionInfo. It has no stack trace, ever."""
    match refusal:
        case NotSignedIn() | ApplicationTokenRefused():
            exception_type = _SESSION
        case PasswordRefused():
            exception_type = _PASSWORD
        case _:
            exception_type = _ILLEGAL
    facts = password_facts(refusal) if isinstance(refusal, PasswordRefused) else None
    return SoExceptionInfo(
        message=str(refusal),
        friendly_text=str(refusal),
        exception_type=exception_type,
        source="services88",
        parameters=facts,
    )


def password_facts(refused: PasswordRefused) -> dict[str, str | None]:
    """Say why a password was refused, by the documented keys, which are never renamed."""
    facts: dict[str, str | None] = {"Reason": refused.reason}
    if refused.rules:
        facts["Rules"] = " ".join(refused.rules)
    facts["Text"] = str(refused)
    if refused.retry_after is not None:
        facts["RetryAfter"] = str(refused.retry_after)
    return facts
