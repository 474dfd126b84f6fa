"""Our own hashes: cost, peppers, and when one has to be made anew."""

import asyncio
import logging
import time
from base64 import b64decode, b64encode
from hashlib import sha256
from hmac import digest
from pathlib import Path
from unicodedata import normalize

import argon2
import bcrypt
import pytest

from services88.identity.errors import BadInput
from services88.identity.hashing import Hasher, Pepper, check_importable, identify, load_peppers
from services88.settings import load
from services88.web.application import identity_of

PASSWORD = "vellum orbit quartz \u00e9"
OLD = Pepper("2024a", bytes(range(32)))
NEW = Pepper("2025", bytes(range(100, 164)))


def test_the_cost_is_owasp_s_minimum_and_never_less() -> None:
    """OWASP Password Storage Cheat Sheet; ASVS 11.4.2."""
    assert Hasher().hash("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    for memory_kib, passes, lanes in ((19_455, 2, 1), (1_048_576, 1, 1), (19_456, 2, 0)):
        with pytest.raises(BadInput, match="at least 19456 KiB"):
            Hasher(memory_kib=memory_kib, passes=passes, lanes=lanes)
    for memory_kib, passes, lanes in ((1_048_577, 2, 1), (19_456, 1_000, 1), (19_456, 2, 65)):
        with pytest.raises(BadInput, match="too high"):
            Hasher(memory_kib=memory_kib, passes=passes, lanes=lanes)


def test_every_hash_has_a_salt_of_its_own() -> None:
    """NIST SP 800-63B-4, 3.1.1.2: 32 bits at least; ours have 128."""
    salts = [Hasher().hash(PASSWORD).split("$")[4] for _ in range(4)]
    assert len(set(salts)) == len(salts)
    assert {len(b64decode(salt + "==")) for salt in salts} == {16}


def test_a_hash_of_another_cost_verifies_and_needs_a_rehash() -> None:
    before, now = Hasher(), Hasher(passes=3)
    secret = before.hash(PASSWORD)
    assert now.verify(secret, PASSWORD)
    assert now.needs_rehash(secret)
    assert not before.needs_rehash(secret)
    assert not now.needs_rehash(now.hash(PASSWORD))
    assert now.needs_rehash("garbage")
    assert now.needs_rehash("$argon2id$garbage")


def test_a_peppered_hash_is_argon2id_of_an_hmac() -> None:
    """NIST SP 800-63B-4, 3.1.1.2: a keyed step with a key stored apart."""
    secret = Hasher(peppers=(OLD,)).hash("e\u0301")
    prefix, inner = secret[: len("$s88$k=2024a")], secret[len("$s88$k=2024a") :]
    assert prefix == "$s88$k=2024a"
    keyed = b64encode(digest(OLD.key, "\u00e9".encode(), sha256))
    assert argon2.PasswordHasher().verify(inner, keyed)
    assert identify(secret) == "argon2id"


def test_peppers_are_rotated() -> None:
    none, old, both, new = (
        Hasher(),
        Hasher(peppers=(OLD,)),
        Hasher(peppers=(NEW, OLD)),
        Hasher(peppers=(NEW,)),
    )
    plain, olden, current = none.hash(PASSWORD), old.hash(PASSWORD), both.hash(PASSWORD)
    assert current.startswith("$s88$k=2025$argon2id$")
    for secret in (plain, olden, current):
        assert both.verify(secret, PASSWORD)
        assert not both.verify(secret, PASSWORD + "x")
    assert both.needs_rehash(plain)
    assert both.needs_rehash(olden)
    assert not both.needs_rehash(current)
    assert new.verify(current, PASSWORD)
    assert not new.verify(olden, PASSWORD)
    assert not none.verify(current, PASSWORD)
    assert none.needs_rehash(current)
    assert old.verify(plain, PASSWORD)


def test_the_wrong_key_under_the_right_id_verifies_nothing() -> None:
    secret = Hasher(peppers=(OLD,)).hash(PASSWORD)
    assert not Hasher(peppers=(Pepper(OLD.id, NEW.key),)).verify(secret, PASSWORD)


def test_a_hash_is_of_no_use_without_its_prefix() -> None:
    secret = Hasher(peppers=(OLD,)).hash(PASSWORD)
    bare = secret.removeprefix("$s88$k=2024a")
    assert not Hasher(peppers=(OLD,)).verify(bare, PASSWORD)


def test_a_missing_pepper_is_logged_once_without_the_key(caplog: pytest.LogCaptureFixture) -> None:
    secret, hasher = Hasher(peppers=(OLD,)).hash(PASSWORD), Hasher(peppers=(NEW,))
    with caplog.at_level(logging.ERROR):
        assert not hasher.verify(secret, PASSWORD)
        assert not hasher.verify(secret, PASSWORD)
    (said,) = caplog.messages
    assert "pepper 2024a" in said
    assert PASSWORD not in caplog.text
    assert secret[12:] not in caplog.text


def test_peppers_have_different_ids() -> None:
    with pytest.raises(BadInput, match="same id"):
        Hasher(peppers=(OLD, Pepper(OLD.id, NEW.key)))


@pytest.mark.parametrize("peppers", [(), (OLD,), (NEW, OLD)], ids=["none", "one", "two"])
def test_nobody_takes_as_long_as_somebody(peppers: tuple[Pepper, ...]) -> None:
    """ASVS 6.3.8. A missing pepper too: otherwise it would tell who exists."""
    hasher = Hasher(peppers=peppers)
    lost = Hasher(peppers=(Pepper("lost", bytes(32)),)).hash(PASSWORD)
    secrets = {"somebody": hasher.hash(PASSWORD), "nobody": hasher.nobody, "lost": lost}
    assert len(hasher.nobody) == len(secrets["somebody"])
    assert not hasher.needs_rehash(hasher.nobody)
    taken: dict[str, list[float]] = {name: [] for name in secrets}
    for _ in range(15):
        for name, secret in secrets.items():
            begun = time.thread_time()  # of this thread: others do not count
            assert not hasher.verify(secret, "wrong")
            taken[name].append(time.thread_time() - begun)
    for name, times in taken.items():
        assert 0.5 < min(times) / min(taken["somebody"]) < 2, name


def test_a_pepper_never_shows_its_key() -> None:
    assert repr(OLD) == "Pepper(id='2024a')"


@pytest.mark.parametrize("name", ["", "A", "a-b", "a" * 17, "\u00e9", "a\n"])
def test_an_impossible_pepper_id_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="1 to 16"):
        Pepper(name, bytes(32))


def _file(folder: Path, content: str, mode: int = 0o600) -> Path:
    path = folder / "peppers"
    path.write_text(content)
    path.chmod(mode)
    return path


def test_a_pepper_file_is_read_in_order(tmp_path: Path) -> None:
    lines = [
        "# the current one first",
        f"2025:{b64encode(NEW.key).decode()}",
        "",
        f" 2024a : {b64encode(OLD.key).decode()} ",
    ]
    assert load_peppers(_file(tmp_path, "\r\n".join(lines))) == (NEW, OLD)


def test_peppers_come_from_the_environment_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"{one.id}:{b64encode(one.key).decode()}" for one in (NEW, OLD)]
    monkeypatch.setenv("SERVICES88_PEPPERS", ",".join(keys))
    database = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    settings = load({"database": database})
    assert not any(key.partition(":")[2] in repr(settings) for key in keys)
    identity = identity_of(settings)
    assert identity.hashing.hasher.peppers == (NEW, OLD)
    asyncio.run(identity.database.close())
    identity.hashing.close()
    with pytest.raises(BadInput, match="one place"):
        identity_of(load({"database": database, "pepper_file": _file(tmp_path, keys[0])}))
    monkeypatch.setenv("SERVICES88_PEPPERS", "2025")
    with pytest.raises(BadInput, match=r"Line 1 of the peppers.* no colon"):
        identity_of(load({"database": database}))


_KEY = b64encode(OLD.key).decode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "there is no pepper"),
        ("# nothing\n", "there is no pepper"),
        (_KEY, "Line 1 .* no colon"),
        (f"a:{_KEY}\nb:!{_KEY}", "Line 2 .* not base64"),
        (f"a:{_KEY[:40]}", "shorter than 32 bytes"),
        (f"A:{_KEY}", "1 to 16 small letters"),
        (f"\u00e9:{_KEY}", "1 to 16 small letters"),
        (f"a:{_KEY}\na:{_KEY}", "Line 2 .* already"),
        ("#" * 70_000, "too large"),
    ],
)
def test_a_wrong_pepper_file_is_told_without_the_key(
    tmp_path: Path, content: str, told: str
) -> None:
    with pytest.raises(BadInput, match=told) as refusal:
        load_peppers(_file(tmp_path, content))
    assert _KEY[:30] not in str(refusal.value)


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602])
def test_a_pepper_file_for_everybody_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(BadInput, match="chmod 600"):
        load_peppers(_file(tmp_path, f"a:{_KEY}", mode))


def test_a_pepper_file_for_a_group_is_not_refused(tmp_path: Path) -> None:
    assert load_peppers(_file(tmp_path, f"2024a:{_KEY}", 0o640)) == (OLD,)


def test_a_missing_pepper_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        load_peppers(tmp_path / "none")


def test_our_own_hash_without_a_pepper_can_be_imported() -> None:
    hasher = Hasher(peppers=(OLD,))
    stored = check_importable(Hasher().hash(PASSWORD))
    assert hasher.verify(stored, PASSWORD)


def test_a_hash_that_one_password_is_proved_with_is_that_of_no_other() -> None:
    """Whether the new password is the current one needs no third hash when the current is known."""
    hasher = Hasher(peppers=(NEW,))
    secret = hasher.hash(PASSWORD)
    decomposed = normalize("NFD", PASSWORD)
    for other in (PASSWORD, decomposed, PASSWORD + "x", "", "\ud800"):
        assert hasher.verify_another(secret, PASSWORD, other) == hasher.verify(secret, other)
    long = "x" * 72
    truncated = bcrypt.hashpw(long.encode(), bcrypt.gensalt(4)).decode()
    assert hasher.verify_another(truncated, long, long + " and more")
    assert not hasher.verify_another(truncated, long, "y" * 72)
