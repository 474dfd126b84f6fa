"""The id of a request: every line logged for it and its answer carry it."""

import os
import re
from contextvars import ContextVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services88.web.addresses import TrustedProxies
from services88.web.http import header

__all__ = ["RequestIds", "request_id"]

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request under way; empty outside of one."""

_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIds:
    """Middleware: gives each request an id, or keeps the one that a trusted proxy gave it."""

    def __init__(self, app: ASGIApp, trusted: str) -> None:
        """Wrap an application. ``trusted`` is a comma-separated list of addresses and networks."""
        self._app = app
        self._trusted = TrustedProxies(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; its answer gets the header ``X-Request-Id``."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = header(scope, b"x-request-id")
        if given and _ACCEPTED.fullmatch(given) and self._trusted.sent(scope):
            chosen = given
        else:
            chosen = os.urandom(8).hex()
        request_id.set(chosen)
        of_answer = (b"x-request-id", chosen.encode())

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), of_answer]
            await send(message)

        await self._app(scope, receive, sending)
