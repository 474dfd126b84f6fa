"""Which address is which page. Knows nothing of what is on it."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from services88.identity.identity import Identity
from services88.identity.reset_links import PATH as RESET
from services88.settings import Settings
from services88.store.tenants import Tenant
from services88.web.addresses import ServiceAddress, parse
from services88.web.http import header
from services88.web.services import asks_for_wsdl

if TYPE_CHECKING:
    from services88.pages.site import Site

__all__ = ["ASSETS", "IdentityOf", "Page", "PagesRoute"]

IdentityOf: TypeAlias = Callable[[Tenant], Awaitable[Identity]]
"""Gives the domain as a tenant has it."""

ASSETS = "/_services88/"
_WELL_KNOWN = "/.well-known/change-password"
_PATH = re.compile(r"(?:/(?P<site>[^/]+))?/(?P<area>password|admin)(?:/(?P<rest>[a-z0-9/-]*))?")
_PASSWORD = frozenset({"", "judge", "forgotten", "sent", "done"})


@dataclass(frozen=True, slots=True)
class Page:
    """The page that an address means.

    :ivar area: ``asset``, ``well-known``, ``home``, ``service``, ``password``, ``link`` or
        ``admin``.
    :ivar site: The segment that names the tenant.
    :ivar rest: What is left of the path.
    """

    area: str
    site: str | None = None
    rest: str = ""
    service: ServiceAddress | None = None


class PagesRoute(BaseRoute):
    """Answers at the addresses of pages."""

    def __init__(
        self, settings: Settings, identity: Identity, identity_of: IdentityOf | None
    ) -> None:
        """Serve the pages that the settings ask for. See :func:`services88.pages.page_routes`."""
        self._settings = settings
        self._identity = identity
        self._identity_of = identity_of
        self._site: Site | None = None

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a request is for a page."""
        page = self._page(scope) if scope["type"] == "http" else None
        return (Match.FULL, {"page": page}) if page else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self._site is None:
            from services88.pages.site import Site  # loads the template engine

            self._site = Site(self._settings, self._identity, self._identity_of)
        await self._site.answer(scope["page"], scope, receive, send)

    def _page(self, scope: Scope) -> Page | None:
        path, chosen = scope["path"], self._settings.pages
        if path.startswith(ASSETS):
            return Page("asset", rest=path.removeprefix(ASSETS))
        if chosen != "off":
            if path == RESET:
                return Page("link") if _is_for_people(scope) else None
            if path == _WELL_KNOWN:
                return Page("well-known")
        if chosen == "all":
            if path == "/":
                return Page("home")
            service = parse(path)
            if service is not None and scope["method"] in ("GET", "HEAD"):
                return None if asks_for_wsdl(scope) else Page("service", service.site, "", service)
        match = _PATH.fullmatch(path)
        if match is None:
            return None
        page = Page(match["area"], match["site"], (match["rest"] or "").rstrip("/"))
        if page.area == "password":
            return page if chosen != "off" and page.rest in _PASSWORD else None
        return page if self._settings.admin_pages else None


def _is_for_people(scope: Scope) -> bool:
    """Tell a browser from a program, which talks to the endpoint itself: browsers ask for HTML."""
    return scope["method"] in ("GET", "HEAD") or "text/html" in (header(scope, b"accept") or "")
