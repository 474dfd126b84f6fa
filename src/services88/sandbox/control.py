"""All that can be done to a tenant of a sandbox, typed; Python, the API and the seed file use it.

Its coroutines belong to the loop of the server.
"""

from collections.abc import Iterable, Sequence

from services88.identity import accounts, application_tokens, password_rules, passwords
from services88.identity.accounts import AssociateType
from services88.identity.application_tokens import hashed
from services88.identity.errors import BadInput
from services88.identity.names import check_text, check_user_name
from services88.sandbox.faults import Effect, Planned, Rule
from services88.sandbox.models import (
    ApplicationTokenIn,
    ApplicationTokenOut,
    ClockChange,
    ClockOut,
    FaultOut,
    OptionsChange,
    PolicyChange,
    PolicyOut,
    TenantIn,
    TenantOut,
    UserChange,
    UserIn,
    UserOut,
    from_milliseconds,
    to_milliseconds,
)
from services88.sandbox.worlds import Sandbox, World
from services88.store import (
    application_tokens as stored_tokens,
)
from services88.store import (
    credentials,
    guesses,
    sign_in_names,
    tenant_rows,
)
from services88.store.associates import Associate
from services88.store.database import Connection
from services88.store.errors import Conflict

__all__ = ["Control", "add_tenant", "rule_of"]


async def add_tenant(sandbox: Sandbox, wanted: TenantIn) -> "Control":
    """Add a tenant with all it begins with; that is what a reset leads back to.

    :raises BadInput: Something of it is not possible. Nothing of the tenant is left then.
    """
    world = await sandbox.add(wanted.name, company=wanted.company)
    control = Control(world)
    try:
        await control.begin_with(wanted)
    except BaseException:
        await sandbox.delete(wanted.name)
        raise
    return control


class Control:
    """Everything that can be done to one tenant."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def begin_with(self, wanted: TenantIn) -> None:
        """Give the tenant what it begins with; that is what a reset leads back to.

        :raises BadInput: Something of it is not possible.
        """
        self.set_options(wanted.options)
        await self.change_policy(wanted.policy)
        for user in wanted.users:
            await self.add_user(user)
        for token in wanted.application_tokens:
            await self.issue_application_token(token)
        self.change_clock(wanted.clock)
        for rule in wanted.faults:
            self.add_fault(rule)
        await self.world.snapshots.take_first(self.world)

    async def state(self) -> TenantOut:
        """Tell how things are."""
        world = self.world
        users = await accounts.listing(world.identity, world.tenant)
        return TenantOut(
            name=world.tenant.name,
            company=world.tenant.company_name,
            path=f"/{world.tenant.name}/Remote/Services88",
            users=len(users),
            exchanges=world.journal.count(),
            clock=self.clock(),
            options=world.options,
            snapshots=world.snapshots.names(),
        )

    # --- users ------------------------------------------------------------------------------------

    async def users(self) -> list[UserOut]:
        """List the users by name."""
        found = await accounts.listing(self.world.identity, self.world.tenant)
        return [await self._user(one) for one in found]

    async def user(self, name: str) -> UserOut:
        """Tell about a user.

        :raises LookupError: There is no such user.
        """
        return await self._user(await self._find(name))

    async def _find(self, name: str) -> Associate:
        try:
            return await accounts.find(self.world.identity, self.world.tenant, name)
        except BadInput:
            raise LookupError(
                f"Tenant {self.world.tenant.name} has no user {name}. Add the user first."
            ) from None

    async def _user(self, user: Associate) -> UserOut:
        database = self.world.identity.database
        row = await credentials.password_of(database, user.associate_id)
        failures, disabled = await guesses.failures_of(database, user.associate_id)
        now = self.world.clock.now()
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

    async def add_user(self, wanted: UserIn) -> UserOut:
        """Add a user.

        :raises BadInput: The name is not possible or taken, or there is no such role.
        """
        identity, tenant = self.world.identity, self.world.tenant
        added = await accounts.add_with_secret(
            identity,
            tenant,
            check_user_name(wanted.name),
            None if wanted.password is None else await self._hash(wanted.password),
            role_id=accounts.choose_role(
                await accounts.roles_of_tenant(identity, tenant), wanted.role
            ),
            type=AssociateType[wanted.type.upper()],
            firstname=wanted.firstname,
            lastname=wanted.lastname,
            email=wanted.email,
            retired=wanted.retired,
        )
        return await self._user(added)

    async def _hash(self, password: str) -> str:
        if any("\ud800" <= character <= "\udfff" for character in password):
            raise BadInput("A password holds whole characters, not halves of surrogate pairs.")
        return await self.world.identity.hashing.hash(password)

    async def change_user(self, name: str, change: UserChange) -> UserOut:
        """Change a user, past the password rules.

        :raises LookupError: There is no such user.
        """
        identity, tenant = self.world.identity, self.world.tenant
        user = await self._find(name)
        if change.password is not None:
            await self._set_password(user, change.password)
        if change.retired is not None:
            await accounts.retire(
                identity, tenant, user.name, retired=change.retired, keep_administrator=False
            )
        if change.unlock:
            await accounts.unlock(identity, tenant, user.name)
        return await self.user(name)

    async def _set_password(self, user: Associate, password: str) -> None:
        identity, tenant = self.world.identity, self.world.tenant
        policy = await password_rules.policy_of(identity, tenant)
        row = await credentials.password_of(identity.database, user.associate_id)
        secret = await self._hash(password)
        await passwords.store_by_operator(identity, tenant, user, policy, row, secret)

    async def delete_user(self, name: str) -> None:
        """Delete a user with all they have, as no installation does: there they are retired.

        :raises LookupError: There is no such user.
        """
        user = await self._find(name)

        async def work(connection: Connection) -> None:
            await sign_in_names.release(connection, user.tenant_id, user.associate_id)
            await tenant_rows.delete_user(
                connection, associate_id=user.associate_id, person_id=user.person_id
            )

        await self.world.identity.database.transaction(work)

    async def accepts(self, name: str, password: str) -> bool:
        """Say whether a user would be signed in with a password; nothing is counted or kept.

        A wait after wrong passwords does not matter here, a disabled password does.

        :raises LookupError: There is no such user.
        """
        user = await self._find(name)
        identity = self.world.identity
        row = await credentials.password_of(identity.database, user.associate_id)
        _, disabled = await guesses.failures_of(identity.database, user.associate_id)
        if row is None or disabled or not user.may_sign_in:
            return False
        return await identity.hashing.verify(row.secret, password)

    async def expire_tickets(self, name: str | None = None) -> int:
        """Let all tickets expire, or those of a user; give their number. The clock stays.

        :raises LookupError: There is no such user.
        """
        identity, tenant = self.world.identity, self.world.tenant
        found: Iterable[Associate] = (
            await accounts.listing(identity, tenant) if name is None else [await self._find(name)]
        )

        async def work(connection: Connection) -> int:
            ended = 0
            for user in found:
                ended += await credentials.delete_tickets(connection, user.associate_id)
            return ended

        return await identity.database.transaction(work)

    # --- application tokens, policy, options ------------------------------------------------------

    async def application_tokens(self) -> list[ApplicationTokenOut]:
        """List the application tokens, revoked ones too."""
        found = await application_tokens.listing(self.world.identity, self.world.tenant)
        return [
            ApplicationTokenOut(
                id=one.application_token_id, name=one.name, revoked=one.revoked is not None
            )
            for one in found
        ]

    async def issue_application_token(self, wanted: ApplicationTokenIn) -> ApplicationTokenOut:
        """Issue an application token. Whether calls need one is an option.

        :raises BadInput: The name is not possible, or the tenant has that token already.
        """
        identity, tenant = self.world.identity, self.world.tenant
        text = wanted.token
        if text is None:
            issued = await application_tokens.issue(identity, tenant, wanted.name)
            number, text = issued.application_token_id, issued.text
        else:
            check_text(wanted.name, "The name of an application", 99)
            secret = hashed(text.strip())

            async def work(connection: Connection) -> int:
                return await stored_tokens.add(
                    connection,
                    tenant=tenant.tenant_id,
                    name=wanted.name,
                    hashed=secret,
                    now=self.world.clock.now(),
                )

            try:
                number = await identity.database.transaction(work)
            except Conflict:
                raise BadInput("The tenant has that application token already.") from None
        return ApplicationTokenOut(id=number, name=wanted.name, token=text, revoked=False)

    async def revoke_application_token(self, id: int) -> None:
        """Revoke an application token.

        :raises LookupError: There is none of that number in force.
        """
        try:
            await application_tokens.revoke(self.world.identity, self.world.tenant, id)
        except BadInput as error:
            raise LookupError(str(error)) from None

    async def policy(self) -> PolicyOut:
        """Tell the rules for new passwords."""
        identity, tenant = self.world.identity, self.world.tenant
        choice = await password_rules.chosen(identity, tenant)
        policy = await password_rules.policy_of(identity, tenant)
        return PolicyOut(
            preset=choice.preset,
            minimum_length=choice.minimum_length,
            history=choice.history,
            preference=choice.preference,
            rules=list(policy.help_texts()),
        )

    async def change_policy(self, change: PolicyChange) -> PolicyOut:
        """Change the rules for new passwords.

        :raises BadInput: A value is not possible.
        """
        if change.model_fields_set:
            await password_rules.choose(
                self.world.identity,
                self.world.tenant,
                preset=change.preset.value if change.preset else None,
                minimum_length=change.minimum_length,
                history=change.history,
                preference=change.preference,
            )
        return await self.policy()

    def set_options(self, change: OptionsChange) -> OptionsChange:
        """Change choices of the tenant's operator."""
        self.world.choose(change)
        return self.world.options

    # --- clock, snapshots, faults -----------------------------------------------------------------

    def clock(self) -> ClockOut:
        """Tell the time."""
        clock = self.world.clock
        return ClockOut(now=from_milliseconds(clock.now()), speed=clock.speed, frozen=clock.frozen)

    def change_clock(self, change: ClockChange) -> ClockOut:
        """Move, stop or speed the clock.

        :raises BadInput: It would leave the years from 1970 to 9999. The clock stays as it was.
        """
        clock = self.world.clock
        before = clock.state() if clock.moved else None
        try:
            self._set_clock(change)
        except BadInput:
            if before is None:
                clock.reset()
            else:
                clock.restore(before)
            raise
        return self.clock()

    def _set_clock(self, change: ClockChange) -> None:
        clock = self.world.clock
        if change.reset:
            clock.reset()
        if change.at is not None:
            clock.set(to_milliseconds(change.at))
        if change.move_seconds is not None:
            clock.move(round(change.move_seconds * 1000))
        if change.speed is not None:
            clock.set(speed=change.speed)
        if change.frozen is not None:
            if change.frozen:
                clock.freeze()
            else:
                clock.go_on()

    async def snapshot(self, name: str) -> None:
        """Keep how things are under a name.

        :raises BadInput: The name is not possible, or there are too many snapshots.
        """
        await self.world.snapshots.take(self.world, name)

    async def restore(self, name: str) -> None:
        """Put back how things were.

        :raises LookupError: There is no snapshot of that name.
        """
        await self.world.snapshots.restore(self.world, name)

    async def reset(self) -> None:
        """Put back how things were in the beginning; forget the journal and snapshots."""
        await self.world.snapshots.reset(self.world)

    def add_fault(self, rule: Rule) -> FaultOut:
        """Put a fault in force."""
        return _fault(self.world.faults.add(rule))

    def faults(self) -> list[FaultOut]:
        """List the faults in force, spent ones too."""
        return [_fault(one) for one in self.world.faults.listing()]

    def remove_fault(self, id: int) -> None:
        """Put a fault out of force.

        :raises LookupError: There is none of that number.
        """
        if not self.world.faults.remove(id):
            raise LookupError(f"There is no fault {id}.")


def _fault(planned: Planned) -> FaultOut:
    return FaultOut(id=planned.id, rule=planned.rule, seen=planned.seen, spent=planned.spent)


def rule_of(
    effects: Effect | Sequence[Effect],
    *,
    operation: str | None = None,
    user: str | None = None,
    nth: int = 1,
    times: int | None = 1,
) -> Rule:
    """Write a rule; one effect stands for a sequence of one.

    :raises BadInput: What is given is no effect.
    """
    several = list(effects) if isinstance(effects, Sequence) else [effects]
    for one in several:
        if isinstance(one, type):
            raise BadInput(f"An effect is an instance: write {one.__name__}(), with parentheses.")
    return Rule(effects=several, operation=operation, user=user, nth=nth, times=times)
