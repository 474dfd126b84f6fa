"""``services88 sandbox``: for trying out, and for tests."""

import json
from pathlib import Path

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
@click.option(
    "--seed",
    type=click.Path(path_type=Path),
    help="YAML file with tenants, users, policy, clock and faults, instead of the demo users.",
)
@click.option("--seed-schema", is_flag=True, help="Print the JSON Schema of seed files, and end.")
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Host name by which the sandbox may be reached, beside localhost. Repeatable.",
)
@click.option(
    "--journal-secrets",
    is_flag=True,
    help="Keep passwords and tickets in the journal as they were sent, instead of ***.",
)
@tells_errors
def sandbox(
    host: str,
    port: int,
    database: str | None,
    seed: Path | None,
    allowed_hosts: tuple[str, ...],
    *,
    tour: bool,
    expose_test_server: bool,
    seed_schema: bool,
    journal_secrets: bool,
) -> None:
    """Try it out, and test with it: a server with demo users, on a throw-away database.

    Prints the addresses, the demo sign-ins, and a curl command for each step. The admin API at
    /__sandbox/docs moves the clock, breaks calls and tells what was asked; see docs/testing.md.
    """
    if seed_schema:
        from services88.sandbox.seeds import seed_schema as schema

        click.echo(json.dumps(schema(), indent=2))
        return
    from services88.sandbox.server import Running, run

    run(
        Running(
            host=host,
            port=port,
            database=database,
            tour=tour,
            exposed=expose_test_server,
            seed=seed,
            allowed_hosts=allowed_hosts,
            keep_secrets=journal_secrets,
        )
    )
