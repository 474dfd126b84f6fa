"""``services88 user import``: users of another system, from a file."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from services88.cli.common import (
    database_option,
    on_database,
    say,
    tells_errors,
    tenant_option,
)

if TYPE_CHECKING:
    from services88.identity.identity import Identity
    from services88.identity.user_import import Report
    from services88.store.tenants import Tenant

__all__ = ["import_users"]


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Add nobody; only say what would come of it.")
@tenant_option
@database_option
@click.pass_context
@tells_errors
def import_users(
    context: click.Context,
    file: Path,
    *,
    dry_run: bool,
    tenant: str | None,
    database: str | None,
    config: Path | None,
) -> None:
    """Add the users in FILE, with the password hashes they had elsewhere.

    FILE is name.csv with a header row, or name.jsonl with an object a line, in UTF-8. The columns
    are name, firstname, lastname, email, nickname, role, type (employee, external, system),
    password_hash, password and retired (true, false). Only name must be there; a user with neither
    password_hash nor password cannot sign in until a password is set.

    Hashes that can be imported: Argon2, bcrypt, PBKDF2 and scrypt as passlib writes them, {SSHA},
    and Django's. A row with a problem is left out and told; the others are imported. Nobody who is
    there already is changed. The exit status is 1 where there was a problem.
    """
    from services88.identity import user_import

    rows = user_import.read_rows(file)

    async def work(identity: "Identity", of: "Tenant") -> "Report":
        return await user_import.import_users(identity, of, rows, dry_run=dry_run)

    report = on_database(database, config, tenant, work)
    said = f"{'Would add' if dry_run else 'Added'} {_number(report.added, 'user')}"
    without = f" ({report.without_password} without a password)" if report.without_password else ""
    say(f"{said}{without}.")
    if not report.problems:
        return
    say(f"{_number(len(report.problems), 'problem')}:")
    for problem in report.problems:
        say(f"  Line {problem.line}: {problem.cause} {problem.remedy}")
    context.exit(1)


def _number(count: int, of: str) -> str:
    return f"{count} {of}" if count == 1 else f"{count} {of}s"
