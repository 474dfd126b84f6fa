"""``services88 tenant``: the customers of an installation."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services88.cli.common import database_option, on_database, say, table, tells_errors

if TYPE_CHECKING:
    from services88.identity.identity import Identity
    from services88.store.tenants import Tenant

__all__ = ["tenant"]


@click.group()
def tenant() -> None:
    """Add and list tenants. The address of a service names its tenant."""


@tenant.command()
@click.argument("name")
@click.option("--company", default="", help="Name of the company.")
@database_option
@tells_errors
def add(name: str, company: str, database: str | None, config: Path | None) -> None:
    """Add the tenant NAME, served at /NAME/Remote/Services88/."""
    from services88.identity import tenants

    async def work(identity: "Identity", _: "Tenant") -> "Tenant":
        return await tenants.add(identity, name, company=company)

    added = on_database(database, config, None, work)
    say(f"Added {added.name}, served at /{added.name}/Remote/Services88/.")


@tenant.command("list")
@database_option
@tells_errors
def list_tenants(database: str | None, config: Path | None) -> None:
    """List the tenants."""
    from services88.identity import tenants

    async def work(identity: "Identity", _: "Tenant") -> "Sequence[Tenant]":
        return await tenants.listing(identity)

    found = on_database(database, config, None, work)
    table(
        ("ID", "NAME", "COMPANY", "DEFAULT"),
        [(t.tenant_id, t.name, t.company_name, "yes" if t.is_default else "") for t in found],
    )
