"""Hashes of other systems: which verify, which are refused, and what they may cost."""

import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest

from services88.identity.errors import BadInput
from services88.identity.hashing import Hasher, NotImportable, check_importable, identify
from tests.hashing.vectors import PASSWORD, VECTORS, Vector

HASHER = Hasher()
_EACH = pytest.mark.parametrize("vector", VECTORS, ids=str)


@_EACH
def test_a_hash_of_another_program_verifies(vector: Vector) -> None:
    assert identify(vector.secret) == vector.form
    assert HASHER.verify(vector.secret, vector.password)
    assert not HASHER.verify(vector.secret, vector.password[1:])
    assert not HASHER.verify(vector.secret, "")


@_EACH
def test_it_can_be_imported_and_verifies_as_stored(vector: Vector) -> None:
    stored = check_importable(vector.secret)
    assert HASHER.verify(stored, vector.password)
    assert HASHER.needs_rehash(stored)
    assert check_importable(stored) == stored


@_EACH
def test_it_needs_a_rehash(vector: Vector) -> None:
    assert HASHER.needs_rehash(vector.secret)


@_EACH
def test_cut_or_lengthened_it_is_no_hash(vector: Vector) -> None:
    for damaged in (vector.secret + "\n", " " + vector.secret, vector.secret + "!"):
        assert identify(damaged) is None
        assert not HASHER.verify(damaged, vector.password)
    cut = vector.secret[:-12]
    assert identify(cut) is None or not HASHER.verify(cut, vector.password)


@pytest.mark.parametrize(
    ("secret", "password"),
    [
        ("$2b$04$abcdefghijklmnopqrstuuwurWIdVVT4m5pTArtqnFNM69nySdHj.", "y" * 100),
        ("$2b$04$abcdefghijklmnopqrstuuKiIlCeXB6chNXkLyAo8C7XcLPzh6zUe", "\u00e9" * 50),
        ("$2b$04$abcdefghijklmnopqrstuuBQHqZaO/dlDRZ.TvJ67we2MtFVZUvA2", "x" * 71 + "\u00e9z"),
    ],
    ids=["ascii", "two bytes each", "a character cut in two"],
)
def test_bcrypt_takes_the_first_72_bytes(secret: str, password: str) -> None:
    """The hashes are crypt(3)'s, of the whole password."""
    assert HASHER.verify(secret, password)
    assert HASHER.verify(secret, password + "more")
    shorter = password.encode()[:71].decode(errors="ignore")
    assert not HASHER.verify(secret, shorter)


@_EACH
def test_an_imported_hash_is_tried_as_sent_then_in_nfc(vector: Vector) -> None:
    decomposed = unicodedata.normalize("NFD", vector.password)
    assert HASHER.verify(vector.secret, decomposed), "the hash is of the composed form"


def test_an_imported_hash_of_a_decomposed_password_verifies_as_sent() -> None:
    import bcrypt

    decomposed = unicodedata.normalize("NFD", PASSWORD)
    secret = bcrypt.hashpw(decomposed.encode(), bcrypt.gensalt(4)).decode()
    assert HASHER.verify(secret, decomposed)
    assert not HASHER.verify(secret, PASSWORD), "nobody can know that this was meant"


def test_an_imported_argon2_hash_is_tried_as_sent_but_our_own_only_in_nfc() -> None:
    import argon2

    decomposed = unicodedata.normalize("NFD", PASSWORD)
    secret = argon2.PasswordHasher(1, 1024, 1).hash(decomposed.encode())
    assert not HASHER.verify(secret, decomposed)
    stored = check_importable(secret)
    assert HASHER.verify(stored, decomposed)
    assert not HASHER.verify(stored, PASSWORD)


_B64 = "A" * 22
_B64_32 = "A" * 43


@pytest.mark.parametrize(
    ("secret", "limit"),
    [
        (f"$2b$17${'.' * 53}", "16"),
        (f"$2y$99${'.' * 53}", "16"),
        (f"bcrypt$$2b$17${'.' * 53}", "16"),
        (f"bcrypt_sha256$$2b$31${'.' * 53}", "16"),
        (f"$pbkdf2-sha256$10000001${_B64}${_B64_32}", "10 million"),
        (f"$pbkdf2-sha512$4294967295${_B64}${'A' * 86}", "10 million"),
        (f"pbkdf2_sha256$9999999999$salt${_B64_32}=", "10 million"),
        (f"$scrypt$ln=18,r=8,p=1${_B64}${_B64_32}", "256 MiB"),
        (f"$scrypt$ln=99,r=8,p=1${_B64}${_B64_32}", "256 MiB"),
        (f"$scrypt$ln=1,r=1,p=9999999999${_B64}${_B64_32}", "256 MiB"),
        (f"$scrypt$ln=17,r=8,p=17${_B64}${_B64_32}", "lanes"),
        (f"scrypt$262144$salt$8$1${'A' * 86}==", "256 MiB"),
        (f"scrypt$2$salt$9999999999$1${'A' * 86}==", "256 MiB"),
        (f"scrypt$131072$salt$8$99${'A' * 86}==", "lanes"),
        (f"$argon2id$v=19$m=1048577,t=1,p=1${_B64}${_B64_32}", "1 GiB"),
        (f"$argon2id$v=19$m=4294967295,t=1,p=1${_B64}${_B64_32}", "1 GiB"),
        (f"$argon2id$v=19$m=1024,t=4294967295,p=1${_B64}${_B64_32}", "passes"),
        (f"$argon2d$v=19$m=65536,t=3,p=65${_B64}${_B64_32}", "lanes"),
        (f"argon2$argon2id$v=19$m=1048577,t=1,p=1${_B64}${_B64_32}", "1 GiB"),
    ],
)
def test_absurd_costs_are_refused(secret: str, limit: str) -> None:
    assert identify(secret) is not None
    with pytest.raises(BadInput, match=limit) as refusal:
        check_importable(secret)
    assert secret not in str(refusal.value)
    assert not HASHER.verify(secret, PASSWORD), "at once"
    assert not HASHER.verify("$s88$k=a" + secret, PASSWORD)


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("7P:SGFzaGVkIHNlY3JldA==", "docs/migrate.md"),
        ("!wMzZ6jFlCmVyC8YkrP6SKDNzJdkM2Zv8aKp", "without a usable password"),
        ("", "no known form"),
        ("vellum orbit quartz", "no known form"),
        ("5f4dcc3b5aa765d61d8327deb882cf99", "no known form"),
        ("md5$salt$5f4dcc3b5aa765d61d8327deb882cf99", "no known form"),
        ("pbkdf2_sha256$1000$salt$short", "form django-pbkdf2-sha256 but is cut"),
        ("$2b$12$short", "form bcrypt but is cut"),
        ("$2x$12$" + "." * 53, "form bcrypt but is cut"),
        ("$s88$k=a$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$" + "A" * 43, "its own installation"),
    ],
)
def test_what_cannot_be_imported_is_told_with_a_remedy(secret: str, told: str) -> None:
    with pytest.raises(NotImportable) as refusal:
        check_importable(secret)
    assert told in str(refusal.value)
    assert refusal.value.cause
    assert refusal.value.remedy
    assert secret == "" or secret not in str(refusal.value)


def test_a_hash_that_verifies_nothing_is_no_error() -> None:
    """The text has the right form, but what it holds cannot be."""
    for secret in (
        f"$argon2id$v=19$m=8,t=1,p=64${_B64}${_B64_32}",
        f"$argon2id$v=99$m=1024,t=1,p=1${_B64}${_B64_32}",
        f"scrypt$1000$salt$8$1${'A' * 86}==",
        f"scrypt$1$salt$8$1${'A' * 86}==",
        f"$scrypt$ln=63,r=1,p=1${_B64}${_B64_32}",
        f"$pbkdf2-sha256$1${'A' * 21}${_B64_32}",
        "$2b$03$" + "." * 53,
        "$2b$00$" + "." * 53,
        "{SSHA}" + "A" * 33,
        "{SSHA}" + "A" * 48 + "==",
    ):
        assert identify(secret) is not None
        assert not HASHER.verify(secret, PASSWORD)


@_EACH
@pytest.mark.parametrize("password", ["\x00", "a\x00b", "\ud800", "x" * 5_000])
def test_odd_passwords_are_wrong_and_no_error(vector: Vector, password: str) -> None:
    assert not HASHER.verify(vector.secret, password)


def test_other_systems_hashes_verify_on_several_threads_at_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda one: HASHER.verify(one.secret, one.password), VECTORS * 4)
    assert all(found)


def test_libpass_is_not_imported_until_it_is_needed() -> None:
    asked = (
        "import sys; from services88.identity.hashing import Hasher; "
        "hasher = Hasher(); assert hasher.verify(hasher.hash('x'), 'x'); "
        "sys.exit(any(name in sys.modules for name in ('passlib', 'bcrypt')))"
    )
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


@_EACH
def test_a_decoy_is_of_the_same_form_and_cost_and_nobody_s(vector: Vector) -> None:
    stored = check_importable(vector.secret)
    decoy = HASHER.decoy(stored)
    assert decoy != stored
    assert len(decoy) == len(stored)
    assert decoy[:-9] == stored[:-9], "cost and salt are the same"
    assert identify(decoy) == identify(stored), "it is recognised, or it would cost nothing"
    assert not HASHER.verify(decoy, vector.password)
