"""From test controls to routes, and from what goes wrong to clear errors in JSON."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from services88.identity.errors import BadInput, Refusal, ServerBusy
from services88.sandbox.api.openapi import description
from services88.sandbox.api.page import documentation
from services88.sandbox.controls import ENDPOINTS, Controls, SandboxControls
from services88.sandbox.declaring import Control
from services88.sandbox.guard import PREFIX
from services88.sandbox.journal import Cleared
from services88.sandbox.seeds import seed_schema
from services88.sandbox.worlds import Sandbox
from services88.store.errors import DatabaseUnavailable
from services88.web.http import HttpRefusal, query, read_body

__all__ = ["api_routes", "said_of"]


def api_routes(sandbox: Sandbox) -> list[BaseRoute]:
    """List what the admin API answers."""

    async def openapi(_: Request) -> Response:
        return _json(description())

    async def schema(_: Request) -> Response:
        return _json(seed_schema())

    async def docs(_: Request) -> Response:
        return documentation()

    async def events(request: Request) -> Response:
        try:
            return _events(sandbox, query(request.scope).get("tenant"))
        except HttpRefusal as error:
            return _error(error.status, str(error), "")

    declared = [
        Route(PREFIX + _pattern(one), _route(sandbox, one), methods=[one.endpoint.method])
        for one in ENDPOINTS
    ]
    return [
        Route(f"{PREFIX}/openapi.json", openapi),
        Route(f"{PREFIX}/seed-schema.json", schema),
        Route(f"{PREFIX}/docs", docs),
        Route(f"{PREFIX}/events", events),
        *declared,
        Route(PREFIX + "/{path:path}", _unknown, methods=_METHODS),
    ]


_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def _pattern(control: Control[..., Any]) -> str:
    """Return the path as Starlette has it: names of users and snapshots can hold a slash."""
    return control.path.replace("{user}", "{user:path}").replace("{name}", "{name:path}")


async def _unknown(request: Request) -> Response:
    path = request.scope["path"].removeprefix(PREFIX)
    allowed = [one.endpoint.method for one in ENDPOINTS if _fits(one.path, path)]
    if allowed:
        return _error(
            405,
            f"{request.method} is not answered here.",
            f"Use {' or '.join(allowed)}.",
            allow=", ".join(allowed),
        )
    return _error(404, "There is no such address.", f"{PREFIX}/docs lists them all.")


def _fits(template: str, path: str) -> bool:
    wanted, given = template.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        one.startswith("{") or one == other for one, other in zip(wanted, given, strict=True)
    )


def _route(
    sandbox: Sandbox, control: Control[..., Any]
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            arguments = await _arguments(control, request)
            owner = (
                SandboxControls(sandbox)
                if control.owner is SandboxControls
                else Controls(sandbox, await sandbox.named(request.path_params["tenant"]))
            )
            result = await control.respond(owner, arguments)
        except ValidationError as error:
            return said_of(error)
        except LookupError as error:
            return _error(404, str(error.args[0] if error.args else error), "")
        except (BadInput, Refusal) as error:
            return _error(422, str(error), "")
        except HttpRefusal as error:
            return _error(error.status, str(error), "")
        except TimeoutError as error:
            return _error(408, str(error), "Wait longer, or look into the journal for what came.")
        except ServerBusy as error:
            return _error(503, str(error), "", **{"retry-after": str(error.retry_after)})
        except DatabaseUnavailable:
            return _error(503, "The database does not answer.", "Try again in a few seconds.")
        if control.result is None:
            return Response(status_code=204)
        return _json(result, control.status)

    return answer


async def _arguments(control: Control[..., Any], request: Request) -> dict[str, Any]:
    content = await read_body(request.scope, request.receive)
    if control.body is None:
        return control.arguments_in_path(request.path_params)
    if control.endpoint.method == "GET":
        given = control.body.model_validate(query(request.scope))
    else:
        given = control.body.model_validate_json(content or b"{}")
    return control.arguments_in_path(request.path_params) | control.arguments(given)


def _json(content: Any, status: int = 200, **headers: str) -> Response:
    return JSONResponse(
        content,
        status,
        {"cache-control": "no-store", "x-content-type-options": "nosniff"} | headers,
    )


def _error(status: int, error: str, remedy: str, **headers: str) -> Response:
    return _json({"error": error, "remedy": remedy or f"See {PREFIX}/docs."}, status, **headers)


def said_of(error: ValidationError) -> Response:
    """Name each field that cannot be used, never its value: it may be a password."""
    if error.error_count() > _MOST_PROBLEMS:  # naming thousands takes long
        return _error(
            422,
            f"The request cannot be used: {error.error_count()} of its fields are wrong.",
            f"Send what {PREFIX}/docs describes.",
        )
    problems = [
        {"field": ".".join(map(str, one["loc"])) or "body", "problem": one["msg"]}
        for one in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    said = "; ".join(f"{one['field']}: {one['problem']}" for one in problems)
    return _json(
        {
            "error": f"The request cannot be used: {said}.",
            "remedy": f"Send what {PREFIX}/docs describes.",
            "problems": problems,
        },
        422,
    )


_MOST_PROBLEMS = 100


def _events(sandbox: Sandbox, tenant: str | None) -> Response:
    async def lines() -> AsyncIterator[str]:
        yield ": the exchanges from now on\n\n"
        async for news in sandbox.follow(tenant):
            if isinstance(news, Cleared):
                yield f"event: cleared\ndata: {json.dumps(asdict(news))}\n\n"
            else:
                data = json.dumps(news.to_json())
                yield f"event: exchange\nid: {news.id}\ndata: {data}\n\n"

    return StreamingResponse(
        lines(), media_type="text/event-stream", headers={"cache-control": "no-store"}
    )
