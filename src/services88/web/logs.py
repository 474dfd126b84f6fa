"""Logs: one line an event on standard error, for people or as JSON.

Modules log through the standard library, with fields in ``extra``; structlog makes the lines. It is
imported with the first line, so that it does not make the start longer.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

from services88.settings import Settings
from services88.web.requests import request_id

__all__ = ["configure", "formatter"]


def configure(settings: Settings) -> None:
    """Log as the settings say, uvicorn's own errors too."""
    handler = logging.StreamHandler(sys.stderr)
    style = settings.log_format
    handler.setFormatter(
        _Lines(as_json=style == "json" or (style == "auto" and not _on_terminal()))
    )
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, logging.root.level))


def _on_terminal() -> bool:
    return sys.stderr.isatty()


class _Lines(logging.Formatter):
    """Passes records on to structlog."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json
        self._made: logging.Formatter | None = None

    def format(self, record: logging.LogRecord) -> str:
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
        last.append(
            structlog.dev.ConsoleRenderer(
                colors=_on_terminal(), exception_formatter=structlog.dev.plain_traceback
            )
        )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.ExtraAdder(),
            _add_request_id,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=last,
    )


def _add_request_id(
    logger: Any,  # noqa: ARG001 - the signature is structlog's
    name: str,  # noqa: ARG001
    event: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    of = request_id.get()
    if of:
        event["request_id"] = of
    return event
