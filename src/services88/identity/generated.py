"""Passwords that nobody chose."""

import secrets
import string

__all__ = ["generate"]

# Without what is mistaken for something else when it is read out or typed: 0 O 1 l I.
_CLASSES = (
    "".join(sorted(set(string.ascii_lowercase) - {"l"})),
    "".join(sorted(set(string.ascii_uppercase) - {"I", "O"})),
    "23456789",
    "!#$%*+-=?@_",
)


def generate(each: int = 5) -> str:
    """Make a password of as many small letters, capitals, digits and special characters.

    :param each: Characters of each kind; with five the password has 20 and more than 90 random
        bits (ASVS 6.4.1).
    """
    characters = [secrets.choice(one) for one in _CLASSES for _ in range(each)]
    secrets.SystemRandom().shuffle(characters)
    return "".join(characters)
