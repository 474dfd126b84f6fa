"""``services88 db``: the tables of a database."""

from pathlib import Path

import click

from services88.cli.common import database_option, tells_errors

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
    click.echo(
        f"At {after} already." if before == after else f"From {before or 'none'} to {after}."
    )


@db.command()
@database_option
@tells_errors
def current(database: str | None, config: Path | None) -> None:
    """Print the revision of the tables, and the newest one known."""
    from services88.settings import load
    from services88.store import migrate

    found = migrate.current(load({"database": database}, config).database)
    click.echo(f"{found or 'none'} (newest: {migrate.head()})")
