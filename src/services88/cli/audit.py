"""``services88 audit``: what happened, and whether the record of it is whole."""

import json
import os
import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from services88.cli.common import database_option, on_database, table, tells_errors, tenant_option

if TYPE_CHECKING:
    from services88.identity.audit_trail import AuditEntry, Verified
    from services88.identity.identity import Identity
    from services88.store.audit import Head
    from services88.store.tenants import Tenant

__all__ = ["audit"]

C = TypeVar("C", bound=Callable[..., Any])


class _Instant(click.ParamType[int]):
    """A date or a time, in UTC where no offset is given."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Give the milliseconds since 1970."""
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            self.fail("Write a date or time as in 2026-01-31 or 2026-01-31T12:00:00Z.", param, ctx)
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        return round(instant.timestamp() * 1000)


class _Head(click.ParamType["Head"]):
    """The end of a chain, as ``audit verify`` prints it."""

    name = "seq:hash"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> "Head":
        """Read number and hash."""
        from services88.store.audit import Head

        found = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", value.strip().lower())
        if found is None:
            self.fail("Write it as `audit verify` printed it: NUMBER:HASH.", param, ctx)
        return Head(int(found[1]), found[2])


_INSTANT = _Instant()


_LIMIT = click.IntRange(1, 2**31 - 1)


def _filters(command: C) -> C:
    for option in (
        click.option("--limit", type=_LIMIT, help="Only so many, the newest."),
        click.option("--event", metavar="NAME", help="Only events of this name."),
        click.option("--until", type=_INSTANT, help="Only before this date or time (UTC)."),
        click.option("--since", type=_INSTANT, help="Only from this date or time (UTC) on."),
        click.option("--user", metavar="NAME", help="Only what NAME did, or was done to NAME."),
    ):
        command = option(command)
    return command


@click.group()
def audit() -> None:
    """Show, export and verify the audit trail: who did what to whom, from where."""


@audit.command("list")
@_filters
@tenant_option
@database_option
@tells_errors
def list_events(
    *,
    limit: int | None,
    tenant: str | None,
    database: str | None,
    config: Path | None,
    **filters: Any,
) -> None:
    """List the newest events (50 where no --limit is given), oldest of them first."""
    from services88.identity import audit_trail

    async def work(identity: "Identity", of: "Tenant") -> "tuple[list[AuditEntry], int]":
        which = await audit_trail.filtered(identity, of, **filters)
        found = await audit_trail.newest(identity, of, which, limit or 50)
        return found, await audit_trail.pending(identity, of)

    found, pending = on_database(database, config, tenant, work)
    table(
        ("SEQ", "TIME", "EVENT", "RESULT", "USER", "BY", "FROM", "APPLICATION", "COUNT", "REASON"),
        [
            (
                entry.row.sequence,
                _time(entry.row.at),
                entry.row.event,
                entry.row.result,
                entry.user or (entry.row.name_hash and f"~{entry.row.name_hash[:12]}"),
                entry.by,
                entry.row.address,
                entry.application,
                entry.row.count,
                entry.row.reason,
            )
            for entry in found
        ],
    )
    if pending:
        click.echo(
            f"{pending} more will be there when the minute is over that they count.", err=True
        )


def _time(at: int) -> str:
    instant = datetime.fromtimestamp(at / 1000, UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@audit.command()
@_filters
@tenant_option
@database_option
@tells_errors
def export(
    *,
    limit: int | None,
    tenant: str | None,
    database: str | None,
    config: Path | None,
    **filters: Any,
) -> None:
    """Print events as JSON, one a line, oldest first. See docs/audit.md for the fields."""
    from services88.identity import audit_trail

    async def work(identity: "Identity", of: "Tenant") -> None:
        which = await audit_trail.filtered(identity, of, **filters)
        if limit is not None:
            for entry in await audit_trail.newest(identity, of, which, limit):
                click.echo(_line(entry))
            return
        async for entry in audit_trail.each(identity, of, which):
            click.echo(_line(entry))

    on_database(database, config, tenant, work)


def _line(entry: "AuditEntry") -> str:
    row = entry.row
    return json.dumps(
        {
            "sequence": row.sequence,
            "time": _time(row.at),
            "event": row.event,
            "result": row.result,
            "reason": row.reason,
            "tenant": entry.tenant,
            "tenant_id": entry.tenant_id,
            "user": entry.user,
            "user_id": row.associate_id,
            "name_hash": row.name_hash,
            "by": entry.by,
            "by_id": row.by_associate_id,
            "address": row.address,
            "application": entry.application,
            "application_id": row.application_token_id,
            "count": row.count,
            "key_id": row.key_id,
            "hash": row.hash,
        }
    )


@audit.command()
@click.option("--head", type=_Head(), help="A head printed earlier, which must still be there.")
@click.option(
    "--heads",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that `audit head --append` wrote: each of the tenant's heads must still be there.",
)
@tenant_option
@database_option
@tells_errors
def verify(
    head: "Head | None",
    heads: Path | None,
    tenant: str | None,
    database: str | None,
    config: Path | None,
) -> None:
    """Prove that no event was changed, removed or added; exit status 1 where one was.

    Prints the head of the chain. Keep it somewhere else and give it as --head next time, or keep
    them all with `audit head --append`: that the whole trail was put back to how it once was, only
    that shows.
    """
    from services88.identity import audit_trail

    async def work(identity: "Identity", of: "Tenant") -> "Verified":
        noted = [head] if head else []
        if heads is not None:
            noted += _read_heads(heads, of.name)
        try:
            return await audit_trail.verify(identity, of, noted)
        except audit_trail.ChainBroken as broken:
            raise click.ClickException(f"The audit trail is broken. {broken}") from broken

    found = on_database(database, config, tenant, work, reads_trail=True)
    click.echo(f"{found.head.sequence}:{found.head.hash}")
    click.echo(f"The audit trail is whole: {found.events} events.", err=True)
    if heads is not None:
        click.echo(f"{found.compared} noted heads are in it.", err=True)
    if found.keyed < found.events:
        click.echo(
            f"{found.events - found.keyed} of them were hashed without a pepper, which shows "
            "accidents, not an intruder.",
            err=True,
        )
    if found.keyed_from > 1:
        click.echo(
            f"The first with a pepper is event {found.keyed_from} of {_time(found.keyed_at)}.",
            err=True,
        )


_LARGEST_HEADS = 64 * 1024 * 1024


def _read_heads(file: Path, tenant: str) -> "list[Head]":
    """Read the heads of a tenant from a file that ``audit head --append`` wrote."""
    from services88.store.audit import Head

    if file.stat().st_size > _LARGEST_HEADS:
        raise click.ClickException(f"The file {file} is too large to be one of heads.")
    found = []
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        read = re.fullmatch(rb"(\S+) (\S+) ([0-9]{1,18}):([0-9a-f]{64})", line)
        if read is None:
            raise click.ClickException(
                f"Line {number} of {file} is not as `audit head` prints them: "
                "TIME TENANT NUMBER:HASH. Remove it if a full disk cut it off."
            )
        if read[2].decode(errors="replace").casefold() == tenant.casefold():
            found.append(Head(int(read[3]), read[4].decode()))
    if not found:
        raise click.ClickException(f"The file {file} has no head of tenant {tenant}.")
    return found


@audit.command()
@click.option(
    "--append",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Add the lines to a file as well, which is made where there is none.",
)
@click.option("--tenant", metavar="NAME", help="Only this tenant. Default: all.")
@database_option
@tells_errors
def head(
    append: Path | None, tenant: str | None, database: str | None, config: Path | None
) -> None:
    """Print the end of each tenant's trail: time, tenant, number and hash of the last event.

    Keep the lines on another machine, or where the server cannot write, and give them to
    `audit verify --heads FILE`: a trail that was cut off, or put back to how it was, then shows.
    """
    from services88.identity import audit_trail

    async def work(identity: "Identity", of: "Tenant") -> list[str]:
        now = _time(identity.clock.now())
        return [
            f"{now} {each.tenant.name} {each.head.sequence}:{each.head.hash}"
            for each in await audit_trail.heads(identity)
            if each.head.hash and (tenant is None or each.tenant.tenant_id == of.tenant_id)
        ]

    lines = on_database(database, config, tenant, work, reads_trail=True)
    if append is not None:
        try:
            _append(append, lines)
        except OSError as error:
            raise click.ClickException(
                f"The file {append} cannot be written: {error.strerror}."
            ) from error
    for line in lines:
        click.echo(line)


def _append(file: Path, lines: list[str]) -> None:
    """Add lines to a file, which its owner only can read, and wait until the disk has them.

    :raises OSError: It cannot be opened or written.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(file, flags, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise click.ClickException(f"{file} is not a regular file.")
        left = "".join(f"{line}\n" for line in lines).encode()
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # the file may be new
    finally:
        os.close(folder)


@audit.command()
@click.option(
    "--before", type=_INSTANT, required=True, help="Remove what is older than this (UTC)."
)
@tenant_option
@database_option
@tells_errors
def prune(before: int, tenant: str | None, database: str | None, config: Path | None) -> None:
    """Remove old events. What is left still verifies, and an event tells of the removal."""
    from services88.identity import audit_trail

    async def work(identity: "Identity", of: "Tenant") -> int:
        try:
            return await audit_trail.prune(identity, of, before)
        except audit_trail.ChainBroken as broken:
            raise click.ClickException(
                f"The audit trail is broken; nothing was removed. {broken}"
            ) from broken

    removed = on_database(database, config, tenant, work)
    click.echo(f"Removed {removed} events.")
