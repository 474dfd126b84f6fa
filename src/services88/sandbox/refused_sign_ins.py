"""Why a sign-in was refused: the caller is not told, the journal is."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from services88.identity.observer import Observer

__all__ = ["Listening", "listening", "said"]

_heard: ContextVar[list[str] | None] = ContextVar("refused_sign_ins", default=None)

_WORDS = {
    "wrong-password": "the password is wrong.",
    "unknown-name": "the tenant has no user of this name.",
    "no-password": "the user has no password.",
    "retired": "the user is retired.",
    "not-approved": "the user waits for approval.",
    "password-disabled": "the password is right, but disabled after too many wrong ones.",
    "throttled": "after wrong passwords there is a wait, whatever the password. Move the clock.",
    "bad-ticket": "the ticket in place of the name is unknown or has expired.",
}


class Listening(Observer):
    """Tells whom it stands before, and whoever listens to the call under way."""

    def __init__(self, inner: Observer) -> None:
        self._inner = inner

    def call(self, agent: str, operation: str, outcome: str, seconds: float) -> None:
        """Pass it on."""
        self._inner.call(agent, operation, outcome, seconds)

    def throttled(self) -> None:
        """Pass it on."""
        self._inner.throttled()

    def disabled(self) -> None:
        """Pass it on."""
        self._inner.disabled()

    def not_signed_in(self, reason: str) -> None:
        """Pass it on, and keep it for the journal."""
        self._inner.not_signed_in(reason)
        heard = _heard.get()
        if heard is not None:
            heard.append(reason)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Give a list that fills with the reasons of what the block lets be refused."""
    heard: list[str] = []  # one for the tasks of the call as well, which have a copy of the context
    before = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(before)


def said(reasons: list[str]) -> str:
    """Say why nobody was signed in, for a person."""
    why = _WORDS.get(reasons[-1]) if reasons else None
    return f"Nobody was signed in: {why or 'the name or the password is wrong.'}"
