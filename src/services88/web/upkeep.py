"""What a server does by itself while it serves: it watches its clock, and writes what is counted.

A machine's clock may run days ahead or behind until it is set. What was stored meanwhile is of a
time still to come: it counts as if it were of now, so that nothing lasts longer than it may.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from services88.identity import audit, reset_links, tickets
from services88.identity.clock import MINUTE
from services88.identity.identity import Identity
from services88.mail import sender
from services88.store import audit as stored
from services88.store import future
from services88.store.database import Connection
from services88.store.errors import DatabaseUnavailable
from services88.store.future import Latest

__all__ = ["Upkeep", "kept_up"]

_log = logging.getLogger("services88.clock")

_PAUSE = 2.0
"""Seconds between two looks at the clock."""

_EVERY = 60.0
"""Seconds between two looks at the database."""

_PATIENCE = 2.0
"""Seconds that a server waits for its first look at the database before it answers anybody."""

_JUMP = 5_000
"""Milliseconds by which a clock may gain or lose between two looks, before that is a jump."""

_TOLERATED = MINUTE
"""By which the clocks of several servers may differ, before what one wrote is of the future."""


def _elapsed() -> float:
    """Return seconds that no setting of the clock changes; those asleep count, where told."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Upkeep:
    """Looks after one server's clock and database."""

    def __init__(self, identity: Identity, elapsed: Callable[[], float] = _elapsed) -> None:
        """Begin with the clock as it is now.

        :param elapsed: Returns seconds that go on evenly, whatever the clock does.
        """
        self._identity = identity
        self._elapsed = elapsed
        self._began = self._offset()
        self._next = 0.0

    def _offset(self) -> int:
        return self._identity.clock.now() - round(self._elapsed() * 1000)

    async def begin(self) -> None:
        """Log where the newest event is of a time still to come, and do what is to be done."""
        now = self._identity.clock.now()
        found = await stored.heads(self._identity.database)
        newest = max((each.at for each in found), default=0)
        if newest > now + _TOLERATED:
            _log.warning(
                "the newest audit event is of %s, and this server's clock shows %s: the clock is "
                "behind, or that of a server ran ahead. What lies ahead counts as now.",
                _shown(newest),
                _shown(now),
            )
        await self.look()

    async def look(self) -> None:
        """Look at the clock, and once a minute or after a jump at the database too."""
        if self._is_jump() or self._elapsed() >= self._next:
            self._next = self._elapsed() + _EVERY
            await self.work()

    def _is_jump(self) -> bool:
        offset = self._offset()
        gained, self._began = offset - self._began, offset
        if abs(gained) <= _JUMP:
            return False
        _log.warning(
            "the clock was set %s by %d s, to %s",
            "forward" if gained > 0 else "back",
            abs(gained) // 1000,
            _shown(self._identity.clock.now()),
        )
        return True

    async def work(self) -> None:
        """Bring back what lies ahead; check that the trails are keyed; write what was counted.

        :raises DatabaseUnavailable: The database does not answer.
        """
        await self._bring_back()
        await audit.check_heads(self._identity)
        for each in await stored.heads(self._identity.database):
            await audit.seal(self._identity, each.tenant)

    async def _bring_back(self) -> None:
        now = self._identity.clock.now()
        ends = _ends(now)
        latest = _ends(now + _TOLERATED)
        if not await future.is_any_ahead(self._identity.database, latest):
            return

        async def work(connection: Connection) -> tuple[int, int, int]:
            return await future.bring_back(connection, latest, now=now, ends=ends)

        counts = await self._identity.database.transaction(work)
        _log.warning(
            "%d tickets, %d links and %d mails were of a time still to come, from a clock that ran "
            "ahead: they are as of now",
            *counts,
        )


def _ends(now: int) -> Latest:
    return Latest(
        ticket=now + tickets.LONGEST,
        link=now + reset_links.LIFETIME,
        due=now + sender.LONGEST_WAIT,
        claim=now + sender.CLAIM,
        created=now,
    )


def _shown(instant: int) -> str:
    try:
        return datetime.fromtimestamp(instant / 1000, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return f"{instant} ms after 1970"


@asynccontextmanager
async def kept_up(identity: Identity) -> AsyncIterator[None]:
    """Look after a server for as long as the context lasts, a first time before it begins.

    A database that does not answer is not waited for.
    """
    begun, stop = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(_until(stop, Upkeep(identity), begun), name="upkeep")
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(begun.wait(), _PATIENCE)
        yield
    finally:
        stop.set()
        await asyncio.wait([task], timeout=10)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _until(stop: asyncio.Event, upkeep: Upkeep, begun: asyncio.Event) -> None:
    step = upkeep.begin
    while not stop.is_set():
        try:
            await step()
            step = upkeep.look
        except DatabaseUnavailable as error:
            _log.error("the database does not answer: %s", error)
        except Exception:  # the server goes on, whatever is wrong
            _log.exception("the upkeep of the server failed")
        begun.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PAUSE)
