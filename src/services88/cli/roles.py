"""``services88 role``: what users may do."""

from pathlib import Path

import click

from services88.cli.common import database_option, on_database, table, tells_errors, tenant_option

__all__ = ["role"]


@click.group()
def role() -> None:
    """List the roles that users can have."""


@role.command("list")
@tenant_option
@database_option
@tells_errors
def list_roles(tenant: str | None, database: str | None, config: Path | None) -> None:
    """List the roles."""
    from services88.identity import accounts

    found = on_database(database, config, tenant, accounts.roles_of_tenant)
    table(
        ("ID", "NAME", "DEFAULT", "DESCRIPTION"),
        [(one.role_id, one.name, "yes" if one.is_default else "", one.tooltip) for one in found],
    )
