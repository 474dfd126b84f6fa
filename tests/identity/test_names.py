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
from services88.identity.names import (
    check_email,
    check_nick_name,
    check_tenant_name,
    check_text,
    check_user_name,
    escaped,
    is_mailable,
    key_of,
)


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
    visible = checked.replace("\u200c", "").replace("\u200d", "")
    assert not any(unicodedata.category(character).startswith("C") for character in visible)
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


HIDDEN = [
    *(
        "\0\t\n\r\x1b\x7f\x80\x85\x9b\xad\u034f\u061c\u115f\u17b4\u180e\u200b\u200c\u200d\u200e\u200f"
    ),
    *(
        "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2064\u2066\u2067\u2068\u2069\u206f\u2800\u3164"
    ),
    *("\ud800\udfff\ue000\ufdd0\ufe0f\ufeff\uffa0\ufff9\ufffe\uffff\U0001d173\U000e0001\U000e0100"),
    *("\U0001fffe\U0010ffff"),
]


@pytest.mark.parametrize("character", HIDDEN, ids=ascii)
def test_what_cannot_be_seen_is_in_no_name(character: str) -> None:
    """Names, nick names, persons, companies, applications, addresses (ASVS 2.2.1)."""
    text = f"ja{character}ne"
    code = f"U\\+{ord(character):04X}"
    for check in (
        check_user_name,
        check_nick_name,
        check_email,
        lambda text: check_text(text, "A company", 254),
    ):
        with pytest.raises(BadInput, match=code):
            check(text)
    with pytest.raises(BadInput):
        check_tenant_name(text)
    shown = escaped(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert shown.startswith("ja\\")
    assert escaped(text, keep=character) == text


@pytest.mark.parametrize(
    "name",
    ["علی\u200cرضا", "می\u200cخواهم", "अर्\u200dक", "ක්\u200dරිස්තු", "क्\u200cष", "María José",
     "O\u2019Neill",
     "Zoë 🎉", "山田\u3000太郎", "מִרְיָם", "Nguyễn", "ـ", "AT&T <x>"],
)  # fmt: skip
def test_names_of_many_scripts_are_possible(name: str) -> None:
    assert check_user_name(name) == check_nick_name(name) == escaped(name) == name
    check_text(name, "A name", 99)


@pytest.mark.parametrize("name", ["علی\u200cرضا", "अर्\u200dक"])
def test_joiners_make_no_second_name(name: str) -> None:
    assert key_of(name) == key_of(name.replace("\u200c", "").replace("\u200d", ""))


@pytest.mark.parametrize(
    "name",
    ["\u200cعلی", "علی\u200c", "a\u200cb", "a\u200db", "عل\u200dی", "ع\u200c\u200cل", "क\u200dष"],
)
def test_joiners_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match=r"U\+200[CD]"):
        check_user_name(name)


@given(st.text(st.characters(categories=None), max_size=20))
def test_whatever_is_shown_has_nothing_hidden(text: str) -> None:
    shown = escaped(text)
    assert escaped(shown) == shown
    if shown == text:
        check_text(text, "A name", 99)
    else:
        with pytest.raises(BadInput):
            check_text(text, "A name", 99)


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
