"""The same calls on a database with few users and on one with many."""

import http.client
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from bench import servers
from bench.load import Load, hammer
from bench.loader import Scale, load
from bench.messages import HEADERS, SPACE, can_change, change, sign_in
from bench.servers import PASSWORD, Server, User

__all__ = ["FEW", "Growth", "measure"]

FEW = 100
_CALLERS = 5_000
_ROUNDS = 5
_SLOW_CALLS = 40


@dataclass(frozen=True)
class Growth:
    """Milliseconds of p50, by call and number of users: ``calls["CanChangePassword"]``."""

    many: Scale
    calls: dict[str, tuple[float, float]]


def measure(database: Callable[[], str], users: int, tell: Callable[[str], None]) -> Growth:
    """Load two databases and ask both the same.

    :param database: Gives the URL of an empty one each time.
    """
    many = Scale.of(users)
    chance = random.Random(88)  # noqa: S311 - the same users at every run
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sides = []
        for scale in (Scale.of(FEW), many):
            url = database()
            servers.add_user(url, "BENCH", folder)
            begun = time.monotonic()
            known = load(url, scale, tell)
            tell(f"loaded in {time.monotonic() - begun:.0f} s")
            server = stack.enter_context(servers.services88(url))
            chosen = chance.sample(known, min(_CALLERS, len(known)))
            sides.append(_Side(server, chosen))
        cheap: list[list[float]] = [[], []]
        for _ in range(_ROUNDS):  # in turn, so that what else the machine does meets both
            for side, found in zip(sides, cheap, strict=True):
                hammer(side.cheap, 1, side.server.process)
                found.append(hammer(side.cheap, 2, side.server.process).p50)
        slow = [side.slow_calls() for side in sides]
    few, much = (statistics.median(found) for found in cheap)
    calls = {"CanChangePassword": (few, much)}
    for name in ("AuthenticateUsernamePassword", "ChangeOwnPassword"):
        calls[name] = (slow[0][name], slow[1][name])
    for name, (one, other) in calls.items():
        tell(f"{name}: p50 {one:.2f} ms with {FEW} users, {other:.2f} ms with {users:,}")
    return Growth(many, calls)


class _Side:
    def __init__(self, server: Server, callers: list[User]) -> None:
        self.server = server
        self._callers = callers
        bodies = [can_change(user.ticket, user.associate_id) for user in callers]
        self.cheap: Load = replace(server.cheap, body=bodies[0], more=tuple(bodies[1:]))

    def slow_calls(self) -> dict[str, float]:
        """Give the p50 of calls that hash, one after the other, each of another user."""
        at = self.server.cheap.url.rpartition("/")[0]
        parts = urlsplit(at)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        taken: dict[str, list[float]] = {}
        chosen = {user.associate_id: user for user in self._callers[: 2 * _SLOW_CALLS]}
        for number, user in enumerate(list(chosen.values())[:_SLOW_CALLS]):
            for agent, name, body in (
                (
                    "SoPrincipal",
                    "AuthenticateUsernamePassword",
                    sign_in(f"LOADED{user.associate_id}", PASSWORD),
                ),
                (
                    "User",
                    "ChangeOwnPassword",
                    change(user.ticket, PASSWORD, f"another password, no. {number}"),
                ),
            ):
                headers = {**HEADERS, "SOAPAction": f'"{SPACE}/{agent}/{name}"'}
                begun = time.perf_counter()
                connection.request("POST", f"{parts.path}/{agent}.svc", body, headers)
                answer = connection.getresponse().read()
                taken.setdefault(name, []).append(time.perf_counter() - begun)
                if b">true</" not in answer:
                    raise RuntimeError(f"{name} failed: {answer.decode()[:600]}")
        connection.close()
        return {name: 1000 * statistics.median(each) for name, each in taken.items()}
