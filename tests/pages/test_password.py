"""Changing a password in a browser, to the end: the new one signs in by SOAP."""

import http.client
import logging
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import trustme
from playwright.sync_api import Page, Route, expect

from services88.identity import audit_trail, reset_links, tenants, tickets
from services88.store.audit import Filter
from tests.databases import Databases
from tests.notices.conftest import authority, mailing, tls, trusted  # noqa: F401 - fixtures
from tests.notices.smtp import SmtpServer
from tests.pages.conftest import Visiting, check_accessible
from tests.running import Reply, RunningServer, Starter, running

OLD, NEW = "the old password", "correct horse battery"


@pytest.fixture(scope="module")
def server(shared_databases: Databases) -> Iterator[RunningServer]:
    with running(shared_databases.new(), pages="password", password_policy="nist") as server:
        yield server


def _fill(page: Page, name: str, old: str, new: str, again: str | None = None) -> None:
    page.get_by_label("User name or e-mail address").fill(name)
    page.get_by_label("Current password").fill(old)
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("New password again").fill(new if again is None else again)
    page.get_by_role("button", name="Change the password").click()


def _reasons(server: RunningServer, event: str) -> list[str]:
    async def work() -> list[str]:
        tenant = await tenants.default(server.identity)
        found = await audit_trail.newest(server.identity, tenant, Filter(event=event), 50)
        return [entry.row.reason for entry in found]

    return server.run(work())


def test_the_story_ends_with_a_soap_sign_in(server: RunningServer, visiting: Visiting) -> None:
    server.add_user("JANE", OLD, email="jane@example.com")
    elsewhere = server.sign_in("JANE", OLD)
    assert elsewhere
    page = visiting(f"{server.url}/password")
    check_accessible(page, "password")
    _fill(page, "JANE", OLD, NEW)
    expect(page.get_by_role("heading", name="Your password is changed")).to_be_visible()
    check_accessible(page, "password-done")
    assert server.sign_in("JANE", NEW)
    assert server.sign_in("JANE", OLD) is None
    refused = server.change_own(elsewhere, NEW, "yet another password")
    assert refused.text("ExceptionType") == "SuperOffice.Exceptions.SoSessionException"
    assert "page" in _reasons(server, "authn_password_change")


def test_refusals_say_what_to_do_and_keep_the_name_only(
    server: RunningServer, visiting: Visiting
) -> None:
    server.add_user("JOHN", OLD)
    page = visiting(f"{server.url}/password")
    _fill(page, "JOHN", OLD, "short")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("at least 15 characters")
    expect(alert).to_be_focused()
    expect(page.get_by_label("User name or e-mail address")).to_have_value("JOHN")
    assert page.get_by_label("Current password").input_value() == ""
    check_accessible(page, "password-refused")
    _fill(page, "JOHN", OLD, NEW, "another one")
    expect(alert).to_contain_text("differ")
    _fill(page, "JOHN", "a wrong one", NEW)
    expect(alert).to_contain_text("not right")
    wrong = alert.inner_text()
    _fill(page, "NOBODY", OLD, NEW)
    expect(alert).to_have_text(wrong)
    assert server.sign_in("JOHN", OLD)
    assert server.sign_in("JOHN", NEW) is None


def test_limits_on_guessing_are_those_of_the_wire(server: RunningServer) -> None:
    server.add_user("GINA", OLD)
    browser = Browser(server, "/password")
    for _ in range(8):
        answer = browser.post("/password", name="GINA", current="a guess", new=NEW, again=NEW)
        assert answer.status == 422
    assert server.sign_in("GINA", OLD) is None  # has to wait, though it is right


def test_a_ticket_is_no_proof(server: RunningServer) -> None:
    server.add_user("TINA", OLD)
    ticket = server.sign_in("TINA", OLD)
    answer = Browser(server, "/password").post(
        "/password", name=ticket or "", current=OLD, new=NEW, again=NEW
    )
    assert answer.status == 422
    assert server.sign_in("TINA", OLD)


def test_no_database_is_asked_for_an_impossible_name(server: RunningServer) -> None:
    form = {"name": "JANE\0", "current": OLD, "new": NEW, "again": NEW}
    assert Browser(server, "/password").post("/password", **form).status == 400
    assert server.request("GET", "/a%00b/password").status == 404


def test_nothing_stays_signed_in_after_a_refusal(server: RunningServer) -> None:
    user = server.add_user("RITA", OLD)

    async def live() -> int:
        tenant = await tenants.default(server.identity)
        return len(await tickets.listing(server.identity, tenant, user))

    answer = Browser(server, "/password").post(
        "/password", name="RITA", current=OLD, new="short", again="short"
    )
    assert answer.status == 422
    assert server.run(live()) == 0


def test_feedback_comes_while_typing_and_knows_no_account(
    server: RunningServer, visiting: Visiting
) -> None:
    server.add_user("FREDERICA", OLD)
    page = visiting(f"{server.url}/password")
    page.get_by_label("User name or e-mail address").fill("FREDERICA")
    new = page.get_by_label("New password", exact=True)
    new.press_sequentially("password")
    length = page.get_by_role("listitem").filter(has_text="at least 15 characters")
    expect(length).to_have_attribute("data-state", "no")
    expect(page.locator("#strength")).to_contain_text("Guessed at once")
    new.fill("seven purple umbrellas")
    expect(length).to_have_attribute("data-state", "yes")
    expect(length).to_contain_text("satisfied")
    expect(page.locator("#strength")).to_contain_text("Strong")
    check_accessible(page, "password-typing")
    # The current password is judged as any other: asking is not guessing.
    new.fill(OLD)
    expect(length).to_have_attribute("data-state", "yes")
    current = page.get_by_role("listitem").filter(has_text="differs from the current")
    assert current.get_attribute("data-state") is None
    new.fill("my name is frederica")
    words = page.get_by_role("listitem").filter(has_text="your user name")
    expect(words).to_have_attribute("data-state", "no")


def test_no_judgement_is_shown_of_what_was_typed_before(
    server: RunningServer, visiting: Visiting
) -> None:
    page = visiting(f"{server.url}/password")
    new = page.get_by_label("New password", exact=True)
    length = page.get_by_role("listitem").filter(has_text="at least 15 characters")
    failing: tuple[Callable[[Route], None], ...] = (
        lambda route: route.fulfill(status=429),
        lambda route: route.abort(),
    )
    for fail in failing:
        page.unroute_all()
        new.fill("seven purple umbrellas")
        expect(length).to_have_attribute("data-state", "yes")
        page.route("**/judge", fail)
        new.fill("short")
        expect(page.locator("[data-meter]")).to_be_hidden()
        assert length.get_attribute("data-state") is None


def test_keyboard_only(server: RunningServer, visiting: Visiting) -> None:
    server.add_user("KIM", OLD)
    page = visiting(f"{server.url}/password")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_label("User name or e-mail address").focus()
    page.keyboard.type("KIM")
    page.keyboard.press("Tab")
    page.keyboard.type(OLD)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="I forgot my password")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type(NEW)
    page.keyboard.press("Tab")
    show = page.get_by_role("button", name="Show")
    expect(show).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_label("New password", exact=True)).to_have_attribute("type", "text")
    page.keyboard.press("Tab")
    page.keyboard.type(NEW)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your password is changed")).to_be_visible()
    assert server.sign_in("KIM", NEW)


def test_without_javascript(server: RunningServer, visiting: Visiting) -> None:
    server.add_user("NOEL", OLD)
    page = visiting(f"{server.url}/password", java_script_enabled=False)
    expect(page.get_by_text("Use at least 15 characters.")).to_be_visible()
    _fill(page, "NOEL", OLD, "short")
    expect(page.get_by_role("alert")).to_contain_text("at least 15 characters")
    _fill(page, "NOEL", OLD, NEW)
    expect(page.get_by_role("heading", name="Your password is changed")).to_be_visible()
    assert server.sign_in("NOEL", NEW)


def test_every_tenant_has_its_page(server: RunningServer, visiting: Visiting) -> None:
    async def work() -> None:
        await tenants.add(server.identity, "Cust1", company="Example Ltd")

    server.run(work())
    server.add_user("TESS", OLD, "Cust1")
    page = visiting(f"{server.url}/cust1/password")
    expect(page.get_by_text("Example Ltd")).to_be_visible()
    _fill(page, "TESS", OLD, f"{NEW} example ltd")
    expect(page.get_by_role("alert")).to_contain_text("name of your organisation")
    _fill(page, "TESS", OLD, NEW)
    expect(page.get_by_role("heading", name="Your password is changed")).to_be_visible()
    assert server.sign_in("TESS", NEW, site="/Cust1")
    answer = Browser(server, "/password").post(
        "/password", name="TESS", current=NEW, new=f"{NEW}er", again=f"{NEW}er"
    )
    assert answer.status == 422
    assert server.sign_in("TESS", NEW, site="/Cust1")


def test_online_the_address_names_the_tenant(start: Starter) -> None:
    server = start(pages="password", installation="online")
    for path in ("/password", "/.well-known/change-password"):
        reply = server.request("GET", path)
        assert reply.status == 404
        assert b'href="/password' not in reply.content


def test_a_password_manager_finds_its_way(server: RunningServer, visiting: Visiting) -> None:
    page = visiting(f"{server.url}/.well-known/change-password")
    assert page.url == f"{server.url}/password"
    fields = page.locator("input:not([type=hidden])")
    kinds = [one.get_attribute("autocomplete") for one in fields.all()]
    assert kinds == ["username", "current-password", "new-password", "new-password"]


# --- by a mailed link -----------------------------------------------------------------------------


@pytest.fixture
def mailed(start: Starter, smtp: SmtpServer) -> RunningServer:
    smtp.listen()
    return start(**mailing(smtp, pages="password", password_policy="nist"))


@pytest.fixture
def smtp(tls: ssl.SSLContext, trusted: trustme.CA) -> Iterator[SmtpServer]:  # noqa: ARG001, F811
    with SmtpServer(tls) as server:
        yield server


def test_a_mailed_link_works_once(
    mailed: RunningServer, smtp: SmtpServer, visiting: Visiting
) -> None:
    mailed.add_user("JANE", OLD, email="jane@example.com")
    # Over http here, so that the browser keeps its cookies; links lead to the public URL.
    page = visiting(f"{mailed.url}/password/forgotten")
    check_accessible(page, "forgotten")
    answer = Browser(mailed, "/password/forgotten").post("/password/forgotten", name="jane")
    assert answer.status == 303
    assert answer.headers["location"] == "/password/sent"
    page.goto(f"{mailed.url}/password/sent")
    check_accessible(page, "sent")
    mail = smtp.mails.get(timeout=30)
    found = re.search(r"https://id\.example\.com(/password/reset#\S+)", mail.text)
    assert found
    token = found[1].partition("#")[2]
    for _ in range(2):  # looking uses nothing up
        page.goto("about:blank")  # to another fragment alone no browser would go
        page.goto(mailed.url + found[1])
        expect(page.get_by_text("For the user JANE.")).to_be_visible()
        assert page.url == f"{mailed.url}/password/reset"
    check_accessible(page, "link")
    page.go_back()
    assert token not in page.url
    browser = Browser(mailed, "/password/reset")
    short = browser.post("/password/reset", token=token, new="short", again="short")
    assert short.status == 422
    assert b"at least 15 characters" in short.content
    done = browser.post("/password/reset", token=token, new=NEW, again=NEW)
    assert (done.status, done.headers["location"]) == (303, "/password/done")
    assert mailed.sign_in("JANE", NEW)
    again = browser.post("/password/reset", token=token, new=f"{NEW}s", again=f"{NEW}s")
    assert again.status == 403
    page.goto("about:blank")
    page.goto(mailed.url + found[1])
    expect(page.get_by_role("heading", name="This link does not work")).to_be_visible()
    check_accessible(page, "link-refused")
    assert mailed.sign_in("JANE", NEW)


def test_a_mailed_link_works_without_javascript(
    mailed: RunningServer, smtp: SmtpServer, visiting: Visiting
) -> None:
    user = mailed.add_user("JANE", OLD, email="jane@example.com")
    token = mailed.run(reset_links.issue(mailed.identity, user))
    # axe is a script itself, and waits for ever where scripts are off.
    check_accessible(visiting(f"{mailed.url}/password/reset"), "link-code")
    page = visiting(f"{mailed.url}/password/reset#{token}", java_script_enabled=False)
    code = page.get_by_label("Code from the mail")
    code.fill("not the code")
    code.press("Enter")
    expect(page.get_by_role("heading", name="This link does not work")).to_be_visible()
    page.go_back()
    code.fill(f" https://id.example.com/password/reset#{token} ")  # the link is as good
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("For the user JANE.")).to_be_visible()
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password again").fill(NEW)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("heading", name="Your password is changed")).to_be_visible()
    assert mailed.sign_in("JANE", NEW)
    assert "was changed" in smtp.mails.get(timeout=30).text


def test_forgotten_answers_alike_for_nobody(mailed: RunningServer, smtp: SmtpServer) -> None:
    mailed.add_user("JANE", OLD, email="jane@example.com")
    mailed.add_user("MUTE", OLD)
    browser = Browser(mailed, "/password/forgotten")
    answers = [
        browser.post("/password/forgotten", name=name) for name in ("nobody", "mute", "jane")
    ]
    assert len({(one.status, one.content, one.headers["location"]) for one in answers}) == 1
    assert smtp.mails.get(timeout=30).recipient == "jane@example.com"
    assert smtp.mails.empty()


def test_without_mail_nobody_is_let_ask_for_it(server: RunningServer) -> None:
    assert b"sends no mails" in server.request("GET", "/password/forgotten").content
    answer = Browser(server, "/password/forgotten").post("/password/forgotten", name="JANE")
    assert answer.status == 503
    assert b"sends no mails" in answer.content


# --- what a browser never sends -------------------------------------------------------------------


class Browser:
    """Posts forms as a browser does, with the cookie and the field against forgery."""

    def __init__(self, server: RunningServer, path: str, **headers: str) -> None:
        self.server = server
        page = server.request("GET", path, None, **headers)
        assert page.status == 200
        cookie = re.match(r"([^=]+)=([^;]+)", page.headers["set-cookie"])
        assert cookie
        self.cookie, self.csrf = cookie[0], cookie[2]
        self.attributes = page.headers["set-cookie"]

    def post(self, path: str, *, csrf: str | None = None, **fields: str) -> Reply:
        return self.send(path, {"csrf": self.csrf if csrf is None else csrf, **fields})

    def send(self, path: str, fields: dict[str, str], **headers: str) -> Reply:
        sent = {
            "Content_Type": "application/x-www-form-urlencoded",
            "Accept": "text/html",
            "Cookie": self.cookie,
        } | headers
        return self.server.request("POST", path, urlencode(fields).encode(), **sent)


@pytest.mark.parametrize(
    "change",
    [
        {"Cookie": ""},
        {"Cookie": "services88-form=guessed"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example"},
    ],
)
def test_forged_forms_are_refused(server: RunningServer, change: dict[str, str]) -> None:
    browser = Browser(server, "/password")
    fields = {"csrf": browser.csrf, "name": "JANE", "current": "x", "new": NEW, "again": NEW}
    answer = browser.send("/password", fields, **change)
    assert answer.status == 403
    assert b"Nothing was changed" in answer.content
    assert browser.send("/password", fields).status == 422


def test_every_page_is_locked_down(server: RunningServer) -> None:
    for path, status in (
        ("/password", 200),
        ("/password/forgotten", 200),
        ("/password/reset", 200),
        ("/nobody/password", 404),
    ):
        reply = server.request("GET", path, Origin="https://evil.example")
        assert reply.status == status
        assert not [name for name in reply.headers if name.startswith("access-control")]
        assert reply.headers["cross-origin-opener-policy"] == "same-origin"
        assert reply.headers["cross-origin-resource-policy"] == "same-origin"
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert re.search(rb"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", reply.content) is None


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"name=%00", "application/x-www-form-urlencoded", 400),
        (b"a=b&" * 200, "application/x-www-form-urlencoded", 400),
        (b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"{}", "application/json", 415),
        (b"a=b", "application/x-www-form-urlencoded", 403),
    ],
)
def test_what_is_no_form_of_ours(
    server: RunningServer, body: bytes, content_type: str, status: int
) -> None:
    reply = server.request("POST", "/password", body, Content_Type=content_type)
    assert reply.status == status
    assert reply.headers["content-type"] == "text/html; charset=utf-8"


def test_an_address_leads_to_no_other_host(server: RunningServer) -> None:
    for path in ("/%5Cevil.example/password", "/%2F/evil.example/password"):
        reply = server.request("GET", path)
        assert reply.status == 404
        assert not re.search(rb"""href=["'](/[/\\\\]|[a-z]+:)""", reply.content)


@pytest.mark.parametrize(
    "name",
    [
        *("../templates/layout.html", "..%2ftemplates%2flayout.html", "%2e%2e/rendering.py"),
        *("/etc/passwd", "%2Fetc%2Fpasswd", "..%5C__init__.py", "password.js%00", "", "."),
    ],
)
def test_no_address_leads_to_a_file_that_is_not_for_it(server: RunningServer, name: str) -> None:
    """ASVS 5.3.2: files are served by the names that there are, and no path is made of one."""
    assert server.request("GET", "/_services88/password.js").status == 200
    reply = server.request("GET", f"/_services88/{name}")
    assert reply.status == 404
    assert b"There is no such file" in reply.content


def test_over_https_cookies_are_bound_to_the_host(start: Starter) -> None:
    server = start(pages="password", trusted_proxies="127.0.0.1")
    browser = Browser(server, "/password", X_Forwarded_Proto="https")
    assert browser.cookie.startswith("__Host-services88-form=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(browser.attributes.split("; "))
    reply = server.request("GET", "/password", X_Forwarded_Proto="https")
    assert reply.headers["strict-transport-security"] == "max-age=31536000"
    public = start(pages="password", public_url="https://id.example.com")
    reply = public.request("GET", "/password")
    assert reply.headers["set-cookie"].startswith("__Host-")
    assert reply.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in server.request("GET", "/password").headers


def test_no_address_makes_a_line_of_its_own_in_the_log(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    """ASVS 16.4.1: the path of a page is decoded."""
    caplog.set_level(logging.INFO, logger="services88")
    assert server.request("GET", "/x%0Aforged%0D%1B[2J/password").status == 404
    for _ in range(200):  # the line is written after the answer is sent
        lines = [one.getMessage() for one in caplog.records if one.name == "services88.calls"]
        if lines:
            break
        time.sleep(0.05)
    assert lines
    assert all(line.isprintable() for line in lines)


def test_fields_are_masked_and_known_to_password_managers(server: RunningServer) -> None:
    """ASVS 6.2.6, 6.2.7."""
    shown = server.request("GET", "/password").content.decode()
    fields = re.findall(r'<input id="(current|new|again)" [^>]*?type="(\w+)"[^>]*', shown)
    assert fields == [("current", "password"), ("new", "password"), ("again", "password")]
    assert 'name="name" value="" autocomplete="username"' in shown
    assert shown.count('autocomplete="current-password"') == 1
    assert shown.count('autocomplete="new-password"') == 2
    assert "onpaste" not in shown


def test_without_pages_there_are_none(start: Starter) -> None:
    server = start()
    for path in ("/password", "/", "/.well-known/change-password", "/admin", "/_services88/x.css"):
        assert server.request("GET", path).status == 404
    assert server.request("GET", "/Remote/Services88/User.svc").status == 405
    assert server.request("GET", "/password/reset").status == 405


def test_with_password_pages_programs_still_reset(server: RunningServer) -> None:
    reply = server.request(
        "POST",
        "/password/reset",
        b'{"token": "x", "new_password": "y"}',
        Content_Type="application/json",
    )
    assert (reply.status, reply.headers["content-type"]) == (403, "application/json; charset=utf-8")
    assert server.request("GET", "/Remote/Services88/User.svc").status == 405


def test_serving_without_pages_loads_no_templates(tmp_path: Path) -> None:
    code = (
        "import sys, services88.sandbox.server, services88.cli.serve, services88.pages\n"
        "sys.exit('jinja2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0


def test_a_hundred_judgements_a_minute_are_enough(start: Starter) -> None:
    server = start(pages="password")
    browser = Browser(server, "/password")
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    statuses: list[int] = []
    # Two more are allowed each second, so a slow machine needs more than 60 to have none left.
    while len(statuses) < 1000 and 429 not in statuses:
        connection.request(
            "POST",
            "/password/judge",
            urlencode({"csrf": browser.csrf, "new": "a"}),
            {"Content-Type": "application/x-www-form-urlencoded", "Cookie": browser.cookie},
        )
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    assert statuses[:60] == [200] * 60
    assert statuses[-1] == 429


def test_an_ipv6_network_is_one_who_asks(start: Starter) -> None:
    """ASVS 2.4.1: whoever has a network has 2^64 addresses."""
    server = start(pages="password", trusted_proxies="127.0.0.1")
    browser = Browser(server, "/password/forgotten")
    fields = {"csrf": browser.csrf, "name": "NOBODY"}

    def ask(address: str) -> int:
        return browser.send("/password/forgotten", fields, X_Forwarded_For=address).status

    statuses = [ask(f"2001:db8::{number:x}") for number in range(1, 14)]
    assert 429 not in statuses[:10]
    assert 429 in statuses[10:]
    assert ask("2001:db8:0:1::1") != 429
