"""A call and its answer as typed values: what every wire format is read into and written from.

They are not frozen: two are made with every call, and freezing takes longer than making.
"""

from dataclasses import dataclass, field

from services88.contract.headers import SoCredentials, SoExceptionInfo, SoTimeZone
from services88.contract.model import Operation

__all__ = ["UTC", "Answer", "Request"]

UTC = SoTimeZone(so_time_zone_id=1)
"""The zone in which dates are given and read where the caller names none."""


@dataclass(slots=True)
class Request:
    """A call as it arrived. Its arguments may hold passwords, so ``repr`` leaves them out."""

    operation: Operation
    arguments: dict[str, object] = field(repr=False)
    application_token: str | None = field(default=None, repr=False)
    credentials: SoCredentials | None = None
    time_zone: SoTimeZone | None = None


@dataclass(slots=True)
class Answer:
    """What goes back.

    :ivar result: The value of the one field of the response, or the message of several. Where the
        call was refused it does not matter: every field is sent with its default.
    :ivar refused: Why the call was refused; None where it succeeded.
    :ivar extra: Facts beside the result, by documented keys.
    """

    result: object = field(default=None, repr=False)
    refused: SoExceptionInfo | None = None
    extra: dict[str, str | None] | None = None
    time_zone: SoTimeZone = field(default_factory=lambda: UTC)
