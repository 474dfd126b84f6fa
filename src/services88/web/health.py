"""``GET /-/health/live`` and ``/-/health/ready``: for whoever starts, stops and routes to servers.

Neither is logged nor audited, and neither says more than one line; why a server is not ready is in
its log.
"""

import asyncio
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
_FRESH_SECONDS = 1.0
"""That an answer holds: however many ask, the database is asked once in this time."""
_CHECK_SECONDS = 1.9
"""In which the database must have taken a change."""
_REMIND_SECONDS = 60.0
"""Between two lines in the log that say the same."""


class _Readiness:
    """Whether a sign-in could succeed: tried at most once a second, and only where somebody asks.

    A check runs in a task of its own, which those who ask meanwhile share and none of them ends.
    """

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._wanted = migrate.head()
        self._wrong: str | None = None
        self._reason = ""
        self._until = 0.0
        self._said_at = 0.0
        self._task: asyncio.Task[None] | None = None

    async def wrong(self) -> str | None:
        """Return what is wrong, in words for strangers; None where nothing is."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._until:
            if self._task is None or self._task.done():
                self._task = loop.create_task(self._check(), name="readiness")
            await asyncio.shield(self._task)
        return self._wrong

    async def _check(self) -> None:
        wrong, reason = await self._found()
        now = asyncio.get_running_loop().time()
        changed = (wrong, reason) != (self._wrong, self._reason)
        if wrong and (changed or now - self._said_at >= _REMIND_SECONDS):
            _log.error("not ready: %s", reason)
            self._said_at = now
        elif changed:
            _log.warning("ready again")
        self._wrong, self._reason = wrong, reason
        self._until = now + _FRESH_SECONDS

    async def _found(self) -> tuple[str | None, str]:
        wrong = "not ready: the database does not answer"
        database = self._identity.database
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                found = await revision(database)
                if found != self._wanted:
                    return (
                        "not ready: the database is not of this version",
                        f"the database is at revision {found or 'none'}, not {self._wanted}",
                    )
                wrong = "not ready: the database takes no changes"
                await database.check_writable()
        except DatabaseUnavailable as error:
            return wrong, str(error)
        except TimeoutError:
            return wrong, f"the database did not take a change within {_CHECK_SECONDS} s"
        except Exception as error:  # it answers, and not as one of ours would
            _log.exception("whether the database takes changes cannot be checked")
            return wrong, type(error).__name__
        return None, ""


class HealthRoute(BaseRoute):
    """Live: the process answers. Ready: a sign-in could succeed; so its database takes changes."""

    def __init__(self, identity: Identity) -> None:
        """Watch over a domain."""
        self._readiness = _Readiness(identity)

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
            wrong = await self._readiness.wrong()
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
