"""A server whose clock was wrong leaves nothing behind that lasts longer than it may."""

import logging
from collections.abc import Iterator

import pytest

from services88.identity import (
    audit,
    audit_trail,
    notices,
    password_rules,
    passwords,
    reset_links,
    tickets,
)
from services88.identity.audit import AuditEvent
from services88.identity.identity import Origin
from services88.identity.notices import Notice
from services88.identity.reset_links import LinkRefused
from services88.mail import sender
from services88.mail.smtp import MailServer
from services88.store import outbox
from services88.store.associates import Associate
from services88.store.database import Connection
from services88.web.upkeep import Upkeep
from tests.databases import sql
from tests.identity.domain import CheapHasher, World, world
from tests.loop import run
from tests.running import TestClock

PASSWORD = "vellum orbit quartz"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = 1_800_000_000_000
AHEAD = NOW + 1200 * DAY


class Wrong:
    """A server with JANE, whose clock was wrong while she did this and that."""

    def __init__(self, here: World, clock: TestClock, database: str) -> None:
        self.here, self.clock, self.database = here, clock, database
        self.identity = here.identity
        self.upkeep = Upkeep(self.identity, elapsed=lambda: 0.0)

    def left(self, jane: Associate) -> tuple[str, str]:
        """Leave a ticket, a link, mails in every state, and something counted."""
        ticket = run(self.here.ticket("JANE", PASSWORD))
        link = run(reset_links.issue(self.identity, jane))

        async def owe(connection: Connection) -> None:
            for notice in (Notice.RESET_LINK, Notice.PASSWORD_DISABLED, Notice.PASSWORD_REMOVED):
                await notices.owe(connection, self.identity, notice, jane)

        run(self.identity.database.transaction(owe))
        claimed = run(self._claim())
        run(sender._postpone(self.identity, claimed, OSError()))
        run(self._claim())
        event = AuditEvent.AUTHZ_FAIL
        for _ in range(3):
            run(
                audit.refused(
                    self.identity, self.here.tenant, event, Origin("192.0.2.1"), reason="x", by=7
                )
            )
        return ticket, link

    async def _claim(self) -> outbox.OwedMail:
        mail = await outbox.next_due(self.identity.database, self.clock.now())
        assert mail is not None
        claimed = await sender._claim(self.identity, mail)
        assert claimed is not None
        return claimed

    def opens(self, link: str) -> bool:
        try:
            run(reset_links.look(self.identity, link))
        except LinkRefused:
            return False
        return True

    def latest(self) -> int:
        """The last instant at which something ends, is due or was."""
        (row,) = sql(
            self.database,
            "SELECT (SELECT max(valid_to) FROM credentials WHERE credential_type = 'Ticket'),"
            " (SELECT max(last_used_date) FROM credentials), (SELECT max(expires) FROM reset_link),"
            " (SELECT max(due) FROM outbox), (SELECT max(created) FROM outbox),"
            " (SELECT max(claimed_until) FROM outbox),"
            " (SELECT max(minute) * 60000 FROM audit_pending)",
        )
        return max(int(value) for value in row if value is not None)


@pytest.fixture
def wrong(database: str) -> Iterator[Wrong]:
    clock = TestClock(NOW)
    with world(database, CheapHasher(), clock) as here:
        yield Wrong(here, clock, database)


@pytest.fixture
def jane(wrong: Wrong) -> Associate:
    return run(wrong.here.add("JANE", PASSWORD, email="jane@example.com"))


def test_nothing_lasts_for_years_after_a_clock_that_ran_ahead(
    wrong: Wrong, jane: Associate, caplog: pytest.LogCaptureFixture
) -> None:
    wrong.clock.time = AHEAD
    ticket, link = wrong.left(jane)
    wrong.clock.time = NOW
    assert wrong.latest() > AHEAD
    with caplog.at_level(logging.WARNING, "services88.clock"):
        run(wrong.upkeep.begin())
    told = [record.getMessage() for record in caplog.records if record.name == "services88.clock"]
    assert "the newest audit event is of 2030-04-29" in told[0]
    assert "1 tickets, 1 links and 3 mails" in told[1]
    assert wrong.latest() <= NOW + tickets.LONGEST
    caplog.clear()
    run(wrong.upkeep.look())
    run(wrong.upkeep.work())
    assert caplog.records == [], "once, not each minute"

    assert run(wrong.here.lives(ticket)), "it counts as issued now"
    assert wrong.opens(link)
    assert run(outbox.next_due(wrong.identity.database, NOW)) is not None
    wrong.clock.time = NOW + 31 * MINUTE
    assert not wrong.opens(link)
    assert len(_due(wrong)) == 3, "the claim has ended, the retry is due"
    wrong.clock.time = NOW + 7 * HOUR
    assert not run(wrong.here.lives(ticket))
    for later in (AHEAD, AHEAD + 20 * MINUTE):
        wrong.clock.time = later
        assert not run(wrong.here.lives(ticket))
        assert not wrong.opens(link), "nor when that time has come"


def _due(wrong: Wrong) -> list[int]:
    rows = sql(
        wrong.database,
        "SELECT outbox_id FROM outbox WHERE sent IS NULL AND due <= ? "
        "AND (claimed_until IS NULL OR claimed_until <= ?)",
        wrong.clock.time,
        wrong.clock.time,
    )
    return [number for (number,) in rows]


def test_what_was_counted_ahead_is_written_now(wrong: Wrong, jane: Associate) -> None:
    wrong.clock.time = AHEAD
    wrong.left(jane)
    wrong.clock.time = NOW
    run(wrong.upkeep.begin())
    rows = sql(
        wrong.database,
        "SELECT count, at FROM audit_event WHERE event = 'authz_fail' ORDER BY sequence",
    )
    assert rows == [(1, AHEAD), (2, NOW)]


def test_a_ticket_from_ahead_is_cut_at_its_next_use(wrong: Wrong, jane: Associate) -> None:
    """Whether or not a server has looked at the table since."""
    wrong.clock.time = AHEAD
    ticket = run(wrong.here.ticket("JANE", PASSWORD))
    wrong.clock.time = NOW
    assert run(wrong.here.lives(ticket))
    ((until, used),) = sql(
        wrong.database,
        "SELECT valid_to, last_used_date FROM credentials WHERE credential_type = 'Ticket'",
    )
    assert (until, used) == (NOW + tickets.LONGEST, NOW)
    assert jane.name == "JANE"


def test_a_mail_can_be_asked_for_again_a_minute_later(wrong: Wrong, jane: Associate) -> None:
    async def ask() -> None:
        tenant = wrong.here.tenant
        await reset_links.ask_for_name(wrong.identity, tenant, jane.name, Origin())

    def owed() -> int:
        ((number,),) = sql(wrong.database, "SELECT count(*) FROM outbox")
        return int(number)

    wrong.clock.time = AHEAD
    run(ask())
    wrong.clock.time = NOW
    run(wrong.upkeep.begin())
    run(ask())
    assert owed() == 1
    wrong.clock.time += MINUTE
    run(ask())
    assert owed() == 2


def test_a_mail_from_a_clock_that_was_behind_is_tried(
    wrong: Wrong, jane: Associate, caplog: pytest.LogCaptureFixture
) -> None:
    async def owe(connection: Connection) -> None:
        await notices.owe(connection, wrong.identity, Notice.PASSWORD_REMOVED, jane)

    wrong.clock.time = NOW - 1200 * DAY
    run(wrong.identity.database.transaction(owe))
    wrong.clock.time = NOW
    nobody = MailServer(
        host="127.0.0.1", port=1, security="none", user=None, password=None,
        sender="s@example.com", public_url=None,
    )  # fmt: skip
    assert not run(sender._send_next(wrong.identity, nobody))
    assert "could not be sent" in caplog.text
    assert "given up" not in caplog.text


def test_tickets_of_a_clock_that_was_behind_end(wrong: Wrong, jane: Associate) -> None:
    wrong.clock.time = NOW - 1200 * DAY
    ticket, link = wrong.left(jane)
    wrong.clock.time = NOW
    run(wrong.upkeep.begin())
    assert not run(wrong.here.lives(ticket))
    assert not wrong.opens(link)
    assert len(_due(wrong)) == 3


def test_the_newest_passwords_are_remembered_whatever_the_clock(
    wrong: Wrong, jane: Associate
) -> None:
    used = [PASSWORD, "marble lantern fjord", "quartz fjord vellum", "orbit marble lantern"]
    identity, tenant = wrong.identity, wrong.here.tenant
    run(password_rules.choose(identity, tenant, history=2))
    for new, at in zip(used[1:], (AHEAD, NOW, NOW + MINUTE), strict=True):
        wrong.clock.time = at
        run(passwords.set_by_operator(identity, tenant, jane, new))
    # The two before the current one are the ones that count, though an earlier one is of 2030.
    assert len(sql(wrong.database, "SELECT * FROM password_history")) == 2
    run(passwords.set_by_operator(identity, tenant, jane, PASSWORD))


def test_events_of_a_time_to_come_do_not_keep_others(wrong: Wrong) -> None:
    identity, of = wrong.identity, wrong.here.tenant

    async def work(connection: Connection) -> None:
        event = AuditEvent.USER_UPDATED
        await audit.record(connection, identity, of, event, Origin(), associate_id=1, by=0)

    for at in (NOW, AHEAD, NOW + DAY, NOW + 3 * DAY):
        wrong.clock.time = at
        run(identity.database.transaction(work))
    wrong.clock.time = NOW + 10 * DAY
    assert run(audit_trail.prune(identity, of, NOW + 2 * DAY)) == 3
    assert run(audit_trail.verify(identity, of)).events == 2


def test_a_jump_is_logged_once(wrong: Wrong, caplog: pytest.LogCaptureFixture) -> None:
    elapsed = 0.0
    upkeep = Upkeep(wrong.identity, elapsed=lambda: elapsed)

    def told(gained: int, passed: float = 2.0) -> list[str]:
        nonlocal elapsed
        caplog.clear()
        elapsed += passed
        wrong.clock.time += round(passed * 1000) + gained
        run(upkeep.look())
        return [record.getMessage() for record in caplog.records]

    with caplog.at_level(logging.WARNING, "services88.clock"):
        assert told(0) == []
        assert told(3_000) == [], "as NTP does"
        assert told(-3_000, passed=3600.0) == [], "however long it slept"
        assert told(90_000) == ["the clock was set forward by 90 s, to 2027-01-15T09:01:36+00:00"]
        assert told(0) == []
        (back,) = told(-DAY)
        assert back.startswith("the clock was set back by 86400 s, to 2027-01-14")
        assert told(0) == []
