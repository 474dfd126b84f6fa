"""zxcvbn, as the vendor's Online asks for (facts: semantics, section 8)."""

import subprocess
import sys

import pytest
import zxcvbn_rs_py
from hypothesis import given, settings
from hypothesis import strategies as st

from services88.identity.errors import BadInput
from services88.identity.policy import Subject
from services88.identity.policy.strength import ADVICE, Strength


def rules(strength: Strength, candidate: str, subject: Subject | None = None) -> list[str]:
    return [failure.rule for failure in strength.check(candidate, subject or Subject())]


@pytest.mark.parametrize("candidate", ["password", "qwerty", "abcabcabc", "2024", "aaaaaaaaaa"])
def test_what_is_easy_to_guess_is_refused(candidate: str) -> None:
    assert rules(Strength(2), candidate) == ["too-weak"]


def test_what_is_hard_to_guess_is_not() -> None:
    assert rules(Strength(4), "correct horse battery staple") == []


def test_the_advice_is_zxcvbns() -> None:
    assert Strength(2).check("qwerty", Subject())[0].text == (
        "Choose a password that is harder to guess. This is a top-10 common password. "
        "Add another word or two. Uncommon words are better."
    )


def test_there_is_advice_for_a_score_of_3_as_well() -> None:
    candidate = "P@ssw0rd1!4$$$"
    assert rules(Strength(3), candidate) == []
    assert Strength(4).check(candidate, Subject())[0].text == (
        "Choose a password that is harder to guess. "
        "Add another word or two. Uncommon words are better."
    )


def test_all_of_zxcvbns_texts_are_marked_for_catalogues() -> None:
    theirs = {
        str(getattr(kind, name))
        for kind in (zxcvbn_rs_py.Warning, zxcvbn_rs_py.Suggestion)
        for name in dir(kind)
        if not name.startswith("_")
    }
    assert set(ADVICE) == theirs


def test_the_persons_words_are_known() -> None:
    assert rules(Strength(2), "tworowskijanet") == []
    subject = Subject(user_name="TworowskiJanet")
    assert rules(Strength(2), "tworowskijanet", subject) == ["too-weak"]


def test_the_first_72_characters_count() -> None:
    assert rules(Strength(2), "a" * 72 + "kV9#mQ2$xW7!pL4&") == ["too-weak"]
    assert rules(Strength(2), "kV9#mQ2$xW7!pL4&" + "a" * 1000) == []


@settings(deadline=None)
@given(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=1024),
    st.text(st.characters(codec="utf-8"), max_size=40),
)
def test_no_password_or_name_breaks_it(candidate: str, name: str) -> None:
    assert rules(Strength(2), candidate, Subject(user_name=name)) in ([], ["too-weak"])


def test_signs_that_can_be_read_in_many_ways_are_read_in_few() -> None:
    """Each further way multiplied zxcvbn's work: 0.3 s for a crafted candidate."""
    assert rules(Strength(4), "P@ssw0rd1!4$$$") == ["too-weak"]
    assert rules(Strength(4), "4@8({[<369!1|70$5+7%2") == []
    assert rules(Strength(2), "p4ssw0rd") == rules(Strength(2), "p@ssw0rd") == ["too-weak"]


@pytest.mark.parametrize("minimum", [0, 5])
def test_impossible_scores(minimum: int) -> None:
    with pytest.raises(BadInput, match="1 to 4"):
        Strength(minimum)


def test_zxcvbn_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, services88.identity.policy; sys.exit('zxcvbn_rs_py' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
