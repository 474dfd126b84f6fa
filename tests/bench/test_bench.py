"""The parts of the bench do what they say. How fast anything is, no test says."""

import os
import shutil
from pathlib import Path

import pytest
from lxml import etree

from bench import report, servers
from bench.cheap_call import BOUND, Row
from bench.load import Load, Outcome, hammer
from bench.loader import Scale, load
from bench.messages import HEADERS, can_change
from bench.paced import pace
from bench.processes import cpu_seconds, resident, tree
from bench.servers import User
from tests.postgresql import postgresql
from tests.programs import finished
from tests.running import RunningServer, Starter

ROWS = [
    Row(BOUND, 1, "answers", Outcome(1000, 40, 0.5, 1.5)),
    Row("services88, PostgreSQL", 1, "checks", Outcome(500, 80, 1, 2.5, other_cpu=7)),
    Row("another", 1, "answers", missing="<node> is not installed"),
]


def _load(server: RunningServer, user: User, *more: User) -> Load:
    bodies = [can_change(one.ticket, one.associate_id) for one in (user, *more)]
    return Load(f"{server.url}/Remote/Services88/User.svc", bodies[0], HEADERS, tuple(bodies[1:]))


def test_the_report_goes_between_its_markers() -> None:
    page = "a\n<!-- bench:cheap:begin -->\nold\n<!-- bench:cheap:end -->\nb\n"
    done = report.written(page, "cheap", report.cheap_section(ROWS))
    assert done.startswith("a\n<!-- bench:cheap:begin -->\n| server |")
    assert done.endswith("|\n<!-- bench:cheap:end -->\nb\n")
    assert "| **services88, PostgreSQL** | 1 | checks | 500 | 50% | 80 (+ 7 in Post" in done
    assert "not measured: <node> is not installed" in done
    assert report.written(done, "cheap", report.cheap_section(ROWS)) == done
    with pytest.raises(LookupError, match="changes"):
        report.written(page, "changes", "")


def test_the_page_has_every_section() -> None:
    page = (Path(report.__file__).parents[1] / "docs" / "performance.md").read_text()
    for section in ("cheap", "changes", "growth", "growth-full", "start"):
        assert "<table>" in report.written(page, section, "<table>")


def test_the_chart_is_well_formed_and_leaves_out_what_was_not_measured() -> None:
    root = etree.fromstring(report.cheap_chart(ROWS).encode())
    texts = [str(one.text) for one in root.iterfind(".//{*}text")]
    assert {BOUND, "services88, PostgreSQL", "1,000", "500", "40", "80"} <= set(texts)
    assert "another" not in texts


@pytest.mark.parametrize("kind", ["SQLite", "PostgreSQL"])
def test_a_loaded_database_is_one_of_ours(start: Starter, tmp_path: Path, kind: str) -> None:
    if kind == "SQLite":
        _check_loaded(start, f"sqlite:///{tmp_path / 'loaded.sqlite3'}", tmp_path)
    else:
        with postgresql() as cluster:
            _check_loaded(start, cluster.new_database(), tmp_path)


def _check_loaded(start: Starter, url: str, folder: Path) -> None:
    servers.add_user(url, "FIRST", folder)
    known = load(url, Scale.of(10), lambda _: None)
    assert len(known) == 50
    done = finished("audit", "verify", "--database", url, folder=folder)
    assert (done.returncode, "is whole: 101 events" in done.stderr) == (0, True), done.stderr
    servers.add_user(url, "LATER", folder)  # numbers that are loaded are not given again
    with_users = start(database=url)
    for user in (known[0], known[-1]):
        body = can_change(user.ticket, user.associate_id)
        assert with_users.post("User", body).text("Response") == "true"
    assert with_users.sign_in("LOADED1003", servers.PASSWORD)


def test_calls_are_sent_at_a_rate_and_failures_are_told(shared_server: RunningServer) -> None:
    user = shared_server.add_user("PACED", "a password")
    ticket = shared_server.sign_in("PACED", "a password")
    assert ticket
    caller = User(ticket, user.associate_id)
    done = pace(_load(shared_server, caller), rate=50, seconds=0.5)
    assert done.calls == 25
    assert 0 < done.p50 <= done.p99 <= done.worst
    with pytest.raises(RuntimeError, match="not answered with 200"):
        pace(Load(f"{shared_server.url}/nothing", b"x", HEADERS), rate=20, seconds=0.2)


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
def test_wrk_is_understood(shared_server: RunningServer) -> None:
    user = shared_server.add_user("HAMMER", "a password")
    ticket = shared_server.sign_in("HAMMER", "a password")
    assert ticket
    caller = User(ticket, user.associate_id)
    done = hammer(_load(shared_server, caller, caller), 1, os.getpid())
    assert done.calls_per_second > 0
    assert done.cpu > 0
    with pytest.raises(RuntimeError, match="failed"):
        hammer(Load(f"{shared_server.url}/nothing", b"x", HEADERS), 1, os.getpid())


def test_a_process_tells_its_cpu_and_memory() -> None:
    assert os.getpid() in tree(os.getpid())
    assert cpu_seconds(os.getpid()) > 0
    assert resident(os.getpid()) > 1_000_000
