"""What an implementation knows of the call it serves, and how it is bound to its declaration."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from services88.identity.errors import NotSignedIn
from services88.identity.identity import Caller, Identity, Origin
from services88.store.associates import Associate
from services88.store.tenants import Tenant

__all__ = ["IMPLEMENTATIONS", "Call", "Implementation", "Options", "implements"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Options:
    """Choices of the operator that operations look at.

    :ivar online: Whether application tokens are asked for (an Online installation).
    :ivar mails: Whether mails can be sent.
    :ivar mailed_links: Whether the public URL is known, with which links in mails begin.
    :ivar password_refusals: How a refused password is told: as the documented boolean ``false``
        with the reason in ExtraInfo, or as an exception.
    :ivar administrators_choose: Whether administrators may choose the passwords of others, as the
        contract promises (ASVS 6.4.6 asks that they may not).
    :ivar blank_old_for_own: Whether administrators may leave the old password blank for their own.
    """

    online: bool = False
    administrators_choose: bool = True
    blank_old_for_own: bool = False
    mails: bool = False
    mailed_links: bool = False
    password_refusals: Literal["boolean", "exception"] = "boolean"  # noqa: S105 - no password


@dataclass(slots=True)
class Call:
    """The call under way: for which tenant, by whom, from where.

    Not frozen: it is made with every call, and whom it concerns is found out later.
    """

    identity: Identity
    options: Options
    tenant: Tenant
    origin: Origin
    signed_in: Caller | None
    user: Associate | None = None
    """The user whom the call concerns, where its declaration names a parameter for that."""

    @property
    def target(self) -> Associate:
        """The user whom the call concerns; the caller may do this for them."""
        if self.user is None:
            raise LookupError("the operation declares no user whom it concerns")
        return self.user

    @property
    def concerns_caller(self) -> bool:
        """Whether the user whom the call concerns is the caller."""
        return self.target.associate_id == self.caller.associate_id

    @property
    def caller(self) -> Caller:
        """Who calls.

        :raises NotSignedIn: Nobody did sign in.
        """
        if self.signed_in is None:
            raise NotSignedIn(given=False)
        return self.signed_in


Implementation = Callable[..., Awaitable[Any]]

IMPLEMENTATIONS: dict[Callable[..., object], Implementation] = {}
"""Declared operation to what it does."""


def implements(
    declared: Callable[Concatenate[Any, P], R],
) -> Callable[
    [Callable[Concatenate[Call, P], Awaitable[R]]], Callable[Concatenate[Call, P], Awaitable[R]]
]:
    """Register what a declared operation does.

    The type checker holds the implementation to the parameters and the result of the declaration.
    """

    def register(
        implementation: Callable[Concatenate[Call, P], Awaitable[R]],
    ) -> Callable[Concatenate[Call, P], Awaitable[R]]:
        IMPLEMENTATIONS[declared] = implementation
        return implementation

    return register
