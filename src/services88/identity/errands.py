"""Errands: what a request leaves to be done after its response, at a time of its own.

What only an existing name needs must not be done while the one who asked can measure it: neither
before the response nor before the response to the next, pipelined request (ASVS 6.3.8). So the
request only enqueues, which costs the same for every name. Each errand is run one to three seconds
later, at random, one after the other, by a task that belongs to no connection.
"""

import asyncio
import heapq
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import TypeAlias

from services88.identity.errors import ServerBusy

__all__ = ["Errand", "Errands"]

_log = logging.getLogger("services88.errands")

Errand: TypeAlias = Callable[[], Awaitable[None]]

_MOST = 1000
"""Errands that wait at once; more are refused, whatever they are about."""

_EARLIEST, _LATEST = 1.0, 3.0
_PATIENCE = 10
"""Seconds that the errands left have when the server stops."""


class Errands:
    """A bounded queue of errands, in memory.

    A server that is stopped runs those left before it ends; one that is killed forgets them.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Errand]] = []
        self._numbers = count()
        self._news = asyncio.Event()
        self._stopping = False

    def enqueue(self, errand: Errand) -> None:
        """Leave something to be done once. What it raises is logged.

        :raises ServerBusy: Too many wait.
        """
        if len(self._waiting) >= _MOST:
            raise ServerBusy(retry_after=int(_LATEST))
        due = asyncio.get_running_loop().time() + random.uniform(_EARLIEST, _LATEST)  # noqa: S311
        heapq.heappush(self._waiting, (due, next(self._numbers), errand))
        self._news.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run errands for as long as the context lasts, and those left at its end."""
        task = asyncio.create_task(self._run(), name="errands")
        try:
            yield
        finally:
            self._stopping = True
            self._news.set()
            await asyncio.wait([task], timeout=_PATIENCE)
            if self._waiting:
                _log.error("%d errands were not run before the server stopped", len(self._waiting))
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting or not self._stopping:
            self._news.clear()
            left = self._waiting[0][0] - loop.time() if self._waiting else None
            if self._stopping or (left is not None and left <= 0):
                _, _, errand = heapq.heappop(self._waiting)
                try:
                    await errand()
                except Exception:  # nobody waits for it: the log is the only place to tell
                    _log.exception("an errand failed")
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), left)
