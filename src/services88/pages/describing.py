"""An operation in words and examples, from its declaration in ``contract/`` and nothing else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from services88.agents.call import IMPLEMENTATIONS
from services88.agents.refusals import NotSupported, exception_info
from services88.contract.access import Access
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
from services88.soap.envelopes import write_answer, write_request
from services88.soap.versions import SOAP11, SOAP12, Version
from services88.texts import _

__all__ = [
    "EXAMPLE_TICKET",
    "Envelopes",
    "RefusalKind",
    "areas",
    "arguments_of",
    "envelopes",
    "example",
    "has_behaviour",
    "indented",
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


def who_may(operation: Operation, agent: Agent) -> str:
    """Say who may call an operation."""
    if not agent.needs_ticket:
        return _("Anybody: the call needs no ticket.")
    access: Access = operation.access
    if not access.rights:
        return _("Everybody who is signed in, but for anonymous users.")
    rights = " or ".join(access.rights)
    if access.own and access.or_nobody:
        text = _(
            "Everybody for themselves and for a user not saved yet (associate id 0); for others "
            "whoever has the functional right {rights}."
        )
    elif access.own:
        text = _("Everybody for themselves; for others whoever has the functional right {rights}.")
    else:
        text = _("Whoever has the functional right {rights}.")
    if access.concerns and not access.reads:
        text += " " + _("A general administrator or system user is for general administrators.")
    return text.format(rights=rights)


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
        yield NotSignedIn(given=True), _("The ticket is unknown, expired or ended.")
    if not has_behaviour(operation):
        yield NotSupported(operation.name), _("Always, for now.")
        return
    access = operation.access
    if access.rights:
        yield NotAllowed(access.rights), _("The caller lacks the right.")
        if access.concerns and not operation.method.endswith("_list"):
            yield (
                UnknownUser(),
                _("{field} names nobody.").format(field=_wire(operation, access.concerns)),
            )
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
