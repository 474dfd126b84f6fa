"""The fixture, as a test of somebody's portal uses it; and the other ways to the same."""

import asyncio
import inspect
import pydoc
import unittest
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, assert_type

import httpx
import pytest
import zeep
from pydantic import ValidationError

from services88.sandbox.models import UserOut
from services88.testing import (
    AsyncServices88,
    BadInput,
    Delay,
    Exchange,
    SandboxServer,
    Services88,
    in_process,
    running,
    running_async,
)
from tests.running import sign_in
from tests.sandbox.posting import change, get_ticket, post, request


class Portal:
    """Somebody's client."""

    @staticmethod
    def change_password(url: str, name: str, old: str, new: str) -> bool:
        principal = zeep.Client(f"{url}/SoPrincipal.svc?wsdl")  # type: ignore[no-untyped-call]
        signed_in = principal.service.AuthenticateUsernamePassword(name, old)
        ticket = signed_in.body.Credentials.Ticket
        user = zeep.Client(f"{url}/User.svc?wsdl")  # type: ignore[no-untyped-call]
        answer = user.service.ChangeOwnPassword(
            old, new, _soapheaders={"Credentials": {"Ticket": ticket}}
        )
        return bool(answer.body.Response)


portal = Portal()


def test_portal(services88: Services88) -> None:
    services88.add_user("JANE", password="old secret")
    portal.change_password(services88.url, "JANE", "old secret", "new secret")
    assert services88.accepts("JANE", "new secret")
    assert services88.calls("ChangeOwnPassword")[0].succeeded


def test_a_tenant_begins_empty_and_is_named_after_the_test(services88: Services88) -> None:
    assert services88.users() == []
    assert services88.calls() == []
    assert services88.tenant.startswith("test-a-tenant-begins-empty")
    assert services88.url.endswith(f"/{services88.tenant}/Remote/Services88")


def test_accepting_counts_and_writes_nothing(services88: Services88) -> None:
    services88.add_user("JANE", password="old secret")
    for _ in range(10):
        assert not services88.accepts("JANE", "wrong")
    assert services88.accepts("jane", "old secret")
    assert services88.user("JANE").failures == 0
    assert services88.calls() == []
    with pytest.raises(LookupError, match="no user NOBODY"):
        services88.accepts("NOBODY", "x")


def test_users_can_be_changed_in_every_way(services88: Services88) -> None:
    added = services88.add_user("JANE", "old", role="Administrator", email="jane@example.com")
    assert (added.role, added.email, added.type) == (
        "Administrator",
        "jane@example.com",
        "employee",
    )
    ticket = get_ticket(services88, "JANE", "old")
    assert services88.user("JANE").tickets == 1
    services88.set_password("JANE", "new")
    assert change(services88, ticket, "new", "newer").text("Succeeded") == "false"
    services88.retire("JANE")
    assert services88.user("JANE").retired
    assert not services88.accepts("JANE", "new")
    services88.retire("JANE", retired=False)
    assert services88.accepts("JANE", "new")
    for _ in range(4):
        post(services88, "SoPrincipal", sign_in("JANE", "wrong"))
    assert services88.user("JANE").failures == 3  # the fourth was made to wait
    services88.unlock("JANE")
    assert services88.user("JANE").failures == 0
    post(services88, "SoPrincipal", sign_in("JANE", "wrong"))
    services88.set_password("JANE", "newest")  # as any change: what was wrong before is forgotten
    assert services88.user("JANE").failures == 0
    services88.delete_user("JANE")
    assert services88.users() == []
    services88.add_user("JANE")
    assert not services88.user("JANE").has_password
    with pytest.raises(BadInput, match="has a user jane already"):
        services88.add_user("jane", "x")


def test_tickets_expire_by_the_clock_and_on_demand(services88: Services88) -> None:
    services88.add_user("JANE", password="old")
    ticket = get_ticket(services88, "JANE", "old")
    assert change(services88, ticket, "wrong", "x").text("Succeeded") == "true"
    services88.move_clock(timedelta(hours=7))
    refused = change(services88, ticket, "old", "new")
    assert refused.text("ExceptionType") == "SuperOffice.Exceptions.SoSessionException"
    ticket = get_ticket(services88, "JANE", "old")
    assert services88.expire_tickets("JANE") == 1
    assert change(services88, ticket, "old", "new").text("Succeeded") == "false"
    assert services88.expire_tickets() == 0
    assert services88.accepts("JANE", "old")


def test_application_tokens(services88: Services88) -> None:
    services88.add_user("JANE", password="old")
    services88.set_options(application_tokens=True)
    message = sign_in("JANE", "old")
    without = post(services88, "SoPrincipal", message)
    assert without.text("Succeeded") == "false"
    issued = services88.issue_application_token("portal", "a token of ours")
    header = f"<s:Header><ApplicationToken>{issued.token}</ApplicationToken></s:Header><s:Body>"
    assert post(services88, "SoPrincipal", message.replace("<s:Body>", header)).text("Ticket")
    services88.revoke_application_token(issued.id)
    again = post(services88, "SoPrincipal", message.replace("<s:Body>", header))
    assert again.text("Succeeded") == "false"
    assert [one.revoked for one in services88.application_tokens()] == [True]


def test_policy_and_options(services88: Services88) -> None:
    services88.add_user("JANE", password="old")
    rules = services88.set_policy("nist").rules
    assert any("15" in rule for rule in rules)
    refused = change(services88, get_ticket(services88, "JANE", "old"), "old", "short")
    assert refused.text("Response") == "false"
    assert "minimum-length" in (refused.extra["Rules"] or "")
    (call,) = services88.calls("ChangeOwnPassword")
    assert (call.outcome, call.succeeded) == ("refused", False)
    services88.set_options(password_refusals="exception")
    refused = change(services88, get_ticket(services88, "JANE", "old"), "old", "short")
    assert refused.text("ExceptionType") == "SuperOffice.Exceptions.SoInvalidPasswordException"
    with pytest.raises(BadInput, match="at least 8"):
        services88.set_policy("nist", minimum_length=3)


def test_waiting_for_calls(services88: Services88) -> None:
    services88.add_user("JANE", password="old")

    async def both() -> int:
        async def call() -> None:
            await asyncio.to_thread(get_ticket, services88, "JANE", "old")

        waiting = asyncio.to_thread(
            services88.wait_for, "AuthenticateUsernamePassword", user="jane", count=2, timeout=30
        )
        found, *_ = await asyncio.gather(waiting, call(), call())
        return len(found)

    assert asyncio.run(both()) == 2
    with pytest.raises(TimeoutError, match=r"there are 2 exchanges .*not 3"):
        services88.wait_for("AuthenticateUsernamePassword", count=3, timeout=0.05)
    services88.clear_journal()
    assert services88.count() == 0


class OfUnittest(unittest.TestCase):
    def test_running(self) -> None:
        with running() as services88:
            services88.add_user("JANE", password="old secret")
            assert portal.change_password(services88.url, "JANE", "old secret", "new secret")
            assert services88.accepts("JANE", "new secret")


def test_what_a_test_can_do_an_asynchronous_one_can() -> None:
    def controls(of: type) -> dict[str, tuple[list[inspect.Parameter], object]]:
        methods = inspect.getmembers(of, inspect.isroutine)
        signatures = {
            name: inspect.signature(one) for name, one in methods if not name.startswith("_")
        }
        return {
            name: (list(one.parameters.values())[1:], one.return_annotation)
            for name, one in signatures.items()
        }

    assert controls(Services88) == controls(AsyncServices88)
    assert len(controls(Services88)) > 30


def _seen_by_type_checkers(blocking: Services88, awaited: AsyncServices88) -> None:
    """Is not run: mypy, which checks these tests, would report a line that is not as it says."""
    assert_type(blocking.add_user("JANE", "old", role="Administrator"), UserOut)
    assert_type(blocking.calls("ChangeOwnPassword", outcome="refused"), list[Exchange])
    assert_type(blocking.move_clock(60), datetime)
    assert_type(awaited.add_user("JANE"), Coroutine[Any, Any, UserOut])  # type: ignore[unused-coroutine]
    blocking.add_user()  # type: ignore[call-arg]
    blocking.add_user("JANE", pasword="old")  # type: ignore[call-arg]
    blocking.add_user("JANE", type="robot")  # type: ignore[arg-type]
    blocking.calls("ChangeOwnPassword", "JANE")  # type: ignore[call-arg]


def test_people_see_signatures_and_docstrings(services88: Services88) -> None:
    signature = str(inspect.signature(services88.expire_tickets))
    assert signature == "(name: str | None = None) -> int"
    assert inspect.getdoc(services88.add_user) == inspect.getdoc(AsyncServices88.add_user)
    shown = pydoc.plain(pydoc.render_doc(Services88))
    assert "accepts(self, name: str, password: str) -> bool\n" in shown
    assert "Check if a user would be signed in" in shown
    unknown: Any = {"pasword": "old"}
    with pytest.raises(TypeError, match=r"add_user\(\): got an unexpected keyword .*'pasword'"):
        services88.add_user("JANE", **unknown)
    with pytest.raises(TypeError, match=r"set_password\(\): missing a required .*'password'"):
        services88.set_password("JANE")  # type: ignore[call-arg]


def test_what_a_test_may_be_passed_a_control_checks(services88: Services88) -> None:
    """Before anything is done, and by the same limits as in the admin API."""
    for work in (
        lambda: services88.add_user(""),
        lambda: services88.set_policy(history=25),
        lambda: services88.move_clock(float("inf")),
        lambda: services88.calls(limit=0),
        lambda: services88.snapshot(""),
    ):
        with pytest.raises(ValidationError):
            work()
    assert services88.users() == []
    assert services88.snapshots() == []


def test_running_async() -> None:
    async def work() -> None:
        async with running_async() as services88, httpx.AsyncClient() as client:
            await services88.add_user("JANE", password="old secret")
            answer = await client.post(
                services88.service("SoPrincipal"),
                content=sign_in("JANE", "old secret"),
                headers={"Content-Type": "text/xml; charset=utf-8"},
            )
            assert "<Ticket>" in answer.text
            # a client that blocks the loop is answered as well
            blocking = httpx.get(services88.wsdl("User"))  # noqa: ASYNC210 - on purpose
            assert blocking.status_code == 200
            (call,) = await services88.calls("AuthenticateUsernamePassword")
            assert call.succeeded
            assert await services88.accepts("JANE", "old secret")

    asyncio.run(work())


def _delayed(services88: Services88) -> None:
    services88.fault(Delay(seconds=60))
    post(services88, "SoPrincipal", sign_in("JANE", "old"))


def _waiting(services88: Services88) -> None:
    path = f"/__sandbox/tenants/{services88.tenant}/journal/wait"
    body = b'{"timeout_seconds": 60}'
    json = {"Content-Type": "application/json"}
    assert request(services88.server_url, "POST", path, body, json).status == 408


def _following(services88: Services88) -> None:
    request(services88.server_url, "GET", "/__sandbox/events")


@pytest.mark.parametrize("call", [_delayed, _waiting, _following])
def test_what_waits_does_not_keep_the_server_from_ending(
    call: Callable[[Services88], None], caplog: pytest.LogCaptureFixture
) -> None:
    with ThreadPoolExecutor(1) as others:
        with running() as services88:
            done = others.submit(call, services88)
            with pytest.raises(TimeoutError):
                done.result(1)
        done.result(5)
    assert "graceful shutdown" not in caplog.text


def test_a_tenant_is_deleted_with_calls_under_way(
    services88_server: SandboxServer, caplog: pytest.LogCaptureFixture
) -> None:
    with ThreadPoolExecutor(6) as others:
        for _ in range(5):
            with services88_server.tenant() as tenant:
                tenant.add_user("JANE", "old")
                calls = [
                    others.submit(post, tenant, "SoPrincipal", sign_in("JANE", password))
                    for password in ("old", "bad", "old", "bad", "old", "bad") * 3
                ]
                calls[3].result(30)
            assert {one.result(30).status for one in calls} <= {200, 404}
            with services88_server.tenant() as another:
                assert another.users() == []
    assert "a call failed" not in caplog.text


def test_an_error_in_python_quotes_no_secret(services88: Services88) -> None:
    services88.add_user("JANE", "old")
    secret = "hidden" * 200
    for work in (
        lambda: services88.add_user("JOHN", secret),
        lambda: services88.set_password("JANE", secret),
        lambda: services88.issue_application_token("portal", secret),
    ):
        with pytest.raises(ValidationError, match="at most") as error:
            work()
        assert "hidden" not in str(error.value)


def test_a_value_that_could_never_fit_is_refused(services88: Services88) -> None:
    misspelt: Any = "ChangOwnPassword"
    for work in (
        lambda: services88.fault(Delay(seconds=1), misspelt),
        lambda: services88.calls(misspelt),
        lambda: services88.count(misspelt),
        lambda: services88.wait_for(misspelt, timeout=0),
    ):
        with pytest.raises(ValidationError, match=r"no such operation. Did you mean ChangeOwn"):
            work()
    with pytest.raises(ValidationError, match="no such operation"):
        services88.fault(Delay(seconds=1), "changeownpassword")
    with pytest.raises(ValidationError, match="The WSDL lists them"):
        services88.calls("xyz")
    kind: Any = Delay
    with pytest.raises(BadInput, match=r"write Delay\(\), with parentheses"):
        services88.fault(kind)
    unknown: Any = "success"
    with pytest.raises(ValidationError, match="'succeeded', 'refused'"):
        services88.wait_for(outcome=unknown, timeout=0)
    with pytest.raises(ValidationError, match="'nist', 'vendor-online' or 'vendor'"):
        services88.set_policy(unknown)
    assert services88.faults() == []


def test_waiting_for_calls_of_some_time(services88: Services88) -> None:
    services88.add_user("JANE", password="old")
    get_ticket(services88, "JANE", "old")
    later = services88.move_clock(60)
    with pytest.raises(TimeoutError, match="there are 0 exchanges"):
        services88.wait_for(since=later, timeout=0.05)
    assert len(services88.wait_for(until=later)) == 1


def test_a_test_may_delete_its_tenant(services88_server: SandboxServer) -> None:
    with services88_server.tenant() as tenant:
        path = f"/__sandbox/tenants/{tenant.tenant}"
        json = {"Content-Type": "application/json"}
        assert request(tenant.server_url, "DELETE", path, headers=json).status == 204
        for ask in (
            tenant.users,
            tenant.calls,
            tenant.now,
            lambda: tenant.add_user("JANE", "old"),
        ):
            with pytest.raises(LookupError, match=f"Tenant {tenant.tenant} was deleted"):
                ask()

    async def work() -> None:
        async with services88_server.tenant_async() as tenant:
            await services88_server.bridge(services88_server.sandbox.delete(tenant.tenant))

    asyncio.run(work())


def test_in_process() -> None:
    async def work() -> None:
        async with in_process() as sandbox:
            services88 = sandbox.services88
            await services88.add_user("JANE", password="old secret")
            answer = await sandbox.client.post(
                services88.service("SoPrincipal"),
                content=sign_in("JANE", "old secret"),
                headers={"Content-Type": "text/xml; charset=utf-8"},
            )
            assert "<Ticket>" in answer.text
            assert [call.user for call in await services88.calls()] == ["JANE"]
            told = await sandbox.client.get("/__sandbox/tenants")
            assert [one["name"] for one in told.json()] == ["default", "tenant"]

    asyncio.run(work())
