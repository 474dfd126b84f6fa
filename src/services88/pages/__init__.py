"""Pages for people with a browser: what the services are, changing a password, administration.

Which of them exist is decided by the settings, never by the peer's address. Importing this package
loads no template engine; the first request for a page does.
"""

from starlette.routing import BaseRoute

from services88.identity.identity import Identity
from services88.pages.routing import IdentityOf, PagesRoute
from services88.settings import Settings

__all__ = ["IdentityOf", "page_routes"]


def page_routes(
    settings: Settings, identity: Identity, identity_of: IdentityOf | None = None
) -> list[BaseRoute]:
    """List what answers at the addresses of pages; put it before the services.

    :param identity_of: In a sandbox, gives the domain as a tenant has it, with the tenant's clock.
        Operation pages can then make the call they describe.
    """
    if settings.pages == "off" and not settings.admin_pages:
        return []
    return [PagesRoute(settings, identity, identity_of)]
