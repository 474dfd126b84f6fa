"""What an existing name needs is done after the response, at a time of its own (ASVS 6.3.8)."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from services88.identity import errands
from services88.identity.errands import Errands
from services88.identity.errors import ServerBusy
from services88.mail import sender
from tests.databases import sql
from tests.notices.conftest import authority, mailing, smtp, tls, trusted  # noqa: F401 - fixtures
from tests.notices.smtp import SmtpServer
from tests.pages.test_password import Browser
from tests.running import RunningServer, running

PASSWORD = "vellum orbit quartz"


def _counting(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count what the server asks its database for."""
    database: Any = server.identity.database
    asked = 0

    def counted(method: Any) -> Any:
        async def call(*arguments: Any, **values: Any) -> Any:
            nonlocal asked
            asked += 1
            return await method(*arguments, **values)

        return call

    for name in ("one", "all", "transaction"):
        monkeypatch.setattr(database, name, counted(getattr(database, name)))
    return lambda: asked


def test_a_name_that_exists_costs_the_request_and_the_next_one_nothing_more(
    database: str,
    smtp: SmtpServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(errands, "_EARLIEST", 3600.0)
    monkeypatch.setattr(errands, "_LATEST", 3600.0)
    monkeypatch.setattr(sender, "_PAUSE", 3600.0)  # it looks into the database too
    with running(database, **mailing(smtp, pages="password")) as server:
        server.add_user("JANE", PASSWORD, email="jane@example.com")
        browser = Browser(server, "/password/forgotten")
        count = _counting(server, monkeypatch)
        costs = {}
        for name in (
            "first",
            "NOBODY",
            "JANE",
            "nobody@example.com",
            "jane@example.com",
            "x" * 9999,
        ):
            before = count()
            assert browser.post("/password/forgotten", name=name).status == 303
            assert server.request("GET", "/password").status == 200
            costs[name] = count() - before
        assert len(set(costs.values())) == 1, costs
        assert sql(database, "SELECT * FROM outbox") == []
    # A server that is stopped first does what it was asked for, and once.
    assert sql(database, "SELECT kind FROM outbox") == [("reset-link",)]


def test_errands_are_done_at_a_time_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "_EARLIEST", 0.0)
    monkeypatch.setattr(errands, "_LATEST", 0.1)

    async def story() -> list[int]:
        queue, done, all_done = Errands(), list[int](), asyncio.Event()

        def errand(number: int) -> errands.Errand:
            async def work() -> None:
                done.append(number)
                if len(done) == 100:
                    all_done.set()

            return work

        async with queue.running():
            for number in range(100):
                queue.enqueue(errand(number))
            assert done == []
            await asyncio.wait_for(all_done.wait(), 30)
        return done

    done = asyncio.run(story())
    assert sorted(done) == list(range(100))
    assert done != list(range(100)), "not in the order in which they came"


def test_errands_are_bounded_and_one_that_fails_keeps_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> int:
        queue, done = Errands(), 0

        async def fail() -> None:
            raise ValueError("it cannot be done")

        async def work() -> None:
            nonlocal done
            done += 1

        async with queue.running():
            queue.enqueue(fail)
            for _ in range(999):
                queue.enqueue(work)
            with pytest.raises(ServerBusy):
                queue.enqueue(work)
        return done

    with caplog.at_level(logging.ERROR, "services88.errands"):
        assert asyncio.run(story()) == 999
    assert "an errand failed" in caplog.text
