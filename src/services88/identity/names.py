"""Names: which ones are allowed, when two are the same, and how they are shown.

Which characters: those of the FreeformClass of PRECIS (RFC 8264, 4.3 and 9), which leaves out what
cannot be seen or changes how its neighbours are shown: controls, line and paragraph separators,
marks of direction (U+202E and its kind), zero-width and other default-ignorable code points, halves
of surrogate pairs, noncharacters, private and unassigned code points. Two of the invisible ones
spell words, and stand where they do so (RFC 5892, A.1 and A.2): U+200C and U+200D after a virama,
as Indic scripts need them, and U+200C between two letters of a script that joins them from right to
left, as Persian does; there we let every letter be one that joins, since people type it so.
"""

import re
import unicodedata
from collections.abc import Iterable
from hashlib import sha256

from services88.identity.errors import BadInput

__all__ = [
    "check_email",
    "check_nick_name",
    "check_tenant_name",
    "check_text",
    "check_user_name",
    "escaped",
    "is_mailable",
    "key_of",
]

_LONGEST = 254  # of the columns for names and their keys
_LONGEST_TYPED = 4 * _LONGEST  # a character comes apart into four code points at most

# Not every database can be asked for these, and in no name are they.
_IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")
_JOINERS = "\u200c\u200d"  # ZERO WIDTH NON-JOINER and JOINER
_NO_JOINERS = dict.fromkeys(map(ord, _JOINERS))
_VIRAMA = 9  # a combining class of Unicode
_INVISIBLE = re.compile(
    # Default_Ignorable_Code_Point of Unicode, which Python does not know, without the joiners and
    # what is of category Cf or Cn anyway; and the blank pattern of Braille.
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_NEVER = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def key_of(name: str) -> str:
    """Give the form under which a name is looked up.

    Our choice: letter case and Unicode composition make no difference, nor do blanks around it, nor
    the two joiners, which cannot be seen. The vendor's databases compare names without case as
    well.

    A text that is longer than any name can be typed gets a form that no name has: the time that
    composing takes grows with the square of the accents in a row (ASVS 15.2.2).
    """
    name = _IMPOSSIBLE.sub("\uffff", name).translate(_NO_JOINERS).strip()
    if len(name) > _LONGEST_TYPED:
        return f"\uffff{sha256(name.encode()).hexdigest()}"
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).strip().casefold())


def _unshowable(text: str) -> list[int]:
    """Return the indices of the characters that no name may have."""
    if text.isascii() and text.isprintable():
        return []
    return [
        index
        for index, character in enumerate(text)
        if (unicodedata.category(character) in _NEVER or _INVISIBLE.match(character))
        and not (character in _JOINERS and _joins(text, index))
    ]


def _joins(text: str, index: int) -> bool:
    """Check that a joiner stands where it spells a word (RFC 5892, A.1 and A.2)."""
    if index and unicodedata.combining(text[index - 1]) == _VIRAMA:
        return True
    return (
        text[index] == "\u200c"
        and _is_right_to_left(reversed(text[max(0, index - _NEAR) : index]))
        and _is_right_to_left(text[index + 1 : index + 1 + _NEAR])
    )


_NEAR = 8
"""Marks that may stand between a joiner and its letter."""


def _is_right_to_left(characters: Iterable[str]) -> bool:
    for character in characters:
        if unicodedata.category(character) != "Mn":
            return unicodedata.bidirectional(character) == "AL"
    return False


def _require_showable(text: str, what: str) -> None:
    found = _unshowable(text)
    if found:
        character = text[found[0]]
        raise BadInput(
            f"{what} has no control or invisible characters; this one has "
            f"U+{ord(character):04X} ({_name_of(character)}). Leave it out."
        )


def _name_of(character: str) -> str:
    kinds = {"Cc": "control character", "Cs": "half of a surrogate pair", "Co": "private use"}
    kind = kinds.get(unicodedata.category(character), "unassigned")
    return unicodedata.name(character, kind)


def escaped(text: str, keep: str = "") -> str:
    r"""Return a text as it can be shown on a terminal or in a log (ASVS 16.4.1).

    What :func:`check_text` refuses becomes ``\u202e`` and the like: a database that an older
    version wrote to may hold it.

    :param keep: Characters to leave as they are, such as a line break between lines of our own.
    """
    hidden = {index for index in _unshowable(text) if text[index] not in keep}
    if not hidden:
        return text
    return "".join(
        _escape(character) if index in hidden else character for index, character in enumerate(text)
    )


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def check_text(text: str, what: str, longest: int) -> None:
    """Refuse a text that cannot be kept, or that would be shown as another than it is.

    :param what: What it is, for the error.
    :param longest: The length of its column; PostgreSQL keeps to it.
    :raises BadInput: It is too long, or has characters that no name may have.
    """
    if len(text) > longest:
        raise BadInput(f"{what} has at most {longest} characters.")
    _require_showable(text, what)


def check_email(email: str) -> None:
    """Refuse an e-mail address that cannot be kept or looked up.

    :raises BadInput: It is too long, or has control or invisible characters.
    """
    check_text(email, "An e-mail address", _LONGEST)
    _check_key(email, "An e-mail address")


def is_mailable(email: str) -> bool:
    """Check whether mail can be sent to a text: it is one address of RFC 5322, with a domain.

    By a rule of our own, since the standard library's parser takes seconds for some texts and fails
    at others: of the parts of RFC 5322 no comments, no blanks around it, and no obsolete forms.
    """
    if len(email) > _LONGEST:
        return False
    found = _ADDRESS.fullmatch(email)
    if found is None:
        return False
    if found["quoted"] is None:
        return True
    return not _DOT_ATOM.fullmatch(_ESCAPED.sub(r"\1", found["quoted"]))  # else it needs no quotes


_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"\w(?:[\w-]{0,61}\w)?"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_ESCAPED = re.compile(r"\\(.)")
_QUOTED = r"(?:[!#-\[\]-~]|\\[\"\\])+"
_ADDRESS = re.compile(
    rf"(?:{_DOT_ATOM.pattern}|\"(?P<quoted>{_QUOTED}(?: {_QUOTED})*)\")"
    rf"@(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Za-z:.]+\])"
)


def _check_key(text: str, what: str) -> None:
    if len(key_of(text)) > _LONGEST:
        raise BadInput(f"{what} has at most {_LONGEST} characters, also with every ß as ss.")


def check_user_name(name: str) -> str:
    """Give the name without blanks around it.

    :raises BadInput: It cannot be a sign-in name.
    """
    name = name.strip()
    if not 0 < len(name) <= _LONGEST:
        raise BadInput(f"A user name has 1 to {_LONGEST} characters.")
    _check_key(name, "A user name")
    _require_showable(name, "A user name")
    if name.startswith("7T:"):
        raise BadInput("A user name cannot begin with 7T: (that marks a ticket).")
    return name


def check_nick_name(nick_name: str) -> str:
    """Give the nick name without blanks around it; it may be empty, which is none.

    :raises BadInput: It cannot be one.
    """
    nick_name = nick_name.strip()
    if len(nick_name) > _LONGEST_NICK_NAME:
        raise BadInput(f"A nick name has at most {_LONGEST_NICK_NAME} characters.")
    _require_showable(nick_name, "A nick name")
    return nick_name


_LONGEST_NICK_NAME = 80  # in the form for looking up, letters can become three


def check_tenant_name(name: str) -> str:
    """Give the name of a tenant, which is a segment of its address.

    :raises BadInput: It cannot be one.
    """
    if not _TENANT.fullmatch(name) or name.casefold() == "remote":
        raise BadInput(
            "A tenant's name is a segment of its address: up to 64 letters, digits, dots, hyphens "
            "and underscores, beginning with a letter or digit, and not 'Remote'."
        )
    return name
