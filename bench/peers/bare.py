"""The bound: an ASGI application that does nothing but parse a call, look at it and answer.

It checks nothing and asks no database. With BENCH_HASHING set to a number, so many threads hash
passwords beside it, without end.
"""

import os
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import argon2
from lxml import etree

__all__ = ["application"]

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)
_SPACE = "http://www.superoffice.net/ws/crm/NetServer/Services88"
_NUMBER = f"{{{_SPACE}}}AssociateId"
_TICKET = f"{{{_SPACE}}}Ticket"

Message = MutableMapping[str, Any]


async def application(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Answer a call of CanChangePassword."""
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = _answer(body)
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"text/xml; charset=utf-8"),
                (b"content-length", str(len(answer)).encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": answer})


def _answer(body: bytes) -> bytes:
    root = etree.fromstring(body, _PARSER)
    ticket = number = None
    for part in root:
        for child in part:
            for value in child:
                if value.tag == _TICKET:
                    ticket = value.text
                elif value.tag == _NUMBER:
                    number = value.text
    may = ticket is not None and int(number or 0) > 0
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<CanChangePasswordResponse xmlns="{_SPACE}">'
        f"<Response>{'true' if may else 'false'}</Response>"
        "</CanChangePasswordResponse></s:Body></s:Envelope>"
    ).encode()


def _hash_without_end() -> None:
    hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
    while True:
        hasher.hash("a password that is hashed again and again")


for _ in range(int(os.environ.get("BENCH_HASHING", "0"))):
    threading.Thread(target=_hash_without_end, daemon=True).start()
