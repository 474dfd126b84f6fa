"""Names: when two are the same, and which ones cannot be."""

import unicodedata
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services88.identity import tickets
from services88.identity.errors import BadInput
from services88.identity.names import check_tenant_name, check_user_name, is_mailable, key_of


@given(st.text())
def test_blanks_case_and_composition_make_no_difference(name: str) -> None:
    key = key_of(name)
    assert key_of(f" \t{name} ") == key
    assert key_of(unicodedata.normalize("NFD", name)) == key
    assert key_of(unicodedata.normalize("NFC", name)) == key
    assert unicodedata.is_normalized("NFC", key)


@given(st.text())
def test_the_key_of_a_key_is_the_key(name: str) -> None:
    assert key_of(key_of(name)) == key_of(name)


@given(st.text(st.characters(categories=None) | st.sampled_from("\0\ud800\udfff"), max_size=9))
def test_every_database_can_be_asked_for_a_key(name: str) -> None:
    assert b"\0" not in key_of(name).encode()


def test_however_decomposed_a_name_is_found() -> None:
    longest = "\u1f82" * 127  # its key has 254 characters, and typed it has four each
    typed = unicodedata.normalize("NFD", longest)
    assert len(typed) == 4 * 127
    assert key_of(check_user_name(longest)) == key_of(f" {typed}\n")
    assert len(key_of(longest)) == 254


def test_what_is_longer_than_any_name_is_nobodys() -> None:
    for text in ("a" * 2_000, f"jane{' ' * 2_000}x", "a" + "\u0300" * 30_000):
        assert key_of(text) == key_of(key_of(text)) == key_of(f" {text}\n")
        assert key_of(text) != key_of(f"{text}x")
        with pytest.raises(BadInput):
            check_user_name(key_of(text))
    assert key_of("jane" + " " * 2_000) == "jane"


@given(st.from_regex(r"[A-Za-zÀ-ÖØ-ÞЀ-Я0-9@._-]{1,20}", fullmatch=True))
def test_letter_case_makes_no_difference(name: str) -> None:
    assert key_of(name.upper()) == key_of(name.lower()) == key_of(name.swapcase())


@pytest.mark.parametrize(
    ("one", "other"), [("STRASSE", "straße"), ("Å", "A\u030a"), ("Å", "\u212b"), ("Jane", " JANE ")]
)
def test_names_that_are_the_same(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


@pytest.mark.parametrize(("one", "other"), [("a", "ä"), ("jane", "j ane"), ("1", "l"), ("ﬁ", "f")])
def test_names_that_are_not_the_same(one: str, other: str) -> None:
    assert key_of(one) != key_of(other)


@given(st.text() | st.text(max_size=3).map(lambda rest: f"7T:{rest}"))
def test_a_user_name_is_one_that_can_be_found_again_or_is_refused(name: str) -> None:
    try:
        checked = check_user_name(name)
    except BadInput:
        return
    assert checked == name.strip()
    assert 1 <= len(checked) <= 254
    assert not any(unicodedata.category(character).startswith("C") for character in checked)
    assert not tickets.looks_like_ticket(checked)
    assert key_of(checked) == key_of(name)
    assert 0 < len(key_of(checked)) <= 254


@pytest.mark.parametrize("name", ["", " ", "\t\n", "x" * 255, "a\x00b", "a\u200bb", "a\nb", "7T:x"])
def test_user_names_that_are_refused(name: str) -> None:
    with pytest.raises(BadInput):
        check_user_name(name)


@pytest.mark.parametrize(
    "name", ["x", "x" * 254, "jane doe", "jane@example.com", "Åsa", "7t:x", "7T"]
)
def test_user_names_that_are_possible(name: str) -> None:
    assert check_user_name(name) == name


@given(st.text())
def test_a_tenant_name_is_a_segment_of_an_address_or_is_refused(name: str) -> None:
    try:
        assert check_tenant_name(name) == name
    except BadInput:
        return
    assert name.isascii()
    assert not set(name) & set("/\\?#% \t\n:;@&=+$,")
    assert 1 <= len(name) <= 64
    assert name not in (".", "..")


@pytest.mark.parametrize(
    "name", ["", "remote", "Remote", "a/b", "a b", ".", "-a", "ä", "a\n", "x" * 65]
)
def test_tenant_names_that_are_refused(name: str) -> None:
    with pytest.raises(BadInput):
        check_tenant_name(name)


@pytest.mark.parametrize("name", ["a", "Cust12345", "acme.example-1_x", "x" * 64, "0"])
def test_tenant_names_that_are_possible(name: str) -> None:
    assert check_tenant_name(name) == name


@pytest.mark.parametrize(
    ("email", "can_be"),
    [
        ("jane@example.com", True),
        ("jane.o'hara+crm@mail.example.co.uk", True),
        ("jörg@example.com", False),  # it needs SMTPUTF8, which we do not speak
        *((bad, False) for bad in ("", "jane", "jane@", "@example.com", "a@b>", "a b@example.com")),
        *(
            (bad, False)
            for bad in ("<a@example.com>", "a@example.com, b@example.com", "a@b\nBcc: c")
        ),
        ('"jane o\\"hara"@example.com', True),
        ('"jane"@example.com', False),  # the same is written without quotes
        ("jane@[192.0.2.1]", True),
        ("jane@[IPv6:2001:db8::1]", True),
        ("jane@b\xfccher.example", True),
        (f"jane@{'x' * 249}", False),
        ("a@[\\.<<\xe9", False),
        (f"{'a(b)' * 8000}@example.com", False),
        (f"{'(' * 8000}{')' * 8000}@example.com", False),
    ],
)
def test_what_mail_can_be_sent_to(email: str, can_be: bool) -> None:
    assert is_mailable(email) is can_be


@given(st.text(st.sampled_from('a@.<>,;:"\\ ()[]\n\0é'), max_size=12))
def test_what_is_mailable_is_one_address_of_a_mail(text: str) -> None:
    if is_mailable(text):
        message = EmailMessage(policy=SMTP)
        message["To"] = Address(addr_spec=text)
        read = message_from_bytes(message.as_bytes(), policy=SMTP)
        assert read.keys() == ["To"]
        assert [one.addr_spec for one in read["To"].addresses] == [text]
