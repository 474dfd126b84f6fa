"""A tenant as a test has it: its address, and everything that can be done to it."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, TypeVar

from services88.sandbox.control import Control, rule_of
from services88.sandbox.faults import Effect
from services88.sandbox.journal import Exchange, Outcome
from services88.sandbox.models import (
    ApplicationTokenIn,
    ApplicationTokenOut,
    ClockChange,
    FaultOut,
    JournalQuery,
    OptionsChange,
    PolicyChange,
    PolicyOut,
    TenantOut,
    UserChange,
    UserIn,
    UserOut,
)

__all__ = ["AsyncServices88", "Bridge", "Services88", "UserType"]

T = TypeVar("T")
UserType = Literal["employee", "resource", "external_person", "anonymous", "system"]
AgentName = Literal["User", "SoPrincipal"]


class Bridge(Protocol):
    """Runs a coroutine on the loop of the server."""

    def __call__(self, work: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Give something to await on the caller's own loop."""


class AsyncServices88:
    """A tenant of its own on a running sandbox, for asynchronous tests.

    What cannot be done raises ``BadInput`` (a value is not possible), ``LookupError`` (there is no
    such thing) or pydantic's ``ValidationError`` (a value has not the form it must have).
    """

    def __init__(self, control: Control, base: str, bridge: Bridge) -> None:
        self._made, self._base, self._on_server = control, base, bridge

    @property
    def _control(self) -> Control:
        """What is done to the tenant, as long as there is one: else all would seem to be empty."""
        if self._made.world.leaving:
            raise LookupError(
                f"Tenant {self.tenant} was deleted: its test has ended, or has deleted it itself."
            )
        return self._made

    # --- addresses --------------------------------------------------------------------------------

    @property
    def tenant(self) -> str:
        """Name of the tenant."""
        return self._made.world.tenant.name

    @property
    def server_url(self) -> str:
        """The server's own address, where ``/__sandbox/`` is."""
        return self._base

    @property
    def url(self) -> str:
        """The folder in which the tenant's services stand: ``{url}/User.svc``."""
        return f"{self._base}/{self.tenant}/Remote/Services88"

    def service(self, agent: AgentName) -> str:
        """Give the address of a service."""
        return f"{self.url}/{agent}.svc"

    def wsdl(self, agent: AgentName) -> str:
        """Give the address of a service's WSDL."""
        return f"{self.service(agent)}?wsdl"

    async def state(self) -> TenantOut:
        """Tell how things are."""
        return await self._on_server(self._control.state())

    # --- users ------------------------------------------------------------------------------------

    async def add_user(
        self,
        name: str,
        password: str | None = None,
        *,
        role: str | None = None,
        type: UserType = "employee",
        firstname: str = "",
        lastname: str = "",
        email: str = "",
        retired: bool = False,
    ) -> UserOut:
        """Add a user; the password rules are not asked.

        :param role: Name of a role, as ``Administrator``; the default role else.
        """
        wanted = UserIn(
            name=name,
            password=password,
            role=role,
            type=type,
            firstname=firstname,
            lastname=lastname,
            email=email,
            retired=retired,
        )
        return await self._on_server(self._control.add_user(wanted))

    async def user(self, name: str) -> UserOut:
        """Tell about a user."""
        return await self._on_server(self._control.user(name))

    async def users(self) -> list[UserOut]:
        """List the users by name."""
        return await self._on_server(self._control.users())

    async def delete_user(self, name: str) -> None:
        """Delete a user with all they have."""
        await self._on_server(self._control.delete_user(name))

    async def set_password(self, name: str, password: str) -> None:
        """Set a user's password past all rules, which ends their tickets."""
        change = UserChange(password=password)
        await self._on_server(self._control.change_user(name, change))

    async def retire(self, name: str, *, retired: bool = True) -> None:
        """Retire a user, which ends their tickets, or take them back."""
        await self._on_server(self._control.change_user(name, UserChange(retired=retired)))

    async def unlock(self, name: str) -> None:
        """Forget a user's wrong passwords."""
        await self._on_server(self._control.change_user(name, UserChange(unlock=True)))

    async def accepts(self, name: str, password: str) -> bool:
        """Say whether a user would be signed in with a password. Nothing is counted or written."""
        return await self._on_server(self._control.accepts(name, password))

    async def expire_tickets(self, name: str | None = None) -> int:
        """Let all tickets expire, or those of a user; the clock stays."""
        return await self._on_server(self._control.expire_tickets(name))

    # --- application tokens, policy, options ------------------------------------------------------

    async def issue_application_token(
        self, name: str = "test", token: str | None = None
    ) -> ApplicationTokenOut:
        """Issue an application token, of your choice or a random one."""
        wanted = ApplicationTokenIn(name=name, token=token)
        return await self._on_server(self._control.issue_application_token(wanted))

    async def application_tokens(self) -> list[ApplicationTokenOut]:
        """List the application tokens, revoked ones too."""
        return await self._on_server(self._control.application_tokens())

    async def revoke_application_token(self, id: int) -> None:
        """Revoke an application token."""
        await self._on_server(self._control.revoke_application_token(id))

    async def set_options(
        self,
        *,
        application_tokens: bool | None = None,
        password_refusals: Literal["boolean", "exception"] | None = None,
        administrators_may_choose_passwords: bool | None = None,
        allow_admin_blank_old_password: bool | None = None,
    ) -> OptionsChange:
        """Change choices of the tenant's operator; what is None stays."""
        change = OptionsChange(
            application_tokens=application_tokens,
            password_refusals=password_refusals,
            administrators_may_choose_passwords=administrators_may_choose_passwords,
            allow_admin_blank_old_password=allow_admin_blank_old_password,
        )

        async def work() -> OptionsChange:
            return self._control.set_options(change)

        return await self._on_server(work())

    async def set_policy(
        self,
        preset: Literal["nist", "vendor-online", "vendor"] | None = None,
        *,
        minimum_length: int | None = None,
        history: int | None = None,
        preference: str | None = None,
    ) -> PolicyOut:
        """Change the rules for new passwords; what is None stays."""
        given: dict[str, Any] = {
            "preset": preset,
            "minimum_length": minimum_length,
            "history": history,
            "preference": preference,
        }
        change = PolicyChange(**{key: value for key, value in given.items() if value is not None})
        return await self._on_server(self._control.change_policy(change))

    # --- clock ------------------------------------------------------------------------------------

    async def now(self) -> datetime:
        """Tell the tenant's time."""

        async def work() -> datetime:
            return self._control.clock().now

        return await self._on_server(work())

    async def change_clock(self, change: ClockChange) -> datetime:
        """Change the clock, and tell the time it shows."""

        async def work() -> datetime:
            return self._control.change_clock(change).now

        return await self._on_server(work())

    async def move_clock(self, by: timedelta | float) -> datetime:
        """Move the clock, by seconds or a timedelta; back where negative."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        return await self.change_clock(ClockChange(move_seconds=seconds))

    async def set_clock(self, at: datetime) -> datetime:
        """Let the clock show a time (UTC where it names no zone), and go on."""
        return await self.change_clock(ClockChange(at=at))

    async def freeze_clock(self, at: datetime | None = None) -> datetime:
        """Stop the clock, now or at a time."""
        return await self.change_clock(ClockChange(at=at, frozen=True))

    async def unfreeze_clock(self) -> datetime:
        """Let the clock go on."""
        return await self.change_clock(ClockChange(frozen=False))

    async def speed_clock(self, factor: float) -> datetime:
        """Let so many seconds pass in a second."""
        return await self.change_clock(ClockChange(speed=factor))

    async def reset_clock(self) -> datetime:
        """Let the clock show the machine's time."""
        return await self.change_clock(ClockChange(reset=True))

    # --- snapshots --------------------------------------------------------------------------------

    async def snapshot(self, name: str = "snapshot") -> None:
        """Keep how things are: users, passwords, tickets, tokens, rules, options, clock, faults."""
        await self._on_server(self._control.snapshot(name))

    async def restore(self, name: str = "snapshot") -> None:
        """Put back how things were."""
        await self._on_server(self._control.restore(name))

    async def reset(self) -> None:
        """Put back how things were in the beginning; forget the journal and all snapshots."""
        await self._on_server(self._control.reset())

    # --- faults -----------------------------------------------------------------------------------

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
        """
        rule = rule_of(effects, operation=operation, user=user, nth=nth, times=times)

        async def work() -> FaultOut:
            return self._control.add_fault(rule)

        return await self._on_server(work())

    async def faults(self) -> list[FaultOut]:
        """List the faults in force, spent ones too."""

        async def work() -> list[FaultOut]:
            return self._control.faults()

        return await self._on_server(work())

    async def clear_faults(self) -> None:
        """Put all faults out of force."""

        async def work() -> None:
            self._control.world.faults.clear()

        await self._on_server(work())

    # --- journal ----------------------------------------------------------------------------------

    async def calls(
        self,
        operation: str | None = None,
        *,
        user: str | None = None,
        outcome: Outcome | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Exchange]:
        """List the exchanges so far, oldest first.

        :param since: By the tenant's clock, itself included; ``until`` is not.
        """
        wanted = JournalQuery(
            operation=operation, user=user, outcome=outcome, since=since, until=until
        ).wanted()

        async def work() -> list[Exchange]:
            return self._control.world.journal.find(**wanted)

        return await self._on_server(work())

    async def count(
        self,
        operation: str | None = None,
        *,
        user: str | None = None,
        outcome: Outcome | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> int:
        """Count the exchanges so far."""
        return len(
            await self.calls(operation, user=user, outcome=outcome, since=since, until=until)
        )

    async def wait_for(
        self,
        operation: str | None = None,
        *,
        user: str | None = None,
        outcome: Outcome | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        count: int = 1,
        timeout: float = 5.0,  # noqa: ASYNC109 - the error says what came until then
    ) -> list[Exchange]:
        """Wait until there are so many exchanges, those before included.

        :param timeout: Seconds.
        :raises TimeoutError: There are too few by then.
        """
        wanted = JournalQuery(
            operation=operation, user=user, outcome=outcome, since=since, until=until
        ).wanted()
        journal = self._control.world.journal
        return await self._on_server(journal.wait_for(count=count, timeout=timeout, **wanted))

    async def clear_journal(self) -> None:
        """Forget all exchanges."""

        async def work() -> None:
            self._control.world.journal.clear()

        await self._on_server(work())


class Services88:
    """A tenant of its own on a running sandbox, for tests. See :class:`AsyncServices88`."""

    def __init__(
        self, inner: AsyncServices88, run: Callable[[Coroutine[Any, Any, Any]], Any]
    ) -> None:
        self._inner, self._run = inner, run
        self.tenant, self.server_url, self.url = inner.tenant, inner.server_url, inner.url

    def service(self, agent: AgentName) -> str:
        """Give the address of a service."""
        return self._inner.service(agent)

    def wsdl(self, agent: AgentName) -> str:
        """Give the address of a service's WSDL."""
        return self._inner.wsdl(agent)

    def state(self) -> TenantOut:
        """Tell how things are."""
        result: TenantOut = self._run(self._inner.state())
        return result

    # --- users ------------------------------------------------------------------------------------

    def add_user(
        self,
        name: str,
        password: str | None = None,
        *,
        role: str | None = None,
        type: UserType = "employee",
        firstname: str = "",
        lastname: str = "",
        email: str = "",
        retired: bool = False,
    ) -> UserOut:
        """Add a user; the password rules are not asked.

        :param role: Name of a role, as ``Administrator``; the default role else.
        """
        result: UserOut = self._run(
            self._inner.add_user(
                name,
                password,
                role=role,
                type=type,
                firstname=firstname,
                lastname=lastname,
                email=email,
                retired=retired,
            )
        )
        return result

    def user(self, name: str) -> UserOut:
        """Tell about a user."""
        result: UserOut = self._run(self._inner.user(name))
        return result

    def users(self) -> list[UserOut]:
        """List the users by name."""
        result: list[UserOut] = self._run(self._inner.users())
        return result

    def delete_user(self, name: str) -> None:
        """Delete a user with all they have."""
        self._run(self._inner.delete_user(name))

    def set_password(self, name: str, password: str) -> None:
        """Set a user's password past all rules, which ends their tickets."""
        self._run(self._inner.set_password(name, password))

    def retire(self, name: str, *, retired: bool = True) -> None:
        """Retire a user, which ends their tickets, or take them back."""
        self._run(self._inner.retire(name, retired=retired))

    def unlock(self, name: str) -> None:
        """Forget a user's wrong passwords."""
        self._run(self._inner.unlock(name))

    def accepts(self, name: str, password: str) -> bool:
        """Say whether a user would be signed in with a password. Nothing is counted or written."""
        result: bool = self._run(self._inner.accepts(name, password))
        return result

    def expire_tickets(self, name: str | None = None) -> int:
        """Let all tickets expire, or those of a user; the clock stays."""
        result: int = self._run(self._inner.expire_tickets(name))
        return result

    # --- application tokens, policy, options ------------------------------------------------------

    def issue_application_token(
        self, name: str = "test", token: str | None = None
    ) -> ApplicationTokenOut:
        """Issue an application token, of your choice or a random one."""
        result: ApplicationTokenOut = self._run(self._inner.issue_application_token(name, token))
        return result

    def application_tokens(self) -> list[ApplicationTokenOut]:
        """List the application tokens, revoked ones too."""
        result: list[ApplicationTokenOut] = self._run(self._inner.application_tokens())
        return result

    def revoke_application_token(self, id: int) -> None:
        """Revoke an application token."""
        self._run(self._inner.revoke_application_token(id))

    def set_options(
        self,
        *,
        application_tokens: bool | None = None,
        password_refusals: Literal["boolean", "exception"] | None = None,
        administrators_may_choose_passwords: bool | None = None,
        allow_admin_blank_old_password: bool | None = None,
    ) -> OptionsChange:
        """Change choices of the tenant's operator; what is None stays."""
        result: OptionsChange = self._run(
            self._inner.set_options(
                application_tokens=application_tokens,
                password_refusals=password_refusals,
                administrators_may_choose_passwords=administrators_may_choose_passwords,
                allow_admin_blank_old_password=allow_admin_blank_old_password,
            )
        )
        return result

    def set_policy(
        self,
        preset: Literal["nist", "vendor-online", "vendor"] | None = None,
        *,
        minimum_length: int | None = None,
        history: int | None = None,
        preference: str | None = None,
    ) -> PolicyOut:
        """Change the rules for new passwords; what is None stays."""
        result: PolicyOut = self._run(
            self._inner.set_policy(
                preset, minimum_length=minimum_length, history=history, preference=preference
            )
        )
        return result

    # --- clock ------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Tell the tenant's time."""
        result: datetime = self._run(self._inner.now())
        return result

    def change_clock(self, change: ClockChange) -> datetime:
        """Change the clock, and tell the time it shows."""
        result: datetime = self._run(self._inner.change_clock(change))
        return result

    def move_clock(self, by: timedelta | float) -> datetime:
        """Move the clock, by seconds or a timedelta; back where negative."""
        result: datetime = self._run(self._inner.move_clock(by))
        return result

    def set_clock(self, at: datetime) -> datetime:
        """Let the clock show a time (UTC where it names no zone), and go on."""
        result: datetime = self._run(self._inner.set_clock(at))
        return result

    def freeze_clock(self, at: datetime | None = None) -> datetime:
        """Stop the clock, now or at a time."""
        result: datetime = self._run(self._inner.freeze_clock(at))
        return result

    def unfreeze_clock(self) -> datetime:
        """Let the clock go on."""
        result: datetime = self._run(self._inner.unfreeze_clock())
        return result

    def speed_clock(self, factor: float) -> datetime:
        """Let so many seconds pass in a second."""
        result: datetime = self._run(self._inner.speed_clock(factor))
        return result

    def reset_clock(self) -> datetime:
        """Let the clock show the machine's time."""
        result: datetime = self._run(self._inner.reset_clock())
        return result

    # --- snapshots --------------------------------------------------------------------------------

    def snapshot(self, name: str = "snapshot") -> None:
        """Keep how things are: users, passwords, tickets, tokens, rules, options, clock, faults."""
        self._run(self._inner.snapshot(name))

    def restore(self, name: str = "snapshot") -> None:
        """Put back how things were."""
        self._run(self._inner.restore(name))

    def reset(self) -> None:
        """Put back how things were in the beginning; forget the journal and all snapshots."""
        self._run(self._inner.reset())

    # --- faults -----------------------------------------------------------------------------------

    def fault(
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
        """
        result: FaultOut = self._run(
            self._inner.fault(effects, operation, user=user, nth=nth, times=times)
        )
        return result

    def faults(self) -> list[FaultOut]:
        """List the faults in force, spent ones too."""
        result: list[FaultOut] = self._run(self._inner.faults())
        return result

    def clear_faults(self) -> None:
        """Put all faults out of force."""
        self._run(self._inner.clear_faults())

    # --- journal ----------------------------------------------------------------------------------

    def calls(
        self,
        operation: str | None = None,
        *,
        user: str | None = None,
        outcome: Outcome | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Exchange]:
        """List the exchanges so far, oldest first.

        :param since: By the tenant's clock, itself included; ``until`` is not.
        """
        result: list[Exchange] = self._run(
            self._inner.calls(operation, user=user, outcome=outcome, since=since, until=until)
        )
        return result

    def count(
        self,
        operation: str | None = None,
        *,
        user: str | None = None,
        outcome: Outcome | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> int:
        """Count the exchanges so far."""
        result: int = self._run(
            self._inner.count(operation, user=user, outcome=outcome, since=since, until=until)
        )
        return result

    def wait_for(
        self,
        operation: str | None = None,
        *,
        user: str | None = None,
        outcome: Outcome | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        count: int = 1,
        timeout: float = 5.0,
    ) -> list[Exchange]:
        """Wait until there are so many exchanges, those before included.

        :param timeout: Seconds.
        :raises TimeoutError: There are too few by then.
        """
        result: list[Exchange] = self._run(
            self._inner.wait_for(
                operation,
                user=user,
                outcome=outcome,
                since=since,
                until=until,
                count=count,
                timeout=timeout,
            )
        )
        return result

    def clear_journal(self) -> None:
        """Forget all exchanges."""
        self._run(self._inner.clear_journal())
