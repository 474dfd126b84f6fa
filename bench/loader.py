"""Fills a database with users, tickets and audit events, as many as wanted, in bulk.

The rows are such as the server writes itself: hashes are hashes, and the audit trail is a chain
that ``services88 audit verify`` accepts. All users have one password, hashed once.
"""

import asyncio
import itertools
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from bench.servers import PASSWORD, User
from services88.identity import tickets
from services88.identity.audit_chain import GENESIS, ChainKey, hashed
from services88.identity.clock import SystemClock
from services88.identity.hashing import Hasher
from services88.identity.names import key_of
from services88.store.audit import AuditRow
from services88.store.credentials import FOREVER, TICKET
from services88.store.credentials import PASSWORD as PASSWORD_TYPE
from services88.store.sqlite import sqlite_path

__all__ = ["Scale", "load"]

_BATCH = 20_000
_SAMPLE = 20_000
_FIRST = 1000  # numbers below are the database's own
_LATER = tickets.LIFETIME

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Scale:
    """How much there is to be."""

    users: int
    tickets: int
    events: int

    @classmethod
    def of(cls, users: int) -> "Scale":
        """As many tickets and events as a million users have, in proportion."""
        return cls(users, 5 * users, 10 * users)


class _Target(Protocol):
    """A database, for writing to in bulk."""

    def value(self, statement: str) -> Any: ...

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None: ...


def load(database: str, scale: Scale, tell: Callable[[str], None]) -> list[User]:
    """Fill a database that has its tables already, and give some of the users, with tickets."""
    with _opened(database) as target:
        tenant = target.value("SELECT tenant_id FROM tenant WHERE is_default")
        role = target.value(f"SELECT role_id FROM role WHERE tenant_id = {tenant} AND is_default")
        now = SystemClock().now()
        tell(f"loading {scale.users:,} users, {scale.tickets:,} tickets, {scale.events:,} events")
        _users(target, tenant, role, scale, now)
        known = _tickets(target, tenant, scale, now)
        _events(target, tenant, scale, now)
    return known


def _users(target: _Target, tenant: int, role: int, scale: Scale, now: int) -> None:
    numbers = range(_FIRST, _FIRST + scale.users)
    target.insert(
        "person",
        ("person_id", "tenant_id", "firstname", "lastname", "email", "email_key"),
        (
            (n, tenant, "Loaded", f"Number {n}", f"u{n}@example.com", f"u{n}@example.com")
            for n in numbers
        ),
    )
    target.insert(
        "associate",
        ("associate_id", "tenant_id", "name", "name_key", "type", "person_id", "registered"),
        ((n, tenant, _name(n), key_of(_name(n)), 0, n, now) for n in numbers),
    )
    target.insert(
        "sign_in_name",
        ("tenant_id", "name_key", "associate_id", "kind"),
        (
            (tenant, key, n, kind)
            for n in numbers
            for key, kind in ((key_of(_name(n)), "name"), (f"u{n}@example.com", "email"))
        ),
    )
    target.insert("user_role_link", ("associate_id", "role_id"), ((n, role) for n in numbers))
    secret = Hasher().hash(PASSWORD)
    target.insert(
        "credentials",
        (*_CREDENTIALS, "valid_from", "valid_to", "is_active", "draw"),
        (
            (tenant, n, PASSWORD_TYPE, _name(n), secret, now, FOREVER, 1, secrets.randbits(31))
            for n in numbers
        ),
    )


_CREDENTIALS = ("tenant_id", "associate_id", "credential_type", "search_name", "secret")


def _name(number: int) -> str:
    return f"LOADED{number}"


def _tickets(target: _Target, tenant: int, scale: Scale, now: int) -> list[User]:
    known: list[User] = []
    every = max(1, scale.tickets // _SAMPLE)

    def rows() -> Iterator[Row]:
        for number in range(scale.tickets):
            owner = _FIRST + number % scale.users
            ticket = tickets.new()
            if number % every == 0:
                known.append(User(ticket.text, owner))
            yield (tenant, owner, TICKET, ticket.key, ticket.secret, now, now + 2 * _LATER, 2, now)

    columns = (*_CREDENTIALS, "valid_from", "valid_to", "is_active", "last_used_date")
    target.insert("credentials", columns, rows())
    return known


def _events(target: _Target, tenant: int, scale: Scale, now: int) -> None:
    first = target.value(f"SELECT sequence FROM audit_head WHERE tenant_id = {tenant}") or 0
    last = target.value(f"SELECT hash FROM audit_head WHERE tenant_id = {tenant}") or GENESIS
    key = ChainKey("", None)

    def rows() -> Iterator[Row]:
        nonlocal last
        for number in range(scale.events):
            owner = _FIRST + number % scale.users
            row = AuditRow(
                sequence=first + 1 + number,
                at=now,
                event="authn_login_success",
                result="success",
                reason="",
                associate_id=owner,
                by_associate_id=owner,
                application_token_id=0,
                address="192.0.2.1",
                name_hash="",
                count=1,
                key_id="",
                hash="",
            )
            row = hashed(tenant, row, last, key)
            last = row.hash
            yield (tenant, *astuple(row))

    target.insert("audit_event", ("tenant_id", *(one.name for one in fields(AuditRow))), rows())
    target.value(
        f"UPDATE audit_head SET sequence = {first + scale.events}, hash = '{last}' "
        f"WHERE tenant_id = {tenant} RETURNING sequence"
    )


@contextmanager
def _opened(database: str) -> Iterator[_Target]:
    if database.startswith("sqlite:"):
        with _sqlite(sqlite_path(database)) as target:
            yield target
    else:
        with _postgresql(database) as target:
            yield target


class _Sqlite:
    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver

    def value(self, statement: str) -> Any:
        row = self._driver.execute(statement).fetchone()
        return row[0] if row else None

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        into = f"INSERT INTO {table} ({', '.join(columns)})"
        self._driver.executemany(f"{into} VALUES ({', '.join('?' * len(columns))})", rows)


@contextmanager
def _sqlite(file: Path) -> Iterator[_Target]:
    driver = sqlite3.connect(file, isolation_level=None)
    try:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000"):
            driver.execute(f"PRAGMA {pragma}")
        driver.execute("BEGIN")
        yield _Sqlite(driver)
        driver.execute("COMMIT")
    finally:
        driver.close()


class _Postgresql:
    def __init__(self, driver: Any, runner: asyncio.Runner) -> None:
        self._driver = driver
        self._runner = runner

    def value(self, statement: str) -> Any:
        return self._runner.run(self._driver.fetchval(statement))

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        waiting = iter(rows)
        while batch := list(itertools.islice(waiting, _BATCH)):
            self._runner.run(
                self._driver.copy_records_to_table(table, records=batch, columns=columns)
            )


@contextmanager
def _postgresql(url: str) -> Iterator[_Target]:
    with asyncio.Runner() as runner:
        driver = runner.run(asyncpg.connect(url))
        try:
            target = _Postgresql(driver, runner)
            yield target
            for table, key in (("person", "person_id"), ("associate", "associate_id")):
                target.value(
                    f"SELECT setval(pg_get_serial_sequence('{table}', '{key}'), "
                    f"(SELECT max({key}) FROM {table}))"
                )
            runner.run(driver.execute("VACUUM ANALYZE"))
        finally:
            runner.run(driver.close())
