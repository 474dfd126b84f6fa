"""ASVS 6.2.12: a breached-password set, searched on disk."""

import hashlib
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services88.identity.errors import BadInput
from services88.identity.policy import Subject
from services88.identity.policy.breached import Breached

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)


def sha1(word: str) -> str:
    return hashlib.sha1(word.encode()).hexdigest().upper()


def has(breached: Breached, candidate: str) -> bool:
    rules = [failure.rule for failure in breached.check(candidate, Subject())]
    assert rules in ([], ["breached"])
    return bool(rules)


def write(path: Path, hashes: list[str], end: str = "\n", last: str = "\n") -> Breached:
    lines = [f"{found}:{10 ** (index % 9)}" for index, found in enumerate(hashes)]
    path.write_bytes((end.join(lines) + (last if lines else "")).encode())
    return Breached(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sets(words, max_size=60),
    st.sets(words, max_size=20),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_bisection_finds_what_a_set_has(
    tmp_path: Path, inside: set[str], others: set[str], end: str, last: bool
) -> None:
    hashes = sorted(map(sha1, inside))
    breached = write(tmp_path / "set", hashes, end, end if last else "")
    for word in inside | others:
        forms = {word, unicodedata.normalize("NFC", word)}
        assert has(breached, word) == bool(forms & inside)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 3000))
def test_every_line_of_a_longer_set_is_found(tmp_path: Path, seed: int, count: int) -> None:
    members = [f"{seed}-{number}" for number in range(count)]
    breached = write(tmp_path / "set", sorted(map(sha1, members)))
    for number in {0, count // 3, count // 2, count - 1}:
        assert has(breached, members[number])
    for number in range(20):
        assert not has(breached, f"{seed}+{number}")


@pytest.mark.parametrize("content", ["", "\n", "\r\n"])
def test_an_empty_set(tmp_path: Path, content: str) -> None:
    file = tmp_path / "set"
    file.write_text(content, newline="")
    assert not has(Breached(file), "password")


@pytest.mark.parametrize("last", ["", "\n", "\r\n", "\n\n"])
def test_one_line(tmp_path: Path, last: str) -> None:
    breached = write(tmp_path / "set", [sha1("password")], last=last)
    assert has(breached, "password")
    assert not has(breached, "a")  # sorts after it
    assert not has(breached, "correct horse")


def test_the_composed_form_is_looked_up_too(tmp_path: Path) -> None:
    breached = write(tmp_path / "set", [sha1("caf\u00e9")])
    assert has(breached, "cafe\u0301")
    assert has(breached, "caf\u00e9")


def test_the_same_hash_twice_is_no_mistake(tmp_path: Path) -> None:
    hashes = sorted([sha1("a"), sha1("b"), sha1("b"), sha1("b"), sha1("c")])
    breached = write(tmp_path / "set", hashes)
    assert all(has(breached, word) for word in "abc")
    assert not has(breached, "d")


@pytest.mark.parametrize(
    "content",
    [
        "password\n",
        sha1("a") + "\n",
        sha1("a").lower() + ":1\n",
        sha1("a")[:35] + ":1\n",
        sha1("a") + ":many\n",
        sha1("a") + ":\n",
        "\ufeff" + sha1("a") + ":1\n",
        " " + sha1("a") + ":1\n",
        "\n" + sha1("a") + ":1\n",
        "x" * 100_000,
        "\x00" * 100_000,
    ],
)
def test_a_file_of_another_form_is_told(tmp_path: Path, content: str) -> None:
    file = tmp_path / "set"
    file.write_text(content, encoding="utf-8", newline="")
    with pytest.raises(BadInput, match=r"no line HASH:COUNT at byte \d+") as error:
        Breached(file)
    assert str(file) in str(error.value)


def test_a_set_sorted_by_count_is_told(tmp_path: Path) -> None:
    hashes = sorted(sha1(str(number)) for number in range(500))
    with pytest.raises(BadInput, match="not sorted by hash"):
        write(tmp_path / "set", hashes[::-1])
    with pytest.raises(BadInput, match="not sorted by hash"):
        write(tmp_path / "set", hashes[250:] + hashes[:250])


def test_a_file_that_goes_or_changes_is_told_at_the_check(tmp_path: Path) -> None:
    file = tmp_path / "set"
    breached = write(file, [sha1("a")])
    file.write_text("something else entirely\n")
    with pytest.raises(BadInput, match="no line HASH:COUNT"):
        breached.check("a", Subject())
    file.unlink()
    with pytest.raises(BadInput, match="cannot be read"):
        breached.check("a", Subject())
    with pytest.raises(BadInput, match="cannot be read"):
        Breached(tmp_path)


def test_a_new_set_is_used_at_once(tmp_path: Path) -> None:
    breached = write(tmp_path / "set", [sha1("a")])
    write(tmp_path / "new", [sha1("b")])
    (tmp_path / "new").rename(tmp_path / "set")
    assert has(breached, "b")
    assert not has(breached, "a")
