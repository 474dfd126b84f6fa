"""The ASGI application of the production server."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from services88.agents import Options
from services88.identity.clock import Clock, SystemClock
from services88.identity.hashing import Hasher, Hashing
from services88.identity.identity import Identity
from services88.settings import Settings
from services88.store.migrate import open_database
from services88.web.addresses import ForwardedHost
from services88.web.services import ServiceRoute, Sites

__all__ = ["application", "identity_of", "service_route"]


def identity_of(settings: Settings, clock: Clock | None = None) -> Identity:
    """Open what the settings name.

    :raises UnusableDatabase: The database cannot be used.
    """
    hasher = Hasher(memory_kib=settings.argon2_memory_kib, passes=settings.argon2_passes)
    return Identity(open_database(settings.database), clock or SystemClock(), Hashing(hasher))


def service_route(settings: Settings, identity: Identity, *, strict_sites: bool) -> ServiceRoute:
    """Make the endpoints of the services."""
    online = settings.installation == "online"
    return ServiceRoute(
        identity,
        Options(online=online, password_refusals=settings.password_refusals),
        sites=Sites(required=online, strict=strict_sites),
        public_url=settings.public_url,
        wsdl=settings.wsdl,
    )


def application(
    settings: Settings,
    identity: Identity,
    routes: list[BaseRoute] | None = None,
    started: Callable[[], AbstractAsyncContextManager[None]] | None = None,
) -> Starlette:
    """Make the application.

    :param routes: What to answer; the services alone where nothing else is given.
    :param started: Runs around the time in which the application serves.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            if started is None:
                yield
            else:
                async with started():
                    yield
        finally:
            await identity.database.close()
            identity.hashing.close()

    return Starlette(
        routes=routes or [service_route(settings, identity, strict_sites=False)],
        lifespan=lifespan,
        middleware=[
            Middleware(ForwardedHost, trusted=settings.trusted_proxies),
            Middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies),
        ],
    )
