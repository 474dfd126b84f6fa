"""Importing users of another system from a file, with the password hashes they had there.

A row is imported wholly or not at all, and what is wrong with one row keeps no other from being
imported. Problems name line and field and never what stands there: in a file with its columns
mixed up any field may hold a password.
"""

import csv
import difflib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from services88.identity import accounts
from services88.identity.accounts import AssociateType
from services88.identity.errors import BadInput, PasswordRefused
from services88.identity.hashing import NotImportable, check_importable
from services88.identity.identity import Identity
from services88.identity.names import (
    check_email,
    check_nick_name,
    check_text,
    check_user_name,
    key_of,
)
from services88.store import sign_in_names
from services88.store.errors import StoreError
from services88.store.roles import Role
from services88.store.sign_in_names import NameKind
from services88.store.tenants import Tenant

__all__ = ["COLUMNS", "ImportRow", "Report", "RowProblem", "import_users", "read_rows"]

COLUMNS = (
    "name",
    "firstname",
    "lastname",
    "email",
    "nickname",
    "role",
    "type",
    "password_hash",
    "password",
    "retired",
)
"""Columns of a CSV file, keys of a JSON line. Only ``name`` must be there."""

T = TypeVar("T")

_LARGEST_FILE = 64 * 1024 * 1024
_LONGEST = {"firstname": 99, "lastname": 99, "email": 254}
_TYPES = {
    "": AssociateType.EMPLOYEE,
    "employee": AssociateType.EMPLOYEE,
    "external": AssociateType.EXTERNAL_PERSON,
    "system": AssociateType.SYSTEM,
}
_TYPES |= {str(int(kind)): kind for kind in _TYPES.values()}
_YES_NO = {"": False, "false": False, "no": False, "0": False}
_YES_NO |= {"true": True, "yes": True, "1": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """A user to be added, as far as a file alone can tell.

    :ivar line: Where the row begins in the file; the first line is 1.
    :ivar role: Name of a role; empty for the tenant's default role.
    :ivar secret: A hash that verifies here, as it is stored; None where the file gives none.
    :ivar password: A password in clear; None where the file gives none.
    """

    line: int
    name: str
    firstname: str = ""
    lastname: str = ""
    email: str = ""
    nick_name: str = ""
    role: str = ""
    type: AssociateType = AssociateType.EMPLOYEE
    secret: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    retired: bool = False


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row is not imported, and what to do. Holds nothing that stands in the row."""

    line: int
    cause: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Report:
    """What came of an import.

    :ivar added: Users added, or that would have been.
    :ivar without_password: How many of them have no password, and so cannot sign in yet.
    """

    added: int
    without_password: int
    problems: tuple[RowProblem, ...]


class _Wrong(Exception):
    """Something is wrong with the row being read."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy


_Row = tuple[int, dict[str, str] | _Wrong]


def read_rows(path: Path) -> Iterator[ImportRow | RowProblem]:
    """Read a file of users: ``.csv`` with a header row, or ``.jsonl`` with an object a line.

    UTF-8, with or without a byte-order mark. CSV is separated by commas, semicolons or tabs, as
    its header row is. ``password_hash`` and ``password`` may both be missing: such a user has no
    password until one is set.

    :raises BadInput: The file as a whole cannot be used; told before the first row.
    """
    kind = path.suffix.lower()
    if kind not in {".csv", ".jsonl"}:
        raise BadInput("The name of the file must end in .csv or .jsonl, to say what it is.")
    text = _read(path)
    return _checked(_csv_rows(text) if kind == ".csv" else _jsonl_rows(text))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise BadInput(f"The file {path} cannot be read: {error.strerror}.") from error
    if len(content) > _LARGEST_FILE:
        raise BadInput(f"The file {path} is larger than 64 MiB. Split it.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"The file {path} is not UTF-8 (line {line}). Save it as UTF-8.") from None


def _csv_rows(text: str) -> Iterator[_Row]:
    first = text.partition("\n")[0]
    separator = next((sign for sign in ",;\t" if sign in first), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header = _header(next(reader, []))
    except csv.Error:
        raise BadInput("The header row, line 1, is not CSV: a quote is not closed.") from None

    def body() -> Iterator[_Row]:
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield line, _not_csv()
            else:
                if any(cells):
                    yield line, _csv_row(header, cells)

    return body()


def _not_csv() -> _Wrong:
    return _Wrong(
        "The row is not CSV: a quote is not closed or stands amidst a field.",
        'Put the field in quotes, and write each quote within as "".',
    )


def _csv_row(header: list[str], cells: list[str]) -> dict[str, str] | _Wrong:
    if len(cells) < len(header) or any(cells[len(header) :]):
        return _Wrong(
            f"The row has {len(cells)} fields, and there are {len(header)} columns.",
            "Put fields in quotes that hold the separator, and give every column.",
        )
    return dict(zip(header, cells, strict=False))


def _header(cells: Sequence[str]) -> list[str]:
    header = [cell.strip().casefold() for cell in cells]
    while header and not header[-1]:
        header.pop()  # spreadsheets write columns that are empty
    for number, name in enumerate(header, 1):
        problem = _unknown("Column", number, name)
        if problem is not None:
            raise BadInput(f"{problem.cause} {problem.remedy}")
        if name in header[: number - 1]:
            raise BadInput(f"There are two columns {name}. Remove one.")
    if "name" not in header:
        raise BadInput(f"The first row must name the columns, and one must be name. {_known()}")
    return header


def _known() -> str:
    return f"Known are: {', '.join(COLUMNS)}."


def _unknown(what: str, number: int, name: str) -> _Wrong | None:
    if name in COLUMNS:
        return None
    # Not the name itself: without a header row it is what the first user has there.
    similar = difflib.get_close_matches(name, COLUMNS, 1)
    remedy = f"Is {similar[0]} meant? {_known()}" if similar else _known()
    return _Wrong(f"{what} {number} has an unknown name.", remedy)


def _jsonl_rows(text: str) -> Iterator[_Row]:
    for line, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        try:
            yield line, _object(content)
        except _Wrong as wrong:
            yield line, wrong


def _object(content: str) -> dict[str, str]:
    try:
        # Objects become lists of pairs, so that a key given twice shows; arrays remain lists.
        pairs = json.loads(content, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        raise _Wrong("The line is not JSON.", "Write one object a line.") from None
    if not isinstance(pairs, tuple):
        raise _Wrong("The line is no JSON object.", "Write one object a line.")
    found: dict[str, str] = {}
    for number, (key, value) in enumerate(pairs, 1):
        name = str(key).casefold()
        problem = _unknown("Key", number, name)
        if problem is not None:
            raise problem
        if name in found:
            raise _Wrong(f"The key {name} is there twice.", "Remove one.")
        found[name] = _text(name, value)
    return found


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if name == "retired" and isinstance(value, bool):
        return str(value).lower()
    if name == "type" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _Wrong(f"The value of {name} has the wrong type.", "Write a string in quotes.")


def _checked(rows: Iterator[_Row]) -> Iterator[ImportRow | RowProblem]:
    taken: dict[str, tuple[int, NameKind]] = {}
    for line, found in rows:
        try:
            if isinstance(found, _Wrong):
                raise found
            row = _row(line, found)
            _check_free_in_file(row, taken)
        except _Wrong as wrong:
            yield RowProblem(line, wrong.cause, wrong.remedy)
        else:
            yield row


def _check_free_in_file(row: ImportRow, taken: dict[str, tuple[int, NameKind]]) -> None:
    """Refuse what the database will refuse, so that a dry run tells it too."""
    own: dict[str, NameKind] = {}
    for name, kind in (
        (row.name, NameKind.USER_NAME),
        (row.email, NameKind.EMAIL),
        (row.nick_name, NameKind.NICK_NAME),
    ):
        key = key_of(name)
        if not key:
            continue
        own.setdefault(key, kind)
        if key not in taken or kind is NameKind.EMAIL:
            continue
        line, other = taken[key]
        if kind is other is NameKind.USER_NAME:
            raise _Wrong(
                f"Line {line} has the same name; letter case makes no difference.",
                "Remove one of the two, or choose another name.",
            )
        raise _Wrong(
            f"The {_WORDS[kind]} is the {_WORDS[other]} of line {line}; "
            "letter case makes no difference.",
            _REMEDIES[kind],
        )
    for key, kind in own.items():
        taken.setdefault(key, (row.line, kind))


_WORDS = {
    NameKind.USER_NAME: "user name",
    NameKind.EMAIL: "e-mail address",
    NameKind.NICK_NAME: "nick name",
}
_REMEDIES = {
    NameKind.USER_NAME: "Choose another name; or put the line of the user of that name first, who "
    "keeps it.",
    NameKind.NICK_NAME: "Choose another nick name, or leave it empty.",
}


def _row(line: int, found: dict[str, str]) -> ImportRow:
    def stripped(name: str) -> str:
        return found.get(name, "").strip()

    try:
        name = check_user_name(found.get("name", ""))
    except BadInput as error:
        raise _Wrong(str(error), "Choose another name, and tell it to the person.") from None
    try:
        nick_name = check_nick_name(found.get("nickname", ""))
    except BadInput as error:
        raise _Wrong(str(error), "Choose another nick name, or leave it empty.") from None
    for limited, longest in _LONGEST.items():
        _check_text(limited, stripped(limited), longest)
    secret, password = stripped("password_hash"), found.get("password", "")
    if secret and password:
        raise _Wrong(
            "The row has a password and a password_hash.", "Give one of them: the hash is safer."
        )
    if "\n" in password or "\r" in password:  # most likely a quote that is not closed
        raise _Wrong("The field password holds a line break.", "Close the quote before it.")
    return ImportRow(
        line=line,
        name=name,
        firstname=stripped("firstname"),
        lastname=stripped("lastname"),
        email=_email(stripped("email")),
        nick_name=nick_name,
        role=stripped("role"),
        type=_one_of("type", stripped("type"), _TYPES, "employee, external or system"),
        secret=_secret(secret) if secret else None,
        password=password or None,
        retired=_one_of("retired", stripped("retired"), _YES_NO, "true or false"),
    )


def _check_text(name: str, value: str, longest: int) -> None:
    if len(value) > longest:
        raise _Wrong(f"The field {name} has more than {longest} characters.", "Shorten it.")
    try:
        check_text(value, f"The field {name}", longest)
    except BadInput as error:
        raise _Wrong(str(error), "Correct the line.") from None


def _email(value: str) -> str:
    before, _, after = value.rpartition("@")
    if value and (not before or not after or any(character.isspace() for character in value)):
        raise _Wrong("The field email is no e-mail address.", "Mend it or leave it empty.")
    try:
        check_email(value)
    except BadInput as error:
        raise _Wrong(str(error), "Correct it, or leave it empty.") from None
    return value


def _one_of(name: str, value: str, known: dict[str, T], words: str) -> T:
    try:
        return known[value.casefold()]
    except KeyError:
        raise _Wrong(f"The field {name} has an unknown value.", f"Write {words}.") from None


def _secret(given: str) -> str:
    try:
        return check_importable(given)
    except NotImportable as error:
        raise _Wrong(error.cause, error.remedy) from None


async def import_users(
    identity: Identity,
    tenant: Tenant,
    rows: Iterable[ImportRow | RowProblem],
    *,
    dry_run: bool = False,
) -> Report:
    """Add users, each in one transaction; a user who is there already is a problem, not changed.

    Where the database or the tenant's policy cannot be used, the import ends with a problem of the
    row at hand; rows before it are imported, and importing the same file again adds the others.

    :param dry_run: Only say what would come of it.
    """
    available = await accounts.roles_of_tenant(identity, tenant)
    added = without_password = 0
    problems: list[RowProblem] = []
    for row in rows:
        if isinstance(row, RowProblem):
            problems.append(row)
            continue
        try:
            await _import(identity, tenant, row, available, dry_run=dry_run)
        except _Wrong as wrong:
            problems.append(RowProblem(row.line, wrong.cause, wrong.remedy))
        except (StoreError, BadInput) as error:  # the latter: a file that the policy needs
            what = "The database cannot be used. " if isinstance(error, StoreError) else ""
            problems.append(RowProblem(row.line, f"{what}{error}", _STOPPED))
            break
        else:
            added += 1
            without_password += row.secret is None and row.password is None
    return Report(added, without_password, tuple(problems))


_STOPPED = "The lines from here on are not imported. Mend it and import the file again."


def _exists() -> _Wrong:
    return _Wrong(
        "The tenant has a user of that name already.",
        "Remove the line where it is the same person; they keep what they have.",
    )


async def _check_free(identity: Identity, tenant: Tenant, row: ImportRow) -> None:
    for name, kind in ((row.name, NameKind.USER_NAME), (row.nick_name, NameKind.NICK_NAME)):
        key = key_of(name)
        found = await sign_in_names.owner(identity.database, tenant.tenant_id, key) if key else None
        if found is None:
            continue
        if kind is found[1] is NameKind.USER_NAME:
            raise _exists()
        raise _Wrong(
            f"The {_WORDS[kind]} is the {_WORDS[found[1]]} of another user already; "
            "letter case makes no difference.",
            _REMEDIES[kind],
        )


async def _import(
    identity: Identity,
    tenant: Tenant,
    row: ImportRow,
    available: Sequence[Role],
    *,
    dry_run: bool,
) -> None:
    role_id = _role(available, row.role)
    await _check_free(identity, tenant, row)
    secret = row.secret
    if row.password is not None:
        try:
            await accounts.require_password(
                identity,
                tenant,
                row.name,
                row.password,
                firstname=row.firstname,
                lastname=row.lastname,
                email=row.email,
            )
        except PasswordRefused as refused:
            raise _Wrong(
                f"The password is refused: {refused}", "Choose another, or leave it empty."
            ) from None
        if not dry_run:
            secret = await identity.hashing.hash(row.password)
    if dry_run:
        return
    try:
        await accounts.add_with_secret(
            identity,
            tenant,
            row.name,
            secret,
            role_id=role_id,
            type=row.type,
            firstname=row.firstname,
            lastname=row.lastname,
            email=row.email,
            nick_name=row.nick_name,
            retired=row.retired,
        )
    except BadInput:  # somebody else added one since
        await _check_free(identity, tenant, row)
        raise _exists() from None


def _role(available: Sequence[Role], name: str) -> int:
    for role in available:
        if key_of(role.name) == key_of(name) if name else role.is_default:
            return role.role_id
    known = ", ".join(role.name for role in available)
    raise _Wrong("The tenant has no role of that name.", f"The roles are: {known}.")
