"""Passwords that everybody knows, and those that the operator adds."""

import gzip
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from services88.identity.errors import BadInput
from services88.identity.policy.model import Failure, Subject, Validator, folded
from services88.identity.policy.rules import Rule
from services88.texts import _

__all__ = ["LARGEST_FILE", "BlockList", "common_passwords", "read_words"]

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes of an operator's own file, which is kept in memory."""


@dataclass(frozen=True)
class BlockList(Validator):
    """Refuses passwords that are on a list: ``common``.

    The whole password is compared, not parts of it (NIST SP 800-63B-4, 3.1.1.2), without regard to
    case and Unicode composition. The list that comes with us has some 70,000, among them far more
    than the 3,000 commonest for each minimum length from 6 to 17 (ASVS 6.2.4);
    ``data/README.md`` tells where they are from.

    :ivar common: Whether to compare with the list that comes with us.
    :ivar own: The operator's words, as :func:`read_words` gives them.
    """

    common: bool = True
    own: frozenset[str] = field(default=frozenset(), repr=False)

    def check(self, candidate: str, subject: Subject) -> list[Failure]:  # noqa: ARG002
        """Look the password up."""
        word = folded(candidate)
        if word in self.own or (self.common and word in common_passwords()):
            return [
                Failure(
                    Rule.COMMON,
                    _("Choose another password; this one is among those that are tried first."),
                )
            ]
        return []

    def help_text(self) -> str:
        """Tell that there is a list."""
        return _("Do not use a password that many people use.")


@lru_cache(maxsize=1)
def common_passwords() -> frozenset[str]:
    """Give the list that comes with us, folded. It is read at the first call (10 ms, 6 MB)."""
    packed = (Path(__file__).parent / "data" / "common_passwords.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().split("\n")[:-1])


def read_words(path: Path) -> frozenset[str]:
    """Read an operator's own list: UTF-8 (with or without a byte order mark), one word a line.

    It is read again only when the file has changed; whoever asks shares one copy.

    Blanks around a word and empty lines make no difference; there are no comments, since a password
    may begin with any character.

    :raises BadInput: It cannot be read, is not UTF-8 or larger than ``LARGEST_FILE``.
    """
    try:
        return _read_words(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise BadInput(
            f"The block-list file {path} cannot be read: {error.strerror or error}."
        ) from error


@lru_cache(maxsize=1)
def _read_words(path: Path, _changed: int) -> frozenset[str]:
    with path.open("rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise BadInput(
            f"The block-list file {path} has more than {LARGEST_FILE // 1024 // 1024} MiB. For so "
            "many passwords use a breached-password set, which stays on disk."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"The block-list file {path} is not UTF-8 (line {line}).") from error
    return frozenset(folded(word) for line in text.split("\n") if (word := line.strip()))
