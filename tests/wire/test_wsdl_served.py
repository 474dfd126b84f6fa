"""What ?wsdl and ?singleWsdl answer, and the address that it tells a client to use."""

import pytest
from lxml import etree

from services88.contract import AGENTS
from services88.identity import tenants
from services88.soap.wsdl import wsdl
from tests.running import Reply, RunningServer, Starter
from tests.wire.raw import exchange, request

pytestmark = pytest.mark.one_database("it is about the WSDL")

_PATH = "/Remote/Services88/User.svc"


def address(content: bytes) -> str:
    (found,) = etree.fromstring(content).xpath("//*[local-name()='address']/@location")
    return str(found)


def of(server: RunningServer, **headers: str) -> str:
    """The soap:address that a client with these headers is told."""
    reply = server.request("GET", f"{_PATH}?wsdl", None, **headers)
    assert reply.status == 200
    return address(reply.content)


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("query", ["wsdl", "singleWsdl", "WSDL", "singlewsdl", "SingleWSDL"])
def test_the_document(shared_server: RunningServer, agent: str, query: str) -> None:
    path = f"/Remote/Services88/{agent}.svc"
    reply = shared_server.request("GET", f"{path}?{query}")
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/xml; charset=utf-8"
    assert reply.content == wsdl(AGENTS[agent], shared_server.url + path)


@pytest.mark.parametrize("agent", AGENTS)
def test_it_needs_no_second_document(shared_server: RunningServer, agent: str) -> None:
    root = shared_server.request("GET", f"/Remote/Services88/{agent}.svc?wsdl").root
    here = {schema.get("targetNamespace") for schema in root.iterfind(".//{*}schema")}
    imports = root.findall(".//{*}import")
    assert imports
    assert root.findall(".//{*}include") == []
    for one in imports:
        assert one.get("namespace") in here
        assert one.get("schemaLocation") is one.get("location") is None


@pytest.mark.parametrize("query", ["wsdl", "singleWsdl"])
def test_head_answers_as_get_without_the_document(shared_server: RunningServer, query: str) -> None:
    def whole(method: str) -> Reply:
        return shared_server.request(method, f"{_PATH}?{query}")

    get, head = whole("GET"), whole("HEAD")
    assert head.status == 200
    assert head.content == b""
    volatile = {"date", "x-request-id"}
    assert {k: v for k, v in head.headers.items() if k not in volatile} == {
        k: v for k, v in get.headers.items() if k not in volatile
    }
    assert int(head.headers["content-length"]) == len(get.content) > 10_000


@pytest.mark.parametrize(
    "path", ["/remote/services88/user.svc", "/Cust12345/Remote/Services88/User.svc"]
)
def test_the_address_has_the_path_as_it_was_asked_for(
    shared_server: RunningServer, path: str
) -> None:
    reply = shared_server.request("GET", f"{path}?wsdl")
    assert address(reply.content) == shared_server.url + path


def test_the_address_is_an_url_where_the_path_was_escaped(shared_server: RunningServer) -> None:
    path = "/K%C3%B8benhavn%20K/Remote/Services88/User.svc"
    reply = shared_server.request("GET", f"{path}?wsdl")
    assert address(reply.content) == shared_server.url + path


@pytest.mark.parametrize(
    "host",
    ["crm.example.com", "crm.example.com:8443", "services88_app_1:8088", "[::1]:8088", "10.1.2.3"],
)
def test_the_address_has_the_host_that_the_client_used(
    shared_server: RunningServer, host: str
) -> None:
    assert of(shared_server, Host=host) == f"http://{host}{_PATH}"


@pytest.mark.parametrize("host", ['a"><x', "a/b", "user@evil.example", "a b", "evil.example#"])
def test_what_is_no_host_is_not_repeated(shared_server: RunningServer, host: str) -> None:
    reply = exchange(shared_server, request(f"GET {_PATH}?wsdl HTTP/1.1", host=host))
    if reply.status == 200:
        assert address(reply.content) == shared_server.url + _PATH
    else:
        assert reply.status == 400


def test_without_a_host_the_address_is_the_one_listened_on(shared_server: RunningServer) -> None:
    reply = exchange(shared_server, request(f"GET {_PATH}?wsdl HTTP/1.0", host=None))
    assert address(reply.content) == shared_server.url + _PATH


def test_a_trusted_proxy_is_believed(shared_server: RunningServer) -> None:
    told = {"Host": "inside:8088", "X_Forwarded_For": "192.0.2.7"}
    outside = f"https://crm.example.com{_PATH}"
    both = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "crm.example.com"}
    assert of(shared_server, **told, **both) == outside
    chain = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "crm.example.com, inner.example"}
    assert of(shared_server, **told, **chain) == outside
    assert of(shared_server, **told, X_Forwarded_Proto="https") == f"https://inside:8088{_PATH}"
    port = {"X_Forwarded_Host": "crm.example.com:8443"}
    assert of(shared_server, **told, **port) == f"http://crm.example.com:8443{_PATH}"
    assert of(shared_server, **told, X_Forwarded_Host='"><x') == f"http://inside:8088{_PATH}"


def test_nobody_else_is(start: Starter) -> None:
    server = start(trusted_proxies="192.0.2.1, 198.51.100.0/24")
    told = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "evil.example"}
    assert of(server, **told, X_Forwarded_For="192.0.2.1") == server.url + _PATH


def test_trust_can_be_given_to_a_network(start: Starter) -> None:
    server = start(trusted_proxies="127.0.0.0/8")
    told = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "crm.example.com"}
    assert of(server, **told) == f"https://crm.example.com{_PATH}"


@pytest.mark.parametrize("url", ["https://crm.example.com/so", "https://crm.example.com/so/"])
def test_a_public_url_is_written_whatever_is_asked_for(start: Starter, url: str) -> None:
    server = start(public_url=url)
    expected = f"https://crm.example.com/so{_PATH}"
    assert of(server) == of(server, Host="other", X_Forwarded_Host="proxy") == expected


def test_it_can_be_switched_off(start: Starter) -> None:
    server = start(wsdl=False)
    for method in ("GET", "HEAD"):
        reply = server.request(method, f"{_PATH}?wsdl")
        assert reply.status == 405
        assert reply.headers["allow"] == "POST"
        assert b"wsdl" not in reply.content


def test_online_it_is_served_at_a_tenants_address_without_a_token(start: Starter) -> None:
    server = start(installation="online")
    server.run(tenants.add(server.identity, "Cust12345"))
    assert server.request("GET", f"{_PATH}?wsdl").status == 404
    assert server.request("GET", f"/Cust12345{_PATH}?wsdl").status == 200
