"""zeep, the SOAP client of Python."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import zeep
from zeep.helpers import serialize_object

from interop.client import Addresses, Answer

# mypy: allow-untyped-calls

__all__ = ["zeep_client"]


class ZeepClient:
    """Services by agent."""

    def __init__(self, addresses: Addresses, transport: zeep.Transport) -> None:
        self._services: dict[str, Any] = {}
        for agent, address in addresses.items():
            client = zeep.Client(address.wsdl, transport=transport)
            self._services[agent] = client.service
            if address.endpoint is not None:
                (binding,) = client.wsdl.bindings
                self._services[agent] = client.create_service(binding, address.endpoint)

    def call(
        self,
        agent: str,
        operation: str,
        arguments: Mapping[str, Any],
        ticket: str | None = None,
        application_token: str | None = None,
    ) -> Answer:
        headers: dict[str, Any] = {}
        if application_token is not None:
            headers["ApplicationToken"] = application_token
        if ticket is not None:
            headers["Credentials"] = {"Ticket": ticket}
        answer = self._services[agent][operation](**arguments, _soapheaders=headers or None)
        return Answer(
            serialize_object(answer.body, dict),
            serialize_object(answer.header, dict),
        )


@contextmanager
def zeep_client(addresses: Addresses) -> Iterator[ZeepClient]:
    """Make the client, and close its connections at the end."""
    transport = zeep.Transport()
    try:
        yield ZeepClient(addresses, transport)
    finally:
        transport.session.close()
