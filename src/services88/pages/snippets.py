"""A call of an operation in the languages that clients are written in, ready to run."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from services88.contract.model import (
    Agent,
    ArrayType,
    ComplexType,
    DictionaryType,
    EnumType,
    Field,
    Operation,
    Type,
)
from services88.pages.describing import EXAMPLE_TICKET, arguments_of, envelopes

__all__ = ["Snippet", "snippets"]


@dataclass(frozen=True, slots=True)
class Snippet:
    """Code in one language."""

    language: str
    name: str
    code: str


def snippets(agent: Agent, operation: Operation, url: str) -> list[Snippet]:
    """Write the call in each language.

    :param url: Address of the service.
    """
    values = {
        field.name: _structure(field.type, arguments_of(operation)[field.attribute])
        for field in operation.request
    }
    return [
        Snippet("curl", "curl", _curl(agent, operation, url)),
        Snippet("python", "Python (zeep)", _zeep(agent, operation, url, values)),
        Snippet("php", "PHP", _php(agent, operation, url, values)),
        Snippet("csharp", "C#", _csharp(agent, operation, url)),
        Snippet("node", "Node (soap)", _node(agent, operation, url, values)),
        Snippet("java", "Java", _java(agent, operation, url)),
    ]


def _structure(of: Type, value: object) -> Any:
    """Give a contract value as the WSDL lays it out: text, numbers, lists, and wire names."""
    match of, value:
        case ArrayType(item=item), list():
            return {item.name: [_structure(item, one) for one in value]}
        case DictionaryType(), dict():
            pairs = [{"Key": key, "Value": _structure(of.value, one)} for key, one in value.items()]
            return {of.item_name: pairs}
        case ComplexType(), value if value is not None:
            return {
                field.name: _structure(field.type, getattr(value, field.attribute))
                for field in of.fields
                if getattr(value, field.attribute) not in (None, field.type.default)
            }
        case EnumType(flags=True), frozenset():
            return tuple(one.value for one in value)
        case _, Enum():
            return value.value
        case _, datetime():
            return value.isoformat()
        case _, bytes():
            return value.decode()
    return value


def _joined(value: Any) -> Any:
    """Write several names of an enumeration as the text that stands on the wire."""
    match value:
        case tuple():
            return " ".join(value)
        case list():
            return [_joined(one) for one in value]
        case dict():
            return {key: _joined(one) for key, one in value.items()}
    return value


def _curl(agent: Agent, operation: Operation, url: str) -> str:
    body = envelopes(agent, operation)[0].request.replace("'", "'\\''")
    if agent.needs_ticket:
        body = body.replace(EXAMPLE_TICKET, "'\"$TICKET\"'")
    return f"curl -s -H 'Content-Type: text/xml; charset=utf-8' {url} -d '\n{body}'"


def _zeep(agent: Agent, operation: Operation, url: str, values: dict[str, object]) -> str:
    lines = [f"    {name}={_indent(repr(value))}," for name, value in values.items()]
    if agent.needs_ticket:
        lines.append('    _soapheaders={"Credentials": {"Ticket": ticket}},')
    call = f"client.service.{operation.name}("
    inside = "\n" + "\n".join(lines) + "\n" if lines else ""
    return f'from zeep import Client\n\nclient = Client("{url}?wsdl")\nanswer = {call}{inside})\n'


def _indent(text: str) -> str:
    return text.replace("\n", "\n    ")


def _php(agent: Agent, operation: Operation, url: str, values: dict[str, object]) -> str:
    header = ""
    if agent.needs_ticket:
        header = (
            "$client->__setSoapHeaders(new SoapHeader(\n"
            "    'http://www.superoffice.net/ws/crm/NetServer/Services88',\n"
            "    'Credentials', ['Ticket' => $ticket]));\n"
        )
    return (
        f"<?php\n$client = new SoapClient('{url}?wsdl');\n{header}"
        f"$answer = $client->{operation.name}({_php_value(_joined(values))});\n"
    )


def _php_value(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        case list():
            return "[" + ", ".join(_php_value(one) for one in value) + "]"
        case dict():
            pairs = (f"{_php_value(key)} => {_php_value(one)}" for key, one in value.items())
            return "[" + ", ".join(pairs) + "]"
    raise TypeError(value)


def _node(agent: Agent, operation: Operation, url: str, values: dict[str, object]) -> str:
    header = ""
    if agent.needs_ticket:
        header = (
            "client.addSoapHeader(\n"
            "  { Credentials: { Ticket: ticket } }, '', 'tns',\n"
            "  'http://www.superoffice.net/ws/crm/NetServer/Services88');\n"
        )
    given = json.dumps(_joined(values), indent=2, ensure_ascii=False)
    return (
        "import * as soap from 'soap';\n\n"
        f"const client = await soap.createClientAsync('{url}?wsdl');\n{header}"
        f"const [answer] = await client.{operation.name}Async({given});\n"
    )


def _csharp(agent: Agent, operation: Operation, url: str) -> str:
    header = "new SoCredentials { Ticket = ticket }, " if agent.needs_ticket else ""
    arguments = ", ".join(_csharp_value(operation, field) for field in operation.request)
    return (
        f"// dotnet-svcutil {url}?wsdl\n"
        f"var client = new {agent.name}Client(\n"
        f'    new BasicHttpBinding(), new EndpointAddress("{url}"));\n'
        f"// The generated method takes the headers first, as your generator orders them.\n"
        f"var answer = await client.{operation.name}Async({header}{arguments});\n"
    )


def _csharp_value(operation: Operation, field: Field) -> str:
    value = arguments_of(operation)[field.attribute]
    match field.type:
        case EnumType(flags=True) if isinstance(value, frozenset):
            return " | ".join(f"{field.type.name}.{one.value}" for one in value)
        case EnumType(flags=False):
            return f"{field.type.name}.{getattr(value, 'value', '')}"
        case ComplexType():
            return f"new {field.type.name}()"
        case ArrayType(item=item) if isinstance(value, list):
            items = (_structure(item, one) for one in value)
            given = ", ".join(json.dumps(one) for one in items if not isinstance(one, dict))
            kind = {"string": "string", "int": "int"}.get(item.name, item.name)
            return f"new {kind}[] {{ {given} }}"
    single = _structure(field.type, value)
    return "null" if isinstance(single, dict | tuple) else json.dumps(single, ensure_ascii=False)


def _java(agent: Agent, operation: Operation, url: str) -> str:
    lines = []
    for field in operation.request:
        value = _structure(field.type, arguments_of(operation)[field.attribute])
        given = (
            json.dumps(value, ensure_ascii=False)
            if isinstance(value, str | int | bool)
            else f"new {field.type.name}()"
        )
        if isinstance(field.type, EnumType) and isinstance(value, str):
            given = f'{field.type.name}.fromValue("{value}")'
        lines.append(f"request.set{field.name}({given});\n")
    ticket = ""
    if agent.needs_ticket:
        ticket = "var credentials = new SoCredentials();\ncredentials.setTicket(ticket);\n"
    header = ", credentials" if agent.needs_ticket else ""
    return (
        f"// wsimport -keep {url}?wsdl\n"
        f"var port = new {agent.service}().getPort({agent.name}.class);\n"
        f"var request = new {operation.name}();\n{''.join(lines)}{ticket}"
        f"var answer = port.{operation.name[0].lower()}{operation.name[1:]}(request{header});\n"
    )
