"""Values that test controls take and return, as Python, the admin API and seed files have them."""

from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services88.identity.policy import Preset
from services88.sandbox.faults import Rule

__all__ = [
    "AcceptsAnswer",
    "ApplicationTokenIn",
    "ApplicationTokenOut",
    "Arguments",
    "ClockChange",
    "ClockOut",
    "Count",
    "FaultOut",
    "Health",
    "Model",
    "Moment",
    "Named",
    "Options",
    "Password",
    "PolicyOut",
    "TenantOut",
    "UserName",
    "UserOut",
    "UserType",
    "from_milliseconds",
    "to_milliseconds",
]


class Model(BaseModel):
    """Base of all: unknown fields are errors, since a misspelt one would do nothing silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Arguments(Model):
    """What a test control is passed. Neither errors nor ``repr`` show it: there may be a secret."""

    model_config = ConfigDict(hide_input_in_errors=True)

    def __repr_args__(self) -> list[tuple[str | None, object]]:
        """Return nothing to show."""
        return []


def _with_zone(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)


Moment: TypeAlias = Annotated[datetime, AfterValidator(_with_zone)]
"""A time; UTC where it names no zone."""
UserName: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=254)]
UserType: TypeAlias = Literal["employee", "resource", "external_person", "anonymous", "system"]
Password: TypeAlias = Annotated[str, StringConstraints(max_length=1024)]


def from_milliseconds(value: int) -> datetime:
    """Return a time of ours as one of Python's."""
    return datetime.fromtimestamp(value / 1000, UTC)


def to_milliseconds(value: datetime) -> int:
    """Return a time of Python's as one of ours."""
    return round(_with_zone(value).timestamp() * 1000)


class Health(Model):
    """The sandbox answers."""

    status: Literal["ok"] = "ok"


class Count(Model):
    """A number of things."""

    count: int


class Named(Model):
    """A name."""

    name: str = Field(min_length=1, max_length=100)


class AcceptsAnswer(Model):
    """Whether a password would be accepted."""

    accepts: bool = Field(description="Whether the user would be signed in with it now.")


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


class ApplicationTokenIn(Arguments):
    """An application token to issue."""

    name: str = Field(min_length=1, max_length=99, description="Name of the application.")
    token: str | None = Field(
        default=None, min_length=1, max_length=254, description="The token; else a random one."
    )


class ApplicationTokenOut(Model):
    """An application token."""

    id: int
    name: str
    token: str | None = Field(
        default=None, repr=False, description="The token; returned once, when it is issued."
    )
    revoked: bool


class PolicyOut(Model):
    """The active rules."""

    preset: Preset
    minimum_length: int | None
    history: int
    preference: str | None
    rules: list[str] = Field(description="What is required, for people.")


class Options(Model):
    """Choices of the tenant's operator."""

    application_tokens: bool
    password_refusals: Literal["boolean", "exception"]
    administrators_may_choose_passwords: bool
    allow_admin_blank_old_password: bool


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
    """An active rule, and what it has seen."""

    id: int
    rule: Rule
    seen: int = Field(description="Calls that fitted it so far.")
    spent: bool = Field(description="Whether no call meets an effect of it any more.")


class TenantOut(Model):
    """A tenant, as things are."""

    name: str
    company: str
    path: str = Field(description="Where its services are: add /User.svc or /SoPrincipal.svc.")
    users: int
    exchanges: int = Field(description="Exchanges in the journal.")
    clock: ClockOut
    options: Options
    snapshots: list[str]
