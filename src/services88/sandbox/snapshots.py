"""Snapshots: what a tenant has at a moment, to be put back as it was."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from services88.identity.errors import BadInput
from services88.identity.identity import Identity
from services88.sandbox.clock import ClockState
from services88.sandbox.faults import Planned
from services88.sandbox.models import OptionsChange
from services88.store import tenant_rows
from services88.store.database import Connection
from services88.store.tenant_rows import TenantRows
from services88.store.tenants import Tenant

if TYPE_CHECKING:
    from services88.sandbox.worlds import World

__all__ = ["Snapshot", "Snapshots"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Users, passwords, tickets, tokens, policy, counters; the clock; the options; the faults.

    The audit trail and the journal are not in it: they tell what happened.
    """

    rows: TenantRows = field(repr=False)
    clock: ClockState | None
    options: OptionsChange
    faults: tuple[Planned, ...]


class Snapshots:
    """The snapshots of one tenant, by name, in memory."""

    def __init__(self, identity: Identity, tenant: Tenant) -> None:
        self._identity, self._tenant = identity, tenant
        self._kept: dict[str, Snapshot] = {}
        self._first: Snapshot | None = None

    def names(self) -> list[str]:
        """List the names, oldest first."""
        return list(self._kept)

    async def take_first(self, world: "World") -> None:
        """Keep how things are now as what a reset leads back to."""
        self._first = await self._take(world)

    async def take(self, world: "World", name: str) -> None:
        """Keep how things are now under a name; an earlier one of that name is forgotten.

        :raises BadInput: There are too many, or the name is too long.
        """
        if not 0 < len(name) <= _LONGEST_NAME:
            raise BadInput(f"Name the snapshot, in 1 to {_LONGEST_NAME} characters.")
        if len(self._kept) >= _MOST and name not in self._kept:
            raise BadInput(f"There are {_MOST} snapshots. Delete one, or take another's name.")
        self._kept.pop(name, None)
        self._kept[name] = await self._take(world)

    async def _take(self, world: "World") -> Snapshot:
        async def work(connection: Connection) -> TenantRows:
            return await tenant_rows.read(connection, self._tenant.tenant_id)

        rows = await self._identity.database.transaction(work)
        clock = world.clock.state() if world.clock.moved else None  # None: the machine's time
        return Snapshot(rows, clock, world.options, world.faults.kept())

    async def restore(self, world: "World", name: str) -> None:
        """Put back how things were.

        :raises LookupError: There is no snapshot of that name.
        """
        snapshot = self._kept.get(name)
        if snapshot is None:
            known = ", ".join(self._kept) or "none"
            raise LookupError(f"There is no snapshot {name}. There are: {known}.")
        await self._put_back(world, snapshot)

    async def reset(self, world: "World") -> None:
        """Put back how things were in the beginning; forget the journal and all snapshots."""
        if self._first is not None:
            await self._put_back(world, self._first)
        self._kept.clear()
        world.journal.clear()

    def delete(self, name: str) -> None:
        """Forget a snapshot.

        :raises LookupError: There is none of that name.
        """
        if self._kept.pop(name, None) is None:
            raise LookupError(f"There is no snapshot {name}.")

    async def _put_back(self, world: "World", snapshot: Snapshot) -> None:
        async def work(connection: Connection) -> None:
            await tenant_rows.replace(connection, self._tenant.tenant_id, snapshot.rows)

        await self._identity.database.transaction(work)
        if snapshot.clock is None:
            world.clock.reset()
        else:
            world.clock.restore(snapshot.clock)
        world.choose(snapshot.options)
        world.faults.restore(snapshot.faults)


_MOST = 100
_LONGEST_NAME = 100
