"""The story of ``interop/`` with the stacks that are quick; `make interop` plays it with all."""

import pytest

from interop import story
from interop.client import Addresses
from interop.node_client import FOLDER
from interop.stacks import STACKS
from tests.process import ServerProcess


@pytest.mark.parametrize("name", [name for name, stack in STACKS.items() if stack.quick])
def test_the_story(name: str, addresses: Addresses, server: ServerProcess) -> None:
    with STACKS[name].start(addresses) as client:
        story.play(client, server)


def test_the_lock_of_the_node_clients_records_no_address() -> None:
    assert '"resolved"' not in (FOLDER / "package-lock.json").read_text()
