"""Names: which ones are allowed, and when two are the same."""

import re
import unicodedata
from hashlib import sha256

from services88.identity.errors import BadInput

__all__ = [
    "check_email",
    "check_nick_name",
    "check_tenant_name",
    "check_text",
    "check_user_name",
    "is_mailable",
    "key_of",
]

_LONGEST = 254  # of the columns for names and their keys
_LONGEST_TYPED = 4 * _LONGEST  # a character comes apart into four code points at most

# Not every database can be asked for these, and in no name are they.
_IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def key_of(name: str) -> str:
    """Give the form under which a name is looked up.

    Our choice: letter case and Unicode composition make no difference, nor do blanks around it.
    The vendor's databases compare names without case as well.

    A text that is longer than any name can be typed gets a form that no name has: the time that
    composing takes grows with the square of the accents in a row (ASVS 15.2.2).
    """
    name = _IMPOSSIBLE.sub("\uffff", name).strip()
    if len(name) > _LONGEST_TYPED:
        return f"\uffff{sha256(name.encode()).hexdigest()}"
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).strip().casefold())


def check_text(text: str, what: str, longest: int) -> None:
    """Refuse a text that cannot be kept, or that could forge lines.

    :param what: What it is, for the error.
    :param longest: The length of its column; PostgreSQL keeps to it.
    :raises BadInput: It is too long, or has control characters.
    """
    if len(text) > longest:
        raise BadInput(f"{what} has at most {longest} characters.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise BadInput(f"{what} has no control characters.")


def check_email(email: str) -> None:
    """Refuse an e-mail address that cannot be kept or looked up.

    :raises BadInput: It is too long, or has control characters.
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
    if any(unicodedata.category(character).startswith("C") for character in name):
        raise BadInput("A user name has no control or invisible characters.")
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
    if any(unicodedata.category(character).startswith("C") for character in nick_name):
        raise BadInput("A nick name has no control or invisible characters.")
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
