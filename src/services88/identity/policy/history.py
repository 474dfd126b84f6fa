"""Passwords that the person has or had."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from services88.identity.errors import BadInput
from services88.identity.policy.model import Failure, Subject, Validator
from services88.identity.policy.rules import Rule
from services88.store.database import Connection
from services88.texts import _, ngettext

__all__ = ["LONGEST_HISTORY", "History", "Remember"]

LONGEST_HISTORY = 24
"""Earlier passwords that can be remembered. Each costs a verification at every check."""

Remember: TypeAlias = Callable[[Connection, int, str, int, int], Awaitable[None]]
"""Stores a replaced hash, inside the transaction of the change: connection, associate id, the hash,
how many of the newest to keep (this one included; delete the others), milliseconds since 1970."""


@dataclass(frozen=True)
class History(Validator):
    """Refuses the current password and earlier ones: ``same-as-current``, ``recently-used``.

    Whether a password is one of them is verified hash by hash (16 ms each with our parameters), so
    in NFC as the hasher does; the search ends at the first that it is.

    :ivar earlier: How many passwords before the current one are refused, 0 to 24. NIST and ASVS ask
        for none.
    :ivar remember: Stores a replaced hash; not called where ``earlier`` is 0.
    :raises BadInput: ``earlier`` is not possible.
    """

    earlier: int = 0
    remember: Remember | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.earlier <= LONGEST_HISTORY:
            raise BadInput(
                f"A password history has 0 to {LONGEST_HISTORY} passwords, not {self.earlier}."
            )

    def check(self, candidate: str, subject: Subject) -> list[Failure]:
        """Verify the candidate against the current hash, then against earlier ones."""
        verify = subject.verify
        if verify is None or not subject.secrets:
            return []
        current, *before = subject.secrets
        if current and verify(current, candidate):
            return [
                Failure(
                    Rule.SAME_AS_CURRENT,
                    _("Choose a password that differs from the current one."),
                )
            ]
        if any(verify(secret, candidate) for secret in before[: self.earlier] if secret):
            return [Failure(Rule.RECENTLY_USED, self._recently())]
        return []

    def help_text(self) -> str:
        """Tell which passwords are refused."""
        if self.earlier:
            return self._recently()
        return _("Choose a password that differs from the current one.")

    async def changed(
        self, connection: Connection, associate_id: int, old_secret: str | None, now: int
    ) -> None:
        """Have the replaced hash stored."""
        if self.remember is not None and self.earlier and old_secret:
            await self.remember(connection, associate_id, old_secret, self.earlier, now)

    def _recently(self) -> str:
        return ngettext(
            "Choose a password that differs from the current one and the one before it.",
            "Choose a password that differs from the current one and the {n} before it.",
            self.earlier,
        ).format(n=self.earlier)
