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


def _posted(agent: Agent, operation: Operation) -> str:
    return envelopes(agent, operation)[0].request.strip()


def _csharp(agent: Agent, operation: Operation, url: str) -> str:
    """Write it with HttpClient: how a generated client looks depends on the generator."""
    envelope = _posted(agent, operation).replace('"', '""')
    if agent.needs_ticket:
        envelope = envelope.replace(EXAMPLE_TICKET, '" + ticket + @"')
    return (
        "using System.Net.Http;\nusing System.Text;\n\n"
        "// What you put into the text must be escaped: SecurityElement.Escape(password)\n"
        f'var envelope = @"{envelope}";\n'
        'var content = new StringContent(envelope, Encoding.UTF8, "text/xml");\n'
        f'content.Headers.Add("SOAPAction", "\\"{operation.action}\\"");\n'
        f'var reply = await new HttpClient().PostAsync("{url}", content);\n'
        "var answer = await reply.Content.ReadAsStringAsync();\n"
    )


def _java(agent: Agent, operation: Operation, url: str) -> str:
    """Write it with what every JDK from 15 on has; it has no generator of its own."""
    envelope = _posted(agent, operation).replace("\\", "\\\\").replace('"""', '\\"""')
    filled = ""
    if agent.needs_ticket:
        envelope = envelope.replace("%", "%%").replace(EXAMPLE_TICKET, "%s")
        filled = ".formatted(ticket)"
    return (
        "import java.net.URI;\nimport java.net.http.*;\n\n"
        "// What you put into the text must be escaped: & as &amp; and < as &lt;\n"
        f'var envelope = """\n{envelope}\n"""{filled};\n'
        f'var request = HttpRequest.newBuilder(URI.create("{url}"))\n'
        '    .header("Content-Type", "text/xml; charset=utf-8")\n'
        f'    .header("SOAPAction", "\\"{operation.action}\\"")\n'
        "    .POST(HttpRequest.BodyPublishers.ofString(envelope)).build();\n"
        "var answer = HttpClient.newHttpClient()\n"
        "    .send(request, HttpResponse.BodyHandlers.ofString()).body();\n"
    )
