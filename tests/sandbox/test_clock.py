"""A tenant's clock, and that it is nobody else's."""

from datetime import UTC, datetime, timedelta

import pytest

from services88.sandbox.clock import SandboxClock
from services88.sandbox.models import ClockChange, from_milliseconds
from services88.testing import BadInput, SandboxServer, Services88
from tests.running import TestClock
from tests.sandbox.posting import change, get_ticket, request


def test_moving_stopping_and_speeding() -> None:
    machine = TestClock(1_000_000)
    clock = SandboxClock(machine)
    assert clock.now() == 1_000_000
    clock.move(500)
    machine.time += 10
    assert clock.now() == 1_000_510
    clock.freeze()
    machine.time += 10
    assert (clock.now(), clock.frozen) == (1_000_510, True)
    clock.set(speed=60)
    machine.time += 10
    assert clock.now() == 1_000_510 + 600
    state = clock.state()
    clock.freeze(5)
    machine.time += 1000
    assert clock.now() == 5
    clock.restore(state)
    machine.time += 1
    assert clock.now() == 1_000_510 + 600 + 60
    clock.reset()
    assert clock.now() == machine.time
    for impossible in (-1, 10**18):
        with pytest.raises(BadInput, match="from 1970 to 9999"):
            clock.set(impossible)
    assert clock.now() == machine.time


def test_it_stands_where_dates_end() -> None:
    machine = TestClock(1_000_000)
    clock = SandboxClock(machine)
    clock.set(253_402_214_399_000, speed=1_000_000)
    for _ in range(2):
        machine.time += 1000
        assert from_milliseconds(clock.now()).year == 9999
        clock.set(speed=1)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e308", "-1e300"])
@pytest.mark.parametrize("name", ["move_seconds", "speed"])
def test_what_is_no_number_of_seconds_is_refused(
    services88: Services88, name: str, number: str
) -> None:
    path = f"/__sandbox/tenants/{services88.tenant}/clock"
    body = f'{{"{name}": {number}}}'.encode()
    headers = {"Content-Type": "application/json"}
    reply = request(services88.server_url, "PATCH", path, body, headers)
    assert (reply.status, name.encode() in reply.content) == (422, True)


def test_a_change_that_is_refused_changes_nothing(services88: Services88) -> None:
    too_far = ClockChange(at=datetime(2031, 1, 1, tzinfo=UTC), move_seconds=290_000_000_000)
    with pytest.raises(BadInput):
        services88.change_clock(too_far)
    assert abs(services88.now() - datetime.now(UTC)) < timedelta(seconds=30)
    at = services88.freeze_clock(datetime(2029, 1, 1, tzinfo=UTC))
    with pytest.raises(BadInput):
        services88.change_clock(too_far)
    assert services88.now() == at


def test_from_python(services88: Services88) -> None:
    at = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert services88.freeze_clock(at) == at
    assert services88.now() == at
    services88.add_user("JANE", "old")
    get_ticket(services88, "JANE", "old")
    assert services88.user("JANE").last_sign_in == at
    assert services88.calls(since=at, until=at + timedelta(milliseconds=1)) == services88.calls()
    assert services88.calls(until=at) == []
    services88.unfreeze_clock()
    services88.speed_clock(1_000_000)
    get_ticket(services88, "JANE", "old")
    assert services88.now() > at
    services88.freeze_clock()
    services88.unfreeze_clock()
    assert services88.state().clock.speed == 1_000_000, "as fast as it went"
    assert services88.reset_clock().year < 2030
    services88.set_clock(datetime(2040, 1, 1))
    assert services88.now().year == 2040


def test_the_clock_of_one_tenant_ends_nothing_of_another(
    services88_server: SandboxServer, services88: Services88
) -> None:
    services88.add_user("JANE", "old")
    for _ in range(4):  # failures are counted, and waited for, in both
        change(services88, get_ticket(services88, "JANE", "old"), "wrong", "x")
    services88.unlock("JANE")
    ticket = get_ticket(services88, "JANE", "old")
    with services88_server.tenant("future") as future:
        future.move_clock(timedelta(days=3650))
        future.add_user("JANE", "old")
        get_ticket(future, "JANE", "old")  # clears expired tickets away
        change(future, get_ticket(future, "JANE", "old"), "wrong", "x")
    assert change(services88, ticket, "old", "new").text("Response") == "true"
