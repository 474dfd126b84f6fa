"""The pytest plugin: fixtures ``services88`` and ``services88_server``.

pytest imports this module in every test run of everybody who has the package installed, so it
imports nothing of ours until a test asks for a fixture.
"""

import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from services88.sandbox.embedding import SandboxServer
    from services88.sandbox.services import Services88


@pytest.fixture(scope="session")
def services88_server() -> "Iterator[SandboxServer]":
    """One real server for all tests of the run (with xdist: of the worker)."""
    from services88.sandbox.embedding import serving

    with serving() as server:
        yield server


@pytest.fixture
def services88(
    services88_server: "SandboxServer", request: pytest.FixtureRequest
) -> "Iterator[Services88]":
    """A tenant of the test's own on a real server; ``services88.url`` leads to it."""
    with services88_server.tenant(request.node.name) as tenant:
        yield tenant


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the server was asked where a test failed."""
    report = yield
    if call.when == "call" and report.failed:
        tenant: Any = getattr(item, "funcargs", {}).get("services88")
        ours = sys.modules.get("services88.sandbox.services")
        # Somebody's own fixture of that name may be anything, an asynchronous one too.
        if ours is not None and isinstance(tenant, ours.Services88):
            said = "\n".join(_told(exchange) for exchange in tenant.calls())
            report.sections.append(("services88 journal", said or "The server was asked nothing."))
    return report


def _told(exchange: Any) -> str:
    what = exchange.operation or f"{exchange.method} {exchange.path}"
    who = f" by {exchange.user}" if exchange.user else ""
    why = f": {exchange.reason}" if exchange.reason else ""
    lines = [f"{what}{who} {exchange.outcome}{why}"]
    lines += [f"  near miss: {miss.message}" for miss in exchange.near_misses]
    return "\n".join(lines)
