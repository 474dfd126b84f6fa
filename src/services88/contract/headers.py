"""The SOAP headers: what a caller sends beside a message, and what comes back.

An operation answers in its body; that it was refused, and why, stands in the headers.
"""

from typing import Annotated

from services88.contract.model import (
    BOOLEAN,
    STRING,
    Complex,
    Dictionary,
    DictionaryType,
    Header,
    Secret,
    carrier,
    complex_type,
)


@carrier
class SoCredentials(Complex):
    """The caller's ticket."""

    ticket: Secret = None


@carrier
class SoTimeZone(Complex):
    """The time zone in which the caller gives and reads dates."""

    so_time_zone_id: int = 0
    so_time_zone_location_code: str | None = None


SoExceptionInfoParameters = Annotated[
    dict[str, str | None] | None,
    Dictionary("SoExceptionInfoParameters", item="SoExceptionInfoParametersKeyValuePair"),
]
"""Further details of a refusal."""


@carrier
class SoExceptionInfo(Complex):
    """Why a call was refused."""

    message: str | None = None
    stack_trace: str | None = None
    friendly_text: str | None = None
    exception_type: str | None = None
    source: str | None = None
    inner_exception: "SoExceptionInfo | None" = None
    parameters: SoExceptionInfoParameters = None


APPLICATION_TOKEN = Header("application_token", "ApplicationToken", STRING, secret=True)
"""Which application calls; needed on an Online installation only."""

CREDENTIALS = Header("credentials", "Credentials", complex_type(SoCredentials))
TIME_ZONE = Header("time_zone", "TimeZone", complex_type(SoTimeZone))
EXCEPTION_INFO = Header("exception_info", "ExceptionInfo", complex_type(SoExceptionInfo))
EXTRA_INFO = Header(
    "extra_info", "ExtraInfo", DictionaryType("SoExtraInfo", "ExtraInfoNameValuePair", STRING)
)
SUCCEEDED = Header("succeeded", "Succeeded", BOOLEAN)

RESPONSE_HEADERS = (EXCEPTION_INFO, EXTRA_INFO, SUCCEEDED, TIME_ZONE)
"""Both agents answer with these four, in this order."""
