"""Tenants see nothing of each other: users, tickets, application tokens, roles."""

from collections.abc import Iterator

import pytest

from services88.identity import accounts, application_tokens, sign_in, tenants, tickets
from services88.identity.errors import ApplicationTokenRefused, BadInput, NotSignedIn
from services88.identity.identity import Origin
from services88.store.tenants import Tenant
from tests.identity.domain import World, world
from tests.loop import run
from tests.running import RunningServer, Starter, change_own
from tests.running import sign_in as sign_in_message

RED, BLUE = "vellum orbit quartz", "marble lantern fjord"


@pytest.fixture
def server(start: Starter) -> RunningServer:
    """A server with two tenants, each with a JANE of its own, and RED with a JOHN."""
    running = start()
    for name in ("red", "blue"):
        running.run(tenants.add(running.identity, name, company=name))
    running.add_user("JANE", RED, tenant="red", email="jane@example.com")
    running.add_user("JANE", BLUE, tenant="blue")
    running.add_user("JOHN", RED, tenant="red", email="john@example.com")
    return running


def test_users_are_known_in_their_tenant_only(server: RunningServer) -> None:
    for name in ("JOHN", "john@example.com"):
        assert server.sign_in(name, RED, site="/red")
        assert server.sign_in(name, RED, site="/RED")
        assert server.sign_in(name, RED, site="/blue") is None
        assert server.sign_in(name, RED) is None


def test_users_of_one_name_have_passwords_of_their_own(server: RunningServer) -> None:
    assert server.sign_in("JANE", RED, site="/blue") is None
    assert server.sign_in("JANE", BLUE, site="/red") is None
    red = server.sign_in("JANE", RED, site="/red")
    blue = server.sign_in("JANE", BLUE, site="/blue")
    assert red
    assert blue
    changed = server.change_own(red, RED, "copper violin meadow", site="/red")
    assert changed.text("Response") == "true"
    assert server.sign_in("JANE", BLUE, site="/blue"), "the other JANE is not concerned"
    assert server.sign_in(blue, "", site="/blue") == blue


def test_a_ticket_counts_in_its_tenant_only(server: RunningServer) -> None:
    ticket = server.sign_in("JANE", RED, site="/red")
    assert ticket
    for site in ("/blue", "", "/default"):
        assert server.sign_in(ticket, RED, site=site) is None
        refused = server.change_own(ticket, RED, "copper violin meadow", site=site)
        assert refused.text("Succeeded") == "false"
        assert refused.text("ExceptionType") == "SuperOffice.Exceptions.SoSessionException"
    assert server.sign_in(ticket, "", site="/red") == ticket


def test_an_application_token_counts_in_its_tenant_only(start: Starter) -> None:
    server = start(installation="online")
    of = {}
    for name in ("red", "blue"):
        tenant = server.run(tenants.add(server.identity, name))
        of[name] = server.run(application_tokens.issue(server.identity, tenant, "app")).text
        server.add_user("JANE", RED, tenant=name)

    def reply(site: str, token: str | None) -> str | None:
        header = "" if token is None else f"<ApplicationToken>{token}</ApplicationToken>"
        message = sign_in_message("JANE", RED).replace(
            "<s:Body>", f"<s:Header>{header}</s:Header><s:Body>"
        )
        answer = server.post("SoPrincipal", message, site=f"/{site}")
        assert answer.status == 200
        if answer.text("Succeeded") == "false":
            assert answer.text("AuthenticationSucceeded") == "false"
            return answer.text("ExceptionType")
        return answer.text("AuthenticationSucceeded")

    session = "SuperOffice.Exceptions.SoSessionException"
    assert reply("red", of["red"]) == "true"
    assert reply("blue", of["blue"]) == "true"
    assert reply("red", of["blue"]) == session
    assert reply("blue", of["red"]) == session
    for unknown in (None, "", "unknown", of["red"][:-1]):
        assert reply("red", unknown) == session

    red = server.run(tenants.named(server.identity, "red"))
    server.run(application_tokens.revoke(server.identity, red, 1))
    assert reply("red", of["red"]) == session
    assert reply("blue", of["blue"]) == "true"


def test_online_a_ticket_needs_its_application_token_too(start: Starter) -> None:
    server = start(installation="online")
    server.add_user("JANE", RED)
    tenant = server.run(tenants.default(server.identity))
    token = server.run(application_tokens.issue(server.identity, tenant, "app")).text
    header = f"<ApplicationToken>{token}</ApplicationToken>"
    message = sign_in_message("JANE", RED).replace(
        "<s:Body>", f"<s:Header>{header}</s:Header><s:Body>"
    )
    ticket = server.post("SoPrincipal", message, site="/default").text("Ticket")
    assert ticket
    change = change_own(ticket, RED, BLUE)
    refused = server.post("User", change, site="/default")
    assert refused.text("Succeeded") == "false"
    assert "application token" in (refused.text("FriendlyText") or "")
    allowed = change.replace("<s:Header>", f"<s:Header>{header}")
    assert server.post("User", allowed, site="/default").text("Response") == "true"


# --- the operator's side ----------------------------------------------------------------------


@pytest.fixture
def here(database: str) -> Iterator[World]:
    with world(database) as opened:
        yield opened


async def _two(here: World) -> tuple[Tenant, Tenant]:
    return await tenants.add(here.identity, "red"), await tenants.add(here.identity, "blue")


def test_an_operator_sees_and_retires_users_of_the_named_tenant_only(here: World) -> None:
    async def story() -> None:
        red, blue = await _two(here)
        identity = here.identity
        await accounts.add(identity, red, "JANE", RED)
        assert [user.name for user in await accounts.listing(identity, red)] == ["JANE"]
        assert await accounts.listing(identity, blue) == []
        assert await accounts.listing(identity, here.tenant) == []
        for work in (
            accounts.find(identity, blue, "JANE"),
            accounts.retire(identity, blue, "JANE", retired=True),
        ):
            with pytest.raises(BadInput, match="blue has no user JANE"):
                await work
        assert not (await accounts.find(identity, red, "JANE")).deleted

    run(story())


def test_an_operator_revokes_tokens_of_the_named_tenant_only(here: World) -> None:
    async def story() -> None:
        red, blue = await _two(here)
        issued = await application_tokens.issue(here.identity, red, "app")
        number = issued.application_token_id
        with pytest.raises(BadInput, match=f"blue has no application token {number}"):
            await application_tokens.revoke(here.identity, blue, number)
        assert await application_tokens.verify(here.identity, red, f" {issued.text}\n") == number
        with pytest.raises(ApplicationTokenRefused):
            await application_tokens.verify(here.identity, blue, issued.text)
        assert await application_tokens.listing(here.identity, blue) == []

    run(story())


def test_a_ticket_is_verified_for_its_tenant_only(here: World) -> None:
    async def story() -> None:
        red, blue = await _two(here)
        await accounts.add(here.identity, red, "JANE", RED)
        signed_in = await sign_in.with_name(here.identity, red, "JANE", RED, Origin())
        assert signed_in is not None
        caller = await tickets.verify(here.identity, red, signed_in.ticket.text)
        assert caller.name == "JANE"
        for other in (blue, here.tenant):
            with pytest.raises(NotSignedIn):
                await tickets.verify(here.identity, other, signed_in.ticket.text)

    run(story())


def test_a_role_of_another_tenant_cannot_be_given(here: World) -> None:
    async def story() -> None:
        red, blue = await _two(here)
        roles = {}
        for tenant in (red, blue):
            user = await accounts.add(here.identity, tenant, "JANE", RED, role=" administrator ")
            roles[tenant.name] = user.role_id
            known = await accounts.roles_of_tenant(here.identity, tenant)
            assert user.role_id in [role.role_id for role in known]
        assert roles["red"] != roles["blue"]

    run(story())


def test_a_tenants_name_is_taken_in_any_letter_case(here: World) -> None:
    async def story() -> None:
        await tenants.add(here.identity, "Red")
        with pytest.raises(BadInput, match="already"):
            await tenants.add(here.identity, "rED")
        assert len(await tenants.listing(here.identity)) == 2

    run(story())
