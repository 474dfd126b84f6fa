"""The services as a sandbox has them: the real endpoint, with faults before and a journal behind.

An exchange is in the journal before the client has its answer, so a test that looks there after its
call finds it.
"""

import asyncio
import re
import time
from collections import deque
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import quote

from lxml import etree
from starlette.routing import BaseRoute, Match
from starlette.types import Message, Receive, Scope, Send

from services88.agents.refusals import exception_info
from services88.contract import namespaces as ns
from services88.contract.headers import SoExceptionInfo
from services88.contract.messages import Answer
from services88.identity.errors import NotSignedIn, ServerBusy
from services88.sandbox import faults, refused_sign_ins
from services88.sandbox.journal import Exchange, Outcome
from services88.sandbox.masking import (
    MASK,
    mask_answer,
    mask_answer_headers,
    mask_headers,
    mask_message,
    mask_path,
    mask_query,
    mask_text,
)
from services88.sandbox.near_misses import miss
from services88.sandbox.protocol import close, reset
from services88.sandbox.reading import Reading, read
from services88.sandbox.worlds import Sandbox, World
from services88.soap.envelopes import write_answer
from services88.soap.faults import Code, Fault, write_fault
from services88.soap.versions import SOAP12
from services88.web import addresses
from services88.web.http import MAXIMUM_BODY, send_response
from services88.web.services import nothing_here

__all__ = ["SandboxServices"]

_SERVICE = re.compile(r"(?:/(?P<site>[^/]+))?/Remote/[^/]+/[^/]+\.svc(?:/.*)?", re.IGNORECASE)


_MOST_MISSES = 100
"""That are told of one message: a person reads no more, and a message can hold thousands."""


class SandboxServices(BaseRoute):
    """Answers at the addresses of the services, and at what was meant as one."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a request is for a service, or was meant to be."""
        if scope["type"] == "http" and _SERVICE.fullmatch(scope["path"]):
            return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let happen to it what was asked for."""
        started, received = time.perf_counter(), time.time_ns() // 1_000_000
        match = _SERVICE.fullmatch(scope["path"])
        site = match["site"] if match else None
        found = await self._sandbox.world(site)
        # What names no tenant stands in the journal of the default one.
        world = found or await self._sandbox.world(None)
        if world is None:
            raise LookupError("the database has no default tenant")
        at = world.clock.now()
        incoming = _Incoming(receive)
        await incoming.read()
        address = addresses.parse(scope["path"])
        headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"]]
        query = scope["query_string"].decode("latin-1")
        reading = read(
            address.agent if address else None,
            scope["method"],
            scope["path"],
            query,
            dict(headers),
            incoming.body,
            keep_secrets=self._sandbox.keep_secrets,
        )
        if found is None:
            reading.near_misses.append(
                miss("tenant-unknown", "the address names no tenant of this sandbox",
                     "the name of a tenant as its first segment", "404", accepted=False)
            )  # fmt: skip
        user = await world.caller(reading)
        operation = reading.operation
        effect: faults.Effect | None = None
        if scope["method"] == "POST" and address is not None and found is not None:
            effect = world.faults.next(operation.name if operation else None, user)
        answer = _Answer()
        call = _Call(self._sandbox, world, reading, {**scope, "service": address}, incoming)
        with refused_sign_ins.listening() as reasons:
            took_effect = await _perform(call, effect, answer)
        judged = _judge(answer, reading, reasons)
        keep = self._sandbox.keep_secrets
        world.journal.add(
            Exchange(
                id=self._sandbox.next_number(),
                tenant=world.tenant.name,
                at=at,
                received=received,
                duration_ms=round((time.perf_counter() - started) * 1000, 3),
                client=_client(scope, keep=keep),
                method=scope["method"],
                path=_path(scope["path"], query, found, keep=keep),
                request_headers=tuple(headers) if keep else mask_headers(headers),
                request=incoming.body if keep else _masked(incoming.body, reading),
                status=answer.status,
                response_headers=answer.headers if keep else mask_answer_headers(answer.headers),
                response=_kept(answer, reading, keep=keep),
                agent=reading.agent.name if reading.agent else None,
                operation=operation.name if operation else None,
                user=user,
                arguments=reading.arguments,
                outcome=judged.outcome,
                reason=judged.reason if keep else _reason(judged.reason, reading),
                exception_type=judged.exception_type,
                near_misses=tuple(reading.near_misses[:_MOST_MISSES]),
                fault=effect.kind if effect is not None and took_effect else None,
            ),
        )
        if answer.broken == "reset":
            await reset(scope, receive)
        elif answer.broken == "close":
            await close(scope, receive)
        else:
            for message in answer.messages:
                await send(message)


def _client(scope: Scope, *, keep: bool) -> str:
    client: str = scope["client"][0] if scope.get("client") else ""
    try:
        ip_address(client)
    except ValueError:  # X-Forwarded-For can hold anything
        return client if keep or not client else MASK
    return client


def _path(path: str, query: str, world: World | None, *, keep: bool) -> str:
    if keep:
        return quote(path) + (f"?{query}" if query else "")
    shown = mask_path(path, world.tenant.name if world else None)
    return shown + (f"?{mask_query(query)}" if query else "")


def _masked(body: bytes, reading: Reading) -> bytes:
    return mask_message(body, agent=reading.agent, charset=reading.charset, values=reading.secrets)


def _reason(reason: str | None, reading: Reading) -> str | None:
    return None if reason is None else mask_text(reason, reading.repeated)


def _kept(answer: "_Answer", reading: Reading, *, keep: bool) -> bytes:
    """Return what the journal holds of a response; of a WSDL, which is long, its beginning."""
    if reading.operation is None and (answer.status or 0) < 400:
        return answer.body[:_BEGINNING]
    if keep or not answer.is_xml:
        return answer.body
    masked = mask_answer(answer.whole, reading.operation, reading.agent, reading.repeated)
    return masked if answer.cut is None else masked[: int(len(masked) * answer.cut)]


_BEGINNING = 1024


class _Incoming:
    """A request's body, read once for us and given again to the endpoint."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._again: deque[Message] = deque()
        self.body = b""

    async def read(self) -> None:
        """Read the body, or as much of it as shows that it is too large."""
        parts: list[bytes] = []
        size, more, left = 0, True, False
        while more and size <= MAXIMUM_BODY:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                left = True
                break
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            more = message.get("more_body", False)
        self.body = b"".join(parts)
        self._again.append({"type": "http.request", "body": self.body, "more_body": more or left})
        if left:
            self._again.append({"type": "http.disconnect"})

    async def receive(self) -> Message:
        """Give what was read, then what comes."""
        return self._again.popleft() if self._again else await self._receive()


@dataclass(slots=True)
class _Answer:
    """What the endpoint would send."""

    messages: list[Message] = field(default_factory=list)
    broken: str | None = None
    """How the connection ends where there is no answer."""
    uncut: bytes = b""
    """The body before a part of it was cut off."""
    cut: float | None = None
    """The part that was left of it."""

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int | None:
        return self.messages[0]["status"] if self.messages and not self.broken else None

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        if not self.messages or self.broken:
            return ()
        pairs = self.messages[0]["headers"]
        return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs)

    @property
    def body(self) -> bytes:
        return b"" if self.broken else b"".join(m.get("body", b"") for m in self.messages[1:])

    @property
    def whole(self) -> bytes:
        return self.body if self.cut is None else self.uncut

    @property
    def is_xml(self) -> bool:
        return "xml" in dict(self.headers).get("content-type", "")


@dataclass(frozen=True, slots=True)
class _Call:
    sandbox: Sandbox
    world: World
    reading: Reading
    scope: Scope
    incoming: _Incoming

    async def carry_out(self, answer: _Answer) -> None:
        """Let the real endpoint answer."""
        if self.scope["service"] is None or self.world.leaving:
            await nothing_here(self.scope, self.incoming.receive, answer.send)
            return
        with self.world.calling():
            await self.world.services.handle(self.scope, self.incoming.receive, answer.send)

    async def refuse(self, answer: _Answer, refused: SoExceptionInfo) -> bool:
        """Answer with an ExceptionInfo; False where it is not known to what operation."""
        reading = self.reading
        if reading.operation is None or reading.agent is None:
            await self.carry_out(answer)
            return False
        payload = write_answer(
            reading.operation,
            reading.agent,
            reading.version,
            Answer(refused=refused),
            documented=reading.documented,
        )
        await self._xml(answer, 200, payload)
        return True

    async def fail(self, answer: _Answer, fault: Fault) -> None:
        """Answer with a SOAP fault."""
        version = self.reading.version
        wait = fault.retry_after
        headers = () if wait is None else (("retry-after", str(wait)),)
        await self._xml(answer, fault.status(version), write_fault(version, fault), headers)

    async def _xml(
        self,
        answer: _Answer,
        status: int,
        payload: bytes,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        media = f"{self.reading.media_type}; charset=utf-8"
        await send_response(answer.send, status, media, payload, headers)


async def _perform(call: _Call, effect: faults.Effect | None, answer: _Answer) -> bool:
    """Carry out a call as a fault would have it; say whether the fault took effect."""
    match effect:
        case None | faults.Works():
            await call.carry_out(answer)
            return False
        case faults.Delay(seconds=seconds):
            await call.sandbox.unless_stopping(asyncio.sleep(seconds))
            await call.carry_out(answer)
        case faults.Reset(after_call=done) | faults.EmptyReply(after_call=done):
            if done:
                await call.carry_out(_Answer())
            answer.broken = "reset" if isinstance(effect, faults.Reset) else "close"
        case faults.TruncatedXml(keep=keep):
            await call.carry_out(answer)
            await _truncate(answer, keep)
        case faults.HttpStatus():
            if effect.after_call:
                await call.carry_out(_Answer())
            wait = effect.retry_after
            await send_response(
                answer.send,
                effect.status,
                "text/plain; charset=utf-8",
                effect.body.encode(),
                () if wait is None else (("retry-after", str(wait)),),
            )
        case faults.SoapFault():
            code = Code.SENDER if effect.code == "client" else Code.RECEIVER
            await call.fail(answer, Fault(code, effect.reason))
        case faults.ExceptionInfo():
            return await call.refuse(
                answer,
                SoExceptionInfo(
                    message=effect.message,
                    friendly_text=effect.message,
                    exception_type=effect.exception_type,
                    source="services88",
                    parameters=dict(effect.parameters) or None,
                ),
            )
        case faults.ExpiredTicket():
            return await call.refuse(answer, exception_info(NotSignedIn(given=True)))
        case faults.Busy(retry_after=retry_after):
            said = str(ServerBusy(retry_after))
            await call.fail(answer, Fault(Code.RECEIVER, said, retry_after=retry_after))
    return True


async def _truncate(answer: _Answer, keep: float) -> None:
    """Leave a part of the answer, in an HTTP message that is whole."""
    body, status = answer.body, answer.status
    if status is None:
        return
    content_type = dict(answer.headers).get("content-type", "text/xml; charset=utf-8")
    part = body[: max(1, int(len(body) * keep))]
    answer.messages = []
    answer.uncut, answer.cut = body, keep
    await send_response(answer.send, status, content_type, part)


@dataclass(frozen=True, slots=True)
class _Judged:
    outcome: Outcome
    reason: str | None = None
    exception_type: str | None = None


def _judge(answer: _Answer, reading: Reading, reasons: list[str]) -> _Judged:
    """Say how an exchange ended, from the answer that the client gets.

    :param reasons: Why a sign-in was refused, which the answer does not tell.
    """
    if answer.status is None:
        why = {"reset": "the connection was reset", "close": "the connection was closed"}
        return _Judged("broken", why.get(answer.broken or "", "the client left"))
    if reading.operation is None and answer.status < 400:
        return _Judged("http")
    if not answer.is_xml:
        return _Judged("http", answer.body.decode("utf-8", "replace").strip() or None)
    try:
        root = etree.fromstring(answer.body)
    except etree.XMLSyntaxError:
        return _Judged("broken", "the answer was cut off")
    fault = root.findtext(".//faultstring") or root.findtext(f".//{{{SOAP12.namespace}}}Text")
    if fault is not None:
        return _Judged("fault", fault)
    space = f"{{{ns.SERVICES88}}}"
    header = root[0]
    if header.findtext(f"{space}Succeeded") == "false":
        info = header.find(f"{space}ExceptionInfo")
        if info is not None:
            return _Judged(
                "refused",
                info.findtext(f"{space}Message"),
                info.findtext(f"{space}ExceptionType"),
            )
    facts = {
        pair.findtext(f"{space}Key"): pair.findtext(f"{space}Value")
        for pair in header.iterfind(f"{space}ExtraInfo/{space}ExtraInfoNameValuePair")
    }
    if "Reason" in facts:
        return _Judged("refused", facts.get("Text") or facts["Reason"])
    if root.findtext(f".//{space}AuthenticationSucceeded") == "false":
        return _Judged("refused", refused_sign_ins.said(reasons))
    return _Judged("succeeded")
