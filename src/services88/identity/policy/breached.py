"""Passwords known from breaches: a local set, searched where it lies."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from services88.identity.errors import BadInput
from services88.identity.policy.model import Failure, Subject, Validator
from services88.identity.policy.rules import Rule
from services88.texts import _

__all__ = ["Breached"]

_LINE = re.compile(rb"([0-9A-F]{40}):[0-9]{1,20}\r?")
_LONGEST_LINE = 40 + 1 + 20 + 2
_WINDOW = 4 * _LONGEST_LINE
_SAMPLES = 32


@dataclass(frozen=True)
class Breached(Validator):
    """Refuses passwords that are in a breached-password set: ``breached`` (ASVS 6.2.12).

    The set is one file as Have I Been Pwned publishes it: a line ``HASH:COUNT`` for each password,
    the hash being SHA-1 in upper-case hexadecimal, sorted by hash. Line ends are LF or CR LF, the
    last may be missing; an empty file is an empty set. It is never loaded: a check opens it and
    reads some thirty small pieces, so its size does not matter, and an operator may replace it
    (by renaming a new one over it) while the server runs.

    Where composition makes a difference, the password as sent and its NFC are both looked up.

    :ivar path: The file.
    :raises BadInput: The file cannot be read, or its first, last or one of some lines in between
        is not of that form or not in order. Not every line is read; a bad line that a search meets
        is told then, likewise.
    """

    path: Path

    def __post_init__(self) -> None:
        with self._open() as file:
            size = _size(file)
            before = b""
            for sample in range(_SAMPLES + 1) if size else ():
                found, _begin, _end = self._line(file, (size - 1) * sample // _SAMPLES, size)
                if found < before:
                    raise self._not_sorted()
                before = found

    def check(self, candidate: str, subject: Subject) -> list[Failure]:  # noqa: ARG002
        """Look the password up on disk.

        :raises BadInput: The file cannot be read or is not of the form it must have.
        """
        forms = dict.fromkeys((candidate, unicodedata.normalize("NFC", candidate)))
        with self._open() as file:
            if not any(self._has(file, form) for form in forms):
                return []
        return [
            Failure(
                Rule.BREACHED,
                _(
                    "Choose another password; this one is known from a data breach. If you use it "
                    "elsewhere, change it there too."
                ),
            )
        ]

    def help_text(self) -> str:
        """Tell that there is such a set."""
        return _("Do not use a password that is known from a data breach.")

    def _open(self) -> BinaryIO:
        try:
            return self.path.open("rb", buffering=0)
        except OSError as error:
            raise BadInput(
                f"The breached-password set {self.path} cannot be read: {error.strerror or error}."
            ) from error

    def _has(self, file: BinaryIO, password: str) -> bool:
        digest = hashlib.sha1(password.encode(), usedforsecurity=False)
        wanted = digest.hexdigest().upper().encode()
        # Both ends are where a line begins; what is sought can only be between them.
        low, high = 0, _size(file)
        least, most = b"", b"~"
        while low < high:
            found, begin, end = self._line(file, (low + high) // 2, high)
            if found == wanted:
                return True
            if not least <= found <= most:
                raise self._not_sorted()
            if found < wanted:
                low, least = end, found
            else:
                high, most = begin, found
        return False

    def _line(self, file: BinaryIO, position: int, size: int) -> tuple[bytes, int, int]:
        """Read the line around a position: its hash, where it begins, where the next one does."""
        start = max(0, position - _WINDOW // 2)
        file.seek(start)
        window = file.read(min(_WINDOW, size - start)) or b""
        begin = window.rfind(b"\n", 0, position - start) + 1
        end = window.find(b"\n", position - start)
        line = _LINE.fullmatch(window, begin, len(window) if end < 0 else end)
        if line is None:
            raise BadInput(
                f"The breached-password set {self.path} has no line HASH:COUNT at byte "
                f"{start + begin}. It must be one file as Have I Been Pwned publishes it: SHA-1 in "
                "upper-case hexadecimal, a colon and a count on each line, sorted by hash."
            )
        return line[1], start + begin, size if end < 0 else start + end + 1

    def _not_sorted(self) -> BadInput:
        return BadInput(
            f"The breached-password set {self.path} is not sorted by hash. Have I Been Pwned "
            "publishes one that is; one sorted by count can be sorted anew with LC_ALL=C sort -u."
        )


def _size(file: BinaryIO) -> int:
    """Give the size without line ends at the end of the file."""
    size = file.seek(0, 2)
    start = max(0, size - _WINDOW)
    file.seek(start)
    return start + len(file.read(_WINDOW).rstrip(b"\r\n"))
