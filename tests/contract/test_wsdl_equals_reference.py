"""Our generated WSDL says what the vendor's says, component by component."""

from collections import Counter
from collections.abc import Iterator

import pytest
from lxml import etree

from services88.contract import AGENTS
from services88.soap.wsdl import wsdl
from tests.reference import needs_reference, wsdl_path

pytestmark = needs_reference

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_XS = "{http://www.w3.org/2001/XMLSchema}"
_QNAMES = {"type", "base", "element", "message", "binding"}


def _canonical(element: etree._Element) -> str:
    """Write an element so that only what it says counts: prefixes resolved, attributes sorted."""

    def value(name: str, text: str) -> str:
        if name in _QNAMES and ":" in text:
            prefix, _, local = text.partition(":")
            return f"{{{element.nsmap[prefix]}}}{local}"
        return text

    attributes = " ".join(
        f"{name}={value(name, text)!r}" for name, text in sorted(_attributes(element))
    )
    children = "".join(_canonical(child) for child in element.iterchildren(etree.Element))
    return f"<{element.tag!s} {attributes}>{(element.text or '').strip()}{children}</>"


def _attributes(element: etree._Element) -> list[tuple[str, str]]:
    return [(str(name), str(text)) for name, text in element.attrib.items()]


def _components(document: bytes) -> Iterator[tuple[str, str]]:
    """Yield every component as (what it is, what it says)."""
    root = etree.fromstring(document)
    yield "definitions", f"{root.get('name')} {root.get('targetNamespace')}"
    for schema in root.iter(f"{_XS}schema"):
        target = schema.get("targetNamespace")
        yield f"schema {target}", repr(sorted(_attributes(schema)))
        for child in schema.iterchildren(etree.Element):
            yield f"{target} {child.tag!s} {child.get('name')}", _canonical(child)
    for tag in ("portType", "binding"):
        for owner in root.iter(f"{_WSDL}{tag}"):
            yield f"{tag} {owner.get('name')}", repr(sorted(_attributes(owner)))
            for child in owner.iterchildren(etree.Element):
                yield f"{tag} {child.tag!s} {child.get('name')}", _canonical(child)
    for tag in ("message", "service"):
        for child in root.iter(f"{_WSDL}{tag}"):
            yield f"{tag} {child.get('name')}", _canonical(child)


@pytest.mark.parametrize("agent", AGENTS)
def test_every_component_is_the_same(agent: str) -> None:
    theirs = wsdl_path(agent).read_bytes()
    (address,) = etree.fromstring(theirs).xpath("//*[local-name()='address']/@location")
    ours = wsdl(AGENTS[agent], str(address))

    difference = Counter(_components(ours))
    difference.subtract(Counter(_components(theirs)))

    assert [f"{count:+} {said}" for said, count in difference.items() if count] == []
    assert len(list(_components(theirs))) > 90


def test_the_comparison_notices_a_change() -> None:
    theirs = wsdl_path("User").read_bytes()
    for there, altered in (
        (b'name="OldPassword" nillable="true"', b'name="OldPassword"'),
        (b">127<", b">126<"),
        (b'part="TimeZone"', b'part="Succeeded"'),
        (b"ChangeOwnPasswordResponse_Headers", b"ChangeOwnPasswordResponse"),
    ):
        assert there in theirs
        changed = theirs.replace(there, altered, 1)
        assert Counter(_components(changed)) != Counter(_components(theirs))
