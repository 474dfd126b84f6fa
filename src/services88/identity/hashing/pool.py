"""Hashing on a few threads beside the event loop, and never more of it than can be done soon."""

import asyncio
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn, TypeVar

from services88.identity.errors import CallerLeft, ServerBusy
from services88.identity.hashing.hasher import Hasher

__all__ = ["Asker", "Hashing", "asker", "threads_of"]

T = TypeVar("T")


@dataclass(slots=True)
class Asker:
    """On whose behalf something is hashed.

    :ivar address: Where the request came from; one address may fill no more than half of the queue.
    :ivar left: Says whether nobody waits for the answer any more; may be asked on any thread.
    :ivar admitted: Whether a part of the request was taken on already. Then the rest of it is, too:
        refusing it would waste what was done.
    """

    address: str = ""
    left: Callable[[], bool] = field(default=lambda: False, repr=False)
    admitted: bool = False


asker: ContextVar[Asker | None] = ContextVar("asker", default=None)
"""On whose behalf the request under way is; None where it is nobody's in particular."""


def threads_of(workers: int = 1) -> int:
    """Say how many hashes one of so many processes should do at once: one a core, in all."""
    # Linux tells which cores this process may use; elsewhere there is their number.
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, cores // workers)


class Hashing:
    """Runs a hasher on a few threads, and says so early when there is too much to do.

    Memory is at most ``threads`` times Argon2's; the work waiting is at most ``queue`` pieces, of
    which one address holds at most half, and no request waits longer than ``patience`` for its
    first (ASVS 15.2.2). An imported hash may take more memory and time until its first sign-in, up
    to the limits in ``formats.py``.

    :ivar rejected: How often there was too much to do.
    """

    def __init__(
        self,
        hasher: Hasher | None = None,
        *,
        threads: int | None = None,
        queue: int = 64,
        patience: float = 5,
    ) -> None:
        """Start no thread yet.

        :param threads: Pieces done at once; one a core where not given.
        :param queue: Pieces that may wait.
        :param patience: Seconds that the first piece of a request may wait.
        """
        self.hasher = hasher or Hasher()
        self._threads = threads or threads_of()
        self._queue = queue
        self._under_way = 0
        self._held = 0
        self._waiting_for: Counter[str] = Counter()
        self.patience = patience
        self.rejected = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(
            self._threads, thread_name_prefix="hashing", initializer=_give_way
        )

    async def hash(self, password: str) -> str:
        """Hash a password.

        :raises ServerBusy: Too much is waiting already.
        """
        return await self.run(lambda: self.hasher.hash(password))

    async def verify(self, secret: str | None, password: str, *, like: str | None = None) -> bool:
        """Check whether a hash is that of the password.

        :param secret: None where there is none: that takes as long and is always false.
        :param like: The hash that is imitated where there is none; see :meth:`Hasher.decoy`.
        :raises ServerBusy: Too much is waiting already.
        """
        against = secret if secret is not None else self.hasher.decoy(like)
        return await self.run(lambda: self.hasher.verify(against, password))

    def may_replace(self, secret: str, password: str) -> bool:
        """Say whether a password just verified should be hashed anew; quick. See Hasher."""
        return self.hasher.may_replace(secret, password)

    async def run(self, work: Callable[[], T]) -> T:
        """Run work of that kind: what takes long and needs a core.

        :raises ServerBusy: Too much is waiting already, or it waited too long.
        :raises CallerLeft: Nobody waits for the answer any more, so the work was not begun.
        """
        of = asker.get() or Asker()
        # The rest of what was begun waits for as long as it takes: it is never behind more than the
        # queue, and refusing it would waste what was done.
        patience = None if of.admitted else self.patience
        self._admit(of)

        def begun() -> T:
            self._leave_queue(of)
            if of.left():
                raise CallerLeft
            return work()

        # With the caller's context: what is logged there belongs to the caller's request.
        future = self._pool.submit(copy_context().run, begun)
        future.add_done_callback(partial(self._done, of))
        waited = asyncio.wrap_future(future)
        try:
            done, _ = await asyncio.wait((waited,), timeout=patience)
            if not done and future.cancel():
                self.reject()
            # Once begun, it is done soon: it is awaited however long it waited before.
            return await waited
        except asyncio.CancelledError:
            waited.cancel()  # not begun, it is dropped; begun, it keeps its place until it ends
            raise

    @contextmanager
    def held_place(self) -> Iterator[Asker]:
        """Take a place in the queue for a request that waits for something else before it hashes.

        :raises ServerBusy: Too much is waiting already.
        """
        of = asker.get() or Asker()
        with self._lock:
            self._check_room(of)
            self._held += 1
            self._waiting_for[of.address] += 1
        try:
            yield of
        finally:
            self._leave_queue(of)
            with self._lock:
                self._held -= 1

    def _admit(self, of: Asker) -> None:
        with self._lock:
            self._check_room(of)
            of.admitted = True
            self._under_way += 1
            self._waiting_for[of.address] += 1

    def _check_room(self, of: Asker) -> None:
        waiting = self._under_way - self._threads + self._held
        too_many = of.address and self._waiting_for[of.address] >= max(1, self._queue // 2)
        if not of.admitted and (waiting >= self._queue or (waiting >= 0 and too_many)):
            self.reject()

    def reject(self) -> NoReturn:
        """Refuse a request, since there is too much to do.

        :raises ServerBusy: Always.
        """
        self.rejected += 1
        raise ServerBusy(retry_after=2)

    def _leave_queue(self, of: Asker) -> None:
        with self._lock:
            self._waiting_for[of.address] -= 1
            if not self._waiting_for[of.address]:
                del self._waiting_for[of.address]

    def _done(self, of: Asker, future: "Future[Any]") -> None:
        if future.cancelled():  # dropped before it began: what has begun cannot be
            self._leave_queue(of)
        with self._lock:
            self._under_way -= 1

    @property
    def capacity(self) -> int:
        """How much is taken on at once: done and waiting together."""
        return self._threads + self._queue

    @property
    def running(self) -> int:
        """How much is being hashed now."""
        return min(self._under_way, self._threads)

    @property
    def waiting(self) -> int:
        """How much waits for a thread."""
        return max(0, self._under_way - self._threads) + self._held

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


def _give_way() -> None:
    """Let the event loop go first: a cheap call then hardly waits for the hashing beside it."""
    if sys.platform == "linux":  # which alone counts niceness by thread
        with suppress(OSError):  # a sandbox may forbid it, and then a thread is one like others
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


_NICENESS = 5
