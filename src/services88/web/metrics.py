"""Metrics for Prometheus, on a port of their own: each process of a server has its own.

They are served as everything is, on the loop and with the same limits on what a connection may
take; the library's own server starts a thread for each connection, and has no limit on either.

Imported only where a metrics port is set. The figures of the domain come through the domain's
:class:`Observer`; what has a state (queue, outbox, pool) is read when Prometheus asks.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import uvicorn
from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from services88.identity.errors import BadInput
from services88.identity.identity import Identity
from services88.identity.observer import Observer
from services88.settings import Settings
from services88.store import audit, outbox
from services88.store.errors import DatabaseUnavailable
from services88.web.connections import Connections, Listener, Room, Visit
from services88.web.http import send_response
from services88.web.protocol import BoundedProtocol, ConnectionLimits

__all__ = ["Metrics", "exposed"]

T = TypeVar("T")

_log = logging.getLogger("services88.metrics")

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_PATIENCE = 5.0
_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MOST = 32
"""Connections to the port of the metrics: there are few who read them."""


class Metrics(Observer):
    """Counts what it is told. Labels are names of the contract only, so their number is bounded."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        names = ("agent", "operation")
        self._calls = Counter(
            "services88_calls", "Calls answered.", (*names, "outcome"), registry=self.registry
        )
        self._seconds = Histogram(
            "services88_call_seconds",
            "Time from the head of a request to its answer.",
            names,
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self._throttled = Counter(
            "services88_password_throttles",
            "Attempts at a password that had to wait.",
            registry=self.registry,
        )
        self._disabled = Counter(
            "services88_password_disablements",
            "Passwords disabled after too many wrong ones.",
            registry=self.registry,
        )
        self._broken = Counter(
            "services88_audit_breaks",
            "Audit trails found broken: their head was not written with the pepper.",
            registry=self.registry,
        )
        for collector in (GC_COLLECTOR, PLATFORM_COLLECTOR):
            self.registry.register(collector)
        ProcessCollector(registry=self.registry)
        # Finding a child by its labels takes a lock and costs more than counting.
        self._children: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}

    def call(self, agent: str, operation: str, outcome: str, seconds: float) -> None:
        """Count a call that was answered."""
        key = agent, operation, outcome
        found = self._children.get(key)
        if found is None:
            found = self._children[key] = (
                self._calls.labels(*key),
                self._seconds.labels(agent, operation),
            )
        found[0].inc()
        found[1].observe(seconds)

    def throttled(self) -> None:
        """Count an attempt that had to wait."""
        self._throttled.inc()

    def disabled(self) -> None:
        """Count a password that was disabled."""
        self._disabled.inc()

    def trail_broken(self) -> None:
        """Count an audit trail that was found broken."""
        self._broken.inc()


class _State(Collector):
    """Reads what has a state, when asked. Runs on a thread, beside the loop."""

    def __init__(
        self,
        identity: Identity,
        connections: Connections | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._identity = identity
        self._connections = connections
        self._loop = loop

    def describe(self) -> list[Metric]:
        """Give no names: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give the figures of now."""
        hashing, database = self._identity.hashing, self._identity.database
        yield GaugeMetricFamily("services88_hashing_running", "Hashes under way.", hashing.running)
        yield GaugeMetricFamily("services88_hashing_waiting", "Hashes waiting.", hashing.waiting)
        yield CounterMetricFamily(
            "services88_hashing_rejected", "Hashes refused: too many wait.", hashing.rejected
        )
        if self._connections is not None:
            yield from _of(self._connections)
        pool = GaugeMetricFamily(
            "services88_database_connections", "Connections of this process.", labels=["state"]
        )
        for state, number in database.connections().items():
            pool.add_metric([state], number)
        yield pool
        counts = self._read(outbox.counts(self._identity.database))
        yield GaugeMetricFamily("services88_database_up", "Whether it answers.", bool(counts))
        if counts:
            waiting, failing = counts
            yield GaugeMetricFamily("services88_outbox_waiting", "Mails that are owed.", waiting)
            yield GaugeMetricFamily(
                "services88_outbox_failing", "Of them, those that failed before.", failing
            )

            heads = GaugeMetricFamily(
                "services88_audit_head", "Number of the last audit event.", labels=["tenant"]
            )
            for each in self._read(audit.heads(self._identity.database)) or ():
                heads.add_metric([each.tenant.name], each.head.sequence)
            yield heads

    def _read(self, reading: Coroutine[Any, Any, T]) -> T | None:
        future = asyncio.run_coroutine_threadsafe(reading, self._loop)
        try:
            return future.result(_PATIENCE)
        except (DatabaseUnavailable, TimeoutError):
            future.cancel()
            return None
        except Exception:  # the other figures are given all the same
            _log.exception("figures cannot be read from the database")
            return None


def _of(connections: Connections) -> Iterator[Metric]:
    yield GaugeMetricFamily("services88_connections", "Connections of clients.", connections.number)
    refused = CounterMetricFamily(
        "services88_connections_refused",
        "Connections refused, or closed before they were idle.",
        labels=["reason"],
    )
    for reason, number in connections.refused.items():
        refused.add_metric([reason], number)
    yield refused


class _Exposition:
    """The application on the port of the metrics.

    However many ask at once, the figures are gathered once for all of them.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._gathering: asyncio.Task[bytes] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer a request."""
        if scope["path"] not in ("/", "/metrics"):
            await send_response(send, 404, "text/plain; charset=utf-8", b"See /metrics.\n", ())
            return
        if scope["method"] not in ("GET", "HEAD"):
            allowed = (("allow", "GET, HEAD"),)
            await send_response(send, 405, "text/plain; charset=utf-8", b"GET this.\n", allowed)
            return
        if self._gathering is None:
            gathered = asyncio.to_thread(generate_latest, self._registry)
            self._gathering = asyncio.create_task(gathered)
            self._gathering.add_done_callback(self._forget)
        content = await asyncio.shield(self._gathering)
        await send_response(
            send, 200, _MEDIA_TYPE, content, (), without_body=scope["method"] == "HEAD"
        )

    def _forget(self, _: asyncio.Task[bytes]) -> None:
        self._gathering = None


@asynccontextmanager
async def exposed(
    settings: Settings,
    identity: Identity,
    worker: int = 0,
    connections: Connections | None = None,
) -> AsyncIterator[None]:
    """Serve the metrics of this process, on the port of the settings plus worker.

    :param connections: Those of clients, which are counted.
    :raises BadInput: The port cannot be had.
    """
    metrics, port = identity.observer, settings.metrics_port
    if not isinstance(metrics, Metrics) or port is None:
        yield
        return
    metrics.registry.register(_State(identity, connections, asyncio.get_running_loop()))
    host, port = settings.metrics_host, port + worker
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise BadInput(
            f"Cannot give metrics on {host} port {port}: {error}. "
            "Choose another with --metrics-port."
        ) from error
    limits = ConnectionLimits(
        header_seconds=settings.header_seconds,
        body_seconds=settings.body_seconds,
        idle_seconds=settings.idle_seconds,
    )
    config = uvicorn.Config(_Exposition(metrics.registry), log_config=None, access_log=False)
    config.load()
    state = ServerState()
    make = partial(BoundedProtocol, config, state, {}, limits=limits)

    def protocol(visit: Visit) -> BoundedProtocol:
        return make(visit=visit)

    with listening:
        listener = Listener(listening, Connections(Room(_MOST)), protocol)
        _log.info("metrics are on %s port %d", host, port)
        try:
            yield
        finally:
            listener.close()
            for one in list(state.connections):
                one.shutdown()
            if state.tasks:  # an answer under way may still want the database
                await asyncio.wait(state.tasks, timeout=_PATIENCE)
            for one in list(state.connections):
                one.transport.close()
