"""Clients of other languages: a process each, told by one JSON object a line what to call."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from interop.client import Addresses, Answer

__all__ = ["LineClient", "line_client"]


class LineClient:
    """A process that makes the calls it is told to make."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def call(
        self,
        agent: str,
        operation: str,
        arguments: Mapping[str, Any],
        ticket: str | None = None,
        application_token: str | None = None,
    ) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        call = {
            "agent": agent,
            "operation": operation,
            "arguments": arguments,
            "ticket": ticket,
            "application_token": application_token,
        }
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the client gave up; what it said stands in the captured stderr"
        return Answer(**json.loads(line))


@contextmanager
def line_client(
    command: Sequence[str],
    addresses: Addresses,
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[LineClient]:
    """Start a client, which gets the addresses as its last argument, and end it by its input."""
    given = json.dumps({agent: asdict(address) for agent, address in addresses.items()})
    with subprocess.Popen(
        [*command, given],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        yield LineClient(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0
