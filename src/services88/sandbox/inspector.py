"""The inspector: a live page on what a sandbox is asked and what it answers.

The page itself comes from ``services88.pages``; what happens it hears from ``/__sandbox/events``.
Whoever may be here was decided before, by :class:`services88.sandbox.guard.Guard`.
"""

import json
import typing
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from services88.contract import AGENTS
from services88.identity.errors import BadInput
from services88.sandbox.control import Control
from services88.sandbox.faults import Effect, Rule
from services88.sandbox.models import ClockChange
from services88.sandbox.worlds import Sandbox, World
from services88.settings import Settings
from services88.web.addresses import base_url
from services88.web.http import HttpRefusal, read_body

__all__ = ["inspector_routes"]

_KEPT = 200
"""Exchanges that a page which is opened shows at once."""


def inspector_routes(sandbox: Sandbox, settings: Settings) -> list[BaseRoute]:
    """List what the inspector needs, below ``/__sandbox/``."""
    inspector = _Inspector(sandbox, settings)
    return [
        Route("/__sandbox/", inspector.page),
        Route("/__sandbox/inspector/state", inspector.state),
        Route("/__sandbox/inspector/clock", inspector.clock, methods=["POST"]),
        Route("/__sandbox/inspector/faults", inspector.add_fault, methods=["POST"]),
        Route("/__sandbox/inspector/faults/remove", inspector.remove_fault, methods=["POST"]),
        Route("/__sandbox/inspector/clear", inspector.clear, methods=["POST"]),
    ]


class _Inspector:
    def __init__(self, sandbox: Sandbox, settings: Settings) -> None:
        self._sandbox = sandbox
        self._settings = settings

    async def page(self, request: Request) -> Response:
        from services88.pages.rendering import render  # loads the template engine
        from services88.pages.site import SECURITY_HEADERS

        world = await self._world(request)
        names = sorted(one.tenant.name for one in self._sandbox.worlds.values())
        content = render(
            "inspector.html",
            settings=self._settings,
            sandbox=True,
            tenant=None,
            base="",
            csrf="",
            folder=base_url(request.scope, self._settings.public_url) + "/Remote/Services88",
            tenants=names,
            chosen=world.tenant.name if world else "",
            operations=sorted(name for agent in AGENTS.values() for name in agent.operations),
            kinds=_kinds(),
        )
        headers = {**SECURITY_HEADERS, "cache-control": "no-store"}
        return HTMLResponse(content, headers=headers)

    async def state(self, request: Request) -> Response:
        return await self._with(request, _state)

    async def clock(self, request: Request) -> Response:
        async def work(world: World) -> dict[str, Any]:
            change = ClockChange.model_validate_json(await _body(request))
            return Control(world).change_clock(change).model_dump(mode="json")

        return await self._with(request, work)

    async def add_fault(self, request: Request) -> Response:
        async def work(world: World) -> dict[str, Any]:
            rule = Rule.model_validate_json(await _body(request))
            return Control(world).add_fault(rule).model_dump(mode="json")

        return await self._with(request, work)

    async def remove_fault(self, request: Request) -> Response:
        async def work(world: World) -> dict[str, Any]:
            Control(world).remove_fault(int(json.loads(await _body(request))["id"]))
            return {}

        return await self._with(request, work)

    async def clear(self, request: Request) -> Response:
        async def work(world: World) -> dict[str, Any]:
            world.journal.clear()
            return {}

        return await self._with(request, work)

    async def _world(self, request: Request) -> World | None:
        return await self._sandbox.world(request.query_params.get("tenant"))

    async def _with(
        self, request: Request, work: Callable[[World], Awaitable[dict[str, Any]]]
    ) -> Response:
        world = await self._world(request)
        if world is None:
            return JSONResponse({"error": "There is no such tenant."}, 404)
        try:
            return JSONResponse(await work(world), headers={"cache-control": "no-store"})
        except (
            ValidationError,
            BadInput,
            LookupError,
            ValueError,
            TypeError,
            HttpRefusal,
        ) as error:
            return JSONResponse({"error": _said(error)}, 422)


async def _state(world: World) -> dict[str, Any]:
    control = Control(world)
    return {
        "users": [user.model_dump(mode="json") for user in await control.users()],
        "clock": control.clock().model_dump(mode="json"),
        "faults": [fault.model_dump(mode="json") for fault in control.faults()],
        "exchanges": [one.to_json() for one in world.journal.find(limit=_KEPT)],
    }


async def _body(request: Request) -> bytes:
    return await read_body(request.scope, request.receive)


def _said(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()
        )
    return str(error)


def _kinds() -> list[str]:
    """List the effects that the page offers: all but the one that is no fault."""
    union, _discriminator = typing.get_args(Effect)
    kinds = [str(one.model_fields["kind"].default) for one in typing.get_args(union)]
    return [kind for kind in kinds if kind != "works"]
