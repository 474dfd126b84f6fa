"""Which policy an installation or tenant has: a preset, and what was chosen beside it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from services88.identity.errors import BadInput
from services88.identity.policy.blocklist import BlockList, read_words
from services88.identity.policy.breached import Breached
from services88.identity.policy.context_words import ContextWords
from services88.identity.policy.history import History, Remember
from services88.identity.policy.length import Length
from services88.identity.policy.model import Policy, Validator
from services88.identity.policy.preference import parse
from services88.identity.policy.strength import Strength

__all__ = ["PolicyChoice", "Preset", "build", "preset_named"]


class Preset(StrEnum):
    """Name of a policy. Never renamed.

    ``nist``: NIST SP 800-63B-4, 3.1.1.2 for a password that is the only factor, and ASVS 5.0 V6.2:
    15 to 1024 characters, nothing common, breached (where there is a set) or about the person, and
    not the current password.

    ``vendor-online``: what the vendor documents for SuperID: 6 characters, a zxcvbn score of 2.

    ``vendor``: what the vendor documents on-site: the preference string and nothing else. Without
    one every password passes that is not empty and has at most 1024 characters.
    """

    NIST = "nist"
    VENDOR_ONLINE = "vendor-online"
    VENDOR = "vendor"


_MINIMUM_LENGTH = {Preset.NIST: 15, Preset.VENDOR_ONLINE: 6, Preset.VENDOR: 0}
_LOWEST_MINIMUM = {Preset.NIST: 8, Preset.VENDOR_ONLINE: 6, Preset.VENDOR: 0}
_LOWEST_STRENGTH = {Preset.NIST: 1, Preset.VENDOR_ONLINE: 2, Preset.VENDOR: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChoice:
    """What was chosen. A choice adds a rule to the preset or replaces a number of it.

    :ivar preset: Where to begin.
    :ivar preference: A preference string of the vendor's form, which holds beside the preset.
    :ivar minimum_length: Instead of the preset's: under ``nist`` at least 8 (which NIST allows only
        where the password is not the only factor), under ``vendor-online`` at least 6.
    :ivar history: Earlier passwords that are refused, 0 to 24; more than 0 refuses the current one
        in every preset.
    :ivar blocklist: An operator's own list, one word a line, UTF-8.
    :ivar breached: A breached-password set, sorted lines ``HASH:COUNT``.
    :ivar minimum_strength: A zxcvbn score of 1 to 4; under ``vendor-online`` at least 2.
    :raises BadInput: A value is not possible. Whether the files can be used only :func:`build`
        tells.
    """

    preset: Preset = Preset.NIST
    preference: str | None = None
    minimum_length: int | None = None
    history: int = 0
    blocklist: Path | None = None
    breached: Path | None = None
    minimum_strength: int | None = None

    def __post_init__(self) -> None:
        if self.minimum_length is not None:
            lowest = _LOWEST_MINIMUM[self.preset]
            if self.minimum_length < lowest:
                raise BadInput(
                    f"Under the preset {self.preset} the minimum length of a password is at least "
                    f"{lowest}, not {self.minimum_length}."
                )
            Length(self.minimum_length)
        if self.minimum_strength is not None:
            Strength(self.minimum_strength)
            weakest = _LOWEST_STRENGTH[self.preset]
            if self.minimum_strength < weakest:
                raise BadInput(
                    f"Under the preset {self.preset} the minimum strength of a password is at "
                    f"least {weakest}, not {self.minimum_strength}."
                )
        History(self.history)
        if self.preference is not None:
            parse(self.preference)


def preset_named(name: str) -> Preset:
    """Find a preset by its name, which has no capitals.

    :raises BadInput: There is none of that name.
    """
    try:
        return Preset(name)
    except ValueError:
        raise BadInput(
            f"There is no password policy {name}. The presets are {', '.join(Preset)}."
        ) from None


def build(choice: PolicyChoice, *, remember: Remember | None = None) -> Policy:
    """Make the policy that was chosen. It reads files, so make it once and keep it.

    The operator's own list is read now, and a change of it is seen by the next ``build``; the
    breached set is opened at each check.

    :param remember: Stores a replaced hash, for the history.
    :raises BadInput: A file cannot be read or has not the form it must have.
    """
    nist = choice.preset is Preset.NIST
    minimum = choice.minimum_length
    strength = choice.minimum_strength
    if strength is None and choice.preset is Preset.VENDOR_ONLINE:
        strength = 2
    chain: list[Validator] = [
        Length(_MINIMUM_LENGTH[choice.preset] if minimum is None else minimum)
    ]
    if choice.preference:
        chain.append(parse(choice.preference))
    if nist or choice.blocklist is not None:
        own = read_words(choice.blocklist) if choice.blocklist is not None else frozenset()
        chain.append(BlockList(common=nist, own=own))
    if choice.breached is not None:
        chain.append(Breached(choice.breached))
    if nist:
        chain.append(ContextWords())
    if strength is not None:
        chain.append(Strength(strength))
    if nist or choice.history:
        chain.append(History(choice.history, remember))
    return Policy(tuple(chain))
