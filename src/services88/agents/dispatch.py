"""From a typed request to a typed answer: who calls, may they, and what comes of it."""

from dataclasses import replace

from services88.agents.authorisation import authorise
from services88.agents.call import IMPLEMENTATIONS, Call, Options
from services88.agents.refusals import NotSupported, exception_info, password_facts
from services88.contract.messages import UTC, Answer, Request
from services88.contract.model import BOOLEAN, Agent, Operation
from services88.identity import application_tokens, tickets
from services88.identity.errors import PasswordRefused, Refusal
from services88.identity.identity import Identity, Origin
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
        implementation = IMPLEMENTATIONS.get(request.operation.declared)
        if implementation is None:
            raise NotSupported(request.operation.name)
        if call.signed_in is not None:
            user = await authorise(identity, call.signed_in, request.operation, request.arguments)
            call = replace(call, user=user)
        result = await implementation(call, **request.arguments)
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
        application = await application_tokens.verify(identity, tenant, request.application_token)
    caller = None
    if agent.needs_ticket:
        ticket = request.credentials.ticket if request.credentials else None
        caller = await tickets.verify(identity, tenant, ticket)
    return Call(identity, options, tenant, Origin(address, application), caller)


def _answers_yes_or_no(operation: Operation) -> bool:
    return [field.type for field in operation.response] == [BOOLEAN]
