"""A sandbox inside the program that tests: on a thread with a real socket, or without either."""

import asyncio
import itertools
import re
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import uvloop
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from services88.identity.installation import claim_for_sandbox
from services88.sandbox.application import NEVER_BUSY, prepare, sandbox_application
from services88.sandbox.controls import TenantIn, add_tenant
from services88.sandbox.services import AsyncServices88, Services88
from services88.sandbox.worlds import Sandbox
from services88.settings import Settings
from services88.web.application import identity_of
from services88.web.server import listen, server

if TYPE_CHECKING:
    import httpx

__all__ = ["InProcess", "SandboxServer", "in_process", "running", "running_async", "serving"]

T = TypeVar("T")


class _OnlyGiven(Settings):
    """Settings that no environment variable changes: a test means the same everywhere."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def _settings(folder: str) -> Settings:
    values: dict[str, Any] = {
        "port": 0,
        "database": f"sqlite:///{Path(folder) / 'sandbox.sqlite3'}",
        "password_policy": "vendor",
        "log_level": "warning",
        **NEVER_BUSY,
    }
    return _OnlyGiven(**values)


async def _here(work: Coroutine[Any, Any, T]) -> T:
    return await work


_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")


@dataclass(slots=True)
class SandboxServer:
    """A running sandbox, which any number of tenants share without seeing each other.

    :ivar url: Its address, as ``http://127.0.0.1:40123``.
    """

    url: str
    sandbox: Sandbox
    _loop: asyncio.AbstractEventLoop
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop, and wait for it.

        :raises RuntimeError: The sandbox has ended.
        """
        return self._begin(work).result()

    def bridge(self, work: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Run a coroutine on the server's loop; give what the caller's loop can await."""
        return asyncio.wrap_future(self._begin(work))

    def _begin(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        if self._loop.is_closed():
            work.close()  # else Python warns that it was never awaited
            raise RuntimeError(
                "The sandbox has ended. Use it inside its `with`; a fixture yields it from there."
            )
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _wanted(self, name: str) -> TenantIn:
        stem = _NOT_IN_NAMES.sub("-", name).strip("-")[:40].strip("-") or "tenant"
        return TenantIn(name=f"{stem}-{next(self._numbers)}")

    @contextmanager
    def tenant(self, name: str = "tenant") -> Iterator[Services88]:
        """Add a tenant, and delete it in the end.

        :param name: What its name begins with; a number follows.
        """
        world = self.run(add_tenant(self.sandbox, self._wanted(name)))
        try:
            yield Services88(self.sandbox, world, self.url, self.run)
        finally:
            with suppress(LookupError):  # the test deleted it itself, over the admin API
                self.run(self.sandbox.delete(world.tenant.name))

    @asynccontextmanager
    async def tenant_async(self, name: str = "tenant") -> AsyncIterator[AsyncServices88]:
        """As :meth:`tenant`, for asynchronous tests."""
        world = await self.bridge(add_tenant(self.sandbox, self._wanted(name)))
        try:
            yield AsyncServices88(self.sandbox, world, self.url, self.bridge)
        finally:
            with suppress(LookupError):
                await self.bridge(self.sandbox.delete(world.tenant.name))


@contextmanager
def serving(
    *, journal_secrets: bool = False, allowed_hosts: Iterable[str] = ()
) -> Iterator[SandboxServer]:
    """Run a sandbox on a free loopback port, on a thread of this process.

    :param journal_secrets: Keep passwords and tickets in the journal as they were sent.
    :param allowed_hosts: Host names to answer to, beside localhost and loopback addresses.
    """
    with tempfile.TemporaryDirectory(prefix="services88-") as folder:
        settings = _settings(folder)
        with listen(settings) as listening:
            sandbox = Sandbox(identity_of(settings), settings, keep_secrets=journal_secrets)
            uvicorn_server = server(settings, sandbox_application(sandbox, hosts=allowed_hosts))
            prepare(sandbox, uvicorn_server)
            loops: list[asyncio.AbstractEventLoop] = []
            ready = threading.Event()

            async def serve() -> None:
                await claim_for_sandbox(sandbox.identity)
                await sandbox.load()
                loops.append(asyncio.get_running_loop())
                ready.set()
                await uvicorn_server.serve(sockets=[listening])

            def work() -> None:
                try:
                    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                        runner.run(serve())
                finally:
                    ready.set()

            thread = threading.Thread(target=work, name="services88", daemon=True)
            thread.start()
            ready.wait()
            if not loops:
                raise RuntimeError("the sandbox did not start; its thread told why")
            host, port = listening.getsockname()[:2]
            try:
                yield SandboxServer(f"http://{host}:{port}", sandbox, loops[0])
            finally:
                uvicorn_server.should_exit = True
                thread.join(20)


@contextmanager
def running(
    *, journal_secrets: bool = False, allowed_hosts: Iterable[str] = ()
) -> Iterator[Services88]:
    """Run a sandbox with one tenant: for unittest, scripts and other test runners."""
    with (
        serving(journal_secrets=journal_secrets, allowed_hosts=allowed_hosts) as sandbox,
        sandbox.tenant() as services88,
    ):
        yield services88


@asynccontextmanager
async def running_async(
    *, journal_secrets: bool = False, allowed_hosts: Iterable[str] = ()
) -> AsyncIterator[AsyncServices88]:
    """As :func:`running`, for asynchronous tests.

    The server has a loop of its own, so a client that blocks the test's loop still gets answers.
    """
    with serving(journal_secrets=journal_secrets, allowed_hosts=allowed_hosts) as sandbox:
        async with sandbox.tenant_async() as services88:
            yield services88


@dataclass(frozen=True, slots=True)
class InProcess:
    """A sandbox without a socket: the client calls the application itself.

    :ivar client: An HTTP client that reaches nothing else.
    """

    services88: AsyncServices88
    client: "httpx.AsyncClient"


@asynccontextmanager
async def in_process(*, journal_secrets: bool = False) -> AsyncIterator[InProcess]:
    """Make a sandbox with one tenant and a client, all on the loop of the test.

    Faults that break the connection raise ``ConnectionResetError`` in the client: there is none.
    """
    import httpx

    base = "http://localhost"
    with tempfile.TemporaryDirectory(prefix="services88-") as folder:
        settings = _settings(folder)
        sandbox = Sandbox(identity_of(settings), settings, keep_secrets=journal_secrets)
        await claim_for_sandbox(sandbox.identity)
        await sandbox.load()
        world = await add_tenant(sandbox, TenantIn(name="tenant"))
        try:
            transport = httpx.ASGITransport(sandbox_application(sandbox))
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                yield InProcess(AsyncServices88(sandbox, world, base, _here), client)
        finally:
            await sandbox.identity.database.close()
            sandbox.identity.hashing.close()
