"""Schemas that answers must be valid against: that of our own WSDL, and the vendor's."""

from typing import TypeAlias

import pytest
from lxml import etree

from services88.contract import AGENTS
from services88.soap.wsdl import wsdl
from tests.reference import needs_reference, schema_of, wsdl_path

Schemas: TypeAlias = dict[str, etree.XMLSchema]


@pytest.fixture(
    scope="session", params=["ours", pytest.param("the vendor's", marks=needs_reference)]
)
def schemas(request: pytest.FixtureRequest) -> Schemas:
    """One schema an agent."""
    return {
        name: schema_of(
            wsdl(agent, "http://localhost/")
            if request.param == "ours"
            else wsdl_path(name).read_bytes()
        )
        for name, agent in AGENTS.items()
    }
