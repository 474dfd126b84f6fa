"""What the commands share: options, opening the database, and telling errors."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from services88.identity.identity import Identity
    from services88.store.tenants import Tenant

__all__ = [
    "database_option",
    "line_of_stdin",
    "new_password",
    "on_database",
    "password_option",
    "say",
    "table",
    "tells_errors",
    "tenant_option",
    "warn_of_exposed",
]

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., Any])


def database_option(command: C) -> C:
    """Add --database and --config."""
    command = click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="SERVICES88_CONFIG",
        help="TOML file with settings; flags and SERVICES88_* variables overrule it.",
    )(command)
    return click.option(
        "--database",
        metavar="URL",
        help="Where users are kept: sqlite:///FILE or postgresql://USER@HOST/DATABASE. "
        "Default: sqlite:///services88.sqlite3.",
    )(command)


tenant_option = click.option(
    "--tenant", metavar="NAME", help="The tenant concerned. Default: the default tenant."
)
password_option = click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input (one line) instead of asking for it.",
)


def tells_errors(command: Callable[P, T]) -> Callable[P, T]:
    """Turn the errors that a person can mend into a message and exit status 1."""

    @wraps(command)
    def telling(*args: P.args, **kwargs: P.kwargs) -> T:
        from services88.identity.errors import BadInput, Refusal
        from services88.store.errors import StoreError

        for value in kwargs.values():
            if isinstance(value, str) and not value.isprintable() and _is_broken(value):
                raise click.ClickException("An argument is not text in this terminal's encoding.")
        try:
            return command(*args, **kwargs)
        except (BadInput, Refusal) as error:
            raise click.ClickException(_shown(str(error))) from error
        except StoreError as error:
            raise click.ClickException(f"The database cannot be used. {_shown(str(error))}") from (
                error
            )
        except click.UsageError:
            raise
        except click.ClickException as error:
            raise click.ClickException(_shown(error.message)) from error

    return telling


def _shown(text: str) -> str:
    from services88.identity.names import escaped

    return escaped(text, keep="\n")


def say(line: str, *, err: bool = False) -> None:
    """Print a line, with what cannot be seen in it escaped: names in it may be anybody's choice."""
    from services88.identity.names import escaped

    click.echo(escaped(line), err=err)


def _is_broken(value: str) -> bool:
    # Bytes that are no text arrive as halves of surrogate pairs.
    return any("\ud800" <= character <= "\udfff" for character in value)


def on_database(
    database: str | None,
    config: Path | None,
    tenant: str | None,
    work: "Callable[[Identity, Tenant], Awaitable[T]]",
    *,
    reads_trail: bool = False,
) -> T:
    """Open the database, creating or migrating it where needed, and do a piece of work.

    :param reads_trail: Whether the work looks at the audit trail as it is: nothing is written there
        before.
    """
    from services88.identity import audit, tenants
    from services88.settings import load
    from services88.store.migrate import exposed_files
    from services88.web.application import identity_of

    async def run() -> T:
        settings = load({"database": database}, config)
        identity = identity_of(settings)
        for file in exposed_files(settings.database):
            warn_of_exposed(file)
        try:
            if not reads_trail:
                await audit.check_heads(identity)
            return await work(identity, await tenants.named(identity, tenant))
        finally:
            await identity.database.close()
            identity.hashing.close()

    return asyncio.run(run())


def warn_of_exposed(file: Path) -> None:
    """Warn of a database, or a copy of one, that everybody can read or write."""
    say(
        f"Warning: everybody on this machine can read or write {file}, which holds password "
        "hashes. Run `chmod 600` on it.",
        err=True,
    )


def new_password(*, from_stdin: bool) -> str:
    """Ask for a new password twice, or read it from standard input. It is never an argument."""
    if not from_stdin:
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return line_of_stdin()


def line_of_stdin() -> str:
    """Read a secret from standard input: one line, without its end."""
    line = sys.stdin.buffer.readline()
    try:
        return line.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise click.ClickException("The password on standard input is not UTF-8.") from error


def table(headings: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """Print rows under headings; what cannot be seen in a cell is escaped."""
    from services88.identity.names import escaped

    lines = [headings, *(tuple(escaped(str(cell)) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
