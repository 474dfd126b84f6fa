"""Snapshots: whatever was done since, restoring leads back to exactly what was."""

from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from services88.sandbox.embedding import SandboxServer
from services88.store import tenant_rows
from services88.store.schema import metadata
from services88.testing import Busy, Services88, Works
from tests.running import sign_in
from tests.sandbox.posting import change, get_ticket, post


def test_every_table_says_to_whom_its_rows_belong() -> None:
    """A new table is either a tenant's, or named as nobody's: none is forgotten by a snapshot."""
    for table in metadata.sorted_tables:
        if table.name not in tenant_rows.NOBODYS:
            assert {"tenant_id", "associate_id", "role_id"} & set(table.c.keys()), table.name


def test_all_comes_back(services88: Services88) -> None:
    services88.add_user("JANE", "old")
    services88.fault(Busy(), "SetPassword")
    services88.set_options(password_refusals="exception")
    services88.move_clock(timedelta(days=1))
    ticket = get_ticket(services88, "JANE", "old")
    before = services88.now()
    services88.snapshot()
    change(services88, ticket, "old", "new")
    services88.add_user("JOHN", "x")
    services88.delete_user("JANE")
    services88.set_policy("nist")
    services88.set_options(password_refusals="boolean")
    services88.clear_faults()
    services88.move_clock(timedelta(days=100))
    services88.restore()
    assert [user.name for user in services88.users()] == ["JANE"]
    assert before <= services88.now() < before + timedelta(hours=1)
    assert change(services88, ticket, "old", "new").text("Response") == "true"
    state = services88.state()
    assert state.options.password_refusals == "exception"
    assert state.snapshots == ["snapshot"]
    assert [one.rule.operation for one in services88.faults()] == ["SetPassword"]
    assert services88.count("ChangeOwnPassword") == 2  # the journal tells what happened
    services88.reset()
    assert services88.users() == []
    assert services88.calls() == []
    assert services88.faults() == []
    assert services88.state().snapshots == []
    assert services88.now() < before
    with pytest.raises(LookupError, match="no snapshot snapshot"):
        services88.restore()


def test_wrong_passwords_since_then_are_forgotten(services88: Services88) -> None:
    services88.add_user("JANE", "old secret")
    services88.snapshot()
    for count in (1, 2):
        post(services88, "SoPrincipal", sign_in("JANE", "wrong"))
        assert services88.user("JANE").failures == 1, count
        services88.restore()
        assert services88.user("JANE").failures == 0


def test_a_sequence_of_faults_goes_on_where_it_was(services88: Services88) -> None:
    services88.add_user("JANE", "old")
    services88.fault([Busy(), Works(), Busy()], "AuthenticateUsernamePassword")

    def status() -> int:
        return post(services88, "SoPrincipal", sign_in("JANE", "old")).status

    assert status() == 503
    services88.snapshot()
    before = services88.faults()
    for _ in range(2):  # restoring leaves the snapshot as it was
        assert [status(), status(), status()] == [200, 503, 200]
        services88.restore()
        assert services88.faults() == before
    services88.fault(Works())
    services88.restore()
    services88.fault(Works())
    numbers = [one.id for one in services88.faults()]
    assert len(set(numbers)) == 2
    services88.reset()
    assert services88.faults() == []


NAMES = st.sampled_from(["ANN", "BOB", "CARL"])
PASSWORDS = st.sampled_from(["one", "two", "three"])


class Restoring(RuleBasedStateMachine):
    """Does what clients and tests do, in any order, beside a model of what must be true."""

    server: SandboxServer

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()

    @initialize()
    def begin(self) -> None:
        self.on = self._stack.enter_context(self.server.tenant("restoring"))
        self.passwords: dict[str, str | None] = {}
        self.tickets: dict[str, str] = {}
        self.kept: dict[str, tuple[dict[str, str | None], dict[str, str], Any]] = {}

    def teardown(self) -> None:
        self._stack.close()

    @rule(name=NAMES, password=PASSWORDS)
    def add_or_set(self, name: str, password: str) -> None:
        if name in self.passwords:
            self.on.set_password(name, password)
            self.tickets.pop(name, None)
        else:
            self.on.add_user(name, password)
        self.passwords[name] = password

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        if name in self.passwords:
            self.on.delete_user(name)
            del self.passwords[name]
            self.tickets.pop(name, None)

    @rule(name=NAMES)
    def sign_in(self, name: str) -> None:
        password = self.passwords.get(name)
        if password is not None and name not in self.tickets:
            self.tickets[name] = get_ticket(self.on, name, password)

    @rule(name=NAMES, new=PASSWORDS)
    def change(self, name: str, new: str) -> None:
        ticket, old = self.tickets.get(name), self.passwords.get(name)
        if ticket is not None and old is not None:
            assert change(self.on, ticket, old, new).text("Response") == "true"
            self.passwords[name] = new

    @rule(name=NAMES)
    def fail(self, name: str) -> None:
        user = next((one for one in self.on.users() if one.name == name), None)
        if user is not None and user.failures < 2:
            post(self.on, "SoPrincipal", sign_in(name, "wrong"))

    @rule(name=NAMES)
    def expire(self, name: str) -> None:
        if name in self.passwords:
            self.on.expire_tickets(name)
            self.tickets.pop(name, None)

    @rule(length=st.integers(1, 3))
    def choose_policy(self, length: int) -> None:
        self.on.set_policy("vendor", minimum_length=length)

    @rule(at=st.sampled_from(["a", "b"]))
    def snapshot(self, at: str) -> None:
        self.on.snapshot(at)
        self.kept[at] = (dict(self.passwords), dict(self.tickets), self._told())

    @rule(at=st.sampled_from(["a", "b"]))
    def restore(self, at: str) -> None:
        if at in self.kept:
            self.on.restore(at)
            passwords, tickets, told = self.kept[at]
            self.passwords, self.tickets = dict(passwords), dict(tickets)
            assert self._told() == told

    def _told(self) -> Any:
        return (self.on.users(), self.on.application_tokens(), self._policy())

    def _policy(self) -> Any:
        return self.on.set_policy()

    @invariant()
    def is_true(self) -> None:
        users = {user.name: user.tickets for user in self.on.users()}
        assert set(users) == set(self.passwords)
        for name, password in self.passwords.items():
            assert self.on.accepts(name, password or "")
            assert users[name] == (name in self.tickets)


def test_restoring_leads_back_whatever_was_done(services88_server: SandboxServer) -> None:
    machine = type("RestoringHere", (Restoring,), {"server": services88_server})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=25, stateful_step_count=15, deadline=None)
    )
