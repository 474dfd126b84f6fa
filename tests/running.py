"""A real server on a free loopback port, for tests that speak HTTP to it."""

import asyncio
import http.client
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import uvloop
from lxml import etree

from services88.contract import namespaces as ns
from services88.identity import accounts, tenants
from services88.identity.clock import Clock
from services88.identity.identity import Identity
from services88.pages import page_routes
from services88.settings import load
from services88.store.associates import Associate
from services88.store.tenants import Tenant
from services88.web.application import application, identity_of, routes_of
from services88.web.server import connections_of, listen, server

__all__ = ["Reply", "RunningServer", "TestClock", "change_own", "envelope", "running", "sign_in"]

T = TypeVar("T")

S11 = "http://schemas.xmlsoap.org/soap/envelope/"
S12 = "http://www.w3.org/2003/05/soap-envelope"


class TestClock:
    """A clock that stands until it is moved."""

    __test__ = False

    def __init__(self, start: int = 1_800_000_000_000) -> None:
        self.time = start

    def now(self) -> int:
        return self.time


@dataclass
class Reply:
    """An HTTP response, read."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def root(self) -> etree._Element:
        return etree.fromstring(self.content)

    def text(self, name: str) -> str | None:
        """The text of the first contract element of that name; None where it is absent or nil."""
        found = self.root.find(f".//{{{ns.SERVICES88}}}{name}")
        if found is None or found.get(f"{{{ns.XML_SCHEMA_INSTANCE}}}nil") == "true":
            return None
        return found.text or ""

    @property
    def extra(self) -> dict[str, str | None]:
        """The ExtraInfo header as a dictionary."""
        pairs = self.root.iterfind(f".//{{{ns.SERVICES88}}}ExtraInfoNameValuePair")
        return {str(pair[0].text): pair[1].text for pair in pairs}

    @property
    def fault(self) -> str | None:
        """The reason of a SOAP fault of either version."""
        found = self.root.find(".//faultstring")
        if found is None:
            found = self.root.find(f".//{{{S12}}}Text")
        return None if found is None else found.text


@dataclass
class RunningServer:
    """The server under test: its address, and its domain for setting the scene."""

    host: str
    port: int
    identity: Identity
    loop: asyncio.AbstractEventLoop
    database: str

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def run(self, work: Awaitable[T]) -> T:
        """Await something of the domain on the server's own loop."""

        async def awaited() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(awaited(), self.loop).result(30)

    def add_user(
        self, name: str, password: str, tenant: str | None = None, **more: Any
    ) -> Associate:
        async def work() -> Associate:
            of = await tenants.named(self.identity, tenant)
            return await accounts.add(self.identity, of, name, password, **more)

        return self.run(work())

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Send a request; in header names an underscore stands for a hyphen."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            content = response.read()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, content)
        finally:
            connection.close()

    def post(
        self,
        agent: str,
        message: bytes | str,
        content_type: str = "text/xml; charset=utf-8",
        site: str = "",
        **headers: str,
    ) -> Reply:
        """Post a message to a service."""
        body = message.encode() if isinstance(message, str) else message
        path = f"{site}/Remote/Services88/{agent}.svc"
        return self.request("POST", path, body, Content_Type=content_type, **headers)

    def sign_in(self, name: str, password: str, site: str = "") -> str | None:
        """Sign in, and give the ticket."""
        reply = self.post("SoPrincipal", sign_in(name, password), site=site)
        assert reply.status == 200, reply.content
        return reply.text("Ticket")

    def change_own(self, ticket: str, old: str, new: str, site: str = "") -> Reply:
        """Change the own password."""
        return self.post("User", change_own(ticket, old, new), site=site)


def envelope(body: str, header: str = "", soap: str = S11) -> str:
    """Write an envelope; in body and header the contract's namespace is the default one."""
    inside = f"<s:Header>{header}</s:Header>" if header else ""
    return (
        f'<s:Envelope xmlns:s="{soap}" xmlns="{ns.SERVICES88}" '
        f'xmlns:xsi="{ns.XML_SCHEMA_INSTANCE}" xmlns:xsd="{ns.XML_SCHEMA}">'
        f"{inside}<s:Body>{body}</s:Body></s:Envelope>"
    )


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def credentials(ticket: str) -> str:
    """Write the Credentials header block."""
    return f"<Credentials><Ticket>{ticket}</Ticket></Credentials>"


def sign_in(name: str, password: str, soap: str = S11) -> str:
    """Write a call of AuthenticateUsernamePassword."""
    return envelope(
        f"<AuthenticateUsernamePassword><UserName>{_escape(name)}</UserName>"
        f"<Password>{_escape(password)}</Password></AuthenticateUsernamePassword>",
        soap=soap,
    )


def change_own(ticket: str, old: str, new: str, soap: str = S11) -> str:
    """Write a call of ChangeOwnPassword."""
    return envelope(
        f"<ChangeOwnPassword><OldPassword>{_escape(old)}</OldPassword>"
        f"<NewPassword>{_escape(new)}</NewPassword></ChangeOwnPassword>",
        credentials(ticket),
        soap,
    )


@contextmanager
def running(
    database: str, clock: Clock | None = None, *, strict_sites: bool = False, **settings: Any
) -> Iterator[RunningServer]:
    """Run a real server on a real database.

    :param settings: Settings by name, over those of a server on a free loopback port.
    """
    chosen = load(
        {
            "port": 0,
            "database": database,
            "password_policy": "vendor",
            **settings,
        }
    )
    listening = listen(chosen)
    host, port = listening.getsockname()[:2]
    identity = identity_of(chosen, clock)

    async def alike(_: Tenant) -> Identity:
        return identity

    routes = [
        *page_routes(chosen, identity, alike if strict_sites else None),
        *routes_of(chosen, identity, strict_sites=strict_sites),
    ]
    connections = connections_of(chosen)
    loops: list[asyncio.AbstractEventLoop] = []
    ready = threading.Event()

    @asynccontextmanager
    async def started() -> AsyncIterator[None]:
        ready.set()  # its first look at the database is over, which would be in a test's way
        yield

    app = application(chosen, identity, routes, started, connections=connections)
    uvicorn_server = server(chosen, app, connections)

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await uvicorn_server.serve(sockets=[listening])

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield RunningServer(host, port, identity, loops[0], database)
    finally:
        uvicorn_server.should_exit = True
        thread.join(20)


Starter = Callable[..., RunningServer]
