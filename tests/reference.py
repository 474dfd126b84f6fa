"""The vendor's published material: oracles only, read from beside the project."""

import os
from pathlib import Path

import pytest

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
