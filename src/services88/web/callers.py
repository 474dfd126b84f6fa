"""Whose a request is, for what limits the work that is done for one caller."""

from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from services88.identity.guessing import place_of
from services88.identity.hashing import Asker, asker

__all__ = ["Callers"]


class Callers:
    """Middleware, after those that find out the address of the client."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            client = scope.get("client")
            # Of IPv6 the network: one customer has as many addresses as there are places.
            of = Asker(_placed(client[0]) if client else "")
            transport = scope.get("services88.transport")
            if transport is not None:
                of.left = transport.is_closing
            asker.set(of)
        await self._app(scope, receive, send)


def _placed(address: str) -> str:
    return (_place_of if len(address) <= _KEPT else place_of)(address)


_KEPT = 64  # a proxy may pass on what is no address
_place_of = lru_cache(1024)(place_of)
