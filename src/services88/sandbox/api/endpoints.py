"""The endpoints of the admin API."""

from typing import Any, Literal

from pydantic import Field

from services88.sandbox.api.declaring import Endpoint, Given
from services88.sandbox.control import Control, add_tenant
from services88.sandbox.faults import Rule
from services88.sandbox.journal import Outcome
from services88.sandbox.models import (
    AcceptsAnswer,
    AcceptsQuestion,
    ApplicationTokenIn,
    ApplicationTokenOut,
    ClockChange,
    ClockOut,
    FaultOut,
    JournalQuery,
    Model,
    OptionsChange,
    PolicyChange,
    PolicyOut,
    TenantIn,
    TenantOut,
    UserChange,
    UserIn,
    UserOut,
    WaitQuery,
)

__all__ = ["ENDPOINTS"]


class Count(Model):
    """A number of things."""

    count: int


class Named(Model):
    """A name."""

    name: str = Field(min_length=1, max_length=100)


class OfUser(Model):
    """A user, or all."""

    user: str | None = Field(default=None, description="Sign-in name; all users where left out.")


class Listing(JournalQuery):
    """Exchanges to list."""

    limit: int | None = Field(default=None, ge=1, le=10_000, description="The newest so many.")


class NearMissOut(Model):
    """Where a message departs from the contract."""

    code: str
    message: str
    sent: str
    expected: str
    accepted: bool = Field(description="Whether the message was read in spite of it.")


class ExchangeOut(Model):
    """A request and what came of it."""

    id: int
    tenant: str
    at: int = Field(description="By the tenant's clock, milliseconds since 1970 UTC.")
    received: int = Field(description="By the machine's clock.")
    duration_ms: float
    client: str
    method: str
    path: str
    request_headers: list[tuple[str, str]]
    request: str = Field(description="The body, secrets masked.")
    status: int | None = Field(description="null: the connection broke.")
    response_headers: list[tuple[str, str]]
    response: str
    agent: str | None
    operation: str | None
    user: str | None
    arguments: dict[str, Any]
    outcome: Outcome
    succeeded: bool
    reason: str | None
    exception_type: str | None
    near_misses: list[NearMissOut]
    fault: str | None


class Health(Model):
    """The sandbox answers."""

    status: Literal["ok"] = "ok"


async def _health(_: Given) -> Health:
    return Health()


async def _tenants(given: Given) -> list[TenantOut]:
    return [await Control(world).state() for world in list(given.sandbox.worlds.values())]


async def _add_tenant(given: Given) -> TenantOut:
    return await (await add_tenant(given.sandbox, given.body)).state()


async def _tenant(given: Given) -> TenantOut:
    return await (await given.control()).state()


async def _delete_tenant(given: Given) -> None:
    await given.sandbox.delete(given.path["tenant"])


async def _set_options(given: Given) -> OptionsChange:
    return (await given.control()).set_options(given.body)


async def _reset(given: Given) -> TenantOut:
    control = await given.control()
    await control.reset()
    return await control.state()


async def _users(given: Given) -> list[UserOut]:
    return await (await given.control()).users()


async def _add_user(given: Given) -> UserOut:
    return await (await given.control()).add_user(given.body)


async def _user(given: Given) -> UserOut:
    return await (await given.control()).user(given.path["user"])


async def _change_user(given: Given) -> UserOut:
    return await (await given.control()).change_user(given.path["user"], given.body)


async def _delete_user(given: Given) -> None:
    await (await given.control()).delete_user(given.path["user"])


async def _accepts(given: Given) -> AcceptsAnswer:
    control = await given.control()
    return AcceptsAnswer(accepts=await control.accepts(given.path["user"], given.body.password))


async def _expire(given: Given) -> Count:
    return Count(count=await (await given.control()).expire_tickets(given.body.user))


async def _tokens(given: Given) -> list[ApplicationTokenOut]:
    return await (await given.control()).application_tokens()


async def _issue(given: Given) -> ApplicationTokenOut:
    return await (await given.control()).issue_application_token(given.body)


async def _revoke(given: Given) -> None:
    await (await given.control()).revoke_application_token(given.number("id"))


async def _policy(given: Given) -> PolicyOut:
    return await (await given.control()).policy()


async def _change_policy(given: Given) -> PolicyOut:
    return await (await given.control()).change_policy(given.body)


async def _clock(given: Given) -> ClockOut:
    return (await given.control()).clock()


async def _change_clock(given: Given) -> ClockOut:
    return (await given.control()).change_clock(given.body)


async def _snapshots(given: Given) -> list[Named]:
    control = await given.control()
    return [Named(name=name) for name in control.world.snapshots.names()]


async def _snapshot(given: Given) -> Named:
    await (await given.control()).snapshot(given.body.name)
    return Named(name=given.body.name)


async def _restore(given: Given) -> TenantOut:
    control = await given.control()
    await control.restore(given.path["name"])
    return await control.state()


async def _delete_snapshot(given: Given) -> None:
    (await given.control()).world.snapshots.delete(given.path["name"])


async def _faults(given: Given) -> list[FaultOut]:
    return (await given.control()).faults()


async def _add_fault(given: Given) -> FaultOut:
    return (await given.control()).add_fault(given.body)


async def _remove_fault(given: Given) -> None:
    (await given.control()).remove_fault(given.number("id"))


async def _clear_faults(given: Given) -> None:
    (await given.control()).world.faults.clear()


async def _journal(given: Given) -> list[dict[str, Any]]:
    journal = (await given.control()).world.journal
    found = journal.find(limit=given.query.limit, **given.query.wanted())
    return [one.to_json() for one in found]


async def _exchange(given: Given) -> dict[str, Any]:
    found = (await given.control()).world.journal.get(given.number("id"))
    if found is None:
        raise LookupError("There is no such exchange, or it was forgotten for newer ones.")
    return found.to_json()


async def _count(given: Given) -> Count:
    journal = (await given.control()).world.journal
    return Count(count=journal.count(**given.query.wanted()))


async def _wait(given: Given) -> list[dict[str, Any]]:
    wanted = given.body
    journal = (await given.control()).world.journal
    found = await given.sandbox.unless_stopping(
        journal.wait_for(count=wanted.count, timeout=wanted.timeout_seconds, **wanted.wanted())
    )
    if found is None:
        raise TimeoutError("The sandbox ends.")
    return [one.to_json() for one in found]


async def _clear_journal(given: Given) -> None:
    (await given.control()).world.journal.clear()


_T = "/tenants/{tenant}"

ENDPOINTS = (
    Endpoint("GET", "/health", "health", "Say that the sandbox answers", _health, answer=Health),
    Endpoint("GET", "/tenants", "tenants", "List the tenants", _tenants,
             answer=TenantOut, several=True),
    Endpoint("POST", "/tenants", "addTenant", "Add a tenant with all it begins with", _add_tenant,
             body=TenantIn, answer=TenantOut, status=201),
    Endpoint("GET", _T, "tenant", "Tell how things are", _tenant, answer=TenantOut),
    Endpoint("DELETE", _T, "deleteTenant", "Delete a tenant with all it has", _delete_tenant,
             status=204),
    Endpoint("PATCH", f"{_T}/options", "setOptions", "Change the operator's choices", _set_options,
             body=OptionsChange, answer=OptionsChange),
    Endpoint("POST", f"{_T}/reset", "reset",
             "Put back how things were in the beginning; forget the journal and snapshots", _reset,
             answer=TenantOut),
    Endpoint("GET", f"{_T}/users", "users", "List the users", _users,
             answer=UserOut, several=True),
    Endpoint("POST", f"{_T}/users", "addUser", "Add a user", _add_user,
             body=UserIn, answer=UserOut, status=201),
    Endpoint("GET", f"{_T}/users/{{user}}", "user", "Tell about a user", _user, answer=UserOut),
    Endpoint("PATCH", f"{_T}/users/{{user}}", "changeUser",
             "Set a password, retire or take back, forget wrong passwords", _change_user,
             body=UserChange, answer=UserOut),
    Endpoint("DELETE", f"{_T}/users/{{user}}", "deleteUser", "Delete a user with all they have",
             _delete_user, status=204),
    Endpoint("POST", f"{_T}/users/{{user}}/accepts", "accepts",
             "Say whether a user would be signed in with a password; nothing is counted", _accepts,
             body=AcceptsQuestion, answer=AcceptsAnswer),
    Endpoint("POST", f"{_T}/tickets/expire", "expireTickets",
             "Let all tickets expire, or those of a user; the clock stays", _expire,
             body=OfUser, answer=Count),
    Endpoint("GET", f"{_T}/application-tokens", "applicationTokens",
             "List the application tokens", _tokens, answer=ApplicationTokenOut, several=True),
    Endpoint("POST", f"{_T}/application-tokens", "issueApplicationToken",
             "Issue an application token", _issue,
             body=ApplicationTokenIn, answer=ApplicationTokenOut, status=201),
    Endpoint("DELETE", f"{_T}/application-tokens/{{id}}", "revokeApplicationToken",
             "Revoke an application token", _revoke, status=204),
    Endpoint("GET", f"{_T}/policy", "policy", "Tell the rules for new passwords", _policy,
             answer=PolicyOut),
    Endpoint("PATCH", f"{_T}/policy", "changePolicy", "Change the rules for new passwords",
             _change_policy, body=PolicyChange, answer=PolicyOut),
    Endpoint("GET", f"{_T}/clock", "clock", "Tell the time", _clock, answer=ClockOut),
    Endpoint("PATCH", f"{_T}/clock", "changeClock", "Move, stop or speed the clock", _change_clock,
             body=ClockChange, answer=ClockOut),
    Endpoint("GET", f"{_T}/snapshots", "snapshots", "List the snapshots", _snapshots,
             answer=Named, several=True),
    Endpoint("POST", f"{_T}/snapshots", "snapshot", "Keep how things are under a name", _snapshot,
             body=Named, answer=Named, status=201),
    Endpoint("POST", f"{_T}/snapshots/{{name}}/restore", "restore", "Put back how things were",
             _restore, answer=TenantOut),
    Endpoint("DELETE", f"{_T}/snapshots/{{name}}", "deleteSnapshot", "Forget a snapshot",
             _delete_snapshot, status=204),
    Endpoint("GET", f"{_T}/faults", "faults", "List the faults in force", _faults,
             answer=FaultOut, several=True),
    Endpoint("POST", f"{_T}/faults", "addFault", "Put a fault in force", _add_fault,
             body=Rule, answer=FaultOut, status=201),
    Endpoint("DELETE", f"{_T}/faults", "clearFaults", "Put all faults out of force", _clear_faults,
             status=204),
    Endpoint("DELETE", f"{_T}/faults/{{id}}", "removeFault", "Put a fault out of force",
             _remove_fault, status=204),
    Endpoint("GET", f"{_T}/journal", "journal", "List exchanges, oldest first", _journal,
             query=Listing, answer=ExchangeOut, several=True),
    Endpoint("GET", f"{_T}/journal/count", "count", "Count exchanges", _count,
             query=JournalQuery, answer=Count),
    Endpoint("POST", f"{_T}/journal/wait", "waitFor",
             "Wait until there are so many exchanges, those before the call included", _wait,
             body=WaitQuery, answer=ExchangeOut, several=True,
             also={408: "There were too few in that time."}),
    Endpoint("GET", f"{_T}/journal/{{id}}", "exchange", "Give an exchange", _exchange,
             answer=ExchangeOut),
    Endpoint("DELETE", f"{_T}/journal", "clearJournal", "Forget all exchanges", _clear_journal,
             status=204),
)  # fmt: skip
"""In the order in which addresses are compared."""
