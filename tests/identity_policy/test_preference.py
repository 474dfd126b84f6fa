"""The vendor's preference string (facts: semantics, section 8)."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services88.identity.errors import BadInput
from services88.identity.policy import LONGEST_PREFERENCE, Preference, Subject
from services88.identity.policy.preference import parse

KEYS = ("MinTotal", "MinNum", "MinSpec", "MinLC", "MinUC", "Msg")
counts = st.integers(0, 200)
messages = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="&")
    | st.just(" "),
    max_size=40,
)


@st.composite
def preferences(draw: st.DrawFn) -> Preference:
    numbers = draw(st.tuples(counts, counts, counts, counts, counts))
    message = draw(messages)
    assume(len("MinTotal=&MinNum=&MinSpec=&MinLC=&MinUC=&Msg=" + message) + 5 * 3 <= 99)
    return Preference(*numbers, message=message)


@given(preferences())
def test_what_is_formatted_is_parsed_back(preference: Preference) -> None:
    text = str(preference)
    assert len(text) <= LONGEST_PREFERENCE
    assert parse(text) == preference


@given(preferences(), st.data())
def test_order_and_case_of_keys_and_missing_zeros_make_no_difference(
    preference: Preference, data: st.DataObject
) -> None:
    parts = data.draw(st.permutations([part for part in str(preference).split("&") if part]))
    recased = []
    for part in parts:
        key, _, value = part.partition("=")
        recased.append(f"{data.draw(st.sampled_from([key, key.lower(), key.upper()]))}={value}")
    assert parse("&".join(recased)) == preference


@given(st.text(max_size=120))
def test_anything_else_is_a_clear_error(text: str) -> None:
    try:
        preference = parse(text)
    except BadInput as error:
        said = str(error)
    else:
        said = f"a password preference: {preference}"
        assert parse(str(preference)) == preference
    assert "password preference" in said


def test_the_vendors_example() -> None:
    text = "MinTotal=8&MinNum=1&MinSpec=0&MinLC=1&MinUC=1&Msg=At least 8, please"
    preference = parse(text)
    assert preference == Preference(8, 1, 0, 1, 1, "At least 8, please")
    assert str(preference) == "MinTotal=8&MinNum=1&MinLC=1&MinUC=1&Msg=At least 8, please"
    assert parse("") == Preference()
    assert parse("MinNum=&MinTotal=8") == Preference(total=8)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("MinTotl=8", "MinTotl"),
        ("MinTotal=8&MinTotal=9", "MinTotal"),
        ("MinTotal=8&mintotal=8", "MinTotal"),
        ("MinNum=one", "MinNum"),
        ("MinNum=-1", "MinNum"),
        ("MinNum=1.5", "MinNum"),
        ("MinNum=²", "MinNum"),
        ("MinNum=٣", "MinNum"),
        ("MinTotal", "MinTotal"),
        ("MinTotal=8&", "''"),
        ("Msg=this & that", "that"),
    ],
)
def test_errors_name_what_is_wrong_and_the_keys(text: str, named: str) -> None:
    with pytest.raises(BadInput) as error:
        parse(text)
    assert named in str(error.value)
    for key in KEYS:
        assert key in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "Msg=" + "x" * 96,
        "MinTotal=1025",
        "MinNum=600&MinSpec=600",
        "MinTotal=8&Msg=two\nlines",
        "Msg=\ud800",
    ],
)
def test_what_cannot_be_kept_or_satisfied_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse(text)


def test_at_most_99_characters() -> None:
    assert len(str(parse("Msg=" + "x" * 95))) == 99
    with pytest.raises(BadInput, match="at most 99"):
        Preference(total=8, message="x" * 95)


def rules(preference: Preference, candidate: str) -> list[str]:
    return [failure.rule for failure in preference.check(candidate, Subject())]


def test_all_reasons_at_once() -> None:
    preference = Preference(total=8, digits=1, special=1, lower=1, upper=1)
    assert rules(preference, " ") == ["min-total", "min-num", "min-spec", "min-lc", "min-uc"]
    assert rules(preference, "Secret1!") == []
    assert rules(preference, "secret11") == ["min-spec", "min-uc"]


@pytest.mark.parametrize("character", "!@#$%^&*(){}[]€💡-_")
def test_special_characters(character: str) -> None:
    assert rules(Preference(special=1), f"a{character}1") == []


@pytest.mark.parametrize("candidate", ["abc", "ABC123", "a b", "éü漢", "e\u0301", "a\tb", "²٣"])
def test_letters_digits_blanks_and_accents_are_not_special(candidate: str) -> None:
    assert rules(Preference(special=1), candidate) == ["min-spec"]


def test_digits_are_0_to_9_and_case_is_unicodes() -> None:
    assert rules(Preference(digits=1), "٣²") == ["min-num"]
    assert rules(Preference(lower=1, upper=1), "éÉ") == []
    assert rules(Preference(lower=1, upper=1), "漢字") == ["min-lc", "min-uc"]


@given(st.text(max_size=30), counts, counts, counts)
def test_counts_are_exact(candidate: str, total: int, digits: int, lower: int) -> None:
    failed = rules(Preference(total=total, digits=digits, lower=lower), candidate)
    assert ("min-total" in failed) == (len(candidate) < total)
    assert ("min-num" in failed) == (sum(c in "0123456789" for c in candidate) < digits)
    assert ("min-lc" in failed) == (sum(map(str.islower, candidate)) < lower)


def test_texts() -> None:
    preference = Preference(total=8, digits=1, special=2)
    assert [failure.text for failure in preference.check("x", Subject())] == [
        "Use at least 8 characters.",
        "Use at least 1 digit (0-9).",
        "Use at least 2 special characters, such as ! or #.",
    ]
    assert preference.help_text() == " ".join(f.text for f in preference.check("x", Subject()))
    assert Preference().help_text() == ""


def test_the_message_replaces_the_texts() -> None:
    preference = parse("MinTotal=8&MinNum=1&Msg=Ask Tom.")
    failures = preference.check("x", Subject())
    assert [failure.rule for failure in failures] == ["min-total", "min-num"]
    assert {failure.text for failure in failures} == {"Ask Tom."}
    assert preference.help_text() == "Ask Tom."
