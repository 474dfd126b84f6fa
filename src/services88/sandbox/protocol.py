"""Connections that break on demand: the server's protocol, with a way to its transport."""

import asyncio
import socket
import struct
from functools import partial
from typing import Any

import uvicorn
from starlette.types import Receive, Scope

from services88.web.protocol import BoundedProtocol

__all__ = ["close", "let_connections_break", "reset"]

_EXTENSION = "services88.transport"


class _Breakable(BoundedProtocol):
    """Tells each call its transport."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: Any = self.scope
        scope["extensions"] = {_EXTENSION: self.transport}


def let_connections_break(server: uvicorn.Server) -> None:
    """Let the calls of a server, which does not run yet, break their connection."""
    config: Any = server.config
    limits = config.http.keywords if isinstance(config.http, partial) else {}
    config.http = partial(_Breakable, **limits)


def _transport(scope: Scope) -> asyncio.Transport:
    transport: asyncio.Transport | None = scope.get("extensions", {}).get(_EXTENSION)
    if transport is None:  # in one process with its client there is no connection
        raise ConnectionResetError("the sandbox was told to break this connection")
    return transport


async def reset(scope: Scope, receive: Receive) -> None:
    """Reset the connection: the client sees a TCP RST.

    :raises ConnectionResetError: There is no connection.
    """
    transport = _transport(scope)
    connection = transport.get_extra_info("socket")
    # To close without lingering is to send a RST.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _gone(receive)


async def close(scope: Scope, receive: Receive) -> None:
    """Close the connection without a byte.

    :raises ConnectionResetError: There is no connection.
    """
    _transport(scope).close()
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
