"""What holds for every password and for every text that claims to be a hash."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services88.identity.errors import BadInput
from services88.identity.hashing import Hasher, Pepper, check_importable, identify
from tests.hashing.vectors import VECTORS

PLAIN = Hasher()
PEPPERED = Hasher(peppers=(Pepper("a", bytes(32)),))
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
_SHORT = settings(max_examples=40, deadline=None)

_ALPHABET = st.sampled_from(
    "$=,.:!{}/+- \n\x00\u00e9\U0001f511\ud800" + "argon2idvmtpbcsyhfSHA80169"
)


@st.composite
def _damaged(draw: st.DrawFn) -> str:
    """A real hash, with a piece replaced by something else."""
    secret = draw(st.sampled_from([one.secret for one in VECTORS]))
    if draw(st.booleans()):
        secret = "$s88$k=a" + secret
    begin = draw(st.integers(0, len(secret)))
    end = draw(st.integers(begin, min(len(secret), begin + 8)))
    return secret[:begin] + draw(st.text(_ALPHABET, max_size=6)) + secret[end:]


_SECRETS = st.one_of(st.text(), st.text(_ALPHABET), _damaged())


@pytest.mark.parametrize("hasher", [PLAIN, PEPPERED], ids=["plain", "peppered"])
@given(password=_TEXT)
@_SHORT
def test_a_password_verifies_in_every_equivalent_form(hasher: Hasher, password: str) -> None:
    """NIST SP 800-63B-4, 3.1.1.2: NFC before hashing; ASVS 6.2.8: and nothing else."""
    secret = hasher.hash(password)
    assert hasher.verify(secret, password)
    assert hasher.verify(secret, unicodedata.normalize("NFD", password))
    assert hasher.verify(secret, unicodedata.normalize("NFC", password))
    assert not hasher.verify(secret, password + " ")
    assert not hasher.needs_rehash(secret)
    assert hasher.hash(password) != secret


@given(secret=_SECRETS)
@settings(max_examples=500, deadline=None)
def test_any_text_is_identified_or_not_and_never_an_error(secret: str) -> None:
    identify(secret)
    PLAIN.needs_rehash(secret)
    try:
        stored = check_importable(secret)
    except BadInput:
        return
    assert identify(stored) is not None


@given(secret=_SECRETS, password=st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_verifying_any_text_is_never_an_error(secret: str, password: str) -> None:
    for hasher in (PLAIN, PEPPERED):
        assert hasher.verify(secret, password) is False
