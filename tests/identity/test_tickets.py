"""Tickets: their form, how long they live, and that what has expired is cleared away."""

import base64
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from services88.identity import tickets
from services88.identity.clock import HOUR, MINUTE
from services88.identity.identity import Origin
from services88.store import credentials
from services88.store.database import Connection
from tests.identity.domain import World, world
from tests.loop import run
from tests.running import RunningServer, Starter, TestClock

PASSWORD = "vellum orbit quartz"
LIFE = tickets.LIFETIME + 5 * MINUTE


# --- the form ---------------------------------------------------------------------------------


def test_a_new_ticket_is_of_the_documented_form_and_new_each_time() -> None:
    made = [tickets.new() for _ in range(200)]
    for ticket in made:
        assert ticket.text.startswith("7T:")
        content = base64.b64decode(ticket.text[3:], validate=True).decode("ascii")
        key, _, number = content.partition(";")
        assert key == ticket.key
        assert len(key) == 38
        assert 0 <= int(number) < 2**128
    assert len({ticket.key for ticket in made}) == len(made)
    numbers = {base64.b64decode(ticket.text[3:]).split(b";")[1] for ticket in made}
    assert len(numbers) == len(made)
    assert max(int(number) for number in numbers) > 2**120, "all 128 bits are used"


_PADDING = st.text("\ufeff \t\r\n", max_size=4)


@given(_PADDING, _PADDING)
def test_a_ticket_is_read_as_it_was_made_whatever_blanks_surround_it(
    before: str, after: str
) -> None:
    made = tickets.new()
    read = tickets.parse(before + made.text + after)
    assert read == made
    assert read is not None
    assert read.secret == made.secret
    assert tickets.looks_like_ticket(before + made.text + after)


_ANYTHING = st.text(st.characters(codec=None)) | st.text()
_NEARLY = st.one_of(
    _ANYTHING,
    _ANYTHING.map(lambda rest: f"7T:{rest}"),
    st.binary().map(lambda content: "7T:" + base64.b64encode(content).decode()),
    st.from_regex(r"\{[0-9A-Fa-f-]{30,40}\};[0-9]{0,45}.?", fullmatch=True).map(
        lambda content: "7T:" + base64.b64encode(content.encode()).decode()
    ),
)


@given(_NEARLY)
def test_reading_a_ticket_never_fails(text: str) -> None:
    ticket = tickets.parse(text)
    tickets.looks_like_ticket(text)
    if ticket is not None:
        assert tickets.looks_like_ticket(text)
        assert ticket.text == text.strip("\ufeff \t\r\n")
        assert ticket.secret.startswith("7S:")
        assert len(ticket.key) == 38


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_a_ticket_of_which_a_character_changed_is_another(at: int, to: str) -> None:
    made = tickets.new()
    at %= len(made.text)
    changed = made.text[:at] + to + made.text[at + 1 :]
    read = tickets.parse(changed)
    if changed.strip("\ufeff \t\r\n") == made.text:
        assert read == made
    else:
        assert read is None or (read.secret != made.secret)


MADE = "7T:" + base64.b64encode(b"{00000000-0000-0000-0000-000000000001};12").decode()


def test_a_made_up_ticket_of_the_form_is_read() -> None:
    read = tickets.parse(MADE)
    assert read is not None
    assert read.key == "{00000000-0000-0000-0000-000000000001}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7T:",
        "7t:" + MADE[3:],
        "7T:cAA1ADAAOQAxADcAOAA0",
        MADE[:-1],
        MADE[:20] + "\n" + MADE[20:],
        MADE[:20] + "\ufeff" + MADE[20:],
        "7T:" + base64.b64encode(b"{00000000-0000-0000-0000-000000000000};").decode(),
        "7T:" + base64.b64encode(b"{0000000-0000-0000-0000-000000000000};1").decode(),
        "7T:" + base64.b64encode(b"{00000000-0000-0000-0000-000000000000};1\n").decode(),
        "7T:" + base64.b64encode("{00000000-0000-0000-0000-000000000000};٣".encode()).decode(),
    ],
)
def test_what_is_no_ticket_of_ours_is_none(text: str) -> None:
    assert tickets.parse(text) is None


# --- the life -------------------------------------------------------------------------------


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def here(database: str, clock: TestClock) -> Iterator[World]:
    with world(database, clock=clock) as opened:
        run(opened.add("JANE", PASSWORD))
        yield opened


def _valid_to(here: World, ticket: str) -> int | None:
    parsed = tickets.parse(ticket)
    assert parsed is not None
    row = run(credentials.ticket(here.identity.database, here.tenant.tenant_id, parsed.key))
    return row.valid_to if row else None


def test_a_ticket_lives_six_hours_after_each_use(here: World, clock: TestClock) -> None:
    ticket = run(here.ticket("JANE", PASSWORD))
    for pause in (6 * HOUR, MINUTE, 6 * HOUR, 4 * MINUTE, 4 * MINUTE, 6 * HOUR, 6 * HOUR):
        clock.time += pause
        assert run(here.lives(ticket)), pause
    clock.time += 6 * HOUR + 5 * MINUTE
    assert not run(here.lives(ticket))
    clock.time -= 1
    assert run(here.lives(ticket)), "a refusal changes nothing"


def test_a_use_is_written_down_only_once_in_five_minutes(here: World, clock: TestClock) -> None:
    start = clock.time
    ticket = run(here.ticket("JANE", PASSWORD))
    assert _valid_to(here, ticket) == start + LIFE
    clock.time = start + 5 * MINUTE
    assert run(here.lives(ticket))
    assert _valid_to(here, ticket) == start + LIFE, "six hours remain: nothing to write"
    clock.time += 1
    assert run(here.lives(ticket))
    assert _valid_to(here, ticket) == clock.time + LIFE


def test_an_expired_ticket_neither_signs_in_nor_calls(start: Starter, clock: TestClock) -> None:
    server: RunningServer = start(clock=clock)
    server.add_user("JANE", PASSWORD)
    ticket = server.sign_in("JANE", PASSWORD)
    assert ticket is not None
    clock.time += LIFE - 1
    assert server.sign_in(ticket, "whatever") == ticket
    clock.time += LIFE
    assert server.sign_in(ticket, PASSWORD) is None
    refused = server.change_own(ticket, PASSWORD, "marble lantern fjord")
    assert refused.text("Succeeded") == "false"
    assert refused.text("Response") == "false"
    assert refused.text("ExceptionType") == "SuperOffice.Exceptions.SoSessionException"
    assert server.sign_in("JANE", PASSWORD) is not None, "nothing was changed"


def test_a_sign_in_with_a_ticket_renews_it(here: World, clock: TestClock) -> None:
    ticket = run(here.ticket("JANE", PASSWORD))
    clock.time += 6 * HOUR
    signed_in = run(here.sign_in(f"\ufeff {ticket}\n", ""))
    assert signed_in is not None
    assert signed_in.ticket.text == ticket
    clock.time += 6 * HOUR
    assert run(here.lives(ticket))


def test_expired_tickets_are_cleared_away_and_no_other(here: World, clock: TestClock) -> None:
    user = run(here.sign_in("JANE", PASSWORD))
    assert user is not None

    async def issue(connection: Connection) -> None:
        for _ in range(250):
            await tickets.issue(
                connection, here.identity, here.tenant, user.user.associate_id, Origin()
            )

    run(here.identity.database.transaction(issue))
    clock.time += LIFE
    fresh = [run(here.ticket("JANE", PASSWORD))]
    clock.time += 1
    left = []
    for _ in range(4):
        fresh.append(run(here.ticket("JANE", PASSWORD)))
        statement = text("SELECT count(*) FROM credentials WHERE credential_type = 'Ticket'")
        row = run(here.identity.database.one(statement))
        assert row is not None
        left.append(row[0] - len(fresh))
    assert left == [151, 51, 0, 0], "a hundred at most with each sign-in"
    assert all(run(here.lives(ticket)) for ticket in fresh)
    assert run(here.sign_in("JANE", PASSWORD)), "the password is no ticket and stays"
