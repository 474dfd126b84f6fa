"""Messages made to do harm, each of which once did."""

import subprocess
import sys
import time

import pytest
from lxml import etree

from tests.running import S12, RunningServer, envelope, sign_in

pytestmark = pytest.mark.one_database("it is about the reading of messages")

_READS_FRESH_NAMES = """
import resource
from services88.soap.xml import parse

def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

def message(n):
    return ("<a>" + "".join(f"<x{n}y{i}z/>" for i in range(4000)) + "</a>").encode()

for n in range(150):
    parse(message(n))
before = used()
for n in range(150, 900):
    parse(message(n))
print(used() - before)
"""


def test_names_that_strangers_send_are_forgotten() -> None:
    """A parser that keeps names (libxml2 does, a thread) took 190 MB for 45 MB of new ones."""
    done = subprocess.run(
        [sys.executable, "-c", _READS_FRESH_NAMES], capture_output=True, check=True, timeout=120
    )
    assert int(done.stdout) < 10


_READS_LONG_NAMESPACES = """
import resource
from services88.soap.xml import NotAcceptable, parse

def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

before = used()
for length in (256, 32_700):
    head = f"<a xmlns='{'u' * (length - 1)}\U0001f600'>".encode()
    try:
        parse(head + b"<b/>" * ((65_500 - len(head)) // 4) + b"</a>")
    except NotAcceptable:
        pass
print(used() - before)
"""


def test_no_message_becomes_many_times_its_size() -> None:
    """Each element holds its namespace: 64 KiB took a gigabyte."""
    done = subprocess.run(
        [sys.executable, "-c", _READS_LONG_NAMESPACES], capture_output=True, check=True, timeout=120
    )
    assert int(done.stdout) < 40


def test_a_header_without_namespace_that_must_be_understood(shared_server: RunningServer) -> None:
    block = '<foo xmlns="" s:mustUnderstand="1"/>'
    message = envelope("<AuthenticateImplicit/>", block, S12)
    reply = shared_server.post("SoPrincipal", message, "application/soap+xml")
    assert reply.status == 500
    (said,) = etree.fromstring(reply.content).iter(f"{{{S12}}}NotUnderstood")
    assert said.get("qname") == "foo"


def test_a_content_type_without_end(shared_server: RunningServer) -> None:
    endless = f"text/xml; charset*{'9' * 5000}=z"
    reply = shared_server.post("SoPrincipal", sign_in("X", "y"), endless)
    assert reply.status == 415


_ACCENTS = "a" + "\u0300\u0316" * 15_500


@pytest.mark.parametrize(
    ("name", "password", "media", "status"),
    [
        ("X", "y", f'text/xml;"{";" * 60_000}', 415),
        ("X", "y", "text/xml;" + 'a="\\";' * 10_000, 415),
        (_ACCENTS, "y", "text/xml", 200),
        ("X", _ACCENTS, "text/xml", 200),
    ],
    ids=["quoted", "escaped", "accents in a name", "accents in a password"],
)
def test_no_message_keeps_the_server_busy(
    shared_server: RunningServer, name: str, password: str, media: str, status: int
) -> None:
    """ASVS 1.3.12, 15.2.2: each took seconds, in which nobody else was answered."""
    before = time.process_time()
    reply = shared_server.post("SoPrincipal", sign_in(name, password), media)
    assert reply.status == status
    assert time.process_time() - before < 0.4


def test_a_trailing_slash_redirects_nobody(shared_server: RunningServer) -> None:
    reply = shared_server.request(
        "POST", "/Remote/Services88/User.svc/", b"x", Host="elsewhere.example"
    )
    assert reply.status == 404
    assert "location" not in reply.headers
