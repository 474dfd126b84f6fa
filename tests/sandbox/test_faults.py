"""Every fault, as a client sees it on a real connection."""

import asyncio
import http.client
import socket
import time

import pytest
from lxml import etree

from services88.testing import (
    Busy,
    Delay,
    EmptyReply,
    ExceptionInfo,
    ExpiredTicket,
    HttpStatus,
    Reset,
    Services88,
    SoapFault,
    TruncatedXml,
    Works,
    in_process,
)
from tests.running import S12, sign_in
from tests.sandbox.posting import change, exchange, get_ticket, post

SIGN_IN = "AuthenticateUsernamePassword"
CHANGE = "ChangeOwnPassword"


@pytest.fixture
def jane(services88: Services88) -> Services88:
    services88.add_user("JANE", password="old")
    return services88


def test_a_sequence_busy_then_fine(jane: Services88) -> None:
    ticket = get_ticket(jane, "JANE", "old")
    jane.fault([Busy(retry_after=3), Works()], CHANGE)
    first = change(jane, ticket, "old", "new")
    assert (first.status, first.headers["retry-after"]) == (503, "3")
    assert "busy" in (first.fault or "")
    assert jane.accepts("JANE", "old")
    assert exchange(jane).fault == "busy"
    assert change(jane, ticket, "old", "new").text("Response") == "true"
    assert jane.faults()[0].spent
    assert exchange(jane).fault is None


def test_reset(jane: Services88) -> None:
    jane.fault(Reset(), SIGN_IN)
    with pytest.raises(ConnectionResetError):
        post(jane, "SoPrincipal", sign_in("JANE", "old"))
    (call,) = jane.calls(SIGN_IN)
    assert (call.outcome, call.status, call.fault) == ("broken", None, "reset")
    assert jane.user("JANE").tickets == 0
    assert get_ticket(jane, "JANE", "old")


def test_reset_after_the_call_loses_only_the_answer(jane: Services88) -> None:
    ticket = get_ticket(jane, "JANE", "old")
    jane.fault(Reset(after_call=True), CHANGE)
    with pytest.raises(ConnectionResetError):
        change(jane, ticket, "old", "new")
    assert jane.accepts("JANE", "new")


def test_the_connection_ends_without_a_byte(jane: Services88) -> None:
    jane.fault(EmptyReply())
    with pytest.raises(http.client.RemoteDisconnected):
        post(jane, "SoPrincipal", sign_in("JANE", "old"))
    assert exchange(jane).reason == "the connection was closed"
    jane.fault(EmptyReply())
    host, port = jane.server_url.removeprefix("http://").split(":")
    body = sign_in("JANE", "old").encode()
    with socket.create_connection((host, int(port)), timeout=30) as raw:
        path = f"/{jane.tenant}/Remote/Services88/SoPrincipal.svc"
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/xml\r\n"
        raw.sendall(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert raw.recv(100) == b""


def test_truncated_xml(jane: Services88) -> None:
    jane.fault(TruncatedXml(keep=0.7), SIGN_IN)
    reply = post(jane, "SoPrincipal", sign_in("JANE", "old"))
    assert reply.status == 200
    assert len(reply.content) == int(reply.headers["content-length"])
    with pytest.raises(etree.XMLSyntaxError):
        _ = reply.root
    assert exchange(jane).outcome == "broken"
    assert jane.user("JANE").tickets == 1


def test_http_status(jane: Services88) -> None:
    jane.fault(HttpStatus(status=502, body="bad gateway", retry_after=9), SIGN_IN)
    reply = post(jane, "SoPrincipal", sign_in("JANE", "old"))
    assert (reply.status, reply.content) == (502, b"bad gateway")
    assert reply.headers["retry-after"] == "9"
    call = exchange(jane)
    assert (call.outcome, call.reason, call.status) == ("http", "bad gateway", 502)


@pytest.mark.parametrize(("code", "status"), [("client", 400), ("server", 500)])
def test_soap_fault(jane: Services88, code: str, status: int) -> None:
    fault = SoapFault.model_validate({"code": code, "reason": "as ordered"})
    jane.fault(fault, SIGN_IN, times=2)
    reply = post(jane, "SoPrincipal", sign_in("JANE", "old"))
    assert (reply.status, reply.fault) == (500, "as ordered")
    message = sign_in("JANE", "old", S12)
    reply = post(jane, "SoPrincipal", message, "application/soap+xml; charset=utf-8")
    assert (reply.status, reply.fault) == (status, "as ordered")
    assert reply.headers["content-type"].startswith("application/soap+xml")
    assert jane.count(outcome="fault") == 2


def test_exception_info_of_a_chosen_type(jane: Services88) -> None:
    wanted = ExceptionInfo(exception_type="Our.Own", message="no", parameters={"Why": "so"})
    jane.fault(wanted, SIGN_IN)
    reply = post(jane, "SoPrincipal", sign_in("JANE", "old"))
    assert (reply.status, reply.text("Succeeded")) == (200, "false")
    assert (reply.text("ExceptionType"), reply.text("Message")) == ("Our.Own", "no")
    assert b"<h:Key>Why</h:Key><h:Value>so</h:Value>" in reply.content
    call = exchange(jane)
    assert (call.outcome, call.exception_type, call.reason) == ("refused", "Our.Own", "no")


def test_expired_ticket(jane: Services88) -> None:
    ticket = get_ticket(jane, "JANE", "old")
    jane.fault(ExpiredTicket(), CHANGE)
    reply = change(jane, ticket, "old", "new")
    assert reply.text("ExceptionType") == "SuperOffice.Exceptions.SoSessionException"
    assert change(jane, ticket, "old", "new").text("Response") == "true"


def test_delay(jane: Services88) -> None:
    jane.fault(Delay(seconds=0.2), SIGN_IN)
    before = time.perf_counter()
    assert get_ticket(jane, "JANE", "old")
    assert time.perf_counter() - before >= 0.2
    assert exchange(jane).duration_ms >= 200
    assert exchange(jane).succeeded


def test_the_nth_call_of_a_user_again_and_again(jane: Services88) -> None:
    jane.add_user("JOHN", password="old")
    jane.fault([HttpStatus(status=500), Works()], SIGN_IN, user="jane", nth=2, times=None)
    jane_got = [post(jane, "SoPrincipal", sign_in("JANE", "old")).status for _ in range(6)]
    assert jane_got == [200, 500, 200, 500, 200, 500]
    assert post(jane, "SoPrincipal", sign_in("JOHN", "old")).status == 200
    jane.clear_faults()
    assert post(jane, "SoPrincipal", sign_in("JANE", "old")).status == 200


def test_what_answers_an_operation_needs_one(jane: Services88) -> None:
    jane.fault(ExceptionInfo())
    reply = post(jane, "SoPrincipal", "<no-envelope/>")
    assert reply.fault is not None
    assert exchange(jane).fault is None


def test_without_a_connection_there_is_an_error() -> None:
    async def work() -> None:
        async with in_process() as sandbox:
            await sandbox.services88.fault(Reset())
            with pytest.raises(ConnectionResetError):
                await sandbox.client.post(sandbox.services88.service("User"), content="x")

    asyncio.run(work())
