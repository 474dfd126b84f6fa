"""The domain without HTTP: a real database and real hashing, whose moments a test can hold."""

import asyncio
import threading
from collections.abc import Awaitable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import argon2

from services88.identity import accounts, sign_in, tenants, tickets
from services88.identity.clock import Clock
from services88.identity.errors import NotSignedIn
from services88.identity.hashing import Hasher, Hashing
from services88.identity.identity import Caller, Identity, Origin
from services88.identity.sign_in import SignedIn
from services88.settings import load
from services88.store.associates import Associate
from services88.store.tenants import Tenant
from services88.web.application import identity_of
from tests.loop import run

__all__ = ["CheapHasher", "CountingHasher", "HeldHasher", "World", "world"]

T = TypeVar("T")


class CountingHasher(Hasher):
    """Remembers which hashes it verified and how often it made one."""

    def __init__(self, **cost: Any) -> None:
        super().__init__(**cost)
        self.verified: list[str] = []
        self.hashed = 0

    def hash(self, password: str) -> str:
        self.hashed += 1
        return super().hash(password)

    def verify(self, secret: str, password: str) -> bool:
        self.verified.append(secret)
        return super().verify(secret, password)


class CheapHasher(Hasher):
    """Argon2id at the least cost there is, which no setting allows: for tests of other things."""

    def __init__(self) -> None:
        super().__init__()
        self._argon2 = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class HeldHasher(Hasher):
    """Stops once, right after the hash or the verification it was told to stop at."""

    def __init__(self, **cost: Any) -> None:
        super().__init__(**cost)
        self._stop_at: str | None = None
        self._arrived = threading.Event()
        self._go_on = threading.Event()

    def hash(self, password: str) -> str:
        result = super().hash(password)
        self._pass("hash")
        return result

    def verify(self, secret: str, password: str) -> bool:
        result = super().verify(secret, password)
        self._pass("verify")
        return result

    def _pass(self, place: str) -> None:
        if self._stop_at == place:
            self._stop_at = None
            self._arrived.set()
            assert self._go_on.wait(30)

    async def held(
        self, place: str, slow: Coroutine[Any, Any, T], meanwhile: Awaitable[object]
    ) -> T:
        """Begin something, do something else while it stands at a place, and let it end."""
        self._arrived.clear()
        self._go_on.clear()
        self._stop_at = place
        task = asyncio.create_task(slow)
        assert await asyncio.to_thread(self._arrived.wait, 30), f"it never came to {place}"
        try:
            await meanwhile
        finally:
            self._go_on.set()
        return await task


class World:
    """A domain with shorthands for one tenant at a time."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.tenant: Tenant = run(tenants.default(identity))

    async def add(self, name: str, password: str, **more: Any) -> Associate:
        return await accounts.add(self.identity, self.tenant, name, password, **more)

    async def sign_in(self, name: str, password: str) -> SignedIn | None:
        return await sign_in.with_name(self.identity, self.tenant, name, password, Origin())

    async def ticket(self, name: str, password: str) -> str:
        signed_in = await self.sign_in(name, password)
        assert signed_in is not None
        return signed_in.ticket.text

    async def caller(self, ticket: str) -> Caller:
        return await tickets.verify(self.identity, self.tenant, ticket)

    async def lives(self, ticket: str) -> bool:
        try:
            await self.caller(ticket)
        except NotSignedIn:
            return False
        return True

    async def those_that_sign_in(self, name: str, *passwords: str) -> list[str]:
        """Which of the passwords are the user's; it should be one."""
        return [password for password in passwords if await self.sign_in(name, password)]


@contextmanager
def world(
    database: str, hasher: Hasher | None = None, clock: Clock | None = None
) -> Iterator[World]:
    """Open a domain on a database; what is awaited of it, is in ``tests.loop.run``."""
    opened = identity_of(load({"database": database}), clock)
    opened.hashing.close()
    identity = replace(opened, hashing=Hashing(hasher, threads=2))
    try:
        yield World(identity)
    finally:
        run(identity.database.close())
        identity.hashing.close()
