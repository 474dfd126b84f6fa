"""What every part of the domain works with.

What is made with every call is not frozen: freezing takes longer than making.
"""

from dataclasses import dataclass, field

from services88.identity.attempt_queue import AttemptQueue
from services88.identity.clock import Clock
from services88.identity.errands import Errands
from services88.identity.guess_limits import GuessLimits
from services88.identity.hashing import Hashing
from services88.identity.observer import Observer
from services88.identity.policy import PolicyChoice
from services88.store.database import Database
from services88.store.tenants import Tenant

__all__ = ["Caller", "Identity", "Origin"]


@dataclass(frozen=True, slots=True)
class Identity:
    """The database, the clock and the hashing that one server has.

    :ivar policy: The rules for new passwords where a tenant chose none.
    :ivar guess_limits: How often a password may be guessed.
    :ivar observer: Is told what metrics are made of.
    :ivar keyed_trails: By tenant, number and hash of the last event of an audit trail that this
        process has seen to be keyed, and kept.
    :ivar attempts: The attempts at passwords that wait for a slot in this process.
    :ivar errands: What is to be done after the response to a request.
    """

    database: Database
    clock: Clock
    hashing: Hashing
    policy: PolicyChoice
    guess_limits: GuessLimits = field(default_factory=GuessLimits)
    observer: Observer = field(default_factory=Observer)
    keyed_trails: dict[int, tuple[int, str]] = field(default_factory=dict)
    attempts: AttemptQueue = field(default_factory=AttemptQueue)
    errands: Errands = field(default_factory=Errands)


@dataclass(slots=True)
class Origin:
    """Where a call comes from: network address and application, as far as known.

    :ivar via: ``page`` where a person did it in a browser; the audit trail tells it.
    """

    address: str = ""
    application_token_id: int = 0
    via: str = ""


@dataclass(slots=True)
class Caller:
    """Who makes a call: the user behind a ticket that was found valid."""

    tenant: Tenant
    associate_id: int
    name: str
    type: int
    role_id: int
    ticket_key: str
    ticket_id: int
