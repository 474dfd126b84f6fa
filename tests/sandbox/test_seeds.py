"""Seed files: what they say is there, and what is wrong with one is told by line and field."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from services88.identity.errors import BadInput
from services88.sandbox.seeds import load_seed, seed_schema
from tests.programs import program
from tests.running import sign_in
from tests.sandbox.posting import request

SEED = """\
# yaml-language-server: $schema=http://localhost:8088/__sandbox/seed-schema.json
tenants:
  - name: default
    users:
      - {name: ADA, password: "ada in the seed", role: Administrator}
  - name: acme
    company: Acme AS
    users:
      - name: JANE
        password: "jane's own"
      - name: GONE
        retired: true
    application_tokens:
      - {name: portal, token: a-token-of-ours}
    policy: {preset: vendor, preference: "min=8"}
    clock: {at: 2030-01-02T03:04:05Z, frozen: true}
    faults:
      - operation: ChangeOwnPassword
        effects: [{kind: busy, retry_after: 2}, {kind: works}]
"""


def test_a_seed_is_there_at_the_start_and_after_a_reset(tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text(SEED.replace(', preference: "min=8"', ""))
    with program("sandbox", "--port", "0", "--seed", "seed.yaml", folder=tmp_path) as running:
        found = running.wait_for(r"(http://[\d.]+:\d+)/acme/Remote/Services88\n")
        url = found[1]
        running.wait_for(r"Admin API: http://[\d.:]+/__sandbox/docs")
        told = json.loads(request(url, "GET", "/__sandbox/tenants").content)
        assert [one["name"] for one in told] == ["default", "acme"]
        assert [one["users"] for one in told] == [1, 2]
        assert told[1]["clock"] == {"now": "2030-01-02T03:04:05Z", "speed": 0.0, "frozen": True}
        xml = {"Content-Type": "text/xml; charset=utf-8"}
        for folder, name, password in (
            ("", "ADA", "ada in the seed"),
            ("/acme", "JANE", "jane's own"),
        ):
            path = f"{folder}/Remote/Services88/SoPrincipal.svc"
            reply = request(url, "POST", path, sign_in(name, password).encode(), xml)
            assert reply.text("Ticket")
        json_type = {"Content-Type": "application/json"}
        base = "/__sandbox/tenants/acme"
        assert request(url, "DELETE", f"{base}/users/JANE", None, json_type).status == 204
        assert request(url, "DELETE", f"{base}/faults", None, json_type).status == 204
        assert request(url, "POST", f"{base}/reset", b"{}", json_type).status == 200
        faults = json.loads(request(url, "GET", f"{base}/faults").content)
        assert [one["kind"] for one in faults[0]["rule"]["effects"]] == ["busy", "works"]
        users = json.loads(request(url, "GET", f"{base}/users").content)
        assert [one["name"] for one in users] == ["GONE", "JANE"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tenants: [", "is no YAML (line 1"),
        ("- a", "line 1: the file: Input should be"),
        ("tenants:\n  - name: a\n    userz: []\n", "line 3: tenants.0.userz: Extra inputs"),
        ("tenants:\n  - name: a\n    users:\n      - nam: b\n", "line 4: tenants.0.users.0.name"),
        (
            "tenants:\n  - name: a\n    faults:\n      - effects:\n          - kind: bussy\n",
            "line 5: tenants.0.faults.0.effects.0",
        ),
        (
            "tenants:\n  - name: a\n    faults:\n      - effects:\n          - kind: busy\n"
            "            retry_after: soon\n",
            "line 6: tenants.0.faults.0.effects.0.busy.retry_after: Input should be a valid int",
        ),
        ("tenants: []", "line 1: tenants"),
        ("tenants:\n  - name: a\n    users: []\n    users: []\n", "line 4: users is given twice"),
        ("tenants: &a\n  - *a\n", "tenants.0: Input should be"),
        ("tenants:\n  - name: a\n  - name: A\n", "line 1: tenants: Value error, A and a are the"),
        (
            "tenants:\n  - name: a\n    faults:\n      - operation: GetUserInf\n"
            "        effects: [{kind: busy}]\n",
            "line 4: tenants.0.faults.0.operation: Value error, there is no such operation.",
        ),
    ],
)
def test_what_is_wrong_is_told_by_line_and_field(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text(text)
    with pytest.raises(BadInput) as error:
        load_seed(file)
    assert says in str(error.value)


def test_a_password_is_never_told(tmp_path: Path) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text("tenants:\n  - name: a\n    users:\n      - {name: b, password: [hidden]}\n")
    with pytest.raises(BadInput, match=r"line 4: tenants\.0\.users\.0\.password") as error:
        load_seed(file)
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize("mark", ["*", "!", "!!", "!x!", "@", "%", "`"])
def test_a_password_that_needs_quotes_is_not_told(tmp_path: Path, mark: str) -> None:
    file = tmp_path / "seed.yaml"
    file.write_text(
        f"tenants:\n  - name: a\n    users:\n      - name: b\n        password: {mark}hidden\n"
    )
    with pytest.raises(BadInput, match=r"is no YAML \(line 5") as error:
        load_seed(file)
    assert "hidden" not in str(error.value)


def _sandbox(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "services88", "sandbox", "--port", "0", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def test_what_cannot_be_made_ends_the_program_with_the_cause(tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text("tenants:\n  - name: a b\n")
    done = _sandbox(tmp_path, "--seed", "seed.yaml")
    assert done.returncode == 1
    assert "Tenant a b: A tenant's name is a segment" in done.stderr
    assert "Traceback" not in done.stderr
    assert "cannot be read" in _sandbox(tmp_path, "--seed", "none.yaml").stderr
    assert "demo users" in _sandbox(tmp_path, "--seed", "seed.yaml", "--tour").stderr


def test_a_seed_for_a_database_that_has_it_already_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text(
        "tenants:\n  - {name: acme, users: [{name: ADA, password: a}]}\n"
    )
    arguments = ("--seed", "seed.yaml", "--database", "sqlite:///kept.sqlite3")
    with program("sandbox", "--port", "0", *arguments, folder=tmp_path) as running:
        running.wait_for("Tenants")
    done = _sandbox(tmp_path, *arguments)
    assert done.returncode == 1
    assert "has a user ADA already" in done.stderr
    assert "Leave --seed out to go on" in done.stderr


def test_the_schema_is_printed_and_fits(tmp_path: Path) -> None:
    printed = json.loads(_sandbox(tmp_path, "--seed-schema").stdout)
    assert printed == seed_schema()
    Draft202012Validator.check_schema(printed)
    checker = Draft202012Validator(printed)
    content = json.loads(json.dumps(yaml.safe_load(SEED), default=str))
    checker.validate(content)
    assert not checker.is_valid({"tenants": [{"name": "a", "userz": []}]})
