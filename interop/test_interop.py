"""Every stack plays the story, from the vendor's WSDL and from ours."""

import pytest

from interop import story
from interop.client import Addresses, WsdlAddress
from interop.stacks import STACKS
from tests.process import ServerProcess


@pytest.mark.parametrize("source", ["vendor", "ours"])
@pytest.mark.parametrize("name", STACKS)
def test_the_story(
    name: str, addresses: Addresses, server: ServerProcess, online: tuple[ServerProcess, str]
) -> None:
    stack = STACKS[name]
    missing = stack.missing()
    if missing:
        pytest.skip(missing)
    with stack.start(addresses) as client:
        story.play(client, server)
    # The same generated code, pointed at an Online installation.
    installation, token = online
    folder = f"{installation.url}/{story.TENANT}/Remote/Services88"
    there = {
        agent: WsdlAddress(address.wsdl, f"{folder}/{agent}.svc")
        for agent, address in addresses.items()
    }
    with stack.start(there) as client:
        story.play_online(client, installation, token)
