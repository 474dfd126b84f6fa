"""The root of the command line."""

import click

from services88 import __version__
from services88.cli.application_tokens import app_token
from services88.cli.audit import audit
from services88.cli.database import db
from services88.cli.passwd import passwd
from services88.cli.policy import policy
from services88.cli.roles import role
from services88.cli.sandbox import sandbox
from services88.cli.serve import serve
from services88.cli.tenants import tenant
from services88.cli.tickets import ticket
from services88.cli.users import user
from services88.cli.wsdl import wsdl

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def main() -> None:
    """A server for the SuperOffice NetServer Services88 contract: sign-in, users, passwords.

    \b
    To try it out:      services88 sandbox --tour
    To run it for real: services88 user add JANE
                        services88 serve

    Every setting is a flag, an environment variable SERVICES88_*, or a line in a TOML file
    (--config); what comes first in this order wins.
    """


for command in (
    serve,
    sandbox,
    user,
    role,
    policy,
    tenant,
    app_token,
    ticket,
    audit,
    wsdl,
    db,
    passwd,
):
    main.add_command(command)
