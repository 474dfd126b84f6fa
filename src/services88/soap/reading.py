"""From XML to the typed values of the contract. Readers are made once a type, from its declaration.

Unknown elements are ignored and fields may come in any order, as a lenient reader of the contract
does; a repeated field is refused, since it could hide one password behind another. Errors name the
field and never its value, which may be a secret.
"""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import TypeAlias

from services88.contract import namespaces as ns
from services88.contract.model import (
    ArrayType,
    Complex,
    ComplexType,
    DictionaryType,
    Enumeration,
    EnumType,
    Field,
    SimpleType,
    Type,
    complex_type,
)
from services88.soap.xml import Element

__all__ = ["Malformed", "Reader", "read_fields", "reader_of"]

Reader: TypeAlias = Callable[[Element], object]

_NIL = f"{{{ns.XML_SCHEMA_INSTANCE}}}nil"
_TYPE = f"{{{ns.XML_SCHEMA_INSTANCE}}}type"


class Malformed(Exception):
    """A message is no instance of the contract."""


def read_fields(
    fields: tuple[Field, ...], namespace: str
) -> Callable[[Element], dict[str, object]]:
    """Make a reader of the children of an element; absent fields get their default."""
    index = {
        f"{{{namespace}}}{one.name}": (one.attribute, reader_of(one.type), one.name)
        for one in fields
    }
    defaults = {one.attribute: one.type.default for one in fields}

    def read(element: Element) -> dict[str, object]:
        values: dict[str, object] = {}
        for child in element:
            known = index.get(child.tag)
            if known is None:
                continue
            attribute, reader, name = known
            if attribute in values:
                raise Malformed(f"{name} is given twice.")
            values[attribute] = reader(child)
        return {**defaults, **values}

    return read


@cache
def reader_of(of: Type) -> Reader:
    """Make the reader of a type."""
    match of:
        case SimpleType():
            content = _SIMPLE[of.name]
        case EnumType():
            content = _flags(of) if of.flags else _enumeration(of)
        case ArrayType():
            content = _array(of)
        case DictionaryType():
            content = _dictionary(of)
        case ComplexType():
            content = _complex(of)
        case _:
            raise TypeError(of)
    empty = of.default

    def read(element: Element) -> object:
        nil = element.get(_NIL)
        if nil is not None and nil.strip() in ("true", "1"):
            return empty
        return content(element)

    return read


# --- simple values ------------------------------------------------------------------------------


def _name(element: Element) -> str:
    return element.name


def _text(element: Element) -> str:
    if len(element):
        raise Malformed(f"{_name(element)} holds elements where a plain value is expected.")
    return element.text


_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")


def _integer(name: str, bits: int) -> Reader:
    limit = 1 << (bits - 1)

    def read(element: Element) -> int:
        text = _text(element).strip()
        if _INTEGER.fullmatch(text):
            value = int(text)
            if -limit <= value < limit:
                return value
        raise Malformed(
            f"{_name(element)} must be a whole number from {-limit} to {limit - 1} (xs:{name})."
        )

    return read


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def _boolean(element: Element) -> bool:
    value = _BOOLEANS.get(_text(element).strip())
    if value is None:
        raise Malformed(f"{_name(element)} must be true, false, 1 or 0 (xs:boolean).")
    return value


_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)


def _date_time(element: Element) -> datetime:
    text = _text(element).strip()
    if _DATE_TIME.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    raise Malformed(
        f"{_name(element)} must be a date and time such as 2026-01-31T13:45:00 (xs:dateTime)."
    )


def _bytes(element: Element) -> bytes:
    try:
        return base64.b64decode("".join(_text(element).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"{_name(element)} must be base64 (xs:base64Binary).") from error


_SIMPLE: dict[str, Reader] = {
    "string": _text,
    "int": _integer("int", 32),
    "short": _integer("short", 16),
    "boolean": _boolean,
    "dateTime": _date_time,
    "base64Binary": _bytes,
}


def _enumeration(of: EnumType) -> Reader:
    members = {member.value: member for member in of.cls}

    def read(element: Element) -> Enumeration:
        member = members.get(_text(element).strip())
        if member is None:
            raise Malformed(f"{_name(element)} must be one of {', '.join(members)}.")
        return member

    return read


def _flags(of: EnumType) -> Reader:
    members = {member.value: member for member in of.cls}

    def read(element: Element) -> frozenset[Enumeration]:
        names = _text(element).split()
        if not members.keys() >= set(names):
            raise Malformed(f"{_name(element)} must be a list of {', '.join(members)}.")
        return frozenset(members[name] for name in names)

    return read


# --- values of several parts ----------------------------------------------------------------------


def _array(of: ArrayType) -> Reader:
    tag = f"{{{of.namespace}}}{of.item.name}"
    item = reader_of(of.item)

    def read(element: Element) -> list[object]:
        return [item(child) for child in element if child.tag == tag]

    return read


def _dictionary(of: DictionaryType) -> Reader:
    tag = f"{{{of.namespace}}}{of.item_name}"
    key_tag, value_tag = f"{{{of.namespace}}}Key", f"{{{of.namespace}}}Value"
    read_key, read_value = _SIMPLE["string"], reader_of(of.value)

    def read(element: Element) -> dict[str, object]:
        values: dict[str, object] = {}
        for pair in element:
            if pair.tag != tag:
                continue
            parts: dict[str, Element] = {}
            for part in pair:
                if part.tag in parts:
                    raise Malformed(f"{_name(pair)} has two parts of one name.")
                parts[part.tag] = part
            if key_tag not in parts:
                raise Malformed(f"{_name(pair)} has no Key.")
            key = str(read_key(parts[key_tag]))
            if key in values:
                raise Malformed(f"{_name(element)} has the same Key twice.")
            values[key] = read_value(parts[value_tag]) if value_tag in parts else of.value.default
        return values

    return read


def _complex(of: ComplexType) -> Reader:
    # Made at the first value, since a carrier may hold its own kind.
    fields: dict[ComplexType, Callable[[Element], dict[str, object]]] = {}

    def read(element: Element) -> Complex:
        actual = _actual_type(element, of)
        if actual not in fields:
            fields[actual] = read_fields(actual.fields, actual.namespace)
        return actual.cls(**fields[actual](element))

    return read


def _actual_type(element: Element, declared: ComplexType) -> ComplexType:
    """Obey xsi:type: the declared type, or one derived from it.

    On plain values xsi:type is not looked at: some clients guess it from the look of the value
    (a password of digits as xs:int), and what counts is the type that the contract declares.
    """
    said = element.get(_TYPE)
    if said is None:
        return declared
    prefix, colon, local = said.strip().rpartition(":")
    namespace = element.namespace_of(prefix if colon else None)
    for cls in _with_derived(declared.cls):
        one = complex_type(cls)
        if one.name == local and one.namespace == namespace:
            return one
    raise Malformed(f"{_name(element)} must be of type {declared.name}; its xsi:type is another.")


def _with_derived(cls: type[Complex]) -> tuple[type[Complex], ...]:
    return (cls, *(deeper for child in cls.__subclasses__() for deeper in _with_derived(child)))
