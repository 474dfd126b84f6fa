"""``services88 wsdl``: the description of a service, for code generators."""

import click

__all__ = ["wsdl"]


@click.command()
@click.argument("agent", type=click.Choice(["User", "SoPrincipal"]))
@click.option(
    "--address",
    metavar="URL",
    help="Where the service is. Default: http://127.0.0.1:8088/Remote/Services88/AGENT.svc.",
)
def wsdl(agent: str, address: str | None) -> None:
    """Print the WSDL of AGENT: one document, schemas included."""
    from services88.contract import AGENTS
    from services88.soap.wsdl import wsdl as write

    location = address or f"http://127.0.0.1:8088/Remote/Services88/{agent}.svc"
    click.echo(write(AGENTS[agent], location))
