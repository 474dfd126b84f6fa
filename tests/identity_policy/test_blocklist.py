"""NIST SP 800-63B-4, 3.1.1.2 (block-list); ASVS 6.2.4."""

import unicodedata
from pathlib import Path

import pytest

from services88.identity.errors import BadInput
from services88.identity.policy import Subject
from services88.identity.policy.blocklist import (
    LARGEST_FILE,
    BlockList,
    common_passwords,
    read_words,
)
from services88.identity.policy.model import folded


def rules(block_list: BlockList, candidate: str) -> list[str]:
    return [failure.rule for failure in block_list.check(candidate, Subject())]


@pytest.mark.parametrize("candidate", ["123456", "password", "PassWord", "passwordpassword"])
def test_common_passwords_are_refused_in_any_case(candidate: str) -> None:
    assert rules(BlockList(), candidate) == ["common"]


@pytest.mark.parametrize("candidate", ["my password is long", "passwordx9!", " password"])
def test_the_whole_password_is_compared(candidate: str) -> None:
    assert rules(BlockList(), candidate) == []


@pytest.mark.parametrize("minimum", range(6, 18))
def test_there_are_3000_for_each_minimum_length(minimum: int) -> None:
    assert sum(len(word) >= minimum for word in common_passwords()) >= 3000


def test_the_list_is_folded() -> None:
    assert all(word == folded(word) and word.strip() for word in common_passwords())


def test_own_words(tmp_path: Path) -> None:
    file = tmp_path / "own.txt"
    file.write_bytes("\ufeffFjordbank 2024\r\n\r\n  # nå\r\nStraße".encode())
    own = read_words(file)
    assert own == {"fjordbank 2024", "# nå", "strasse"}
    for candidate in ("fjordbank 2024", "STRASSE", unicodedata.normalize("NFD", "# NÅ")):
        assert rules(BlockList(common=False, own=own), candidate) == ["common"]
    assert rules(BlockList(common=False, own=own), "password") == []
    assert rules(BlockList(own=own), "password") == ["common"]


def test_own_files_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "own.txt"
    with pytest.raises(BadInput, match="cannot be read"):
        read_words(file)
    with pytest.raises(BadInput, match="cannot be read"):
        read_words(tmp_path)
    file.write_bytes(b"good\nb\xe9d\n")
    with pytest.raises(BadInput, match="not UTF-8 \\(line 2\\)"):
        read_words(file)
    file.write_bytes(b"")
    assert read_words(file) == frozenset()
    with file.open("wb") as big:
        big.truncate(LARGEST_FILE + 1)
    with pytest.raises(BadInput, match="more than 16 MiB"):
        read_words(file)
