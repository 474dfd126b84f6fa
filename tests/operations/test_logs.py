"""One event a call, with the id that the answer carries; no noise; JSON or console."""

import http.client
import json
import logging
import re
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from services88.web import logs
from services88.web.requests import request_id
from tests.programs import Program, serving
from tests.running import RunningServer, sign_in

PATH = "/Remote/Services88/SoPrincipal.svc"


def _post(server: Program, body: str, **headers: str) -> str:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    named = {"Content-Type": "text/xml", **{k.replace("_", "-"): v for k, v in headers.items()}}
    connection.request("POST", PATH, body.encode(), named)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.headers["X-Request-Id"]


def _events(server: Program, request_id: str) -> list[dict[str, Any]]:
    server.wait_for(re.escape(request_id))
    lines = [json.loads(line) for line in server.said.splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("request_id") == request_id]


def test_each_call_is_one_event_in_json(folder: Path) -> None:
    with serving("--log-format", "json", folder=folder) as server:
        done = _post(server, sign_in("NOBODY", "a password of nobody's"))
        (event,) = _events(server, done)
        assert event["event"] == "call"
        assert (event["tenant"], event["agent"]) == ("default", "SoPrincipal")
        assert event["operation"] == "AuthenticateUsernamePassword"
        assert (event["outcome"], event["status"], event["level"]) == ("done", 200, "info")
        assert event["duration_ms"] > 0
        assert "a password of nobody's" not in server.said

        (event,) = _events(server, _post(server, "<nothing/>"))
        assert (event["outcome"], event["status"], event["operation"]) == ("fault", 500, None)
        (event,) = _events(server, _post(server, "x", Content_Type="image/png"))
        assert (event["outcome"], event["status"]) == ("fault", 415)


def test_health_is_not_logged_and_warning_hides_calls(folder: Path) -> None:
    with serving("--log-format", "json", folder=folder) as server:
        connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
        for path in ("live", "ready"):
            connection.request("GET", f"/-/health/{path}")
            connection.getresponse().read()
        connection.close()
        _events(server, _post(server, "<nothing/>"))
        assert server.said.count('"event"') == 1
    with serving("--log-level", "warning", folder=folder) as server:
        _post(server, "<nothing/>")
    assert '"call"' not in server.said


def test_the_console_is_for_people(folder: Path) -> None:
    with serving("--log-format", "console", folder=folder) as server:
        given = _post(server, sign_in("NOBODY", "x"))
        server.wait_for(given)
        assert "operation=AuthenticateUsernamePassword" in server.said
        assert '{"' not in server.said


def test_a_trusted_proxy_gives_the_id(shared_server: RunningServer) -> None:
    reply = shared_server.post("User", "<x/>", X_Request_Id="from-the.proxy_1")
    assert reply.headers["x-request-id"] == "from-the.proxy_1"


@pytest.mark.parametrize("bad", ["", "a b", "x" * 65, '"}', "é", "%0a"])
def test_an_id_that_is_none_is_not_taken(shared_server: RunningServer, bad: str) -> None:
    reply = shared_server.post("User", "<x/>", X_Request_Id=bad)
    assert re.fullmatch("[0-9a-f]{16}", reply.headers["x-request-id"])


def test_who_is_not_trusted_gives_no_id(folder: Path) -> None:
    with serving("--trusted-proxies", "192.0.2.1", folder=folder) as server:
        assert _post(server, "<x/>", X_Request_Id="chosen") != "chosen"


def test_every_answer_has_an_id_of_its_own(shared_server: RunningServer) -> None:
    paths = ("/", "/-/health/live", f"{PATH}?wsdl", PATH)
    ids = [shared_server.request("GET", path).headers["x-request-id"] for path in paths]
    assert len(set(ids)) == len(paths)


@pytest.mark.parametrize("reason", [None, 'it says "no"'])
def test_the_line_of_a_call_is_the_one_that_structlog_would_write(reason: str | None) -> None:
    said = request_id.set("0123456789abcdef")
    record = logs.CallRecord(
        "services88.calls",
        tenant='a "tenant"',
        agent="User",
        operation=None,
        outcome="done",
        status=200,
        duration_ms=0.3,
        reason=reason,
    )
    request_id.reset(said)  # lines are made later
    quick = json.loads(logs.Lines(as_json=True).format(record))
    usual = json.loads(logs.formatter(as_json=True).format(record))
    assert quick == usual
    assert quick["request_id"] == "0123456789abcdef"
    assert abs(datetime.fromisoformat(quick["timestamp"]).timestamp() - record.created) < 0.001


def test_lines_of_calls_stay_in_order_with_others_and_are_all_there(folder: Path) -> None:
    with serving("--log-format", "json", folder=folder) as server:
        for _ in range(20):
            _post(server, "<nothing/>")
        server.process.send_signal(signal.SIGTERM)
        server.wait()
    events = [json.loads(line) for line in server.said.splitlines() if line.startswith("{")]
    assert [event["event"] for event in events].count("call") == 20
    times = [event["timestamp"] for event in events]
    assert times == sorted(times)


def test_on_the_console_what_cannot_be_seen_is_escaped() -> None:
    """A stranger's text can neither forge lines nor drive the terminal (ASVS 16.4.1)."""
    record = logging.makeLogRecord(
        {"msg": "bad %s", "args": ("a\u202e\u2028\nforged\x1b[31m",), "who": "x\u200b\x9b"}
    )
    try:
        raise ValueError("\x1b]0;\u2029")
    except ValueError:
        record.exc_info = sys.exc_info()
    line = logs.Lines(as_json=False).format(record)
    assert r"bad a\u202e\u2028\x0aforged\x1b[31m" in line
    assert r"who=x\u200b\x9b" in line
    assert r"ValueError: \x1b]0;\u2029" in line
    assert not set(line) & set("\x1b\x9b\u200b\u202e\u2028\u2029")
