"""The inspector, on a real sandbox: it shows calls as they come, and drives clock and faults."""

import http.client
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zeep
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.pages.conftest import Visiting, check_accessible
from tests.programs import Program, program

SERVICE = "/Remote/Services88/SoPrincipal.svc"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with program("sandbox", "--port", "0", folder=tmp_path_factory.mktemp("sandbox")) as running:
        found = running.wait_for(r"http://([\d.]+):(\d+)/Remote/Services88/SoPrincipal.svc")
        running.host, running.port = found[1], int(found[2])
        yield running


@pytest.fixture
def page(sandbox: Program, visiting: Visiting) -> Page:
    page = visiting(f"http://{sandbox.host}:{sandbox.port}/__sandbox/")
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    with page.expect_response("**/journal") as cleared:
        page.get_by_role("button", name="Clear the journal").click()
    assert cleared.value.status == 204
    expect(page.locator("[data-exchanges] li")).to_have_count(0)
    return page


@pytest.fixture(scope="module")
def client(sandbox: Program) -> Any:
    create: Any = zeep.Client
    return create(f"http://{sandbox.host}:{sandbox.port}{SERVICE}?wsdl")


def _sign_in(client: Any, password: str = "jane in the sandbox") -> Any:
    return client.service.AuthenticateUsernamePassword("JANE", password)


def test_a_call_made_by_zeep_is_shown(page: Page, client: Any) -> None:
    rows = page.locator("[data-exchanges] li")
    _sign_in(client)
    row = rows.filter(has_text="AuthenticateUsernamePassword")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("succeeded")
    expect(row).to_contain_text("JANE")
    row.get_by_role("button").click()
    expect(page.locator("[data-request]")).to_contain_text("<ns0:UserName>JANE</ns0:UserName>")
    expect(page.locator("[data-response]")).to_contain_text("AuthenticationSucceeded>true<")
    assert "jane in the sandbox" not in page.content()
    check_accessible(page, "inspector")


def test_filtering(page: Page, client: Any) -> None:
    _sign_in(client)
    client.service.GetSystemInfo()
    rows = page.locator("[data-exchanges] li").filter(has_not_text="wsdl")
    expect(rows).to_have_count(2)
    page.get_by_label("Filter").fill("systeminfo")
    expect(rows).to_have_count(1)
    page.get_by_label("Filter").fill("")
    page.get_by_label("Outcome").select_option("refused")
    expect(rows).to_have_count(0)


def _ask(host: str, port: str | int, times: int, name: str = "Nothing") -> None:
    """Ask for what is not there, which stands in the journal too."""
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    for _ in range(times):
        connection.request("GET", f"/Remote/Services88/{name}.svc")
        connection.getresponse().read()
    connection.close()


def test_the_list_ends_somewhere(page: Page, sandbox: Program) -> None:
    _ask(sandbox.host, sandbox.port, 520)
    _ask(sandbox.host, sandbox.port, 1, "Last")
    rows = page.locator("[data-exchanges] li")
    expect(rows.first).to_contain_text("Last.svc", timeout=30_000)
    assert rows.count() == 500


class _Held:
    """Holds what the page reads of the journal until it is let go."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._answers: list[tuple[Route, APIResponse]] | None = []
        page.route("**/journal?limit=*", self._hold)

    def _hold(self, route: Route) -> None:
        if self._answers is None:
            route.continue_()
        else:
            self._answers.append((route, route.fetch()))

    def let_go(self) -> None:
        """Give the page what it waits for, and hold nothing any more."""
        while not self._answers:
            self._page.wait_for_timeout(20)
        held, self._answers = self._answers, None
        for route, answer in held:
            with self._page.expect_response(route.request.url):
                route.fulfill(response=answer)


def test_what_was_read_before_the_journal_was_cleared_is_not_shown(
    page: Page, sandbox: Program
) -> None:
    _ask(sandbox.host, sandbox.port, 3, "Before")
    expect(page.locator("[data-exchanges] li")).to_have_count(3)
    held = _Held(page)
    page.reload()
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.get_by_role("button", name="Clear the journal").click()
    _ask(sandbox.host, sandbox.port, 1, "After")
    rows = page.locator("[data-exchanges] li")
    expect(rows).to_have_count(1)
    held.let_go()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("After.svc")


def test_another_server_at_the_same_address_is_followed(visiting: Visiting, tmp_path: Path) -> None:
    address = r"http://([\d.]+):(\d+)/Remote/Services88/SoPrincipal.svc"
    with program("sandbox", "--port", "0", folder=tmp_path) as first:
        found = first.wait_for(address)
        host, port = found[1], found[2]
        page = visiting(f"http://{host}:{port}/__sandbox/")
        expect(page.get_by_text("live", exact=True)).to_be_visible()
        _ask(host, port, 3)
        rows = page.locator("[data-exchanges] li")
        expect(rows).to_have_count(3)
    expect(page.get_by_text("not connected; trying again")).to_be_visible()
    with program("sandbox", "--port", port, folder=tmp_path) as second:
        second.wait_for(address)
        expect(page.get_by_text("live", exact=True)).to_be_visible(timeout=30_000)
        expect(rows).to_have_count(0)
        _ask(host, port, 1)
        expect(rows).to_have_count(1)


def test_a_near_miss_is_explained(page: Page, sandbox: Program) -> None:
    connection = http.client.HTTPConnection(sandbox.host, sandbox.port, timeout=30)
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        '<AuthenticateUsernamePassword xmlns="http://www.superoffice.net/ws/crm/NetServer/Services88">'
        "<userName>JANE</userName></AuthenticateUsernamePassword></s:Body></s:Envelope>"
    )
    connection.request("POST", SERVICE, body, {"Content-Type": "text/xml; charset=utf-8"})
    connection.getresponse().read()
    connection.close()
    page.locator("[data-exchanges] button").first.click()
    expect(page.locator("[data-misses] li").filter(has_text="holds userName")).to_contain_text(
        "UserName"
    )


def test_the_clock(page: Page) -> None:
    shown = page.locator("[data-now]")
    before = shown.inner_text()
    page.get_by_role("button", name="+1 day").click()
    expect(shown).not_to_contain_text(before[:10])
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("stands still")).to_be_visible()
    page.get_by_role("button", name="Let it run").click()
    page.get_by_role("button", name="Real time").click()
    expect(shown).to_contain_text(before[:10])


def test_the_clock_goes_on_by_itself(page: Page) -> None:
    shown = page.locator("[data-now]")
    expect(shown).to_contain_text("UTC")
    before = shown.inner_text()
    page.route("**/clock", lambda route: route.abort())  # not only when the server is asked
    expect(shown).not_to_have_text(before)


def test_what_is_changed_without_a_call_is_shown(page: Page) -> None:
    api = page.url.replace("/__sandbox/", "/__sandbox/tenants/default/")
    shown = page.locator("[data-now]")
    expect(shown).to_contain_text("UTC")
    before = shown.inner_text()
    assert page.request.patch(f"{api}clock", data={"move_seconds": 86400}).ok
    expect(shown).not_to_contain_text(before[:10])
    assert page.request.patch(f"{api}clock", data={"reset": True}).ok
    assert page.request.post(f"{api}users", data={"name": "LATER"}).ok
    expect(page.locator("[data-users]")).to_contain_text("LATER")


def test_the_keyboard_stays_where_it_is_while_calls_come(page: Page, sandbox: Program) -> None:
    faults = page.locator("[data-faults] li")
    page.get_by_label("What happens").select_option("http_status")
    page.get_by_label("Times").fill("9")
    page.get_by_role("button", name="Add", exact=True).click()
    remove = page.get_by_role("button", name=re.compile("Remove the fault"))
    remove.focus()
    _post(sandbox, "<x/>")
    expect(faults).to_contain_text(["seen 1"])
    expect(remove).to_be_focused()
    page.keyboard.press("Enter")
    expect(faults).to_have_count(0)
    expect(page.get_by_label("Operation")).to_be_focused()


def test_the_pages_go_by_the_clock_of_the_tenant(page: Page, sandbox: Program) -> None:
    inspector = page.url
    page.goto(f"http://{sandbox.host}:{sandbox.port}/admin")
    page.get_by_label("User name").fill("ADMIN")
    page.get_by_label("Password").fill("sandbox administrator")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    page.goto(inspector)
    page.get_by_role("button", name="+1 day").click()
    page.goto(f"http://{sandbox.host}:{sandbox.port}/admin")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto(inspector)
    page.get_by_role("button", name="Real time").click()


def test_a_fault_is_planned_and_happens(page: Page, client: Any) -> None:
    page.get_by_label("Operation").fill("AuthenticateUsernamePassword")
    page.get_by_label("What happens").select_option("soap_fault")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("[data-faults] li")).to_contain_text(["soap_fault"])
    with pytest.raises(zeep.exceptions.Fault):
        _sign_in(client)
    expect(page.locator("[data-exchanges] li").first).to_contain_text("fault (soap_fault)")
    expect(page.locator("[data-faults] li")).to_contain_text(["spent"])
    page.get_by_role("button", name=re.compile("Remove the fault")).click()
    expect(page.get_by_text("None: every call works.")).to_be_visible()
    assert _sign_in(client)


def test_a_call_is_copied_as_curl_and_as_a_test(page: Page, client: Any, tmp_path: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    client.service.GetSystemInfo()
    page.locator("[data-exchanges] button").first.click()
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_text("copied", exact=True)).to_be_visible()
    curl = page.evaluate("navigator.clipboard.readText()")
    assert "--data-raw '" in curl  # else a message that begins with @ would send a file
    done = subprocess.run(["bash", "-euc", curl], capture_output=True, check=True, timeout=30)
    assert b"GetSystemInfoResponse" in done.stdout
    _passes(_copied_test(page), tmp_path)


def test_a_copied_call_says_where_its_secret_goes(page: Page, client: Any, tmp_path: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    _sign_in(client)
    page.locator("[data-exchanges] button").first.click()
    text = _copied_test(page)
    assert "jane in the sandbox" not in text
    assert text.startswith("# Put the secrets in place of ***")
    _passes(text.replace(">***<", ">jane in the sandbox<"), tmp_path)


def _copied_test(page: Page) -> str:
    page.evaluate("navigator.clipboard.writeText('')")
    page.get_by_role("button", name="Copy as pytest").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()) !== ''")
    return str(page.evaluate("navigator.clipboard.readText()"))


def _passes(text: str, folder: Path) -> None:
    (folder / "test_recorded.py").write_text(text)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_recorded.py"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        check=False,
    )
    assert "1 passed" in ran.stdout, ran.stdout


def test_a_broken_call_is_copied_as_a_test_too(
    page: Page, sandbox: Program, tmp_path: Path
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_label("What happens").select_option("reset")
    page.get_by_label("Times").fill("2")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("[data-faults] li")).to_contain_text(["reset"])
    with pytest.raises(ConnectionResetError):
        _post(sandbox, "<x/>")
    page.locator("[data-exchanges] button").first.click()
    _passes(_copied_test(page), tmp_path)
    page.get_by_role("button", name=re.compile("Remove the fault")).click()


def _post(sandbox: Program, body: str) -> None:
    connection = http.client.HTTPConnection(sandbox.host, sandbox.port, timeout=30)
    try:
        connection.request("POST", SERVICE, body, {"Content-Type": "text/xml"})
        connection.getresponse().read()
    finally:
        connection.close()


def test_the_users_and_their_state(page: Page, client: Any) -> None:
    users = page.locator("[data-users] tr")
    expect(users.filter(has_text="JANE")).to_contain_text("active")
    _sign_in(client, "a wrong one")
    expect(users.filter(has_text="JANE").locator("td").nth(1)).to_have_text("1")
    _sign_in(client)


def test_trying_a_call_tells_what_went_wrong(page: Page) -> None:
    faults = page.url.replace("/__sandbox/", "/__sandbox/tenants/default/faults")

    def plan(kind: str) -> None:
        assert page.request.delete(faults, headers={"Content-Type": "application/json"}).ok
        # A browser sends a call again when a connection that it kept is broken.
        assert page.request.post(faults, data={"effects": [{"kind": kind}], "times": 9}).ok

    page.goto(page.url.replace("/__sandbox/", "/Remote/Services88/User.svc?op=CanChangePassword"))
    signing = page.locator("[data-signing]")
    signing.get_by_label("Password").fill("jane in the sandbox")
    for kind, said in (("http_status", "HTTP 503"), ("reset", "no answer")):
        plan(kind)
        signing.get_by_role("button", name="Sign in").click()
        expect(page.locator("[data-ticket]")).to_have_text(f"The sign-in failed: {said}")
    status = page.locator("[data-status]")
    page.get_by_role("button", name="Send the call").click()
    expect(status).to_have_text(re.compile(r"^no answer, [\d.]+ ms$"))
    plan("works")
    page.get_by_role("button", name="Send the call").click()
    expect(status).to_have_text(re.compile(r"^HTTP 200, [\d.]+ ms$"))
    message = page.get_by_label("Message", exact=True)
    message.fill("<AssociateId>7 &amp; &#x37;</AssociateId><not closed")
    message.blur()
    expect(page.get_by_label("AssociateId")).to_have_value("7 & 7")
    assert page.request.delete(faults, headers={"Content-Type": "application/json"}).ok
