"""Presets, and what is chosen beside them."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services88.identity.errors import BadInput
from services88.identity.policy import (
    Policy,
    PolicyChoice,
    Preset,
    Subject,
    build,
    preset_named,
)

NIST, ONLINE, VENDOR = Preset.NIST, Preset.VENDOR_ONLINE, Preset.VENDOR
GOOD = "correct horse battery staple"


def rules(chain: Policy, candidate: str, subject: Subject | None = None) -> list[str]:
    return [failure.rule for failure in chain.check(candidate, subject or Subject())]


def same(secret: str, candidate: str) -> bool:
    return secret == candidate


@pytest.mark.parametrize("preset", Preset)
def test_what_holds_in_every_preset(preset: Preset) -> None:
    chain = build(PolicyChoice(preset=preset))
    assert rules(chain, "") == ["empty"]
    assert rules(chain, "x" * 1025) == ["maximum-length"]
    assert rules(chain, GOOD) == []
    assert rules(chain, "".join(chr(0x4E00 + 7 * n) for n in range(1024))) == []
    assert rules(chain, "blåbærgrød på søndag 💡") == []


def test_nist() -> None:
    """NIST SP 800-63B-4, 3.1.1.2; ASVS 6.2.1, 6.2.4, 6.2.5, 6.2.11."""
    chain = build(PolicyChoice())
    assert rules(chain, "Tr0ub4dor&3xyz") == ["minimum-length"]
    assert rules(chain, "x y z w v u t s") == []  # 15, of any kind
    assert rules(chain, "passwordpassword") == ["common"]
    assert rules(chain, "i really like superoffice") == ["context-word"]
    assert rules(chain, GOOD, Subject(secrets=(GOOD,), verify=same)) == ["same-as-current"]


def test_nist_tells_all_reasons_at_once(tmp_path: Path) -> None:
    breached = tmp_path / "set"
    digest = hashlib.sha1(b"superman").hexdigest().upper()
    breached.write_text(f"{digest}:1\n")
    choice = PolicyChoice(breached=breached, preference="MinNum=1", minimum_strength=3, history=1)
    subject = Subject(user_name="superman", secrets=("now", "superman"), verify=same)
    assert rules(build(choice), "superman", subject) == [
        "minimum-length",
        "min-num",
        "common",
        "breached",
        "context-word",
        "too-weak",
        "recently-used",
    ]


def test_vendor_online() -> None:
    chain = build(PolicyChoice(preset=ONLINE))
    assert rules(chain, "kV9#m") == ["minimum-length", "too-weak"]
    assert rules(chain, "qwerty") == ["too-weak"]
    assert rules(chain, "abc") == ["minimum-length", "too-weak"]
    assert rules(chain, "kV9#mQ2$") == []
    stronger = build(PolicyChoice(preset=ONLINE, minimum_strength=4))
    assert rules(stronger, "P@ssw0rd1!4$$$") == ["too-weak"]


def test_vendor() -> None:
    assert rules(build(PolicyChoice(preset=VENDOR)), "x") == []
    chain = build(PolicyChoice(preset=VENDOR, preference="MinTotal=8&MinNum=1"))
    assert rules(chain, "x") == ["min-total", "min-num"]
    assert rules(chain, "password1") == []


@pytest.mark.parametrize("preset", Preset)
def test_choices_add_to_every_preset(preset: Preset, tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text(GOOD.upper())
    breached = tmp_path / "set"
    breached.write_text(hashlib.sha1(GOOD.encode()).hexdigest().upper() + ":2")
    subject = Subject(secrets=("now", GOOD), verify=same)
    plain = PolicyChoice(preset=preset)
    for choice, rule in (
        (replace(plain, preference="MinNum=1"), "min-num"),
        (replace(plain, minimum_length=40), "minimum-length"),
        (replace(plain, blocklist=own), "common"),
        (replace(plain, breached=breached), "breached"),
        (replace(plain, history=1), "recently-used"),
    ):
        assert rules(build(choice), GOOD, subject) == [rule]
    weak = build(replace(plain, minimum_strength=2))
    assert "too-weak" in rules(weak, "aaaaaaaaaaaaaaaaaaaaaa")


@given(st.integers(-5, 1100), st.sampled_from(Preset))
def test_minimum_lengths(minimum: int, preset: Preset) -> None:
    lowest = {NIST: 8, ONLINE: 6, VENDOR: 0}[preset]
    if lowest <= minimum <= 1024:
        chain = build(PolicyChoice(preset=preset, minimum_length=minimum))
        short = "kV9#mQ2$xW" * 103
        assert ("minimum-length" in rules(chain, short[: minimum - 1])) == (minimum > 1)
        assert "minimum-length" not in rules(chain, short[: max(1, minimum)])
    else:
        with pytest.raises(BadInput):
            PolicyChoice(preset=preset, minimum_length=minimum)


@pytest.mark.parametrize(
    "wrong",
    [
        {"history": 25},
        {"history": -1},
        {"minimum_strength": 0},
        {"minimum_strength": 5},
        {"preset": ONLINE, "minimum_strength": 1},
        {"preference": "MinTotal=eight"},
    ],
)
def test_impossible_choices(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        PolicyChoice(**wrong)  # type: ignore[arg-type]


def test_files_are_looked_at_when_the_policy_is_made(tmp_path: Path) -> None:
    for choice in (
        PolicyChoice(blocklist=tmp_path / "none"),
        PolicyChoice(breached=tmp_path / "none"),
    ):
        with pytest.raises(BadInput, match="cannot be read"):
            build(choice)


def test_presets_by_name() -> None:
    assert [preset_named(name) for name in ("nist", "vendor-online", "vendor")] == list(Preset)
    with pytest.raises(BadInput, match="nist, vendor-online, vendor"):
        preset_named("NIST")


def test_help() -> None:
    texts = build(PolicyChoice()).help_texts()
    assert len(texts) == 4
    assert texts[0].startswith("Use at least 15 characters.")
    assert build(PolicyChoice(preset=VENDOR)).help_texts() == ()
    assert build(PolicyChoice(preset=VENDOR, preference="Msg=Ask Tom.")).help_texts() == (
        "Ask Tom.",
    )
