"""The OpenAPI description of the admin API, from its declaration."""

import re
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services88 import __version__
from services88.sandbox.api.declaring import Endpoint
from services88.sandbox.api.endpoints import ENDPOINTS, ExchangeOut
from services88.sandbox.guard import PREFIX

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
    """Give the description, OpenAPI 3.1."""
    refs, definitions = models_json_schema(
        [
            *((one.body, "validation") for one in ENDPOINTS if one.body is not None),
            *((one.answer, "serialization") for one in ENDPOINTS if one.answer is not None),
        ],
        ref_template=_TEMPLATE,
    )
    schemas = {**definitions.get("$defs", {}), "Error": _ERROR}
    paths: dict[str, dict[str, Any]] = {}
    for one in ENDPOINTS:
        operation = _operation(one, refs)
        paths.setdefault(PREFIX + one.path, {})[one.method.lower()] = operation
    paths[f"{PREFIX}/events"] = {"get": _events(refs)}
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


def _operation(endpoint: Endpoint, refs: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": endpoint.name, "summary": endpoint.summary}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", endpoint.path)
    ]
    if endpoint.query is not None:
        parameters += _query(endpoint.query)
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        required = bool(endpoint.body.model_json_schema().get("required"))
        schema = refs[endpoint.body, "validation"]
        operation["requestBody"] = {
            "required": required,
            "content": {"application/json": {"schema": schema}},
        }
    success: dict[str, Any] = {"description": "Done."}
    if endpoint.answer is not None:
        schema = refs[endpoint.answer, "serialization"]
        if endpoint.several:
            schema = {"type": "array", "items": schema}
        success = {
            "description": (endpoint.answer.__doc__ or "Done.").partition("\n")[0],
            "content": {"application/json": {"schema": schema}},
        }
    operation["responses"] = {str(endpoint.status): success} | {
        str(status): {
            "description": text,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
        for status, text in sorted({**_EVERYWHERE, **endpoint.also}.items())
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


def _events(refs: dict[Any, Any]) -> dict[str, Any]:
    return {
        "operationId": "events",
        "summary": "Follow the exchanges from now on, as server-sent events",
        "description": "An event called exchange has an "
        f"{refs[ExchangeOut, 'serialization']['$ref'].rpartition('/')[2]} as its data. One called "
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
