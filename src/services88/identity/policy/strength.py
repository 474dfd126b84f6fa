"""How many guesses a password takes, as zxcvbn estimates it.

The estimator holds Python's lock, so nobody else is answered meanwhile: what it is given is bounded
so that the worst takes some milliseconds. Its work grows with the square of the length, and with
the number of ways to read signs as letters: each further way of each letter multiplies it.
"""

import math
from dataclasses import dataclass

from services88.identity.errors import BadInput
from services88.identity.policy.context_words import words_of
from services88.identity.policy.model import Failure, Subject, Validator
from services88.identity.policy.rules import Rule
from services88.texts import _, marked

__all__ = ["ADVICE", "CONSIDERED", "Estimate", "Strength", "estimate"]

CONSIDERED = 72
"""Code points that are looked at. zxcvbn's work grows fast with length: implementations stop at
72 (Python's raises) or 100, and what is strong by then stays so."""

_SIGNS = ("4@", "({[<", "69", "1!|", "1|7", "$5", "+7")
"""What zxcvbn reads as one and the same letter; those that are alone for theirs left out."""

_WAYS = 4
"""In which the signs of a password may be read. Of 72 crafted ones they are 576: 250 ms."""

_ONE_OF_EACH = str.maketrans("@{[<!|$+", "4(((1157")

ADVICE = (
    marked("A word by itself is easy to guess."),
    marked("Common names and surnames are easy to guess."),
    marked("Dates are often easy to guess."),
    marked("Names and surnames by themselves are easy to guess."),
    marked("Recent years are easy to guess."),
    marked('Repeats like "aaa" are easy to guess.'),
    marked('Repeats like "abcabcabc" are only slightly harder to guess than "abc".'),
    marked("Sequences like abc or 6543 are easy to guess."),
    marked("Short keyboard patterns are easy to guess."),
    marked("Straight rows of keys are easy to guess."),
    marked("This is a very common password."),
    marked("This is a top-100 common password."),
    marked("This is a top-10 common password."),
    marked("This is similar to a commonly used password."),
    marked("Add another word or two. Uncommon words are better."),
    marked("All-uppercase is almost as easy to guess as all-lowercase."),
    marked("Avoid dates and years that are associated with you."),
    marked("Avoid recent years."),
    marked("Avoid repeated words and characters."),
    marked("Avoid sequences."),
    marked("Avoid years that are associated with you."),
    marked("Capitalization doesn't help very much."),
    marked("No need for symbols, digits, or uppercase letters."),
    marked("Predictable substitutions like '@' instead of 'a' don't help very much."),
    marked("Reversed words aren't much harder to guess."),
    marked("Use a few words, avoid common phrases."),
    marked("Use a longer keyboard pattern with more turns."),
)
"""zxcvbn's own words, marked for catalogues."""


@dataclass(frozen=True)
class Strength(Validator):
    """Refuses passwords of a lower zxcvbn score: ``too-weak``, with zxcvbn's own advice.

    The person's words count as known. The vendor's Online asks for a score of at least 2 (section 8
    of the facts).

    :ivar minimum: 1 (withstands a throttled attack for a while) to 4 (very unguessable).
    :raises BadInput: There is no such score.
    """

    minimum: int = 2

    def __post_init__(self) -> None:
        if not 1 <= self.minimum <= 4:
            raise BadInput(f"A minimum strength is a zxcvbn score of 1 to 4, not {self.minimum}.")

    def check(self, candidate: str, subject: Subject) -> list[Failure]:
        """Estimate the strength of the first 72 code points: mostly some milliseconds."""
        return self.failures(estimate(candidate, subject))

    def failures(self, estimated: "Estimate") -> list[Failure]:
        """Return the failure of a candidate that was estimated already; none where it is strong."""
        if estimated.score >= self.minimum:
            return []
        texts = [_("Choose a password that is harder to guess.")]
        # There is none for a score of 3.
        advice = estimated.advice or ("Add another word or two. Uncommon words are better.",)
        texts += [_(one) for one in advice]
        return [Failure(Rule.TOO_WEAK, " ".join(texts))]

    def help_text(self) -> str:
        """Tell what makes a password hard to guess."""
        return _("Choose a password that is hard to guess: a few uncommon words will do.")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What zxcvbn says of a candidate.

    :ivar score: 0 (guessed at once) to 4 (very unguessable).
    :ivar advice: What to do about it, of ``ADVICE``; empty where it says nothing.
    """

    score: int
    advice: tuple[str, ...] = ()


def estimate(candidate: str, subject: Subject) -> Estimate:
    """Estimate a candidate by its first 72 code points. It blocks, for 15 ms at most.

    Where its signs can be read in more than four ways, those that stand for one letter are taken
    for one and the same sign first.

    :param candidate: Not empty, and whole characters only.
    """
    from zxcvbn_rs_py import zxcvbn  # loads its dictionaries: only where it is needed

    considered = candidate[:CONSIDERED]
    found = zxcvbn(_readable(considered), list(words_of(subject)))
    feedback = found.feedback
    said = [] if feedback is None else [feedback.warning, *feedback.suggestions]
    return Estimate(int(found.score), tuple(str(one) for one in said if one is not None))


def _readable(candidate: str) -> str:
    present = set(candidate)
    ways = math.prod(max(1, len(present.intersection(signs))) for signs in _SIGNS)
    return candidate.translate(_ONE_OF_EACH) if ways > _WAYS else candidate
