"""The forms of password hashes that verify here: our own, and those of other systems.

A form is recognised by its whole text, its cost read before anything is computed: a hash that would
take seconds or gigabytes is refused, on import and at every verification (ASVS 15.2.2). Other
systems' forms are verified by libpass, the maintained fork of passlib, where it knows them. Its
modules are imported at the first such hash, since most servers never see one.
"""

import hashlib
import hmac
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field

import argon2
from argon2.exceptions import VerificationError

from services88.identity.errors import BadInput

__all__ = [
    "OWN",
    "NotImportable",
    "Recognised",
    "argon2_too_costly",
    "check_importable",
    "decoy",
    "identify",
    "recognise",
]

OWN = re.compile(
    r"(?:\$s88\$k=(?P<pepper>[a-z0-9]{1,16}))?(?P<argon2>\$argon2(?:id|i|d)\$[^\n]{1,1024})"
)
"""Our own form: an Argon2 hash, after the id of the pepper where there is one."""

_LONGEST = 2_048
_BCRYPT_BYTES = 72

# Limits of cost. Each is some seconds of one thread at most.
_ARGON2_MEMORY_KIB = 1_048_576
_ARGON2_WORK_KIB = 4 * _ARGON2_MEMORY_KIB  # memory times passes
_ARGON2_LANES = 64
_BCRYPT_COST = 16
_PBKDF2_ROUNDS = 10_000_000
_SCRYPT_MEMORY = 256 * 1024 * 1024
_SCRYPT_WORK = 8 * _SCRYPT_MEMORY  # memory times lanes

_Match = re.Match[str]


class NotImportable(BadInput):
    """A hash of another system cannot be taken over. The texts tell nothing of the hash.

    :ivar cause: Why not.
    :ivar remedy: What to do instead.
    """

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause = cause
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class _Format:
    name: str
    begins: str
    """How such a hash begins, for telling which one a damaged hash was."""
    pattern: re.Pattern[str]
    too_costly: Callable[[_Match], str | None]
    verify: Callable[[_Match, bytes], bool]


@dataclass(frozen=True, slots=True)
class Recognised:
    """A hash of a known form.

    :ivar name: Of the form; never renamed.
    :ivar too_costly: What about its cost is absurd; None where nothing is.
    """

    name: str
    too_costly: str | None
    _format: _Format = field(repr=False)
    _match: _Match = field(repr=False)

    def verify(self, password: bytes) -> bool:
        """Say whether it is the hash of exactly these bytes; slow. Not for absurd costs."""
        try:
            return self._format.verify(self._match, password)
        except (ValueError, TypeError, VerificationError):
            # The form was right, but what it holds cannot be: no password has such a hash.
            return False


def argon2_too_costly(memory_kib: int, passes: int, lanes: int) -> str | None:
    """Say what is absurd about the cost of an Argon2 hash; None where nothing is."""
    if memory_kib > _ARGON2_MEMORY_KIB:
        return "more than 1 GiB of memory"
    if memory_kib * passes > _ARGON2_WORK_KIB:
        return "more passes than 4 at 1 GiB take"
    if lanes > _ARGON2_LANES:
        return f"more than {_ARGON2_LANES} lanes"
    return None


def _argon2_cost(match: _Match) -> str | None:
    return argon2_too_costly(int(match["memory"]), int(match["passes"]), int(match["lanes"]))


def _bcrypt_cost(match: _Match) -> str | None:
    return f"a cost above {_BCRYPT_COST}" if int(match["cost"]) > _BCRYPT_COST else None


def _pbkdf2_cost(match: _Match) -> str | None:
    return "more than 10 million rounds" if int(match["rounds"]) > _PBKDF2_ROUNDS else None


def _scrypt_too_costly(n: int, block: int, lanes: int) -> str | None:
    if 128 * block * (n + lanes) > _SCRYPT_MEMORY:
        return "more than 256 MiB of memory"
    if 128 * block * n * lanes > _SCRYPT_WORK:
        return "more lanes than 8 at 256 MiB take"
    return None


def _scrypt_cost(match: _Match) -> str | None:
    return _scrypt_too_costly(1 << int(match["ln"]), int(match["block"]), int(match["lanes"]))


def _django_scrypt_cost(match: _Match) -> str | None:
    return _scrypt_too_costly(int(match["n"]), int(match["block"]), int(match["lanes"]))


def _no_cost(_: _Match) -> str | None:
    return None


def _verify_argon2(match: _Match, password: bytes) -> bool:
    return argon2.PasswordHasher().verify(match["argon2"], password)


def _verify_bcrypt(match: _Match, password: bytes) -> bool:
    from passlib.handlers.bcrypt import bcrypt

    # bcrypt ignores what follows; the package of that name says so by raising, since version 5.
    return bool(bcrypt.verify(password[:_BCRYPT_BYTES], match["bcrypt"]))


def _verify_django_bcrypt_sha256(match: _Match, password: bytes) -> bool:
    from passlib.handlers.django import django_bcrypt_sha256

    return bool(django_bcrypt_sha256.verify(password, match[0]))


def _verify_pbkdf2_sha256(match: _Match, password: bytes) -> bool:
    from passlib.handlers.pbkdf2 import pbkdf2_sha256

    return bool(pbkdf2_sha256.verify(password, match[0]))


def _verify_pbkdf2_sha512(match: _Match, password: bytes) -> bool:
    from passlib.handlers.pbkdf2 import pbkdf2_sha512

    return bool(pbkdf2_sha512.verify(password, match[0]))


def _verify_django_pbkdf2_sha256(match: _Match, password: bytes) -> bool:
    from passlib.handlers.django import django_pbkdf2_sha256

    return bool(django_pbkdf2_sha256.verify(password, match[0]))


def _verify_scrypt(match: _Match, password: bytes) -> bool:
    from passlib.handlers.scrypt import scrypt

    return bool(scrypt.verify(password, match[0]))


def _verify_django_scrypt(match: _Match, password: bytes) -> bool:
    n, block, lanes = int(match["n"]), int(match["block"]), int(match["lanes"])
    expected = b64decode(match["hash"], validate=True)
    made = hashlib.scrypt(
        password,
        salt=match["salt"].encode(),
        n=n,
        r=block,
        p=lanes,
        maxmem=2 * _SCRYPT_MEMORY,
        dklen=len(expected),
    )
    return hmac.compare_digest(made, expected)


def _verify_ssha(match: _Match, password: bytes) -> bool:
    from passlib.handlers.ldap_digests import ldap_salted_sha1

    return bool(ldap_salted_sha1.verify(password, "{SSHA}" + match["digest"]))


_NUMBER = r"[1-9][0-9]{0,9}"
_ADAPTED_BASE64 = r"[./0-9A-Za-z]"
_ARGON2 = (
    r"(?P<argon2>\$argon2(?P<kind>id|i|d)(?:\$v=[0-9]{1,3})?"
    rf"\$m=(?P<memory>{_NUMBER}),t=(?P<passes>{_NUMBER}),p=(?P<lanes>{_NUMBER})"
    r"\$[+/0-9A-Za-z]{11,256}\$[+/0-9A-Za-z]{16,512})"
)
# The last character of salt and of hash holds padding; where its bits are set, it was altered.
_BCRYPT = (
    r"(?P<bcrypt>\$2[aby]\$(?P<cost>[0-9]{2})"
    r"\$[./0-9A-Za-z]{21}[.Oeu][./0-9A-Za-z]{30}[.CGKOSWaeimquy26])"
)
_PBKDF2 = rf"\$(?P<rounds>{_NUMBER})\${_ADAPTED_BASE64}{{0,1366}}\$"


def _format(
    name: str,
    begins: str,
    pattern: str,
    too_costly: Callable[[_Match], str | None],
    verify: Callable[[_Match, bytes], bool],
) -> _Format:
    return _Format(name, begins, re.compile(pattern), too_costly, verify)


_FORMATS = (
    _format("argon2", "$argon2", _ARGON2, _argon2_cost, _verify_argon2),
    _format("bcrypt", "$2", _BCRYPT, _bcrypt_cost, _verify_bcrypt),
    _format(
        "pbkdf2-sha256",
        "$pbkdf2-sha256$",
        rf"\$pbkdf2-sha256{_PBKDF2}{_ADAPTED_BASE64}{{43}}",
        _pbkdf2_cost,
        _verify_pbkdf2_sha256,
    ),
    _format(
        "pbkdf2-sha512",
        "$pbkdf2-sha512$",
        rf"\$pbkdf2-sha512{_PBKDF2}{_ADAPTED_BASE64}{{86}}",
        _pbkdf2_cost,
        _verify_pbkdf2_sha512,
    ),
    _format(
        "scrypt",
        "$scrypt$",
        rf"\$scrypt\$ln=(?P<ln>[1-9][0-9]?),r=(?P<block>{_NUMBER}),p=(?P<lanes>{_NUMBER})"
        r"\$[+/0-9A-Za-z]{0,1366}\$[+/0-9A-Za-z]{43}",
        _scrypt_cost,
        _verify_scrypt,
    ),
    _format(
        "ssha",
        "{SSHA}",
        r"(?i:\{SSHA\})(?P<digest>[+/0-9A-Za-z]{32,48}={0,2})",
        _no_cost,
        _verify_ssha,
    ),
    _format("django-argon2", "argon2$", "argon2" + _ARGON2, _argon2_cost, _verify_argon2),
    _format("django-bcrypt", "bcrypt$", r"bcrypt\$" + _BCRYPT, _bcrypt_cost, _verify_bcrypt),
    _format(
        "django-bcrypt-sha256",
        "bcrypt_sha256$",
        r"bcrypt_sha256\$" + _BCRYPT,
        _bcrypt_cost,
        _verify_django_bcrypt_sha256,
    ),
    _format(
        "django-pbkdf2-sha256",
        "pbkdf2_sha256$",
        rf"pbkdf2_sha256\$(?P<rounds>{_NUMBER})\$[./0-9A-Za-z]{{1,512}}\$[+/0-9A-Za-z]{{43}}=",
        _pbkdf2_cost,
        _verify_django_pbkdf2_sha256,
    ),
    _format(
        "django-scrypt",
        "scrypt$",
        rf"scrypt\$(?P<n>{_NUMBER})\$(?P<salt>[^$\n]{{1,512}})\$(?P<block>{_NUMBER})"
        rf"\$(?P<lanes>{_NUMBER})\$(?P<hash>[+/0-9A-Za-z]{{86}}==)",
        _django_scrypt_cost,
        _verify_django_scrypt,
    ),
)

_KNOWN = (
    "Argon2, bcrypt, PBKDF2-SHA256 and -SHA512 as passlib writes them, scrypt as passlib writes "
    "it, {SSHA}, and Django's pbkdf2_sha256, argon2, bcrypt, bcrypt_sha256 and scrypt"
)
_WITHOUT = "Import the user without a password; docs/migrate.md shows how they get one by mail."


def recognise(secret: str) -> Recognised | None:
    """Find the form of a hash without a pepper; None where it has none of the known ones whole."""
    if len(secret) > _LONGEST:
        return None
    for form in _FORMATS:
        match = form.pattern.fullmatch(secret)
        if match is not None:
            name = f"argon2{match['kind']}" if form.name == "argon2" else form.name
            return Recognised(name, form.too_costly(match), form, match)
    return None


def identify(secret: str) -> str | None:
    """Name the form of a hash, our own with a pepper among them; None where it is unknown."""
    own = OWN.fullmatch(secret)
    recognised = recognise(own["argon2"] if own is not None else secret)
    return recognised.name if recognised is not None else None


def decoy(secret: str) -> str:
    """Return a hash of the same form, cost and salt that no known password has.

    A character well before the end is another: behind the last separator stands the hash itself
    (of ``{SSHA}`` the salt, which makes it that of another password as well).
    """
    at = len(secret) - 9
    if at < 0:  # no hash: nothing is computed for it, whatever it is
        return secret
    return f"{secret[:at]}{'B' if secret[at] == 'A' else 'A'}{secret[at + 1 :]}"


def proves_only_a_part(secret: str, password: str) -> bool:
    """Say whether a hash of this form takes no notice of the end of a password so long."""
    return identify(secret) in ("bcrypt", "django-bcrypt") and (
        len(password.encode()) > _BCRYPT_BYTES
    )


def check_importable(secret: str) -> str:
    """Check that a hash of another system will verify here, and give it as it has to be stored.

    Argon2 hashes are stored in Django's form, which tells them from our own: those were made from
    the password in NFC, others perhaps not.

    :raises NotImportable: It will not, or it costs too much.
    """
    if secret.startswith("7P:"):
        raise NotImportable(
            "NetServer's own password hashes (7P:) cannot be imported: how they are made is not "
            "published, so nothing but NetServer can verify them.",
            _WITHOUT,
        )
    if secret.startswith("$s88$"):
        raise NotImportable(
            "A hash made with a pepper of services88 is of use only in its own installation.",
            _WITHOUT,
        )
    if secret.startswith("!"):
        raise NotImportable("Django marks a user without a usable password so.", _WITHOUT)
    recognised = recognise(secret)
    if recognised is None:
        damaged = next((form.name for form in _FORMATS if secret.startswith(form.begins)), None)
        if damaged is None:
            raise NotImportable(f"The hash has no known form. Known are: {_KNOWN}.", _WITHOUT)
        raise NotImportable(
            f"The hash begins like one of the form {damaged} but is cut, altered or of another "
            "version.",
            "Export it again, without a shell that may take the $ in it for something else.",
        )
    if recognised.too_costly is not None:
        raise NotImportable(
            f"Verifying the hash ({recognised.name}) would cost too much: {recognised.too_costly}.",
            _WITHOUT,
        )
    return f"argon2{secret}" if secret.startswith("$argon2") else secret
