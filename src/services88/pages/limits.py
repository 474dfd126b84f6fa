"""How often an address may ask for what costs something and needs no sign-in."""

import time
from collections import OrderedDict

from services88.identity.guessing import place_of

__all__ = ["Allowance"]

_MOST = 10_000


class Allowance:
    """A bucket of tokens for each address, in memory: of one process, and lost at a restart.

    It sheds load. A limit that is promised is :func:`services88.identity.request_limits.admit`.
    """

    def __init__(self, at_once: int, per_minute: int) -> None:
        """Allow so many at once, and so many more each minute."""
        self._at_once = at_once
        self._rate = per_minute / 60
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> bool:
        """Use one up; False where none is left."""
        address = place_of(address)  # or a network of IPv6 would have one for each of its 2^64
        now = time.monotonic()
        left, since = self._left.pop(address, (float(self._at_once), now))
        left = min(float(self._at_once), left + (now - since) * self._rate)
        allowed = left >= 1
        self._left[address] = (left - 1 if allowed else left, now)
        if len(self._left) > _MOST:
            self._left.popitem(last=False)
        return allowed
