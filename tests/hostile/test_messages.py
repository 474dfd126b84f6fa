"""Messages drawn from the contract: valid ones are read as they were meant, others refused."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from services88.contract.model import Agent, Operation
from services88.soap.envelopes import open_envelope, read_request
from services88.soap.xml import parse
from tests.hostile.messages import calls, spoilt
from tests.running import RunningServer

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@given(calls())
@settings(suppress_health_check=_SLOW, max_examples=200)
def test_a_valid_message_is_read_as_meant(
    call: tuple[Agent, Operation, dict[str, object], str],
) -> None:
    agent, operation, arguments, text = call
    for encoding in ("utf-8", "utf-16"):
        read = read_request(agent, open_envelope(parse(text.encode(encoding))))
        assert read.operation is operation
        assert read.arguments == arguments


@given(spoilt())
@settings(suppress_health_check=_SLOW, max_examples=200)
def test_any_message_gets_a_well_formed_answer(
    shared_server: RunningServer, caplog: pytest.LogCaptureFixture, message: tuple[Agent, bytes]
) -> None:
    agent, content = message
    with caplog.at_level(logging.WARNING):
        for media in ("text/xml", "application/soap+xml"):
            reply = shared_server.post(agent.name, content, media)
            assert reply.status in (200, 400, 413, 415, 500)
            if reply.status in (200, 400, 500):
                etree.fromstring(reply.content)
    assert [one for one in caplog.records if one.exc_info or "a call failed" in one.message] == []


def test_a_short_fuzz() -> None:
    pytest.importorskip("atheris")
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "fuzz/messages.py", "-runs=30000", "-artifact_prefix=/dev/null"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "number_of_executed_units: 30000" in done.stderr
