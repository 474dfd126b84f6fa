"""Who may call an operation: declared with it, checked in one place before it does anything.

The functional rights are the documented ones (FunctionRightStrings): ``admin-all``, the general
administrator, and ``admin-users``, who may administer users. Ordinary users may do what is their
own; anonymous users nothing.
"""

from dataclasses import dataclass

__all__ = [
    "GENERAL_ADMINISTRATOR",
    "SIGNED_IN",
    "Access",
    "administrators",
    "own_or_administrators",
]

GENERAL_ADMINISTRATOR = "admin-all"
_USER_ADMINISTRATION = (GENERAL_ADMINISTRATOR, "admin-users")


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call.

    :ivar rights: Functional rights of which the caller needs one; empty where none is needed.
    :ivar own: Whether everybody may where the call concerns themselves.
    :ivar concerns: The parameter that names the user concerned: an associate id, a user name, or a
        list of associate ids, which are one's own where each is.
    :ivar reads: Whether the call changes nothing. What changes a general administrator or a system
        user is for general administrators: others could become one by it.
    :ivar or_nobody: Whether everybody may where that is the associate id 0: a user not saved yet.
    """

    rights: tuple[str, ...] = ()
    own: bool = False
    concerns: str | None = None
    or_nobody: bool = False
    reads: bool = False


SIGNED_IN = Access()
"""Everybody who is signed in and not anonymous."""


def administrators(concerns: str | None = None) -> Access:
    """User administrators only; ``concerns`` is the parameter that names the user concerned."""
    return Access(_USER_ADMINISTRATION, concerns=concerns)


def own_or_administrators(concerns: str, *, or_nobody: bool = False, reads: bool = False) -> Access:
    """User administrators, and everybody for themselves."""
    return Access(
        _USER_ADMINISTRATION, own=True, concerns=concerns, or_nobody=or_nobody, reads=reads
    )
