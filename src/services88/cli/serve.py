"""``services88 serve``: the production server."""

import asyncio
import sys
from functools import partial
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Any

import click

from services88.cli.common import database_option, tells_errors

if TYPE_CHECKING:
    from services88.settings import Settings
    from services88.web.connections import AddressCounts

__all__ = ["serve"]


@click.command()
@click.option("--host", help="Address to listen on. Default: 127.0.0.1.")
@click.option("--port", type=int, help="Port to listen on; 0 takes a free one. Default: 8088.")
@click.option(
    "--workers", type=int, metavar="N", help="Processes that answer; about one a core. Default: 1."
)
@database_option
@click.option(
    "--installation",
    type=click.Choice(["onsite", "online"]),
    help="Online asks for application tokens, and for a tenant in the address. Default: onsite.",
)
@click.option(
    "--password-refusals",
    type=click.Choice(["boolean", "exception"]),
    help="How a refused password is told: false with the reason in ExtraInfo, or an exception. "
    "Default: boolean.",
)
@click.option("--wsdl/--no-wsdl", default=None, help="Whether ?wsdl is answered. Default: yes.")
@click.option(
    "--pages",
    type=click.Choice(["off", "password", "all"]),
    help="Pages for people: none, those for changing a password, or those on the services too. "
    "Default: off.",
)
@click.option(
    "--admin-pages/--no-admin-pages", default=None, help="Pages for administrators. Default: no."
)
@click.option(
    "--public-url",
    metavar="URL",
    help="The URL that clients use, up to /Remote; goes into the WSDL.",
)
@click.option(
    "--behind-proxy",
    is_flag=True,
    default=None,
    help="A proxy in front does TLS: allow a public address without it.",
)
@click.option(
    "--trusted-proxies",
    metavar="LIST",
    help="Addresses or networks whose X-Forwarded headers are believed. Default: 127.0.0.1.",
)
@click.option(
    "--tls-certificate",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificate chain, PEM. With it and --tls-key the server answers over https.",
)
@click.option(
    "--tls-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Private key of the certificate, PEM, without a passphrase.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="How much is logged to standard error. Default: info.",
)
@click.option(
    "--log-format",
    type=click.Choice(["auto", "console", "json"]),
    help="Lines for people, or JSON. Default: auto, which is console on a terminal, else json.",
)
@click.option(
    "--metrics-port",
    type=int,
    help="Port on 127.0.0.1 that gives metrics to Prometheus. Default: none.",
)
@tells_errors
def serve(config: Path | None, **flags: Any) -> None:
    """Serve users, passwords and tickets from a database.

    There is no default user and no default password: make users with `services88 user add`.
    """
    from services88.settings import load
    from services88.web import logs
    from services88.web.certificates import ends_on_hangup
    from services88.web.connections import AddressCounts
    from services88.web.server import check_exposure, check_metrics_port, listen
    from services88.web.workers import supervise

    settings = load(flags, config)
    check_exposure(settings)
    with listen(settings) as listening:
        check_metrics_port(settings)
        asyncio.run(_check(settings))
        host, port = listening.getsockname()[:2]
        scheme = "https" if settings.tls_certificate else "http"
        where = f"[{host}]" if ":" in host else host
        url = f"{scheme}://{where}:{port}/Remote/Services88/User.svc"
        click.echo(f"services88 serves {url}", err=True)
        counts = AddressCounts(settings.workers)  # before the workers, which share it
        if settings.workers == 1:
            _answer(settings, listening, counts)
        else:
            logs.configure(settings)
            work = partial(_answer, settings, listening, counts)
            ends = ends_on_hangup(has_certificate=settings.tls_certificate is not None)
            sys.exit(supervise(settings.workers, listening, work, end_on_hangup=ends))


def _answer(
    settings: "Settings", listening: socket, counts: "AddressCounts", worker: int = 0
) -> None:
    """Answer until told to stop, in this process."""
    from services88.pages import page_routes
    from services88.web import logs
    from services88.web.application import application, identity_of, routes_of
    from services88.web.server import allow_files, connections_of, run
    from services88.web.workers import end_with_supervisor

    logs.configure(settings)
    allow_files(settings)
    # The tables were looked at by _check. A worker that takes a dead one's place while the database
    # is away must start like those that went on, or it would end the server.
    identity = identity_of(settings, is_upgraded=True)
    routes = [*page_routes(settings, identity), *routes_of(settings, identity)]
    connections = connections_of(settings, counts, worker)
    app = application(settings, identity, routes, worker=worker, connections=connections)
    run(settings, app, listening, end_with_supervisor, connections)


async def _check(settings: "Settings") -> None:
    """Refuse a sandbox's database, over connections of its own: they belong to this loop."""
    from services88.identity.audit import check_heads
    from services88.identity.installation import refuse_sandbox
    from services88.web.application import identity_of

    identity = identity_of(settings)
    try:
        await refuse_sandbox(identity)
        await check_heads(identity)
    finally:
        await identity.database.close()
        identity.hashing.close()
