"""Hashing on a few threads beside the event loop, and never more of it than can be done soon."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from services88.identity.errors import ServerBusy
from services88.identity.hashing.hasher import Hasher

__all__ = ["Hashing"]

T = TypeVar("T")


class Hashing:
    """Runs a hasher on a few threads, and says so early when there is too much to do.

    Memory is at most ``threads`` times Argon2's; the work waiting is at most ``queue`` pieces
    (ASVS 15.2.2). An imported hash may take more of both until its first sign-in, up to the limits
    in ``formats.py``.

    :ivar rejected: How often there was too much to do.
    """

    def __init__(
        self, hasher: Hasher | None = None, *, threads: int | None = None, queue: int = 64
    ) -> None:
        self.hasher = hasher or Hasher()
        self._threads = threads or max(1, os.cpu_count() or 1)
        self._limit = self._threads + queue
        self._under_way = 0
        self.rejected = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="hashing")

    async def hash(self, password: str) -> str:
        """Hash a password.

        :raises ServerBusy: Too much is waiting already.
        """
        return await self.run(lambda: self.hasher.hash(password))

    async def verify(self, secret: str | None, password: str) -> bool:
        """Say whether a hash is that of the password; None takes as long and says no.

        :raises ServerBusy: Too much is waiting already.
        """
        against = secret if secret is not None else self.hasher.nobody
        return await self.run(lambda: self.hasher.verify(against, password))

    def may_replace(self, secret: str, password: str) -> bool:
        """Say whether a password just verified should be hashed anew; quick. See Hasher."""
        return self.hasher.may_replace(secret, password)

    async def run(self, work: Callable[[], T]) -> T:
        """Run work of that kind: what takes long and needs a core.

        :raises ServerBusy: Too much is waiting already.
        """
        with self._lock:
            if self._under_way >= self._limit:
                self.rejected += 1
                raise ServerBusy(retry_after=2)
            self._under_way += 1
        # With the caller's context: what is logged there belongs to the caller's request.
        future = self._pool.submit(copy_context().run, work)
        future.add_done_callback(self._done)
        # Cancelled before it began, the work is dropped; begun, it keeps its place until it ends.
        return await asyncio.wrap_future(future)

    def _done(self, _: object) -> None:
        with self._lock:
            self._under_way -= 1

    @property
    def running(self) -> int:
        """How much is being hashed now."""
        return min(self._under_way, self._threads)

    @property
    def waiting(self) -> int:
        """How much waits for a thread."""
        return max(0, self._under_way - self._threads)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()
