"""The current password and earlier ones."""

import asyncio
from typing import Any, cast

import pytest

from services88.identity.errors import BadInput
from services88.identity.hashing import Hasher
from services88.identity.policy import Policy, Subject
from services88.identity.policy.history import History
from services88.store.database import Connection


class Verifier:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, secret: str, candidate: str) -> bool:
        self.calls.append(secret)
        return secret == f"hash of {candidate}"


def subject(*passwords: str, verify: Verifier | None = None) -> Subject:
    secrets = tuple(f"hash of {password}" if password else "" for password in passwords)
    return Subject(secrets=secrets, verify=verify or Verifier())


def rules(history: History, candidate: str, whom: Subject) -> list[str]:
    return [failure.rule for failure in history.check(candidate, whom)]


def test_the_current_password_and_the_last_n() -> None:
    whom = subject("now", "before", "long ago", "ages ago")
    assert rules(History(), "now", whom) == ["same-as-current"]
    assert rules(History(), "before", whom) == []
    assert rules(History(2), "now", whom) == ["same-as-current"]
    assert rules(History(2), "before", whom) == ["recently-used"]
    assert rules(History(2), "long ago", whom) == ["recently-used"]
    assert rules(History(2), "ages ago", whom) == []
    assert rules(History(24), "new", whom) == []


def test_no_hash_more_than_needed_is_verified() -> None:
    verify = Verifier()
    rules(History(2), "before", subject("now", "before", "long ago", "ages ago", verify=verify))
    assert verify.calls == ["hash of now", "hash of before"]


def test_somebody_without_a_password() -> None:
    assert rules(History(2), "x", Subject()) == []
    verify = Verifier()
    assert rules(History(2), "before", subject("", "before", verify=verify)) == ["recently-used"]
    assert verify.calls == ["hash of before"]


def test_with_real_hashes_composition_makes_no_difference() -> None:
    hasher = Hasher()
    whom = Subject(secrets=(hasher.hash("caf\u00e9 au lait"),), verify=hasher.verify)
    assert rules(History(), "cafe\u0301 au lait", whom) == ["same-as-current"]
    assert rules(History(), "Caf\u00e9 au lait", whom) == []


@pytest.mark.parametrize("earlier", [-1, 25])
def test_impossible_numbers(earlier: int) -> None:
    with pytest.raises(BadInput, match="0 to 24"):
        History(earlier)


def test_a_replaced_hash_is_stored() -> None:
    stored: list[tuple[Any, ...]] = []

    async def remember(*values: Any) -> None:
        stored.append(values)

    connection = cast(Connection, object())
    asyncio.run(Policy((History(3, remember),)).changed(connection, 7, "old", 1234))
    assert stored == [(connection, 7, "old", 3, 1234)]
    for history, old in (
        (History(0, remember), "old"),
        (History(3, remember), None),
        (History(3), "old"),
    ):
        asyncio.run(history.changed(connection, 7, old, 1234))
    assert len(stored) == 1


def test_texts() -> None:
    assert History().help_text() == "Choose a password that differs from the current one."
    assert History(1).help_text().endswith("the current one and the one before it.")
    assert History(5).help_text().endswith("the current one and the 5 before it.")
