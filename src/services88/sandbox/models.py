"""What can be asked of a sandbox, as typed values: the API, the seed file and Python share them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services88.identity.policy import Preset
from services88.sandbox.faults import Rule
from services88.sandbox.journal import Outcome
from services88.sandbox.operations import OperationName

__all__ = [
    "AcceptsAnswer",
    "AcceptsQuestion",
    "ApplicationTokenIn",
    "ApplicationTokenOut",
    "ClockChange",
    "ClockOut",
    "FaultOut",
    "JournalQuery",
    "Model",
    "OptionsChange",
    "PolicyChange",
    "PolicyOut",
    "TenantIn",
    "TenantOut",
    "UserChange",
    "UserIn",
    "UserOut",
    "WaitQuery",
    "from_milliseconds",
    "to_milliseconds",
]


class Model(BaseModel):
    """Base of all: unknown fields are errors, since a misspelt one would do nothing silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _WithSecret(Model):
    """Holds a secret: what cannot be used is not quoted, in a test's failure report neither."""

    model_config = ConfigDict(hide_input_in_errors=True)


def _with_zone(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_with_zone)]
"""A time; UTC where it names no zone."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=254)]
TenantName = Annotated[str, StringConstraints(min_length=1, max_length=64)]


def from_milliseconds(value: int) -> datetime:
    """Give a time of ours as one of Python's."""
    return datetime.fromtimestamp(value / 1000, UTC)


def to_milliseconds(value: datetime) -> int:
    """Give a time of Python's as one of ours."""
    return round(_with_zone(value).timestamp() * 1000)


class UserIn(_WithSecret):
    """A user to add. The password rules of the tenant are not asked: this sets a scene."""

    name: Name = Field(description="Sign-in name.")
    password: str | None = Field(
        default=None,
        max_length=1024,
        repr=False,
        description="Password; without one nobody signs in.",
    )
    role: str | None = Field(
        default=None,
        description='Name of a role, as "Administrator"; the tenant\'s default role else.',
    )
    type: Literal["employee", "resource", "external_person", "anonymous", "system"] = Field(
        default="employee", description="Kind of user."
    )
    firstname: str = Field(default="", max_length=99, description="First name.")
    lastname: str = Field(default="", max_length=99, description="Last name.")
    email: str = Field(default="", max_length=254, description="E-mail address.")
    retired: bool = Field(default=False, description="Whether retired: may not sign in.")


class UserChange(_WithSecret):
    """What is to be otherwise with a user; what is left out stays."""

    password: str | None = Field(
        default=None, max_length=1024, repr=False, description="New password; ends all tickets."
    )
    retired: bool | None = Field(
        default=None, description="Retire, which ends all tickets; or take back."
    )
    unlock: Literal[True] | None = Field(default=None, description="Forget wrong passwords.")


class UserOut(Model):
    """A user, as things are."""

    id: int = Field(description="associate.associate_id.")
    name: str
    type: str
    role: str
    firstname: str
    lastname: str
    email: str
    retired: bool
    has_password: bool
    failures: int = Field(description="Wrong passwords in a row.")
    disabled: bool = Field(description="Whether too many of them disabled the password.")
    tickets: int = Field(description="Tickets that are valid now.")
    last_sign_in: datetime | None
    password_changed: datetime | None


class AcceptsQuestion(_WithSecret):
    """A password that might be a user's."""

    password: str = Field(max_length=1024, repr=False)


class AcceptsAnswer(Model):
    """Whether it is."""

    accepts: bool = Field(description="Whether the user would be signed in with it now.")


class ApplicationTokenIn(_WithSecret):
    """An application token to issue."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=99)] = Field(
        description="Name of the application."
    )
    token: str | None = Field(
        default=None,
        min_length=1,
        max_length=254,
        repr=False,
        description="The token; else a random one.",
    )


class ApplicationTokenOut(Model):
    """An application token."""

    id: int
    name: str
    token: str | None = Field(
        default=None, repr=False, description="The token; given once, when it is issued."
    )
    revoked: bool


class PolicyChange(Model):
    """Rules for new passwords; what is left out stays."""

    preset: Preset | None = Field(default=None, description="Where to begin.")
    minimum_length: int | None = Field(
        default=None, ge=1, le=1024, description="Instead of the preset's."
    )
    history: int | None = Field(default=None, ge=0, le=24, description="Earlier passwords refused.")
    preference: str | None = Field(
        default=None,
        max_length=254,
        description="The vendor's preference string; empty removes it.",
    )


class PolicyOut(Model):
    """The rules in force."""

    preset: Preset
    minimum_length: int | None
    history: int
    preference: str | None
    rules: list[str] = Field(description="What is asked, for people.")


class OptionsChange(Model):
    """Choices of the tenant's operator; what is left out stays."""

    application_tokens: bool | None = Field(
        default=None,
        description="Whether every call needs an application token (an Online installation).",
    )
    password_refusals: Literal["boolean", "exception"] | None = Field(
        default=None, description="How a refused password is told."
    )
    administrators_may_choose_passwords: bool | None = Field(
        default=None, description="Whether administrators may choose the passwords of others."
    )
    allow_admin_blank_old_password: bool | None = Field(
        default=None,
        description="Whether administrators may leave OldPassword blank for their own.",
    )


_LONGEST_MOVE = 300_000_000_000
"""Seconds: more than from 1970 to 9999."""


class ClockChange(Model):
    """How the tenant's clock is to go. Done in this order: reset, at, move, speed, frozen."""

    reset: bool = Field(default=False, description="Show the machine's time again.")
    at: Moment | None = Field(default=None, description="Show this time.")
    move_seconds: float | None = Field(
        default=None,
        ge=-_LONGEST_MOVE,
        le=_LONGEST_MOVE,
        description="Move by so much; negative: back.",
    )
    speed: float | None = Field(
        default=None, ge=0, le=1_000_000, description="Seconds in a second."
    )
    frozen: bool | None = Field(default=None, description="Stop it, or let it go on.")


class ClockOut(Model):
    """The tenant's clock."""

    now: datetime
    speed: float
    frozen: bool


class FaultOut(Model):
    """A rule in force, and what it has seen."""

    id: int
    rule: Rule
    seen: int = Field(description="Calls that fitted it so far.")
    spent: bool = Field(description="Whether no call meets an effect of it any more.")


class TenantIn(Model):
    """A tenant to add, with all it begins with."""

    name: TenantName = Field(description="The segment of its addresses.")
    company: str = Field(default="", max_length=254, description="Name of the customer.")
    users: list[UserIn] = Field(default_factory=list, fail_fast=True)
    application_tokens: list[ApplicationTokenIn] = Field(default_factory=list, fail_fast=True)
    policy: PolicyChange = Field(default=PolicyChange())
    options: OptionsChange = Field(default=OptionsChange())
    clock: ClockChange = Field(default=ClockChange())
    faults: list[Rule] = Field(default_factory=list, fail_fast=True)


class TenantOut(Model):
    """A tenant, as things are."""

    name: str
    company: str
    path: str = Field(description="Where its services stand: add /User.svc or /SoPrincipal.svc.")
    users: int
    exchanges: int = Field(description="Exchanges in the journal.")
    clock: ClockOut
    options: OptionsChange
    snapshots: list[str]


class JournalQuery(Model):
    """Which exchanges are meant; what is left out does not matter."""

    operation: OperationName | None = Field(default=None, description="Name of the operation.")
    user: str | None = Field(default=None, description="Sign-in name of the caller.")
    outcome: Outcome | None = Field(default=None, description="How the exchange ended.")
    since: Moment | None = Field(
        default=None, description="At or after this time of the tenant's clock."
    )
    until: Moment | None = Field(
        default=None, description="Before this time of the tenant's clock."
    )

    def wanted(self) -> dict[str, Any]:
        """Give it as the journal's own filter."""
        return {
            "operation": self.operation,
            "user": self.user,
            "outcome": self.outcome,
            "since": to_milliseconds(self.since) if self.since else None,
            "until": to_milliseconds(self.until) if self.until else None,
        }


class WaitQuery(JournalQuery):
    """Exchanges to wait for."""

    count: int = Field(default=1, ge=1, le=1000, description="How many.")
    timeout_seconds: float = Field(default=5.0, ge=0, le=60, description="How long at most.")
