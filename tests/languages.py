"""Running code in other languages with the tools that are here."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from interop import node_client
from tests.programs import own_environment

__all__ = ["csharp", "found", "java", "node", "php", "ran"]


def found(*programs: str) -> None:
    """Skip the test where a program is not here."""
    absent = [one for one in programs if shutil.which(one) is None]
    if absent:
        pytest.skip(f"{', '.join(absent)} not installed")


def ran(folder: Path, *command: str, **environment: str) -> str:
    """Run a command that must succeed, and give what it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=own_environment(**environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def php(folder: Path, code: str, **environment: str) -> str:
    found("php")
    if "soap" not in ran(folder, "php", "-m").lower().split():
        pytest.skip("PHP's ext/soap is not here (interop/install-debian installs it)")
    (folder / "test.php").write_text(code)
    return ran(folder, "php", "test.php", **environment)


def node(folder: Path, name: str, code: str, *options: str, **environment: str) -> str:
    """Run a module of JavaScript that finds the package soap."""
    node_client.install()
    (folder / "node_modules").symlink_to(node_client.FOLDER / "node_modules")
    (folder / name).write_text(code)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    program = shutil.which("node", path=path)
    assert program is not None
    return ran(folder, program, *options, name, **environment)


def csharp(folder: Path, *sources: str, **environment: str) -> str:
    """Compile with Mono, and run."""
    found("mcs", "mono")
    names = [f"{number}.cs" for number in range(len(sources))]
    for name, source in zip(names, sources, strict=True):
        (folder / name).write_text(source)
    ran(folder, "mcs", "-r:System.Net.Http,System.Xml.Linq", "-out:a.exe", *names)
    return ran(folder, "mono", "a.exe", **environment)


def java(folder: Path, code: str) -> str:
    """Run a program of one file, whose class is Program."""
    found("java")
    (folder / "Program.java").write_text(code)
    return ran(folder, "java", "Program.java")
