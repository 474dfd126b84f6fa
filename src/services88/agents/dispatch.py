"""From a typed request to a typed answer: who calls, may they, and what comes of it."""

from collections.abc import Awaitable

from services88.agents.authorisation import authorise
from services88.agents.call import IMPLEMENTATIONS, Call, Options
from services88.agents.refusals import (
    AdministratorsMayNotChoose,
    NotSupported,
    OldPasswordNeeded,
    exception_info,
    password_facts,
)
from services88.contract.messages import UTC, Answer, Request
from services88.contract.model import BOOLEAN, Agent, Operation
from services88.identity import application_tokens, audit, tickets
from services88.identity.audit import AuditEvent
from services88.identity.errors import NotAllowed, NotSignedIn, PasswordRefused, Refusal
from services88.identity.identity import Caller, Identity, Origin
from services88.store.associates import Associate
from services88.store.tenants import Tenant

__all__ = ["perform"]


async def perform(
    identity: Identity,
    options: Options,
    tenant: Tenant,
    agent: Agent,
    request: Request,
    *,
    address: str,
) -> Answer:
    """Carry out a call, or refuse it.

    :raises ServerBusy: There is too much to do. Nothing was changed.
    :raises DatabaseUnavailable: The database does not answer. Nothing was changed.
    """
    zone = request.time_zone or UTC
    try:
        call = await _admit(identity, options, tenant, agent, request, address)
        if call.signed_in is not None:
            call.user = await _authorised(call, call.signed_in, request)
        # Only then: who may not call an operation is not told what this server carries out.
        implementation = IMPLEMENTATIONS.get(request.operation.declared)
        if implementation is None:
            raise NotSupported(request.operation.name)
        result = await _told(call, implementation(call, **request.arguments))
    except PasswordRefused as refused:
        as_boolean = options.password_refusals == "boolean"  # noqa: S105 - no password
        if as_boolean and _answers_yes_or_no(request.operation):
            return Answer(False, extra=password_facts(refused), time_zone=zone)
        return Answer(refused=exception_info(refused), time_zone=zone)
    except Refusal as refusal:
        return Answer(refused=exception_info(refusal), time_zone=zone)
    return Answer(result, time_zone=zone)


async def _admit(
    identity: Identity,
    options: Options,
    tenant: Tenant,
    agent: Agent,
    request: Request,
    address: str,
) -> Call:
    """Find out which application calls and who, as far as the call needs either."""
    application = 0
    if options.online:
        application = await application_tokens.verify(
            identity, tenant, request.application_token, address
        )
    origin = Origin(address, application)
    caller = None
    if agent.needs_ticket:
        ticket = request.credentials.ticket if request.credentials else None
        try:
            caller = await tickets.verify(identity, tenant, ticket, address)
        except NotSignedIn as refused:
            await audit.ticket_refused(identity, tenant, origin, refused)
            raise
    return Call(identity, options, tenant, origin, caller)


async def _told(call: Call, working: Awaitable[object]) -> object:
    """Await an implementation; that its operator forbids a change stands in the audit trail."""
    try:
        return await working
    except (OldPasswordNeeded, AdministratorsMayNotChoose) as refusal:
        needed = isinstance(refusal, OldPasswordNeeded)
        await audit.refused(
            call.identity,
            call.tenant,
            AuditEvent.AUTHN_PASSWORD_CHANGE_FAIL,
            call.origin,
            reason="old-password-needed" if needed else "not-to-be-chosen",
            associate_id=call.target.associate_id,
            by=call.caller.associate_id,
        )
        raise


async def _authorised(call: Call, caller: Caller, request: Request) -> Associate | None:
    """Find the user whom the call concerns; a caller who may not stands in the audit trail."""
    try:
        return await authorise(call.identity, caller, request.operation, request.arguments)
    except NotAllowed:
        await audit.refused(
            call.identity,
            call.tenant,
            AuditEvent.AUTHZ_FAIL,
            call.origin,
            reason=request.operation.name,
            by=caller.associate_id,
        )
        raise


def _answers_yes_or_no(operation: Operation) -> bool:
    return [field.type for field in operation.response] == [BOOLEAN]
