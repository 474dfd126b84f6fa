"""The codes of all rules, in one place."""

from enum import StrEnum

__all__ = ["Rule"]


class Rule(StrEnum):
    """Code of a rule that a new password can fail.

    Callers and the audit trail rely on them: one may be added, none is ever renamed or given
    another meaning.
    """

    EMPTY = "empty"
    NOT_TEXT = "not-text"
    MINIMUM_LENGTH = "minimum-length"
    MAXIMUM_LENGTH = "maximum-length"
    MIN_TOTAL = "min-total"
    MIN_NUM = "min-num"
    MIN_SPEC = "min-spec"
    MIN_LC = "min-lc"
    MIN_UC = "min-uc"
    COMMON = "common"
    BREACHED = "breached"
    CONTEXT_WORD = "context-word"
    SAME_AS_CURRENT = "same-as-current"
    RECENTLY_USED = "recently-used"
    TOO_WEAK = "too-weak"
