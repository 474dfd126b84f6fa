"""The chain that audit events form: how one is hashed, and with which key.

Each event's hash covers the event and the hash before it. With a pepper it is an HMAC under a key
made from the pepper: who can write to the database but has not the pepper cannot make a chain that
verifies. Without a pepper it is a plain SHA-256: that finds accidents, not an intruder.

The head of a chain has a keyed hash of its own, which is in no event: so an earlier end of the
chain cannot be made the end again but by who kept the head of that time.
"""

import hmac
import json
from dataclasses import dataclass, field, replace
from hashlib import sha256

from services88.identity.identity import Identity
from services88.store.audit import AuditRow, Head

__all__ = [
    "GENESIS",
    "ChainKey",
    "content_of",
    "current_key",
    "hashed",
    "head_is_keyed",
    "keys_of",
    "mac_of",
    "subkey",
]

GENESIS = "0" * 64
"""Stands before the first event in place of a hash."""

_VERSION = 1


@dataclass(frozen=True, slots=True)
class ChainKey:
    """What events are hashed with.

    :ivar id: Id of the pepper it is made from; empty for none.
    :ivar key: None hashes without a key.
    """

    id: str
    key: bytes | None = field(repr=False)

    def digest(self, content: bytes) -> str:
        """Hash some content, in hexadecimal."""
        if self.key is None:
            return sha256(content).hexdigest()
        return hmac.new(self.key, content, sha256).hexdigest()


def subkey(pepper: bytes, purpose: str) -> bytes:
    """Make a key for one purpose from a pepper, whose own is another (NIST SP 800-108)."""
    return hmac.digest(pepper, f"services88 {purpose}".encode(), sha256)


def keys_of(identity: Identity) -> dict[str, ChainKey]:
    """Give every key at hand by its id, the one for no pepper too."""
    made = (
        ChainKey(pepper.id, subkey(pepper.key, "audit chain"))
        for pepper in identity.hashing.hasher.peppers
    )
    return {"": ChainKey("", None)} | {key.id: key for key in made}


def current_key(identity: Identity) -> ChainKey:
    """Give the key for new events."""
    peppers = identity.hashing.hasher.peppers
    return keys_of(identity)[peppers[0].id] if peppers else ChainKey("", None)


def content_of(tenant: int, row: AuditRow, previous: str) -> bytes:
    """Write an event and the hash before it as the bytes that are hashed.

    A JSON array without blanks, ASCII only: each content has one such form, and no two share one.

    :raises TypeError: The row holds what no event holds.
    """
    content: list[object] = [_VERSION, previous, tenant, row.sequence, row.at, row.event]
    content += [row.result, row.reason, row.associate_id, row.by_associate_id]
    content += [row.application_token_id, row.address, row.name_hash, row.count, row.key_id]
    return json.dumps(content, separators=(",", ":")).encode()


def hashed(tenant: int, row: AuditRow, previous: str, key: ChainKey) -> AuditRow:
    """Give an event with its key's id and its hash."""
    keyed = replace(row, key_id=key.id)
    return replace(keyed, hash=key.digest(content_of(tenant, keyed, previous)))


def mac_of(identity: Identity, tenant: int, sequence: int, hash: str) -> str:
    """Return the keyed hash of a head under the current pepper, behind the pepper's id.

    :returns: Empty where there is no pepper.
    """
    peppers = identity.hashing.hasher.peppers
    if not peppers:
        return ""
    return f"{peppers[0].id}:{_mac(peppers[0].key, tenant, sequence, hash)}"


def head_is_keyed(identity: Identity, tenant: int, head: Head) -> bool:
    """Check that a head was written with one of the configured peppers."""
    name, _, mac = head.mac.partition(":")
    for pepper in identity.hashing.hasher.peppers:
        if pepper.id == name:
            right = _mac(pepper.key, tenant, head.sequence, head.hash)
            return hmac.compare_digest(mac.encode(), right.encode())
    return False


def _mac(pepper: bytes, tenant: int, sequence: int, hash: str) -> str:
    content = json.dumps([_VERSION, tenant, sequence, hash], separators=(",", ":")).encode()
    return hmac.new(subkey(pepper, "audit head"), content, sha256).hexdigest()
