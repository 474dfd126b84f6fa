"""``services88 ticket``: who is signed in, and ending it."""

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
    from collections.abc import Sequence

    from services88.identity.identity import Identity
    from services88.store.credentials import LiveTicketRow
    from services88.store.tenants import Tenant

__all__ = ["ticket"]


@click.group()
def ticket() -> None:
    """List and revoke the tickets of users who are signed in."""


@ticket.command("list")
@click.argument("user", required=False)
@click.option("--all", "everybody", is_flag=True, help="The tickets of all users of the tenant.")
@tenant_option
@database_option
@tells_errors
def list_tickets(
    user: str | None,
    *,
    everybody: bool,
    tenant: str | None,
    database: str | None,
    config: Path | None,
) -> None:
    """List the valid tickets of USER.

    Shown are numbers, never what a ticket is made of. LAST USED and FROM may be five minutes old:
    not every use is written down.
    """
    from services88.identity import accounts, application_tokens, tickets

    if (user is not None) + everybody != 1:
        raise click.UsageError("Name a user, or give --all.")

    async def work(
        identity: "Identity", of: "Tenant"
    ) -> "tuple[Sequence[LiveTicketRow], dict[int, str]]":
        whose = await accounts.find(identity, of, user) if user is not None else None
        tokens = await application_tokens.listing(identity, of)
        names = {token.application_token_id: token.name for token in tokens}
        return await tickets.listing(identity, of, whose), names

    found, applications = on_database(database, config, tenant, work)
    table(
        ("ID", "USER", "ISSUED", "LAST USED", "EXPIRES", "FROM", "APPLICATION"),
        [
            (
                one.credentials_id,
                one.name,
                _time(one.valid_from),
                _time(one.last_used or one.valid_from),
                _time(one.valid_to),
                one.last_used_info,
                applications.get(one.application_token_id, ""),
            )
            for one in found
        ],
    )


def _time(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


@ticket.command()
@click.argument("user", required=False)
@click.option(
    "--id",
    "numbers",
    type=click.IntRange(1, 2**63 - 1),
    multiple=True,
    help="Number of a ticket, as `ticket list` shows it; can be given several times.",
)
@click.option("--all", "everybody", is_flag=True, help="The tickets of all users of the tenant.")
@tenant_option
@database_option
@tells_errors
def revoke(
    user: str | None,
    *,
    numbers: tuple[int, ...],
    everybody: bool,
    tenant: str | None,
    database: str | None,
    config: Path | None,
) -> None:
    """Revoke the tickets of USER: from their next call on they are refused, on every server.

    The password stays; whoever knows it can sign in again.
    """
    from services88.identity import accounts, tickets
    from services88.identity.errors import BadInput

    if (user is not None) + bool(numbers) + everybody != 1:
        raise click.UsageError("Name a user, or give --id or --all: one of the three.")

    async def work(identity: "Identity", of: "Tenant") -> int:
        if numbers:
            ended = await tickets.revoke_numbered(identity, of, set(numbers))
            if not ended:
                raise BadInput(
                    f"Tenant {of.name} has no valid ticket of that number. "
                    "`services88 ticket list --all` lists them."
                )
            return ended
        whose = await accounts.find(identity, of, user) if user is not None else None
        return await tickets.revoke(identity, of, whose)

    ended = on_database(database, config, tenant, work)
    say(f"Revoked {ended} {'ticket' if ended == 1 else 'tickets'}.")
