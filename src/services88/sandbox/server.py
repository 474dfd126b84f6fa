"""Running the sandbox."""

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import click

from services88.identity.errors import BadInput
from services88.identity.identity import Identity
from services88.identity.installation import claim_for_sandbox
from services88.pages import page_routes
from services88.sandbox import tour as story_teller
from services88.sandbox.demo import DEMO_USERS, JANE, add_demo_users
from services88.sandbox.story import change_own_password, curl, sign_in
from services88.settings import load
from services88.web.application import application, identity_of, routes_of
from services88.web.server import is_loopback, listen
from services88.web.server import run as run_server

__all__ = ["run"]


def run(host: str, port: int, database: str | None, *, tour: bool, exposed: bool) -> None:
    """Run a sandbox until told to stop.

    :raises BadInput: The address is not loopback, or the database is not for a sandbox.
    """
    if not is_loopback(host) and not exposed:
        raise BadInput(
            f"{host} is not a loopback address, and this is a test server whose passwords "
            "everybody knows. If that is what you want, add --expose-test-server."
        )
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="services88-"))
        throw_away = f"sqlite:///{Path(folder) / 'sandbox.sqlite3'}"
        settings = load(
            {
                "host": host,
                "port": port,
                "database": database or throw_away,
                "password_policy": "vendor",
                "pages": "all",
                "admin_pages": True,
            }
        )
        listening = stack.enter_context(listen(settings))
        identity = identity_of(settings)
        asyncio.run(_prepare(identity))
        bound_host, bound_port = listening.getsockname()[:2]
        url = f"http://{f'[{bound_host}]' if ':' in bound_host else bound_host}:{bound_port}"

        def guide() -> None:
            if tour:
                try:
                    story_teller.play(bound_host, bound_port, click.echo)
                except story_teller.TourFailed as failed:
                    click.echo(f"The tour failed: {failed}.", err=True)
            click.echo(_welcome(url, kept=database is not None))

        @asynccontextmanager
        async def started() -> AsyncIterator[None]:
            # The address is taken already, so calls wait until the server answers.
            threading.Thread(target=guide, name="guide", daemon=True).start()
            yield

        routes = [
            *page_routes(settings, identity, sandbox=True),
            *routes_of(settings, identity, strict_sites=True),
        ]
        app = application(settings, identity, routes, started)
        run_server(settings, app, listening)


async def _prepare(identity: Identity) -> None:
    await claim_for_sandbox(identity)
    await add_demo_users(identity)


def _welcome(url: str, *, kept: bool) -> str:
    folder = f"{url}/Remote/Services88"
    users = "\n".join(f"  {user.name:7} {user.password:24} {user.role}" for user in DEMO_USERS)
    signing_in = curl(f"{folder}/SoPrincipal.svc", sign_in(JANE.name, JANE.password))
    changing = curl(
        f"{folder}/User.svc", change_own_password("$TICKET", JANE.password, "a brand new password")
    )
    again = curl(f"{folder}/SoPrincipal.svc", sign_in(JANE.name, "a brand new password"))
    return f"""
services88 sandbox: a test server with public passwords. Stop it with Ctrl-C.

Services (add ?wsdl for the description, or open them in a browser: {url})
  {folder}/SoPrincipal.svc
  {folder}/User.svc

Demo sign-ins{" (unless changed since they were made)" if kept else ""}
{users}

Try it. Sign in, and keep the ticket:

TICKET=$({signing_in} | sed -n 's:.*<Ticket>\\(.*\\)</Ticket>.*:\\1:p')

Change the password:

{changing}

Sign in with the new one:

{again}
"""
