# ruff: noqa: ARG005
"""Messages for every operation, built from the contract: valid ones, and spoilt ones."""

from collections.abc import Callable
from datetime import datetime

from hypothesis import strategies as st

from services88.contract import AGENTS
from services88.contract import namespaces as ns
from services88.contract.model import (
    Agent,
    ArrayType,
    ComplexType,
    DictionaryType,
    EnumType,
    Operation,
    SimpleType,
    Type,
)
from services88.soap.writing import Style, writer
from tests.running import S11, S12, credentials, envelope

_STYLE = Style(((ns.SERVICES88, ""), (ns.ARRAYS, "a"), (ns.CRYPTOGRAPHY, "c")))
_PREFIXES = f'xmlns:a="{ns.ARRAYS}" xmlns:c="{ns.CRYPTOGRAPHY}"'
OPERATIONS = [(agent, one) for agent in AGENTS.values() for one in agent.operations.values()]

_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=8
)
_SIMPLE: dict[str, st.SearchStrategy[object]] = {
    "string": st.none() | _TEXT,
    "int": st.integers(-(2**31), 2**31 - 1),
    "short": st.integers(-(2**15), 2**15 - 1),
    "boolean": st.booleans(),
    "dateTime": st.datetimes(datetime(1, 1, 1), datetime(9999, 1, 1)).map(
        lambda one: one.replace(microsecond=0)
    ),
    "base64Binary": st.none() | st.binary(max_size=6),
}


def values(of: Type, depth: int = 0) -> st.SearchStrategy[object]:
    """Values of a type."""
    if depth > 3 and of.nillable:
        return st.none()
    match of:
        case SimpleType():
            return _SIMPLE[of.name]
        case EnumType():
            members = st.sampled_from(list(of.cls))
            return st.frozensets(members) if of.flags else members
        case ArrayType():
            return st.none() | st.lists(values(of.item, depth + 1), max_size=2)
        case DictionaryType():
            return st.none() | st.dictionaries(_TEXT, values(of.value, depth + 1), max_size=2)
        case ComplexType():
            made = st.deferred(
                lambda: st.fixed_dictionaries(
                    {one.attribute: values(one.type, depth + 1) for one in of.fields}
                ).map(lambda fields: of.cls(**fields))
            )
            return st.none() | made if of.nillable else made
    raise TypeError(of)


@st.composite
def calls(draw: st.DrawFn) -> tuple[Agent, Operation, dict[str, object], str]:
    """Draw an operation, its arguments, and a message that says so."""
    agent, operation = draw(st.sampled_from(OPERATIONS))
    out: list[str] = []
    arguments: dict[str, object] = {}
    for field in operation.request:
        arguments[field.attribute] = value = draw(values(field.type))
        writer(_STYLE, ns.SERVICES88, field.name, field.type)(out, value)
    name = operation.name
    body = f"<{name} {_PREFIXES}>{''.join(out)}</{name}>"
    soap = draw(st.sampled_from([S11, S12]))
    text = envelope(body, credentials("7T:none"), soap)
    if draw(st.booleans()):  # as documented: the blocks stand directly under Envelope
        text = text.replace("<s:Header>", "").replace("</s:Header>", "")
    return agent, operation, arguments, text


# Each takes the text and two places in it, whether it needs them or not.
_SPOILS: list[Callable[[str, int, int], str]] = [
    lambda text, i, j: text[:i],
    lambda text, i, j: text[: min(i, j)] + text[max(i, j) :],
    lambda text, i, j: text[: max(i, j)] + text[min(i, j) :],
    lambda text, i, j: text.replace(ns.SERVICES88, "urn:another", 1 + j % 2),
    lambda text, i, j: text[:i] + "<x/>" + text[i:],
    lambda text, i, j: text[:i] + "\0" + text[i:],
    lambda text, i, j: text[:i] + "&#x9;<![CDATA[<]]>" + text[i:],
    lambda text, i, j: text.replace(">", ' xsi:nil="true">', 1 + j % 20),
    lambda text, i, j: text.replace("true", "2").replace("0", "x", 1 + j % 5),
]


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[Agent, bytes]:
    """Draw a message that was valid before it was spoilt once to three times."""
    agent, _, _, text = draw(calls())
    for _ in range(draw(st.integers(1, 3))):
        at = st.integers(0, len(text))
        if draw(st.booleans()):
            text = draw(st.sampled_from(_SPOILS))(text, draw(at), draw(at))
        else:  # double, drop, or swap whole elements
            parts = text.replace("<", "\n<").split("\n")
            one, other = (draw(st.integers(0, len(parts) - 1)) for _ in range(2))
            parts[one], parts[other] = parts[other], parts[one] if draw(st.booleans()) else ""
            text = "".join(parts)
    encoded = text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-16"])))
    return agent, encoded
