"""Fixtures shared by all tests."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.running import RunningServer, Starter, running

# How long an example takes says more of the machine than of the code.
# And no example is made smaller: where each is a database, that takes minutes.
_PHASES = (hypothesis.Phase.explicit, hypothesis.Phase.reuse, hypothesis.Phase.generate)
hypothesis.settings.register_profile("services88", deadline=None, phases=_PHASES)
hypothesis.settings.load_profile("services88")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Start servers with settings of the test's own."""
    with ExitStack() as stack:
        started = 0

        def begin(**settings: Any) -> RunningServer:
            nonlocal started
            started += 1
            folder = tmp_path / f"server-{started}"
            folder.mkdir()
            return stack.enter_context(running(folder, **settings))

        yield begin


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all tests of a module; each test adds users of its own."""
    with running(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(autouse=True)
def _short_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tests that are not about password rules use short passwords."""
    monkeypatch.setenv("SERVICES88_PASSWORD_POLICY", "vendor")
