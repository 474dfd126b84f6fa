"""How long a password is."""

from dataclasses import dataclass

from services88.identity.errors import BadInput
from services88.identity.policy.model import (
    MAXIMUM_LENGTH,
    Failure,
    Subject,
    Validator,
    too_long,
)
from services88.identity.policy.rules import Rule
from services88.texts import _, ngettext

__all__ = ["LOWEST_MAXIMUM", "Length"]

LOWEST_MAXIMUM = 64
"""Code points that must be possible (NIST SP 800-63B-4, 3.1.1.2; ASVS 6.2.9)."""


@dataclass(frozen=True)
class Length(Validator):
    """A minimum and a maximum: ``minimum-length``, ``maximum-length``.

    Code points are counted, of the password as it was sent: each counts as one character (NIST SP
    800-63B-4, 3.1.1.2).

    :ivar minimum: 0 asks for nothing.
    :ivar maximum: 64 to 1024.
    :raises BadInput: The maximum is not possible, or the minimum above it or negative.
    """

    minimum: int = 0
    maximum: int = MAXIMUM_LENGTH

    def __post_init__(self) -> None:
        if not LOWEST_MAXIMUM <= self.maximum <= MAXIMUM_LENGTH:
            raise BadInput(
                f"The maximum length of a password is {LOWEST_MAXIMUM} to {MAXIMUM_LENGTH}, not "
                f"{self.maximum}."
            )
        if not 0 <= self.minimum <= self.maximum:
            raise BadInput(
                f"The minimum length of a password is 0 to {self.maximum} (the maximum), not "
                f"{self.minimum}."
            )

    def check(self, candidate: str, subject: Subject) -> list[Failure]:  # noqa: ARG002
        """Count the code points."""
        if len(candidate) < self.minimum:
            return [Failure(Rule.MINIMUM_LENGTH, self._at_least())]
        if len(candidate) > self.maximum:
            return [too_long(self.maximum)]
        return []

    def help_text(self) -> str:
        """Tell the minimum; the maximum only where one may run into it."""
        texts = []
        if self.minimum > 1:
            texts.append(self._at_least())
        if self.maximum < MAXIMUM_LENGTH:
            texts.append(too_long(self.maximum).text)
        return " ".join(texts)

    def _at_least(self) -> str:
        text = ngettext(
            "Use at least {n} character.", "Use at least {n} characters.", self.minimum
        ).format(n=self.minimum)
        if self.minimum >= 12:
            text += " " + _("A few words in a row are long and easy to remember.")
        return text
