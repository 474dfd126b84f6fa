"""Logs: one line an event on standard error, for people or as JSON.

Modules log through the standard library, with fields in ``extra``; structlog makes the lines. It is
imported with the first line, so that it does not make the start longer.
"""

import asyncio
import json
import logging
import sys
import time
from collections.abc import MutableMapping
from contextlib import nullcontext
from functools import lru_cache
from io import StringIO
from typing import Any, TextIO

from services88.identity.names import escaped
from services88.settings import Settings
from services88.web.requests import request_id

__all__ = ["CallRecord", "Lines", "configure", "flush", "formatter"]


class CallRecord(logging.LogRecord):
    """The record of a call: one for each, so it must cost little.

    It does without what the library finds out for every record (file, line, thread, process), which
    no line of ours shows.
    """

    def __init__(
        self,
        logger: str,
        *,
        tenant: str | None,
        agent: str,
        operation: str | None,
        outcome: str,
        status: int,
        duration_ms: float,
        reason: str | None,
    ) -> None:
        """Make the record of a call that was answered just now."""
        now = time.time()
        self.__dict__ = made = {
            **_LIKE_EVERY_RECORD,
            "name": logger,
            "created": now,
            "msecs": now % 1 * 1000,
            "tenant": tenant,
            "agent": agent,
            "operation": operation,
            "outcome": outcome,
            "status": status,
            "duration_ms": duration_ms,
        }
        if reason:
            made["reason"] = reason
        of = request_id.get()
        if of:
            made["request_id"] = of

    def as_json(self) -> str:
        """Write the line that structlog would write, in a tenth of the time."""
        told = self.__dict__
        same = _beginning(
            told["tenant"], told["agent"], told["operation"], told["outcome"], told["status"]
        )
        reason = f', "reason": {json.dumps(told["reason"])}' if "reason" in told else ""
        of = f', "request_id": "{told["request_id"]}"' if "request_id" in told else ""
        return (
            f'{same}, "duration_ms": {told["duration_ms"]}{reason}{of}, "level": "info", '
            f'"logger": "{self.name}", "timestamp": "{_instant(self.created)}"}}'
        )


_LIKE_EVERY_RECORD = logging.makeLogRecord(
    {"msg": "call", "levelno": logging.INFO, "levelname": "INFO"}
).__dict__


@lru_cache(1024)
def _beginning(
    tenant: str | None, agent: str, operation: str | None, outcome: str, status: int
) -> str:
    told = {"tenant": tenant, "agent": agent, "operation": operation}
    return json.dumps({"event": "call", **told, "outcome": outcome, "status": status})[:-1]


def _instant(seconds: float) -> str:
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1_000_000):06d}Z"


@lru_cache(16)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


class _Stream(logging.StreamHandler[TextIO]):
    """Writes lines at once, but for those of calls: these a moment later, many together.

    They stay in order: any other line is written after those that wait, and what waits when the
    program ends is written then. A process that is killed has not told of its last moment; what
    must not be lost stands in the audit trail.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._waiting: list[CallRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record's line, or let it wait."""
        if not isinstance(record, CallRecord):
            if self._waiting:
                self.flush()
            super().emit(record)
            return
        self._waiting.append(record)
        if len(self._waiting) == 1:
            try:
                asyncio.get_running_loop().call_later(_MOMENT, self.flush)
            except RuntimeError:  # nobody would come back to it
                self.flush()
        elif len(self._waiting) >= _MANY:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        with self.lock or nullcontext():
            waiting, self._waiting = self._waiting, []
            if waiting:
                try:
                    self.stream.write("".join(f"{self.format(one)}\n" for one in waiting))
                except Exception:
                    self.handleError(waiting[0])
            super().flush()


_MOMENT = 0.05
_MANY = 1000


def configure(settings: Settings) -> None:
    """Log as the settings say, uvicorn's own errors too."""
    handler = _Stream(sys.stderr)
    style = settings.log_format
    handler.setFormatter(Lines(as_json=style == "json" or (style == "auto" and not _on_terminal())))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, logging.root.level))


def flush() -> None:
    """Write what waits to be written."""
    for handler in logging.root.handlers:
        handler.flush()


def _on_terminal() -> bool:
    return sys.stderr.isatty()


class Lines(logging.Formatter):
    """Makes lines: those of calls by itself, the others by structlog."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json
        self._made: logging.Formatter | None = None

    def format(self, record: logging.LogRecord) -> str:
        """Make the line of a record."""
        if self._as_json and isinstance(record, CallRecord):
            return record.as_json()
        if self._made is None:
            self._made = formatter(as_json=self._as_json)
        return self._made.format(record)


def formatter(*, as_json: bool) -> logging.Formatter:
    """Make what turns records into lines."""
    import structlog

    last: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        # A traceback as text, without the values of variables: those may be secrets.
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        last.append(_escape)
        last.append(
            structlog.dev.ConsoleRenderer(
                colors=_on_terminal(), exception_formatter=_write_traceback
            )
        )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.ExtraAdder(),
            _add_request_id,
            _add_timestamp,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
        ],
        processors=last,
    )


def _escape(
    logger: Any,  # noqa: ARG001
    name: str,  # noqa: ARG001
    event: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    """Escape what cannot be seen in values: a name or an error can hold what strangers sent."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = escaped(value.rstrip("\n"))
    return event


def _write_traceback(stream: TextIO, raised: Any) -> None:
    import structlog

    plain = StringIO()
    structlog.dev.plain_traceback(plain, raised)
    stream.write(escaped(plain.getvalue(), keep="\n\t"))


def _add_request_id(
    logger: Any,  # noqa: ARG001 - the signature is structlog's
    name: str,  # noqa: ARG001
    event: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    of = request_id.get()
    if of:
        event.setdefault("request_id", of)  # a call's line is made when another may be under way
    return event


def _add_timestamp(
    logger: Any,  # noqa: ARG001
    name: str,  # noqa: ARG001
    event: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    event["timestamp"] = _instant(event["_record"].created)
    return event
