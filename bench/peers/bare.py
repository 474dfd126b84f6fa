"""The bound: an ASGI application that does nothing but parse a call, look at it and answer.

It does so with lxml, as one would: ``findtext`` to read, a tree to answer with. It checks nothing
and asks no database. With BENCH_HASHING set to a number, so many threads hash
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
_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_OURS = "{http://www.superoffice.net/ws/crm/NetServer/Services88}"

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
    ticket = root.findtext(f"{_SOAP}Header/{_OURS}Credentials/{_OURS}Ticket")
    number = root.findtext(f"{_SOAP}Body/{_OURS}CanChangePassword/{_OURS}AssociateId")
    may = ticket is not None and int(number or 0) > 0
    envelope = etree.Element(f"{_SOAP}Envelope", nsmap={"s": _SOAP[1:-1]})
    inside = etree.SubElement(envelope, f"{_SOAP}Body")
    answer = etree.SubElement(
        inside, f"{_OURS}CanChangePasswordResponse", nsmap={None: _OURS[1:-1]}
    )
    etree.SubElement(answer, f"{_OURS}Response").text = "true" if may else "false"
    return etree.tostring(envelope, xml_declaration=True, encoding="utf-8")


def _hash_without_end() -> None:
    hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
    while True:
        hasher.hash("a password that is hashed again and again")


for _ in range(int(os.environ.get("BENCH_HASHING", "0"))):
    threading.Thread(target=_hash_without_end, daemon=True).start()
