"""A server whose clock stands, whose hashing is counted, and which is guessed at from anywhere."""

from dataclasses import dataclass

import pytest

from services88.identity import accounts, tenants
from tests.identity.domain import CountingHasher
from tests.running import Reply, RunningServer, Starter, TestClock, change_own, sign_in

RIGHT, WRONG = "vellum orbit quartz", "marble lantern fjord"
HERE = "192.0.2.1"


@dataclass
class Guessed:
    """The server under test, with shorthands."""

    server: RunningServer
    clock: TestClock
    hasher: CountingHasher

    def try_(self, name: str, password: str, address: str = HERE) -> Reply:
        """Sign in from an address, which the trusted proxy tells."""
        message = sign_in(name, password)
        reply = self.server.post("SoPrincipal", message, X_Forwarded_For=address)
        assert reply.status == 200, reply.content
        return reply

    def signs_in(self, name: str, password: str = RIGHT, address: str = HERE) -> bool:
        return self.try_(name, password, address).text("Ticket") is not None

    def ticket(self, name: str, password: str = RIGHT, address: str = HERE) -> str:
        ticket = self.try_(name, password, address).text("Ticket")
        assert ticket is not None
        return ticket

    def change(self, ticket: str, old: str, new: str, address: str = HERE) -> Reply:
        return self.server.post("User", change_own(ticket, old, new), X_Forwarded_For=address)

    def hashes(self, name: str, password: str = WRONG, address: str = HERE) -> bool:
        """Try, and say whether the attempt was let in as far as hashing."""
        before = len(self.hasher.verified)
        self.try_(name, password, address)
        return len(self.hasher.verified) > before

    def wait(self, name: str, address: str = HERE) -> int:
        """Fail once, and give the seconds for which the next attempt is not let in."""
        assert self.hashes(name, WRONG, address)
        began = self.clock.time
        for seconds in (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900):
            self.clock.time = began + seconds * 1000 - 1
            if seconds and self.hashes(name, WRONG, address):
                raise AssertionError(f"let in before {seconds} s")
            self.clock.time = began + seconds * 1000
            if self.admits(name, address):
                return seconds
        raise AssertionError("a wait of more than 15 minutes")

    def admits(self, name: str, address: str = HERE) -> bool:
        """Say whether an attempt would be let in, without one."""
        from services88.identity import guessing
        from services88.identity.identity import Origin

        async def work() -> bool:
            identity = self.server.identity
            tenant = await tenants.default(identity)
            attempt = guessing.attempt(identity, tenant, name, Origin(address))
            found = await guessing.look(identity.database, identity, attempt)
            return found.until <= identity.clock.now()

        return self.server.run(work())

    def fail(self, name: str, times: int, *, everywhere: bool = True) -> None:
        """Fail so often, each after its wait; from a new address each time, or from one."""
        for number in range(times):
            address = f"198.51.{100 + number // 250}.{number % 250}" if everywhere else HERE
            self.clock.time += 15 * 60 * 1000
            assert self.hashes(name, WRONG, address)

    def unlock(self, name: str) -> bool:
        async def work() -> bool:
            identity = self.server.identity
            return await accounts.unlock(identity, await tenants.default(identity), name)

        return self.server.run(work())


def guessed(start: Starter, clock: TestClock | None = None, **settings: object) -> Guessed:
    clock = clock or TestClock()
    server = start(clock=clock, **settings)
    hasher = CountingHasher()
    server.identity.hashing.hasher = hasher
    return Guessed(server, clock, hasher)


@pytest.fixture
def here(start: Starter) -> Guessed:
    found = guessed(start)
    found.server.add_user("JANE", RIGHT, email="jane@example.com")
    return found


__all__ = ["HERE", "RIGHT", "WRONG", "Guessed", "guessed", "here"]
