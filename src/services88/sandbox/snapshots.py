"""Snapshots: what a tenant has at a moment, to be put back as it was."""

from dataclasses import dataclass, field

from services88.identity.errors import BadInput
from services88.sandbox.clock import ClockState
from services88.sandbox.faults import Planned
from services88.sandbox.models import Options
from services88.store.tenant_rows import TenantRows

__all__ = ["Snapshot", "Snapshots"]

_MOST = 100
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Users, passwords, tickets, tokens, policy, counters; the clock; the options; the faults.

    The audit trail and the journal are not in it: they tell what happened.
    """

    rows: TenantRows = field(repr=False)
    clock: ClockState | None
    options: Options
    faults: tuple[Planned, ...]


class Snapshots:
    """The snapshots of one tenant, by name, in memory.

    :ivar first: What a reset leads back to.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Snapshot] = {}
        self.first: Snapshot | None = None

    def names(self) -> list[str]:
        """List the names, oldest first."""
        return list(self._kept)

    def check(self, name: str) -> None:
        """Check that a snapshot may have a name.

        :raises BadInput: There are too many, or the name is too long.
        """
        if not 0 < len(name) <= _LONGEST_NAME:
            raise BadInput(f"Name the snapshot, in 1 to {_LONGEST_NAME} characters.")
        if len(self._kept) >= _MOST and name not in self._kept:
            raise BadInput(f"There are {_MOST} snapshots. Delete one, or take another's name.")

    def add(self, name: str, snapshot: Snapshot) -> None:
        """Keep a snapshot as the newest; an earlier one of that name is forgotten."""
        self._kept.pop(name, None)
        self._kept[name] = snapshot

    def get(self, name: str) -> Snapshot:
        """Return a snapshot.

        :raises LookupError: There is none of that name.
        """
        snapshot = self._kept.get(name)
        if snapshot is None:
            known = ", ".join(self._kept) or "none"
            raise LookupError(f"There is no snapshot {name}. There are: {known}.")
        return snapshot

    def delete(self, name: str) -> None:
        """Forget a snapshot.

        :raises LookupError: There is none of that name.
        """
        self.get(name)
        del self._kept[name]

    def clear(self) -> None:
        """Forget all but the first."""
        self._kept.clear()
