"""``services88 db``: the tables of a database."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services88.cli.common import database_option, say, tells_errors, warn_of_exposed

if TYPE_CHECKING:
    from services88.settings import Settings

__all__ = ["db"]


@click.group()
def db() -> None:
    """Look after the database. `serve` and `user add` bring it up to date by themselves."""


@db.command()
@database_option
@tells_errors
def upgrade(database: str | None, config: Path | None) -> None:
    """Bring the tables up to date, making them where there are none."""
    from services88.settings import load
    from services88.store import migrate

    url = load({"database": database}, config).database
    before = migrate.current(url)
    migrate.upgrade(url)
    after = migrate.current(url)
    say(f"At {after} already." if before == after else f"From {before or 'none'} to {after}.")


@db.command()
@database_option
@tells_errors
def current(database: str | None, config: Path | None) -> None:
    """Print the revision of the tables, and the newest one known."""
    from services88.settings import load
    from services88.store import migrate

    found = migrate.current(load({"database": database}, config).database)
    say(f"{found or 'none'} (newest: {migrate.head()})")


_FORCE = "Replace what is there."
_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@db.command()
@_file
@click.option("--force", is_flag=True, help=_FORCE)
@database_option
@tells_errors
def backup(file: Path, *, force: bool, database: str | None, config: Path | None) -> None:
    """Copy a SQLite database to FILE, also while servers use it."""
    from services88.settings import load
    from services88.store.backup import backup as copy

    copy(load({"database": database}, config).database, file, force=force)
    say(f"The database is copied to {file}.")


@db.command()
@_file
@click.option("--force", is_flag=True, help=_FORCE)
@database_option
@tells_errors
def restore(file: Path, *, force: bool, database: str | None, config: Path | None) -> None:
    """Put the backup FILE in the place of a SQLite database. Stop its servers first.

    The backup is checked first, its audit trail too; if it was made by an older version, its tables
    are brought up to date.
    """
    from services88.settings import load
    from services88.store.backup import restore as put_back
    from services88.store.sqlite import exposed_files

    settings = load({"database": database}, config)

    def check(copy: Path) -> None:
        asyncio.run(_verify(settings.model_copy(update={"database": f"sqlite:///{copy}"})))

    put_back(settings.database, file, check, force=force)
    for exposed in exposed_files(file):
        warn_of_exposed(exposed)
    say(f"The database is as it was when {file} was made.")


async def _verify(settings: "Settings") -> None:
    from services88.identity import audit_trail, tenants
    from services88.web.application import identity_of

    identity = identity_of(settings)
    try:
        for tenant in await tenants.listing(identity):
            try:
                await audit_trail.verify(identity, tenant, needs_key=False)
            except audit_trail.ChainBroken as broken:
                raise click.ClickException(
                    f"The audit trail in the backup is broken; nothing was changed. {broken}"
                ) from broken
    finally:
        await identity.database.close()
        identity.hashing.close()
