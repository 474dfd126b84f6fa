"""ASVS 6.1.2, 6.2.11: words of the person, the organisation and the product."""

import unicodedata

import pytest

from services88.identity.policy import Subject, words_of
from services88.identity.policy.context_words import ContextWords

JANE = Subject(
    user_name="JTworow",
    names=("Jäne-Marie", "Tworowski", "Ann"),
    email="j.marple@mail.fjordbank.co.uk",
    company="Acme Widgets AS",
)


def texts(candidate: str, subject: Subject = JANE) -> list[str]:
    failures = ContextWords().check(candidate, subject)
    assert {failure.rule for failure in failures} <= {"context-word"}
    return [failure.text for failure in failures]


@pytest.mark.parametrize(
    ("candidate", "what"),
    [
        ("jtworow", "your user name"),
        ("xxJTWOROWxx", "your user name"),
        ("the-jäne-way", "your name"),
        (unicodedata.normalize("NFD", "the-JÄNE-way"), "your name"),
        ("jänemarie", "your name"),
        ("tworowski99", "your name"),
        ("Marple investigates", "your e-mail address"),
        ("at FjordBank we trust", "your e-mail address"),
        ("acmewidgetsas", "the name of your organisation"),
        ("two widgets!", "the name of your organisation"),
        ("I love SUPEROFFICE", "the name of this product"),
        ("Services88 rocks", "the name of this product"),
    ],
)
def test_words_are_found_and_their_kind_is_told(candidate: str, what: str) -> None:
    assert texts(candidate) == [f"Leave out {what}; others would try that first."]


@pytest.mark.parametrize("candidate", ["planning", "co.uk", "mailbox", "correct horse battery"])
def test_short_words_and_others_are_not(candidate: str) -> None:
    assert texts(candidate) == []


def test_all_kinds_at_once() -> None:
    assert len(texts("jtworow tworowski marple widgets superoffice")) == 5


def test_nobody_has_only_the_product() -> None:
    assert set(words_of(Subject())) == {"superoffice", "services88"}
    assert texts("anything at all", Subject(product=())) == []


@pytest.mark.parametrize("email", ["", "@", "local", "local@", "@x", "a@b@c.d", "local@localhost"])
def test_odd_addresses(email: str) -> None:
    assert "" not in words_of(Subject(email=email))
    texts("some password", Subject(email=email))


def test_a_user_name_that_is_the_address() -> None:
    subject = Subject(user_name="ann.smith@example.com", email="ann.smith@example.com", product=())
    assert set(words_of(subject)) == {
        "ann.smith@example.com",
        "ann.smith",
        "annsmith",
        "ann",
        "smith",
        "example",
    }
