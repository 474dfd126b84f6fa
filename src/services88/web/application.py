"""The ASGI application of the production server."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from services88.agents import Options
from services88.identity.clock import Clock, SystemClock
from services88.identity.errors import BadInput
from services88.identity.guess_limits import GuessLimits, networks
from services88.identity.hashing import (
    Hasher,
    Hashing,
    Pepper,
    load_peppers,
    peppers_of,
    threads_of,
)
from services88.identity.identity import Identity
from services88.identity.observer import Observer
from services88.identity.policy import PolicyChoice, build
from services88.mail import MailServer, sending
from services88.settings import Settings
from services88.store.migrate import exposed_files, open_database
from services88.web import logs
from services88.web.addresses import ForwardedHost
from services88.web.callers import Callers
from services88.web.connections import Connections
from services88.web.health import HealthRoute
from services88.web.password_reset import PasswordResetRoute
from services88.web.requests import RequestIds
from services88.web.services import ServiceRoute, Sites, nothing_here
from services88.web.upkeep import kept_up

__all__ = [
    "application",
    "check_files",
    "identity_of",
    "mail_server",
    "options_of",
    "routes_of",
    "service_route",
]

_log = logging.getLogger("services88.server")


def identity_of(
    settings: Settings, clock: Clock | None = None, *, is_upgraded: bool = False
) -> Identity:
    """Open what the settings name.

    :param is_upgraded: Whether the tables of the database were just seen to be up to date.
    :raises UnusableDatabase: The database cannot be used.
    :raises BadInput: A file that the settings name cannot be used.
    """
    hasher, policy = check_files(settings)
    database = open_database(
        settings.database, connections=settings.database_connections, is_upgraded=is_upgraded
    )
    limits = GuessLimits(
        disable_after=settings.guess_disable_after,
        exempt=networks(settings.guess_exempt_networks),
    )
    hashing = Hashing(
        hasher,
        threads=settings.hashing_threads or threads_of(settings.workers),
        queue=settings.hashing_queue,
        patience=settings.hashing_seconds,
    )
    clock = clock or SystemClock()
    return Identity(database, clock, hashing, policy, limits, _observer(settings))


def check_files(settings: Settings) -> tuple[Hasher, PolicyChoice]:
    """Read the files that the settings name, beside the database and the certificate.

    :raises BadInput: One of them cannot be used.
    """
    hasher = Hasher(
        memory_kib=settings.argon2_memory_kib,
        passes=settings.argon2_passes,
        peppers=_peppers(settings),
    )
    policy = PolicyChoice(
        preset=settings.password_policy,
        blocklist=settings.blocklist,
        breached=settings.breached_passwords,
    )
    build(policy)  # a file that cannot be used is told now, not at the first change
    return hasher, policy


def _observer(settings: Settings) -> Observer:
    if settings.metrics_port is None:
        return Observer()
    from services88.web.metrics import Metrics  # what nobody asks for is not imported

    return Metrics()


def _peppers(settings: Settings) -> tuple[Pepper, ...]:
    if settings.peppers is not None and settings.pepper_file is not None:
        raise BadInput("Give peppers in one place: SERVICES88_PEPPERS or a pepper file.")
    if settings.peppers is not None:
        return peppers_of(settings.peppers.get_secret_value())
    return load_peppers(settings.pepper_file) if settings.pepper_file else ()


def mail_server(settings: Settings) -> MailServer | None:
    """Say by which server mails are sent; None where the settings name none."""
    if settings.smtp_host is None or settings.mail_from is None:
        return None
    password = settings.smtp_password
    return MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=password.get_secret_value() if password else None,
        sender=settings.mail_from,
        public_url=settings.public_url,
    )


def options_of(settings: Settings) -> Options:
    """Gather the operator's choices that operations look at."""
    return Options(
        online=settings.installation == "online",
        password_refusals=settings.password_refusals,
        administrators_choose=settings.administrators_may_choose_passwords,
        blank_old_for_own=settings.allow_admin_blank_old_password,
        mails=settings.smtp_host is not None,
        mailed_links=settings.public_url is not None,
    )


def service_route(settings: Settings, identity: Identity, *, strict_sites: bool) -> ServiceRoute:
    """Make the endpoints of the services."""
    online = settings.installation == "online"
    return ServiceRoute(
        identity,
        options_of(settings),
        sites=Sites(required=online, strict=strict_sites),
        public_url=settings.public_url,
        wsdl=settings.wsdl,
    )


def routes_of(
    settings: Settings, identity: Identity, *, strict_sites: bool = False
) -> list[BaseRoute]:
    """List all that the server answers."""
    return [
        service_route(settings, identity, strict_sites=strict_sites),
        PasswordResetRoute(identity),
        HealthRoute(identity),
    ]


def application(
    settings: Settings,
    identity: Identity,
    routes: list[BaseRoute] | None = None,
    started: Callable[[], AbstractAsyncContextManager[None]] | None = None,
    worker: int = 0,
    connections: Connections | None = None,
    *,
    upkeep: bool = True,
) -> Starlette:
    """Make the application.

    :param routes: What to answer; what :func:`routes_of` lists where nothing else is given.
    :param started: Runs around the time in which the application serves.
    :param worker: The number of this process among those of one server; its metrics are on the
        port of the settings plus this.
    :param connections: Those of this process, for its metrics.
    :param upkeep: Whether the application watches its clock and what lies ahead of it. Not where
        tenants have clocks of their own.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            async with AsyncExitStack() as stack:
                if upkeep:
                    await stack.enter_async_context(kept_up(identity))
                if not worker:
                    _warn_of_exposed_files(settings)
                mails_by = mail_server(settings)
                if mails_by is not None:
                    await stack.enter_async_context(sending(identity, mails_by))
                await stack.enter_async_context(identity.errands.running())
                if settings.metrics_port is not None:
                    from services88.web.metrics import exposed

                    await stack.enter_async_context(
                        exposed(settings, identity, worker, connections)
                    )
                if started is not None:
                    await stack.enter_async_context(started())
                yield
        finally:
            await identity.database.close()
            identity.hashing.close()
            logs.flush()  # the process may end by a signal, with nothing done after this

    routes = routes or routes_of(settings, identity)
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[
            Middleware(RequestIds, trusted=settings.trusted_proxies),
            Middleware(ForwardedHost, trusted=settings.trusted_proxies),
            Middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies),
            Middleware(Callers),
            *(
                Middleware(_Straight, services=one)
                for one in routes
                if isinstance(one, ServiceRoute)
            ),
        ],
    )
    app.router.default = nothing_here
    app.router.redirect_slashes = False  # a redirect would name a host that the client chose
    return app


def _warn_of_exposed_files(settings: Settings) -> None:
    for file in exposed_files(settings.database):
        _log.warning(
            "everybody on this machine can read or write %s, which holds password hashes: run "
            "`chmod 600` on it",
            file,
        )


class _Straight:
    """Middleware: gives what is posted to a service to it, and asks no other route before."""

    def __init__(self, app: ASGIApp, services: ServiceRoute) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            match, found = self._services.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                await self._services.handle(scope, receive, send)
                return
        await self._app(scope, receive, send)
