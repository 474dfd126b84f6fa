"""Guessing passwords, made slow and in the end impossible (ASVS 6.1.1, 6.3.1; NIST 3.2.2).

Two things are counted, in the database that all servers share:

* *Waits* go by the name as it was typed and by the address, whether there is such a user or not; so
  having to wait tells nothing (ASVS 6.3.8). A name and an e-mail address of the same user wait
  apart: otherwise waiting for the one would tell that the other belongs to it.
* *Failures in a row* go by the user, whatever was typed, and disable the password in the end. That
  does not show either: a disabled password is verified and refused as that of a retired user is.

An attempt that has to wait is answered at once, without hashing, and does not count. Waits are
looked at before hashing and again in the transaction that the password opens the way to; so of
attempts made at the same time none gets through after those that failed before it have set a wait.
What such attempts gain is that they are hashed, at most as many as the pool takes.
"""

from dataclasses import dataclass, replace
from ipaddress import IPv6Address, ip_address, ip_network

from services88.identity.audit import AuditEvent, record
from services88.identity.guess_limits import GuessLimits
from services88.identity.identity import Identity, Origin
from services88.identity.names import key_of
from services88.identity.notices import owe_disablement
from services88.store import associates, guesses
from services88.store.associates import Associate
from services88.store.database import Connection, Reader, Work
from services88.store.guesses import EVERYBODY, EVERYWHERE, Counter
from services88.store.tenants import Tenant

__all__ = [
    "Attempt",
    "admit",
    "attempt",
    "clear",
    "count_failure",
    "failed",
    "is_disabled",
    "overtaken",
    "place_of",
    "succeeded",
]

_NOBODY = 0
_NO_ADDRESS = "-"


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody names a user and gives a password.

    :ivar name_hash: What stands for the name as it was typed.
    :ivar place: What stands for the address: of IPv6 its network of 64 bits, which is one customer.
    :ivar exempt: Whether the address stands for many people.
    :ivar associate_id: The user whose password is tried; 0 where there is none.
    """

    tenant: Tenant
    name_hash: str
    place: str
    exempt: bool
    associate_id: int
    origin: Origin

    def by(self, user: Associate | None) -> "Attempt":
        """Give the same attempt, at the password of the user whom the name was found to mean."""
        return replace(self, associate_id=user.associate_id if user else _NOBODY)


def attempt(
    identity: Identity, tenant: Tenant, name: str, origin: Origin, user: Associate | None
) -> Attempt:
    """Describe an attempt.

    :param name: The name as it was typed.
    :param user: The user whose password is tried; None where there is no user or no password.
    """
    place, exempt = _place(identity.guess_limits, origin.address)
    return Attempt(
        tenant=tenant,
        name_hash=_name_hash(identity, tenant, name),
        place=place,
        exempt=exempt,
        associate_id=user.associate_id if user else _NOBODY,
        origin=origin,
    )


async def admit(reader: Reader, identity: Identity, of: Attempt) -> int | None:
    """Give the seconds for which an attempt has to wait; None where it need not.

    The same is read for users and for unknown names.
    """
    until = await guesses.blocked_until(reader, of.tenant.tenant_id, of.name_hash, of.place)
    left = until - identity.clock.now()
    if left <= 0:
        return None
    identity.observer.throttled()
    return -(-left // 1000)


async def count_failure(identity: Identity, of: Attempt, told: Work[None] | None = None) -> None:
    """Count a wrong password, in a transaction of its own. Call it after hashing, never before.

    :param told: What writes the event of it into the same transaction.
    """

    async def work(connection: Connection) -> None:
        await failed(connection, identity, of)
        if told is not None:
            await told(connection)

    await identity.database.transaction(work)


async def failed(connection: Connection, identity: Identity, of: Attempt) -> bool:
    """Count a wrong password. The same is written for users and for unknown names.

    :returns: Whether this failure disabled the password.
    """
    limits, now, tenant = identity.guess_limits, identity.clock.now(), of.tenant.tenant_id
    await guesses.purge(connection, tenant, now)
    for place, free in (
        (of.place, limits.waits_from),
        (EVERYWHERE, limits.waits_everywhere_from),
    ):
        before = await guesses.locked_counter(connection, tenant, of.name_hash, place)
        if now - before.last_failure >= limits.forgotten_after:
            before = Counter(since=now)
        failures = before.failures + 1
        until = max(before.blocked_until, now + limits.wait(failures, free))
        await guesses.put(
            connection,
            tenant,
            of.name_hash,
            place,
            Counter(failures, before.since, now, until),
            keep=max(now + limits.forgotten_after, until),
        )
    if not of.exempt:
        await _count_address(connection, limits, now, of)
    failures = await guesses.add_failure(connection, of.associate_id, now)
    if of.associate_id == _NOBODY or failures < limits.disable_after:
        return False
    if not await guesses.set_disabled(connection, of.associate_id, now):
        return False
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
    return True


async def _count_address(
    connection: Connection, limits: GuessLimits, now: int, of: Attempt
) -> None:
    tenant = of.tenant.tenant_id
    before = await guesses.locked_counter(connection, tenant, EVERYBODY, of.place)
    if now - before.since >= limits.address_window:
        before = Counter(since=now)
    end = before.since + limits.address_window
    failures = before.failures + 1
    until = end if failures >= limits.address_failures else before.blocked_until
    await guesses.put(
        connection,
        tenant,
        EVERYBODY,
        of.place,
        Counter(failures, before.since, now, until),
        keep=end,
    )


async def succeeded(
    connection: Connection, identity: Identity, of: Attempt, user: Associate
) -> None:
    """Forget failures after a right password: the user's, and those from this address and all.

    Waits of other addresses remain, and so do the failures of this address with other names:
    who has a user of their own would else start afresh as often as they like.
    """
    for name_hash in {of.name_hash, _name_hash(identity, of.tenant, user.name)}:
        await guesses.forget(connection, of.tenant.tenant_id, name_hash, of.place)
    await guesses.forget_failures(connection, user.associate_id)


async def clear(
    connection: Connection, identity: Identity, tenant: Tenant, user: Associate
) -> bool:
    """Forget all failures of a user, from everywhere: the password is new, or enabled again.

    :returns: Whether the password had failed since it was last right.
    """
    for name in filter(None, (user.name, user.email)):
        await guesses.forget_everywhere(
            connection, tenant.tenant_id, _name_hash(identity, tenant, name)
        )
    return await guesses.forget_failures(connection, user.associate_id)


async def is_disabled(reader: Reader, of: Attempt) -> bool:
    """Say whether the password of the user was disabled. The same is read for unknown names."""
    _, disabled = await guesses.failures_of(reader, of.associate_id)
    return disabled


async def overtaken(connection: Connection, identity: Identity, of: Attempt) -> bool:
    """Say whether others failed since an attempt was let in, so that it would not be now."""
    if await admit(connection, identity, of) is not None:
        return True
    return await is_disabled(connection, of)


def _name_hash(identity: Identity, tenant: Tenant, name: str) -> str:
    return identity.hashing.hasher.fingerprint(f"{tenant.tenant_id}:{key_of(name)}")


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
