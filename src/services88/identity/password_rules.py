"""Which rules new passwords of a tenant have to satisfy, and asking them."""

from dataclasses import dataclass, replace
from functools import lru_cache

from services88.identity import tickets
from services88.identity.audit import AuditEvent, record
from services88.identity.identity import Caller, Identity, Origin
from services88.identity.policy import (
    LONGEST_HISTORY,
    Failure,
    Policy,
    PolicyChoice,
    Subject,
    build,
    preset_named,
)
from services88.identity.policy.history import History
from services88.identity.policy.strength import Strength, estimate
from services88.store import password_history, preferences
from services88.store.associates import Associate
from services88.store.credentials import PasswordRow
from services88.store.database import Connection
from services88.store.tenants import Tenant

__all__ = [
    "check_reuse",
    "choose",
    "chosen",
    "explain",
    "hash_of_owner",
    "hash_unless_refused",
    "judge",
    "policy_of",
    "require",
    "secrets_of",
    "subject_of",
]

_DOCUMENTED = ("System", "PasswordPolicy")
"""Section and key of the vendor's own preference, which holds the preference string."""

_OWN = "services88.password"
"""Section of what the vendor has no preference for."""


async def chosen(identity: Identity, tenant: Tenant) -> PolicyChoice:
    """Give what a tenant chose; where it chose nothing, what the installation has."""
    own = await preferences.in_section(identity.database, tenant.tenant_id, _OWN)
    documented = await preferences.in_section(identity.database, tenant.tenant_id, _DOCUMENTED[0])
    choice = identity.policy
    return replace(
        choice,
        preset=preset_named(own["preset"]) if "preset" in own else choice.preset,
        minimum_length=_number(own, "minimum-length", choice.minimum_length),
        history=_number(own, "history", choice.history) or 0,
        preference=documented.get(_DOCUMENTED[1], choice.preference),
    )


def _number(found: dict[str, str], key: str, otherwise: int | None) -> int | None:
    return int(found[key]) if key in found else otherwise


async def choose(
    identity: Identity,
    tenant: Tenant,
    *,
    preset: str | None = None,
    minimum_length: int | None = None,
    history: int | None = None,
    preference: str | None = None,
    caller: Caller | None = None,
    origin: Origin | None = None,
) -> PolicyChoice:
    """Change what a tenant chose; what is None stays as it is, an empty preference removes it.

    :param caller: The administrator who does it; None for the command line.
    :raises BadInput: A value is not possible.
    """
    choice = await chosen(identity, tenant)
    if preset is not None:
        choice = replace(choice, preset=preset_named(preset), minimum_length=None)
    if minimum_length is not None:
        choice = replace(choice, minimum_length=minimum_length)
    if history is not None:
        choice = replace(choice, history=history)
    if preference is not None:
        choice = replace(choice, preference=preference or None)
    build(choice)
    # Only what is given is kept: the rest goes on following what the installation has.
    wanted: dict[tuple[str, str], object] = {}
    if preset is not None:
        wanted |= {(_OWN, "preset"): preset, (_OWN, "minimum-length"): ""}
    if minimum_length is not None:
        wanted[_OWN, "minimum-length"] = minimum_length
    if history is not None:
        wanted[_OWN, "history"] = history
    if preference is not None:
        wanted[_DOCUMENTED] = preference
    changed = " ".join(key for (_, key), value in wanted.items() if value != "")

    async def work(connection: Connection) -> None:
        if caller is not None:
            await tickets.check_again(connection, caller)
        for (section, key), value in wanted.items():
            if value == "":
                await preferences.remove(connection, tenant.tenant_id, section, key)
            else:
                await preferences.put(connection, tenant.tenant_id, section, key, str(value))
        await record(
            connection,
            identity,
            tenant,
            AuditEvent.POLICY_CHANGED,
            origin or Origin(),
            associate_id=0,
            by=caller.associate_id if caller else 0,
            reason=changed,
        )

    await identity.database.transaction(work)
    return choice


@lru_cache(maxsize=64)
def _built(choice: PolicyChoice) -> Policy:
    return build(choice, remember=password_history.remember)


async def policy_of(identity: Identity, tenant: Tenant) -> Policy:
    """Give the policy of a tenant.

    :raises BadInput: A file that it needs cannot be used.
    """
    return _built(await chosen(identity, tenant))


def subject_of(tenant: Tenant, user: Associate) -> Subject:
    """Say whom a password is for."""
    return Subject(
        user_name=user.name,
        names=(user.firstname, user.middle_name, user.lastname),
        email=user.email,
        company=tenant.company_name,
    )


async def require(identity: Identity, policy: Policy, candidate: str, subject: Subject) -> None:
    """Refuse an unacceptable password of somebody who has none; in the hashing pool: it takes long.

    :raises PasswordRefused: It fails a rule; the error names them all.
    :raises ServerBusy: There is too much to do.
    """
    await identity.hashing.run(lambda: policy.require(candidate, subject))


async def hash_unless_refused(
    identity: Identity, policy: Policy, candidate: str, tenant: Tenant, user: Associate
) -> str:
    """Hash a new password of a user, whatever others they have or had, or refuse it.

    :raises PasswordRefused: It fails a rule; the error names them all.
    :raises ServerBusy: There is too much to do.
    """
    subject = subject_of(tenant, user)

    def work() -> str:
        policy.require(candidate, subject)
        return identity.hashing.hasher.hash(candidate)

    return await identity.hashing.run(work)


async def secrets_of(
    identity: Identity, policy: Policy, user: Associate, current: PasswordRow | None
) -> tuple[str, ...]:
    """Return the hashes that reuse is judged by, none where the policy does not judge it.

    The current one, which is empty for somebody who has no password now, then earlier ones.
    """
    if not _reuse(policy).validators:
        return ()
    earlier = await password_history.newest(identity.database, user.associate_id, LONGEST_HISTORY)
    now = current.secret if current else ""
    return (now, *earlier) if now or earlier else ()


def _reuse(policy: Policy) -> Policy:
    return Policy(tuple(one for one in policy.validators if isinstance(one, History)))


async def hash_of_owner(
    identity: Identity,
    policy: Policy,
    candidate: str,
    tenant: Tenant,
    user: Associate,
    current: PasswordRow,
    *,
    proved: str,
) -> str:
    """Hash a new password of a user, or refuse it; one piece of work of the hashing pool.

    :param current: The password that it is to replace.
    :param proved: The same, which the caller has just given.
    :raises PasswordRefused: It fails a rule; the error names them all.
    :raises ServerBusy: There is too much to do.
    """
    hasher = identity.hashing.hasher

    def verify(secret: str, password: str) -> bool:
        if secret == current.secret:
            return hasher.verify_another(secret, proved, password)
        return hasher.verify(secret, password)

    secrets = await secrets_of(identity, policy, user, current)
    subject = replace(subject_of(tenant, user), secrets=secrets, verify=verify)

    def work() -> str:
        policy.require(candidate, subject)
        return hasher.hash(candidate)

    return await identity.hashing.run(work)


async def check_reuse(
    identity: Identity, policy: Policy, candidate: str, secrets: tuple[str, ...]
) -> None:
    """Refuse a new password that is the current one, or one of those before.

    :param secrets: From :func:`secrets_of`.
    :raises PasswordRefused: It is one of them.
    :raises ServerBusy: There is too much to do.
    """
    subject = Subject(secrets=secrets, verify=identity.hashing.hasher.verify)
    await identity.hashing.run(lambda: _reuse(policy).require(candidate, subject))


async def explain(
    identity: Identity, tenant: Tenant, candidate: str, user: Associate | None = None
) -> list[Failure]:
    """List the rules that a candidate fails, for a user or for nobody in particular.

    Whether it is the user's password, or was, is not looked at: asking would be guessing.
    """
    policy = await policy_of(identity, tenant)
    subject = subject_of(tenant, user) if user else Subject(company=tenant.company_name)
    return await identity.hashing.run(lambda: policy.check(candidate, subject))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is known of a candidate before it is chosen, by somebody who has proved nothing.

    :ivar rules: Each rule in words, and whether the candidate satisfies it: None where only the
        change itself tells, since it depends on the passwords that were.
    :ivar failures: What to do about those that fail.
    :ivar score: How hard the candidate is to guess, 0 to 4, as zxcvbn estimates.
    """

    rules: tuple[tuple[str, bool | None], ...]
    failures: tuple[Failure, ...]
    score: int


async def judge(
    identity: Identity, tenant: Tenant, candidate: str, subject: Subject | None = None
) -> Judgement:
    """Judge a candidate rule by rule, and keep nothing.

    :param subject: What whoever asks has told of themselves; nothing that only we know.
    :raises ServerBusy: There is too much to do.
    """
    policy = await policy_of(identity, tenant)
    of = subject or Subject(company=tenant.company_name)

    def work() -> Judgement:
        whole = Policy(()).check(candidate, of)
        estimated = None if whole else estimate(candidate, of)
        rules: list[tuple[str, bool | None]] = []
        failures: list[Failure] = list(whole)
        for validator in policy.validators:
            if estimated is None:
                found = []
            elif isinstance(validator, Strength):
                found = validator.failures(estimated)
            else:
                found = validator.check(candidate, of)
            failures += found
            text = validator.help_text()
            if text:
                later = isinstance(validator, History)
                rules.append((text, None if later else not whole and not found))
        return Judgement(tuple(rules), tuple(failures), estimated.score if estimated else 0)

    return await identity.hashing.run(work)
