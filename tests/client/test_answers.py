"""The client and answers of servers that are not ours: the vendor's dialect, and hostile ones."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from lxml import etree

from services88.client import (
    CallRefused,
    Client,
    ClientError,
    NotServices88,
    NotSignedIn,
    PasswordNotChanged,
    TransportError,
)
from services88.client.transport import Limits
from services88.contract import namespaces as ns
from services88.contract.user import UserAgent
from tests.reference import needs_reference, sample, schema_of, wsdl_path
from tests.running import S11, S12, envelope

Play = Callable[[BaseHTTPRequestHandler], None]


class Played:
    """A server that answers with what it is given, one answer a call; it keeps the requests."""

    def __init__(self, url: str, answers: list[Play], requests: list[bytes]) -> None:
        self.url = url
        self.requests = requests
        self.answers = answers


@contextmanager
def played(*answers: Play) -> Iterator[Played]:
    waiting, requests = list(answers), list[bytes]()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append(self.rfile.read(int(self.headers["Content-Length"])))
            waiting.pop(0)(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield Played(f"http://127.0.0.1:{server.server_port}", waiting, requests)
        finally:
            server.shutdown()
            thread.join()


def answer(
    content: bytes | str, status: int = 200, kind: str = "text/xml; charset=utf-8", **more: str
) -> Play:
    body = content.encode() if isinstance(content, str) else content

    def play(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in more.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return play


CHANGED = envelope(
    "<ChangeOwnPasswordResponse><Response>true</Response></ChangeOwnPasswordResponse>"
)
SIGNED_IN = envelope(
    "<AuthenticateResponse><Credentials><Ticket>7T:x</Ticket></Credentials>"
    "<AuthenticationSucceeded>true</AuthenticationSucceeded></AuthenticateResponse>"
)


def said_to(*answers: Play, limits: Limits | None = None) -> ClientError:
    """Sign in and change a password; give the error."""
    with played(*answers) as server, Client(server.url, limits=limits) as client:
        try:
            client.sign_in("JANE", "old one")
            client.change_own_password("old one", "new one")
        except ClientError as error:
            return error
    raise AssertionError("nothing went wrong")


@needs_reference
def test_the_documented_answers_are_understood() -> None:
    """They are templates: false, empty, in SOAP 1.2, with prefixes and xsi:type."""
    documented = sample("SoPrincipal", "AuthenticateUsernamePassword", "response")
    assert isinstance(said_to(answer(documented)), NotSignedIn)

    true = documented.replace(
        b'Succeeded xsi:type="xsd:boolean">false', b'Succeeded xsi:type="xsd:boolean">true'
    ).replace(b'Ticket xsi:type="xsd:string">', b'Ticket xsi:type="xsd:string">7T:1234abc==')
    change = sample("User", "ChangeOwnPassword", "response")
    refused = said_to(answer(true), answer(change, kind="application/soap+xml"))
    assert isinstance(refused, PasswordNotChanged)
    assert "did not say why" in str(refused)

    with played(answer(true), answer(change.replace(b">false<", b">true<"))) as server:
        client = Client(server.url)
        client.sign_in("JANE", "old one")
        client.change_own_password("old one", "new one")
        assert b"7T:1234abc==" in server.requests[1]
        assert b"7T:" not in server.requests[0]


@needs_reference
@pytest.mark.parametrize("prefix", ["NetServerServices88", "x"])
def test_prefixes_do_not_matter(prefix: str) -> None:
    documented = sample("User", "ChangeOwnPassword", "response").replace(b">false<", b">true<")
    renamed = documented.replace(b"User:", prefix.encode() + b":").replace(
        b"xmlns:User=", b"xmlns:" + prefix.encode() + b"="
    )
    assert prefix.encode() + b":Response" in renamed
    with played(answer(renamed)) as server:
        Client(server.url).change_own_password("old one", "new one")


@needs_reference
def test_what_is_sent_is_valid_by_the_vendors_schema() -> None:
    with played(answer(SIGNED_IN), answer(CHANGED)) as server:
        client = Client(server.url, application_token="the token")
        client.sign_in("JANE", " <&>\"' e\u0301 💡 ")
        client.change_own_password(" <&>\"' e\u0301 💡 ", "tab\tand\rline\n")
    schemas = {agent: schema_of(wsdl_path(agent).read_bytes()) for agent in ("SoPrincipal", "User")}
    for agent, message in zip(schemas, server.requests, strict=True):
        root = etree.fromstring(message)
        for block in (*root[0], *root[1]):
            schemas[agent].assertValid(etree.ElementTree(block))
    assert root.findtext(f".//{{{ns.SERVICES88}}}OldPassword") == " <&>\"' e\u0301 💡 "
    assert root.findtext(f".//{{{ns.SERVICES88}}}NewPassword") == "tab\tand\rline\n"
    assert root.findtext(f".//{{{ns.SERVICES88}}}Ticket") == "7T:x"
    assert root.findtext(f".//{{{ns.SERVICES88}}}ApplicationToken") == "the token"


INFO = (
    "<ExceptionInfo><Message>raw</Message><FriendlyText>Too {}young</FriendlyText>"
    "<ExceptionType>SuperOffice.Exceptions.SoSessionException</ExceptionType></ExceptionInfo>"
)
NOT_CHANGED = "<ChangeOwnPasswordResponse><Response>false</Response></ChangeOwnPasswordResponse>"


@pytest.mark.parametrize("soap", [S11, S12])
@pytest.mark.parametrize("succeeded", ["", "<Succeeded>false</Succeeded>"])
def test_an_exception_info_is_a_refusal(soap: str, succeeded: str) -> None:
    told = envelope(NOT_CHANGED, INFO.format("") + succeeded, soap)
    refused = said_to(answer(SIGNED_IN), answer(told))
    assert isinstance(refused, CallRefused)
    assert "Too young (SuperOffice.Exceptions.SoSessionException)" in str(refused)


def test_true_with_succeeded_false_is_no_success() -> None:
    told = CHANGED.replace("<s:Body>", "<s:Header><Succeeded>false</Succeeded></s:Header><s:Body>")
    assert isinstance(said_to(answer(SIGNED_IN), answer(told)), CallRefused)


def test_an_empty_exception_info_beside_succeeded_true_is_none() -> None:
    header = "<s:Header><ExceptionInfo/><Succeeded>true</Succeeded></s:Header>"
    with played(answer(CHANGED.replace("<s:Body>", header + "<s:Body>"))) as server:
        Client(server.url).change_own_password("old one", "new one")


def test_every_operation_is_typed_by_its_declaration() -> None:
    body = "<CanChangePasswordResponse><Response>1</Response></CanChangePasswordResponse>"
    with played(answer(envelope(body))) as server:
        answered = Client(server.url).call(UserAgent.can_change_password, associate_id=7)
    assert answered.result is True
    assert b"<AssociateId>7</AssociateId>" in server.requests[0]


FAULT11 = (
    "<s:Fault><faultcode xmlns='' xmlns:a='urn:a'>a:DeserializationFailed</faultcode>"
    "<faultstring xmlns=''>Not so.</faultstring></s:Fault>"
)
FAULT12 = (
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>a:DeserializationFailed"
    "</s:Value></s:Subcode></s:Code><s:Reason><s:Text>Not so.</s:Text></s:Reason></s:Fault>"
)


@pytest.mark.parametrize(("soap", "fault"), [(S11, FAULT11), (S12, FAULT12)])
def test_faults_are_told(soap: str, fault: str) -> None:
    told = said_to(answer(envelope(fault, soap=soap), 503, Retry_After="7"))
    assert isinstance(told, NotServices88)
    assert "SOAP fault (DeserializationFailed): Not so. Try again in 7 seconds." in str(told)
    said = fault.replace("Not so.", "Too busy. Try again in 7 seconds.")
    twice = said_to(answer(envelope(said, soap=soap), 503, Retry_After="7"))
    assert str(twice).count("Try again in 7 seconds.") == 1
    assert told.status == 503


@pytest.mark.parametrize(
    ("status", "kind", "content", "cause", "remedy"),
    [
        (200, "text/html", "<html/>", "HTTP status 200", "another web server"),
        (200, "text/xml", "", "HTTP status 200", "another web server"),
        (401, "text/html", "", "status 401", "Ask whoever runs it"),
        (404, "text/html", "", "status 404", "ends in /Remote/Services88"),
        (502, "text/html", "", "status 502", "Try again later"),
        (500, "text/plain", "", "status 500", "ask whoever runs the server"),
        (200, "text/xml", "<nonsense", "not well-formed", "Check the URL"),
        (200, "text/xml", "<html/>", "no SOAP envelope", "Check the URL"),
        (200, "text/xml", envelope("<Other/>"), "no AuthenticateResponse", "Check the URL"),
        (200, "text/xml", envelope(""), "no Body with one element", "Check the URL"),
        (200, "text/xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DOCTYPE", "Check"),
        (500, "text/xml", SIGNED_IN, "status 500", ""),
        (200, "text/xml", SIGNED_IN.replace("7T:x", ""), "gave no ticket", ""),
        (200, "text/xml", SIGNED_IN + " " * 2**20, "longer than 1048576 bytes", "Check the URL"),
        (200, "text/xml", "<a>" * 40 + "</a>" * 40, "nest at most", "Check the URL"),
    ],
)
def test_answers_of_others(status: int, kind: str, content: str, cause: str, remedy: str) -> None:
    told = said_to(answer(content, status, kind))
    assert isinstance(told, NotServices88)
    assert cause in str(told)
    assert remedy in str(told)


def test_a_redirection_is_told_and_not_followed() -> None:
    told = said_to(answer("", 307, "text/html", Location="https://evil.example/\x1b[31m"))
    assert "https://evil.example/" in str(told)
    assert "\x1b" not in str(told)
    assert "not followed" in str(told)


def test_what_a_server_says_cannot_steer_a_terminal() -> None:
    told = envelope(NOT_CHANGED, INFO.format("&#x202e;\n" + "long " * 999))
    refused = str(said_to(answer(SIGNED_IN), answer(told)))
    assert refused.isprintable()
    assert len(refused) <= 500


def _hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def _half(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/xml")
    handler.send_header("Content-Length", "9999")
    handler.end_headers()
    handler.wfile.write(SIGNED_IN.encode())
    handler.close_connection = True


@pytest.mark.parametrize("play", [_hangs_up, _half])
def test_a_connection_that_breaks_off_leaves_it_open_what_happened(play: Play) -> None:
    told = said_to(answer(SIGNED_IN), play)
    assert isinstance(told, TransportError)
    assert "broke off" in str(told)
    assert "try the new password, then the old one" in str(told)


def _drips(handler: BaseHTTPRequestHandler) -> None:
    try:
        for _ in range(100):
            handler.wfile.write(b"H")
            time.sleep(0.05)
    except OSError:
        pass
    handler.close_connection = True


def test_a_server_that_drips_is_cut_off() -> None:
    told = said_to(_drips, limits=Limits(seconds=0.3))
    assert isinstance(told, TransportError)
    assert "within 0.3 seconds" in str(told)
