"""Keeps web pages away from the sandbox: its admin API asks for no password, its users' are public.

A page that a developer happens to visit can make their browser send requests to this machine. By a
name of its own that leads here (DNS rebinding) it could read the responses as well, hence all of
the sandbox answers to its own names only; across origins a page cannot send ``application/json``
unasked, hence nothing else changes anything in the admin API (OWASP: Cross-Site Request Forgery
Prevention Cheat Sheet; the services and pages are what they are on a real server).
"""

import json
import logging
import re
from collections.abc import Iterable
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from services88.web.http import MediaType, header, send_response

__all__ = ["PREFIX", "Guard"]

PREFIX = "/__sandbox"
_LOOPBACK = ("localhost",)
_ANY = ("0.0.0.0", "::", "[::]")  # noqa: S104 - names nobody reaches a server by
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PORT = re.compile(r":[0-9]{1,5}\Z")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_MOST_LOGGED = 20
"""Names that are logged: whoever sends more of them knows what they do."""

_log = logging.getLogger("services88.sandbox")


class Guard:
    """Middleware, the outermost: it looks at the Host of the connection, not at a forwarded one.

    Accepted are ``localhost``, every loopback address, the address that the connection was made to,
    and the names given. To reach the sandbox by an address, a page must have come from there, so an
    address is no way for DNS rebinding.
    """

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str]) -> None:
        """Wrap an application. ``hosts`` are names to accept beside those of the loopback."""
        self._app = app
        self.hosts = frozenset(
            _bare(host) for host in (*_LOOPBACK, *hosts) if host and host not in _ANY
        )
        self._logged: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            is_api = _is_api(scope["path"])
            refused = self._refusal(scope, is_api=is_api)
            if refused is not None:
                status, error, remedy = refused
                if is_api:
                    media = "application/json"
                    body = json.dumps({"error": error, "remedy": remedy}).encode()
                else:
                    media = "text/plain; charset=utf-8"
                    body = f"{error} {remedy}\n".encode()
                without = scope["method"] == "HEAD"
                await send_response(send, status, media, body, without_body=without)
                return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, *, is_api: bool) -> tuple[int, str, str] | None:
        host = _bare(header(scope, b"host") or "")
        if not self._is_own(host, scope):
            name = host if _NAME.fullmatch(host) else "NAME"
            self._log_once(name)
            return (
                403,
                "This host name is not one of the sandbox's.",
                f"Use 127.0.0.1 or localhost, or start the sandbox with --allow-host {name} "
                f'(in Python: serving(allowed_hosts=["{name}"])).',
            )
        if not is_api or scope["method"] in _SAFE:
            return None
        origin = header(scope, b"origin")
        if origin is not None and not self._is_own(_bare(origin.partition("://")[2]), scope):
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

    def _is_own(self, host: str, scope: Scope) -> bool:
        if host in self.hosts:
            return True
        try:
            address = ip_address(host.strip("[]"))
        except ValueError:
            return False
        server = scope.get("server")
        return address.is_loopback or (server is not None and _bare(server[0]) == host)

    def _log_once(self, name: str) -> None:
        """Log a refused name; a client often shows its user the status alone."""
        if name not in self._logged and len(self._logged) < _MOST_LOGGED:
            self._logged.add(name)
            _log.warning(
                "requests for the host %s are refused: start the sandbox with --allow-host %s "
                "where that is a name of its own",
                name,
                name,
            )


def _is_api(path: str) -> bool:
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def _bare(host: str) -> str:
    """Return a host's name without its port, an IPv6 address in brackets."""
    host = host.strip().lower().rstrip(".")
    if host.count(":") > 1 and not host.startswith("["):
        return f"[{host}]"
    return _PORT.sub("", host)
