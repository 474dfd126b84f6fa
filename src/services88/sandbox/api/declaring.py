"""How an endpoint of the admin API is declared."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from services88.sandbox.control import Control
from services88.sandbox.worlds import Sandbox

__all__ = ["Endpoint", "Given"]


@dataclass(frozen=True, slots=True)
class Given:
    """What came with a request, checked.

    :ivar path: The parameters of the path.
    :ivar query: The query, as the declared model; None where none is declared.
    :ivar body: The body, likewise.
    """

    sandbox: Sandbox
    path: dict[str, str]
    query: Any = None
    body: Any = None

    async def control(self) -> Control:
        """Give the control of the tenant that the path names.

        :raises LookupError: There is no such tenant.
        """
        return Control(await self.sandbox.named(self.path["tenant"]))

    def number(self, name: str) -> int:
        """Give a parameter of the path that is a number.

        :raises LookupError: It is none, so nothing has it.
        """
        text = self.path[name]
        if not text.isdecimal() or not text.isascii() or len(text) > _LONGEST_NUMBER:
            raise LookupError(f"{name} is a number, as the listing gives it.")
        return int(text)


_LONGEST_NUMBER = 9


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint.

    :ivar path: Below ``/__sandbox``, with ``{parameters}``.
    :ivar answer: The model of a successful answer; None for 204 without a body.
    :ivar several: Whether the answer is a list of those.
    """

    method: str
    path: str
    name: str
    summary: str
    work: Callable[[Given], Awaitable[Any]]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    several: bool = False
    status: int = 200
    also: dict[int, str] = field(default_factory=dict)
    """Answers that are errors, beside those that every endpoint has."""
