"""Running the application: uvicorn on uvloop and httptools."""

import ipaddress
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from services88.identity.errors import BadInput
from services88.settings import Settings
from services88.web import logs
from services88.web.addresses import TrustedProxies
from services88.web.certificates import ReloadingServer, check_certificate
from services88.web.connections import AddressCounts, Connections, Room
from services88.web.protocol import BoundedProtocol, ConnectionLimits

__all__ = [
    "allow_files",
    "check_exposure",
    "check_metrics_port",
    "connections_of",
    "is_loopback",
    "listen",
    "run",
    "server",
]

_log = logging.getLogger("services88.server")

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:!SHA1:!AESCCM"
"""Of TLS 1.2: forward secrecy, no SHA-1 (ASVS 12.1.2). Said, since builds of Python differ:
Debian's leaves the choice to OpenSSL, which still has RSA key exchange and SHA-1."""


def check_exposure(settings: Settings) -> None:
    """Refuse to listen where passwords would travel in the clear (ASVS 12.1.1).

    :raises BadInput: The address is a public one and nothing encrypts.
    """
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise BadInput("TLS needs both a certificate (--tls-certificate) and its key (--tls-key).")
    if settings.tls_certificate and settings.tls_key:
        check_certificate(settings.tls_certificate, settings.tls_key)
    if settings.tls_certificate or settings.behind_proxy or is_loopback(settings.host):
        return
    raise BadInput(
        f"Listening on {settings.host} without encryption would send passwords in the clear. "
        "Give --tls-certificate and --tls-key; or --behind-proxy where a proxy in front does TLS; "
        "or listen on 127.0.0.1."
    )


def is_loopback(host: str) -> bool:
    """Say whether an address is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(settings: Settings) -> socket.socket:
    """Take the address to listen on.

    :raises BadInput: It cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        raise BadInput(
            f"Cannot listen on {settings.host} port {settings.port}: {error}. "
            "Choose another with --host and --port."
        ) from error


def _limits(settings: Settings) -> ConnectionLimits:
    return ConnectionLimits(
        header_seconds=settings.header_seconds,
        body_seconds=settings.body_seconds,
        idle_seconds=settings.idle_seconds,
    )


def connections_of(
    settings: Settings, counts: AddressCounts | None = None, worker: int = 0
) -> Connections:
    """Return the connections of this process, of which there are none yet.

    There may be fewer than the settings allow, where this process may not open as many files: call
    :func:`allow_files` first.

    :param counts: Those that the processes of a server share.
    :param worker: The number of this process among them.
    """
    if counts is not None:
        counts.begin(worker)
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = settings.max_connections
    if files != resource.RLIM_INFINITY:
        most = max(1, min(most, files - settings.database_connections - _OTHER_FILES))
    of_address = settings.max_connections_per_address or max(1, most // _ADDRESSES)
    return Connections(
        Room(most, of_address), counts=counts, exempt=TrustedProxies(settings.trusted_proxies)
    )


_ADDRESSES = 5
"""That it takes at least to use all connections of a process up."""


def check_metrics_port(settings: Settings) -> None:
    """Refuse a port for metrics that is taken, before anything is started.

    :raises BadInput: It cannot be had.
    """
    if settings.metrics_port is None:
        return
    host = settings.metrics_host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(settings.metrics_port, settings.metrics_port + settings.workers):
        try:
            socket.create_server((host, port), family=family).close()
        except (OSError, OverflowError) as error:
            raise BadInput(
                f"Cannot give metrics on {host} port {port}: {error}. "
                "Choose another with --metrics-port; each worker takes one, from that on."
            ) from error


def allow_files(settings: Settings) -> None:
    """Let this process open as many files as its connections need, as far as that is allowed.

    Where there are too few, the kernel turns away those whom an idle connection would make room.
    """
    needed = settings.max_connections + settings.database_connections + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < needed:
        _log.warning(
            "this process may open %d files and needs %d for SERVICES88_MAX_CONNECTIONS=%d, so it "
            "takes fewer: raise the one (ulimit -n, LimitNOFILE=) or lower the other",
            most,
            needed,
            settings.max_connections,
        )


_OTHER_FILES = 100
"""Libraries, logs, the SQLite file, mails, metrics, and connections that are just made or ended."""


def server(
    settings: Settings, app: ASGIApp, connections: Connections | None = None
) -> uvicorn.Server:
    """Make the server, ready to run.

    :param connections: Made from the settings where none are given.
    """
    # httptools explicitly: h11 mishandles absolute URIs and Content-Length beside chunks.
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=partial(BoundedProtocol, limits=_limits(settings)),  # type: ignore[arg-type]
        ws="none",  # nothing is ever upgraded to
        lifespan="on",
        server_header=False,
        proxy_headers=False,  # our application has the middleware itself
        access_log=False,  # each call is logged where its outcome is known
        log_config=None,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        ssl_ciphers=_CIPHERS,
        timeout_graceful_shutdown=10,
    )
    # access_log=False only leaves it without handlers, and others may add one: query strings of
    # mailed links would be logged.
    logging.getLogger("uvicorn.access").disabled = True
    return ReloadingServer(config, connections or connections_of(settings), settings.header_seconds)


def run(
    settings: Settings,
    app: ASGIApp,
    listening: socket.socket,
    prepare: Callable[[uvicorn.Server], None] | None = None,
    connections: Connections | None = None,
) -> None:
    """Serve until told to stop (SIGTERM or SIGINT), and finish the calls under way first.

    Must be called on the main thread. After SIGTERM the process exits with 0.

    :param prepare: Is given the server before it runs.
    :param connections: Made from the settings where none are given.
    """
    logs.configure(settings)
    if connections is None:
        allow_files(settings)
        connections = connections_of(settings)
    made = server(settings, app, connections)
    if prepare is not None:
        prepare(made)
    # uvicorn raises the signal once more when all is finished, which would end the process as if it
    # had been killed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    made.run(sockets=[listening])
