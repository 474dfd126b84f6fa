"""Words that others would try first for this very person."""

import re
from dataclasses import dataclass
from enum import Enum

from services88.identity.policy.model import Failure, Subject, Validator, folded
from services88.identity.policy.rules import Rule
from services88.texts import _, marked

__all__ = ["SHORTEST_WORD", "ContextWords", "Kind", "words_of"]

SHORTEST_WORD = 4
"""Code points of the shortest word that is looked for; shorter ones are in too many passwords."""


class Kind(Enum):
    """What a context word is; the value is what it is called."""

    USER_NAME = marked("your user name")
    NAME = marked("your name")
    EMAIL = marked("your e-mail address")
    COMPANY = marked("the name of your organisation")
    PRODUCT = marked("the name of this product")


def words_of(subject: Subject) -> dict[str, Kind]:
    """List the context words of a person, folded: the documented list of ASVS 6.1.2.

    They are the user name, the names, the e-mail address with its local part and the longest label
    of its domain (the last one, such as ``com``, left out), the company, and the product; each as
    a whole, and in the pieces that blanks and punctuation part it into. A word that is several of
    these is the first of them.
    """
    local, _at, domain = subject.email.rpartition("@")
    labels = domain.split(".")[:-1]
    sources = [
        (Kind.USER_NAME, (subject.user_name,)),
        (Kind.NAME, subject.names),
        (Kind.EMAIL, (subject.email, local, max(labels, key=len, default=""))),
        (Kind.COMPANY, (subject.company,)),
        (Kind.PRODUCT, subject.product),
    ]
    words: dict[str, Kind] = {}
    for kind, texts in sources:
        for text in texts:
            whole = folded(text).strip()
            # What parts the address itself into pieces would add its "com" and "co" as well.
            pieces = [] if text == subject.email else re.split(r"[\W_]+", whole)
            for word in (whole, "".join(pieces), *pieces):
                if word:
                    words.setdefault(word, kind)
    return words


@dataclass(frozen=True)
class ContextWords(Validator):
    """Refuses passwords that are or contain a context word: ``context-word`` (ASVS 6.2.11).

    Case and Unicode composition make no difference. Words of fewer than four characters are not
    looked for (our choice: "ann" is in "planning"). The refusal tells what kind of word it is, not
    which, so that it repeats no part of a password.
    """

    def check(self, candidate: str, subject: Subject) -> list[Failure]:
        """Look for each context word in the password."""
        password = folded(candidate)
        found = {
            kind
            for word, kind in words_of(subject).items()
            if len(word) >= SHORTEST_WORD and word in password
        }
        return [
            Failure(
                Rule.CONTEXT_WORD,
                _("Leave out {what}; others would try that first.").format(what=_(kind.value)),
            )
            for kind in Kind
            if kind in found
        ]

    def help_text(self) -> str:
        """Tell which words are meant."""
        return _(
            "Do not use your user name, your name, your e-mail address, or the name of your "
            "organisation or of this product in it."
        )
