"""What a stranger finds on the server, and what it lets a stranger know (ASVS V1, V13 to V16)."""

import logging
import socket

import pytest

from services88.settings import load
from services88.web import services
from services88.web.application import application
from tests.running import (
    Reply,
    RunningServer,
    Starter,
    change_own,
    credentials,
    envelope,
    sign_in,
)
from tests.wire.raw import exchange, request

_PATH = "/Remote/Services88/SoPrincipal.svc"
_PASSWORD = "vellum orbit quartz"


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/Remote", "/Remote/", "/Remote/Services88", "/Remote/Services88/"),
        *("/.git/config", "/.env", "/services88.sqlite3", "/../services88.sqlite3"),
        *(
            "/docs",
            "/openapi.json",
            "/metrics",
            "/metrics/",
            "/debug",
            "/static/",
            "/%2e%2e/etc/passwd",
        ),
        *("/-/", "/-/health", "/-/health/", "/-/health/live/x", "/-/metrics", "/-/config"),
        *("/admin", "/password", "/password/forgotten", "/_services88/pages.css", "/__sandbox/"),
    ],
)
def test_nothing_else_is_served(shared_server: RunningServer, path: str) -> None:
    """ASVS 13.4.1, 13.4.3, 13.4.5."""
    reply = exchange(shared_server, request(f"GET {path} HTTP/1.1"))
    assert reply.status == 404
    assert b"/Remote/Services88/User.svc" in reply.content


@pytest.mark.parametrize("path", [_PATH, "/password/reset", "/"])
def test_trace_is_refused(shared_server: RunningServer, path: str) -> None:
    """ASVS 13.4.4."""
    reply = exchange(shared_server, request(f"TRACE {path} HTTP/1.1", "X-Secret: hush"))
    assert reply.status in (404, 405)
    assert b"hush" not in reply.content


def test_no_answer_may_be_stored(shared_server: RunningServer) -> None:
    """ASVS 14.2.2, 14.3.2."""
    shared_server.add_user("STORED", _PASSWORD)
    replies = [
        shared_server.post("SoPrincipal", sign_in("STORED", _PASSWORD)),
        shared_server.post("SoPrincipal", sign_in("STORED", "wrong")),
        shared_server.post("User", change_own("7T:none", "a", "b")),
        shared_server.post("User", "<no/>"),
        shared_server.post("User", "{}", "application/json"),
        shared_server.request("GET", f"{_PATH}?wsdl"),
        shared_server.request("GET", _PATH),
        shared_server.request("GET", "/Remote/Services85/User.svc"),
        shared_server.request("HEAD", "/"),
        shared_server.request("GET", "/password/reset?token=x"),
        shared_server.request(
            "POST",
            "/password/reset",
            b"token=x&new_password=y",
            Content_Type="application/x-www-form-urlencoded",
        ),
    ]
    assert [reply.status for reply in replies] == [
        *(200, 200, 200, 500, 415, 200, 405),
        *(404, 404, 405, 403),
    ]
    for refused in (
        request("GET / HTTP/1.1", f"X-Long: {'x' * 70_000}"),
        b"GET / HTTP/1.1\r\n\r\n",
    ):
        raw = exchange(shared_server, refused)
        assert raw.status in (400, 431)
        replies.append(Reply(raw.status, dict(raw.headers), raw.content))
    assert {reply.headers["cache-control"] for reply in replies} == {"no-store"}
    # ASVS 3.2.1, 3.4.3, 3.4.4, 3.4.6
    assert {reply.headers["x-content-type-options"] for reply in replies} == {"nosniff"}
    for reply in replies:
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy


def test_a_ticket_in_the_address_counts_for_nothing(shared_server: RunningServer) -> None:
    """ASVS 14.2.1."""
    shared_server.add_user("ADDRESS", _PASSWORD)
    ticket = shared_server.sign_in("ADDRESS", _PASSWORD)
    assert ticket
    body = "<CanChangePassword><AssociateId>1</AssociateId></CanChangePassword>"

    def call(query: str, header: str) -> bytes:
        reply = shared_server.request(
            "POST",
            f"/Remote/Services88/User.svc{query}",
            envelope(body, header).encode(),
            Content_Type="text/xml",
        )
        assert reply.status == 200
        return reply.content

    for name in ("Ticket", "ticket", "Credentials", "access_token"):
        assert b"Succeeded>false<" in call(f"?{name}={ticket}", "")
    assert b"Succeeded>true<" in call("", credentials(ticket))


@pytest.mark.parametrize("what", ["service", "link"])
def test_a_failure_tells_nothing_of_its_cause(
    start: Starter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    what: str,
) -> None:
    """ASVS 13.4.2, 16.5.1, 16.5.4: the log says why, the client hears no more than that."""
    from services88.identity import reset_links

    async def fails(*_: object, **__: object) -> None:
        raise RuntimeError("SELECT hush FROM inside")

    server = start()
    with monkeypatch.context() as broken, caplog.at_level(logging.ERROR):
        if what == "service":
            broken.setattr(services, "perform", fails)
            reply = server.post("SoPrincipal", sign_in("X", "y"))
        else:
            broken.setattr(reset_links, "use", fails)
            form = "application/x-www-form-urlencoded"
            reply = server.request(
                "POST", "/password/reset", b"token=x&new_password=y", Content_Type=form
            )
    assert reply.status == 500
    for inside in (b"hush", b"RuntimeError", b"Traceback", b".py"):
        assert inside not in reply.content
    assert "SELECT hush FROM inside" in caplog.text
    assert server.post("SoPrincipal", sign_in("X", "y")).status == 200, "it goes on"
    assert not application(load({}), server.identity).debug


_FORGED = "\n2027-01-15 INFO forged"
_HOSTILE = {
    "an enumeration value": envelope(f"<IsPasswordValid><Type>{_FORGED}</Type></IsPasswordValid>"),
    "a number": envelope(f"<SetPassword><AssociateId>{_FORGED}</AssociateId></SetPassword>"),
    "a type": envelope('<SaveUser><User xsi:type="x&#10;forged"/></SaveUser>'),
    "a namespace": envelope('<No xmlns="urn:&#10;forged"/>'),
    "a header's namespace": envelope(
        "<GetSystemInfo/>", '<x xmlns="urn:&#10;forged" s:mustUnderstand="1"/>'
    ),
    "an attribute": envelope(
        "<GetSystemInfo/>", '<x xmlns="urn:x" s:mustUnderstand="&#10;forged"/>'
    ),
    "an envelope's namespace": '<Envelope xmlns="urn:&#10;forged"/>',
    "a user name": sign_in(f"x{_FORGED}", "y"),
    "no XML": "<a\nforged",
    "an entity": "<a>&\nforged;</a>",
    "an encoding": '<?xml version="1.0" encoding="x&#10;forged"?><a/>',
}


@pytest.mark.parametrize("what", _HOSTILE)
def test_nothing_a_client_sends_makes_a_line_of_its_own(
    shared_server: RunningServer, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    """ASVS 16.4.1."""
    caplog.set_level(logging.DEBUG, logger="services88")
    for media in ("text/xml", "application/soap+xml"):
        shared_server.post("User", _HOSTILE[what], media)
        shared_server.post("SoPrincipal", _HOSTILE[what].replace("soap/envelope", "x"), media)
    path = "/x%0Aforged/Remote/Services88/User.svc"
    shared_server.request("POST", path, sign_in("x", "y").encode(), Content_Type="text/xml")
    lines = [one.getMessage() for one in caplog.records if one.name.startswith("services88")]
    assert lines
    assert [line for line in lines if "\n" in line or "\r" in line] == []


def test_every_printing_character_may_be_in_a_password(shared_server: RunningServer) -> None:
    """NIST SP 800-63B-4, 3.1.1.2 (3)."""
    password = "".join(map(chr, range(0x20, 0x7F)))
    shared_server.add_user("PRINTING", password)
    for wrong in (password[1:], password[:-1], password.swapcase()):
        assert shared_server.sign_in("PRINTING", wrong) is None
    shared_server.add_user("PRINTING2", password)
    assert shared_server.sign_in("PRINTING2", password)


_QUERIES = (
    "' OR '1'='1",
    "QUERIED' --",
    "QUERIED'; DROP TABLE associate; --",
    "%",
    "_UERIED",
    "\\",
    "$1",
)


@pytest.mark.parametrize("text", _QUERIES)
def test_what_is_sent_is_no_part_of_a_query(shared_server: RunningServer, text: str) -> None:
    """ASVS 1.2.4: as a name it means nobody, until somebody is called that."""
    if not shared_server.sign_in("QUERIED", _PASSWORD):
        shared_server.add_user("QUERIED", _PASSWORD)
    for name, password in ((text, _PASSWORD), ("QUERIED", text)):
        reply = shared_server.post("SoPrincipal", sign_in(name, password))
        assert reply.text("AuthenticationSucceeded") == "false"
    for ticket in (text, f"7T:{text}"):
        reply = shared_server.change_own(ticket, _PASSWORD, "another")
        assert (reply.status, reply.text("Succeeded")) == (200, "false")
    shared_server.add_user(text, _PASSWORD)
    reply = shared_server.post("SoPrincipal", sign_in(text, _PASSWORD))
    assert reply.text("Associate") == text
    assert shared_server.sign_in("QUERIED", _PASSWORD)


def test_nothing_in_a_message_is_fetched(shared_server: RunningServer) -> None:
    """ASVS 1.3.6, 1.5.1: whatever there could be a URL in, nobody is asked there."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        url = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/x"
        addressing = "http://www.w3.org/2005/08/addressing"
        told = "".join(
            f'<a:{name} xmlns:a="{addressing}"><a:Address>{url}</a:Address></a:{name}>'
            for name in ("ReplyTo", "FaultTo", "From", "To")
        )
        plain = envelope("<GetSystemInfo/>", told)
        located = f'xsi:schemaLocation="urn:x {url}" xml:base="{url}"><s:Body>'
        included = f'<i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="{url}"/>'
        for message, status in (
            (plain, 200),
            (envelope("<GetSystemInfo/>").replace("><s:Body>", f" {located}"), 200),
            (f'<?xml-stylesheet href="{url}"?>{plain}', 500),
            (f'<!DOCTYPE x SYSTEM "{url}">{plain}', 500),
            (f'<!DOCTYPE x [<!ENTITY y SYSTEM "{url}">]><x>&y;</x>', 500),
            (f'<!DOCTYPE x [<!ENTITY % y SYSTEM "{url}">%y;]><x/>', 500),
            (sign_in(included, url).replace("&lt;", "<").replace("&gt;", ">"), 500),
            (sign_in(url, url), 200),
        ):
            reply = shared_server.post("SoPrincipal", message, Referer=url, X_Forwarded_Host=url)
            assert reply.status == status, message
        elsewhere.settimeout(0.2)
        with pytest.raises(TimeoutError):
            elsewhere.accept()
