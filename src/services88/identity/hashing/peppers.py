"""Peppers: keys kept apart from the database, without which its hashes are of no use."""

import binascii
import hmac
import os
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from services88.identity.errors import BadInput
from services88.identity.secret_files import refuse_open_mode

__all__ = ["Pepper", "load_peppers", "peppers_of"]

_ID = re.compile(r"[a-z0-9]{1,16}")
_SHORTEST_KEY = 32
_LARGEST_FILE = 65_536


@dataclass(frozen=True, slots=True)
class Pepper:
    """A key for the keyed step before hashing (NIST SP 800-63B-4, 3.1.1.2).

    :ivar id: Stored with each hash made with the key: 1 to 16 small letters and digits.
    :ivar key: At least 32 bytes.
    :raises BadInput: Either is not so.
    """

    id: str
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise BadInput("The id of a pepper is 1 to 16 small letters (a-z) and digits.")
        if len(self.key) < _SHORTEST_KEY:
            raise BadInput(
                f"The key of the pepper {self.id} is shorter than {_SHORTEST_KEY} bytes. "
                "`openssl rand -base64 32` makes a good one."
            )

    def apply(self, password: bytes) -> bytes:
        """Give what is hashed instead of the password."""
        return b64encode(hmac.digest(self.key, password, sha256))


def load_peppers(path: Path) -> tuple[Pepper, ...]:
    """Read a file of peppers: one ``ID:KEY`` a line, the key in base64; the first is current.

    Empty lines and lines that begin with ``#`` do not count.

    :raises BadInput: The file cannot be read, everybody can read or write it, or a line is wrong.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise BadInput(f"The pepper file {path} cannot be read: {error.strerror}.") from error
    refuse_open_mode(mode, f"the pepper file {path}", "put a new pepper first")
    if len(content) > _LARGEST_FILE:
        raise BadInput(f"The pepper file {path} is too large to be one.")
    return _read_all(content, f"the pepper file {path}")


def peppers_of(text: str) -> tuple[Pepper, ...]:
    """Read peppers as a file of them holds them; in place of lines there may be commas.

    :raises BadInput: One of them is wrong, or there is none.
    """
    return _read_all(text.replace(",", "\n").encode(), "the peppers")


def _read_all(content: bytes, source: str) -> tuple[Pepper, ...]:
    peppers: list[Pepper] = []
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith(b"#"):
            continue
        try:
            peppers.append(_read(line))
        except BadInput as error:
            raise BadInput(f"Line {number} of {source}: {error}") from None
        if peppers[-1].id in {earlier.id for earlier in peppers[:-1]}:
            raise BadInput(
                f"Line {number} of {source}: there is a pepper {peppers[-1].id} above already."
            )
    if not peppers:
        raise BadInput(f"In {source} there is no pepper. Write ID:KEY, the key in base64.")
    return tuple(peppers)


def _read(line: bytes) -> Pepper:
    name, colon, key = line.strip().partition(b":")
    if not colon:
        raise BadInput("It has no colon. Write ID:KEY, the key in base64.")
    try:
        return Pepper(
            name.strip().decode("ascii", "replace"), b64decode(key.strip(), validate=True)
        )
    except binascii.Error:
        raise BadInput("The key is not base64.") from None
