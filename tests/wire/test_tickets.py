"""Tickets as documented: their form, what is stored, how long they live, and who may show them."""

import base64
import hashlib
import re
from dataclasses import dataclass

import pytest

from tests.databases import content, sql
from tests.running import (
    S11,
    S12,
    Reply,
    RunningServer,
    Starter,
    TestClock,
    credentials,
    envelope,
    sign_in,
)
from tests.wire.operations import MEDIA

_PASSWORD = "a password"
_HOUR = 3_600_000
_MINUTE = 60_000


@pytest.fixture(scope="module")
def ticket(shared_server: RunningServer) -> str:
    shared_server.add_user("TICKETS", _PASSWORD)
    ticket = shared_server.sign_in("TICKETS", _PASSWORD)
    assert ticket
    return ticket


def use(server: RunningServer, ticket: str, soap: str = S11) -> Reply:
    """Call something that needs a ticket and changes nothing: a new password is missing."""
    body = f"<ChangeOwnPassword><OldPassword>{_PASSWORD}</OldPassword></ChangeOwnPassword>"
    return server.post("User", envelope(body, credentials(ticket), soap), MEDIA[soap])


# --- form -----------------------------------------------------------------------------------------


def test_the_documented_form(ticket: str) -> None:
    assert ticket.startswith("7T:")
    content = base64.b64decode(ticket.removeprefix("7T:"), validate=True).decode("ascii")
    guid = "[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}"
    assert re.fullmatch(rf"\{{{guid}\}};[0-9]+", content)


@pytest.mark.parametrize("soap", [S11, S12])
@pytest.mark.parametrize(
    "written",
    [
        "{}",
        "&#xFEFF;{}",
        "\ufeff{}",
        "{}\ufeff",
        " {} ",
        "\n    {}\n  ",
        "\ufeff {} \t",
        "<![CDATA[{}]]>",
        "7T:<!-- x -->{}",
    ],
)
def test_what_stands_around_a_ticket_is_ignored(
    shared_server: RunningServer, ticket: str, written: str, soap: str
) -> None:
    inside = ticket.removeprefix("7T:") if written.startswith("7T:") else ticket
    assert use(shared_server, written.format(inside), soap).text("Succeeded") == "true"
    reply = shared_server.post("SoPrincipal", sign_in("\ufeff " + ticket + "\n", ""))
    assert reply.text("Ticket") == ticket


def forgeries(ticket: str) -> dict[str, str]:
    def written(content: str) -> str:
        return "7T:" + base64.b64encode(content.encode()).decode()

    content = base64.b64decode(ticket.removeprefix("7T:")).decode()
    guid, _, number = content.partition(";")
    return {
        "the documented example": "7T:1234abcxyzExample==",
        "only the prefix": "7T:",
        "no base64": "7T:***",
        "no ASCII": "7T:ÆØÅ",
        "no prefix": ticket.removeprefix("7T:"),
        "another prefix": "7S:" + ticket.removeprefix("7T:"),
        "lower case prefix": ticket.replace("7T:", "7t:"),
        "cut off": ticket[:-8],
        "more": ticket + "AAAA",
        "another number": written(f"{guid};{int(number) + 1}"),
        "no number": written(f"{guid};"),
        "no secret at all": written(guid),
        "a leading zero": written(f"{guid};0{number}"),
        "another GUID": written("{3F2504E0-4F89-11D3-9A0C-0305E82C3301};1254895"),
        "lower case GUID": written(content.lower()),
        "binary": "7T:" + base64.b64encode(bytes(range(256))).decode(),
        "very long": written(content) + "A" * 4000,
        "SQL": written("' OR 1=1 --;1"),
        "a blank inside": ticket[:10] + " " + ticket[10:],
    }


@pytest.mark.parametrize("soap", [S11, S12])
@pytest.mark.parametrize("what", forgeries("7T:e307MQ=="))
def test_anything_else_is_an_unknown_ticket(
    shared_server: RunningServer, ticket: str, what: str, soap: str
) -> None:
    forged = forgeries(ticket)[what]
    reply = use(shared_server, forged, soap)
    assert reply.status == 200
    assert reply.text("Succeeded") == reply.text("Response") == "false"
    assert "unknown or has expired" in (reply.text("Message") or "")
    assert forged.encode() not in reply.content or len(forged) < 4
    name = shared_server.post("SoPrincipal", sign_in(forged, _PASSWORD, soap), MEDIA[soap])
    assert name.text("AuthenticationSucceeded") == "false"


# --- what is stored, and for how long -------------------------------------------------------------


@dataclass
class Clocked:
    """A server whose time stands still, with one user."""

    server: RunningServer
    clock: TestClock

    def sign_in(self) -> str:
        ticket = self.server.sign_in("CLOCK", _PASSWORD)
        assert ticket
        return ticket

    def is_valid(self, ticket: str) -> bool:
        return use(self.server, ticket).text("Succeeded") == "true"

    def rows(self) -> list[tuple[str, str, int, int]]:
        """Read the stored tickets: GUID, secret, valid until, last used."""
        return sql(
            self.server.database,
            "SELECT search_name, secret, valid_to, last_used_date FROM credentials "
            "WHERE credential_type = 'Ticket' ORDER BY credentials_id",
        )


@pytest.fixture
def clocked(start: Starter) -> Clocked:
    clock = TestClock()
    server = start(clock=clock)
    server.add_user("CLOCK", _PASSWORD)
    return Clocked(server, clock)


def test_stored_is_the_guid_and_a_hash_of_the_whole(clocked: Clocked) -> None:
    ticket = clocked.sign_in()
    ((key, secret, _, _),) = clocked.rows()
    inner = base64.b64decode(ticket.removeprefix("7T:")).decode()
    assert inner.startswith(f"{key};")
    assert secret == "7S:" + base64.b64encode(hashlib.sha256(ticket.encode()).digest()).decode()
    written = content(clocked.server.database)
    assert key.encode() in written
    for clear in (ticket, inner, inner.partition(";")[2], ticket.removeprefix("7T:")):
        assert clear.encode() not in written


def test_six_hours_after_the_last_use_are_guaranteed(clocked: Clocked) -> None:
    ticket = clocked.sign_in()
    for _ in range(5):  # each use gives another six hours, whatever was left
        clocked.clock.time += 6 * _HOUR
        assert clocked.is_valid(ticket)
        clocked.clock.time += 1 * _MINUTE
        assert clocked.is_valid(ticket)


def test_an_unused_ticket_expires(clocked: Clocked) -> None:
    ticket, other = clocked.sign_in(), clocked.sign_in()
    clocked.clock.time += 6 * _HOUR + 5 * _MINUTE
    for one in (ticket, other, ticket):
        reply = use(clocked.server, one)
        assert reply.text("Succeeded") == "false"
        assert (reply.text("ExceptionType") or "").endswith("SoSessionException")
    reply = clocked.server.post("SoPrincipal", sign_in(ticket, _PASSWORD))
    assert reply.text("AuthenticationSucceeded") == "false"


def test_a_refused_use_does_not_renew_and_an_expired_ticket_stays_so(clocked: Clocked) -> None:
    ticket = clocked.sign_in()
    clocked.clock.time += 7 * _HOUR
    before = clocked.rows()
    assert not clocked.is_valid(ticket)
    assert clocked.rows() == before
    clocked.clock.time += 1 * _MINUTE
    assert not clocked.is_valid(ticket)


@pytest.mark.parametrize("how", ["a call", "a sign-in with the ticket", "a sign-in padded"])
def test_every_use_counts(clocked: Clocked, how: str) -> None:
    ticket = clocked.sign_in()
    clocked.clock.time += 5 * _HOUR
    if how == "a call":
        assert clocked.is_valid(ticket)
    else:
        name = ticket if how == "a sign-in with the ticket" else f"\ufeff{ticket} "
        assert clocked.server.sign_in(name, "") == ticket
    clocked.clock.time += 6 * _HOUR
    assert clocked.is_valid(ticket)


def test_a_use_writes_only_where_less_than_six_hours_are_left(clocked: Clocked) -> None:
    ticket = clocked.sign_in()
    start = clocked.clock.time
    ((_, _, valid_to, used),) = clocked.rows()
    assert (valid_to - start, used) == (6 * _HOUR + 5 * _MINUTE, start)
    clocked.clock.time += 5 * _MINUTE
    assert clocked.is_valid(ticket)
    assert clocked.rows()[0][2:] == (valid_to, used)
    clocked.clock.time += 1
    assert clocked.is_valid(ticket)
    renewed = clocked.clock.time + 6 * _HOUR + 5 * _MINUTE
    assert clocked.rows()[0][2:] == (renewed, clocked.clock.time)


def test_expired_tickets_are_purged(clocked: Clocked) -> None:
    old = [clocked.sign_in() for _ in range(3)]
    clocked.clock.time += 3 * _HOUR
    young = clocked.sign_in()
    assert len(clocked.rows()) == 4
    clocked.clock.time += 3 * _HOUR + 6 * _MINUTE
    newest = clocked.sign_in()
    assert len(clocked.rows()) == 2
    assert [clocked.is_valid(one) for one in (*old, young, newest)] == [False] * 3 + [True] * 2


def test_passwords_never_expire_and_are_not_purged(clocked: Clocked) -> None:
    clocked.clock.time += 100 * 365 * 24 * _HOUR
    clocked.sign_in()
    clocked.clock.time += 100 * 365 * 24 * _HOUR
    assert clocked.is_valid(clocked.sign_in())


# --- after a change of the password ---------------------------------------------------------------


def test_the_calling_ticket_stays_and_every_other_of_the_user_ends(
    shared_server: RunningServer,
) -> None:
    shared_server.add_user("CHANGES", _PASSWORD)
    shared_server.add_user("BYSTANDER", _PASSWORD)
    calling, other, third = (shared_server.sign_in("CHANGES", _PASSWORD) for _ in range(3))
    bystander = shared_server.sign_in("BYSTANDER", _PASSWORD)
    assert calling
    assert other
    assert third
    assert bystander
    assert shared_server.change_own(calling, "wrong", "x").text("Response") == "false"
    assert [use(shared_server, one).text("Succeeded") for one in (other, third)] == ["true"] * 2
    assert shared_server.change_own(calling, _PASSWORD, "new one").text("Response") == "true"
    assert [
        use(shared_server, one).text("Succeeded") for one in (calling, other, third, bystander)
    ] == ["true", "false", "false", "true"]
