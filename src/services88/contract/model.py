"""The language in which the contract is declared, and the plain description read from it.

A declaration is ordinary typed Python: a carrier is a dataclass, an enumeration an ``Enum``, an
operation a method whose signature and docstring say all there is to say. From these, this module
derives the description (:class:`ComplexType`, :class:`Operation`, ...) that WSDL, codec, dispatch
and pages are built from. It holds no behaviour and knows neither SOAP nor HTTP.

Three rules of the .NET DataContract serializer carry most of the contract, so that a declaration
need not repeat them:

* wire names are the PascalCase form of the Python name (``ej_user_id`` is ``EjUserId``);
* a type is nillable exactly if it is a .NET reference type: text, bytes, carriers, lists and
  dictionaries are; numbers, booleans, dates, enumerations and value types are not;
* a list of ``X`` is the wrapper ``ArrayOfX``; lists of primitives live in the Arrays namespace.
"""

import enum
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, ClassVar, Protocol, TypeVar, Union, dataclass_transform

from services88.contract import namespaces as ns
from services88.contract.access import Access, Who

__all__ = [
    "BOOLEAN",
    "INT",
    "NEVER",
    "STRING",
    "Agent",
    "ArrayType",
    "Complex",
    "ComplexType",
    "Dictionary",
    "DictionaryType",
    "EnumType",
    "Enumeration",
    "Field",
    "Flags",
    "Header",
    "Message",
    "Operation",
    "Secret",
    "Short",
    "ShortEnumeration",
    "SimpleType",
    "Type",
    "agent",
    "carrier",
    "complex_type",
    "operation",
    "wire_name",
]

NEVER = datetime(1, 1, 1)
"""The .NET default date, ``0001-01-01T00:00:00``: "no date" on this wire."""


# --- what a declaration is written with -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Xsd:
    """Annotation that picks an XML Schema type where Python's own type is wider."""

    name: str


class _SecretMark:
    """Annotation: the value is a credential. It is left out of every ``repr``."""


_SECRET = _SecretMark()

Short = Annotated[int, _Xsd("short")]
"""``xs:short``; a plain ``int`` is ``xs:int``."""

Secret = Annotated[str | None, _SECRET]
"""Text that must never be shown: a password, a ticket, a token (ASVS 16.2.5)."""


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Annotation of a ``dict``: the names of its wrapper and of its pair element."""

    name: str
    item: str


class Enumeration(enum.Enum):
    """A value of the contract that is one of a few names.

    A member is its wire name, or the wire name and its number where the vendor's WSDL annotates
    one (``EnumerationValue``); the first member is the default.
    """

    number: int | None

    def __new__(cls, wire: str, number: int | None = None) -> "Enumeration":
        """Make the member of a wire name and, where the WSDL annotates one, its number."""
        member = object.__new__(cls)
        member._value_ = wire
        member.number = number
        return member


class Flags(Enumeration):
    """An enumeration of which any number of names may be given at once (``xs:list``)."""


class ShortEnumeration(Enumeration):
    """An enumeration that .NET keeps as a short; the WSDL says so (``ActualType``)."""


class Complex:
    """Base of every carrier. Subclasses are made with :func:`carrier`."""

    __slots__ = ()

    namespace: ClassVar[str] = ns.SERVICES88
    value_type: ClassVar[bool] = False
    """True for a .NET struct: not nillable, and each of its fields is required."""


class Message(Complex):
    """A response body of more than one field; its class name is the element name."""

    __slots__ = ()


_C = TypeVar("_C", bound=type[Complex])


@dataclass_transform(kw_only_default=True)
def carrier(cls: _C) -> _C:
    """Make a carrier of a class: a keyword-only dataclass that hides its secrets in ``repr``."""
    for name, annotation in inspect.get_annotations(cls).items():
        if _SECRET in typing.get_args(annotation):
            setattr(cls, name, field(default=cls.__dict__[name], repr=False))
    return typing.cast("_C", dataclass(kw_only=True, slots=True)(cls))


F = TypeVar("F", bound=Callable[..., object])


def operation(since: str, *, access: Access, result: str = "Response") -> Callable[[F], F]:
    """Mark a method of an agent as an operation.

    :param since: The oldest of Services84..Services88 whose WSDL has it.
    :param access: Who may call it, and what the call concerns. There is no default.
    :param result: The name of the one field of the response.
    :raises TypeError: ``access`` is no :class:`Access`. What it names is checked in :func:`agent`.
    """

    def mark(method: F) -> F:
        if not isinstance(access, Access):
            raise TypeError(
                f"{method.__qualname__}: access must say who may call it and what the call "
                "concerns; contract/access.py has the ways to say so"
            )
        method.__operation__ = (since, result, access)  # type: ignore[attr-defined]
        return method

    return mark


# --- the description derived from it -----------------------------------------------------------


class Type(Protocol):
    """What every type of the contract has."""

    @property
    def name(self) -> str:
        """Wire name."""

    @property
    def namespace(self) -> str:
        """Namespace URI."""

    @property
    def nillable(self) -> bool:
        """Whether ``xsi:nil`` is a value of it."""

    @property
    def default(self) -> object:
        """What a field holds that nobody filled."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class SimpleType:
    """A type of XML Schema itself: ``xs:int``, ``xs:string``, ..."""

    name: str
    nillable: bool
    default: object
    namespace: str = ns.XML_SCHEMA


@dataclass(frozen=True, slots=True)
class EnumType:
    """An enumeration, or (``flags``) a list of its names."""

    cls: type[Enumeration]
    flags: bool
    actual: str | None
    nillable: bool = False
    namespace: str = ns.SERVICES88

    @property
    def name(self) -> str:
        """Wire name: that of the class."""
        return self.cls.__name__

    @property
    def default(self) -> object:
        """The first member; for flags none."""
        return frozenset[Enumeration]() if self.flags else next(iter(self.cls))


@dataclass(frozen=True, slots=True)
class ArrayType:
    """A list: a wrapper with one element an item."""

    item: Type
    nillable: bool = True
    default: None = None

    @property
    def name(self) -> str:
        """``ArrayOf`` and the item's name."""
        return f"ArrayOf{self.item.name}"

    @property
    def namespace(self) -> str:
        """The item's own, or for primitives that of DataContract arrays."""
        item = self.item.namespace
        return ns.ARRAYS if item == ns.XML_SCHEMA else item


@dataclass(frozen=True, slots=True)
class DictionaryType:
    """A dictionary from text: a wrapper with one pair of ``Key`` and ``Value`` an item."""

    name: str
    item_name: str
    value: Type
    namespace: str = ns.SERVICES88
    nillable: bool = True
    default: None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One element of a carrier, a request or a response.

    ``attribute`` is the Python name, ``name`` the wire name.
    """

    attribute: str
    name: str
    type: Type
    secret: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ComplexType:
    """A carrier. ``fields`` are all fields in wire order, the base's first; ``own`` without."""

    cls: type[Complex]
    base: "ComplexType | None"
    own: tuple[Field, ...]

    @property
    def name(self) -> str:
        """Wire name: that of the class."""
        return self.cls.__name__

    @property
    def namespace(self) -> str:
        """Namespace URI, as the class declares it."""
        return self.cls.namespace

    @property
    def nillable(self) -> bool:
        """Whether it is a reference type."""
        return not self.cls.value_type

    @property
    def default(self) -> object:
        """Nothing; for a value type one with all its defaults."""
        return self.cls() if self.cls.value_type else None

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields in wire order."""
        return (self.base.fields if self.base else ()) + self.own


@dataclass(frozen=True, slots=True)
class Header:
    """A SOAP header block that the contract declares."""

    attribute: str
    name: str
    type: Type
    secret: bool = False
    namespace: str = ns.SERVICES88


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation, complete: what goes over the wire and what it means."""

    agent_name: str
    name: str
    method: str
    since: str
    area: str
    access: Access
    declared: Callable[..., object]
    request: tuple[Field, ...]
    response_element: str
    response: tuple[Field, ...]
    message: type[Message] | None
    """The class of a response of several fields; None where there is one field or none."""
    summary: str
    """What it does, in one sentence."""
    details: str
    """More of what it does; may be empty."""
    parameters: dict[str, str]
    """Meaning of each parameter, by Python name."""
    returns: str
    left_open: tuple[str, ...]
    """What the vendor's documentation leaves open, each with what services88 does there."""

    @property
    def action(self) -> str:
        """SOAPAction of the request."""
        return f"{ns.SERVICES88}/{self.agent_name}/{self.name}"

    @property
    def reply_action(self) -> str:
        """Action of the response."""
        return f"{self.action}Response"


@dataclass(frozen=True, slots=True, eq=False)
class Agent:
    """One service of the contract: ``{name}.svc``."""

    name: str
    service: str
    request_headers: tuple[Header, ...]
    response_headers: tuple[Header, ...]
    known_headers: tuple[Header, ...]
    """Every header element its schema holds, sent or not."""
    prefixes: dict[str, str]
    """Namespace to prefix, as the documented sample envelopes of this agent have them."""
    operations: dict[str, Operation]
    needs_ticket: bool = field(init=False)
    """Whether its operations are made with a ticket."""

    def __post_init__(self) -> None:
        needed = any(header.name == "Credentials" for header in self.request_headers)
        object.__setattr__(self, "needs_ticket", needed)  # looked at with every call


def wire_name(python_name: str) -> str:
    """Give the wire name of a Python name: ``ej_user_id`` is ``EjUserId``."""
    return "".join(part[:1].upper() + part[1:] for part in python_name.split("_"))


# --- deriving ------------------------------------------------------------------------------------

STRING = SimpleType("string", nillable=True, default=None)
INT = SimpleType("int", nillable=False, default=0)
SHORT = SimpleType("short", nillable=False, default=0)
BOOLEAN = SimpleType("boolean", nillable=False, default=False)
DATE_TIME = SimpleType("dateTime", nillable=False, default=NEVER)
BASE64 = SimpleType("base64Binary", nillable=True, default=None)

_SIMPLE: dict[object, SimpleType] = {
    str: STRING,
    int: INT,
    bool: BOOLEAN,
    datetime: DATE_TIME,
    bytes: BASE64,
}
_XSD = {"short": SHORT}
_complex_types: dict[type[Complex], ComplexType] = {}


def complex_type(cls: type[Complex]) -> ComplexType:
    """Describe a carrier class (once; later calls give the same object)."""
    known = _complex_types.get(cls)
    if known is not None:
        return known
    parent = cls.__mro__[1]
    base = None if parent in (Complex, Message) else complex_type(parent)
    fields: list[Field] = []
    known = _complex_types[cls] = ComplexType(cls, base, ())
    hints = typing.get_type_hints(cls, include_extras=True)
    for attribute in inspect.get_annotations(cls):
        fields.append(_field(attribute, hints[attribute], required=cls.value_type))
    # The description is registered before its fields are read, since carriers refer to themselves.
    object.__setattr__(known, "own", tuple(fields))
    return known


def _field(attribute: str, annotation: object, *, required: bool = False) -> Field:
    secret = typing.get_origin(annotation) is Annotated and _SECRET in typing.get_args(annotation)
    return Field(attribute, wire_name(attribute), _type_of(annotation), secret, required)


def _type_of(annotation: object) -> Type:
    """Describe the type that an annotation declares."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        for mark in arguments[1:]:
            if isinstance(mark, _Xsd):
                return _XSD[mark.name]
            if isinstance(mark, Dictionary):
                (plain,) = (a for a in typing.get_args(arguments[0]) if a is not types.NoneType)
                return DictionaryType(mark.name, mark.item, _type_of(typing.get_args(plain)[1]))
        return _type_of(arguments[0])
    if origin in (types.UnionType, Union):
        (plain,) = (a for a in arguments if a is not types.NoneType)
        return _type_of(plain)
    if origin is list:
        return ArrayType(_type_of(arguments[0]))
    if origin is frozenset:
        return _enum_type(arguments[0])
    if isinstance(annotation, type):
        if annotation in _SIMPLE:
            return _SIMPLE[annotation]
        if issubclass(annotation, Enumeration):
            return _enum_type(annotation)
        if issubclass(annotation, Complex):
            return complex_type(annotation)
    raise TypeError(f"{annotation!r} is no type of the contract")


def _enum_type(cls: type[Enumeration]) -> EnumType:
    actual = "short" if issubclass(cls, ShortEnumeration) else None
    return EnumType(cls, issubclass(cls, Flags), actual)


def agent(
    declaration: type,
    *,
    name: str,
    service: str,
    request_headers: tuple[Header, ...],
    response_headers: tuple[Header, ...],
    known_headers: tuple[Header, ...],
    prefixes: dict[str, str],
) -> Agent:
    """Describe an agent from the class that declares its operations.

    :raises TypeError: A declaration is incomplete: a method is no operation, or the access of one
        does not fit its parameters or the agent.
    """
    operations = {
        described.name: described
        for owner in reversed(declaration.__mro__)
        for described in _operations_of(owner, name)
    }
    described = Agent(
        name, service, request_headers, response_headers, known_headers, prefixes, operations
    )
    for one in operations.values():
        _check_access(described, one)
    return described


def _check_access(described: Agent, one: Operation) -> None:
    """Refuse a declaration whose access could not be decided as it says."""
    if (one.access.who is Who.ANYBODY) is described.needs_ticket:
        raise TypeError(
            f"{one.name}: the agent {described.name} takes a ticket, so access cannot be anybody()"
            if described.needs_ticket
            else f"{one.name}: the agent {described.name} takes no ticket, so access is anybody()"
        )
    types_of = {field.attribute: field.type.name for field in one.request}
    for target in (one.access.concerns, one.access.gives):
        if target is None or (target.parameter is None and not target.wire_type):
            continue
        found = types_of.get(target.parameter or "")
        if found != target.wire_type:
            raise TypeError(
                f"{one.name}: its access names {target}, which has to be a parameter of type "
                f"{target.wire_type}, and is {found or 'no parameter'}"
            )


def _operations_of(owner: type, agent_name: str) -> Iterator[Operation]:
    area = (owner.__doc__ or "").partition("\n")[0].rstrip(".")
    for method, declared in vars(owner).items():
        if method.startswith("_") or not inspect.isfunction(declared):
            continue
        mark = getattr(declared, "__operation__", None)
        if mark is None:
            raise TypeError(
                f"{declared.__qualname__} is no operation yet: @operation(since, access=...) says "
                "since when there is one and who may call it"
            )
        yield _operation(agent_name, area, method, declared, *mark)


def _operation(
    agent_name: str,
    area: str,
    method: str,
    declared: Callable[..., Any],
    since: str,
    result: str,
    access: Access,
) -> Operation:
    hints = typing.get_type_hints(declared, include_extras=True)
    returned = hints.pop("return")
    name = wire_name(method)
    message: type[Message] | None = None
    if returned is types.NoneType:
        response: tuple[Field, ...] = ()
        element = f"{name}Response"
    elif isinstance(returned, type) and issubclass(returned, Message):
        message = returned
        response = complex_type(returned).fields
        element = returned.__name__
    else:
        one = _field("response", returned)
        response = (Field("response", result, one.type, one.secret),)
        element = f"{name}Response"
    said = _read_docstring(declared.__doc__ or "")
    return Operation(
        agent_name=agent_name,
        name=name,
        method=method,
        since=since,
        area=area,
        access=access,
        declared=declared,
        request=tuple(_field(attribute, hint) for attribute, hint in hints.items()),
        response_element=element,
        response=response,
        message=message,
        summary=said.summary,
        details=said.details,
        parameters=said.parameters,
        returns=said.returns,
        left_open=said.left_open,
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """What a docstring says, part by part."""

    summary: str
    details: str
    parameters: dict[str, str]
    returns: str
    left_open: tuple[str, ...]


_DOC_FIELD = re.compile(r"^\s*:(?:param (\w+)|(returns|open)):\s*", re.MULTILINE)


def _read_docstring(text: str) -> _Said:
    """Read an operation's docstring: summary, details, and the fields after them.

    ``:open:`` says what the vendor's documentation leaves open and what services88 does there. It
    may occur several times.
    """

    def plain(part: str) -> str:
        return " ".join(part.split())

    marks = list(_DOC_FIELD.finditer(text))
    prose = text[: marks[0].start()] if marks else text
    summary, _, details = prose.strip().partition("\n\n")
    parameters: dict[str, str] = {}
    returns = ""
    left_open: list[str] = []
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    for here, end in zip(marks, ends, strict=False):
        said = plain(text[here.end() : end])
        if here[1]:
            parameters[here[1]] = said
        elif here[2] == "returns":
            returns = said
        else:
            left_open.append(said)
    return _Said(plain(summary), plain(details), parameters, returns, tuple(left_open))
