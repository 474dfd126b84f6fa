"""Bytes over a socket, for what a client library would make tidy before sending."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from tests.running import RunningServer


@dataclass
class RawReply:
    """An answer as it came: every header, in order, names in lower case."""

    status: int
    headers: list[tuple[str, str]]
    content: bytes

    def all(self, name: str) -> list[str]:
        return [value for found, value in self.headers if found == name]


@contextmanager
def connected(server: RunningServer) -> Iterator[BinaryIO]:
    """Connect, and give a file to write requests to and read answers from."""
    with (
        socket.create_connection((server.host, server.port), timeout=20) as connection,
        connection.makefile("rwb", buffering=0) as stream,
    ):
        yield stream  # type: ignore[misc]


def receive(stream: BinaryIO, *, bodiless: bool = False) -> RawReply:
    """Read one answer, exactly as long as its Content-Length says."""
    _, status, *_ = stream.readline().split(maxsplit=2)
    headers = []
    while line := stream.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers.append((name.lower(), value.strip()))
    reply = RawReply(int(status), headers, b"")
    (length,) = reply.all("content-length")
    while not bodiless and len(reply.content) < int(length):
        part = stream.read(int(length) - len(reply.content))
        assert part, "the answer is shorter than it says"
        reply.content += part
    return reply


def exchange(server: RunningServer, request: bytes, *, bodiless: bool = False) -> RawReply:
    """Send one request on a connection of its own."""
    with connected(server) as stream:
        stream.write(request)
        return receive(stream, bodiless=bodiless)


def request(
    line: str, *headers: str, body: bytes | str = b"", host: str | None = "localhost"
) -> bytes:
    """Write a request; a body brings its Content-Length."""
    content = body.encode() if isinstance(body, str) else body
    lines = [line, *headers]
    if host is not None:
        lines.insert(1, f"Host: {host}")
    if content:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content
