"""Reading files of users: every row is a user or a problem, and no problem tells a secret."""

import csv
import io
import json
import string
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services88.identity.accounts import AssociateType
from services88.identity.errors import BadInput
from services88.identity.user_import import COLUMNS, ImportRow, RowProblem, read_rows

HASH = "$2b$04$uB.EnVD/SObNsdy3wILA9u5qE13Sz1EThhHAhrmaNq0Flj5miejQW"
Read = Callable[..., list[ImportRow | RowProblem]]


@pytest.fixture
def read(folder: Path) -> Read:
    def reading(content: str | bytes, name: str = "users.csv") -> list[ImportRow | RowProblem]:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(read_rows(path))

    return reading


_WHOLE = ImportRow(
    line=2,
    name="jane",
    firstname="Jane, Dr.",
    lastname="Doe",
    email="jane@example.com",
    nick_name="Janie",
    role="Administrator",
    type=AssociateType.EXTERNAL_PERSON,
    secret=HASH,
    retired=True,
)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv_is_read_as_spreadsheets_write_it(
    read: Read, end: str, separator: str, mark: str
) -> None:
    rows = [
        ["name", "FirstName", *COLUMNS[2:], "", ""],
        [
            *(" jane ", '"Jane, Dr."', "Doe", "jane@example.com", " Janie "),
            *("Administrator", "external", HASH, "", "TRUE", "", ""),
        ],
    ]
    text = mark + "".join(separator.join(row) + end for row in rows)
    assert read(text) == [_WHOLE]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_json_lines_are_read(read: Read, mark: str) -> None:
    row = {
        "name": "jane",
        "firstname": "Jane, Dr.",
        "lastname": "Doe",
        "email": "jane@example.com",
        "nickname": "Janie",
        "role": "Administrator",
        "type": 4,
        "password_hash": HASH,
        "password": None,
        "retired": True,
    }
    assert read(f"{mark}\n{json.dumps(row)}\n\n", "users.jsonl") == [_WHOLE]


def test_only_the_name_must_be_there(read: Read) -> None:
    assert read("name\njane\n\n") == [ImportRow(line=2, name="jane")]
    assert read('{"name": "jane"}', "users.JSONL") == [ImportRow(line=1, name="jane")]


def test_a_password_in_clear_is_kept_as_it_is(read: Read) -> None:
    (row,) = read('name,password\njane," blank, and ""quoted"" "\n')
    assert isinstance(row, ImportRow)
    assert row.password == ' blank, and "quoted" '
    assert "quoted" not in repr(row)


def test_a_hash_does_not_show(read: Read) -> None:
    (row,) = read(f"name,password_hash\njane,{HASH}\n")
    assert HASH not in repr(row)


def test_lines_are_counted_as_an_editor_does(read: Read) -> None:
    found = read('name,firstname\na,"one\ntwo"\n\nb,x,y\nc,x\n')
    assert [row.line for row in found] == [2, 5, 6]
    assert isinstance(found[2], ImportRow)


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        ("", "users.csv", "first row must name the columns"),
        ("firstname\nJane\n", "users.csv", "one must be name"),
        ("name,passwordhash\n", "users.csv", "Column 2 .* Is password_hash meant"),
        (f"jane,{HASH}\n", "users.csv", "Column 1 has an unknown name"),
        ("name,name\n", "users.csv", "two columns name"),
        ('"name\njane\n', "users.csv", "quote is not closed"),
        ("name\njane\n", "users.txt", "must end in .csv or .jsonl"),
        ("name\n\u00e6\n".encode("latin-1"), "users.csv", r"not UTF-8 \(line 2\)"),
        ("name\njane\n".encode("utf-16"), "users.csv", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_as_a_whole(
    read: Read, content: str | bytes, name: str, told: str
) -> None:
    with pytest.raises(BadInput, match=told) as refusal:
        read(content, name)
    assert HASH not in str(refusal.value)


def test_a_file_that_is_too_large_is_told(folder: Path) -> None:
    """ASVS 5.2.1."""
    path = folder / "users.csv"
    with path.open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    with pytest.raises(BadInput, match="larger than 64 MiB"):
        read_rows(path)


def test_a_missing_file_is_told(folder: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_rows(folder / "none.csv")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"name": "", "firstname": "Jane"}, "1 to 254 characters"),
        ({"name": "7T:x"}, "7T:"),
        ({"name": "a\x07"}, "control"),
        ({"firstname": "x" * 100}, "firstname has more than 99"),
        ({"lastname": "a\nb"}, "lastname has no control"),
        ({"lastname": "a\u202eb"}, "U+202E"),
        ({"email": "a\u2028b@example.com"}, "U+2028"),
        ({"email": "nobody"}, "email is no e-mail address"),
        ({"email": "a b@example.com"}, "email is no e-mail address"),
        ({"email": "x" * 250 + "@a.no"}, "email has more than 254"),
        ({"email": "ß" * 127 + "@a.no"}, "254 characters, also with every ß as ss"),
        ({"type": "boss"}, "type has an unknown value"),
        ({"type": "1"}, "type has an unknown value"),
        ({"retired": "perhaps"}, "retired has an unknown value"),
        ({"password_hash": "7P:SGVtbWVsaWcgc2VjcmV0"}, "7P:"),
        ({"password_hash": HASH[:-9]}, "is cut, altered"),
        ({"password_hash": "$2b$17$" + "." * 53}, "cost too much"),
        ({"password_hash": HASH, "password": "vellum orbit quartz"}, "a password and a pass"),
        ({"password": "vellum orbit quartz\njane"}, "line break"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_wrong_row_is_a_problem_with_cause_and_remedy(
    read: Read, row: dict[str, str], told: str, kind: str
) -> None:
    whole = {"name": "jane", **row}
    if kind == "jsonl":
        found = read(json.dumps(whole) + '\n{"name": "john"}\n', "users.jsonl")
    else:
        written = io.StringIO()
        writer = csv.DictWriter(written, list(COLUMNS))
        writer.writeheader()
        writer.writerows([whole, {"name": "john"}])
        found = read(written.getvalue())
    problem, after = found
    assert isinstance(problem, RowProblem)
    assert told in problem.cause
    assert problem.remedy
    assert isinstance(after, ImportRow), "the next row is read"
    for value in row.values():
        assert len(value) < 9 or value not in f"{problem.cause} {problem.remedy}"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("9" * 5_000, "not JSON"),
        ("[1]", "no JSON object"),
        ("null", "no JSON object"),
        ('{"name": "a", "pasword": "secretsecret"}', "Key 2 has an unknown name"),
        ('{"name": "a", "name": "b"}', "there twice"),
        ('{"name": ["a"]}', "name has the wrong type"),
        ('{"name": {"password": "secretsecret"}}', "name has the wrong type"),
        ('{"name": "a", "retired": 1}', "retired has the wrong type"),
        ('{"name": "a", "password": 123456789}', "password has the wrong type"),
        ('{"name": "a", "type": true}', "type has the wrong type"),
        ('{"name": "a", "firstname": "\\ud800"}', "half of a surrogate pair"),
    ],
)
def test_a_wrong_json_line_is_a_problem(read: Read, line: str, told: str) -> None:
    problem, after = read(line + '\n{"name": "john"}', "users.jsonl")
    assert isinstance(problem, RowProblem)
    assert told in problem.cause
    assert isinstance(after, ImportRow)
    assert "secretsecret" not in repr(problem)
    assert "123456789" not in repr(problem)


def test_a_quote_that_is_not_closed_is_a_problem(read: Read) -> None:
    found = read('name,firstname\na,x\nb,"y\nc,z\n')
    assert [type(row) for row in found] == [ImportRow, RowProblem]
    assert isinstance(found[1], RowProblem)
    assert found[1].line == 3
    assert "quote" in found[1].cause


def test_a_quote_amidst_a_field_is_a_problem_of_its_row(read: Read) -> None:
    found = read('name,firstname\na,"x" y\nb,z\n')
    assert [type(row) for row in found] == [RowProblem, ImportRow]


def test_the_same_name_twice_is_a_problem_of_the_second(read: Read) -> None:
    found = read("name\nJos\u00e9\nother\nJOSE\u0301 \n")
    assert [type(row) for row in found] == [ImportRow, ImportRow, RowProblem]
    assert isinstance(found[2], RowProblem)
    assert found[2].cause.startswith("Line 2 has the same name")


_TEXTS = st.one_of(
    st.text(),
    st.text('name,;\t\n\r"\x00', max_size=60).map(lambda text: "name,password\n" + text),
    st.text('{}[]":,\\ud80\n' + string.ascii_lowercase, max_size=60),
)


@given(text=_TEXTS, kind=st.sampled_from(["csv", "jsonl"]))
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_or_told_to_be_wrong(text: str, kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x.{kind}"
        path.write_bytes(text.encode(errors="surrogatepass"))
        try:
            found = list(read_rows(path))
        except BadInput:
            return
    lines = [row.line for row in found]
    assert lines == sorted(set(lines))


_CELL = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@given(names=st.lists(_CELL, max_size=8), passwords=st.lists(_CELL, min_size=8, max_size=8))
@settings(max_examples=100, deadline=None)
def test_csv_and_json_lines_say_the_same(names: list[str], passwords: list[str]) -> None:
    rows = [
        {"name": name, "password": password}
        for name, password in zip(names, passwords, strict=False)
    ]
    written = io.StringIO()
    writer = csv.DictWriter(written, ["name", "password"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with tempfile.TemporaryDirectory() as folder:
        one, other = Path(folder) / "x.csv", Path(folder) / "x.jsonl"
        one.write_text(written.getvalue(), encoding="utf-8", newline="")
        other.write_text("\n" + "\n".join(json.dumps(row) for row in rows), encoding="utf-8")
        assert [type(row) for row in read_rows(one)] == [type(row) for row in read_rows(other)]
        assert [
            (row.line, row.name, row.password)
            for row in read_rows(one)
            if isinstance(row, ImportRow)
        ] == [
            (row.line, row.name, row.password)
            for row in read_rows(other)
            if isinstance(row, ImportRow)
        ]
