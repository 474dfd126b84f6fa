"""Names of operations, as faults and the journal are asked for them."""

from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from services88.contract import AGENTS

__all__ = ["OperationName"]

_NAMES = tuple(sorted(name for agent in AGENTS.values() for name in agent.operations))


def _known(name: str) -> str:
    if name not in _NAMES:
        folded = {one.casefold(): one for one in _NAMES}
        close = get_close_matches(name.casefold(), folded, 1)
        meant = f"Did you mean {folded[close[0]]}?" if close else "The WSDL lists them."
        raise ValueError(f"there is no such operation. {meant}")
    return name


OperationName = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(_NAMES)})
]
"""One that the contract has: a misspelt one would silently fit no call."""
