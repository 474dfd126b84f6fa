"""What is in ``deploy/`` is right, as far as its own tools can say."""

import json
import re
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from tests.programs import finished, own_environment, serving

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
BIN = Path(sys.executable).parent


def _ends_well(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=own_environment(**environment),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_dockerfile_passes_its_linter() -> None:
    _ends_well(BIN / "hadolint", DEPLOY / "Dockerfile")


def test_what_the_dockerfile_copies_is_there_and_not_ignored() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    copied = re.findall(
        r"^COPY (?:--chmod=\S+ )?([^-].*) \S+$", (DEPLOY / "Dockerfile").read_text(), re.M
    )
    for name in " ".join(copied).split():
        assert (DEPLOY.parent / name).exists(), name
        assert f"!{name}" in ignored or f"!{name.partition('/')[0]}" in ignored, name


def test_the_compose_file_follows_its_schema() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    _ends_well(BIN / "check-jsonschema", *schema, DEPLOY / "compose.yaml")


def test_the_health_check_of_the_container(folder: Path, authority: trustme.CA) -> None:
    certificate = authority.issue_cert("crm.example.com")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "both.pem"))
    (folder / "both.pem").chmod(0o600)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    trusting.check_hostname = False
    files = ("--tls-certificate", "both.pem", "--tls-key", "both.pem")
    script = DEPLOY / "health.py"
    with serving(folder=folder) as server:
        port = str(server.port)
        assert _ends_well(sys.executable, script, SERVICES88_PORT=port) == "ready\n"
    gone = subprocess.run(
        [sys.executable, script], env=own_environment(SERVICES88_PORT=port), check=False
    )
    assert gone.returncode == 1
    with serving(*files, folder=folder, tls=trusting) as server:
        secure = {"SERVICES88_PORT": str(server.port), "SERVICES88_TLS_CERTIFICATE": "both.pem"}
        assert _ends_well(sys.executable, script, **secure) == "ready\n"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_the_unit_is_right_and_hardened(folder: Path) -> None:
    unit = folder / "services88.service"
    text = (DEPLOY / "services88.service").read_text()
    unit.write_text(text.replace("/opt/services88/bin/services88", str(BIN / "services88")))
    _ends_well("systemd-analyze", "verify", unit)
    _ends_well("systemd-analyze", "security", "--offline=true", "--threshold=15", unit)


@pytest.mark.skipif(not shutil.which("nginx"), reason="there is no nginx")
def test_the_nginx_example_is_right(folder: Path, authority: trustme.CA) -> None:
    both = folder / "both.pem"
    authority.issue_cert("crm.example.com").private_key_and_cert_chain_pem.write_to_path(str(both))
    text = (DEPLOY / "nginx.conf").read_text()
    text = re.sub(r"/etc/ssl/services88/\w+\.pem", str(both), text)
    text = text.replace("/var/log/nginx/", f"{folder}/")
    whole = folder / "whole.conf"
    whole.write_text(f"pid {folder}/pid;\nevents {{}}\nhttp {{\n{text}\n}}\n")
    _ends_well("nginx", "-t", "-c", whole, "-e", folder / "error.log")


def _commands(page: str) -> list[str]:
    text = (DEPLOY.parent / "docs" / page).read_text()
    blocks = re.findall(r"<!-- test: commands -->\n```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def test_the_commands_of_the_guide_work(folder: Path) -> None:
    commands = _commands("deploy.md")
    assert len(commands) >= 5
    added = finished(
        "user", "add", "JANE", "--password-stdin", folder=folder, stdin="vellum orbit quartz\n"
    )
    assert added.returncode == 0, added.stderr
    path = f"{BIN}:{own_environment()['PATH']}"
    _ends_well("bash", "-euc", "\n".join(commands), PATH=path)


def test_the_metrics_that_the_guide_names_exist() -> None:
    text = (DEPLOY.parent / "docs" / "deploy.md").read_text()
    source = (DEPLOY.parent / "src/services88/web/metrics.py").read_text()
    named = set(re.findall(r"`(services88_\w+)`", text))
    assert len(named) > 8
    made = set(json.loads("[" + ",".join(re.findall(r'"services88_\w+"', source)) + "]"))
    assert {name.removesuffix("_total") for name in named} == made
