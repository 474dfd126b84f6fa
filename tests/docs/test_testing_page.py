"""What docs/testing.md shows is run as it stands, wherever the tool for it is here."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from interop import node_client
from services88.sandbox.near_misses import miss
from services88.sandbox.seeds import load_seed
from services88.testing import SandboxServer
from tests.programs import own_environment

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "testing.md").read_text()
_BLOCK = re.compile(r"<!-- test: (\w+)(?: (\S+))? -->\n```\w+\n(.*?)```", re.DOTALL)
BLOCKS = _BLOCK.findall(PAGE)


def _one(kind: str) -> str:
    (text,) = (text for found, _, text in BLOCKS if found == kind)
    return str(text)


def test_python(tmp_path: Path) -> None:
    files = [(name, text) for kind, name, text in BLOCKS if kind == "python"]
    assert [name for name, _ in files] == [
        "portal.py",
        "test_portal.py",
        "test_powers.py",
        "test_others.py",
    ]
    for name, text in files:
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=own_environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert "11 passed" in done.stdout, done.stdout


@pytest.fixture
def environment(services88_server: SandboxServer) -> dict[str, str]:
    """What tells a test in another language where the sandbox is."""
    return own_environment(SERVICES88_SANDBOX=services88_server.url)


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_node(tmp_path: Path, environment: dict[str, str]) -> None:
    node_client.install()
    (tmp_path / "node_modules").symlink_to(node_client.FOLDER / "node_modules")
    (tmp_path / "portal.test.mjs").write_text(_one("node"))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    node = shutil.which("node", path=path)
    assert node is not None
    said = _run([node, "--test", "portal.test.mjs"], tmp_path, environment)
    assert re.search(r"pass 1\b", said)


def test_php(tmp_path: Path, environment: dict[str, str]) -> None:
    php = shutil.which("php")
    if php is None or "soap" not in _run([php, "-m"], tmp_path, environment).lower().split():
        pytest.skip("PHP with ext/soap is not here (interop/install-debian installs it)")
    (tmp_path / "test.php").write_text(_one("php"))
    assert _run([php, "test.php"], tmp_path, environment).endswith("ok\n")


def test_shell(
    tmp_path: Path, services88_server: SandboxServer, environment: dict[str, str]
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not here")
    script = _one("shell").replace("http://127.0.0.1:8088", services88_server.url)
    said = _run(["bash", "-euc", script], tmp_path, environment)
    assert '"name":"test-1"' in said


def test_the_seed(tmp_path: Path) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text(_one("seed"))
    (tenant,) = load_seed(file).tenants
    assert [user.name for user in tenant.users] == ["ADA", "JANE"]


def test_every_code_of_a_near_miss_is_on_the_page() -> None:
    assert miss.__doc__
    folder = ROOT / "src" / "services88" / "sandbox"
    code = "".join(file.read_text() for file in folder.glob("*.py"))
    codes = set(re.findall(r"miss\(\s*\"([a-z0-9-]+)\"", code))
    assert len(codes) > 30
    table = PAGE[PAGE.index("| code | for example |") :]
    assert codes == set(re.findall(r"`([a-z0-9]+-[a-z0-9-]+|method|value)`", table))
