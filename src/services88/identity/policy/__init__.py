"""Which new passwords are acceptable: a chain of small validators, chosen by a preset.

``build(PolicyChoice(...))`` makes a :class:`Policy`; ``check`` and ``require`` ask it about a
candidate for a :class:`Subject`; ``changed`` tells it of a change. A validator of one's own derives
from :class:`Validator`.
"""

from services88.identity.policy.context_words import words_of
from services88.identity.policy.history import LONGEST_HISTORY, Remember
from services88.identity.policy.model import (
    MAXIMUM_LENGTH,
    Failure,
    Policy,
    Subject,
    Validator,
)
from services88.identity.policy.preference import LONGEST_PREFERENCE, Preference
from services88.identity.policy.presets import PolicyChoice, Preset, build, preset_named
from services88.identity.policy.rules import Rule

__all__ = [
    "LONGEST_HISTORY",
    "LONGEST_PREFERENCE",
    "MAXIMUM_LENGTH",
    "Failure",
    "Policy",
    "PolicyChoice",
    "Preference",
    "Preset",
    "Remember",
    "Rule",
    "Subject",
    "Validator",
    "build",
    "preset_named",
    "words_of",
]
