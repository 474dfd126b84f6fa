"""What the tests ask of a SOAP client, whichever it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Addresses", "Answer", "Client", "WsdlAddress"]


@dataclass(frozen=True)
class WsdlAddress:
    """Where a client begins.

    :ivar wsdl: File or URL.
    :ivar endpoint: Overrides the ``soap:address``; None where the WSDL has the right one.
    """

    wsdl: str
    endpoint: str | None


Addresses = Mapping[str, WsdlAddress]
"""By agent."""


@dataclass(frozen=True)
class Answer:
    """An answer as the client hands it out; None for what it found nil or absent."""

    body: Mapping[str, Any] | None
    header: Mapping[str, Any]

    @property
    def result(self) -> Any:
        return self.body.get("Response") if self.body else None

    @property
    def succeeded(self) -> bool:
        """Some clients hand out headers as text, whatever their type."""
        return {True: True, "true": True, False: False, "false": False}[self.header["Succeeded"]]

    @property
    def exception(self) -> Mapping[str, Any] | None:
        """The ExceptionInfo. Some make an empty object of one that is nil."""
        found = self.header.get("ExceptionInfo")
        return found if found and found["Message"] is not None else None

    @property
    def extra(self) -> dict[str, str]:
        held = (self.header.get("ExtraInfo") or {}).get("ExtraInfoNameValuePair") or []
        pairs = held if isinstance(held, list) else [held]
        return {pair["Key"]: pair["Value"] for pair in pairs}


class Client(Protocol):
    """A SOAP client with the two services."""

    def call(
        self,
        agent: str,
        operation: str,
        arguments: Mapping[str, Any],
        ticket: str | None = None,
        application_token: str | None = None,
    ) -> Answer:
        """Make a call, with header blocks for the ticket and the token that there are."""
