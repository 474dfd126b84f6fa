"""Running the sandbox."""

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import click

from services88.identity.errors import BadInput
from services88.identity.installation import claim_for_sandbox
from services88.pages import page_routes
from services88.sandbox import tour as story_teller
from services88.sandbox.application import NEVER_BUSY, prepare, sandbox_application
from services88.sandbox.demo import DEMO_USERS, JANE, add_demo_users
from services88.sandbox.guard import PREFIX
from services88.sandbox.seeds import Seed, load_seed, plant
from services88.sandbox.story import change_own_password, curl, sign_in
from services88.sandbox.worlds import Sandbox
from services88.settings import load
from services88.web.application import identity_of
from services88.web.server import is_loopback, listen
from services88.web.server import run as run_server

__all__ = ["Running", "run"]


@dataclass(frozen=True, slots=True)
class Running:
    """How a sandbox is run.

    :ivar exposed: Whether another address than loopback is wanted.
    :ivar seed: A file that says what there is, instead of the demo users.
    :ivar allowed_hosts: Names by which the sandbox may be reached, beside loopback's.
    :ivar keep_secrets: Whether the journal holds passwords and tickets as they were sent.
    """

    host: str = "127.0.0.1"
    port: int = 8088
    database: str | None = None
    tour: bool = False
    exposed: bool = False
    seed: Path | None = None
    allowed_hosts: tuple[str, ...] = ()
    keep_secrets: bool = False


def run(wanted: Running) -> None:
    """Run a sandbox until told to stop.

    :raises BadInput: The address is not loopback, the database is not for a sandbox, or the seed
        cannot be loaded.
    """
    if not is_loopback(wanted.host) and not wanted.exposed:
        raise BadInput(
            f"{wanted.host} is not a loopback address, and this is a test server whose passwords "
            "everybody knows. If that is what you want, add --expose-test-server."
        )
    if wanted.seed is not None and wanted.tour:
        raise BadInput("The tour needs the demo users, which a sandbox with a seed has not.")
    seed = load_seed(wanted.seed) if wanted.seed is not None else None
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="services88-"))
        throw_away = f"sqlite:///{Path(folder) / 'sandbox.sqlite3'}"
        settings = load(
            {
                "host": wanted.host,
                "port": wanted.port,
                "database": wanted.database or throw_away,
                "password_policy": "vendor",
                "pages": "all",
                "admin_pages": True,
                **NEVER_BUSY,
            }
        )
        listening = stack.enter_context(listen(settings))
        identity = identity_of(settings)
        sandbox = Sandbox(identity, settings, keep_secrets=wanted.keep_secrets)
        asyncio.run(_prepare(sandbox, seed, kept=wanted.database is not None))
        bound_host, bound_port = listening.getsockname()[:2]
        url = _url(bound_host, bound_port)

        def guide() -> None:
            if wanted.tour:
                try:
                    story_teller.play(bound_host, bound_port, click.echo)
                except story_teller.TourFailed as failed:
                    click.echo(f"The tour failed: {failed}.", err=True)
            if seed is None:
                click.echo(_welcome(url, kept=wanted.database is not None))
            else:
                click.echo(_seeded(url, seed))

        @asynccontextmanager
        async def started() -> AsyncIterator[None]:
            # The address is taken already, so calls wait until the server answers.
            threading.Thread(target=guide, name="guide", daemon=True).start()
            yield

        pages = page_routes(settings, identity, sandbox.identity_of)
        hosts = (wanted.host, *wanted.allowed_hosts)
        app = sandbox_application(sandbox, pages=pages, hosts=hosts, started=started)
        run_server(settings, app, listening, partial(prepare, sandbox))


def _url(host: str, port: int) -> str:
    """Give an address that can be opened on this machine, also where it listens on all."""
    if ip_address(host).is_unspecified:
        host = "::1" if ":" in host else "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


async def _prepare(sandbox: Sandbox, seed: Seed | None, *, kept: bool) -> None:
    await claim_for_sandbox(sandbox.identity)
    if seed is None:
        await add_demo_users(sandbox.identity)
    await sandbox.load()
    if seed is not None:
        try:
            await plant(sandbox, seed)
        except BadInput as error:
            if not kept:
                raise
            raise BadInput(
                f"{error}\nA seed is for an empty database. Leave --seed out to go on with what "
                "--database holds, or name a new file there."
            ) from None


def _seeded(url: str, seed: Seed) -> str:
    tenants = "\n".join(f"  {url}/{one.name}/Remote/Services88" for one in seed.tenants)
    return f"""
services88 sandbox: a test server, whose users are those of its seed. Stop it with Ctrl-C.

Tenants (add /SoPrincipal.svc or /User.svc)
{tenants}

See calls as they come: {url}{PREFIX}/
Admin API: {url}{PREFIX}/docs
"""


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

See calls as they come: {url}{PREFIX}/
Admin API: {url}{PREFIX}/docs

Demo sign-ins{" (unless changed since they were made)" if kept else ""}
{users}

Try it. Sign in, and keep the ticket:

TICKET=$({signing_in} | sed -n 's:.*<Ticket>\\(.*\\)</Ticket>.*:\\1:p')

Change the password:

{changing}

Sign in with the new one:

{again}
"""
