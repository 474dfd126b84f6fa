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

_TENANT = pytest.StashKey["Services88"]()


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
        # Not only where the test's own arguments are: another fixture may fail, or ask for it late.
        request.node.stash[_TENANT] = tenant
        yield tenant


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the server was asked where a test failed, or what prepares it."""
    report = yield
    if call.when != "teardown" and report.failed:
        tenant = item.stash.get(_TENANT, None) or _given(item)
        if tenant is not None:
            report.sections.append(("services88 journal", _journal(tenant)))
    return report


def _given(item: pytest.Item) -> "Services88 | None":
    """Give what a fixture of somebody's own, of the same name, made, where that is ours."""
    given: Any = getattr(item, "funcargs", {}).get("services88")
    ours = sys.modules.get("services88.sandbox.services")
    # It may be anything, an asynchronous one too.
    return given if ours is not None and isinstance(given, ours.Services88) else None


def _journal(tenant: "Services88") -> str:
    try:
        exchanges = tenant.calls()
    except (RuntimeError, LookupError) as error:  # raised here, it would end the whole run
        return str(error)
    return "\n".join(_told(exchange) for exchange in exchanges) or "The server was asked nothing."


def _told(exchange: Any) -> str:
    from services88.identity.names import escaped

    what = exchange.operation or f"{exchange.method} {exchange.path}"
    who = f" by {exchange.user}" if exchange.user else ""
    why = f": {exchange.reason}" if exchange.reason else ""
    lines = [f"{what}{who} {exchange.outcome}{why}"]
    lines += [f"  near miss: {miss.message}" for miss in exchange.near_misses]
    return "\n".join(map(escaped, lines))
