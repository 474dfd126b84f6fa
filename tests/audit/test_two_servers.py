"""Two server processes on one database keep one unbroken chain."""

import http.client
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.audit.trail import Trail
from tests.programs import Program, finished, serving
from tests.running import sign_in

PASSWORD = "vellum orbit quartz"
EACH = 15


def _attempts(program: Program, password: str) -> None:
    for _ in range(EACH):
        connection = http.client.HTTPConnection(program.host, program.port, timeout=30)
        connection.request(
            "POST",
            "/Remote/Services88/SoPrincipal.svc",
            sign_in("JANE", password).encode(),
            {"Content-Type": "text/xml; charset=utf-8"},
        )
        assert connection.getresponse().status == 200
        connection.close()


def test_two_processes_keep_one_chain(database: str, tmp_path: Path) -> None:
    added = finished(
        "user", "add", "JANE", "--password-stdin", "--database", database,
        folder=tmp_path, stdin=f"{PASSWORD}\n",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    with (
        serving("--database", database, folder=tmp_path) as one,
        serving("--database", database, folder=tmp_path) as two,
        ThreadPoolExecutor(4) as pool,
    ):
        work = [pool.submit(_attempts, program, PASSWORD) for program in (one, two, one, two)]
        trail = Trail(database)
        while not all(done.done() for done in work):
            trail.verify()  # while they write
        for done in work:
            done.result()
    trail.verify()
    assert trail.named().count("authn_login_success") == 4 * EACH
    assert [event["sequence"] for event in trail.events()] == [*range(1, 4 * EACH + 2)]
