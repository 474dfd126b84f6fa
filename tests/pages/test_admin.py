"""Administration in a browser: what it does is done, audited, and for administrators only."""

import re
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import quote

import pytest
import trustme
from playwright.sync_api import Page, expect

from services88.identity import accounts, audit_trail, tenants, tickets
from services88.store import associates, roles
from services88.store.associates import Associate
from services88.store.audit import Filter
from services88.store.database import Connection
from tests.notices.conftest import authority, mailing, tls, trusted  # noqa: F401 - fixtures
from tests.notices.smtp import SmtpServer
from tests.pages.conftest import Visiting, check_accessible
from tests.pages.test_password import Browser
from tests.running import RunningServer, Starter

PASSWORD = "a long enough password"


@pytest.fixture
def smtp(tls: ssl.SSLContext, trusted: trustme.CA) -> Iterator[SmtpServer]:  # noqa: ARG001, F811
    with SmtpServer(tls) as server:
        yield server


@pytest.fixture
def server(start: Starter, smtp: SmtpServer) -> RunningServer:
    smtp.listen()
    settings = mailing(smtp, admin_pages=True, pages="password", public_url="http://127.0.0.1")
    server = start(**settings)
    server.add_user("ADA", PASSWORD, role="Administrator")
    server.add_user("JANE", PASSWORD, firstname="Jane", lastname="Doe", email="jane@example.com")
    return server


def _signed_in(server: RunningServer, visiting: Visiting, name: str = "ADA") -> Page:
    page = visiting(f"{server.url}/admin")
    page.get_by_label("User name or e-mail address").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    return page


def _events(server: RunningServer, event: str) -> list[audit_trail.AuditEntry]:
    async def work() -> list[audit_trail.AuditEntry]:
        tenant = await tenants.default(server.identity)
        return await audit_trail.newest(server.identity, tenant, Filter(event=event), 50)

    return server.run(work())


def test_a_day_of_an_administrator(
    server: RunningServer, smtp: SmtpServer, visiting: Visiting
) -> None:
    page = visiting(f"{server.url}/admin")
    check_accessible(page, "admin-sign-in")
    page = _signed_in(server, visiting)
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    check_accessible(page, "admin-users")
    page.get_by_label("Find by name").fill("doe")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    # A new user is mailed a link; nobody chooses a password for them.
    page.get_by_role("link", name="Add a user").click()
    check_accessible(page, "admin-add")
    assert page.locator("input[type=password]").count() == 0
    page.get_by_label("User name").fill("NEWT")
    page.get_by_label("E-mail address").fill("newt@example.com")
    page.get_by_role("button", name="Add and mail the link").click()
    expect(page.get_by_role("status")).to_contain_text("The user is added")
    mail = smtp.mails.get(timeout=30)
    assert mail.recipient == "newt@example.com"
    found = re.search(r"(/password/reset#\S+)", mail.text)
    assert found
    chooser = visiting(server.url + found[1])
    chooser.get_by_label("New password", exact=True).fill("newt chose this one")
    chooser.get_by_label("New password again").fill("newt chose this one")
    chooser.get_by_role("button", name="Set the password").click()
    expect(chooser.get_by_role("heading", name="Your password is changed")).to_be_visible()
    ticket = server.sign_in("NEWT", "newt chose this one")
    assert ticket
    # Tickets are seen and ended.
    page.reload()
    row = page.get_by_role("region", name="Tickets").locator("tbody tr")
    expect(row).to_have_count(1)
    check_accessible(page, "admin-user")
    row.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Nowhere.")).to_be_visible()
    refused = server.change_own(ticket, "newt chose this one", "something else altogether")
    assert (refused.text("ExceptionType") or "").endswith("SoSessionException")
    # Retired and taken back.
    page.get_by_role("button", name="Retire").click()
    expect(page.get_by_role("status")).to_contain_text("retired")
    assert server.sign_in("NEWT", "newt chose this one") is None
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("button", name="Retire")).to_be_visible()
    assert server.sign_in("NEWT", "newt chose this one")
    # All of it stands in the trail, by whom and from where.
    for event in ("user_created", "user_retired", "user_unretired", "session_revoked"):
        entry = _events(server, event)[-1]
        assert (entry.user, entry.by, entry.row.address) == ("NEWT", "ADA", "127.0.0.1")
        assert entry.row.reason.endswith("page")
    page.get_by_role("link", name="Audit trail").click()
    page.get_by_label("Event", exact=True).select_option("user_retired")
    page.get_by_label("User", exact=True).fill("newt")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto(f"{server.url}/admin/audit")
    check_accessible(page, "admin-audit")
    # Signing out ends the ticket.
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Administration")).to_be_visible()
    page.goto(f"{server.url}/admin/audit")
    expect(page.get_by_role("heading", name="Administration")).to_be_visible()


def test_of_many_users_the_first_are_listed(
    start: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are, few are looked at before other calls have their turn."""
    monkeypatch.setattr(accounts, "_AT_ONCE", 7)
    server = start(admin_pages=True)
    ada = server.add_user("ADA", PASSWORD, role="Administrator")

    async def work() -> None:
        tenant = await tenants.default(server.identity)
        for number in range(104):
            await accounts.add_with_secret(
                server.identity,
                tenant,
                f"Bée{number:03}",
                None,
                role_id=ada.role_id,
                type=accounts.AssociateType.EMPLOYEE,
                firstname="",
                lastname="Bee",
                email="",
            )

    server.run(work())
    cookie = f"services88-admin={server.sign_in('ADA', PASSWORD)}"

    def found(query: str) -> tuple[list[str], str]:
        page = server.request("GET", f"/admin?q={query}", None, Cookie=cookie).content.decode()
        return re.findall(r">(ADA|Bée\d+)</a>", page), page

    names, page = found("")
    assert names == ["ADA", *(f"Bée{number:03}" for number in range(99))]
    assert "The first 100 are shown" in page
    names, page = found("bee+B%C3%89E10")
    assert names == [f"Bée{number}" for number in range(100, 104)]
    assert "4 users" in page
    assert found("nobody")[0] == []


def test_unlocking_and_mailing(server: RunningServer, smtp: SmtpServer, visiting: Visiting) -> None:
    for _ in range(6):
        server.sign_in("JANE", "wrong")
    assert server.sign_in("JANE", PASSWORD) is None  # has to wait
    page = _signed_in(server, visiting)
    page.get_by_role("link", name="JANE").click()
    page.get_by_role("button", name="Forget wrong passwords").click()
    expect(page.get_by_role("status")).to_contain_text("enabled")
    assert server.sign_in("JANE", PASSWORD)
    page.get_by_role("button", name="Mail a link").click()
    expect(page.get_by_role("status")).to_contain_text("on its way")
    assert "/password/reset#" in smtp.mails.get(timeout=30).text


def test_the_policy(server: RunningServer, visiting: Visiting) -> None:
    page = _signed_in(server, visiting)
    page.get_by_role("link", name="Password rules").click()
    preference = page.get_by_label("Preference System, PasswordPolicy")
    preference.fill("MinTotal=many")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("not a whole number")
    expect(preference).to_have_value("MinTotal=many")
    preference.fill("MinTotal=30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("listitem")).to_contain_text(["at least 30 characters"])
    page.get_by_label("Earlier passwords refused").fill("30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("0 to 24")
    page.get_by_label("Earlier passwords refused").fill("5")
    page.get_by_label("Preset").select_option("nist")
    page.get_by_label("Characters at least").fill("16")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("listitem")).to_contain_text(["16 characters", "the 5 before it"])
    page.get_by_label("Characters at least").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("listitem")).to_contain_text(["15 characters"])
    page.get_by_label("Preset").select_option("vendor")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("listitem")).to_contain_text(["at least 30 characters"])
    check_accessible(page, "admin-policy")
    ticket = server.sign_in("JANE", PASSWORD)
    refused = server.change_own(ticket or "", PASSWORD, "still a long password")
    assert refused.extra["Rules"] == "min-total"
    assert _events(server, "policy_changed")[-1].by == "ADA"


def test_only_administrators(server: RunningServer, visiting: Visiting) -> None:
    page = _signed_in(server, visiting, "JANE")
    expect(page.get_by_text("You may not do this")).to_be_visible()
    page.goto(f"{server.url}/admin")
    expect(page.get_by_role("heading", name="Administration")).to_be_visible()
    assert _events(server, "authz_fail")[-1].by == "JANE"

    async def live() -> int:
        return len(await tickets.listing(server.identity, await tenants.default(server.identity)))

    assert server.run(live()) == 0


def test_a_right_that_was_taken_ends_it(server: RunningServer) -> None:
    """A ticket of somebody who is no administrator does not open a page, however it came there."""
    ticket = server.sign_in("JANE", PASSWORD)
    browser = Browser(server, "/admin")
    cookie = f"{browser.cookie}; services88-admin={ticket}"
    for path in ("/admin", "/admin/audit", "/admin/user/1", "/admin/policy", "/admin/add"):
        assert server.request("GET", path, None, Cookie=cookie).status == 403
    for path in ("/admin/user/1/retire", "/admin/policy", "/admin/add", "/admin/user/1/mail"):
        fields = {"csrf": browser.csrf, "preference": "MinTotal=1"}
        assert browser.send(path, fields, Cookie=cookie).status == 403


def _add_user_administrator(server: RunningServer, name: str) -> None:
    async def work(connection: Connection) -> None:
        await roles.add(
            connection,
            tenant=1,
            name="User administrator",
            tooltip="",
            is_default=False,
            rights=("admin-users",),
        )

    server.run(server.identity.database.transaction(work))
    server.add_user(name, PASSWORD, role="User administrator")


def test_user_administrators_do_not_reach_general_ones(
    server: RunningServer, visiting: Visiting
) -> None:
    _add_user_administrator(server, "URSULA")
    page = _signed_in(server, visiting, "URSULA")
    page.get_by_role("link", name="Add a user").click()
    assert page.get_by_label("Role").locator("option").all_inner_texts() == [
        "User level 0",
        "User administrator",
    ]
    page.goto(f"{server.url}/admin")
    page.get_by_role("link", name="ADA").click()
    expect(page.get_by_text("by general administrators only")).to_be_visible()
    (cookie,) = (one for one in page.context.cookies() if one["name"] == "services88-admin")
    browser = Browser(server, "/admin")
    both = f"{browser.cookie}; services88-admin={cookie['value']}"
    number = page.url.rpartition("/")[2]
    for action in ("retire", "mail", "end", "unlock"):
        answer = browser.send(f"/admin/user/{number}/{action}", {"csrf": browser.csrf}, Cookie=both)
        assert answer.status == 403
    assert server.sign_in("ADA", PASSWORD)


def test_forged_fields_give_no_more(server: RunningServer) -> None:
    """ASVS 8.2.3, 15.3.3: nobody gives a role that is not theirs to give, nor sets other fields."""
    _add_user_administrator(server, "URSULA")
    browser = Browser(server, "/admin")
    cookie = f"{browser.cookie}; services88-admin={server.sign_in('URSULA', PASSWORD)}"

    async def by_name() -> dict[str, int]:
        tenant = await tenants.default(server.identity)
        found = await accounts.roles_of_tenant(server.identity, tenant)
        return {role.name: role.role_id for role in found}

    async def added() -> Associate | None:
        tenant = await tenants.default(server.identity)
        return await associates.by_name(server.identity.database, tenant.tenant_id, "newt")

    numbers = server.run(by_name())
    fields = {
        "csrf": browser.csrf,
        "name": "NEWT",
        "email": "newt@example.com",
        "type": "13",
        "tenant_id": "2",
        "associate_id": "1",
        "password": PASSWORD,
        "deleted": "1",
        "role_name": "Administrator",
        "role_id": str(numbers["Administrator"]),
    }
    for role, status in (("Administrator", 422), ("User level 0", 303)):
        assert server.run(added()) is None
        sent = {**fields, "role": str(numbers[role])}
        assert browser.send("/admin/add", sent, Cookie=cookie).status == status
    newt = server.run(added())
    assert newt is not None
    assert (newt.role_name, newt.type, newt.deleted) == ("User level 0", 0, False)
    assert server.sign_in("NEWT", PASSWORD) is None, "no password is chosen there"


def test_text_of_others_is_shown_as_text(server: RunningServer) -> None:
    """ASVS 1.2.1, 1.2.2, 1.3.7: names are neither markup nor templates nor parts of an address."""
    name = """{{7*7}}{% x %} "><script>x</script>'&?user=ADA#%"""
    shown = "{{7*7}}{% x %} &#34;&gt;&lt;script&gt;x&lt;/script&gt;&#39;&amp;?user=ADA#%"
    user = server.add_user(name, PASSWORD, firstname=name, lastname=name, email=f"{name}@x")
    cookie = f"services88-admin={server.sign_in('ADA', PASSWORD)}"
    quoted = quote(name, safe="/")
    for path, times in (
        ("/admin", 4),
        (f"/admin?q={quote(name, safe='')}", 5),
        (f"/admin/user/{user.associate_id}", 4),
        (f"/admin/audit?user={quote(name, safe='')}", 1),
    ):
        page = server.request("GET", path, None, Cookie=cookie).content.decode()
        assert page.count(shown) >= times, path
        assert "<script>x" not in page
        assert name not in page
    told = server.request("GET", f"/admin/user/{user.associate_id}", None, Cookie=cookie)
    assert f'href="/admin/audit?user={quoted}"' in told.content.decode()


def test_tenants_are_apart(server: RunningServer) -> None:
    async def work() -> None:
        await tenants.add(server.identity, "Other")

    server.run(work())
    stranger = server.add_user("STRANGER", PASSWORD, "Other")
    server.add_user("OTTO", PASSWORD, "Other", role="Administrator")
    ticket = server.sign_in("ADA", PASSWORD)
    browser = Browser(server, "/admin")
    cookie = f"{browser.cookie}; services88-admin={ticket}"
    users = server.request("GET", "/admin", None, Cookie=cookie)
    assert b"JANE" in users.content
    assert b"STRANGER" not in users.content
    path = f"/admin/user/{stranger.associate_id}"
    assert server.request("GET", path, None, Cookie=cookie).status == 404
    assert browser.send(f"{path}/retire", {"csrf": browser.csrf}, Cookie=cookie).status == 404
    # The same ticket under the other tenant's address and cookie is unknown there.
    name = f"services88-admin-{b'other'.hex()}"
    there = server.request("GET", "/other/admin", None, Cookie=f"{name}={ticket}")
    assert b"STRANGER" not in there.content
    assert b"Sign in" in there.content
    otto = server.sign_in("OTTO", PASSWORD, site="/Other")
    there = server.request("GET", "/other/admin", None, Cookie=f"{name}={otto}")
    assert b"STRANGER" in there.content
    assert b"JANE" not in there.content


def test_nobody_retires_themselves(server: RunningServer, visiting: Visiting) -> None:
    page = _signed_in(server, visiting)
    page.get_by_role("link", name="ADA").click()
    expect(page.get_by_role("button", name="Retire")).to_be_disabled()
    (cookie,) = (one for one in page.context.cookies() if one["name"] == "services88-admin")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    browser = Browser(server, "/admin")
    both = f"{browser.cookie}; services88-admin={cookie['value']}"
    number = page.url.rpartition("/")[2]
    answer = browser.send(f"/admin/user/{number}/retire", {"csrf": browser.csrf}, Cookie=both)
    assert answer.status == 422
    assert server.sign_in("ADA", PASSWORD)


def test_without_mail_nobody_is_added(start: Starter) -> None:
    server = start(admin_pages=True)
    server.add_user("ADA", PASSWORD, role="Administrator")
    browser = Browser(server, "/admin")
    cookie = f"{browser.cookie}; services88-admin={server.sign_in('ADA', PASSWORD)}"
    fields = {"csrf": browser.csrf, "name": "NEWT", "email": "n@example.com", "role": "1"}
    answer = browser.send("/admin/add", fields, Cookie=cookie)
    assert answer.status == 422
    assert b"SERVICES88_SMTP_HOST" in answer.content

    async def names() -> list[str]:
        tenant = await tenants.default(server.identity)
        return [user.name for user in await accounts.listing(server.identity, tenant)]

    assert server.run(names()) == ["ADA"]


def test_hostile_addresses_and_filters(server: RunningServer) -> None:
    cookie = f"services88-admin={server.sign_in('ADA', PASSWORD)}"
    for path, status in (
        (f"/admin/user/{'9' * 30}", 404),
        ("/admin/user/999999999", 404),
        ("/admin/nonsense", 404),
        ("/admin/audit?event=nope", 422),
        ("/admin/audit?since=yesterday", 422),
        ("/admin/audit?user=%00", 422),
        ("/admin/audit?since=9999-12-31&until=9999-12-31", 422),
        ("/admin?q=%00%ff%22%3E%3Cscript%3E", 200),
    ):
        reply = server.request("GET", path, None, Cookie=cookie)
        assert (path, reply.status) == (path, status)
        assert b"><script>" not in reply.content


def test_the_cookie_of_the_ticket(start: Starter) -> None:
    """ASVS 3.3.1 to 3.3.5: over https bound to the host, for no script and no other site."""
    server = start(admin_pages=True, trusted_proxies="127.0.0.1")
    server.add_user("ADA", PASSWORD, role="Administrator")
    browser = Browser(server, "/admin", X_Forwarded_Proto="https")
    fields = {"csrf": browser.csrf, "name": "ADA", "password": PASSWORD}
    reply = browser.send("/admin/sign-in", fields, X_Forwarded_Proto="https")
    assert reply.status == 303
    cookie = reply.headers["set-cookie"]
    assert cookie.startswith("__Host-services88-admin=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
    assert "max-age" not in cookie.lower(), "it ends with the browser"
    assert len(cookie) < 4096
    ticket = cookie.partition("=")[2].partition(";")[0]
    assert ticket.startswith("7T:"), "it is not quoted: no cookie of ours is, nor read as such"
    shown = server.request(
        "GET", "/admin", X_Forwarded_Proto="https", Cookie=cookie.partition(";")[0]
    )
    assert shown.status == 200
    assert b"Sign out" in shown.content
    assert ticket.encode() not in shown.content
    # Who signs in again gets another, and the one before is of no use any more (ASVS 7.2.4).
    kept = cookie.partition(";")[0]
    both = f"{browser.cookie}; {kept}"
    again = browser.send("/admin/sign-in", fields, X_Forwarded_Proto="https", Cookie=both)
    assert again.status == 303
    after = again.headers["set-cookie"].partition(";")[0]
    for one, is_signed_in in ((kept, False), (after, True)):
        shown = server.request("GET", "/admin", X_Forwarded_Proto="https", Cookie=one)
        assert (b"Sign out" in shown.content) is is_signed_in


def test_pressing_twice_fails_nobody(server: RunningServer) -> None:
    """What both end is ended once, and neither is told of a failure."""
    browser = Browser(server, "/admin")
    fields = {"csrf": browser.csrf, "name": "ADA", "password": PASSWORD}
    ticket = server.sign_in("ADA", PASSWORD)
    both = f"{browser.cookie}; services88-admin={ticket}"
    with ThreadPoolExecutor(8) as threads:
        for path in ("/admin/sign-in", "/admin/sign-out"):
            send = partial(browser.send, path, fields, Cookie=both)
            assert {one.result().status for one in [threads.submit(send) for _ in range(8)]} == {
                303
            }
            both = f"{browser.cookie}; services88-admin={server.sign_in('ADA', PASSWORD)}"
    assert len(_events(server, "session_revoked")) == 2


def test_off_until_configured(start: Starter) -> None:
    assert start(pages="all").request("GET", "/admin").status == 404
