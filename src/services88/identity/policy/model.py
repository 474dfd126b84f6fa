"""What a policy is made of: subject, validators, and the chain that asks them all."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from services88.identity.errors import PasswordRefused
from services88.identity.policy.rules import Rule
from services88.store.database import Connection
from services88.texts import _, ngettext

__all__ = ["MAXIMUM_LENGTH", "Failure", "Policy", "Subject", "Validator", "folded", "too_long"]

MAXIMUM_LENGTH = 1024
"""Code points that a password has at most, in every policy. NIST SP 800-63B-4, 3.1.1.2 asks that 64
be possible, ASVS 6.2.9 too; a bound keeps the work bounded (ASVS 15.2.2)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule that a candidate failed.

    :ivar rule: Its code, one of :class:`Rule`.
    :ivar text: What the person can do about it. Never holds the candidate or a part of it.
    """

    rule: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a password is for, as far as validators want to know. Everything may be left out.

    Where somebody only asks whether a candidate is acceptable and changes nothing, leave out
    ``secrets``: otherwise the answer tells whether the candidate is the current password, and
    asking is guessing that no throttle counts.

    :ivar user_name: The sign-in name.
    :ivar names: First name, last name and other names of the person.
    :ivar email: The e-mail address.
    :ivar company: Name of the organisation, or of the tenant.
    :ivar product: What this installation calls itself.
    :ivar secrets: Password hashes: the current one, then earlier ones, the newest first. The first
        is empty for somebody who had passwords but has none now.
    :ivar verify: Says whether a hash (first) is that of a candidate (second). Slow on purpose.
    :raises ValueError: There are hashes and no way to verify them.
    """

    user_name: str = ""
    names: tuple[str, ...] = ()
    email: str = ""
    company: str = ""
    product: tuple[str, ...] = ("SuperOffice", "services88")
    secrets: tuple[str, ...] = field(default=(), repr=False)
    verify: Callable[[str, str], bool] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.secrets and self.verify is None:
            raise ValueError("secrets need verify")


class Validator(Protocol):
    """A link of the chain. Derive from it; a validator is immutable and used by many threads."""

    def check(self, candidate: str, subject: Subject) -> list[Failure]:
        """List all reasons why a candidate is not acceptable; none where it is.

        :param candidate: Not empty, at most ``MAXIMUM_LENGTH`` code points, and can be encoded.
        """

    def help_text(self) -> str:
        """Say what is asked, for somebody who is about to choose a password. May be empty."""

    async def changed(
        self,
        connection: Connection,  # noqa: ARG002 - for those that have something to do
        associate_id: int,  # noqa: ARG002
        old_secret: str | None,  # noqa: ARG002
        now: int,  # noqa: ARG002
    ) -> None:
        """Take note of a change, inside its transaction; await nothing but the connection.

        Called after the new hash was stored. What it raises undoes the change. By default it does
        nothing.

        :param old_secret: The hash that was replaced; None where there was none.
        :param now: Milliseconds since 1970 UTC.
        """
        return


@dataclass(frozen=True, slots=True)
class Policy:
    """A chain of validators, all of which a new password has to satisfy.

    Whatever the validators are, an empty password is refused (``empty``), as is one that is not
    text (``not-text``: half a surrogate pair, which no hash can be made of) or has more than
    ``MAXIMUM_LENGTH`` code points (``maximum-length``). These are told alone; validators are not
    asked then.
    """

    validators: tuple[Validator, ...] = ()

    def check(self, candidate: str, subject: Subject) -> list[Failure]:
        """List every rule that a candidate fails, all reasons at once (NIST SP 800-63B-4, 3.1.1.2).

        It blocks: zxcvbn takes some milliseconds, history one Argon2 verification for each hash,
        the breached set reads the disk. So run it in the hashing pool, never on the event loop nor
        in a transaction.

        :raises BadInput: The file of the breached set is gone or of another form. Nothing was
            decided; a change must not go on.
        """
        if not candidate:
            return [Failure(Rule.EMPTY, _("Choose a password; it cannot be empty."))]
        if len(candidate) > MAXIMUM_LENGTH:
            return [too_long(MAXIMUM_LENGTH)]
        if any("\ud800" <= character <= "\udfff" for character in candidate):
            return [
                Failure(
                    Rule.NOT_TEXT,
                    _("Use only whole characters; this password holds a broken one."),
                )
            ]
        return [
            failure
            for validator in self.validators
            for failure in validator.check(candidate, subject)
        ]

    def require(self, candidate: str, subject: Subject) -> None:
        """Refuse an unacceptable candidate. Blocks like :meth:`check`.

        :raises PasswordRefused: It fails a rule; ``rules`` names them all and the text says what to
            do about each.
        :raises BadInput: As :meth:`check`.
        """
        failures = self.check(candidate, subject)
        if failures:
            raise PasswordRefused(
                "policy",
                " ".join(dict.fromkeys(failure.text for failure in failures)),
                rules=tuple(dict.fromkeys(str(failure.rule) for failure in failures)),
            )

    def help_texts(self) -> tuple[str, ...]:
        """Say what is asked, a sentence or more for each rule, before anybody fails one."""
        texts = (validator.help_text() for validator in self.validators)
        return tuple(dict.fromkeys(text for text in texts if text))

    async def changed(
        self, connection: Connection, associate_id: int, old_secret: str | None, now: int
    ) -> None:
        """Tell every validator of a change, inside its transaction; see :class:`Validator`."""
        for validator in self.validators:
            await validator.changed(connection, associate_id, old_secret, now)


def folded(text: str) -> str:
    """Give the form in which words are compared: neither case nor composition makes a difference.

    Unicode NFC (NIST SP 800-63B-4, 3.1.1.2) after case folding.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def too_long(maximum: int) -> Failure:
    """Say that a candidate has more characters than there may be."""
    return Failure(
        Rule.MAXIMUM_LENGTH,
        ngettext("Use at most {n} character.", "Use at most {n} characters.", maximum).format(
            n=maximum
        ),
    )
