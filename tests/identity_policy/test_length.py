"""NIST SP 800-63B-4, 3.1.1.2 (1), (2), (4); ASVS 6.2.1, 6.2.9."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services88.identity.errors import BadInput
from services88.identity.policy import Subject
from services88.identity.policy.length import Length


@given(
    st.integers(0, 64),
    st.integers(64, 1024),
    st.text(st.characters(codec="utf-8"), max_size=80) | st.integers(0, 1030).map("💡".__mul__),
)
def test_code_points_are_counted(minimum: int, maximum: int, candidate: str) -> None:
    rules = [failure.rule for failure in Length(minimum, maximum).check(candidate, Subject())]
    count = len(list(candidate))
    if count < minimum:
        assert rules == ["minimum-length"]
    elif count > maximum:
        assert rules == ["maximum-length"]
    else:
        assert rules == []


def test_a_character_beyond_the_first_plane_counts_once() -> None:
    assert Length(15).check("💡" * 15, Subject()) == []
    assert [failure.rule for failure in Length(15).check("💡" * 14, Subject())] == [
        "minimum-length"
    ]


@pytest.mark.parametrize(("minimum", "maximum"), [(0, 63), (0, 1025), (-1, 64), (65, 64)])
def test_impossible_lengths(minimum: int, maximum: int) -> None:
    with pytest.raises(BadInput):
        Length(minimum, maximum)


def test_texts_say_how_many() -> None:
    assert Length(1).check("", Subject())[0].text == "Use at least 1 character."
    assert Length(6).check("abc", Subject())[0].text == "Use at least 6 characters."
    assert Length(15).help_text().startswith("Use at least 15 characters. ")
    assert Length(0).help_text() == ""
    assert Length(8, 64).help_text() == "Use at least 8 characters. Use at most 64 characters."
