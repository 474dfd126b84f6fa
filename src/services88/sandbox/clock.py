"""A clock that can be moved, stopped and made faster: each tenant of a sandbox has one."""

from dataclasses import dataclass
from typing import Protocol

from services88.identity.clock import SystemClock
from services88.identity.errors import BadInput

__all__ = ["ClockState", "SandboxClock"]

_LATEST = 253_402_214_400_000
"""9999-12-31: no password or ticket of the contract lives longer."""


class _Telling(Protocol):
    def now(self) -> int: ...


@dataclass(frozen=True, slots=True)
class ClockState:
    """How a clock goes: at ``real`` it showed ``shown``, and gains ``speed`` for each that passes.

    Times are milliseconds since 1970 UTC.
    """

    real: int
    shown: int
    speed: float


class SandboxClock:
    """Tells a tenant's time."""

    def __init__(self, machine: _Telling | None = None) -> None:
        self._machine = machine or SystemClock()
        self._state = ClockState(0, 0, 1.0)
        self._went = 1.0

    def now(self) -> int:
        """Give the milliseconds since 1970 UTC, as the tenant sees them."""
        state = self._state
        return self._shown(state, self._machine.now())

    @staticmethod
    def _shown(state: ClockState, real: int) -> int:
        if state.speed == 1.0:  # without a detour by floating point
            shown = state.shown + real - state.real
        else:
            shown = state.shown + int((real - state.real) * state.speed)
        return min(shown, _LATEST - 1)  # there it stands: no date comes after 9999

    @property
    def speed(self) -> float:
        """Seconds that pass in a second; 0 where it stands."""
        return self._state.speed

    @property
    def frozen(self) -> bool:
        """Whether it stands."""
        return self._state.speed == 0.0

    @property
    def moved(self) -> bool:
        """Whether it shows another time than the machine."""
        return self._state != ClockState(0, 0, 1.0)

    def set(self, at: int | None = None, *, speed: float | None = None) -> None:
        """Show another time from now on, or go at another speed.

        :param at: Milliseconds since 1970 UTC.
        :raises BadInput: The time is before 1970 or after 9999, or the speed no clock's.
        """
        real = self._machine.now()
        shown = self._shown(self._state, real) if at is None else at
        if not 0 <= shown < _LATEST:
            raise BadInput("The clock goes from 1970 to 9999. Move it to a time between.")
        going = self._state.speed if speed is None else speed
        if not 0 <= going <= 1_000_000:
            raise BadInput("The clock's speed is from 0 (it stands) to 1000000.")
        if self._state.speed:
            self._went = self._state.speed
        self._state = ClockState(real, shown, float(going))

    def move(self, milliseconds: int) -> None:
        """Move the clock, back where negative.

        :raises BadInput: It would leave the years from 1970 to 9999.
        """
        self.set(self.now() + milliseconds)

    def freeze(self, at: int | None = None) -> None:
        """Stop the clock, now or at a time.

        :raises BadInput: As :meth:`set`.
        """
        self.set(at, speed=0.0)

    def go_on(self) -> None:
        """Let a clock that stands go on as fast as it went before; another goes on anyway."""
        if self.frozen:
            self.set(speed=self._went)

    def reset(self) -> None:
        """Show the machine's time again."""
        self._went = 1.0
        self._state = ClockState(0, 0, 1.0)

    def state(self) -> ClockState:
        """Give what :meth:`restore` takes: a snapshot holds the time as it was."""
        real = self._machine.now()
        return ClockState(real, self._shown(self._state, real), self._state.speed)

    def restore(self, state: ClockState | None) -> None:
        """Show again the time at which the state was taken, and go on as it did then.

        :param state: None: it showed the machine's time.
        """
        if state is None:
            self.reset()
        else:
            self._state = ClockState(self._machine.now(), state.shown, state.speed)
