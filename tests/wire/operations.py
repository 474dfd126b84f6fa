"""All operations, the ways to call them, and what the contract says of their answers."""

from collections.abc import Iterator

import pytest
from lxml import etree

from services88.contract import AGENTS
from services88.contract import namespaces as ns
from services88.contract.model import Agent
from tests.running import S11, S12

EVERY = [
    pytest.param(agent, operation, id=f"{agent.name}.{operation.name}")
    for agent in AGENTS.values()
    for operation in agent.operations.values()
]
MEDIA = {S11: "text/xml; charset=utf-8", S12: "application/soap+xml; charset=utf-8"}
HEADERS = ["ExceptionInfo", "ExtraInfo", "Succeeded", "TimeZone"]

TYPE = f"{{{ns.XML_SCHEMA_INSTANCE}}}type"
NIL = f"{{{ns.XML_SCHEMA_INSTANCE}}}nil"
TNS = f"{{{ns.SERVICES88}}}"


def documented(agent: Agent, body: str, header: str = "", soap: str = S12) -> str:
    """Write an envelope as the documented samples have it: header blocks beside the Body."""
    prefix = agent.prefixes[ns.SERVICES88]
    return (
        f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{soap}" xmlns:xsi="{ns.XML_SCHEMA_INSTANCE}" '
        f'xmlns:xsd="{ns.XML_SCHEMA}" xmlns:{prefix}="{ns.SERVICES88}">'
        f"<{prefix}:ApplicationToken>1234567-1234-9876</{prefix}:ApplicationToken>{header}"
        f"<SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )


def documented_credentials(agent: Agent, ticket: str) -> str:
    """Write the Credentials block with the documented prefix."""
    prefix = agent.prefixes[ns.SERVICES88]
    inside = f"<{prefix}:Ticket>{ticket}</{prefix}:Ticket>"
    return f"<{prefix}:Credentials>{inside}</{prefix}:Credentials>"


def parts(content: bytes) -> tuple[list[etree._Element], etree._Element]:
    """Give the header blocks and the Body's one element of an answer."""
    root = etree.fromstring(content)
    header, body = root
    (wrapper,) = body
    return list(header), wrapper


def names(elements: Iterator[etree._Element] | list[etree._Element]) -> list[str]:
    return [etree.QName(element).localname for element in elements]
