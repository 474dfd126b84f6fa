"""``services88 user``: the users of a tenant."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services88.cli.common import (
    database_option,
    new_password,
    on_database,
    password_option,
    say,
    table,
    tells_errors,
    tenant_option,
)
from services88.cli.user_import import import_users

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services88.identity import guessing
    from services88.identity.identity import Identity
    from services88.store.associates import Associate
    from services88.store.tenants import Tenant

__all__ = ["user"]


@click.group()
def user() -> None:
    """Add, list and retire users, and set their passwords."""


user.add_command(import_users)


@user.command()
@click.argument("name")
@password_option
@click.option("--role", help="Name of a role. Default: the tenant's default role.")
@click.option(
    "--type",
    "kind",
    type=click.Choice(["employee", "external", "system"]),
    default="employee",
    show_default=True,
    help="Kind of user.",
)
@click.option("--firstname", default="", help="First name of the person.")
@click.option("--lastname", default="", help="Last name of the person.")
@click.option("--email", default="", help="E-mail address; it can be used to sign in.")
@click.option("--nickname", default="", help="Nick name; each is one user's only.")
@tenant_option
@database_option
@tells_errors
def add(
    name: str,
    *,
    password_stdin: bool,
    role: str | None,
    kind: str,
    firstname: str,
    lastname: str,
    email: str,
    nickname: str,
    tenant: str | None,
    database: str | None,
    config: Path | None,
) -> None:
    """Add the user NAME. The database is made where there is none."""
    from services88.identity import accounts

    kinds = {
        "employee": accounts.AssociateType.EMPLOYEE,
        "external": accounts.AssociateType.EXTERNAL_PERSON,
        "system": accounts.AssociateType.SYSTEM,
    }
    password = new_password(from_stdin=password_stdin)

    async def work(identity: "Identity", of: "Tenant") -> "Associate":
        return await accounts.add(
            identity,
            of,
            name,
            password,
            role=role,
            type=kinds[kind],
            firstname=firstname,
            lastname=lastname,
            email=email,
            nick_name=nickname,
        )

    added = on_database(database, config, tenant, work)
    say(f"Added {added.name} (associate {added.associate_id}) with role {added.role_name}.")


@user.command("list")
@tenant_option
@database_option
@tells_errors
def list_users(tenant: str | None, database: str | None, config: Path | None) -> None:
    """List the users."""
    from services88.identity import accounts

    found = on_database(database, config, tenant, accounts.listing)
    table(
        ("ID", "NAME", "FULL NAME", "NICK NAME", "ROLE", "STATE"),
        [
            (one.associate_id, one.name, one.full_name, one.nick_name, one.role_name, _state(one))
            for one in found
        ],
    )


def _state(of: "Associate") -> str:
    if of.deleted:
        return "retired"
    return "waiting for approval" if of.waiting_for_approval else "active"


@user.command()
@click.argument("name")
@tenant_option
@database_option
@tells_errors
def show(name: str, tenant: str | None, database: str | None, config: Path | None) -> None:
    """Show the user NAME, and whether and until when sign-ins wait after wrong passwords."""
    from services88.identity import accounts, guessing

    async def work(
        identity: "Identity", of: "Tenant"
    ) -> "tuple[Associate, bool, Sequence[guessing.Wait]]":
        found = await accounts.find(identity, of, name)
        waits = await guessing.waits_of(identity, of, found)
        return found, await accounts.is_locked(identity, found), waits

    one, locked, waits = on_database(database, config, tenant, work)
    for label, value in (
        ("Name", one.name),
        ("Associate id", one.associate_id),
        ("Kind", accounts.AssociateType(one.type).name.lower().replace("_", " ")),
        ("Full name", one.full_name),
        ("E-mail", one.email),
        ("Nick name", one.nick_name),
        ("Role", one.role_name),
        ("State", _state(one) + (", password disabled" if locked else "")),
        ("Last sign-in", _time(one.lastlogin) if one.lastlogin else "never"),
        *(
            ("Must wait", f"{wait.network or 'everybody'}, until {_time(wait.until)}")
            for wait in waits
        ),
    ):
        say(f"{label + ':':14}{value}".rstrip())


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(" ", "seconds")


@user.command("set-password")
@click.argument("name")
@password_option
@tenant_option
@database_option
@tells_errors
def set_password(
    name: str,
    *,
    password_stdin: bool,
    tenant: str | None,
    database: str | None,
    config: Path | None,
) -> None:
    """Set a new password for the user NAME; all their tickets end."""
    from services88.identity import accounts, passwords

    password = new_password(from_stdin=password_stdin)

    async def work(identity: "Identity", of: "Tenant") -> "Associate":
        found = await accounts.find(identity, of, name)
        await passwords.set_by_operator(identity, of, found, password)
        return found

    changed = on_database(database, config, tenant, work)
    say(f"The password of {changed.name} is set. Their tickets have ended.")


@user.command()
@click.argument("name")
@tenant_option
@database_option
@tells_errors
def unlock(name: str, tenant: str | None, database: str | None, config: Path | None) -> None:
    """Enable the password of the user NAME again, after too many wrong ones."""
    from services88.identity import accounts

    async def work(identity: "Identity", of: "Tenant") -> bool:
        return await accounts.unlock(identity, of, name)

    unlocked = on_database(database, config, tenant, work)
    say(f"{name} is unlocked." if unlocked else f"{name} was not locked.")


@user.command()
@click.argument("name")
@tenant_option
@database_option
@tells_errors
def retire(name: str, tenant: str | None, database: str | None, config: Path | None) -> None:
    """Retire the user NAME: they cannot sign in, and their tickets end."""
    _retire(name, tenant, database, config, retired=True)


@user.command()
@click.argument("name")
@tenant_option
@database_option
@tells_errors
def unretire(name: str, tenant: str | None, database: str | None, config: Path | None) -> None:
    """Take the retired user NAME back, with the password they had."""
    _retire(name, tenant, database, config, retired=False)


def _retire(
    name: str, tenant: str | None, database: str | None, config: Path | None, *, retired: bool
) -> None:
    from services88.identity import accounts

    async def work(identity: "Identity", of: "Tenant") -> bool:
        return await accounts.retire(identity, of, name, retired=retired)

    changed = on_database(database, config, tenant, work)
    state = "retired" if retired else "active"
    say(f"{name} is {state}." if changed else f"{name} was {state} already.")
