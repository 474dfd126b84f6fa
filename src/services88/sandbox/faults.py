"""Faults on demand: what goes wrong, at which call, and how often."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from services88.sandbox.operations import OperationName

__all__ = [
    "Busy",
    "Delay",
    "Effect",
    "EmptyReply",
    "ExceptionInfo",
    "ExpiredTicket",
    "Faults",
    "HttpStatus",
    "Planned",
    "Reset",
    "Rule",
    "SoapFault",
    "TruncatedXml",
    "Works",
]


class _Effect(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Works(_Effect):
    """Nothing goes wrong: a place in a sequence."""

    kind: Literal["works"] = "works"


class Delay(_Effect):
    """The call is carried out so much later."""

    kind: Literal["delay"] = "delay"
    seconds: float = Field(ge=0, le=600, description="How long the call waits.")


class _MayBeDone(_Effect):
    after_call: bool = Field(
        default=False,
        description="Whether the call is carried out first, so that only its answer is lost.",
    )


class Reset(_MayBeDone):
    """The connection is reset (TCP RST) instead of an answer."""

    kind: Literal["reset"] = "reset"


class EmptyReply(_MayBeDone):
    """The connection is closed without a byte of an answer."""

    kind: Literal["empty_reply"] = "empty_reply"


class TruncatedXml(_Effect):
    """The call is carried out; of its answer comes only a part, which is no XML."""

    kind: Literal["truncated_xml"] = "truncated_xml"
    keep: float = Field(default=0.5, gt=0, lt=1, description="Which part of the answer comes.")


class HttpStatus(_MayBeDone):
    """An answer of HTTP alone, as a proxy in front would give."""

    kind: Literal["http_status"] = "http_status"
    status: int = Field(default=503, ge=400, le=599, description="The status.")
    body: str = Field(default="", max_length=65_536, description="Text of the answer.")
    retry_after: int | None = Field(
        default=None, ge=0, description="Seconds in a Retry-After header."
    )


class SoapFault(_Effect):
    """A SOAP fault."""

    kind: Literal["soap_fault"] = "soap_fault"
    code: Literal["client", "server"] = Field(default="server", description="Who is to mend it.")
    reason: str = Field(
        default="The sandbox was told to fail.", description="faultstring, or Reason."
    )


class ExceptionInfo(_Effect):
    """A refusal in the header ExceptionInfo, of a type of your choice."""

    kind: Literal["exception"] = "exception"
    exception_type: str = Field(
        default="SuperOffice.Exceptions.SoIllegalOperationException", description="ExceptionType."
    )
    message: str = Field(
        default="The sandbox was told to refuse.", description="Message, FriendlyText."
    )
    parameters: dict[str, str] = Field(default_factory=dict, description="Parameters.")


class ExpiredTicket(_Effect):
    """A refusal as of a ticket that has expired. The ticket itself stays as it is."""

    kind: Literal["expired_ticket"] = "expired_ticket"


class Busy(_Effect):
    """The answer of a server that has too much to do: 503 with Retry-After, nothing was done."""

    kind: Literal["busy"] = "busy"
    retry_after: int = Field(
        default=1, ge=0, le=3600, description="Seconds in the Retry-After header."
    )


Effect: TypeAlias = Annotated[
    Works
    | Delay
    | Reset
    | EmptyReply
    | TruncatedXml
    | HttpStatus
    | SoapFault
    | ExceptionInfo
    | ExpiredTicket
    | Busy,
    Field(discriminator="kind"),
]


class Rule(BaseModel):
    """Which calls meet which effects. Calls are those that operation and user fit.

    The first ``nth - 1`` of them work; the next meets the first effect, the one after it the
    second, and so on. ``times`` says how often the sequence is gone through.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    effects: list[Effect] = Field(min_length=1, max_length=100, description="One after another.")
    operation: OperationName | None = Field(
        default=None, description="Name of the operation; any where left out."
    )
    user: str | None = Field(
        default=None, description="Sign-in name of the caller; any where left out."
    )
    nth: int = Field(default=1, ge=1, description="The first call that is concerned.")
    times: int | None = Field(
        default=1, ge=1, description="How often the sequence runs; null: for ever."
    )


@dataclass(slots=True)
class Planned:
    """A rule in force, and how many calls it has seen.

    :ivar id: Names it for removing.
    """

    id: int
    rule: Rule
    seen: int = 0

    @property
    def spent(self) -> bool:
        """Whether no call meets an effect of it any more."""
        rule = self.rule
        return rule.times is not None and self.seen >= (
            rule.nth - 1 + rule.times * len(rule.effects)
        )

    def fits(self, operation: str | None, user: str | None) -> bool:
        """Say whether a call is one of those that the rule is about."""
        wanted = self.rule
        return (wanted.operation is None or wanted.operation == operation) and (
            wanted.user is None or wanted.user.casefold() == (user or "").casefold()
        )

    def take(self) -> Effect | None:
        """Count a call and give what it meets."""
        self.seen += 1
        position = self.seen - self.rule.nth
        if position < 0 or (
            self.rule.times is not None and position >= self.rule.times * len(self.rule.effects)
        ):
            return None
        return self.rule.effects[position % len(self.rule.effects)]


class Faults:
    """The rules of one tenant, in the order they were made. Each call meets one of them at most."""

    def __init__(self) -> None:
        self._planned: list[Planned] = []
        self._last = 0

    def add(self, rule: Rule) -> Planned:
        """Put a rule in force."""
        self._last += 1
        planned = Planned(self._last, rule)
        self._planned.append(planned)
        return planned

    def remove(self, id: int) -> bool:
        """Put a rule out of force; False where there is none of that number."""
        left = [one for one in self._planned if one.id != id]
        found = len(left) < len(self._planned)
        self._planned = left
        return found

    def clear(self) -> None:
        """Put all rules out of force."""
        self._planned.clear()

    def listing(self) -> list[Planned]:
        """List the rules in force, spent ones too."""
        return list(self._planned)

    def kept(self) -> tuple[Planned, ...]:
        """Give what :meth:`restore` takes: the rules in force, and how far each has come."""
        return tuple(replace(one) for one in self._planned)

    def restore(self, kept: Iterable[Planned]) -> None:
        """Put exactly these in force, as far as they had come then, under the same numbers."""
        self._planned = [replace(one) for one in kept]

    def next(self, operation: str | None, user: str | None) -> Effect | None:
        """Count a call and give what it meets; None where it works.

        Every rule that fits counts the call, until one of them has an effect for it.
        """
        for planned in self._planned:
            if planned.spent or not planned.fits(operation, user):
                continue
            effect = planned.take()
            if effect is not None:
                return None if isinstance(effect, Works) else effect
        return None
