"""The ASGI application of a sandbox: the production one, with the test controls around it."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager

import uvicorn
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from services88.sandbox.api import api_routes
from services88.sandbox.endpoint import SandboxServices
from services88.sandbox.guard import Guard
from services88.sandbox.inspector import inspector_route
from services88.sandbox.protocol import let_connections_break
from services88.sandbox.worlds import Sandbox
from services88.web.application import application, routes_of
from services88.web.services import ServiceRoute

__all__ = ["NEVER_BUSY", "prepare", "sandbox_application", "sandbox_routes"]

NEVER_BUSY = {"hashing_queue": 1_000_000, "hashing_seconds": 3600}
"""Settings: all tests share one address and one queue, and none may have another's calls refused.

A test that wants a busy server asks for the fault.
"""


def sandbox_routes(sandbox: Sandbox) -> list[BaseRoute]:
    """List what a sandbox answers beside the services; all of it is below ``/__sandbox/``."""
    return [inspector_route(sandbox), *api_routes(sandbox)]


def sandbox_application(
    sandbox: Sandbox,
    *,
    pages: Sequence[BaseRoute] = (),
    hosts: Iterable[str] = (),
    started: Callable[[], AbstractAsyncContextManager[None]] | None = None,
) -> ASGIApp:
    """Make the application.

    :param pages: Routes to compare before those of the services.
    :param hosts: Names by which the sandbox may be reached, beside those of the loopback.
    :param started: Runs around the time in which the application serves.
    """
    settings, identity = sandbox.settings, sandbox.identity
    others = [
        route for route in routes_of(settings, identity) if not isinstance(route, ServiceRoute)
    ]
    routes = [*sandbox_routes(sandbox), *pages, SandboxServices(sandbox), *others]
    return Guard(application(settings, identity, routes, started, upkeep=False), hosts=hosts)


def prepare(sandbox: Sandbox, server: uvicorn.Server) -> None:
    """Let a server that does not run yet break connections, and tell the sandbox of its end."""
    let_connections_break(server)
    sandbox.stopping = lambda: server.should_exit
