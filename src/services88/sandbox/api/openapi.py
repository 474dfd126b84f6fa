"""The OpenAPI description of the admin API, from its declaration."""

import re
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from services88 import __version__
from services88.sandbox.controls import ENDPOINTS
from services88.sandbox.declaring import Control
from services88.sandbox.guard import PREFIX
from services88.sandbox.journal import Exchange

__all__ = ["description"]

_TEMPLATE = "#/components/schemas/{model}"
_ERROR = {
    "type": "object",
    "required": ["error", "remedy"],
    "properties": {
        "error": {"type": "string", "description": "What is wrong."},
        "remedy": {"type": "string", "description": "What to do."},
        "problems": {
            "type": "array",
            "description": "The fields that cannot be used.",
            "items": {
                "type": "object",
                "required": ["field", "problem"],
                "properties": {"field": {"type": "string"}, "problem": {"type": "string"}},
            },
        },
    },
}
_EVERYWHERE = {
    403: "The host name or the origin is not the sandbox's own.",
    404: "There is no such thing; the error says what.",
    415: "What changes something must be application/json.",
    422: "The request cannot be used; the error names each field.",
}


@cache
def description() -> dict[str, Any]:
    """Return the description, OpenAPI 3.1."""
    values: list[tuple[str, Literal["validation", "serialization"], TypeAdapter[Any]]] = [
        ("events", "serialization", TypeAdapter(Exchange))
    ]
    for one in ENDPOINTS:
        if one.body is not None and _sends_body(one):
            values.append((one.name, "validation", TypeAdapter(one.body)))
        if one.result is not None:
            values.append((one.name, "serialization", one.result))
    refs, definitions = TypeAdapter.json_schemas(
        values,
        ref_template=_TEMPLATE,
        schema_generator=_Names,
    )
    schemas = definitions["$defs"] | {"Error": _ERROR}
    paths: dict[str, dict[str, Any]] = {}
    for one in ENDPOINTS:
        operation = _operation(one, refs, schemas)
        paths.setdefault(PREFIX + one.path, {})[one.endpoint.method.lower()] = operation
    paths[f"{PREFIX}/events"] = {"get": _events(refs["events", "serialization"])}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "services88 sandbox",
            "version": __version__,
            "description": "Sets scenes, moves the clock, breaks calls and tells what was asked. "
            "For tests only: it asks for no password.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [],
        "paths": paths,
        "components": {"schemas": schemas},
    }


class _Names(GenerateJsonSchema):
    """Keeps the names that generated clients know."""

    def normalize_name(self, name: str) -> str:
        kept = {"Exchange": "ExchangeOut", "NearMiss": "NearMissOut"}
        return kept.get(name) or super().normalize_name(name)


def _sends_body(control: Control[..., Any]) -> bool:
    return control.body is not None and control.endpoint.method != "GET"


def _operation(
    control: Control[..., Any], refs: dict[Any, Any], schemas: dict[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": control.name,
        "summary": control.summary.removesuffix("."),
    }
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", control.path)
    ]
    if control.body is not None and not _sends_body(control):
        parameters += _query(control.body)
    if parameters:
        operation["parameters"] = parameters
    if control.body is not None and _sends_body(control):
        operation["requestBody"] = {
            "required": any(one.is_required() for one in control.body.model_fields.values()),
            "content": {"application/json": {"schema": refs[control.name, "validation"]}},
        }
    success: dict[str, Any] = {"description": "Done."}
    if control.result:
        schema = refs[control.name, "serialization"]
        shape = schemas[schema.get("items", schema)["$ref"].rpartition("/")[2]]
        success = {
            "description": shape["description"].partition("\n")[0],
            "content": {"application/json": {"schema": schema}},
        }
    operation["responses"] = {str(control.status): success} | {
        str(status): {
            "description": text,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
        for status, text in sorted({**_EVERYWHERE, **control.endpoint.also}.items())
    }
    return operation


def _query(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": shape.get("description", ""),
            "schema": {key: value for key, value in shape.items() if key != "description"},
        }
        for name, shape in schema["properties"].items()
    ]


def _events(exchange: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "events",
        "summary": "Follow the exchanges from now on, as server-sent events",
        "description": "An event called exchange has an "
        f"{exchange['$ref'].rpartition('/')[2]} as its data. One called "
        "cleared says that a journal was emptied, and names the tenant.",
        "parameters": [
            {
                "name": "tenant",
                "in": "query",
                "required": False,
                "description": "Of this tenant only.",
                "schema": {"type": "string"},
            }
        ],
        "responses": {"200": {"description": "Events.", "content": {"text/event-stream": {}}}},
    }
