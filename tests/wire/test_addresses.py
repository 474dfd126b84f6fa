"""Which addresses are services, and which tenant the segment of an address means."""

import pytest

from services88.identity import application_tokens, tenants
from tests.running import RunningServer, Starter, envelope, sign_in

_PASSWORD = "the same in both tenants"
_INFO = envelope("<GetSystemInfo/>")


def database(server: RunningServer, path: str) -> str | None:
    """The name of the tenant that an address leads to."""
    headers = {"Content_Type": "text/xml"}
    return server.request("POST", path, _INFO.encode(), **headers).text("DatabaseName")


@pytest.fixture(scope="module")
def default(shared_server: RunningServer) -> str:
    return shared_server.run(tenants.default(shared_server.identity)).name


@pytest.mark.parametrize(
    "path",
    [
        "/Remote/Services88/SoPrincipal.svc",
        "/remote/services88/soprincipal.svc",
        "/REMOTE/SERVICES88/SOPRINCIPAL.SVC",
        "/Unknown/Remote/Services88/SoPrincipal.svc",
        "/some-site/remote/Services88/soPrincipal.svc",
        "/a%00b/Remote/Services88/SoPrincipal.svc",
        "/a%ED%A0%80b/Remote/Services88/SoPrincipal.svc",
    ],
)
def test_on_site_no_segment_or_an_unknown_one_means_the_default_tenant(
    shared_server: RunningServer, default: str, path: str
) -> None:
    assert database(shared_server, path) == default


@pytest.mark.parametrize("segment", ["Cust12345", "cust12345", "CUST12345"])
def test_the_segment_names_the_tenant(start: Starter, segment: str) -> None:
    server = start()
    server.run(tenants.add(server.identity, "Cust12345"))
    assert database(server, f"/{segment}/Remote/Services88/SoPrincipal.svc") == "Cust12345"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/Remote/Services88/",
        "/Remote/Services88/Contact.svc",
        "/Remote/Services89/User.svc",
        "/Remote/Services88/User.svcx",
        "/Remote/Services88/User.asmx",
        "/a/b/Remote/Services88/User.svc",
        "/a%2Fb/Remote/Services88/User.svc",
        "/Remote/Services88/User.svc/more",
        "//Remote/Services88/User.svc",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_no_service_is_not_found(
    shared_server: RunningServer, path: str, method: str
) -> None:
    reply = shared_server.request(method, path, b"" if method == "POST" else None)
    assert reply.status == 404
    assert reply.headers["content-type"].startswith("text/plain")
    assert int(reply.headers["content-length"]) == len(reply.content)


def test_where_sites_are_strict_an_unknown_one_is_not_found(start: Starter) -> None:
    server = start(strict_sites=True)
    server.run(tenants.add(server.identity, "Cust12345"))
    assert database(server, "/Remote/Services88/SoPrincipal.svc") is not None
    assert database(server, "/cust12345/Remote/Services88/SoPrincipal.svc") == "Cust12345"
    for method, body in (("POST", _INFO.encode()), ("GET", None)):
        path = "/Cust54321/Remote/Services88/SoPrincipal.svc?wsdl"
        reply = server.request(method, path, body, Content_Type="text/xml")
        assert reply.status == 404
        assert reply.headers["content-type"].startswith("text/plain")
        assert reply.content.count(b"\n") == 1


def test_online_a_known_segment_is_required(start: Starter) -> None:
    server = start(installation="online")
    tenant = server.run(tenants.add(server.identity, "Cust12345"))
    server.add_user("ONE", _PASSWORD, "Cust12345")
    token = server.run(application_tokens.issue(server.identity, tenant, "test")).text
    message = envelope(
        "<AuthenticateUsernamePassword><UserName>ONE</UserName>"
        f"<Password>{_PASSWORD}</Password></AuthenticateUsernamePassword>",
        f"<ApplicationToken>{token}</ApplicationToken>",
    )
    assert server.post("SoPrincipal", message).status == 404
    assert server.post("SoPrincipal", message, site="/Cust54321").status == 404
    assert server.post("SoPrincipal", message, site="/CUST12345").text("Ticket")


def test_tenants_see_nothing_of_each_other(start: Starter) -> None:
    server = start()
    for name in ("CustA", "CustB"):
        server.run(tenants.add(server.identity, name))
    server.add_user("SAME", "password of A", "CustA")
    server.add_user("SAME", "password of B", "CustB")
    server.add_user("ONLY-A", _PASSWORD, "CustA")
    assert server.sign_in("SAME", "password of A", "/CustB") is None
    assert server.sign_in("SAME", "password of B", "/CustA") is None
    assert server.sign_in("ONLY-A", _PASSWORD, "/CustB") is None
    assert server.sign_in("ONLY-A", _PASSWORD) is None

    ticket = server.sign_in("SAME", "password of A", "/CustA")
    assert ticket is not None
    for site in ("/CustB", ""):
        elsewhere = server.change_own(ticket, "password of A", "another one", site)
        assert elsewhere.text("Succeeded") == "false"
        assert elsewhere.text("Response") == "false"
        reply = server.post("SoPrincipal", sign_in(ticket, ""), site=site)
        assert reply.text("AuthenticationSucceeded") == "false"
    assert server.change_own(ticket, "password of A", "new", "/CustA").text("Response") == "true"
    assert server.sign_in("SAME", "password of B", "/CustB") is not None


def test_an_application_token_counts_for_its_own_tenant_only(start: Starter) -> None:
    server = start(installation="online")
    one = server.run(tenants.add(server.identity, "CustA"))
    server.run(tenants.add(server.identity, "CustB"))
    token = server.run(application_tokens.issue(server.identity, one, "test")).text
    message = envelope("<GetSystemInfo/>", f"<ApplicationToken>{token}</ApplicationToken>")
    assert server.post("SoPrincipal", message, site="/CustA").text("DatabaseName") == "CustA"
    refused = server.post("SoPrincipal", message, site="/CustB")
    assert refused.text("Succeeded") == "false"
    assert refused.text("DatabaseName") is None
