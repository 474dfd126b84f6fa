"""Connections that break on demand: uvicorn's protocol, with a way to its transport."""

import asyncio
import socket
import struct
from typing import Any

import uvicorn
from starlette.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["close", "let_connections_break", "reset"]

_EXTENSION = "services88.transport"


def let_connections_break(server: uvicorn.Server) -> None:
    """Let the calls of a server, which does not run yet, break their connection."""
    chosen = server.config.http
    base: Any = chosen if isinstance(chosen, type) else HttpToolsProtocol

    class Breakable(base):  # type: ignore[misc]
        """Tells each call its transport."""

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.scope.setdefault("extensions", {})[_EXTENSION] = self.transport

    server.config.http = Breakable


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
