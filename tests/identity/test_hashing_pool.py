"""Hashing: says early when there is too much to do, and goes on afterwards."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from services88.identity.errors import ServerBusy
from services88.identity.hashing import Hasher, Hashing
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


def test_over_http_too_much_to_do_is_503_and_changes_nothing(
    shared_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared_server.add_user("BUSY", "vellum orbit quartz")
    ticket = shared_server.sign_in("BUSY", "vellum orbit quartz")
    assert ticket is not None
    with monkeypatch.context() as full:
        full.setattr(shared_server.identity.hashing, "_limit", 0)
        for agent, message in (
            ("SoPrincipal", sign_in("BUSY", "vellum orbit quartz")),
            ("SoPrincipal", sign_in("NOBODY", "vellum orbit quartz")),
            ("User", change_own(ticket, "vellum orbit quartz", "marble lantern fjord")),
        ):
            reply = shared_server.post(agent, message)
            assert reply.status == 503
            assert int(reply.headers["retry-after"]) > 0
            assert "too busy" in (reply.fault or "")
    assert shared_server.sign_in("BUSY", "marble lantern fjord") is None
    assert shared_server.sign_in("BUSY", "vellum orbit quartz") is not None
