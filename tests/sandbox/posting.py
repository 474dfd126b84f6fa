"""A client for tests of the sandbox: raw messages over real HTTP."""

import http.client
from typing import Any
from urllib.parse import urlsplit

from services88.sandbox.services import Services88
from tests.running import Reply, change_own, sign_in

__all__ = ["change", "exchange", "get_ticket", "post", "request"]


def request(
    url: str,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """Send one request on a connection of its own."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 0, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        content = response.read()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, found, content)
    finally:
        connection.close()


def post(
    services88: Services88,
    agent: str,
    message: str | bytes,
    content_type: str | None = "text/xml; charset=utf-8",
    path: str | None = None,
    **headers: str,
) -> Reply:
    """Post a message to a service of the tenant."""
    body = message.encode() if isinstance(message, str) else message
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type is not None:
        named["Content-Type"] = content_type
    where = path or f"/{services88.tenant}/Remote/Services88/{agent}.svc"
    return request(services88.server_url, "POST", where, body, named)


def get_ticket(services88: Services88, name: str, password: str) -> str:
    """Sign in, which must succeed."""
    ticket = post(services88, "SoPrincipal", sign_in(name, password)).text("Ticket")
    assert ticket
    return ticket


def change(services88: Services88, ticket: str, old: str, new: str, **headers: str) -> Reply:
    """Change the own password."""
    return post(services88, "User", change_own(ticket, old, new), **headers)


def exchange(services88: Services88, **wanted: Any) -> Any:
    """Give the newest exchange."""
    return services88.calls(**wanted)[-1]
