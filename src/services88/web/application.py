"""The ASGI application of the production server."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from services88.agents import Options
from services88.identity.clock import Clock, SystemClock
from services88.identity.guess_limits import GuessLimits, networks
from services88.identity.hashing import Hasher, Hashing, load_peppers
from services88.identity.identity import Identity
from services88.identity.policy import PolicyChoice, build
from services88.settings import Settings
from services88.store.migrate import open_database
from services88.web.addresses import ForwardedHost
from services88.web.services import ServiceRoute, Sites

__all__ = ["application", "identity_of", "service_route"]


def identity_of(settings: Settings, clock: Clock | None = None) -> Identity:
    """Open what the settings name.

    :raises UnusableDatabase: The database cannot be used.
    :raises BadInput: A file that the settings name cannot be used.
    """
    hasher = Hasher(
        memory_kib=settings.argon2_memory_kib,
        passes=settings.argon2_passes,
        peppers=load_peppers(settings.pepper_file) if settings.pepper_file else (),
    )
    policy = PolicyChoice(
        preset=settings.password_policy,
        blocklist=settings.blocklist,
        breached=settings.breached_passwords,
    )
    build(policy)  # a file that cannot be used is told now, not at the first change
    database = open_database(settings.database)
    limits = GuessLimits(
        disable_after=settings.guess_disable_after,
        exempt=networks(settings.guess_exempt_networks),
    )
    return Identity(database, clock or SystemClock(), Hashing(hasher), policy, limits)


def service_route(settings: Settings, identity: Identity, *, strict_sites: bool) -> ServiceRoute:
    """Make the endpoints of the services."""
    online = settings.installation == "online"
    return ServiceRoute(
        identity,
        Options(
            online=online,
            password_refusals=settings.password_refusals,
            administrators_choose=settings.administrators_may_choose_passwords,
            blank_old_for_own=settings.allow_admin_blank_old_password,
        ),
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

    app = Starlette(
        routes=routes or [service_route(settings, identity, strict_sites=False)],
        lifespan=lifespan,
        middleware=[
            Middleware(ForwardedHost, trusted=settings.trusted_proxies),
            Middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies),
        ],
    )
    app.router.redirect_slashes = False  # a redirect would name a host that the client chose
    return app
