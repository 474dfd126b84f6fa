"""``GET /-/health/live`` and ``/-/health/ready``: for whoever starts, stops and routes to servers.

Neither is logged nor audited, and neither tells more than one line.
"""

import logging

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from services88.identity.identity import Identity
from services88.store import migrate
from services88.store.errors import DatabaseUnavailable
from services88.store.revisions import revision
from services88.web.http import send_response

__all__ = ["HealthRoute"]

_log = logging.getLogger("services88.server")

_LIVE, _READY = "/-/health/live", "/-/health/ready"


class HealthRoute(BaseRoute):
    """Live: the process answers. Ready: so does its database, with the tables of this version."""

    def __init__(self, identity: Identity) -> None:
        """Watch over a domain."""
        self._identity = identity
        self._wanted = migrate.head()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a request is for this."""
        if scope["type"] == "http" and scope["path"] in (_LIVE, _READY):
            return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer a request."""
        headers: tuple[tuple[str, str], ...] = ()
        if scope["method"] not in ("GET", "HEAD"):
            status, text, headers = 405, "GET this.", (("allow", "GET, HEAD"),)
        elif scope["path"] == _READY:
            wrong = await self._wrong()
            status, text = (503, wrong) if wrong else (200, "ready")
        else:
            status, text = 200, "live"
        await send_response(
            send,
            status,
            "text/plain; charset=utf-8",
            f"{text}\n".encode(),
            headers,
            without_body=scope["method"] == "HEAD",
        )

    async def _wrong(self) -> str | None:
        try:
            found = await revision(self._identity.database)
        except DatabaseUnavailable:
            return "not ready: the database does not answer"
        except Exception:  # it answers, and not as one of ours would
            _log.exception("the revision of the database cannot be read")
            return "not ready: the database cannot be read; the log says why"
        if found != self._wanted:
            return f"not ready: the database is at revision {found or 'none'}, not {self._wanted}"
        return None
