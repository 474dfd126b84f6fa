"""Who may call an operation, and what the call concerns: declared with it, checked in one place.

Every operation declares an :class:`Access`; there is no default. It says the right (whom the server
lets through) and the target (what the call is about, and which parameter names it), for example
``own_or_administrators(UserId("associate_id"))``. The server decides from this declaration alone,
before it does anything and before it says whether it carries the operation out at all.

The functional rights are the documented ones (FunctionRightStrings of the vendor). System users
have every right; anonymous users may do nothing that needs a ticket.
"""

import enum
from dataclasses import dataclass, field
from typing import ClassVar

__all__ = [
    "GENERAL_ADMINISTRATOR",
    "GROUP_ADMINISTRATORS",
    "NOTHING",
    "ONESELF",
    "PRESENCE_ADMINISTRATORS",
    "ROLE_ADMINISTRATORS",
    "USER_ADMINISTRATORS",
    "Access",
    "CompanyId",
    "CredentialTypeName",
    "EjUserId",
    "ExternalTokenKey",
    "GivenUser",
    "GivenUserType",
    "GroupCarrier",
    "GroupId",
    "GroupIds",
    "Nothing",
    "Oneself",
    "PersonId",
    "RightIds",
    "RoleCarrier",
    "RoleId",
    "ServiceAuthCarrier",
    "ServiceAuthId",
    "Target",
    "UserCarrier",
    "UserId",
    "UserIds",
    "UserName",
    "Who",
    "administrators",
    "anybody",
    "employees",
    "holders",
    "own",
    "own_or_administrators",
    "signed_in",
]

GENERAL_ADMINISTRATOR = "admin-all"
USER_ADMINISTRATORS = (GENERAL_ADMINISTRATOR, "admin-users")
ROLE_ADMINISTRATORS = (GENERAL_ADMINISTRATOR, "admin-role")
GROUP_ADMINISTRATORS = (*USER_ADMINISTRATORS, "admin-lists")
PRESENCE_ADMINISTRATORS = (*USER_ADMINISTRATORS, "cs-system")


# --- what a call concerns -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Target:
    """What a call concerns: the class says the kind, ``parameter`` which parameter names it.

    :cvar wire_type: Name of the type that the parameter must have; the declaration is checked.
    """

    parameter: str | None = None
    wire_type: ClassVar[str] = ""


class Nothing(Target):
    """No user, role or other row in particular."""

    __slots__ = ()


class Oneself(Target):
    """The caller; no parameter names them."""

    __slots__ = ()


class UserId(Target):
    """A user, by associate id."""

    __slots__ = ()
    wire_type = "int"


class UserIds(Target):
    """Users, by associate ids."""

    __slots__ = ()
    wire_type = "ArrayOfint"


class UserName(Target):
    """A user, by sign-in name."""

    __slots__ = ()
    wire_type = "string"


class UserCarrier(Target):
    """A user, by the AssociateId of a User carrier; 0 is a user not saved yet."""

    __slots__ = ()
    wire_type = "User"


class PersonId(Target):
    """The users of a person, by person id."""

    __slots__ = ()
    wire_type = "int"


class EjUserId(Target):
    """The users with a Service user, by its id."""

    __slots__ = ()
    wire_type = "int"


class GivenUser(Target):
    """The role and the type in a User carrier, which the call gives to somebody."""

    __slots__ = ()
    wire_type = "User"


class GivenUserType(Target):
    """A kind of user, which the call gives to somebody."""

    __slots__ = ()
    wire_type = "UserType"


class CompanyId(Target):
    """A company, by contact id."""

    __slots__ = ()
    wire_type = "int"


class GroupId(Target):
    """A user group, by id."""

    __slots__ = ()
    wire_type = "int"


class GroupIds(Target):
    """User groups, by ids."""

    __slots__ = ()
    wire_type = "ArrayOfint"


class GroupCarrier(Target):
    """A user group, by the Id of its carrier; 0 is a group not saved yet."""

    __slots__ = ()
    wire_type = "UserGroup"


class RoleId(Target):
    """A role, by id."""

    __slots__ = ()
    wire_type = "int"


class RoleCarrier(Target):
    """A role, by the RoleId of its carrier; 0 is a role not saved yet."""

    __slots__ = ()
    wire_type = "RoleEntity"


class RightIds(Target):
    """Functional rights, by ids, which the call gives to a role."""

    __slots__ = ()
    wire_type = "ArrayOfint"


class CredentialTypeName(Target):
    """A type of credential and the directory behind it, by name."""

    __slots__ = ()
    wire_type = "string"


class ServiceAuthId(Target):
    """A sign-in at another server, by id. It belongs to the user who saved it."""

    __slots__ = ()
    wire_type = "int"


class ServiceAuthCarrier(Target):
    """A sign-in at another server, by the id of its carrier; 0 is one not saved yet."""

    __slots__ = ()
    wire_type = "ServiceAuth"


class ExternalTokenKey(Target):
    """Tokens of an external provider, by key. They belong to the user who saved them."""

    __slots__ = ()
    wire_type = "string"


NOTHING = Nothing()
ONESELF = Oneself()


# --- who may --------------------------------------------------------------------------------------


class Who(enum.Enum):
    """Whom the server lets through without a functional right."""

    ANYBODY = enum.auto()
    """Everybody: the call needs no ticket."""
    SIGNED_IN = enum.auto()
    """Everybody who is signed in, excluding anonymous users."""
    EMPLOYEES = enum.auto()
    """Signed-in employees (internal associates) and system users; no external users."""
    HOLDERS = enum.auto()
    """Nobody: it takes a right."""


@dataclass(frozen=True, slots=True)
class Access:
    """Right and target of an operation. Made by the functions below, which read as sentences.

    :ivar who: Who may without a right.
    :ivar concerns: What the call is about.
    :ivar own: Whether those may only where the target is they themselves, or belongs to them.
    :ivar new_is_own: Whether a target not saved yet (id 0) counts as one's own.
    :ivar rights: Functional rights; who holds one of them may, whatever the target.
    :ivar reads: Whether the call changes nothing. Only changes are subject to the rule that nobody
        below a general administrator changes one, or makes one.
    :ivar may_be_missing: Whether the operation itself answers for a user who does not exist. Where
        it does not, a caller with the right is refused by "There is no such user."
    :ivar gives: What the call gives to its target and the same rule looks at: a role, functional
        rights, a type of user, or a User carrier with role and type.
    :ivar our_choice: Whether no source says who may, so that this is the choice of services88.
    :ivar open: Whether everybody who is signed in may, whatever the target (derived).
    :ivar for_signed_in: Whether some who are signed in may without a right (derived).
    :ivar for_employees: Whether employees may without a right (derived).
    :ivar looks_up: Whether the user concerned is looked up before anything is done (derived).
    :ivar must_exist: Whether that user has to exist (derived).
    :ivar touches: The targets from which somebody may rise to general administrator (derived).
    """

    who: Who
    concerns: Target
    own: bool = False
    new_is_own: bool = False
    rights: tuple[str, ...] = ()
    reads: bool = False
    may_be_missing: bool = False
    gives: Target | None = None
    our_choice: bool = False
    open: bool = field(init=False)
    for_signed_in: bool = field(init=False)
    for_employees: bool = field(init=False)
    looks_up: bool = field(init=False)
    must_exist: bool = field(init=False)
    touches: tuple[Target, ...] = field(init=False)

    def __post_init__(self) -> None:
        # Looked at with every call, so worked out once.
        is_user = isinstance(self.concerns, UserId | UserName | UserCarrier)
        is_open = self.who is Who.SIGNED_IN and not self.own
        needed = self.own or not self.reads or not self.may_be_missing
        looks_up = is_user and needed and not is_open
        derived = {
            "open": is_open,
            "for_signed_in": self.who is Who.SIGNED_IN,
            "for_employees": self.who in (Who.SIGNED_IN, Who.EMPLOYEES),
            "looks_up": looks_up,
            "must_exist": looks_up and not self.may_be_missing,
            "touches": tuple(
                one for one in (self.concerns, self.gives) if isinstance(one, _RAISING)
            ),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)


_RAISING = (UserCarrier, GivenUser, GivenUserType, RoleId, RoleCarrier, RightIds)


def anybody(concerns: Target = NOTHING) -> Access:
    """Everybody, without a ticket."""
    return Access(Who.ANYBODY, concerns)


def signed_in(concerns: Target, *, our_choice: bool = False) -> Access:
    """Everybody who is signed in, excluding anonymous users."""
    return Access(Who.SIGNED_IN, concerns, our_choice=our_choice)


def employees(concerns: Target, *, our_choice: bool = False) -> Access:
    """Every signed-in employee."""
    return Access(Who.EMPLOYEES, concerns, our_choice=our_choice)


def holders(
    rights: tuple[str, ...],
    concerns: Target,
    *,
    reads: bool = False,
    may_be_missing: bool = False,
    gives: Target | None = None,
    our_choice: bool = False,
) -> Access:
    """Those who hold one of some functional rights."""
    return Access(
        Who.HOLDERS,
        concerns,
        rights=rights,
        reads=reads,
        may_be_missing=may_be_missing,
        gives=gives,
        our_choice=our_choice,
    )


def administrators(
    concerns: Target,
    *,
    reads: bool = False,
    may_be_missing: bool = False,
    gives: Target | None = None,
    our_choice: bool = False,
) -> Access:
    """Those who may administer users: ``admin-all`` or ``admin-users``."""
    return holders(
        USER_ADMINISTRATORS,
        concerns,
        reads=reads,
        may_be_missing=may_be_missing,
        gives=gives,
        our_choice=our_choice,
    )


def own(
    concerns: Target,
    *,
    or_rights: tuple[str, ...] = (),
    who: Who = Who.SIGNED_IN,
    new_is_own: bool = False,
    reads: bool = False,
    may_be_missing: bool = False,
    our_choice: bool = False,
) -> Access:
    """Everybody for themselves or what belongs to them, and who holds one of some rights."""
    return Access(
        who,
        concerns,
        own=True,
        rights=or_rights,
        new_is_own=new_is_own,
        reads=reads,
        may_be_missing=may_be_missing,
        our_choice=our_choice,
    )


def own_or_administrators(
    concerns: Target,
    *,
    who: Who = Who.SIGNED_IN,
    new_is_own: bool = False,
    reads: bool = False,
    may_be_missing: bool = False,
    our_choice: bool = False,
) -> Access:
    """Everybody for themselves, and those who may administer users for others."""
    return own(
        concerns,
        or_rights=USER_ADMINISTRATORS,
        who=who,
        new_is_own=new_is_own,
        reads=reads,
        may_be_missing=may_be_missing,
        our_choice=our_choice,
    )
