"""The inspector: a live page on what a sandbox is asked and what it answers.

The page comes from ``services88.pages``; what it shows and does goes over the admin API. Who
may be here was decided before, by :class:`services88.sandbox.guard.Guard`.
"""

import typing

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from services88.contract import AGENTS
from services88.sandbox.faults import Effect
from services88.sandbox.guard import PREFIX
from services88.sandbox.worlds import Sandbox
from services88.web.addresses import base_url
from services88.web.http import HttpRefusal, query

__all__ = ["inspector_route"]


def inspector_route(sandbox: Sandbox) -> BaseRoute:
    """Give the page, at ``/__sandbox/``; the admin API's own routes come after it."""

    async def page(request: Request) -> Response:
        from services88.pages.rendering import render  # loads the template engine
        from services88.pages.site import SECURITY_HEADERS

        try:
            asked = query(request.scope)
        except HttpRefusal as error:
            return PlainTextResponse(f"{error}\n", error.status)
        world = await sandbox.world(asked.get("tenant"))
        content = render(
            "inspector.html",
            settings=sandbox.settings,
            sandbox=True,
            tenant=None,
            base="",
            leads=True,
            csrf="",
            folder=base_url(request.scope, sandbox.settings.public_url) + "/Remote/Services88",
            tenants=sorted(one.tenant.name for one in sandbox.worlds.values()),
            chosen=world.tenant.name if world else "",
            operations=sorted(name for agent in AGENTS.values() for name in agent.operations),
            kinds=_kinds(),
        )
        headers = {**SECURITY_HEADERS, "cache-control": "no-store"}
        return HTMLResponse(content, headers=headers)

    return Route(f"{PREFIX}/", page)


def _kinds() -> list[str]:
    """List the effects that the page offers: all but the one that is no fault."""
    union, _discriminator = typing.get_args(Effect)
    kinds = [str(one.model_fields["kind"].default) for one in typing.get_args(union)]
    return [kind for kind in kinds if kind != "works"]
