"""The program as a process of its own."""

import http.client
import os
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["COMMAND", "Program", "finished", "own_environment", "program", "serving"]

COMMAND = (sys.executable, "-m", "services88")
_PATIENCE = 30


def own_environment(**more: str) -> dict[str, str]:
    """The environment without settings that the one who runs the tests may have."""
    kept = {name: value for name, value in os.environ.items() if "SERVICES88" not in name}
    return {**kept, "PYTHONUNBUFFERED": "1", **more}


def finished(
    *arguments: str, folder: Path, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=own_environment(**environment),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )


@dataclass
class Program:
    """A process under way, and what it has said so far on either stream."""

    process: subprocess.Popen[str]
    said: str = ""
    host: str = ""
    port: int = 0
    _news: threading.Condition = field(default_factory=threading.Condition)
    _ended: bool = False

    def listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.said += line
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until the program has said something."""
        with self._news:
            self._news.wait_for(lambda: self._ended or re.search(pattern, self.said), _PATIENCE)
            found = re.search(pattern, self.said)
        assert found is not None, f"{pattern} was never said:\n{self.said}"
        return found

    def wait(self) -> int:
        return self.process.wait(_PATIENCE)


@contextmanager
def program(
    *arguments: str, folder: Path, stdin: int = subprocess.DEVNULL, **environment: str
) -> Iterator[Program]:
    """Run a command that does not end by itself."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=own_environment(**environment),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = Program(process)
    listener = threading.Thread(target=running.listen, daemon=True)
    listener.start()
    try:
        yield running
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        finally:
            process.kill()
            process.wait()
            listener.join(_PATIENCE)
            assert process.stdout is not None
            process.stdout.close()


@contextmanager
def serving(
    *arguments: str, folder: Path, tls: ssl.SSLContext | None = None, **environment: str
) -> Iterator[Program]:
    """Run ``services88 serve`` on a free port, and begin when it answers."""
    started = program(
        "serve", "--port", "0", *arguments, folder=folder, stdin=subprocess.DEVNULL, **environment
    )
    with started as running:
        address = running.wait_for(r"serves https?://\[?([^\s\]]+?)\]?:(\d+)/")
        running.host, running.port = address[1], int(address[2])
        connection = (
            http.client.HTTPSConnection(running.host, running.port, timeout=30, context=tls)
            if tls
            else http.client.HTTPConnection(running.host, running.port, timeout=30)
        )
        connection.request("GET", "/Remote/Services88/User.svc?wsdl")
        assert connection.getresponse().read()
        connection.close()
        yield running
