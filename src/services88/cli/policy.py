"""``services88 policy``: the rules for new passwords of a tenant."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services88.cli.common import (
    database_option,
    new_password,
    on_database,
    say,
    tells_errors,
    tenant_option,
)

if TYPE_CHECKING:
    from services88.identity.identity import Identity
    from services88.identity.policy import Failure, PolicyChoice
    from services88.store.tenants import Tenant

__all__ = ["policy"]


@click.group()
def policy() -> None:
    """Show, set and try the rules for new passwords."""


@policy.command()
@tenant_option
@database_option
@tells_errors
def show(tenant: str | None, database: str | None, config: Path | None) -> None:
    """Show the rules in force, and what they ask for in words."""
    from services88.identity import password_rules

    async def work(identity: "Identity", of: "Tenant") -> "tuple[PolicyChoice, Sequence[str]]":
        in_force = await password_rules.policy_of(identity, of)
        return await password_rules.chosen(identity, of), in_force.help_texts()

    choice, texts = on_database(database, config, tenant, work)
    for label, value in (
        ("Preset", choice.preset),
        ("Preference", choice.preference or "none"),
        (
            "Minimum length",
            "the preset's" if choice.minimum_length is None else choice.minimum_length,
        ),
        ("History", choice.history),
        ("Block-list", choice.blocklist or "none of your own"),
        ("Breached set", choice.breached or "none"),
    ):
        say(f"{label + ':':16}{value}")
    for text in texts:
        say(f"- {text}")


@policy.command("set")
@click.option("--preset", help="nist, vendor-online or vendor.")
@click.option("--minimum-length", type=int, help="Characters a password has at least.")
@click.option("--history", type=int, help="Earlier passwords that are refused, 0 to 24.")
@click.option(
    "--preference",
    metavar="TEXT",
    help="Preference string: MinTotal=8&MinNum=1&MinSpec=0&MinLC=1&MinUC=1&Msg=...; "
    "empty removes it.",
)
@tenant_option
@database_option
@tells_errors
def set_policy(
    *,
    preset: str | None,
    minimum_length: int | None,
    history: int | None,
    preference: str | None,
    tenant: str | None,
    database: str | None,
    config: Path | None,
) -> None:
    """Change the rules; what is not given stays as it is."""
    from services88.identity import password_rules

    async def work(identity: "Identity", of: "Tenant") -> "PolicyChoice":
        return await password_rules.choose(
            identity,
            of,
            preset=preset,
            minimum_length=minimum_length,
            history=history,
            preference=preference,
        )

    choice = on_database(database, config, tenant, work)
    say(f"The rules are those of {choice.preset}. `services88 policy show` tells them.")


@policy.command()
@tenant_option
@database_option
@tells_errors
def check(tenant: str | None, database: str | None, config: Path | None) -> None:
    """Read a candidate from standard input and say which rules it fails (exit status 1)."""
    from services88.identity import password_rules

    candidate = new_password(from_stdin=True)

    async def work(identity: "Identity", of: "Tenant") -> "list[Failure]":
        return await password_rules.explain(identity, of, candidate)

    failures = on_database(database, config, tenant, work)
    for failure in failures:
        say(f"{failure.rule}: {failure.text}")
    if failures:
        sys.exit(1)
    say("It is acceptable.")
