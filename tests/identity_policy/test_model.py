"""The chain: all reasons at once, and what holds whatever the validators are."""

import asyncio
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services88.identity.errors import PasswordRefused
from services88.identity.policy import (
    Failure,
    Policy,
    PolicyChoice,
    Preset,
    Rule,
    Subject,
    Validator,
    build,
)
from services88.identity.policy.length import Length
from services88.store.database import Connection


class Says(Validator):
    def __init__(self, *failures: Failure, help_text: str = "") -> None:
        self.failures = failures
        self.asked = 0
        self.help = help_text

    def check(self, candidate: str, subject: Subject) -> list[Failure]:  # noqa: ARG002
        self.asked += 1
        return list(self.failures)

    def help_text(self) -> str:
        return self.help


A, B, C = Failure("a", "Do a."), Failure("b", "Do b."), Failure("c", "Do a.")


def test_all_reasons_of_all_validators_are_told_at_once() -> None:
    chain = Policy((Says(A, B), Says(), Says(C)))
    assert chain.check("x", Subject()) == [A, B, C]
    with pytest.raises(PasswordRefused) as refused:
        chain.require("x", Subject())
    assert refused.value.reason == "policy"
    assert refused.value.rules == ("a", "b", "c")
    assert str(refused.value) == "Do a. Do b."


def test_no_reason_means_acceptable() -> None:
    chain = Policy((Says(), Says()))
    assert chain.check("x", Subject()) == []
    chain.require("x", Subject())


@pytest.mark.parametrize(
    ("candidate", "rule"),
    [
        ("", Rule.EMPTY),
        ("x" * 1025, Rule.MAXIMUM_LENGTH),
        ("half a pair \ud83d", Rule.NOT_TEXT),
    ],
)
def test_what_no_policy_accepts_is_told_alone(candidate: str, rule: Rule) -> None:
    says = Says(A)
    for chain in (Policy(), Policy((says,))):
        assert [failure.rule for failure in chain.check(candidate, Subject())] == [rule]
    assert says.asked == 0


def test_help_is_told_once_each() -> None:
    chain = Policy((Says(help_text="One."), Says(), Says(help_text="Two."), Says(help_text="One.")))
    assert chain.help_texts() == ("One.", "Two.")


def test_the_hook_does_nothing_unless_a_validator_has_one() -> None:
    heard: list[tuple[Any, ...]] = []

    class Listens(Says):
        async def changed(
            self, connection: Connection, associate_id: int, old_secret: str | None, now: int
        ) -> None:
            heard.append((connection, associate_id, old_secret, now))

    connection = cast(Connection, object())
    asyncio.run(Policy((Says(), Listens(), Length(8))).changed(connection, 7, None, 1234))
    assert heard == [(connection, 7, None, 1234)]


def test_a_subject_shows_no_hash_and_needs_a_way_to_verify_one() -> None:
    def verify(_secret: str, _candidate: str) -> bool:
        return False

    assert "hush" not in repr(Subject(secrets=("hush",), verify=verify))
    with pytest.raises(ValueError, match="verify"):
        Subject(secrets=("hush",))


def test_codes_are_never_renamed() -> None:
    assert [str(rule) for rule in Rule] == [
        "empty",
        "not-text",
        "minimum-length",
        "maximum-length",
        "min-total",
        "min-num",
        "min-spec",
        "min-lc",
        "min-uc",
        "common",
        "breached",
        "context-word",
        "same-as-current",
        "recently-used",
        "too-weak",
    ]


_VENDOR = build(PolicyChoice(preset=Preset.VENDOR))


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=1024))
def test_without_a_choice_every_password_passes(candidate: str) -> None:
    _VENDOR.require(candidate, Subject())


@pytest.mark.parametrize("candidate", ["", "x" * 1025])
def test_without_a_choice_there_are_limits_still(candidate: str) -> None:
    assert len(_VENDOR.check(candidate, Subject())) == 1
    with pytest.raises(PasswordRefused):
        _VENDOR.require(candidate, Subject())
