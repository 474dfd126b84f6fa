"""What can go wrong between us and the database."""

__all__ = ["Conflict", "DatabaseUnavailable", "OutcomeUnknown", "StoreError", "UnusableDatabase"]


class StoreError(Exception):
    """Base of the store's errors."""


class DatabaseUnavailable(StoreError):
    """The database does not answer now: it is gone, locked or full. Trying later may help."""


class OutcomeUnknown(DatabaseUnavailable):
    """The database went away while it was keeping a change: it is kept wholly, or not at all."""


class UnusableDatabase(StoreError):
    """The database cannot be used as it is. The message says why, and what to do."""


class Conflict(StoreError):
    """A row with that name is there already."""
