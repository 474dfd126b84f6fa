"""Making and verifying password hashes: Argon2id, with a pepper where there is one."""

import hmac
import logging
import os
import unicodedata
from base64 import b64encode
from hashlib import sha256

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from services88.identity.errors import BadInput
from services88.identity.hashing import formats
from services88.identity.hashing.peppers import Pepper

__all__ = ["Hasher"]

_LOG = logging.getLogger(__name__)

_LEAST_MEMORY_KIB = 19_456
_LEAST_PASSES = 2
_MOST_REPORTED = 100


class Hasher:
    """Makes and verifies password hashes; slow on purpose, so never call it on the event loop.

    The defaults are OWASP's minimum for Argon2id (Password Storage Cheat Sheet; ASVS 11.4.2), and
    less is refused. A password is hashed in Unicode NFC (NIST SP 800-63B-4, 3.1.1.2), here and
    nowhere else.

    With peppers, what is hashed is an HMAC-SHA256 of the password under the first of them (NIST
    SP 800-63B-4, 3.1.1.2), and the hash is stored as ``$s88$k=ID$argon2id$…``. Hashes made with the
    other peppers, or without any, still verify.

    Hashes of other systems verify too, see ``formats.py``. They are tried with the password as
    sent, then in NFC: other systems do not all normalise.

    :raises BadInput: The cost is too low or too high, or two peppers have the same id.
    """

    def __init__(
        self,
        *,
        memory_kib: int = _LEAST_MEMORY_KIB,
        passes: int = _LEAST_PASSES,
        lanes: int = 1,
        peppers: tuple[Pepper, ...] = (),
    ) -> None:
        if memory_kib < _LEAST_MEMORY_KIB or passes < _LEAST_PASSES or lanes < 1:
            raise BadInput(
                f"The cost of a password hash is at least {_LEAST_MEMORY_KIB} KiB of memory, "
                f"{_LEAST_PASSES} passes and 1 lane."
            )
        costly = formats.argon2_too_costly(memory_kib, passes, lanes)
        if costly is not None:
            raise BadInput(f"The cost of a password hash is too high: {costly}.")
        self._peppers = {pepper.id: pepper for pepper in peppers}
        if len(self._peppers) < len(peppers):
            raise BadInput("Two peppers have the same id.")
        self._current = peppers[0] if peppers else None
        self._reported: set[str] = set()
        self._argon2 = argon2.PasswordHasher(
            time_cost=passes, memory_cost=memory_kib, parallelism=lanes
        )

        def noise(size: int) -> str:
            return b64encode(os.urandom(size)).decode().rstrip("=")

        self._nobody = f"$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${noise(16)}${noise(32)}"
        self.nobody = _join(self._current, self._nobody)
        """A hash that no password has; verifying it takes as long as a real one."""

    @property
    def peppers(self) -> tuple[Pepper, ...]:
        """The peppers, the current one first."""
        return tuple(self._peppers.values())

    def hash(self, password: str) -> str:
        """Hash a password with a new salt; the result names scheme, cost and pepper."""
        return _join(self._current, self._argon2.hash(_peppered(self._current, _normal(password))))

    def verify(self, secret: str, password: str) -> bool:
        """Say whether a hash is that of the password; no hash, however malformed, is an error.

        A hash whose pepper is not at hand is no password's; the log says so once for each pepper.
        """
        try:
            normal = _normal(password)
        except UnicodeEncodeError:  # half a surrogate pair: nothing can have been hashed from it
            return False
        own = formats.OWN.fullmatch(secret)
        recognised = formats.recognise(own["argon2"] if own is not None else secret)
        if recognised is None or recognised.too_costly is not None:
            return False
        if own is None:
            sent = password.encode()
            found = recognised.verify(sent)
            # Both, also where the first is it: how often a hash is tried depends on the password
            # that was sent alone.
            return (normal != sent and recognised.verify(normal)) or found
        if own["pepper"] is None:
            return self._verify(own["argon2"], normal)
        pepper = self._peppers.get(own["pepper"])
        if pepper is None:
            self._report(own["pepper"])
            self._verify(self._nobody, normal)  # an answer at once would tell that the user exists
            return False
        return self._verify(own["argon2"], pepper.apply(normal))

    def decoy(self, like: str | None) -> str:
        """Return a hash that no password has and that costs as much to verify as another.

        :param like: That other hash; None for one with today's parameters.
        """
        return self.nobody if like is None else formats.decoy(like)

    def verify_another(self, secret: str, proved: str, password: str) -> bool:
        """Say whether a hash, which one password was just proved with, is that of another as well.

        Quick where the hash is one of ours, since no two passwords share that, but for their form.
        """
        if formats.OWN.fullmatch(secret) is None:
            return self.verify(secret, password)
        try:
            return hmac.compare_digest(_normal(proved), _normal(password))
        except UnicodeEncodeError:
            return False

    def _verify(self, secret: str, password: bytes) -> bool:
        try:
            return self._argon2.verify(secret, password)
        except (VerificationError, InvalidHashError):
            return False

    def _report(self, pepper: str) -> None:
        if pepper in self._reported or len(self._reported) >= _MOST_REPORTED:
            return
        self._reported.add(pepper)
        _LOG.error(
            "Some passwords cannot be verified: they were hashed with the pepper %s, which is not "
            "configured. Add it to the peppers again, below the current one.",
            pepper,
        )

    def draw(self, text: str) -> int:
        """Return a number below 2**31 that is always the same for a text; see :meth:`fingerprint`.

        With another pepper it is another.
        """
        return int(self.fingerprint(f"draw:{text}")[:8], 16) >> 1

    def fingerprint(self, text: str) -> str:
        """Give what stands for a text that is not to be kept, 64 characters; quick.

        An HMAC-SHA256 under the current pepper. Without one it is a plain SHA-256, from which a
        text that is easy to guess can be found.
        """
        content = text.encode(errors="surrogatepass")
        if self._current is None:
            return sha256(content).hexdigest()
        return hmac.digest(self._current.key, b"fingerprint:" + content, sha256).hex()

    def may_replace(self, secret: str, password: str) -> bool:
        """Say whether a password that a hash has just verified should be hashed anew.

        Not where the hash proves only how the password begins (bcrypt beyond 72 bytes): what was
        typed behind that may be anything, and would be the password from then on.
        """
        return self.needs_rehash(secret) and not formats.proves_only_a_part(secret, password)

    def needs_rehash(self, secret: str) -> bool:
        """Say whether a hash is made otherwise than new ones are: scheme, cost or pepper."""
        own = formats.OWN.fullmatch(secret)
        if own is None or own["pepper"] != (self._current.id if self._current else None):
            return True
        try:
            return self._argon2.check_needs_rehash(own["argon2"])
        except InvalidHashError:
            return True


def _join(pepper: Pepper | None, secret: str) -> str:
    return secret if pepper is None else f"$s88$k={pepper.id}{secret}"


def _peppered(pepper: Pepper | None, password: bytes) -> bytes:
    return password if pepper is None else pepper.apply(password)


def _normal(password: str) -> bytes:
    """Compose a password, unless it is longer than any can be typed.

    The time that composing takes grows with the square of the accents in a row (ASVS 15.2.2).
    """
    if len(password) > _LONGEST_TYPED:
        return password.encode()
    return unicodedata.normalize("NFC", password).encode()


_LONGEST_TYPED = 4 * 1024
"""Code points: no new password has more than 1,024, and one comes apart into four at most."""
