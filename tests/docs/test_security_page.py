"""docs/security.md leaves no requirement out, and cites only what is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()

# OWASP ASVS 5.0: the requirements of level 1 and 2 of each section, as ranges.
_LEVELS_1_AND_2 = {
    "1.1": (1, 2),
    "1.2": (1, 9),
    "1.3": (1, 11),
    "1.4": (1, 3),
    "1.5": (1, 2),
    "2.1": (1, 3),
    "2.2": (1, 3),
    "2.3": (1, 4),
    "2.4": (1, 1),
    "3.2": (1, 2),
    "3.3": (1, 4),
    "3.4": (1, 6),
    "3.5": (1, 5),
    "3.7": (1, 2),
    "4.1": (1, 3),
    "4.2": (1, 1),
    "4.3": (1, 2),
    "4.4": (1, 4),
    "5.1": (1, 1),
    "5.2": (1, 3),
    "5.3": (1, 2),
    "5.4": (1, 3),
    "6.1": (1, 3),
    "6.2": (1, 12),
    "6.3": (1, 4),
    "6.4": (1, 4),
    "6.5": (1, 5),
    "6.6": (1, 3),
    "6.8": (1, 4),
    "7.1": (1, 3),
    "7.2": (1, 4),
    "7.3": (1, 2),
    "7.4": (1, 5),
    "7.5": (1, 2),
    "7.6": (1, 2),
    "8.1": (1, 2),
    "8.2": (1, 3),
    "8.3": (1, 1),
    "8.4": (1, 1),
    "11.1": (1, 2),
    "11.2": (1, 3),
    "11.3": (1, 3),
    "11.4": (1, 4),
    "11.5": (1, 1),
    "11.6": (1, 1),
    "12.1": (1, 3),
    "12.2": (1, 2),
    "12.3": (1, 4),
    "13.1": (1, 1),
    "13.2": (1, 5),
    "13.3": (1, 2),
    "13.4": (1, 5),
    "14.1": (1, 2),
    "14.2": (1, 4),
    "14.3": (1, 3),
    "15.1": (1, 3),
    "15.2": (1, 3),
    "15.3": (1, 7),
    "16.1": (1, 1),
    "16.2": (1, 5),
    "16.3": (1, 4),
    "16.4": (1, 3),
    "16.5": (1, 3),
}
_LEVEL_3 = {
    *("1.2.10", "1.3.12", "1.5.3", "8.1.3", "8.1.4", "8.2.4", "8.3.2", "8.3.3", "8.4.2"),
    *("3.1.1", "3.2.3", "3.3.5", "3.4.7", "3.4.8", "3.5.6", "3.5.7", "3.5.8", "3.6.1"),
    *("3.7.3", "3.7.4", "3.7.5", "4.1.4", "4.2.2"),
    *("6.3.5", "6.3.7", "6.3.8", "6.4.6", "7.5.3", "11.2.4", "13.4.6", "16.5.4"),
}
_ASVS = _LEVEL_3 | {
    f"{section}.{number}"
    for section, (first, last) in _LEVELS_1_AND_2.items()
    for number in range(first, last + 1)
}
_NIST = {
    *("3.1.1.1-a", "3.1.1.1-b"),
    *(f"3.1.1.2-{number}" for number in range(1, 10)),
    *(f"3.1.1.2-{letter}" for letter in "abcdefghijklmnop"),
    *(f"3.2.2-{letter}" for letter in "abcdef"),
}

_ID = re.compile(r"\d+(?:\.\d+)+(?:-(?:\d|[a-z]))?")
_ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.splitlines()
    if re.match(r"\| \d", line)
]
_NAMED = [pytest.param(row, id=row[0]) for row in _ROWS]


def _part(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _ids(title: str) -> list[str]:
    return re.findall(r"^\| (\d\S+) \|", _part(title), re.MULTILINE)


@pytest.mark.parametrize(
    ("title", "expected"), [("OWASP ASVS 5.0", _ASVS), ("NIST SP 800-63B-4", _NIST)]
)
def test_every_requirement_has_one_row(title: str, expected: set[str]) -> None:
    found = _ids(title)
    assert len(found) == len(set(found))
    assert set(found) == expected


@cache
def _functions(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("row", _NAMED)
def test_a_row_has_a_verdict_and_cites_what_is_there(row: tuple[str, ...]) -> None:
    number, asks, verdict, why, shown = row
    assert _ID.fullmatch(number)
    assert asks.startswith("L3: ") is (number in _LEVEL_3)
    assert verdict in ("met", "partly", "not met", "n/a")
    assert why or verdict == "met", "what is lacking is said"
    cited = re.findall(r"`([^`]+)`", shown)
    assert shown == (", ".join(f"`{one}`" for one in cited) or "—")
    assert cited or verdict in ("not met", "n/a")
    for one in cited:
        file, _, function = one.partition("::")
        assert (ROOT / file).is_file(), one
        if function:
            assert function.startswith("test_"), one
            assert function in _functions(file), one


def test_what_is_not_met_is_said_at_the_top() -> None:
    assert PAGE.index("## What is not met") < PAGE.index("\n## Who attacks")
    told = set(re.findall(r"\((?:ASVS|NIST) (\S+)\): ", _part("What is not met")))
    assert told == {row[0] for row in _ROWS if row[2] == "not met"}


def test_the_setting_for_administrators_is_named() -> None:
    (row,) = (row for row in _ROWS if row[0] == "6.4.6")
    assert "`administrators_may_choose_passwords" in row[3]


def test_links_inside_the_page_lead_somewhere() -> None:
    titles = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) - titles == set()
