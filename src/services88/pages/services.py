"""Pages on the services: what they are, their operations, and each operation in full."""

from starlette.responses import Response

from services88.contract import AGENTS
from services88.contract.model import Agent, EnumType, Field, Operation, SimpleType, Type
from services88.pages import describing
from services88.pages.site import Visit
from services88.pages.snippets import snippets
from services88.texts import _
from services88.web.addresses import base_url
from services88.web.http import HttpRefusal

__all__ = ["home", "page"]


async def home(visit: Visit) -> Response:
    """Lead to everything there is."""
    return visit.show(
        "services/home.html",
        agents=list(AGENTS.values()),
        server=base_url(visit.scope, visit.site.settings.public_url),
    )


async def page(visit: Visit) -> Response:
    """Show a service, or with ``?op=`` one of its operations."""
    address = visit.page.service
    if address is None:
        raise LookupError("a page of a service has the address of one")
    await _known_site(visit)
    agent = address.agent
    url = base_url(visit.scope, visit.site.settings.public_url) + address.path
    wanted = visit.query.get("op")
    if wanted is None:
        query = visit.query.get("q", "").strip()[:100]
        return visit.show(
            "services/service.html",
            agent=agent,
            url=url,
            areas=_matching(agent, query),
            query=query,
            able=sum(map(describing.has_behaviour, agent.operations.values())),
            has_behaviour=describing.has_behaviour,
        )
    operation = _operation(agent, wanted)
    return visit.show(
        "services/operation.html",
        agent=agent,
        operation=operation,
        url=url,
        able=describing.has_behaviour(operation),
        neighbours=describing.areas(agent)[operation.area],
        who=describing.who_may(operation),
        concerned=describing.concerned(operation),
        kind_of=describing.kind_of,
        names_of=_names_of,
        meaningful=_meaningful,
        simple=[field for field in operation.request if _is_one_value(field.type)],
        envelopes=describing.envelopes(agent, operation),
        snippets=snippets(agent, operation, url),
        refusals=describing.refusals_of(operation, agent),
    )


async def _known_site(visit: Visit) -> None:
    """On-site an unknown segment means the default tenant, as it does on the wire."""
    try:
        await visit.tenant()
    except HttpRefusal:
        if visit.site.settings.installation == "online" or visit.site.sandbox:
            raise


def _matching(agent: Agent, query: str) -> dict[str, list[Operation]]:
    words = query.casefold().split()
    found = {
        area: [one for one in operations if all(word in _text(one) for word in words)]
        for area, operations in describing.areas(agent).items()
    }
    return {area: operations for area, operations in found.items() if operations}


def _text(operation: Operation) -> str:
    return f"{operation.name} {operation.area} {operation.summary}".casefold()


def _operation(agent: Agent, wanted: str) -> Operation:
    for operation in agent.operations.values():
        if operation.name.casefold() == wanted.casefold():
            return operation
    raise HttpRefusal(404, _("The service has no operation of that name."))


def _names_of(of: Type) -> list[str]:
    return [str(member.value) for member in of.cls] if isinstance(of, EnumType) else []


def _meaningful(fields: tuple[Field, ...]) -> bool:
    return any(field.secret or _names_of(field.type) for field in fields)


def _is_one_value(of: Type) -> bool:
    return isinstance(of, SimpleType) or (isinstance(of, EnumType) and not of.flags)
