"""Keeps web pages away from the admin API: it can do anything, and asks for no password.

A page that a developer happens to visit can make their browser send requests to this machine. By a
name of its own that leads here (DNS rebinding) it could read the answers as well, hence only known
host names are served; across origins it cannot send ``application/json`` unasked, hence nothing
else changes anything (OWASP: Cross-Site Request Forgery Prevention Cheat Sheet).
"""

import json
import re
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from services88.web.http import MediaType, header, send_response

__all__ = ["PREFIX", "Guard"]

PREFIX = "/__sandbox"
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_ANY = ("0.0.0.0", "::", "[::]")  # noqa: S104 - names nobody reaches a server by
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PORT = re.compile(r":[0-9]{1,5}\Z")


class Guard:
    """Middleware, the outermost: it looks at the Host of the connection, not at a forwarded one."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str]) -> None:
        """Wrap an application. ``hosts`` are names to accept beside those of the loopback."""
        self._app = app
        self.hosts = frozenset(
            _bare(host) for host in (*_LOOPBACK, *hosts) if host and host not in _ANY
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and _is_ours(scope["path"]):
            refused = self._refusal(scope)
            if refused is not None:
                status, error, remedy = refused
                body = json.dumps({"error": error, "remedy": remedy}).encode()
                await send_response(send, status, "application/json", body)
                return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str, str] | None:
        host = _bare(header(scope, b"host") or "")
        if host not in self.hosts:
            return (
                403,
                "This host name is not one of the sandbox's.",
                "Use 127.0.0.1 or localhost, or start the sandbox with --allow-host NAME.",
            )
        if scope["method"] in _SAFE:
            return None
        origin = header(scope, b"origin")
        if origin is not None and _bare(origin.partition("://")[2]) not in self.hosts:
            return (
                403,
                "A page of another origin may not drive the sandbox.",
                "Send the request from a program, or from a page of the sandbox.",
            )
        if MediaType.of(header(scope, b"content-type") or "").name != "application/json":
            return (
                415,
                "What changes something must be sent as application/json.",
                "Add the header Content-Type: application/json; the body may be empty.",
            )
        return None


def _is_ours(path: str) -> bool:
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def _bare(host: str) -> str:
    """Give a host's name without its port, an IPv6 address in brackets."""
    host = host.strip().lower().rstrip(".")
    if host.count(":") > 1 and not host.startswith("["):
        return f"[{host}]"
    return _PORT.sub("", host)
