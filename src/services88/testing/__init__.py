"""For tests of a client: a real server in your test run, with test controls that no real one has.

pytest users need no import: the fixture ``services88`` is there once ``services88[testing]`` is
installed. Others use :func:`running`, :func:`running_async` or :func:`in_process`. See
``docs/testing.md``.
"""

from services88.identity.errors import BadInput
from services88.sandbox.embedding import (
    InProcess,
    SandboxServer,
    in_process,
    running,
    running_async,
    serving,
)
from services88.sandbox.faults import (
    Busy,
    Delay,
    EmptyReply,
    ExceptionInfo,
    ExpiredTicket,
    HttpStatus,
    Reset,
    SoapFault,
    TruncatedXml,
    Works,
)
from services88.sandbox.journal import Exchange, NearMiss
from services88.sandbox.services import AsyncServices88, Services88

__all__ = [
    "AsyncServices88",
    "BadInput",
    "Busy",
    "Delay",
    "EmptyReply",
    "ExceptionInfo",
    "Exchange",
    "ExpiredTicket",
    "HttpStatus",
    "InProcess",
    "NearMiss",
    "Reset",
    "SandboxServer",
    "Services88",
    "SoapFault",
    "TruncatedXml",
    "Works",
    "in_process",
    "running",
    "running_async",
    "serving",
]
