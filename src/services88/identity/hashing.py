"""Password hashes: Argon2id, in a bounded pool beside the event loop."""

import asyncio
import os
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from services88.identity.errors import ServerBusy

__all__ = ["Hasher", "Hashing"]

T = TypeVar("T")


class Hasher:
    """Makes and verifies password hashes; slow on purpose, so never call it on the event loop.

    The defaults are OWASP's minimum for Argon2id (Password Storage Cheat Sheet; ASVS 11.4.2). A
    password is hashed in Unicode NFC (NIST SP 800-63B-4, 3.1.1.2), here and nowhere else.
    """

    def __init__(self, *, memory_kib: int = 19_456, passes: int = 2, lanes: int = 1) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=passes, memory_cost=memory_kib, parallelism=lanes
        )

        def noise(size: int) -> str:
            return b64encode(os.urandom(size)).decode().rstrip("=")

        self.nobody = f"$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${noise(16)}${noise(32)}"
        """A hash that no password has; verifying it takes as long as a real one."""

    def hash(self, password: str) -> str:
        """Hash a password with a new salt; the result names scheme and cost."""
        return self._argon2.hash(_normal(password))

    def verify(self, secret: str, password: str) -> bool:
        """Say whether a hash is that of the password."""
        try:
            return self._argon2.verify(secret, _normal(password))
        except (VerificationError, InvalidHashError):
            return False


def _normal(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode()


class Hashing:
    """Runs a hasher on a few threads, and says so early when there is too much to do.

    Memory is at most ``threads`` times Argon2's; the work waiting is at most ``queue`` pieces
    (ASVS 15.2.2).
    """

    def __init__(
        self, hasher: Hasher | None = None, *, threads: int | None = None, queue: int = 64
    ) -> None:
        self._hasher = hasher or Hasher()
        self._threads = threads or max(1, os.cpu_count() or 1)
        self._limit = self._threads + queue
        self._under_way = 0
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="hashing")

    async def hash(self, password: str) -> str:
        """Hash a password.

        :raises ServerBusy: Too much is waiting already.
        """
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, secret: str | None, password: str) -> bool:
        """Say whether a hash is that of the password; None takes as long and says no.

        :raises ServerBusy: Too much is waiting already.
        """
        against = secret if secret is not None else self._hasher.nobody
        return await self._run(lambda: self._hasher.verify(against, password))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._under_way >= self._limit:
            raise ServerBusy(retry_after=2)
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._under_way -= 1

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()
