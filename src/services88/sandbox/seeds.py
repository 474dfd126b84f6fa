"""Seed files: tenants with users, tokens, policy, clock and faults, loaded at start.

A seed file holds the same values as the admin API takes, in YAML (JSON is YAML too).
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator

from services88.identity.errors import BadInput
from services88.identity.names import key_of
from services88.sandbox.controls import TenantIn, add_tenant, begin_with
from services88.sandbox.models import Model
from services88.sandbox.worlds import Sandbox

__all__ = ["Seed", "load_seed", "plant", "seed_schema"]


_QUOTED = re.compile(r"""(['"]).{2,}\1""", re.DOTALL)
"""Names of aliases and tags, which may be a password without its quotes."""


class Seed(Model):
    """A seed file."""

    tenants: list[TenantIn] = Field(
        min_length=1,
        description="The tenant default is there already, and given what is said of it.",
    )

    @field_validator("tenants")
    @classmethod
    def _each_once(cls, tenants: list[TenantIn]) -> list[TenantIn]:
        """Of two, the second would be added to the first without a word."""
        named: dict[str, str] = {}
        for one in tenants:
            key = key_of(one.name)
            if key in named:
                raise ValueError(f"{one.name} and {named[key]} are the same tenant; name it once")
            named[key] = one.name
        return tenants


def seed_schema() -> dict[str, Any]:
    """Give the JSON Schema of seed files."""
    schema = Seed.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "services88 seed file",
        "properties": {"$schema": {"type": "string"}, **schema["properties"]},
    }


def load_seed(file: Path) -> Seed:
    """Read a seed file.

    :raises BadInput: It is not there, no YAML, or holds what no seed has; the error names line and
        field, and no value, which may be a password.
    """
    import yaml  # who plants no seed need not wait for it

    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The seed file {file} cannot be read: {error}.") from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        quoted = _QUOTED.sub("what stands there", problem)
        if quoted != problem:
            quoted += "; a text that begins with * or ! needs quotes"
        raise BadInput(f"The seed file {file} is no YAML{where}: {quoted}.") from None
    twice = _given_twice(node)
    if twice is not None:
        raise BadInput(
            f"The seed file {file} cannot be used:\n"
            f"  line {twice.start_mark.line + 1}: {twice.value} is given twice.\n"
            "Give it once; of two, YAML would take the second without a word."
        )
    if isinstance(content, dict):
        content.pop("$schema", None)  # editors look there for our schema
    try:
        return Seed.model_validate(content)
    except ValidationError as error:
        said = "\n".join(
            f"  line {_line(node, one['loc'])}: "
            f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise BadInput(
            f"The seed file {file} cannot be used:\n{said}\n"
            "`services88 sandbox --seed-schema` prints what it may hold."
        ) from None


def _given_twice(root: Any) -> Any:
    """Find a key that its mapping has already."""
    seen: set[int] = set()  # anchors can make a node its own part
    left = [root]
    while left:
        node = left.pop()
        value = getattr(node, "value", None)
        if not isinstance(value, list) or id(node) in seen:
            continue
        seen.add(id(node))
        keys: set[str] = set()
        for part in value:
            if not isinstance(part, tuple):
                left.append(part)
                continue
            key, inner = part
            left.append(inner)
            if isinstance(key.value, str):
                if key.value in keys:
                    return key
                keys.add(key.value)
    return None


def _line(node: Any, path: Sequence[int | str]) -> int:
    """Find the line of the deepest part of a path that is in the file."""
    line = node.start_mark.line if node is not None else 0
    for part in path:
        value = getattr(node, "value", None)
        if isinstance(part, int) and isinstance(value, list) and part < len(value):
            node = value[part]
        elif isinstance(part, str) and isinstance(value, list):
            pairs = [pair for pair in value if isinstance(pair, tuple) and pair[0].value == part]
            if not pairs:
                continue  # pydantic names the kind of a union's member too; or it is missing
            line = pairs[0][0].start_mark.line
            node = pairs[0][1]
            continue
        else:
            continue
        line = node.start_mark.line
    return int(line) + 1


async def plant(sandbox: Sandbox, seed: Seed) -> None:
    """Make what a seed says.

    :raises BadInput: Something of it is not possible; the error names the tenant.
    """
    for wanted in seed.tenants:
        try:
            world = await sandbox.world(wanted.name)
            if world is None:
                await add_tenant(sandbox, wanted)
            elif wanted.company:
                raise BadInput("The tenant is there already, and has a company.")
            else:
                await begin_with(sandbox, world, wanted)
        except BadInput as error:
            raise BadInput(f"The seed cannot be loaded. Tenant {wanted.name}: {error}") from None
