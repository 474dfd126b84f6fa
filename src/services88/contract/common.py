"""Carriers that both agents share."""

from typing import Annotated

from services88.contract.enumerations import EFieldRight, ETableRight
from services88.contract.model import Complex, Dictionary, carrier


@carrier
class TableRight(Complex):
    """Rights on a row, and why they are what they are."""

    mask: frozenset[ETableRight] = frozenset()
    reason: str | None = None


@carrier
class FieldRight(Complex):
    """Rights on a field, and why they are what they are."""

    mask: frozenset[EFieldRight] = frozenset()
    reason: str | None = None


@carrier
class FieldProperty(Complex):
    """Rights on a field, its type and its length."""

    field_right: FieldRight | None = None
    field_type: str | None = None
    field_length: int = 0


FieldPropertyDictionary = Annotated[
    dict[str, FieldProperty | None] | None,
    Dictionary("FieldPropertyDictionary", item="FieldPropertyDictionaryKeyValuePair"),
]
"""Field name to its rights."""


@carrier
class Carrier(Complex):
    """What most carriers begin with: rights on the row and on its fields."""

    table_right: TableRight | None = None
    field_properties: FieldPropertyDictionary = None
