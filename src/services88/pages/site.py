"""A request for a page, from its arrival to its answer; what all pages have in common."""

import hmac
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import quote

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from services88.agents import Options
from services88.identity import tenants
from services88.identity.errors import NotAllowed, ServerBusy, UnknownUser
from services88.identity.identity import Identity, Origin
from services88.pages import rendering
from services88.pages.limits import Allowance
from services88.pages.routing import IdentityOf, Page
from services88.settings import Settings
from services88.store.errors import DatabaseUnavailable
from services88.store.tenants import Tenant
from services88.texts import _, marked
from services88.web.addresses import base_url
from services88.web.application import options_of
from services88.web.http import (
    RETRY_AFTER,
    HttpRefusal,
    MediaType,
    cookie,
    form_fields,
    header,
    outage,
    query,
    read_body,
)

__all__ = ["SECURITY_HEADERS", "Site", "Visit"]

_log = logging.getLogger("services88.calls")

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_FORM = "application/x-www-form-urlencoded"
SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_FORGED = marked(
    "The form was too old, or not sent from this page. Nothing was changed. Try again."
)
_BUSY = marked("The server is too busy. Nothing was changed. Try again in a moment.")
_FAILED = marked("The server failed to show this page. Its log says why; ask its operator.")


@dataclass
class Visit:
    """One request for a page, and what its answer needs."""

    site: "Site"
    page: Page
    scope: Scope
    receive: Receive
    csrf: str = ""
    cookies: list[str] = field(default_factory=list)
    _tenant: Tenant | None = None
    _identity: Identity | None = None

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters of the query.

        :raises HttpRefusal: It is too long, or has too many.
        """
        return query(self.scope)

    def cookie(self, purpose: str) -> str:
        """Return the value of a cookie of ours; empty where there is none."""
        return cookie(self.scope, self.site.cookie(purpose, self)) or ""

    @property
    def identity(self) -> Identity:
        """The domain, as the tenant has it where that is found."""
        return self._identity or self.site.identity

    @property
    def is_post(self) -> bool:
        """Whether it is to change something; else it is a GET or HEAD."""
        return bool(self.scope["method"] == "POST")

    @property
    def address(self) -> str:
        """The network address that it comes from."""
        return str(self.scope["client"][0]) if self.scope.get("client") else ""

    @property
    def origin(self) -> Origin:
        """Where it comes from, for limits and the audit trail."""
        return Origin(self.address, via="page")

    @property
    def base(self) -> str:
        """What the addresses of the tenant's pages begin with."""
        # Quoted: a browser takes a backslash for a slash, and two of those for another host.
        return f"/{quote(self.page.site, safe='')}" if self.page.site else ""

    async def tenant(self) -> Tenant:
        """Find the tenant that the address names.

        :raises HttpRefusal: It names none of this server.
        """
        if self._tenant is None:
            if self.page.site is not None:
                self._tenant = await tenants.find(self.identity, self.page.site)
            elif self.site.settings.installation == "onsite":
                self._tenant = await tenants.default(self.identity)
            if self._tenant is None:
                raise HttpRefusal(404, _("The address names no tenant of this server."))
            if self.site.identity_of is not None:
                self._identity = await self.site.identity_of(self._tenant)
        return self._tenant

    async def form(self) -> dict[str, str]:
        """Read a posted form, and refuse one that was not sent from our own page.

        :raises HttpRefusal: It is no form, or forged.
        """
        media = MediaType.of(header(self.scope, b"content-type") or "")
        if media.name != _FORM or media.charset not in (None, "utf-8"):
            raise HttpRefusal(415, _("Send the form of this page."))
        try:
            body = await read_body(self.scope, self.receive)
            fields = form_fields(body)
            if b"\0" in body or b"%00" in body:  # no XML can hold it, nor can PostgreSQL
                raise ValueError
        except ValueError:
            raise HttpRefusal(400, _("The form cannot be read.")) from None
        found = {name: values[-1] for name, values in fields.items()}
        kept, sent = self.cookie("form"), found.get("csrf", "")
        if not (
            kept
            and self._from_here()
            and hmac.compare_digest(kept.encode(), sent.encode(errors="replace"))
        ):
            raise HttpRefusal(403, _(_FORGED))
        return found

    def _from_here(self) -> bool:
        """Say whether the browser, where it tells, sends this from a page of ours."""
        if (header(self.scope, b"sec-fetch-site") or "same-origin") not in ("same-origin", "none"):
            return False
        origin = header(self.scope, b"origin")
        # A form of a page with no-referrer is sent with the origin "null".
        return origin in (None, "null", base_url(self.scope, None)) or (
            self.site.settings.public_url is not None
            and origin == base_url(self.scope, self.site.settings.public_url)
        )

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """Render a page; ``leads`` tells it whether addresses that begin with ``base`` are any."""
        if not self.csrf:
            self.csrf = self.cookie("form")
            if not _TOKEN.fullmatch(self.csrf):
                self.csrf = secrets.token_urlsafe(32)
                self.set_cookie("form", self.csrf, "lax")
        values |= {
            "csrf": self.csrf,
            "base": self.base,
            "leads": self.page.site is not None or self.site.settings.installation == "onsite",
            "tenant": self._tenant,
            "settings": self.site.settings,
            "sandbox": self.site.sandbox,
        }
        return HTMLResponse(rendering.render(template, **values), status)

    def go(self, path: str) -> Response:
        """Lead to another page of this tenant, with GET."""
        return RedirectResponse(self.base + path, 303)

    def set_cookie(self, purpose: str, value: str, same_site: Literal["lax", "strict"]) -> None:
        """Have a cookie set; an empty value removes it.

        :param value: Of letters, digits and ``+/=:_.-``; it is written as it is, and never quoted.
        """
        parts = [f"{self.site.cookie(purpose, self)}={value}", "Path=/", "HttpOnly"]
        parts += [f"SameSite={same_site}"]
        if not value:
            parts.append("Max-Age=0")
        if self.site.is_secure(self):
            parts.append("Secure")
        self.cookies.append("; ".join(parts))


class Site:
    """All pages of a server."""

    def __init__(
        self, settings: Settings, identity: Identity, identity_of: IdentityOf | None
    ) -> None:
        """Serve the pages that the settings ask for.

        :param identity_of: Gives the domain as a tenant of a sandbox has it; None outside of one.
        """
        self.settings = settings
        self.identity = identity
        self.identity_of = identity_of
        self.sandbox = identity_of is not None
        self.options: Options = options_of(settings)
        self.judging = Allowance(at_once=60, per_minute=120)

    def is_secure(self, visit: Visit) -> bool:
        """Say whether the browser speaks https to us, or to the proxy in front."""
        return visit.scope["scheme"] == "https" or (self.settings.public_url or "").startswith(
            "https:"
        )

    def cookie(self, purpose: str, visit: Visit) -> str:
        """Name a cookie; over https in the way that binds it to this host (ASVS 3.3.1)."""
        return f"{'__Host-' if self.is_secure(visit) else ''}services88-{purpose}"

    async def answer(self, page: Page, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a page."""
        visit = Visit(self, page, scope, receive)
        try:
            response = await self._respond(visit)
        except ConnectionError:
            _log.info("%s: the client left before there was an answer", _line(scope))
            return
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("cache-control", "no-store")
        if self.is_secure(visit):
            response.headers["strict-transport-security"] = "max-age=31536000"
        for put in visit.cookies:
            response.headers.append("set-cookie", put)
        if scope["method"] == "HEAD":
            response.body = b""
        await response(scope, receive, send)
        if page.area != "asset":
            _log.info("%s %s %d", scope["method"], _line(scope), response.status_code)

    async def _respond(self, visit: Visit) -> Response:
        try:
            if visit.scope["method"] not in ("GET", "HEAD", "POST"):
                raise HttpRefusal(
                    405, _("This page is read or sent, nothing else."), [("allow", "GET, POST")]
                )
            return await _area(visit.page.area)(visit)
        except HttpRefusal as refusal:
            return _said(visit, refusal.status, str(refusal), dict(refusal.headers))
        except NotAllowed as refusal:
            return _said(visit, 403, str(refusal), {})
        except UnknownUser as refusal:
            return _said(visit, 404, str(refusal), {})
        except ServerBusy as busy:
            return _said(visit, 503, _(_BUSY), {"retry-after": str(busy.retry_after)})
        except DatabaseUnavailable as error:
            return _said(visit, 503, outage(error), {"retry-after": str(RETRY_AFTER)})
        except ConnectionError:
            raise
        except Exception:  # the last resort: nobody ever sees a traceback (ASVS 16.5.4)
            _log.exception("a page failed")
            return _said(visit, 500, _(_FAILED), {})


def _line(scope: Scope) -> str:
    """Give the path in printable ASCII: it is decoded, so it may hold the end of a line."""
    return quote(scope["path"])


def _said(visit: Visit, status: int, text: str, headers: dict[str, str]) -> Response:
    response = visit.show("refused.html", status, text=text)
    response.headers.update(headers)
    return response


def _area(name: str) -> Callable[[Visit], Awaitable[Response]]:
    # What a page needs is loaded when the first of its kind is asked for.
    match name:
        case "password" | "link" | "well-known":
            from services88.pages import password

            by_name = {"password": password.page, "link": password.link}
            return by_name.get(name, password.known)
        case "service" | "home":
            from services88.pages import services

            return services.page if name == "service" else services.home
        case "admin":
            from services88.pages import admin

            return admin.page
    return _asset


async def _asset(visit: Visit) -> Response:
    found = rendering.assets().get(visit.page.rest)
    if found is None:
        raise HttpRefusal(404, _("There is no such file."))
    content, media_type, tag = found
    headers = {"cache-control": "public, max-age=3600", "etag": tag}
    if header(visit.scope, b"if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
