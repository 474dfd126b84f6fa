"""A world is a tenant with all that a sandbox adds: a clock, a journal, faults, snapshots."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from services88.identity import tenants, tickets
from services88.identity.errors import BadInput
from services88.identity.identity import Identity
from services88.identity.names import key_of
from services88.sandbox.clock import SandboxClock
from services88.sandbox.faults import Faults
from services88.sandbox.journal import Cleared, Exchange, Journal
from services88.sandbox.masking import mask_text
from services88.sandbox.models import Options
from services88.sandbox.reading import Reading
from services88.sandbox.refused_sign_ins import Listening
from services88.sandbox.snapshots import Snapshot, Snapshots
from services88.settings import Settings
from services88.store import associates, credentials, tenant_rows
from services88.store.database import Connection
from services88.store.tenant_rows import TenantRows
from services88.store.tenants import Tenant
from services88.web.application import service_route
from services88.web.services import ServiceRoute

__all__ = ["Sandbox", "World"]

T = TypeVar("T")


class World:
    """One tenant. The domain it works on is the sandbox's, with a clock of its own."""

    def __init__(
        self,
        tenant: Tenant,
        identity: Identity,
        settings: Settings,
        tell: Callable[[Exchange | Cleared], None],
    ) -> None:
        self.tenant = tenant
        self.clock = SandboxClock(identity.clock)
        self.identity = replace(identity, clock=self.clock, observer=Listening(identity.observer))
        self.journal = Journal(tenant.name, tell)
        self.faults = Faults()
        self._settings = settings
        self.options = Options(
            application_tokens=settings.installation == "online",
            password_refusals=settings.password_refusals,
            administrators_may_choose_passwords=settings.administrators_may_choose_passwords,
            allow_admin_blank_old_password=settings.allow_admin_blank_old_password,
        )
        self.services = self._route()
        self.snapshots = Snapshots()
        self.leaving = False
        """Whether it is about to be deleted: no call begins any more."""
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Let a call be carried out; the tenant is not deleted meanwhile."""
        self._calls += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    async def leave(self) -> None:
        """Let no call begin any more, and wait for those under way."""
        self.leaving = True
        await self._idle.wait()

    def choose(self, **changes: object) -> Options:
        """Change options of the operator's; what is None stays."""
        given = {name: value for name, value in changes.items() if value is not None}
        self.options = self.options.model_copy(update=given)
        self.services = self._route()
        return self.options

    async def begin(self) -> None:
        """Keep how things are now as what a reset leads back to."""
        self.snapshots.first = await self._take()

    async def keep(self, name: str) -> None:
        """Keep how things are now under a name; an earlier one of that name is forgotten.

        :raises BadInput: There are too many, or the name is too long.
        """
        self.snapshots.check(name)
        self.snapshots.add(name, await self._take())

    async def restore(self, name: str) -> None:
        """Put back how things were.

        :raises LookupError: There is no snapshot of that name.
        """
        await self._put_back(self.snapshots.get(name))

    async def reset(self) -> None:
        """Put back how things were in the beginning; forget the journal and all snapshots."""
        if self.snapshots.first is not None:
            await self._put_back(self.snapshots.first)
        self.snapshots.clear()
        self.journal.clear()

    async def _take(self) -> Snapshot:
        async def work(connection: Connection) -> TenantRows:
            return await tenant_rows.read(connection, self.tenant.tenant_id)

        rows = await self.identity.database.transaction(work)
        clock = self.clock.state() if self.clock.moved else None  # None: the machine's time
        return Snapshot(rows, clock, self.options, self.faults.kept())

    async def _put_back(self, snapshot: Snapshot) -> None:
        async def work(connection: Connection) -> None:
            await tenant_rows.replace(connection, self.tenant.tenant_id, snapshot.rows)

        await self.identity.database.transaction(work)
        self.clock.restore(snapshot.clock)
        self.choose(**snapshot.options.model_dump())
        self.faults.restore(snapshot.faults)

    def _route(self) -> ServiceRoute:
        chosen = self.options.model_dump()
        online = chosen.pop("application_tokens")
        settings = self._settings.model_copy(
            update={**chosen, "installation": "online" if online else "onsite"}
        )
        return service_route(settings, self.identity, strict_sites=True)

    async def caller(self, reading: Reading) -> str | None:
        """Say who makes a call: by the ticket, or the name that would sign in."""
        if reading.name is not None:
            shown = mask_text(reading.name, reading.secrets)
            if shown == reading.name or await self._is_user(reading.name):
                return reading.name
            return shown  # a secret was typed in place of the name
        ticket = tickets.parse(reading.ticket or "")
        if ticket is None:
            return None
        database = self.identity.database
        row = await credentials.ticket(database, self.tenant.tenant_id, ticket.key)
        return row.name if row else None

    async def _is_user(self, name: str) -> bool:
        database, tenant = self.identity.database, self.tenant.tenant_id
        return await associates.by_name(database, tenant, key_of(name)) is not None


class Sandbox:
    """All worlds of one server."""

    def __init__(
        self, identity: Identity, settings: Settings, *, keep_secrets: bool = False
    ) -> None:
        """Make the sandbox of a domain.

        :param keep_secrets: Whether the journal holds passwords and tickets as they were sent.
        """
        self.identity, self.settings = identity, settings
        self.keep_secrets = keep_secrets
        self.worlds: dict[str, World] = {}
        self._default: str | None = None
        self._numbers = itertools.count(1)
        self._followers: set[asyncio.Queue[Exchange | Cleared]] = set()
        self.stopping: Callable[[], bool] = lambda: False
        """Whether the server is about to end: nobody follows then any more."""

    async def load(self) -> None:
        """Find the tenants that are there already."""
        for tenant in await tenants.listing(self.identity):
            await self._take_in(tenant)

    async def _take_in(self, tenant: Tenant) -> World:
        key = key_of(tenant.name)
        known = self.worlds.get(key)
        if known is not None:
            return known
        world = World(tenant, self.identity, self.settings, self._tell)
        await world.begin()
        if tenant.is_default:
            self._default = key
        return self.worlds.setdefault(key, world)

    async def world(self, name: str | None) -> World | None:
        """Find a tenant's world by the segment of its addresses; the default one's where None."""
        if name is None:
            if self._default is None:
                await self._take_in(await tenants.default(self.identity))
            return self.worlds[self._default or ""]
        world = self.worlds.get(key_of(name))
        if world is not None:
            return world
        tenant = await tenants.find(self.identity, name)  # added by a command meanwhile
        return await self._take_in(tenant) if tenant else None

    async def named(self, name: str) -> World:
        """Find a tenant's world.

        :raises LookupError: There is no such tenant.
        """
        world = await self.world(name)
        if world is None or world.leaving:
            raise LookupError(f"There is no tenant {name}. GET /__sandbox/tenants lists them.")
        return world

    async def identity_of(self, tenant: Tenant) -> Identity:
        """Give the domain as a tenant has it, with the clock of its own."""
        return (await self.named(tenant.name)).identity

    async def add(self, name: str, *, company: str = "") -> World:
        """Add a tenant.

        :raises BadInput: The name is no segment of an address, or taken.
        """
        return await self._take_in(await tenants.add(self.identity, name, company=company))

    async def delete(self, name: str) -> None:
        """Delete a tenant with all it has.

        :raises LookupError: There is no such tenant.
        :raises BadInput: It is the default one, which every installation has.
        """
        world = await self.named(name)
        tenant = world.tenant
        if tenant.is_default:
            raise BadInput("The default tenant cannot be deleted. Reset it.")

        async def work(connection: Connection) -> None:
            await tenant_rows.delete_all(connection, tenant.tenant_id)

        try:
            await world.leave()
            await self.identity.database.transaction(work)
        except BaseException:
            world.leaving = False
            raise
        self.worlds.pop(key_of(name), None)

    async def unless_stopping(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Wait for what takes long; give it up, with None, where the server is about to end."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done() and not self.stopping():
                await asyncio.wait({task}, timeout=_LOOK_UP_SECONDS)
            return task.result() if task.done() else None
        finally:
            task.cancel()

    def next_number(self) -> int:
        """Give the number of the next exchange."""
        return next(self._numbers)

    def _tell(self, news: Exchange | Cleared) -> None:
        for waiting in self._followers:
            if waiting.full():  # nobody may stop the server by reading slowly
                waiting.get_nowait()
            waiting.put_nowait(news)

    async def follow(self, tenant: str | None = None) -> AsyncIterator[Exchange | Cleared]:
        """Give the news of one tenant's journal, or of all, from now on. Ends with the iterator."""
        waiting: asyncio.Queue[Exchange | Cleared] = asyncio.Queue(1000)
        self._followers.add(waiting)
        try:
            while not self.stopping():
                try:
                    news = await asyncio.wait_for(waiting.get(), _LOOK_UP_SECONDS)
                except TimeoutError:
                    continue
                if tenant is None or key_of(tenant) == key_of(news.tenant):
                    yield news
        finally:
            self._followers.discard(waiting)


_LOOK_UP_SECONDS = 1.0
