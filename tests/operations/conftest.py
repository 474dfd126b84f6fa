"""Certificates, and folders without settings of anybody's."""

import os
from pathlib import Path

import pytest
import trustme


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one."""
    for name in [name for name in os.environ if name.upper().startswith("SERVICES88_")]:
        if name != "SERVICES88_REFERENCE":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()
