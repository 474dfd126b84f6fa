"""Hashing: says early when there is too much to do, and goes on afterwards."""

import asyncio
import errno
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from services88.identity.errors import ServerBusy
from services88.identity.hashing import Asker, Hasher, Hashing, asker
from services88.web.callers import Callers
from tests.running import RunningServer, change_own, sign_in


class Blocking(Hasher):
    """Verifies only once it may, and remembers on which threads."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()
        self.begun = threading.Semaphore(0)
        self.threads: set[int] = set()

    def verify(self, secret: str, password: str) -> bool:  # noqa: ARG002
        self.threads.add(threading.get_ident())
        self.begun.release()
        assert self.may.wait(30)
        return password == "right"


@pytest.fixture
def hasher() -> Blocking:
    return Blocking()


@pytest.fixture
def hashing(hasher: Blocking) -> Iterator[Hashing]:
    made = Hashing(hasher, threads=2, queue=3)
    yield made
    made.close()


def test_a_full_queue_is_told_at_once_and_works_again_when_it_is_done(
    hashing: Hashing, hasher: Blocking
) -> None:
    async def story() -> None:
        waiting = [asyncio.create_task(hashing.verify("x", "right")) for _ in range(5)]
        for _ in range(2):
            assert await asyncio.to_thread(hasher.begun.acquire, True, 30)
        for work in (hashing.verify("x", "right"), hashing.hash("x"), hashing.verify(None, "x")):
            with pytest.raises(ServerBusy) as caught:
                await work
            assert caught.value.retry_after > 0
        hasher.may.set()
        assert await asyncio.gather(*waiting) == [True] * 5
        assert await hashing.verify("x", "wrong") is False

    asyncio.run(story())
    assert len(hasher.threads) == 2
    assert threading.get_ident() not in hasher.threads, "never on the event loop"


def test_where_no_priority_may_be_set_it_hashes_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: object) -> None:  # as a system call filter does
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "setpriority", refused)
    hashing = Hashing(threads=1)
    assert asyncio.run(hashing.hash("x"))
    hashing.close()


def test_a_failure_frees_its_place(hashing: Hashing) -> None:
    async def story() -> None:
        for _ in range(10):
            with pytest.raises(UnicodeEncodeError):
                await hashing.hash("\ud800")
        assert await hashing.hash("x")

    asyncio.run(story())


def test_the_hash_of_nobody_costs_what_a_real_one_does() -> None:
    hasher = Hasher(memory_kib=20_000, passes=3)
    assert hasher.nobody.split("$")[:4] == hasher.hash("x").split("$")[:4]
    assert [len(part) for part in hasher.nobody.split("$")] == [
        len(part) for part in hasher.hash("x").split("$")
    ]
    assert not hasher.verify(hasher.nobody, "")


@pytest.mark.parametrize("password", ["", " ", "vellum <&> orbit", "Ä💡", "x" * 1024])
def test_a_password_verifies_with_its_own_hash_only(password: str) -> None:
    hasher = Hasher()
    secret = hasher.hash(password)
    assert secret.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert hasher.verify(secret, password)
    assert hasher.hash(password) != secret, "each hash has a salt of its own"
    for other in (password + " ", password.swapcase() + "x", password[:-1] + "y"):
        assert not hasher.verify(secret, other)


def test_composition_makes_no_difference() -> None:
    hasher = Hasher()
    assert hasher.verify(hasher.hash("a\u030a"), "\u00e5")


@pytest.mark.parametrize(
    "secret", ["", "x", "$argon2id$", "7S:abc", "$argon2id$v=19$m=1,t=1,p=1$$"]
)
def test_what_is_no_hash_is_nobodys(secret: str) -> None:
    assert not Hasher().verify(secret, "")


def _full(
    hashing: Hashing, loop: asyncio.AbstractEventLoop, free: int = 0
) -> tuple[threading.Event, Future[None]]:
    """Take every place in the pool and its queue but so many, until the event is set."""
    release, full = threading.Event(), threading.Event()

    async def fill() -> None:
        number = hashing.capacity - free
        places = [asyncio.ensure_future(hashing.run(release.wait)) for _ in range(number)]
        asyncio.get_running_loop().call_soon(full.set)
        await asyncio.gather(*places, return_exceptions=True)

    work = asyncio.run_coroutine_threadsafe(fill(), loop)
    assert full.wait(30)
    return release, work


def test_over_http_too_much_to_do_is_503_and_changes_nothing(shared_server: RunningServer) -> None:
    shared_server.add_user("BUSY", "vellum orbit quartz")
    ticket = shared_server.sign_in("BUSY", "vellum orbit quartz")
    assert ticket is not None
    release, work = _full(shared_server.identity.hashing, shared_server.loop)
    try:
        for agent, message in (
            ("SoPrincipal", sign_in("BUSY", "vellum orbit quartz")),
            ("SoPrincipal", sign_in("NOBODY", "vellum orbit quartz")),
            ("User", change_own(ticket, "vellum orbit quartz", "marble lantern fjord")),
        ):
            reply = shared_server.post(agent, message)
            assert reply.status == 503
            assert int(reply.headers["retry-after"]) > 0
            assert "too busy" in (reply.fault or "")
    finally:
        release.set()
    work.result(30)
    assert shared_server.sign_in("BUSY", "marble lantern fjord") is None
    assert shared_server.sign_in("BUSY", "vellum orbit quartz") is not None


def test_one_address_fills_half_of_the_queue_at_most() -> None:
    hashing = Hashing(threads=1, queue=4)
    release = threading.Event()

    async def of(address: str) -> bool:
        asker.set(Asker(address))
        return await hashing.run(lambda: release.wait(30))

    async def story() -> None:
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()
        first = asyncio.create_task(
            hashing.run(lambda: loop.call_soon_threadsafe(begun.set) and release.wait(30))
        )
        await begun.wait()
        greedy = [asyncio.create_task(of("192.0.2.1")) for _ in range(5)]
        await asyncio.sleep(0)
        assert sum(task.done() for task in greedy) == 3, "two wait"
        others = [asyncio.create_task(of(f"192.0.2.{n}")) for n in (2, 3, 4)]
        await asyncio.sleep(0)
        assert [task.done() for task in others] == [False, False, True], "the queue is full now"
        release.set()
        assert await first
        kept = [*greedy[:2], *others[:2]]
        assert await asyncio.gather(*kept) == [True] * 4
        for task in (*greedy[2:], others[2]):
            assert isinstance(task.exception(), ServerBusy)
        assert await of("192.0.2.1"), "whose places are free again"

    asyncio.run(story())
    hashing.close()


def test_the_addresses_of_one_network_of_ipv6_are_one() -> None:
    seen: list[str] = []

    async def app(*_: object) -> None:
        of = asker.get()
        assert of is not None
        seen.append(of.address)

    async def story() -> None:
        for address in ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1", "192.0.2.1"):
            scope = {"type": "http", "client": (address, 1)}
            await Callers(app)(scope, None, None)  # type: ignore[arg-type]

    asyncio.run(story())
    assert seen == ["2001:db8::/64", "2001:db8::/64", "2001:db8:0:1::/64", "192.0.2.1"]


def test_who_waits_too_long_is_told_and_the_work_is_dropped() -> None:
    hashing = Hashing(threads=1, queue=4, patience=0.05)
    release, done = threading.Event(), []

    async def story() -> None:
        first = asyncio.create_task(hashing.run(lambda: release.wait(30)))
        await asyncio.sleep(0)
        with pytest.raises(ServerBusy):
            await hashing.run(lambda: done.append("late"))
        assert not first.done(), "what has begun is awaited, however long it takes"
        assert hashing.waiting == 0
        release.set()
        assert await first
        await hashing.run(lambda: done.append("in time"))

    asyncio.run(story())
    hashing.close()
    assert done == ["in time"]
    assert hashing.rejected == 1


def test_a_request_that_was_taken_on_is_not_refused_half_way() -> None:
    hashing = Hashing(threads=1, queue=2)
    release = threading.Event()

    async def two_parts() -> bool:
        asker.set(Asker("192.0.2.1"))
        return await hashing.run(lambda: True) and await hashing.run(lambda: release.wait(30))

    async def story() -> None:
        mine = asyncio.create_task(two_parts())
        await asyncio.sleep(0)
        others = [asyncio.create_task(hashing.run(lambda: release.wait(30))) for _ in range(2)]
        await asyncio.sleep(0)
        release.set()
        assert await asyncio.gather(mine, *others) == [True] * 3

    asyncio.run(story())
    hashing.close()


def test_a_request_that_was_taken_on_is_not_refused_for_waiting_either() -> None:
    hashing = Hashing(threads=1, queue=2, patience=0.2)
    release = threading.Event()

    async def two_parts() -> bool:
        asker.set(Asker("192.0.2.1"))
        return await hashing.run(lambda: True) and await hashing.run(lambda: True)

    async def story() -> None:
        mine = asyncio.create_task(two_parts())
        await asyncio.sleep(0)
        other = asyncio.create_task(hashing.run(lambda: release.wait(30)))
        await asyncio.sleep(1)
        assert not mine.done()
        release.set()
        assert await mine
        assert await other

    asyncio.run(story())
    hashing.close()


def test_a_client_that_hangs_up_leaves_no_work_behind(
    shared_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared_server.add_user("PATIENT", "vellum orbit quartz")
    hashing = shared_server.identity.hashing
    tried: list[str] = []
    real = hashing.hasher.verify

    def verify(secret: str, password: str) -> bool:
        tried.append(password)
        return real(secret, password)

    monkeypatch.setattr(hashing.hasher, "verify", verify)
    release, work = _full(hashing, shared_server.loop, free=1)
    waiting = hashing.waiting
    body = sign_in("PATIENT", "of nobody who listens").encode()
    with socket.create_connection((shared_server.host, shared_server.port)) as leaving:
        leaving.sendall(
            b"POST /Remote/Services88/SoPrincipal.svc HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: text/xml; charset=utf-8\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        for _ in range(1000):
            if hashing.waiting > waiting:
                break
            time.sleep(0.01)
        assert hashing.waiting == waiting + 1
        leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for _ in range(3):  # by then the server has seen it
        assert shared_server.request("GET", "/-/health/live").status == 200
    release.set()
    work.result(30)
    assert shared_server.sign_in("PATIENT", "vellum orbit quartz") is not None
    assert tried == ["vellum orbit quartz"]
