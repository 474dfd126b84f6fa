"""``services88 app-token``: which applications may call an Online installation."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services88.cli.common import (
    database_option,
    on_database,
    say,
    table,
    tells_errors,
    tenant_option,
)

if TYPE_CHECKING:
    from services88.identity.application_tokens import Issued
    from services88.identity.identity import Identity
    from services88.store.tenants import Tenant

__all__ = ["app_token"]


@click.group("app-token")
def app_token() -> None:
    """Issue and revoke the tokens by which applications call an Online installation."""


@app_token.command()
@click.argument("application")
@tenant_option
@database_option
@tells_errors
def issue(application: str, tenant: str | None, database: str | None, config: Path | None) -> None:
    """Issue a token for APPLICATION. It is shown once; only a hash is kept."""
    from services88.identity import application_tokens

    async def work(identity: "Identity", of: "Tenant") -> "Issued":
        return await application_tokens.issue(identity, of, application)

    issued = on_database(database, config, tenant, work)
    say(f"Token {issued.application_token_id} for {application}. Keep it: it is", err=True)
    say("not shown again.", err=True)
    click.echo(issued.text)


@app_token.command("list")
@tenant_option
@database_option
@tells_errors
def list_tokens(tenant: str | None, database: str | None, config: Path | None) -> None:
    """List the tokens that were issued."""
    from services88.identity import application_tokens

    def date(instant: int) -> str:
        return datetime.fromtimestamp(instant / 1000, UTC).date().isoformat()

    found = on_database(database, config, tenant, application_tokens.listing)
    table(
        ("ID", "APPLICATION", "ISSUED", "REVOKED"),
        [
            (
                one.application_token_id,
                one.name,
                date(one.registered),
                date(one.revoked) if one.revoked else "",
            )
            for one in found
        ],
    )


@app_token.command()
@click.argument("token_id", type=click.IntRange(1, 2**31 - 1))
@tenant_option
@database_option
@tells_errors
def revoke(token_id: int, tenant: str | None, database: str | None, config: Path | None) -> None:
    """Revoke the token TOKEN_ID: calls with it are refused from now on."""
    from services88.identity import application_tokens

    async def work(identity: "Identity", of: "Tenant") -> None:
        await application_tokens.revoke(identity, of, token_id)

    on_database(database, config, tenant, work)
    say(f"Token {token_id} is revoked.")
