"""What docs/testing.md shows is run as it stands, wherever the tool for it is here."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services88 import testing
from services88.sandbox.near_misses import miss
from services88.sandbox.seeds import load_seed
from services88.testing import SandboxServer, Services88
from tests import languages
from tests.programs import own_environment

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "testing.md").read_text()
CLIENTS = Path(__file__).parent / "clients"
JAVA = Path("/usr/share/java")
JARS = (
    *("junit-jupiter-api", "junit-jupiter-engine", "junit-platform-commons"),
    *("junit-platform-console", "junit-platform-engine", "junit-platform-launcher"),
    *("junit-platform-reporting", "opentest4j", "apiguardian-api", "picocli"),
)
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
        "test_controls.py",
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
    assert "12 passed" in done.stdout, done.stdout


@pytest.fixture
def environment(services88_server: SandboxServer) -> dict[str, str]:
    """What tells a test in another language where the sandbox is."""
    return own_environment(SERVICES88_SANDBOX=services88_server.url)


def test_node(tmp_path: Path, environment: dict[str, str]) -> None:
    said = languages.node(tmp_path, "portal.test.mjs", _one("node"), "--test", **environment)
    assert re.search(r"pass 1\b", said)


def test_php(tmp_path: Path, environment: dict[str, str]) -> None:
    assert languages.php(tmp_path, _one("php"), **environment).endswith("ok\n")


def test_csharp(tmp_path: Path, environment: dict[str, str]) -> None:
    portal = (CLIENTS / "Portal.cs").read_text()
    stand_in = (CLIENTS / "Xunit.cs").read_text()
    assert languages.csharp(tmp_path, _one("csharp"), portal, stand_in, **environment) == "ok\n"


def test_java(tmp_path: Path, environment: dict[str, str]) -> None:
    languages.found("javac", "java")
    if not (JAVA / "junit-platform-console.jar").exists():
        pytest.skip("JUnit 5 is not here (Debian's package junit5)")
    (tmp_path / "PortalTest.java").write_text(_one("java"))
    portal = str(CLIENTS / "Portal.java")
    classpath = os.pathsep.join([".", *(f"{JAVA / name}.jar" for name in JARS)])
    languages.ran(
        tmp_path, "javac", "-proc:none", "-cp", classpath, "-d", ".", "PortalTest.java", portal
    )
    runner = "org.junit.platform.console.ConsoleLauncher"
    command = ("java", "-cp", classpath, runner, "--select-class", "PortalTest")
    said = languages.ran(tmp_path, *command, **environment)
    assert re.search(r"\b1 tests successful", said)


def test_shell(
    tmp_path: Path, services88_server: SandboxServer, environment: dict[str, str]
) -> None:
    languages.found("bash", "curl")
    script = _one("shell").replace("http://127.0.0.1:8088", services88_server.url)
    said = languages.ran(tmp_path, "bash", "-euc", script, **environment)
    assert '"name":"test-1"' in said


def test_the_seed(tmp_path: Path) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text(_one("seed"))
    (tenant,) = load_seed(file).tenants
    assert [user.model_dump()["name"] for user in tenant.users] == ["ADA", "JANE"]


def test_every_test_control_is_on_the_page() -> None:
    start = PAGE.index("| what | how |")
    table = PAGE[start : PAGE.index("\n\n", start)]
    public = {name for name in dir(Services88) if not name.startswith("_")}
    effects = {one for one in testing.__all__ if hasattr(getattr(testing, one), "model_fields")}
    assert set(re.findall(r"`(\w+)(?:\(\"\w+\"\))?`", table)) == public | effects


def test_every_code_of_a_near_miss_is_on_the_page() -> None:
    assert miss.__doc__
    folder = ROOT / "src" / "services88" / "sandbox"
    code = "".join(file.read_text() for file in folder.glob("*.py"))
    codes = set(re.findall(r"miss\(\s*\"([a-z0-9-]+)\"", code))
    assert len(codes) > 30
    table = PAGE[PAGE.index("| code | for example |") :]
    assert codes == set(re.findall(r"`([a-z0-9]+-[a-z0-9-]+|method|value)`", table))
