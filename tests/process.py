"""``services88 serve`` as a process of its own, on a database of its own."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.programs import finished, serving

__all__ = ["ServerProcess", "serve"]


@dataclass(frozen=True)
class ServerProcess:
    """A server under way, and the command line for setting the scene."""

    url: str
    folder: Path
    database: str

    def service(self, agent: str) -> str:
        """The address of a service."""
        return f"{self.url}/Remote/Services88/{agent}.svc"

    def add_user(self, name: str, password: str, *options: str) -> None:
        """Add a user with ``services88 user add``; options are its own."""
        command = ("user", "add", name, "--password-stdin", "--database", self.database, *options)
        added = finished(*command, folder=self.folder, stdin=f"{password}\n")
        assert added.returncode == 0, added.stderr


@contextmanager
def serve(folder: Path, *options: str) -> Iterator[ServerProcess]:
    """Run ``services88 serve`` on a free port and an empty database in a folder.

    When the block is left it is told to stop, and must do so in good order.

    :param options: Options of ``services88 serve``.
    """
    database = f"sqlite:///{folder / 'served.sqlite3'}"
    with serving("--database", database, *options, folder=folder) as program:
        yield ServerProcess(f"http://{program.host}:{program.port}", folder, database)
        program.process.send_signal(signal.SIGTERM)
        assert program.wait() == 0, program.said
        assert "Traceback" not in program.said, program.said
