"""Many callers at once, at several processes that share one database.

What is read and then acted on breaks here: a limit or an invariant is held by one statement, a lock
or a constraint. On SQLite one server with four worker processes is fired at, on PostgreSQL two
servers; see the fixture ``servers`` of ``tests/conftest.py``.
"""

import http.client
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.programs import Program, serving
from tests.running import Reply

__all__ = ["Servers", "fire", "several_servers"]

T = TypeVar("T")
_PATIENCE = 60
_XML = "text/xml; charset=utf-8"


def fire(callers: Sequence[Callable[[], T]]) -> list[T]:
    """Run all callers at the same moment, each on a thread of its own.

    :returns: What each returned, in the order of the callers.
    :raises Exception: What the first of them raised, after all have ended.
    """
    start = threading.Barrier(len(callers))
    results: dict[int, T] = {}
    errors: list[BaseException] = []

    def run(number: int, caller: Callable[[], T]) -> None:
        try:
            start.wait(_PATIENCE)
            results[number] = caller()
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=run, args=(number, caller), daemon=True)
        for number, caller in enumerate(callers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_PATIENCE)
    if errors:
        raise errors[0]
    assert not any(thread.is_alive() for thread in threads), "a caller had no answer in a minute"
    return [results[number] for number in range(len(callers))]


@dataclass(frozen=True)
class Servers:
    """Several processes on one database, taken in turn.

    :ivar programs: The programs under way; one with four workers, or two.
    """

    programs: Sequence[Program]
    database: str

    def caller(
        self, number: int, path: str, body: bytes, method: str = "POST", **headers: str
    ) -> Callable[[], Reply]:
        """Prepare a request on a connection that is open already, so that only it is left to send.

        :param number: Number of the caller; callers are spread over the servers by it.
        :param headers: Header fields; in their names an underscore stands for a hyphen.
        """
        program = self.programs[number % len(self.programs)]
        connection = http.client.HTTPConnection(program.host, program.port, timeout=_PATIENCE)
        connection.connect()
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        def call() -> Reply:
            try:
                connection.request(method, path, body, named)
                response = connection.getresponse()
                content = response.read()
                found = {name.lower(): value for name, value in response.getheaders()}
                return Reply(response.status, found, content)
            finally:
                connection.close()

        return call

    def calls(self, agent: str, messages: Sequence[str]) -> list[Callable[[], Reply]]:
        """Prepare a SOAP call with each message."""
        path = f"/Remote/Services88/{agent}.svc"
        return [
            self.caller(number, path, message.encode(), Content_Type=_XML)
            for number, message in enumerate(messages)
        ]

    def fire(self, agent: str, messages: Sequence[str]) -> list[Reply]:
        """Make all SOAP calls at the same moment; return the responses in that order."""
        return fire(self.calls(agent, messages))

    def post(self, agent: str, message: str, number: int = 0) -> Reply:
        """Make one SOAP call."""
        path = f"/Remote/Services88/{agent}.svc"
        return self.caller(number, path, message.encode(), Content_Type=_XML)()


@contextmanager
def several_servers(
    database: str, folder: Path, *options: str, **environment: str
) -> Iterator[Servers]:
    """Run one server with four workers on SQLite, two servers on PostgreSQL.

    :param options: Options of ``services88 serve``.
    """
    postgresql = database.startswith("postgresql")
    environment = {"SERVICES88_PASSWORD_POLICY": "vendor", **environment}
    of_kind = () if postgresql else ("--workers", "4")
    with ExitStack() as stack:
        programs = [
            stack.enter_context(
                serving(
                    "--database",
                    database,
                    *of_kind,
                    *options,
                    folder=folder,
                    tls=None,
                    **environment,
                )
            )
            for _ in range(2 if postgresql else 1)
        ]
        yield Servers(programs, database)
