"""Which new passwords are acceptable."""

from dataclasses import dataclass

from services88.identity.errors import PasswordRefused

__all__ = ["MAXIMUM_LENGTH", "Failure", "check", "require"]

MAXIMUM_LENGTH = 1024
"""Code points. NIST SP 800-63B-4 asks for at least 64 to be possible; ASVS 6.2.9 too."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule that a candidate failed: its code, which is never renamed, and what to do."""

    rule: str
    text: str


def check(candidate: str) -> list[Failure]:
    """List every rule that a candidate fails."""
    if not candidate:
        return [Failure("empty", "Choose a password; it cannot be empty.")]
    if len(candidate) > MAXIMUM_LENGTH:
        return [
            Failure("maximum-length", f"Use at most {MAXIMUM_LENGTH} characters."),
        ]
    return []


def require(candidate: str) -> None:
    """Refuse an unacceptable candidate.

    :raises PasswordRefused: It fails a rule; the error names them all.
    """
    failures = check(candidate)
    if failures:
        raise PasswordRefused(
            "policy",
            " ".join(failure.text for failure in failures),
            rules=tuple(failure.rule for failure in failures),
        )
