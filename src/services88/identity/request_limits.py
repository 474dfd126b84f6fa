"""How often a network may ask for what needs no sign-in and costs somebody else something.

These limits are promises, so they are counted in the database, for all servers and processes
together. What only sheds load is limited by each process for itself: see docs/security.md.
"""

from services88.identity.clock import MINUTE
from services88.identity.guessing import place_of
from services88.identity.identity import Identity
from services88.store import request_counters
from services88.store.database import Connection

__all__ = ["FORGOTTEN_FORMS", "admit"]

FORGOTTEN_FORMS = "forgotten-form"
_MOST = {FORGOTTEN_FORMS: 10}
"""Requests of a network in a minute, by kind. The kinds are stored."""


async def admit(identity: Identity, kind: str, address: str) -> bool:
    """Count a request of a network address; False where the network must wait for the next minute.

    :param kind: What is asked for, as :data:`FORGOTTEN_FORMS`.
    :param address: The client's; of IPv6 its network of 64 bits counts.
    """
    network = place_of(address)

    async def work(connection: Connection) -> bool:
        now = identity.clock.now()
        await request_counters.purge(connection, now=now, window=MINUTE)
        return await request_counters.take(
            connection, kind, network, now=now, window=MINUTE, most=_MOST[kind]
        )

    return await identity.database.transaction(work)
