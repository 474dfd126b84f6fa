"""The journal: every exchange of a tenant, as it was on the wire and as it was understood.

Bounded by number and by bytes: the oldest exchanges go first. All methods belong to the loop of
the server; what tells an exchange from others is in :class:`Filter`.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, PlainSerializer, TypeAdapter, computed_field

__all__ = ["Cleared", "Exchange", "Filter", "Journal", "NearMiss", "Outcome"]

Outcome: TypeAlias = Literal["succeeded", "refused", "fault", "http", "broken"]
"""How an exchange ended: the operation was carried out; it was refused (in ExceptionInfo, or as a
boolean ``false`` with a reason); a SOAP fault; an answer of HTTP alone; no answer at all."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Where a message departs from the contract."""

    code: Annotated[str, Field(description="Names the kind of departure. Never renamed.")]
    message: Annotated[str, Field(description="The whole, for a person.")]
    sent: Annotated[str, Field(description="What the message holds. Never a secret.")]
    expected: Annotated[str, Field(description="What the contract says.")]
    accepted: Annotated[bool, Field(description="Whether the message was read in spite of it.")]


_Bytes: TypeAlias = Annotated[
    bytes, PlainSerializer(lambda value: value.decode("utf-8", "replace"), return_type=str)
]
"""In JSON it is text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and what came of it.

    Secrets are masked unless the sandbox was told to keep them.
    """

    id: Annotated[int, Field(description="Rises with every exchange, whatever its tenant.")]
    tenant: str
    at: Annotated[int, Field(description="By the tenant's clock, milliseconds since 1970 UTC.")]
    received: Annotated[int, Field(description="By the machine's clock.")]
    duration_ms: float
    client: str
    method: str
    path: Annotated[str, Field(description="As it was asked for, with the query.")]
    request_headers: tuple[tuple[str, str], ...]
    request: Annotated[_Bytes, Field(description="The body, secrets masked.")] = field(repr=False)
    status: Annotated[int | None, Field(description="null: the connection broke.")]
    response_headers: tuple[tuple[str, str], ...]
    response: _Bytes = field(repr=False)
    agent: str | None
    operation: str | None
    user: Annotated[str | None, Field(description="Who called, or tried to sign in.")]
    arguments: Annotated[dict[str, object], Field(description="By their wire names, as read.")]
    outcome: Outcome
    reason: Annotated[str | None, Field(description="Why it did not succeed, for a person.")]
    exception_type: str | None
    near_misses: tuple[NearMiss, ...]
    fault: Annotated[str | None, Field(description="Kind of the fault that took effect.")]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def succeeded(self) -> bool:
        """Whether the operation was carried out."""
        return self.outcome == "succeeded"

    @property
    def size(self) -> int:
        """Bytes it takes in the journal, about."""
        headers = (*self.request_headers, *self.response_headers)
        return (
            len(self.request)
            + len(self.response)
            + sum(len(name) + len(value) for name, value in headers)
            + sum(len(one.message) + len(one.sent) + len(one.expected) for one in self.near_misses)
            + 1024
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as values that JSON has; bytes become text."""
        plain: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return plain


@cache
def _adapter() -> TypeAdapter[Exchange]:
    return TypeAdapter(Exchange)


@dataclass(frozen=True, slots=True)
class Cleared:
    """A journal was emptied, by whoever it was."""

    tenant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which exchanges are meant; what is None does not matter.

    :ivar operation: Its name, as ``ChangeOwnPassword``.
    :ivar user: The user's sign-in name, in any letter case.
    :ivar since: Milliseconds by the tenant's clock, itself included; ``until`` is not.
    """

    operation: str | None = None
    user: str | None = None
    outcome: Outcome | None = None
    since: int | None = None
    until: int | None = None

    def fits(self, exchange: Exchange) -> bool:
        """Say whether an exchange is one of those."""
        return (
            (self.operation is None or self.operation == exchange.operation)
            and (self.user is None or self.user.casefold() == (exchange.user or "").casefold())
            and (self.outcome is None or self.outcome == exchange.outcome)
            and (self.since is None or self.since <= exchange.at)
            and (self.until is None or exchange.at < self.until)
        )


class Journal:
    """The exchanges of one tenant, oldest first."""

    def __init__(
        self,
        tenant: str,
        tell: Callable[[Exchange | Cleared], None],
        *,
        most: int = 1000,
        most_bytes: int = 8 * 1024 * 1024,
    ) -> None:
        """Begin an empty one.

        :param tell: Is told of what is written down, and that all was forgotten.
        """
        self._tenant, self._tell = tenant, tell
        self._most, self._most_bytes = most, most_bytes
        self._exchanges: deque[Exchange] = deque()
        self._bytes = 0
        self._listeners: set[Callable[[Exchange], None]] = set()

    def add(self, exchange: Exchange) -> None:
        """Write down an exchange, and forget the oldest where there are too many."""
        self._exchanges.append(exchange)
        self._bytes += exchange.size
        while len(self._exchanges) > self._most or (
            self._bytes > self._most_bytes and len(self._exchanges) > 1
        ):
            self._bytes -= self._exchanges.popleft().size
        for listener in tuple(self._listeners):
            listener(exchange)
        self._tell(exchange)

    def find(self, *, limit: int | None = None, **wanted: Any) -> list[Exchange]:
        """List exchanges, oldest first.

        :param limit: How many at most, the newest of them.
        :param wanted: As the fields of :class:`Filter`.
        """
        which = Filter(**wanted)
        found = [one for one in self._exchanges if which.fits(one)]
        return found if limit is None else found[max(0, len(found) - limit) :]

    def get(self, id: int) -> Exchange | None:
        """Give an exchange by its number; None where it is not there, or not any more."""
        return next((one for one in self._exchanges if one.id == id), None)

    def count(self, **wanted: Any) -> int:
        """Count exchanges; as :meth:`find`."""
        return len(self.find(**wanted))

    def clear(self) -> None:
        """Forget all exchanges."""
        self._exchanges.clear()
        self._bytes = 0
        self._tell(Cleared(self._tenant))

    async def wait_for(
        self,
        *,
        count: int = 1,
        timeout: float = 5.0,  # noqa: ASYNC109 - the error says what came until then
        **wanted: Any,
    ) -> list[Exchange]:
        """Wait until there are so many exchanges, those before the call included.

        :param timeout: Seconds.
        :raises TimeoutError: There are too few by then; the text says how many.
        """
        came = asyncio.Event()

        def listener(_: Exchange) -> None:
            came.set()

        self._listeners.add(listener)
        try:
            async with asyncio.timeout(timeout):
                while len(found := self.find(**wanted)) < count:
                    came.clear()
                    await came.wait()
                return found
        except TimeoutError:
            asked = ", ".join(f"{k}={v}" for k, v in wanted.items() if v is not None)
            raise TimeoutError(
                f"After {timeout} seconds there are {self.count(**wanted)} exchanges "
                f"({asked or 'of any kind'}), not {count}."
            ) from None
        finally:
            self._listeners.discard(listener)
