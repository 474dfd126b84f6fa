"""Servers for the stacks, and the table of what came out."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.client import Addresses
from interop.sources import SOURCES, begin_from
from interop.stacks import STACKS
from interop.story import TENANT
from tests.process import ServerProcess, serve
from tests.programs import finished

README = Path(__file__).parents[1] / "README.md"
BETWEEN = re.compile(r"(?<=<!-- interop:begin -->\n).*?(?=<!-- interop:end -->)", re.DOTALL)
_outcomes: dict[tuple[str, str], set[str]] = {}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all stacks; each story adds a user of its own."""
    with serve(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="session")
def online(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, str]]:
    """An Online installation, and an application token for it."""
    folder = tmp_path_factory.mktemp("online")
    with serve(folder, "--installation", "online") as running:
        database = ("--database", running.database)
        for command in (
            ("tenant", "add", TENANT),
            ("app-token", "issue", "it", "--tenant", TENANT),
        ):
            done = finished(*command, *database, folder=folder)
            assert done.returncode == 0, done.stderr
        yield running, done.stdout.strip()


@pytest.fixture
def addresses(source: str, server: ServerProcess) -> Addresses:
    """Where a client begins."""
    return begin_from(source, server)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember what came out for each stack and WSDL."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    given = item.callspec.params if hasattr(item, "callspec") else {}
    if "source" in given and (report.when == "call" or not report.passed):
        _outcomes.setdefault((given["name"], given["source"]), set()).add(report.outcome)
    return report  # type: ignore[return-value]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run write the table."""
    parser.addoption("--write-table", action="store_true", help="write README.md's table")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table, and write it where asked and nothing was left out."""
    if not _outcomes:
        return
    table = _table()
    terminalreporter.section("stack × WSDL")
    terminalreporter.write(table)
    if not config.getoption("--write-table"):
        return
    if "skipped" in table or "not run" in table:
        terminalreporter.write_line("Not everything was run, so README.md keeps its table.")
        return
    README.write_text(BETWEEN.sub(lambda _: table, README.read_text()))


def _table() -> str:
    rows = ["| stack | " + " | ".join(SOURCES.values()) + " |", "|---|" + "---|" * len(SOURCES)]
    for name in STACKS:
        cells = (_cell(_outcomes.get((name, source), set())) for source in SOURCES)
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def _cell(outcomes: set[str]) -> str:
    for outcome in ("failed", "skipped", "passed"):
        if outcome in outcomes:
            return outcome
    return "not run"
