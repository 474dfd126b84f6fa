"""What the documentation says is true: its examples run, its lists are complete."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from interop.stacks import STACKS
from services88.agents.call import IMPLEMENTATIONS
from services88.contract import AGENTS
from services88.settings import Settings
from tests.docs.rights import PAGE, written

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
_BLOCK = re.compile(r"<!-- test: transcript -->\n```sh\n(.*?)```", re.DOTALL)


@contextmanager
def _sandbox() -> Iterator[str]:
    """Run a sandbox on a free port and give the address of its services."""
    program = [sys.executable, "-m", "services88", "sandbox", "--port", "0"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                found = re.search(rb"(http://127\.0\.0\.1:\d+/Remote/Services88)/User\.svc", line)
                if found:
                    yield found[1].decode()
                    return
            raise AssertionError("the sandbox said no address")
        finally:
            process.terminate()
            process.stdout.read()


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_transcript_in_the_readme_works() -> None:
    blocks = _BLOCK.findall(README)
    assert len(blocks) == 2
    with _sandbox() as folder:
        script = "\n".join(blocks).replace("http://127.0.0.1:8088/Remote/Services88", folder)
        assert folder in script
        done = subprocess.run(["bash", "-euc", script], capture_output=True, check=True, timeout=60)
    assert b"<Response>true</Response>" in done.stdout


def test_every_setting_is_documented() -> None:
    serving = (ROOT / "docs" / "serving.md").read_text()
    missing = [
        name for name in Settings.model_fields if f"`SERVICES88_{name.upper()}`" not in serving
    ]
    assert missing == []


def test_every_operation_with_behaviour_is_in_the_readme() -> None:
    able = {
        operation.name
        for agent in AGENTS.values()
        for operation in agent.operations.values()
        if operation.declared in IMPLEMENTATIONS
    }
    (row,) = re.findall(r"\| Operations with behaviour \|(.*)\|", README)
    assert set(re.findall(r"`(\w+)`", row)) == able


def test_the_table_of_rights_is_that_of_the_declarations() -> None:
    page = PAGE.read_text()
    assert page == written(page), "python -m tests.docs.rights writes it"


def test_the_table_of_clients_has_the_stacks_of_interop() -> None:
    table = README.partition("<!-- interop:begin -->")[2].partition("<!-- interop:end -->")[0]
    rows = [row.split("|")[1:-1] for row in table.strip().splitlines()[2:]]
    assert [row[0].strip() for row in rows] == list(STACKS)
    assert {cell.strip() for row in rows for cell in row[1:]} == {"passed"}
    notes = (ROOT / "docs" / "clients.md").read_text()
    assert [name for name in STACKS if f"## {name}" not in notes] == []


def test_the_map_names_every_folder() -> None:
    architecture = (ROOT / "docs" / "architecture.md").read_text()
    folders = [
        path.parent.relative_to(ROOT / "src" / "services88")
        for path in (ROOT / "src" / "services88").rglob("__init__.py")
    ]
    assert [str(one) for one in folders if one.name and f"{one.name}/" not in architecture] == []


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
