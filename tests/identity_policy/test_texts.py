"""Texts go through catalogues, and are English without one."""

import struct
from pathlib import Path

import pytest

from services88 import texts
from services88.identity.policy import Subject
from services88.identity.policy.length import Length

GERMAN = {
    "": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n",
    "Use at least {n} character.\0Use at least {n} characters.": (
        "Mindestens {n} Zeichen.\0Mindestens {n} Zeichen, bitte."
    ),
    "Do not use a password that many people use.": "Kein Allerweltspasswort, bitte.",
}


def write_catalogue(folder: Path, language: str, messages: dict[str, str]) -> None:
    """Write a .mo file: header, two tables of length and offset, then the strings."""
    pairs = sorted((key.encode(), value.encode()) for key, value in messages.items())
    count = len(pairs)
    offset = 28 + 16 * count
    tables: list[bytes] = []
    strings = b""
    for column in (0, 1):
        for pair in pairs:
            tables.append(struct.pack("<II", len(pair[column]), offset + len(strings)))
            strings += pair[column] + b"\0"
    header = struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 0)
    file = folder / language / "LC_MESSAGES" / f"{texts.DOMAIN}.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(header + b"".join(tables) + strings)


def test_without_a_catalogue_texts_stay_english() -> None:
    none = texts.catalogue(["xx"])
    assert none.gettext("Anything.") == "Anything."
    assert none.ngettext("one", "many", 1) == "one"
    assert none.ngettext("one", "many", 0) == "many"
    assert texts.marked("Anything.") == "Anything."


def test_a_catalogue_translates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_catalogue(tmp_path, "de", GERMAN)
    german = texts.catalogue(["xx", "de"], tmp_path)
    monkeypatch.setattr(texts, "_ours", lambda: german)
    assert texts._("Do not use a password that many people use.").startswith("Kein ")
    assert Length(1).check("", Subject())[0].text == "Mindestens 1 Zeichen."
    assert Length(6).check("", Subject())[0].text == "Mindestens 6 Zeichen, bitte."
    assert texts._("Not in it.") == "Not in it."
