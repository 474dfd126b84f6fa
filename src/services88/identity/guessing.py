"""Guessing passwords, made slow and in the end impossible (ASVS 6.1.1, 6.3.1; NIST 3.2.2).

Two things are counted, in the database that all servers share:

* *Waits* go by the name as it was typed and by the network, whether there is such a user or not; so
  having to wait tells nothing (ASVS 6.3.8). A name and an e-mail address of the same user wait
  apart: otherwise waiting for the one would tell that the other belongs to it.
* *Failures in a row* go by the user, whatever was typed, and disable the password in the end. That
  does not show either: a disabled password is verified and refused as that of a retired user is.

An attempt takes a *slot* before anybody looks at a password. There are as many slots as failures
are left before the next wait, and one where none is left. So no wait begins while an attempt is
under way, and attempts made at once learn no more than the same ones made one after the other: who
finds no slot free waits for one, and who finds a wait is refused without hashing. Slots are rows in
the database, so it makes no difference how many servers there are.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address, ip_network

from services88.identity.audit import AuditEvent, record
from services88.identity.errors import CallerLeft, Refusal, ServerBusy
from services88.identity.guess_limits import GuessLimits
from services88.identity.identity import Identity, Origin
from services88.identity.names import key_of
from services88.identity.notices import owe_disablement
from services88.store import associates, attempts, credentials, guesses
from services88.store.associates import Associate
from services88.store.attempts import Key
from services88.store.database import Connection, Reader, Work
from services88.store.guesses import EVERYBODY, EVERYWHERE, Counter
from services88.store.tenants import Tenant

__all__ = [
    "Attempt",
    "MustWait",
    "Wait",
    "admitted",
    "attempt",
    "clear",
    "count_failure",
    "failed",
    "is_disabled",
    "look",
    "model_of",
    "place_of",
    "succeeded",
    "waits_of",
]

_NO_ADDRESS = "-"


class MustWait(Exception):
    """There were too many failures; nobody has looked at the password.

    :ivar seconds: Until the next attempt is let in.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds


@dataclass(slots=True)
class _Slot:
    """What an attempt took, or will.

    :ivar number: Of the row; 0 before.
    :ivar ended: Whether the row is gone, in a transaction that was kept.
    """

    number: int = 0
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody names a user and gives a password.

    :ivar name_hash: What stands for the name as it was typed.
    :ivar place: What stands for the address: of IPv6 its network of 64 bits, which is one customer.
    :ivar exempt: Whether the address stands for many people.
    :ivar associate_id: The user whose password is tried; below 1 where there is none.
    """

    tenant: Tenant
    name_hash: str
    place: str
    exempt: bool
    associate_id: int
    origin: Origin
    slot: _Slot = field(default_factory=_Slot, compare=False)

    def by(self, user: Associate | None) -> "Attempt":
        """Return the same attempt, at the password of the user whom the name was found to mean."""
        return replace(self, associate_id=_number(user, self.name_hash))

    @property
    def keys(self) -> tuple[Key, ...]:
        """What the attempt counts for."""
        of_name = ((self.name_hash, self.place), (self.name_hash, EVERYWHERE))
        return of_name if self.exempt else (*of_name, (EVERYBODY, self.place))

    @property
    def shared(self) -> tuple[object, ...]:
        """What attempts have in common that may wait for each other's slots."""
        return ((self.tenant.tenant_id, self.name_hash), self.place)


def attempt(
    identity: Identity,
    tenant: Tenant,
    name: str,
    origin: Origin,
    user: Associate | None = None,
    *,
    of_reuse: bool = False,
) -> Attempt:
    """Describe an attempt.

    :param name: The name as it was typed.
    :param user: The user whose password is tried; None where there is no user or no password.
    :param of_reuse: Whether a new password is compared with those of the user, by somebody who has
        not given the current one. Such attempts have counters of their own, so that failures of
        strangers do not keep an administrator from helping.
    """
    place, exempt = _place(identity.guess_limits, origin.address)
    name_hash = _name_hash(identity, tenant, name, "reuse:" if of_reuse else "")
    return Attempt(
        tenant=tenant,
        name_hash=name_hash,
        place=place,
        exempt=exempt or of_reuse,
        associate_id=_number(user, name_hash),
        origin=origin,
    )


def _number(user: Associate | None, name_hash: str) -> int:
    # Nobody is one of some: the attempts at all unknown names would wait for one row otherwise.
    return user.associate_id if user else -int(name_hash[:2], 16)


@asynccontextmanager
async def admitted(identity: Identity, of: Attempt) -> AsyncIterator[None]:
    """Let an attempt in as soon as there is a slot for it, which is free again in the end.

    Whoever looks at the password within writes what came of it by :func:`count_failure` or
    :func:`succeeded`; where nobody does, as where the rules refuse a new password, nothing counts.

    :raises MustWait: There were too many failures.
    :raises ServerBusy: Too many wait for a slot already, or it took too long.
    """

    async def reserve(connection: Connection) -> "int | MustWait | None":
        await _hold(connection, of)
        return await _reserve(connection, identity, of)

    async def take() -> "int | MustWait | None":
        # A slot need not survive a crash of the machine: no attempt does.
        return await identity.database.transaction(reserve, durable=False)

    lane = (of.tenant.tenant_id, of.name_hash, of.place)
    found: int | MustWait = await identity.attempts.turn(identity.hashing, lane, of.shared, take)
    if isinstance(found, MustWait):
        identity.observer.throttled()
        raise found
    of.slot.number = found
    try:
        yield
        await _release(identity, of)
    except (Refusal, ServerBusy, CallerLeft):
        await _release(identity, of)
        raise
    finally:
        # After any other error the slot stays taken until it expires: what came of looking at the
        # password could not be written.
        identity.attempts.released(of.shared)


async def _hold(connection: Connection, of: Attempt) -> None:
    """Let no other attempt at that name or from that network be let in or counted meanwhile."""
    name = int(of.name_hash[:15], 16)
    if of.exempt:
        await connection.hold(name)
        return
    place = f"{of.tenant.tenant_id}:{of.place}".encode()
    await connection.hold(name, int.from_bytes(blake2b(place, digest_size=7).digest()))


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether an attempt would be let in.

    :ivar until: When it would; in the past where it need not wait.
    :ivar is_full: Whether as many are under way as may fail before the next wait.
    :ivar ahead: Counters of a time that has not come yet, as they are to be from now on.
    """

    until: int
    is_full: bool
    ahead: tuple[tuple[Key, Counter], ...]


async def look(reader: Reader, identity: Identity, of: Attempt) -> Standing:
    """Read whether an attempt would be let in. The same is read for users and unknown names."""
    limits, now = identity.guess_limits, identity.clock.now()
    found = await attempts.state(
        reader, of.tenant.tenant_id, of.name_hash, of.place, of_place=not of.exempt
    )
    until, is_full, ahead = 0, False, []
    for key in of.keys:
        stored = found.counters.get(key)
        counter = _as_of(limits, now, key, stored)
        if stored is not None and max(stored.since, stored.last_failure) > now:
            ahead.append((key, counter))
        until = max(until, counter.blocked_until)
        is_full |= found.under_way[key] >= max(1, _free(limits, key) - counter.failures)
    return Standing(until, is_full, tuple(ahead))


async def _reserve(
    connection: Connection, identity: Identity, of: Attempt
) -> "int | MustWait | None":
    """Take a slot, whose number is returned; None where none is free."""
    tenant, now = of.tenant.tenant_id, identity.clock.now()
    standing = await look(connection, identity, of)
    for key, counter in standing.ahead:
        await _put(connection, identity.guess_limits, now, tenant, key, counter)
    left = standing.until - now
    if left > 0:
        return MustWait(-(-left // 1000))
    if standing.is_full:
        return None
    return await attempts.begin(connection, tenant, of.name_hash, of.place)


def _free(limits: GuessLimits, key: Key) -> int:
    """Return the number of failures from which on there is a wait."""
    name_hash, place = key
    if name_hash == EVERYBODY:
        return limits.address_failures
    return limits.waits_everywhere_from if place == EVERYWHERE else limits.waits_from


def _as_of(limits: GuessLimits, now: int, key: Key, stored: Counter | None) -> Counter:
    """Return a counter as it is now: forgotten in time, and none of it in the future.

    A clock that was ahead, or is set back, leaves failures in the future: they count as of now. So
    no wait ends later than the longest one from now.
    """
    if stored is None:
        return Counter(since=now)
    since, last = min(stored.since, now), min(stored.last_failure, now)
    if key[0] == EVERYBODY:
        if now - since >= limits.address_window:
            return Counter(since=now)
        is_over = stored.failures >= limits.address_failures
        until = since + limits.address_window if is_over else 0
    else:
        if now - last >= limits.forgotten_after:
            return Counter(since=now)
        until = last + limits.wait(stored.failures, _free(limits, key))
    return Counter(stored.failures, since, last, until)


async def _put(
    connection: Connection, limits: GuessLimits, now: int, tenant: int, key: Key, counter: Counter
) -> None:
    of_network = key[0] == EVERYBODY
    keep = counter.since + limits.address_window if of_network else now + limits.forgotten_after
    await guesses.put(connection, tenant, *key, counter, keep=keep)


async def _release(identity: Identity, of: Attempt) -> None:
    if of.slot.ended:
        return

    async def work(connection: Connection) -> None:
        await attempts.end(connection, of.tenant.tenant_id, of.name_hash, of.place, of.slot.number)

    await identity.database.transaction(work, durable=False)
    of.slot.ended = True


async def _end(connection: Connection, of: Attempt) -> None:
    """End an attempt, in the transaction that writes what came of it.

    :raises ServerBusy: It took so long that others were let in meanwhile, so it comes to nothing.
    """
    number = of.slot.number
    if not await attempts.end(connection, of.tenant.tenant_id, of.name_hash, of.place, number):
        raise ServerBusy(retry_after=1)


async def count_failure(
    identity: Identity,
    of: Attempt,
    told: Work[None] | None = None,
    *,
    unless_disabled: bool = False,
) -> bool:
    """Count a wrong password, in a transaction of its own, and end the attempt.

    :param told: What writes the event of it into the same transaction.
    :param unless_disabled: Whether nothing counts where the password was disabled meanwhile.
    :returns: Whether it counted.
    :raises ServerBusy: The attempt took too long; nothing was counted.
    """

    async def work(connection: Connection) -> bool:
        await _hold(connection, of)
        await _end(connection, of)
        counted = await failed(connection, identity, of, unless_disabled=unless_disabled)
        if told is not None:
            await told(connection)
        return counted

    counted = await identity.database.transaction(work)
    of.slot.ended = True
    return counted


async def failed(
    connection: Connection, identity: Identity, of: Attempt, *, unless_disabled: bool = False
) -> bool:
    """Count a wrong password. The same is written for users and for unknown names.

    :returns: Whether it counted.
    """
    limits, now, tenant = identity.guess_limits, identity.clock.now(), of.tenant.tenant_id
    in_a_row, was_disabled = await guesses.add_failure(connection, of.associate_id, now)
    if was_disabled and unless_disabled:
        return False
    await guesses.purge(connection, tenant, now, limits.forgotten_after)
    await attempts.purge(connection, tenant)
    for key in of.keys:
        before = _as_of(limits, now, key, await guesses.locked_counter(connection, tenant, *key))
        counter = replace(before, failures=before.failures + 1, last_failure=now)
        if key[0] == EVERYBODY:
            is_over = counter.failures >= limits.address_failures
            until = counter.since + limits.address_window if is_over else 0
        else:
            until = now + limits.wait(counter.failures, _free(limits, key))
        await _put(connection, limits, now, tenant, key, replace(counter, blocked_until=until))
    if of.associate_id > 0 and in_a_row >= limits.disable_after:
        await _disable(connection, identity, of)
    return True


async def _disable(connection: Connection, identity: Identity, of: Attempt) -> None:
    if not await guesses.set_disabled(connection, of.associate_id, identity.clock.now()):
        return
    identity.observer.disabled()
    user = await associates.by_id(connection, of.tenant.tenant_id, of.associate_id)
    if user is not None:
        await owe_disablement(connection, identity, user)
    await record(
        connection,
        identity,
        of.tenant,
        AuditEvent.AUTHN_LOGIN_FAIL_MAX,
        of.origin,
        associate_id=of.associate_id,
        by=0,
    )


async def succeeded(
    connection: Connection, identity: Identity, of: Attempt, user: Associate
) -> bool:
    """Forget failures after a right password: the user's, and those from this address and all.

    Waits of other addresses remain, and so do the failures of this address with other names:
    who has a user of their own would else start afresh as often as they like.

    :returns: False where the password is disabled; nothing was changed.
    :raises ServerBusy: The attempt took so long that others were let in meanwhile.
    """
    if not await guesses.forget_unless_disabled(connection, user.associate_id):
        return False
    await _end(connection, of)
    names = {of.name_hash, _name_hash(identity, of.tenant, user.name)}
    for name_hash in sorted(names):
        await guesses.forget(connection, of.tenant.tenant_id, name_hash, of.place)
    return True


async def clear(
    connection: Connection, identity: Identity, tenant: Tenant, user: Associate
) -> bool:
    """Forget all failures of a user, from everywhere: the password is new, or enabled again.

    :returns: Whether the password had failed since it was last right.
    """
    had_failed = await guesses.forget_failures(connection, user.associate_id)
    for name_hash in _names_of(identity, tenant, user):
        await guesses.forget_everywhere(connection, tenant.tenant_id, name_hash)
    return had_failed


def _names_of(identity: Identity, tenant: Tenant, user: Associate) -> list[str]:
    # Sorted, so that no two transactions wait for each other's rows.
    names = filter(None, (user.name, user.email))
    return sorted({_name_hash(identity, tenant, name) for name in names})


async def is_disabled(reader: Reader, of: Attempt) -> bool:
    """Check whether the password of the user was disabled. The same is read for unknown names."""
    _, disabled = await guesses.failures_of(reader, of.associate_id)
    return disabled


@dataclass(frozen=True, slots=True)
class Wait:
    """Sign-ins with one of a user's names are not let in for a while.

    :ivar network: From which; empty for all.
    :ivar until: Milliseconds since 1970 UTC.
    """

    network: str
    until: int


async def waits_of(identity: Identity, tenant: Tenant, user: Associate) -> Sequence[Wait]:
    """List for which networks sign-ins of a user wait now, the longest waits first."""
    limits, now = identity.guess_limits, identity.clock.now()
    until: dict[str, int] = {}
    for name_hash in _names_of(identity, tenant, user):
        for network, stored in await guesses.waits_of(
            identity.database, tenant.tenant_id, name_hash, now, most=_MOST_WAITS
        ):
            counter = _as_of(limits, now, (name_hash, network), stored)
            until[network] = max(until.get(network, now), counter.blocked_until)
    waits = [Wait(network, end) for network, end in until.items() if end > now]
    return sorted(waits, key=lambda wait: -wait.until)[:_MOST_WAITS]


_MOST_WAITS = 20


async def model_of(reader: Reader, identity: Identity, tenant: Tenant, name: str) -> str | None:
    """Return the password hash that a name imitates which has none (ASVS 6.3.8).

    What verifying costs depends on when and where a hash was made. Names that nobody has cost in
    the same proportion what those cost that somebody has, each of them always the same. Look it up
    for every name, so that each takes as long; see :meth:`Hashing.verify`.
    """
    at = identity.hashing.hasher.draw(f"{tenant.tenant_id}:{key_of(name)}")
    return await credentials.model_of(reader, tenant.tenant_id, at)


def _name_hash(identity: Identity, tenant: Tenant, name: str, kind: str = "") -> str:
    return identity.hashing.hasher.fingerprint(f"{kind}{tenant.tenant_id}:{key_of(name)}")


def place_of(address: str) -> str:
    """Say what stands for an address in limits: of IPv6 its network of 64 bits, one customer."""
    return _place(GuessLimits(), address)[0]


def _place(limits: GuessLimits, address: str) -> tuple[str, bool]:
    try:
        found = ip_address(_without_port(address))
    except ValueError:
        return _NO_ADDRESS, False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    exempt = any(found in network for network in limits.exempt)
    if isinstance(found, IPv6Address):
        return str(ip_network((int(found), 64), strict=False)), exempt
    return str(found), exempt


def _without_port(address: str) -> str:
    # Some proxies write the port as well: 192.0.2.1:443, [2001:db8::1]:443.
    if address.startswith("["):
        return address[1:].partition("]")[0]
    host, colon, _ = address.partition(":")
    return host if colon and "." in host and address.count(":") == 1 else address
