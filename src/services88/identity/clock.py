"""What time it is. Injected, so that tests and the sandbox can move it."""

import time
from typing import Protocol

__all__ = ["HOUR", "MINUTE", "Clock", "SystemClock"]

MINUTE = 60_000
HOUR = 60 * MINUTE


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> int:
        """Give the milliseconds since 1970 UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Give the milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000
