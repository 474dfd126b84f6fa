"""The test controls: all that can be done to a sandbox, for Python, the API and the seed file.

To add one, write a method here, with an :class:`Endpoint` where the admin API is to have it, and
name it in the table of ``docs/testing.md``.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field

from services88.identity import accounts, application_tokens, password_rules, passwords
from services88.identity.accounts import AssociateType
from services88.identity.application_tokens import hashed
from services88.identity.errors import BadInput
from services88.identity.names import check_text, check_user_name
from services88.sandbox.declaring import ArgumentsOf, Control, Endpoint, Owner
from services88.sandbox.faults import Effect, Planned, Rule
from services88.sandbox.journal import Exchange, Outcome
from services88.sandbox.models import (
    AcceptsAnswer,
    ApplicationTokenIn,
    ApplicationTokenOut,
    Arguments,
    ClockChange,
    ClockOut,
    Count,
    FaultOut,
    Health,
    Model,
    Moment,
    Named,
    Options,
    Password,
    PolicyOut,
    TenantOut,
    UserName,
    UserOut,
    UserType,
    from_milliseconds,
    to_milliseconds,
)
from services88.sandbox.operations import OperationName
from services88.sandbox.worlds import Sandbox, World
from services88.store import application_tokens as stored_tokens
from services88.store import credentials, guesses, sign_in_names, tenant_rows
from services88.store.associates import Associate
from services88.store.database import Connection
from services88.store.errors import Conflict

__all__ = ["ENDPOINTS", "Controls", "SandboxControls", "TenantIn", "add_tenant", "begin_with"]

# Which exchanges are meant: parameters of several controls.
_Operation: TypeAlias = Annotated[
    OperationName | None, Field(description="Name of the operation; any where left out.")
]
_User: TypeAlias = Annotated[str | None, Field(description="Sign-in name of the caller.")]
_Outcome: TypeAlias = Annotated[Outcome | None, Field(description="How the exchange ended.")]
_Since: TypeAlias = Annotated[
    Moment | None, Field(description="At or after this time of the tenant's clock.")
]
_Until: TypeAlias = Annotated[
    Moment | None, Field(description="Before this time of the tenant's clock.")
]


class Controls(Owner):
    """The test controls of one tenant."""

    _prefix: ClassVar[str] = "/tenants/{tenant}"

    def __init__(self, sandbox: Sandbox, world: World) -> None:
        self._sandbox, self._world = sandbox, world

    @Endpoint("GET", "", name="tenant")
    async def state(self) -> TenantOut:
        """Return what the tenant is and has."""
        world = self._world
        return TenantOut(
            name=world.tenant.name,
            company=world.tenant.company_name,
            path=f"/{world.tenant.name}/Remote/Services88",
            users=len(await accounts.listing(world.identity, world.tenant)),
            exchanges=world.journal.count(),
            clock=await self.clock(),
            options=world.options,
            snapshots=world.snapshots.names(),
        )

    # --- users ------------------------------------------------------------------------------------

    @Endpoint("GET", "/users")
    async def users(self) -> list[UserOut]:
        """List the users by name."""
        found = await accounts.listing(self._world.identity, self._world.tenant)
        return [await self._described(one) for one in found]

    @Endpoint("POST", "/users", status=201, body="UserIn")
    async def add_user(
        self,
        name: UserName,
        password: Password | None = None,
        *,
        role: str | None = None,
        type: UserType = "employee",
        firstname: Annotated[str, Field(max_length=99)] = "",
        lastname: Annotated[str, Field(max_length=99)] = "",
        email: Annotated[str, Field(max_length=254)] = "",
        retired: bool = False,
    ) -> UserOut:
        """Add a user; the password rules are not checked.

        :param name: Sign-in name.
        :param password: Password; without one nobody signs in.
        :param role: Name of a role, as "Administrator"; the tenant's default role else.
        :param type: Kind of user.
        :param firstname: First name.
        :param lastname: Last name.
        :param email: E-mail address.
        :param retired: Whether retired: may not sign in.
        :raises BadInput: The name is not possible or taken, or there is no such role.
        """
        identity, tenant = self._world.identity, self._world.tenant
        added = await accounts.add_with_secret(
            identity,
            tenant,
            check_user_name(name),
            None if password is None else await self._hash(password),
            role_id=accounts.choose_role(await accounts.roles_of_tenant(identity, tenant), role),
            type=AssociateType[type.upper()],
            firstname=firstname,
            lastname=lastname,
            email=email,
            retired=retired,
        )
        return await self._described(added)

    @Endpoint("GET", "/users/{user}")
    async def user(self, name: str) -> UserOut:
        """Return a user.

        :raises LookupError: There is no such user.
        """
        return await self._described(await self._find(name))

    @Endpoint("PATCH", "/users/{user}", body="UserChange")
    async def change_user(
        self,
        name: str,
        *,
        password: Password | None = None,
        retired: bool | None = None,
        unlock: Literal[True] | None = None,
    ) -> UserOut:
        """Set a user's password, retire or take back, forget wrong passwords; None: as it is.

        :param password: New password, past the password rules; ends all tickets.
        :param retired: Retire, which ends all tickets; or take back.
        :param unlock: Forget wrong passwords.
        :raises LookupError: There is no such user.
        """
        identity, tenant = self._world.identity, self._world.tenant
        user = await self._find(name)
        if password is not None:
            policy = await password_rules.policy_of(identity, tenant)
            row = await credentials.password_of(identity.database, user.associate_id)
            secret = await self._hash(password)
            await passwords.store_by_operator(identity, tenant, user, policy, row, secret)
        if retired is not None:
            await accounts.retire(
                identity, tenant, user.name, retired=retired, keep_administrator=False
            )
        if unlock:
            await accounts.unlock(identity, tenant, user.name)
        return await self.user(name)

    @Control
    async def set_password(self, name: str, password: str) -> None:
        """Set a user's password past all rules, which ends their tickets."""
        await self.change_user(name, password=password)

    @Control
    async def retire(self, name: str, *, retired: bool = True) -> None:
        """Retire a user, which ends their tickets, or take them back."""
        await self.change_user(name, retired=retired)

    @Control
    async def unlock(self, name: str) -> None:
        """Forget a user's wrong passwords."""
        await self.change_user(name, unlock=True)

    @Endpoint("DELETE", "/users/{user}")
    async def delete_user(self, name: str) -> None:
        """Delete a user with all they have.

        No installation does that: there users are retired.

        :raises LookupError: There is no such user.
        """
        user = await self._find(name)

        async def work(connection: Connection) -> None:
            await sign_in_names.release(connection, user.tenant_id, user.associate_id)
            await tenant_rows.delete_user(
                connection, associate_id=user.associate_id, person_id=user.person_id
            )

        await self._world.identity.database.transaction(work)

    @Endpoint("POST", "/users/{user}/accepts", body="AcceptsQuestion", wrap=AcceptsAnswer)
    async def accepts(self, name: str, password: Password) -> bool:
        """Check if a user would be signed in with a password; nothing is counted or written.

        A wait after wrong passwords does not matter here, a disabled password does.

        :raises LookupError: There is no such user.
        """
        user = await self._find(name)
        identity = self._world.identity
        row = await credentials.password_of(identity.database, user.associate_id)
        _, disabled = await guesses.failures_of(identity.database, user.associate_id)
        if row is None or disabled or not user.may_sign_in:
            return False
        return await identity.hashing.verify(row.secret, password)

    @Endpoint("POST", "/tickets/expire", body="OfUser", wrap=Count)
    async def expire_tickets(self, name: Annotated[str | None, Field(alias="user")] = None) -> int:
        """Expire all tickets, or those of a user, and return their number; the clock stays.

        :param name: Sign-in name; all users where left out.
        :raises LookupError: There is no such user.
        """
        identity, tenant = self._world.identity, self._world.tenant
        found: Iterable[Associate] = (
            await accounts.listing(identity, tenant) if name is None else [await self._find(name)]
        )

        async def work(connection: Connection) -> int:
            ended = 0
            for user in found:
                ended += await credentials.delete_tickets(connection, user.associate_id)
            return ended

        return await identity.database.transaction(work)

    async def _find(self, name: str) -> Associate:
        try:
            return await accounts.find(self._world.identity, self._world.tenant, name)
        except BadInput:
            raise LookupError(
                f"Tenant {self._world.tenant.name} has no user {name}. Add the user first."
            ) from None

    async def _described(self, user: Associate) -> UserOut:
        database = self._world.identity.database
        row = await credentials.password_of(database, user.associate_id)
        failures, disabled = await guesses.failures_of(database, user.associate_id)
        now = self._world.clock.now()
        return UserOut(
            id=user.associate_id,
            name=user.name,
            type=AssociateType(user.type).name.lower(),
            role=user.role_name,
            firstname=user.firstname,
            lastname=user.lastname,
            email=user.email,
            retired=user.deleted,
            has_password=row is not None,
            failures=failures,
            disabled=disabled,
            tickets=await credentials.count_tickets(database, user.associate_id, now),
            last_sign_in=None if user.lastlogin is None else from_milliseconds(user.lastlogin),
            password_changed=None if row is None else from_milliseconds(row.valid_from),
        )

    async def _hash(self, password: str) -> str:
        if any("\ud800" <= character <= "\udfff" for character in password):
            raise BadInput("A password holds whole characters, not halves of surrogate pairs.")
        return await self._world.identity.hashing.hash(password)

    # --- application tokens, policy, options ------------------------------------------------------

    @Endpoint("GET", "/application-tokens")
    async def application_tokens(self) -> list[ApplicationTokenOut]:
        """List the application tokens, revoked ones too."""
        found = await application_tokens.listing(self._world.identity, self._world.tenant)
        return [
            ApplicationTokenOut(
                id=one.application_token_id, name=one.name, revoked=one.revoked is not None
            )
            for one in found
        ]

    @Endpoint("POST", "/application-tokens", status=201, body=ApplicationTokenIn)
    async def issue_application_token(
        self, name: str = "test", token: str | None = None
    ) -> ApplicationTokenOut:
        """Issue an application token.

        Whether calls need one is an option; see :meth:`set_options`.

        :param name: Name of the application.
        :param token: The token; else a random one.
        :raises BadInput: The name is not possible, or the tenant has that token already.
        """
        identity, tenant = self._world.identity, self._world.tenant
        if token is None:
            issued = await application_tokens.issue(identity, tenant, name)
            number, token = issued.application_token_id, issued.text
        else:
            check_text(name, "The name of an application", 99)
            secret = hashed(token.strip())

            async def work(connection: Connection) -> int:
                return await stored_tokens.add(
                    connection,
                    tenant=tenant.tenant_id,
                    name=name,
                    hashed=secret,
                    now=self._world.clock.now(),
                )

            try:
                number = await identity.database.transaction(work)
            except Conflict:
                raise BadInput("The tenant has that application token already.") from None
        return ApplicationTokenOut(id=number, name=name, token=token, revoked=False)

    @Endpoint("DELETE", "/application-tokens/{id}")
    async def revoke_application_token(self, id: int) -> None:
        """Revoke an application token.

        :raises LookupError: There is no active one of that number.
        """
        try:
            await application_tokens.revoke(self._world.identity, self._world.tenant, id)
        except BadInput as error:
            raise LookupError(str(error)) from None

    @Endpoint("PATCH", "/options", body="OptionsChange")
    async def set_options(
        self,
        *,
        application_tokens: bool | None = None,
        password_refusals: Literal["boolean", "exception"] | None = None,
        administrators_may_choose_passwords: bool | None = None,
        allow_admin_blank_old_password: bool | None = None,
    ) -> Options:
        """Change choices of the tenant's operator; what is None stays.

        :param application_tokens: Whether every call needs an application token (an Online
            installation).
        :param password_refusals: How a refused password is reported.
        :param administrators_may_choose_passwords: Whether administrators may choose the passwords
            of others.
        :param allow_admin_blank_old_password: Whether administrators may leave OldPassword blank
            for their own.
        """
        return self._world.choose(
            application_tokens=application_tokens,
            password_refusals=password_refusals,
            administrators_may_choose_passwords=administrators_may_choose_passwords,
            allow_admin_blank_old_password=allow_admin_blank_old_password,
        )

    @Endpoint("GET", "/policy")
    async def policy(self) -> PolicyOut:
        """Return the rules for new passwords."""
        identity, tenant = self._world.identity, self._world.tenant
        choice = await password_rules.chosen(identity, tenant)
        policy = await password_rules.policy_of(identity, tenant)
        return PolicyOut(
            preset=choice.preset,
            minimum_length=choice.minimum_length,
            history=choice.history,
            preference=choice.preference,
            rules=list(policy.help_texts()),
        )

    @Endpoint("PATCH", "/policy", name="changePolicy", body="PolicyChange")
    async def set_policy(
        self,
        preset: Literal["nist", "vendor-online", "vendor"] | None = None,
        *,
        minimum_length: Annotated[int, Field(ge=1, le=1024)] | None = None,
        history: Annotated[int, Field(ge=0, le=24)] | None = None,
        preference: Annotated[str, Field(max_length=254)] | None = None,
    ) -> PolicyOut:
        """Change the rules for new passwords; what is None stays.

        :param preset: Where to begin.
        :param minimum_length: Instead of the preset's.
        :param history: Earlier passwords refused.
        :param preference: The vendor's preference string; empty removes it.
        :raises BadInput: A value is not possible.
        """
        if any(one is not None for one in (preset, minimum_length, history, preference)):
            await password_rules.choose(
                self._world.identity,
                self._world.tenant,
                preset=preset,
                minimum_length=minimum_length,
                history=history,
                preference=preference,
            )
        return await self.policy()

    # --- clock ------------------------------------------------------------------------------------

    @Endpoint("GET", "/clock")
    async def clock(self) -> ClockOut:
        """Return the time that the tenant's clock shows, and how it goes."""
        clock = self._world.clock
        return ClockOut(now=from_milliseconds(clock.now()), speed=clock.speed, frozen=clock.frozen)

    @Endpoint("PATCH", "/clock", respond_with=clock)
    async def change_clock(self, change: ClockChange) -> datetime:
        """Move, stop or speed the clock, and return the time it shows.

        :raises BadInput: It would leave the years from 1970 to 9999. The clock stays as it was.
        """
        clock = self._world.clock
        before = clock.state() if clock.moved else None
        try:
            if change.reset:
                clock.reset()
            if change.frozen:  # first as well, or a time set would be a millisecond later at once
                clock.freeze()
            if change.at is not None:
                clock.set(to_milliseconds(change.at))
            if change.move_seconds is not None:
                clock.move(round(change.move_seconds * 1000))
            if change.speed is not None:
                clock.set(speed=change.speed)
            if change.frozen is not None:
                (clock.freeze if change.frozen else clock.go_on)()
        except BadInput:
            clock.restore(before)
            raise
        return await self.now()

    @Control
    async def now(self) -> datetime:
        """Return the tenant's time."""
        return (await self.clock()).now

    @Control
    async def move_clock(self, by: timedelta | float) -> datetime:
        """Move the clock, by seconds or a timedelta; back where negative."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        return await self.change_clock(ClockChange(move_seconds=seconds))

    @Control
    async def set_clock(self, at: datetime) -> datetime:
        """Let the clock show a time (UTC where it names no zone), and go on."""
        return await self.change_clock(ClockChange(at=at))

    @Control
    async def freeze_clock(self, at: datetime | None = None) -> datetime:
        """Stop the clock, now or at a time."""
        return await self.change_clock(ClockChange(at=at, frozen=True))

    @Control
    async def unfreeze_clock(self) -> datetime:
        """Let the clock go on."""
        return await self.change_clock(ClockChange(frozen=False))

    @Control
    async def speed_clock(self, factor: float) -> datetime:
        """Let so many seconds pass in a second."""
        return await self.change_clock(ClockChange(speed=factor))

    @Control
    async def reset_clock(self) -> datetime:
        """Let the clock show the machine's time."""
        return await self.change_clock(ClockChange(reset=True))

    # --- snapshots --------------------------------------------------------------------------------

    @Endpoint("GET", "/snapshots", wrap=Named)
    async def snapshots(self) -> list[str]:
        """List the snapshots, oldest first."""
        return self._world.snapshots.names()

    @Endpoint("POST", "/snapshots", status=201, body=Named, wrap=Named)
    async def snapshot(self, name: str = "snapshot") -> str:
        """Keep how things are: users, passwords, tickets, tokens, rules, options, clock, faults.

        :raises BadInput: There are too many snapshots.
        """
        await self._world.keep(name)
        return name

    @Endpoint("POST", "/snapshots/{name}/restore", respond_with=state)
    async def restore(self, name: str = "snapshot") -> None:
        """Put back how things were.

        :raises LookupError: There is no snapshot of that name.
        """
        await self._world.restore(name)

    @Endpoint("DELETE", "/snapshots/{name}")
    async def delete_snapshot(self, name: str) -> None:
        """Forget a snapshot.

        :raises LookupError: There is none of that name.
        """
        self._world.snapshots.delete(name)

    @Endpoint("POST", "/reset", respond_with=state)
    async def reset(self) -> None:
        """Put back how things were in the beginning; forget the journal and all snapshots."""
        await self._world.reset()

    # --- faults -----------------------------------------------------------------------------------

    @Endpoint("GET", "/faults")
    async def faults(self) -> list[FaultOut]:
        """List the active faults, spent ones too."""
        return [_fault(one) for one in self._world.faults.listing()]

    @Endpoint("POST", "/faults", status=201)
    async def add_fault(self, rule: Rule) -> FaultOut:
        """Activate a fault."""
        return _fault(self._world.faults.add(rule))

    @Control
    async def fault(
        self,
        effects: Effect | Sequence[Effect],
        operation: str | None = None,
        *,
        user: str | None = None,
        nth: int = 1,
        times: int | None = 1,
    ) -> FaultOut:
        """Let calls go wrong: ``fault([Busy(), Works()], "ChangeOwnPassword")``.

        :param effects: What the first call meets, what the second, and so on.
        :param user: Concern calls of this user only.
        :param nth: The first call that is concerned.
        :param times: How often the sequence runs; None: for ever.
        :raises BadInput: What is passed is no effect.
        """
        several = list(effects) if isinstance(effects, Sequence) else [effects]
        for one in several:
            if isinstance(one, type):
                raise BadInput(
                    f"An effect is an instance: write {one.__name__}(), with parentheses."
                )
        rule = Rule(effects=several, operation=operation, user=user, nth=nth, times=times)
        return await self.add_fault(rule)

    @Endpoint("DELETE", "/faults")
    async def clear_faults(self) -> None:
        """Deactivate all faults."""
        self._world.faults.clear()

    @Endpoint("DELETE", "/faults/{id}")
    async def remove_fault(self, id: int) -> None:
        """Deactivate a fault.

        :raises LookupError: There is none of that number.
        """
        if not self._world.faults.remove(id):
            raise LookupError(f"There is no fault {id}.")

    # --- journal ----------------------------------------------------------------------------------

    @Endpoint("GET", "/journal", name="journal")
    async def calls(
        self,
        operation: _Operation = None,
        *,
        user: _User = None,
        outcome: _Outcome = None,
        since: _Since = None,
        until: _Until = None,
        limit: Annotated[int, Field(ge=1, le=10_000)] | None = None,
    ) -> list[Exchange]:
        """List the exchanges so far, oldest first.

        :param since: At or after this time of the tenant's clock.
        :param until: Before this time of the tenant's clock.
        :param limit: The newest so many.
        """
        wanted = _filter(operation, user, outcome, since, until)
        return self._world.journal.find(limit=limit, **wanted)

    @Endpoint("GET", "/journal/count", wrap=Count)
    async def count(
        self,
        operation: _Operation = None,
        *,
        user: _User = None,
        outcome: _Outcome = None,
        since: _Since = None,
        until: _Until = None,
    ) -> int:
        """Count the exchanges so far."""
        return self._world.journal.count(**_filter(operation, user, outcome, since, until))

    @Endpoint("POST", "/journal/wait", body="WaitQuery", also={408: "There were too few in time."})
    async def wait_for(
        self,
        operation: _Operation = None,
        *,
        user: _User = None,
        outcome: _Outcome = None,
        since: _Since = None,
        until: _Until = None,
        count: Annotated[int, Field(ge=1, le=1000)] = 1,
        timeout: Annotated[float, Field(ge=0, le=3600, alias="timeout_seconds")] = 5.0,  # noqa: ASYNC109 - the error says what came until then
    ) -> list[Exchange]:
        """Wait until there are so many exchanges, those before the call included.

        :param count: How many.
        :param timeout: Seconds to wait at most.
        :raises TimeoutError: There are too few by then.
        """
        wanted = _filter(operation, user, outcome, since, until)
        waiting = self._world.journal.wait_for(count=count, timeout=timeout, **wanted)
        found = await self._sandbox.unless_stopping(waiting)
        if found is None:
            raise TimeoutError("The sandbox ends.")
        return found

    @Endpoint("GET", "/journal/{id}")
    async def exchange(self, id: int) -> Exchange:
        """Return an exchange.

        :raises LookupError: There is none of that number, or not any more.
        """
        found = self._world.journal.get(id)
        if found is None:
            raise LookupError("There is no such exchange, or it was forgotten for newer ones.")
        return found

    @Endpoint("DELETE", "/journal")
    async def clear_journal(self) -> None:
        """Forget all exchanges."""
        self._world.journal.clear()


def _fault(planned: Planned) -> FaultOut:
    return FaultOut(id=planned.id, rule=planned.rule, seen=planned.seen, spent=planned.spent)


def _filter(
    operation: str | None,
    user: str | None,
    outcome: Outcome | None,
    since: datetime | None,
    until: datetime | None,
) -> dict[str, Any]:
    return {
        "operation": operation,
        "user": user,
        "outcome": outcome,
        "since": to_milliseconds(since) if since else None,
        "until": to_milliseconds(until) if until else None,
    }


# --- tenants --------------------------------------------------------------------------------------


def _unchanged(control: Control[..., Any]) -> Any:
    """Return a field that changes nothing where it is left out."""
    return Field(default_factory=lambda: control.body and control.body())


class TenantIn(Model):
    """A tenant to add, with all it begins with."""

    name: Annotated[
        str, Field(min_length=1, max_length=64, description="Segment of its addresses.")
    ]
    company: str = Field(default="", max_length=254, description="Name of the customer.")
    users: list[Annotated[Arguments, ArgumentsOf(Controls.add_user)]] = Field(
        default_factory=list, fail_fast=True
    )
    application_tokens: list[ApplicationTokenIn] = Field(default_factory=list, fail_fast=True)
    policy: Annotated[Arguments, ArgumentsOf(Controls.set_policy)] = _unchanged(Controls.set_policy)
    options: Annotated[Arguments, ArgumentsOf(Controls.set_options)] = _unchanged(
        Controls.set_options
    )
    clock: ClockChange = ClockChange()
    faults: list[Rule] = Field(default_factory=list, fail_fast=True)


async def add_tenant(sandbox: Sandbox, wanted: TenantIn) -> World:
    """Add a tenant with all it begins with; that is what a reset leads back to.

    :raises BadInput: Something of it is not possible. Nothing of the tenant is left then.
    """
    world = await sandbox.add(wanted.name, company=wanted.company)
    try:
        await begin_with(sandbox, world, wanted)
    except BaseException:
        await sandbox.delete(wanted.name)
        raise
    return world


async def begin_with(sandbox: Sandbox, world: World, wanted: TenantIn) -> None:
    """Add to a tenant what it begins with; that is what a reset leads back to.

    :raises BadInput: Something of it is not possible.
    """
    controls = Controls(sandbox, world)
    for control, values in (
        (Controls.set_options, [wanted.options]),
        (Controls.set_policy, [wanted.policy]),
        (Controls.add_user, wanted.users),
        (Controls.issue_application_token, wanted.application_tokens),
        (Controls.change_clock, [wanted.clock]),
        (Controls.add_fault, wanted.faults),
    ):
        for value in values:
            await control.work(controls, **control.arguments(value))
    await world.begin()


class SandboxControls(Owner):
    """The test controls that are about no tenant, or one that begins or ends."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    @Endpoint("GET", "/health", wrap=Health)
    async def health(self) -> Literal["ok"]:
        """Check that the sandbox answers."""
        return "ok"

    @Endpoint("GET", "/tenants")
    async def tenants(self) -> list[TenantOut]:
        """List the tenants."""
        worlds = list(self._sandbox.worlds.values())
        return [await Controls(self._sandbox, world).state() for world in worlds]

    @Endpoint("POST", "/tenants", status=201)
    async def add_tenant(self, tenant: TenantIn) -> TenantOut:
        """Add a tenant with all it begins with."""
        world = await add_tenant(self._sandbox, tenant)
        return await Controls(self._sandbox, world).state()

    @Endpoint("DELETE", "/tenants/{tenant}")
    async def delete_tenant(self, tenant: str) -> None:
        """Delete a tenant with all it has."""
        await self._sandbox.delete(tenant)


ENDPOINTS: tuple[Control[..., Any], ...] = tuple(
    one
    for owner in (SandboxControls, Controls)
    for one in vars(owner).values()
    if isinstance(one, Control) and one.endpoint.method
)
"""In the order in which addresses are compared."""
