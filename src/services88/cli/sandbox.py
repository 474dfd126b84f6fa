"""``services88 sandbox``: for trying out, and for tests."""

import click

from services88.cli.common import tells_errors

__all__ = ["sandbox"]


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, default=8088, show_default=True, help="0 takes a free port.")
@click.option(
    "--database",
    metavar="URL",
    help="Keep the data in a database that is empty or was made by a sandbox. "
    "Default: a throw-away one.",
)
@click.option("--tour", is_flag=True, help="First play the story against itself and print it.")
@click.option(
    "--expose-test-server",
    is_flag=True,
    help="Allow an address other than loopback. This is a test server: its passwords are public.",
)
@tells_errors
def sandbox(
    host: str, port: int, database: str | None, *, tour: bool, expose_test_server: bool
) -> None:
    """Try it out: a server with demo users, on a throw-away database.

    Prints the addresses, the demo sign-ins, and a curl command for each step.
    """
    from services88.sandbox.server import run

    run(host, port, database, tour=tour, exposed=expose_test_server)
