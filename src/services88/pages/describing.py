"""An operation in words and examples, from its declaration in ``contract/`` and nothing else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from services88.agents.call import IMPLEMENTATIONS
from services88.agents.refusals import NotSupported, exception_info
from services88.contract.access import (
    GENERAL_ADMINISTRATOR,
    Access,
    CompanyId,
    CredentialTypeName,
    EjUserId,
    ExternalTokenKey,
    GivenUser,
    GivenUserType,
    GroupCarrier,
    GroupId,
    GroupIds,
    Nothing,
    Oneself,
    PersonId,
    RightIds,
    RoleCarrier,
    RoleId,
    ServiceAuthCarrier,
    ServiceAuthId,
    Target,
    UserCarrier,
    UserId,
    UserIds,
    UserName,
    Who,
)
from services88.contract.common import Carrier
from services88.contract.headers import SoCredentials
from services88.contract.messages import Answer
from services88.contract.model import (
    Agent,
    ArrayType,
    ComplexType,
    DictionaryType,
    EnumType,
    Field,
    Operation,
    SimpleType,
    Type,
    complex_type,
)
from services88.identity.errors import (
    NotAllowed,
    NotSignedIn,
    PasswordRefused,
    Refusal,
    UnknownUser,
)
from services88.soap.calling import write_request
from services88.soap.envelopes import write_answer
from services88.soap.versions import SOAP11, SOAP12, Version
from services88.texts import _, marked

__all__ = [
    "EXAMPLE_TICKET",
    "Envelopes",
    "RefusalKind",
    "areas",
    "arguments_of",
    "concerned",
    "envelopes",
    "example",
    "has_behaviour",
    "indented",
    "is_guarded",
    "kind_of",
    "refusals_of",
    "who_may",
]

EXAMPLE_TICKET = "7T:…"
_DEEPEST = 2
_RIGHTS_OF_ROWS = frozenset(field.attribute for field in complex_type(Carrier).fields)
"""What most carriers begin with and callers leave out."""


def has_behaviour(operation: Operation) -> bool:
    """Say whether this server does what the operation promises, or refuses every call of it."""
    return operation.declared in IMPLEMENTATIONS


def areas(agent: Agent) -> dict[str, list[Operation]]:
    """Group an agent's operations as they are declared, passwords first."""
    found: dict[str, list[Operation]] = {}
    for operation in agent.operations.values():
        found.setdefault(operation.area, []).append(operation)
    return dict(reversed(found.items()))  # the agent lists what it inherits from the end


def kind_of(of: Type) -> str:
    """Name a type as a person reads it."""
    match of:
        case ArrayType(item=item):
            return _("list of {what}").format(what=item.name)
        case DictionaryType(value=value):
            return _("dictionary from text to {what}").format(what=value.name)
        case EnumType(flags=True):
            return _("any of {what}").format(what=of.name)
    return of.name


def who_may(operation: Operation) -> str:
    """Return who may call an operation, in a sentence or two."""
    access = operation.access
    if access.who is Who.ANYBODY:
        return _("Anybody: the call needs no ticket.")
    text = _WITHOUT_RIGHT[access.who, access.own]
    if access.rights:
        with_right = _("Whoever has the functional right {rights}.")
        if text:
            with_right = _("For others, whoever has the functional right {rights}.")
        text = f"{_(text)} {with_right}" if text else with_right
    else:
        text = _(text)
        if access.own:
            text += " " + _("Nobody else but system users.")
    if access.new_is_own:
        text += " " + _("What is not saved yet (id 0) counts as one's own.")
    if is_guarded(access):
        text += " " + _(
            "Only general administrators change or make a general administrator or a system user, "
            "or change a role with that right."
        )
    return text.format(rights=" or ".join(access.rights))


_WITHOUT_RIGHT = {
    (Who.SIGNED_IN, False): marked("Everybody who is signed in, excluding anonymous users."),
    (Who.SIGNED_IN, True): marked("Everybody for themselves."),
    (Who.EMPLOYEES, False): marked("Every signed-in employee."),
    (Who.EMPLOYEES, True): marked("Employees for themselves, or for what is theirs."),
    (Who.HOLDERS, False): "",
}


def is_guarded(access: Access) -> bool:
    """Check whether an access is subject to the rule about general administrators."""
    touched = (UserId, UserName, UserCarrier, RoleId, RoleCarrier)
    return bool(
        access.rights
        and GENERAL_ADMINISTRATOR in access.rights
        and len(access.rights) > 1
        and not access.reads
        and (isinstance(access.concerns, touched) or access.gives is not None)
    )


def concerned(operation: Operation) -> str:
    """Return what a call concerns and gives, and which parameters name it."""
    access = operation.access
    if access.gives is None:
        return _target(operation, access.concerns)
    return _("{what}; it gives {given}").format(
        what=_target(operation, access.concerns), given=_target(operation, access.gives)
    )


def _target(operation: Operation, target: Target) -> str:
    text = _(_TARGETS[type(target)])
    if target.parameter is None:
        return text
    return f"{text} ({_wire(operation, target.parameter)})"


_TARGETS: dict[type[Target], str] = {
    Nothing: marked("nothing in particular"),
    Oneself: marked("the caller"),
    UserId: marked("a user, by id"),
    UserIds: marked("users, by ids"),
    UserName: marked("a user, by name"),
    UserCarrier: marked("a user, by the id in the carrier"),
    PersonId: marked("a person, by id"),
    EjUserId: marked("a Service user, by id"),
    CompanyId: marked("a company, by id"),
    GroupId: marked("a user group, by id"),
    GroupIds: marked("user groups, by ids"),
    GroupCarrier: marked("a user group, by the id in the carrier"),
    RoleId: marked("a role, by id"),
    RoleCarrier: marked("a role, by the id in the carrier"),
    RightIds: marked("functional rights, by ids"),
    GivenUser: marked("the role and type in a carrier"),
    GivenUserType: marked("a type of user"),
    CredentialTypeName: marked("a type of credential, by name"),
    ServiceAuthId: marked("a sign-in at another server, by id"),
    ServiceAuthCarrier: marked("a sign-in at another server, by the id in the carrier"),
    ExternalTokenKey: marked("tokens of a provider, by key"),
}


@dataclass(frozen=True, slots=True)
class RefusalKind:
    """A way in which a call is refused: the ExceptionInfo that says so, and when."""

    exception_type: str
    message: str
    when: str


def refusals_of(operation: Operation, agent: Agent) -> list[RefusalKind]:
    """List the refusals that follow from a declaration, with the words of the wire."""
    return [_as_told(refusal, when) for refusal, when in _refusals(operation, agent)]


def _refusals(operation: Operation, agent: Agent) -> Iterator[tuple[Refusal, str]]:
    if agent.needs_ticket:
        yield NotSignedIn(given=False), _("There is no Credentials header.")
        yield NotSignedIn(given=True), _("The ticket is not valid, has expired or was ended.")
    access = operation.access
    if access.who is not Who.ANYBODY and not access.open:
        yield NotAllowed(access.rights), _("The caller may not do this.")
    if access.must_exist and access.concerns.parameter is not None:
        named = _wire(operation, access.concerns.parameter)
        yield UnknownUser(), _("{field} names nobody.").format(field=named)
    if not has_behaviour(operation):
        yield NotSupported(operation.name), _("Otherwise, for now.")
        return
    if _changes_password(operation):
        if any(field.attribute == "old_password" for field in operation.request):
            yield (
                PasswordRefused("old-password-wrong", "The current password is not correct."),
                _(
                    "OldPassword is wrong. Told as false with ExtraInfo, unless the operator chose "
                    "exceptions."
                ),
            )
        yield (
            PasswordRefused("policy", _("What to do about each rule that failed.")),
            _(
                "The new password fails a rule. Told as false with ExtraInfo, unless the operator "
                "chose exceptions."
            ),
        )


def _changes_password(operation: Operation) -> bool:
    return bool(re.match(r"(change|set)_.*password", operation.method)) and any(
        field.secret for field in operation.request
    )


def _wire(operation: Operation, attribute: str) -> str:
    return next(field.name for field in operation.request if field.attribute == attribute)


def _as_told(refusal: Refusal, when: str) -> RefusalKind:
    info = exception_info(refusal)
    return RefusalKind(info.exception_type or "", info.message or "", when)


# --- examples -------------------------------------------------------------------------------------

_TEXTS = {
    "user_name": "JANE",
    "associate_name": "JANE",
    "name": "JANE",
    "password": "the password",
    "old_password": "the old password",
    "new_password": "the new password",
    "ticket": EXAMPLE_TICKET,
    "email": "jane@example.com",
    "e_mail_address": "jane@example.com",
    "firstname": "Jane",
    "lastname": "Doe",
    "full_name": "Jane Doe",
    "credential_type": "CRM5/PASSWORD",
    "access_token": "8A:…",
}


def arguments_of(operation: Operation) -> dict[str, object]:
    """Give an example of each argument, by its Python name."""
    return {field.attribute: example(field) for field in operation.request}


def example(field: Field, depth: int = 0) -> object:
    """Make an example value of a field."""
    return _value(field.type, field.attribute, depth)


def _value(of: Type, attribute: str, depth: int) -> object:
    match of:
        case SimpleType(name="string"):
            return _TEXTS.get(attribute, "text")
        case SimpleType(name="int" | "short"):
            return 1 if attribute.endswith(("_id", "_ids")) else of.default
        case SimpleType(name="base64Binary"):
            return b"bytes"
        case SimpleType():
            return of.default
        case EnumType(flags=True):
            return frozenset(list(of.cls)[1:2])
        case EnumType():
            members = list(of.cls)
            return members[min(1, len(members) - 1)]
        case ArrayType(item=item):
            return None if depth >= _DEEPEST else [_value(item, attribute, depth + 1)]
        case DictionaryType(value=value):
            return None if depth >= _DEEPEST else {"key": _value(value, attribute, depth + 1)}
        case ComplexType():
            if depth >= _DEEPEST and of.nillable:
                return None
            return of.cls(
                **{
                    one.attribute: None
                    if one.attribute in _RIGHTS_OF_ROWS
                    else _value(one.type, one.attribute, depth + 1)
                    for one in of.fields
                }
            )
    raise TypeError(of)


@dataclass(frozen=True, slots=True)
class Envelopes:
    """A request and the answer to it, in one version and dialect."""

    name: str
    media_type: str
    request: str
    response: str


@cache
def envelopes(agent: Agent, operation: Operation) -> tuple[Envelopes, ...]:
    """Write examples by the same code that writes to the wire."""
    return (
        _envelopes(_("SOAP 1.1"), agent, operation, SOAP11, documented=False),
        _envelopes(_("SOAP 1.2"), agent, operation, SOAP12, documented=False),
        _envelopes(_("Documented form"), agent, operation, SOAP11, documented=True),
    )


def _envelopes(
    name: str, agent: Agent, operation: Operation, version: Version, *, documented: bool
) -> Envelopes:
    headers: dict[str, object] = {}
    if agent.needs_ticket:
        headers["Credentials"] = SoCredentials(ticket=EXAMPLE_TICKET)
    elif documented:  # a block beside Body is what makes it the documented form
        headers["ApplicationToken"] = None
    request = write_request(
        operation, agent, version, headers, arguments_of(operation), documented=documented
    )
    if operation.message is not None:
        result: object = operation.message(
            **{field.attribute: example(field, 1) for field in operation.response}
        )
    else:
        result = next((_example_result(field) for field in operation.response), None)
    answer = write_answer(operation, agent, version, Answer(result), documented=documented)
    return Envelopes(name, version.media_type, indented(request), indented(answer))


def _example_result(field: Field) -> object:
    return True if field.type.name == "boolean" else example(field, 0)


_INSIDE = re.compile(r">\s*<")


def indented(document: bytes) -> str:
    """Lay an envelope of ours out, one element a line; it stays the same message."""
    text = document.decode().partition("?>")[2]
    lines: list[str] = []
    depth = 0
    for part in _INSIDE.sub(">\n<", text).split("\n"):
        closing = part.startswith("</")
        depth -= closing
        lines.append("  " * depth + part)
        if not closing and not part.endswith("/>") and "</" not in part:
            depth += 1
    return "\n".join(lines)
