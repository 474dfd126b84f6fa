"""How often a password may be guessed before the next attempt waits."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from services88.identity.clock import HOUR, MINUTE
from services88.identity.errors import BadInput

__all__ = ["GuessLimits", "networks"]


@dataclass(frozen=True, slots=True)
class GuessLimits:
    """The limits of guessing; the numbers are our choice.

    OWASP's Authentication Cheat Sheet asks for a counter on the account and waits that double from
    one second; NIST SP 800-63B-4, 3.2.2 for at most 100 failures in a row, and proposes waits of
    30 seconds to an hour (ASVS 6.1.1, 6.3.1).

    :ivar waits_from: Failures of one name from one address, from which on the next attempt waits.
    :ivar waits_everywhere_from: As much from all addresses together: more, so that somebody
        elsewhere cannot easily keep a user out.
    :ivar first_wait: Milliseconds of the first wait; each further failure doubles it.
    :ivar longest_wait: Milliseconds that no wait exceeds.
    :ivar forgotten_after: Milliseconds without a failure, after which waits begin anew.
    :ivar address_failures: Failures from one address, for any names, in one window; then the
        address waits for the window's end.
    :ivar address_window: Milliseconds of that window.
    :ivar disable_after: Failures in a row, from anywhere and at any time, that disable a user's
        password.
    :ivar exempt: Networks whose addresses stand for many people, such as a portal: they have no
        limit across names. That of each name from them holds.
    """

    waits_from: int = 3
    waits_everywhere_from: int = 20
    first_wait: int = 1_000
    longest_wait: int = 15 * MINUTE
    forgotten_after: int = 24 * HOUR
    address_failures: int = 100
    address_window: int = 5 * MINUTE
    disable_after: int = 100
    exempt: tuple[IPv4Network | IPv6Network, ...] = ()

    def wait(self, failures: int, free: int) -> int:
        """Give the milliseconds to wait after so many failures.

        :param free: Failures from which on there is a wait.
        """
        if failures < free:
            return 0
        # The exponent is kept small: a number of a million digits takes its time as well.
        return min(self.first_wait << min(failures - free, 32), self.longest_wait)


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read addresses and networks, separated by commas.

    :raises BadInput: One is neither.
    """
    try:
        return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())
    except ValueError as error:
        raise BadInput(f"{error}. Write networks as 192.0.2.0/24, separated by commas.") from None
