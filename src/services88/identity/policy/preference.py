"""The vendor's preference string: how many characters of each kind a password has.

On-site, the preference PasswordPolicy of section System holds it:
``MinTotal=8&MinNum=1&MinSpec=0&MinLC=1&MinUC=1&Msg=Ask Tom``. The keys, that missing values count
as 0, that Msg replaces the standard message, and the limit of 99 characters are documented by the
vendor (facts: semantics, section 8). Our choices, where the vendor's documents are silent: the
letter case of keys makes no difference; blanks around keys and numbers neither; nothing is
URL-encoded, so a message has no ``&``; a key twice, an unknown key and a value that is not a number
are errors rather than ignored.

NIST SP 800-63B-4, 3.1.1.2 (5) and ASVS 6.2.5 forbid rules about kinds of characters, so no preset
has any until somebody sets a preference.
"""

import unicodedata
from dataclasses import dataclass, fields

from services88.identity.errors import BadInput
from services88.identity.policy.model import MAXIMUM_LENGTH, Failure, Subject, Validator
from services88.identity.policy.rules import Rule
from services88.texts import ngettext

__all__ = ["LONGEST_PREFERENCE", "Preference", "parse"]

LONGEST_PREFERENCE = 99
"""Characters of the whole string, as a text preference of the vendor has."""

_KEYS = {
    "MinTotal": "total",
    "MinNum": "digits",
    "MinSpec": "special",
    "MinLC": "lower",
    "MinUC": "upper",
    "Msg": "message",
}
_BY_FOLDED = {key.casefold(): key for key in _KEYS}


@dataclass(frozen=True)
class Preference(Validator):
    """What a preference string asks for; as a validator it asks for it.

    A digit is 0-9 (vendor). Lower and upper case are those of Unicode. Special, where the vendor
    says "such as ``!@#$%^&*(){}[]``", is what Unicode counts as punctuation or symbol: no letter,
    digit, blank, accent or control character (our choice).

    :ivar total: Code points (``min-total``).
    :ivar digits: ``min-num``.
    :ivar special: ``min-spec``.
    :ivar lower: ``min-lc``.
    :ivar upper: ``min-uc``.
    :ivar message: Replaces the text of every failure, and the help; empty for the standard texts.
    :raises BadInput: A number is negative, no password could satisfy them all, the message has
        a ``&`` or a line break, or the whole string more than 99 characters.
    """

    total: int = 0
    digits: int = 0
    special: int = 0
    lower: int = 0
    upper: int = 0
    message: str = ""

    def __post_init__(self) -> None:
        counts = {key: getattr(self, name) for key, name in _KEYS.items() if key != "Msg"}
        for key, count in counts.items():
            if not 0 <= count <= MAXIMUM_LENGTH:
                raise BadInput(
                    f"The password preference asks for {key}={count}; possible are 0 to "
                    f"{MAXIMUM_LENGTH}."
                )
        if sum(counts.values()) - self.total > MAXIMUM_LENGTH:
            raise BadInput(
                "The password preference asks for more characters than the "
                f"{MAXIMUM_LENGTH} that a password may have."
            )
        if "&" in self.message or not (self.message.isprintable() and _is_text(self.message)):
            raise BadInput(
                "The message (Msg) of the password preference cannot have a & (which separates "
                "values), a line break or another control character."
            )
        if len(str(self)) > LONGEST_PREFERENCE:
            raise BadInput(
                f"The password preference has {len(str(self))} characters; at most "
                f"{LONGEST_PREFERENCE} are possible. Shorten the message."
            )

    def __str__(self) -> str:
        """Give the preference string: keys in the vendor's order, those that are 0 left out.

        :func:`parse` gives back the same.
        """
        return "&".join(
            f"{key}={value}" for key, name in _KEYS.items() if (value := getattr(self, name))
        )

    def check(self, candidate: str, subject: Subject) -> list[Failure]:  # noqa: ARG002
        """Count the characters of each kind, in the password as it was sent."""
        return [
            Failure(rule, self.message or text)
            for rule, count, wanted, text in self._rules(candidate)
            if count < wanted
        ]

    def help_text(self) -> str:
        """Tell the message, or else every number that is not 0."""
        return self.message or " ".join(
            text for _rule, _n, wanted, text in self._rules("") if wanted
        )

    def _rules(self, candidate: str) -> list[tuple[Rule, int, int, str]]:
        return [
            (
                Rule.MIN_TOTAL,
                len(candidate),
                self.total,
                ngettext(
                    "Use at least {n} character.", "Use at least {n} characters.", self.total
                ).format(n=self.total),
            ),
            (
                Rule.MIN_NUM,
                sum("0" <= character <= "9" for character in candidate),
                self.digits,
                ngettext(
                    "Use at least {n} digit (0-9).", "Use at least {n} digits (0-9).", self.digits
                ).format(n=self.digits),
            ),
            (
                Rule.MIN_SPEC,
                sum(unicodedata.category(character)[0] in "PS" for character in candidate),
                self.special,
                ngettext(
                    "Use at least {n} special character, such as ! or #.",
                    "Use at least {n} special characters, such as ! or #.",
                    self.special,
                ).format(n=self.special),
            ),
            (
                Rule.MIN_LC,
                sum(character.islower() for character in candidate),
                self.lower,
                ngettext(
                    "Use at least {n} lower-case letter.",
                    "Use at least {n} lower-case letters.",
                    self.lower,
                ).format(n=self.lower),
            ),
            (
                Rule.MIN_UC,
                sum(character.isupper() for character in candidate),
                self.upper,
                ngettext(
                    "Use at least {n} upper-case letter.",
                    "Use at least {n} upper-case letters.",
                    self.upper,
                ).format(n=self.upper),
            ),
        ]


def parse(text: str) -> Preference:
    """Read a preference string; an empty one asks for nothing.

    A missing key, and a key without a value, counts as 0.

    :raises BadInput: It is not one; the error names what is wrong, and the keys that there are.
    """
    if len(text) > LONGEST_PREFERENCE:
        raise BadInput(
            f"The password preference has {len(text)} characters; at most {LONGEST_PREFERENCE} are "
            "possible."
        )
    found: dict[str, str] = {}
    for part in text.split("&") if text.strip() else ():
        name, separator, value = part.partition("=")
        key = _BY_FOLDED.get(name.strip().casefold())
        if key is None or not separator:
            raise _wrong(f"{part.strip()!r} is not KEY=VALUE with a known key")
        if key in found:
            raise _wrong(f"{key} is there twice")
        found[key] = value
    values = {name: _number(key, found.get(key, "")) for key, name in _KEYS.items() if key != "Msg"}
    return Preference(**values, message=found.get("Msg", ""))


def _number(key: str, value: str) -> int:
    value = value.strip()
    if not value:
        return 0
    if not (value.isascii() and value.isdigit()):
        raise _wrong(f"{key} is {value!r}, not a whole number")
    return int(value)


def _wrong(what: str) -> BadInput:
    return BadInput(
        f"The password preference cannot be used: {what}. The keys are {', '.join(_KEYS)}, "
        "separated by &, each at most once."
    )


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


assert {field.name for field in fields(Preference)} == set(_KEYS.values())  # noqa: S101
