"""The vendor's published material: oracles only, read from beside the project."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from lxml import etree

from services88.contract import namespaces as ns

_XS = f"{{{ns.XML_SCHEMA}}}"

FOLDER = Path(
    os.environ.get("SERVICES88_REFERENCE", Path(__file__).resolve().parents[2] / "shared")
)

needs_reference = pytest.mark.skipif(
    not (FOLDER / "reference").is_dir(),
    reason="the vendor's reference material is not here (set SERVICES88_REFERENCE to its folder)",
)


def wsdl_path(agent: str) -> Path:
    """Where the vendor's Services88 WSDL of an agent lies."""
    return FOLDER / "reference" / f"Services88-{agent}.wsdl"


def sample(agent: str, operation: str, kind: str) -> bytes:
    """Read a documented envelope; ``kind`` is request or response."""
    path = FOLDER / "reference" / "samples" / agent / f"{operation}.{kind}.xml"
    return path.read_bytes()


def schema_of(wsdl: bytes) -> etree.XMLSchema:
    """Make one schema of all those that a WSDL embeds.

    Their imports name no location, so each is written to a file that the others can name.
    """
    schemas = etree.fromstring(wsdl).findall(f".//{_XS}schema")
    with TemporaryDirectory() as folder:
        paths = {
            str(schema.get("targetNamespace")): Path(folder) / f"{number}.xsd"
            for number, schema in enumerate(schemas)
        }
        for schema in schemas:
            for imported in schema.iter(f"{_XS}import"):
                imported.set("schemaLocation", paths[str(imported.get("namespace"))].as_uri())
            paths[str(schema.get("targetNamespace"))].write_bytes(etree.tostring(schema))
        return etree.XMLSchema(file=str(paths[ns.SERVICES88]))


def problems(schema: etree.XMLSchema, element: etree._Element) -> list[str]:
    """List what a schema finds wrong with an element, taken as a document of its own."""
    alone = etree.fromstring(etree.tostring(element, with_tail=False))
    schema.validate(alone)
    return [str(error.message) for error in schema.error_log]
