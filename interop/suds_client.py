"""suds (the package suds-community): the other SOAP client of Python."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.sax.saxutils import escape

from interop.client import Addresses, Answer

# mypy: allow-untyped-calls

__all__ = ["suds_client"]


class SudsClient:
    """Clients by agent."""

    def __init__(self, addresses: Addresses, cache: str) -> None:
        from suds.cache import ObjectCache
        from suds.client import Client

        self._clients: dict[str, Any] = {}
        for agent, address in addresses.items():
            url = address.wsdl if "://" in address.wsdl else Path(address.wsdl).as_uri()
            client = Client(url, cache=ObjectCache(cache))
            if address.endpoint is not None:
                client.set_options(location=address.endpoint)
            self._clients[agent] = client

    def call(
        self,
        agent: str,
        operation: str,
        arguments: Mapping[str, Any],
        ticket: str | None = None,
        application_token: str | None = None,
    ) -> Answer:
        from suds.sax.text import Raw

        client = self._clients[agent]
        headers: dict[str, Any] = {}
        if application_token is not None:
            headers["ApplicationToken"] = application_token
        if ticket is not None:
            headers["Credentials"] = {"Ticket": ticket}
        client.set_options(soapheaders=headers)
        # It takes text that holds "&amp;" for escaped already, so escape what it is given.
        given = {
            key: Raw(escape(value)) if isinstance(value, str) else value
            for key, value in arguments.items()
        }
        body = _plain(getattr(client.service, operation)(**given))
        # It hands out a body of one field as that field, and headers only as XML.
        if not isinstance(body, dict) or "AuthenticationSucceeded" not in body:
            body = {"SystemInfo" if operation == "GetSystemInfo" else "Response": body}
        header = client.last_received().getChild("Envelope").getChild("Header")
        return Answer(body, {block.name: _value(block) for block in header.getChildren()})


def _plain(value: Any) -> Any:
    """Make dictionaries and plain text of what suds makes."""
    from suds.sudsobject import Object, asdict

    if isinstance(value, Object):
        return {key: _plain(held) for key, held in asdict(value).items()}
    if isinstance(value, list):
        return [_plain(held) for held in value]
    return str(value) if isinstance(value, str) else value


def _value(element: Any) -> Any:
    """Make a dictionary of a header block; None for one that is nil."""
    if element.isnil():
        return None
    children = element.getChildren()
    if not children:
        return str(element.getText() or "")
    values: dict[str, Any] = {}
    for child in children:
        values.setdefault(child.name, []).append(_value(child))
    return {key: held[0] if len(held) == 1 else held for key, held in values.items()}


@contextmanager
def suds_client(addresses: Addresses) -> Iterator[SudsClient]:
    """Make the client, with a cache of its own."""
    with TemporaryDirectory() as cache:
        yield SudsClient(addresses, cache)
