"""Attempts at one name from one network take turns within a process, first come, first served.

So only the first of them asks the database whether there is a slot free, whatever a burst sends.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TypeVar

from services88.identity.errors import CallerLeft
from services88.identity.hashing import Hashing

__all__ = ["AttemptQueue"]

T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.1


@dataclass(slots=True)
class _Lane:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    inside: int = 0


class AttemptQueue:
    """The attempts of a process that wait for a slot.

    They take places in the hashing queue, so there are never more than may wait there, and of one
    network at most half of them.
    """

    def __init__(self) -> None:
        """Begin with nobody."""
        self._lanes: dict[object, _Lane] = {}
        self._sleeping: defaultdict[object, set[asyncio.Event]] = defaultdict(set)

    async def turn(
        self,
        hashing: Hashing,
        lane: object,
        shared: tuple[object, ...],
        attempt: Callable[[], Awaitable[T | None]],
    ) -> T:
        """Try again and again until there is a result, in turn with others of the same lane.

        :param lane: What has turns.
        :param shared: What a slot may become free for; see :meth:`released`.
        :param attempt: Returns None where there is no slot free.
        :raises ServerBusy: Too much is waiting already, or it took too long.
        :raises CallerLeft: Nobody waits for the response any more.
        """
        deadline = asyncio.get_running_loop().time() + hashing.patience
        entry = self._lanes.setdefault(lane, _Lane())
        entry.inside += 1
        try:
            with ExitStack() as waiting:
                of = waiting.enter_context(hashing.held_place()) if entry.inside > 1 else None
                try:
                    async with asyncio.timeout_at(deadline):
                        await entry.turn.acquire()
                except TimeoutError:
                    hashing.reject()
                waiting.callback(entry.turn.release)
                pause = _FIRST_PAUSE
                while (found := await attempt()) is None:
                    of = of or waiting.enter_context(hashing.held_place())
                    if asyncio.get_running_loop().time() > deadline:
                        hashing.reject()
                    await self._sleep(shared, pause * random.uniform(0.5, 1))  # noqa: S311
                    pause = min(2 * pause, _LONGEST_PAUSE)
                    if of.left():
                        raise CallerLeft
                return found
        finally:
            entry.inside -= 1
            if not entry.inside:
                del self._lanes[lane]

    async def _sleep(self, shared: tuple[object, ...], seconds: float) -> None:
        woken = asyncio.Event()
        for one in shared:
            self._sleeping[one].add(woken)
        try:
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            pass
        finally:
            for one in shared:
                self._sleeping[one].discard(woken)
                if not self._sleeping[one]:
                    del self._sleeping[one]

    def released(self, shared: tuple[object, ...]) -> None:
        """Wake those that wait for what a slot has become free for."""
        for one in shared:
            for woken in self._sleeping.get(one, ()):
                woken.set()
