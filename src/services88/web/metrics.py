"""Metrics for Prometheus, on a port of their own: each process of a server has its own.

Imported only where a metrics port is set. The figures of the domain come through the domain's
:class:`Observer`; what has a state (queue, outbox, pool) is read when Prometheus asks.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    start_http_server,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from services88.identity.errors import BadInput
from services88.identity.identity import Identity
from services88.identity.observer import Observer
from services88.settings import Settings
from services88.store import audit, outbox
from services88.store.errors import DatabaseUnavailable

__all__ = ["Metrics", "exposed"]

T = TypeVar("T")

_log = logging.getLogger("services88.metrics")

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_PATIENCE = 5.0


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
    """Reads what has a state, when asked. Runs on a thread of the metrics' own server."""

    def __init__(self, identity: Identity, loop: asyncio.AbstractEventLoop) -> None:
        self._identity = identity
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


@asynccontextmanager
async def exposed(settings: Settings, identity: Identity, worker: int = 0) -> AsyncIterator[None]:
    """Give the metrics of this process to whoever asks, on the port of the settings plus worker.

    :raises BadInput: The port cannot be had.
    """
    metrics, port = identity.observer, settings.metrics_port
    if not isinstance(metrics, Metrics) or port is None:
        yield
        return
    metrics.registry.register(_State(identity, asyncio.get_running_loop()))
    try:
        server, thread = start_http_server(
            port + worker, addr=settings.metrics_host, registry=metrics.registry
        )
    except (OSError, OverflowError) as error:
        raise BadInput(
            f"Cannot give metrics on {settings.metrics_host} port {port + worker}: {error}. "
            "Choose another with --metrics-port."
        ) from error
    _log.info("metrics are on %s port %d", settings.metrics_host, port + worker)
    try:
        yield
    finally:
        # Off the loop: an answer under way may still want it.
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        await asyncio.to_thread(thread.join)
