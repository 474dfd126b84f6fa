"""Addresses: which service and tenant a path means, and what the client calls the server."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send

from services88.contract import AGENTS
from services88.contract.model import Agent
from services88.web.http import header

__all__ = [
    "ForwardedHost",
    "ServiceAddress",
    "TrustedProxies",
    "base_url",
    "parse",
]

_PATH = re.compile(r"(?:/(?P<site>[^/]+))?/Remote/Services88/(?P<agent>[^/]+)\.svc", re.IGNORECASE)
_AGENTS = {name.casefold(): agent for name, agent in AGENTS.items()}
_HOST = re.compile(r"[A-Za-z0-9._\-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """The address of a service: ``[/{site}]/Remote/Services88/{agent}.svc``, in any letter case."""

    site: str | None
    agent: Agent
    path: str
    """As the client wrote it, escapes included, so that the WSDL can give it back."""


def parse(path: str) -> ServiceAddress | None:
    """Read a path; None where it is no service's."""
    return (_parse_kept if len(path) <= _KEPT else _parse)(path)


_KEPT = 200  # clients ask for the same few paths; longer ones are read each time, and not kept


def _parse(path: str) -> ServiceAddress | None:
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    agent = _AGENTS.get(match["agent"].casefold())
    return ServiceAddress(match["site"], agent, quote(path)) if agent else None


_parse_kept = lru_cache(1024)(_parse)


def base_url(scope: Scope, public_url: str | None) -> str:
    """Give the URL of the server as the client sees it, without a slash at the end."""
    if public_url:
        return public_url
    host = header(scope, b"host") or ""
    if not _HOST.fullmatch(host):
        server = scope.get("server") or ("localhost", None)
        name = f"[{server[0]}]" if ":" in server[0] else server[0]
        host = f"{name}:{server[1]}" if server[1] else name
    return f"{scope['scheme']}://{host}"


class TrustedProxies:
    """The proxies whose headers are believed."""

    def __init__(self, text: str) -> None:
        """Read a comma-separated list of addresses and networks."""
        self._networks = [
            ipaddress.ip_network(part.strip(), strict=False)
            for part in text.split(",")
            if part.strip()
        ]
        self._holds = lru_cache(256)(self._look)

    def sent(self, scope: Scope) -> bool:
        """Say whether a request comes from one of them."""
        client = scope.get("client")
        return client is not None and self._holds(client[0])

    def hold(self, host: str) -> bool:
        """Return whether an address is one of them."""
        return self._holds(host)

    def _look(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


class ForwardedHost:
    """Middleware: believes X-Forwarded-Host, from trusted proxies only.

    uvicorn's own middleware, which runs inside this one, does the same for the scheme and the
    client's address, and knows nothing of the host.
    """

    def __init__(self, app: ASGIApp, trusted: str) -> None:
        """Wrap an application. ``trusted`` is a comma-separated list of addresses and networks."""
        self._app = app
        self._trusted = TrustedProxies(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with the host that the client asked for."""
        given = header(scope, b"x-forwarded-host") if scope["type"] == "http" else None
        if given is not None and self._trusted.sent(scope):
            forwarded = given.split(",")[0].strip()
            if _HOST.fullmatch(forwarded):
                others = [(key, value) for key, value in scope["headers"] if key != b"host"]
                scope["headers"] = [(b"host", forwarded.encode("latin-1")), *others]
        await self._app(scope, receive, send)
