"""How many guesses a password takes, as zxcvbn estimates it."""

from dataclasses import dataclass

from services88.identity.errors import BadInput
from services88.identity.policy.context_words import words_of
from services88.identity.policy.model import Failure, Subject, Validator
from services88.identity.policy.rules import Rule
from services88.texts import _, marked

__all__ = ["ADVICE", "CONSIDERED", "Strength", "score"]

CONSIDERED = 72
"""Code points that are looked at. zxcvbn's work grows fast with length: implementations stop at
72 (Python's raises) or 100, and what is strong by then stays so."""

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
        """Estimate the strength of the first 72 code points.

        Mostly some milliseconds; a crafted candidate takes up to a quarter of a second, in which
        no other Python thread runs.
        """
        from zxcvbn_rs_py import zxcvbn  # loads its dictionaries: only where it is needed

        result = zxcvbn(candidate[:CONSIDERED], list(words_of(subject)))
        if int(result.score) >= self.minimum:
            return []
        texts = [_("Choose a password that is harder to guess.")]
        if result.feedback is not None:
            said = [result.feedback.warning, *result.feedback.suggestions]
            texts += [_(str(advice)) for advice in said if advice is not None]
        else:  # it has none for a score of 3
            texts.append(_("Add another word or two. Uncommon words are better."))
        return [Failure(Rule.TOO_WEAK, " ".join(texts))]

    def help_text(self) -> str:
        """Tell what makes a password hard to guess."""
        return _("Choose a password that is hard to guess: a few uncommon words will do.")


def score(candidate: str, subject: Subject) -> int:
    """Give zxcvbn's score of a candidate, 0 (guessed at once) to 4 (very unguessable). It blocks.

    :param candidate: Not empty, and whole characters only.
    """
    from zxcvbn_rs_py import zxcvbn

    return int(zxcvbn(candidate[:CONSIDERED], list(words_of(subject))).score)
