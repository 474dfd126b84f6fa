"""PHP's own SOAP client, ext/soap."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from interop.client import Addresses, Client
from interop.lines import line_client

__all__ = ["php_client"]

_FOLDER = Path(__file__).with_name("php")


@contextmanager
def php_client(addresses: Addresses) -> Iterator[Client]:
    """Start the driver."""
    modules = subprocess.run(["php", "-m"], capture_output=True, text=True, check=True).stdout
    if "soap" not in modules.lower().split():
        pytest.skip("PHP has no ext/soap (interop/install-debian installs it)")
    with line_client(["php", "client.php"], addresses, _FOLDER) as client:
        yield client
