"""A backup of a database in use, and putting it back."""

import asyncio
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from services88.identity import accounts, tenants
from services88.identity.hashing import Hasher
from services88.settings import load
from services88.store import credentials
from services88.web.application import identity_of
from tests.process import ServerProcess, serve
from tests.programs import finished
from tests.running import RunningServer

USERS = ("JANE", "JOHN", "MARY")
URL = "sqlite:///restored.sqlite3"


def _client(server: ServerProcess) -> RunningServer:
    found = re.fullmatch(r"http://(.*):(\d+)", server.url)
    assert found
    return RunningServer(found[1], int(found[2]), None, None, "")  # type: ignore[arg-type]


def _change_on_and_on(
    server: ServerProcess, name: str, passwords: list[str], stop: threading.Event
) -> None:
    client = _client(server)
    while not stop.is_set() and len(passwords) < 400:
        ticket = client.sign_in(name, passwords[-1])
        assert ticket
        new = f"{name[::-1]} phrase number {len(passwords)} of many"
        before = passwords[-1]
        passwords.append(new)
        assert client.change_own(ticket, before, new).text("Response") == "true"


async def _secrets(url: str) -> dict[str, str]:
    """The hashes in a database: guessing at its server would have to wait."""
    identity = identity_of(load({"database": url}))
    found = {}
    for name in USERS:
        user = await accounts.find(identity, await tenants.default(identity), name)
        row = await credentials.password_of(identity.database, user.associate_id)
        assert row is not None
        found[name] = row.secret
    await identity.database.close()
    identity.hashing.close()
    return found


def test_a_backup_under_a_load_of_changes_is_whole(folder: Path) -> None:
    stop = threading.Event()
    known = {name: [f"{name[::-1]} first phrase of all"] for name in USERS}
    with serve(folder) as server:
        for name in USERS:
            server.add_user(name, known[name][0])
        threads = [
            threading.Thread(target=_change_on_and_on, args=(server, name, known[name], stop))
            for name in USERS
        ]
        for thread in threads:
            thread.start()
        between: list[dict[str, tuple[int, int]]] = []
        for number in range(3):
            before = {name: len(known[name]) for name in USERS}
            made = finished(
                "db", "backup", f"{number}.backup", "--database", server.database, folder=folder
            )
            assert made.returncode == 0, made.stderr
            between.append({name: (before[name], len(known[name])) for name in USERS})
        stop.set()
        for thread in threads:
            thread.join(30)
    assert any(first < last for span in between for first, last in span.values()), "under a load"
    for number, span in enumerate(between):
        file = folder / f"{number}.backup"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        restored = finished("db", "restore", file.name, "--database", URL, "--force", folder=folder)
        assert restored.returncode == 0, restored.stderr
        verified = finished("audit", "verify", "--database", URL, folder=folder)
        assert verified.returncode == 0, verified.stderr
        secrets = asyncio.run(_secrets(URL))
        with serve(folder, "--database", URL) as server:
            client = _client(server)
            for name, (first, last) in span.items():
                # What was the password at some moment of the backup; and it is exactly one.
                possible = known[name][max(0, first - 2) : last]
                (it,) = [one for one in possible if Hasher().verify(secrets[name], one)]
                assert client.sign_in(name, it), name
    assert not [one for one in folder.iterdir() if one.name.startswith(".")], "nothing is left"


def test_a_server_that_has_it_open_keeps_it(folder: Path) -> None:
    with serve(folder) as server:
        server.add_user("JANE", "vellum orbit quartz")
        of = ("--database", server.database)
        assert finished("db", "backup", "a.backup", *of, folder=folder).returncode == 0
        refused = finished("db", "restore", "a.backup", "--force", *of, folder=folder)
        assert refused.returncode == 1
        assert "A server has" in refused.stderr
        assert _client(server).sign_in("JANE", "vellum orbit quartz")
        refused = finished("db", "backup", "a.backup", *of, folder=folder)
        assert "is there already" in refused.stderr
    refused = finished("db", "restore", "a.backup", *of, folder=folder)
    assert "is not empty. Add --force" in refused.stderr
    assert finished("db", "restore", "a.backup", "--force", *of, folder=folder).returncode == 0


def _backed_up(folder: Path) -> Path:
    added = finished(
        "user", "add", "JANE", "--password-stdin", folder=folder, stdin="vellum orbit quartz\n"
    )
    assert added.returncode == 0, added.stderr
    assert finished("db", "backup", "a.backup", folder=folder).returncode == 0
    return folder / "a.backup"


@pytest.mark.parametrize("left", ["damaged", "gone"])
def test_what_a_killed_server_left_beside_the_file_does_not_get_into_the_restored_one(
    folder: Path, left: str
) -> None:
    file = _backed_up(folder)
    database = folder / URL.removeprefix("sqlite:///")
    shutil.copy(file, database)
    program = (
        "import os, sqlite3, sys\n"
        "driver = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "driver.execute('PRAGMA journal_mode=WAL')\n"
        "driver.execute('PRAGMA wal_checkpoint(TRUNCATE)')\n"
        "driver.execute(\"UPDATE associate SET name = 'LATER'\")\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(database)], check=False)
    assert (folder / f"{database.name}-wal").stat().st_size > 0
    if left == "gone":
        database.unlink()
    else:
        database.write_bytes(b"damaged " * 512 + database.read_bytes()[4096:])
    restored = finished("db", "restore", file.name, "--database", URL, "--force", folder=folder)
    assert restored.returncode == 0, restored.stderr
    with closing(sqlite3.connect(database)) as driver:
        assert driver.execute("SELECT name FROM associate").fetchall() == [("JANE",)]


def test_a_backup_whose_audit_trail_was_tampered_with_is_refused(folder: Path) -> None:
    file = _backed_up(folder)
    with sqlite3.connect(file) as driver:
        driver.execute("UPDATE audit_event SET address = '192.0.2.66'")
    driver.close()
    refused = finished("db", "restore", "a.backup", "--database", URL, folder=folder)
    assert refused.returncode == 1
    assert "audit trail in the backup is broken" in refused.stderr
    assert not (folder / "restored.sqlite3").exists()


def test_what_is_no_backup_is_refused(folder: Path) -> None:
    file = _backed_up(folder)
    content = file.read_bytes()
    (folder / "cut.backup").write_bytes(content[: len(content) // 2])
    (folder / "text.backup").write_text("not a database " * 1000)
    sqlite3.connect(folder / "empty.backup").close()
    with sqlite3.connect(file) as driver:
        driver.execute("UPDATE alembic_version SET version_num = '9999'")
    driver.close()
    for name in ("cut", "text", "empty", "a", "absent"):
        refused = finished("db", "restore", f"{name}.backup", "--database", URL, folder=folder)
        assert refused.returncode == 1, name
        assert "Traceback" not in refused.stderr
        assert "Error: " in refused.stderr
        assert not (folder / "restored.sqlite3").exists()


def test_postgresql_is_left_to_its_own_tools(folder: Path) -> None:
    (folder / "a.backup").touch()
    for command in ("backup", "restore"):
        url = "postgresql://user:hidden@localhost/db"
        refused = finished("db", command, "a.backup", "--database", url, folder=folder)
        assert refused.returncode == 1
        assert "pg_dump" in refused.stderr
        assert "hidden" not in refused.stderr
