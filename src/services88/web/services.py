"""The service endpoints: one call from HTTP to the domain and back."""

import logging
import time
from dataclasses import dataclass
from functools import cache
from xml.sax.saxutils import escape

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from services88.agents import Options, perform
from services88.contract import AGENTS
from services88.contract.messages import Answer, Request
from services88.identity import tenants
from services88.identity.errors import ServerBusy
from services88.identity.identity import Identity
from services88.soap.envelopes import Envelope, open_envelope, read_request, write_answer
from services88.soap.faults import Code, Fault, SoapError, write_fault
from services88.soap.versions import SOAP11, SOAP12
from services88.soap.wsdl import wsdl
from services88.soap.xml import ENCODINGS, NotAcceptable
from services88.soap.xml import parse as parse_xml
from services88.store.errors import DatabaseUnavailable
from services88.store.tenants import Tenant
from services88.web.addresses import ServiceAddress, base_url, parse
from services88.web.http import (
    RETRY_AFTER,
    HttpRefusal,
    MediaType,
    header,
    outage,
    read_body,
    send_response,
)
from services88.web.logs import CallRecord

__all__ = ["ServiceRoute", "Sites", "asks_for_wsdl", "nothing_here"]

_log = logging.getLogger("services88.calls")

_ELSEWHERE = (
    "There is nothing at this address. The services are at {}, "
    "after the name of the tenant where there are several: /TENANT/Remote/Services88/...\n"
).format(" and ".join(f"/Remote/Services88/{name}.svc" for name in AGENTS))


async def nothing_here(scope: Scope, _: Receive, send: Send) -> None:
    """Answer at an address that means nothing, and say where the services are."""
    await send_response(
        send,
        404,
        "text/plain; charset=utf-8",
        _ELSEWHERE.encode(),
        without_body=scope["method"] == "HEAD",
    )


@dataclass(frozen=True, slots=True)
class Sites:
    """How the segment of an address that names the tenant is taken.

    :ivar required: Whether there must be one (an Online installation).
    :ivar strict: Whether one that names no tenant is refused rather than the default tenant's.
    """

    required: bool = False
    strict: bool = False


class ServiceRoute(BaseRoute):
    """Answers at the addresses of the services, in any letter case."""

    def __init__(
        self,
        identity: Identity,
        options: Options,
        *,
        sites: Sites,
        public_url: str | None,
        wsdl: bool,
    ) -> None:
        """Serve a domain.

        :param public_url: What to write into the WSDL instead of the address the client used.
        :param wsdl: Whether ``?wsdl`` is answered (ASVS 13.4.5).
        """
        self._identity = identity
        self._options = options
        self._sites = sites
        self._public_url = public_url
        self._wsdl = wsdl
        self._default: Tenant | None = None  # it never changes, and is never deleted

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a request is for a service."""
        if scope["type"] == "http":
            address = parse(scope["path"])
            if address is not None:
                return Match.FULL, {"service": address}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        address: ServiceAddress = scope["service"]
        method = scope["method"]
        try:
            if method == "POST":
                scope["services88.started"] = time.perf_counter()
                await self._post(address, scope, receive, send)
                return
            await self._tenant(address)
            if method in ("GET", "HEAD") and asks_for_wsdl(scope) and self._wsdl:
                location = base_url(scope, self._public_url) + address.path
                await send_response(
                    send,
                    200,
                    "text/xml; charset=utf-8",
                    _wsdl_at(address.agent.name, location),
                    without_body=method == "HEAD",
                )
            else:
                raise HttpRefusal(
                    405,
                    "This is a SOAP service: POST a message"
                    + (", or GET its description with ?wsdl." if self._wsdl else "."),
                    [("allow", "POST, GET, HEAD" if self._wsdl else "POST")],
                )
        except (HttpRefusal, DatabaseUnavailable) as error:
            refusal = error if isinstance(error, HttpRefusal) else _gone(error)
            if method == "POST":
                seconds = time.perf_counter() - scope["services88.started"]
                self._tell(address, None, None, refusal.status, "fault", str(refusal), seconds)
            await send_response(
                send,
                refusal.status,
                "text/plain; charset=utf-8",
                f"{refusal}\n".encode(),
                refusal.headers,
                without_body=method == "HEAD",
            )
        except ConnectionError:
            _log.info("%s: the client left before there was an answer", address.agent.name)

    async def _tenant(self, address: ServiceAddress) -> Tenant:
        if address.site is not None:
            tenant = await tenants.find(self._identity, address.site)
            if tenant is not None:
                return tenant
            if self._sites.strict or self._sites.required:
                raise HttpRefusal(404, "The address names no tenant of this server.")
        elif self._sites.required:
            raise HttpRefusal(
                404, "The address must name a tenant: /{tenant}/Remote/Services88/..."
            )
        if self._default is None:
            self._default = await tenants.default(self._identity)
        return self._default

    async def _post(
        self, address: ServiceAddress, scope: Scope, receive: Receive, send: Send
    ) -> None:
        started = scope["services88.started"]
        media = MediaType.of(header(scope, b"content-type") or "")
        _check_media(media)
        body = await read_body(scope, receive)
        version = SOAP12 if media.name == SOAP12.media_type else SOAP11
        call = _Call(address, media, scope)
        tenant: Tenant | None = None
        request: Request | None = None
        try:
            envelope = call.open(body)
            version = envelope.version
            tenant = await self._tenant(address)
            request = call.read(envelope)
            answer = await perform(
                self._identity,
                self._options,
                tenant,
                address.agent,
                request,
                address=scope["client"][0] if scope.get("client") else "",
            )
            status, payload = (
                200,
                write_answer(
                    request.operation,
                    address.agent,
                    version,
                    answer,
                    documented=bool(envelope.documented),
                ),
            )
            (outcome, reason), retry_after = _outcome(answer), None
        except Exception as error:  # the last resort: a client never sees a traceback (ASVS 16.5.4)
            fault = _fault_of(error)
            if fault is None:
                raise
            status, payload = fault.status(version), write_fault(version, fault)
            outcome, reason, retry_after = "fault", fault.logged, fault.retry_after
        await send_response(
            send,
            status,
            f"{media.name}; charset=utf-8",
            payload,
            () if retry_after is None else (("retry-after", str(retry_after)),),
        )
        seconds = time.perf_counter() - started
        self._tell(address, tenant, request, status, outcome, reason, seconds)

    def _tell(
        self,
        address: ServiceAddress,
        tenant: Tenant | None,
        request: Request | None,
        status: int,
        outcome: str,
        reason: str | None,
        seconds: float,
    ) -> None:
        """Tell the log and the metrics of a call: one event each."""
        agent = address.agent.name
        operation = request.operation.name if request else ""
        self._identity.observer.call(agent, operation, outcome, seconds)
        if not _log.isEnabledFor(logging.INFO):
            return
        _log.handle(
            CallRecord(
                _log.name,
                tenant=tenant.name if tenant else None,
                agent=agent,
                operation=operation or None,
                outcome=outcome,
                status=status,
                duration_ms=round(seconds * 1000, 1),
                reason=reason,
            )
        )


@dataclass(slots=True)
class _Call:
    """A posted message and what HTTP says about it."""

    address: ServiceAddress
    media: MediaType
    scope: Scope

    def open(self, body: bytes) -> Envelope:
        try:
            root = parse_xml(body, self.media.charset)
        except NotAcceptable as error:
            raise SoapError(Fault(Code.SENDER, str(error))) from error
        envelope = open_envelope(root)
        if envelope.version is SOAP11 and self.media.name == SOAP12.media_type:
            raise HttpRefusal(
                415, "A SOAP 1.1 envelope is text/xml; application/soap+xml is for SOAP 1.2."
            )
        return envelope

    def read(self, envelope: Envelope) -> Request:
        action = (header(self.scope, b"soapaction") or "").strip().strip('"')
        return read_request(self.address.agent, envelope, action, self.media.action)


def _check_media(media: MediaType) -> None:
    if media.name not in (SOAP11.media_type, SOAP12.media_type):
        raise HttpRefusal(
            415, "Send the message as text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2)."
        )
    if media.charset is not None and media.charset not in ENCODINGS:
        raise HttpRefusal(415, "Send the message in UTF-8 or UTF-16.")


def _fault_of(error: Exception) -> Fault | None:
    match error:
        case HttpRefusal() | ConnectionError():
            return None
        case SoapError():
            return error.fault
        case ServerBusy():
            return Fault(Code.RECEIVER, str(error), retry_after=error.retry_after)
        case DatabaseUnavailable():
            return Fault(Code.RECEIVER, outage(error), retry_after=RETRY_AFTER)
        case _:
            _log.exception("a call failed")
            return Fault(
                Code.RECEIVER,
                "The server failed to carry out the call. Its log says why; ask its operator.",
            )


def _gone(error: DatabaseUnavailable) -> HttpRefusal:
    return HttpRefusal(503, outage(error), [("retry-after", str(RETRY_AFTER))])


def _outcome(answer: Answer) -> tuple[str, str | None]:
    if answer.refused is not None:
        return "refused", (answer.refused.exception_type or "").rpartition(".")[2]
    if answer.extra is not None:
        return "refused", answer.extra.get("Reason")
    return "done", None


def asks_for_wsdl(scope: Scope) -> bool:
    """Say whether a GET is for the description of the service."""
    name = scope["query_string"].decode("latin-1").partition("=")[0].partition("&")[0]
    return name.lower() in ("wsdl", "singlewsdl")


_SOMEWHERE = "http://address.invalid/"


@cache
def _wsdl_of(agent: str) -> bytes:
    return wsdl(AGENTS[agent], _SOMEWHERE)


def _wsdl_at(agent: str, location: str) -> bytes:
    # One document an agent is kept. The address is the client's to choose: it is put in each time.
    address = escape(location, {'"': "&quot;"})
    return _wsdl_of(agent).replace(_SOMEWHERE.encode(), address.encode(), 1)
