"""From the typed values of the contract to XML. Writers are made once a type and style.

Answers are written as text, piece by piece: that takes a thirtieth of building a tree first.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

from services88.contract.model import (
    STRING,
    ArrayType,
    ComplexType,
    DictionaryType,
    Enumeration,
    EnumType,
    SimpleType,
    Type,
)
from services88.soap.xml import is_xml_text, text_of

__all__ = ["Style", "Unwritable", "Writer", "writer"]

Writer: TypeAlias = Callable[[list[str], Any], None]


class Unwritable(ValueError):
    """A text holds a character that XML cannot hold. The text may be a secret and is not told."""


@dataclass(frozen=True, slots=True)
class Style:
    """How values look.

    :ivar prefixes: Namespace and prefix; the empty prefix is the default namespace.
    :ivar typed: Whether every value says its type (``xsi:type``), as in documented envelopes, which
        also leave out what a carrier inherits where that is empty.
    :ivar exact: Whether text that XML cannot hold is refused (:class:`Unwritable`) instead of
        written with U+FFFD in it: a password must arrive as it is or not at all.
    """

    prefixes: tuple[tuple[str, str], ...]
    typed: bool = False
    exact: bool = False

    def name(self, namespace: str, local: str) -> str:
        """Write a qualified name."""
        prefix = dict(self.prefixes)[namespace]
        return f"{prefix}:{local}" if prefix else local


@cache
def writer(style: Style, namespace: str, local: str, of: Type) -> Writer:
    """Make the writer of an element of a type.

    :returns: A function that appends the element's text to a list of pieces.
    """
    tag = style.name(namespace, local)
    said = f' xsi:type="{style.name(of.namespace, of.name)}"' if style.typed else ""
    nil = f'<{tag} xsi:nil="true"/>'
    start, end = f"<{tag}{said}>", f"</{tag}>"
    content: list[Writer] = []  # made at the first value: a carrier may hold its own kind

    def write(out: list[str], value: object) -> None:
        if value is None:
            out.append(nil)
            return
        if not content:
            content.append(_content(style, of))
        out.append(start)
        content[0](out, value)
        out.append(end)

    return write


def _content(style: Style, of: Type) -> Writer:
    match of:
        case SimpleType(name="string") if style.exact:
            return _exact_string
        case SimpleType():
            return _SIMPLE[of.name]
        case EnumType(flags=True):
            return _flags(of)
        case EnumType():
            return _enumeration
        case ArrayType():
            return _array(style, of)
        case DictionaryType():
            return _dictionary(style, of)
        case ComplexType():
            return _complex(style, of)
    raise TypeError(of)


# --- simple values ------------------------------------------------------------------------------


def _string(out: list[str], value: str) -> None:
    out.append(text_of(value))


def _exact_string(out: list[str], value: str) -> None:
    if not is_xml_text(value):
        raise Unwritable("It holds a control character or half a character; XML has none of these.")
    out.append(text_of(value))


def _integer(out: list[str], value: int) -> None:
    out.append(str(int(value)))


def _boolean(out: list[str], value: bool) -> None:
    out.append("true" if value else "false")


def _date_time(out: list[str], value: datetime) -> None:
    text = value.isoformat()
    out.append(text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text)


def _bytes(out: list[str], value: bytes) -> None:
    out.append(base64.b64encode(value).decode())


_SIMPLE: dict[str, Writer] = {
    "string": _string,
    "int": _integer,
    "short": _integer,
    "boolean": _boolean,
    "dateTime": _date_time,
    "base64Binary": _bytes,
}


def _enumeration(out: list[str], value: Enumeration) -> None:
    out.append(str(value.value))


def _flags(of: EnumType) -> Writer:
    order = list(of.cls)

    def write(out: list[str], value: frozenset[Enumeration]) -> None:
        out.append(" ".join(str(member.value) for member in order if member in value))

    return write


# --- values of several parts ----------------------------------------------------------------------


def _array(style: Style, of: ArrayType) -> Writer:
    item = writer(style, of.namespace, of.item.name, of.item)

    def write(out: list[str], value: list[object]) -> None:
        for one in value:
            item(out, one)

    return write


def _dictionary(style: Style, of: DictionaryType) -> Writer:
    tag = style.name(of.namespace, of.item_name)
    start, end = f"<{tag}>", f"</{tag}>"
    key_writer = writer(style, of.namespace, "Key", STRING)
    value_writer = writer(style, of.namespace, "Value", of.value)

    def write(out: list[str], value: dict[str, object]) -> None:
        for key, held in value.items():
            out.append(start)
            key_writer(out, key)
            value_writer(out, held)
            out.append(end)

    return write


def _complex(style: Style, of: ComplexType) -> Writer:
    inherited = frozenset(one.attribute for one in of.base.fields) if of.base else frozenset()
    fields = [
        (
            one.attribute,
            writer(style, of.namespace, one.name, one.type),
            style.typed and one.attribute in inherited,
        )
        for one in of.fields
    ]

    def write(out: list[str], value: object) -> None:
        for attribute, write_field, may_be_left_out in fields:
            held = getattr(value, attribute)
            if held is not None or not may_be_left_out:
                write_field(out, held)

    return write
