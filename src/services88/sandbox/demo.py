"""The demo users of the sandbox. Their passwords are public, on purpose."""

from dataclasses import dataclass

from services88.identity import accounts, tenants
from services88.identity.errors import BadInput
from services88.identity.identity import Identity

__all__ = ["ADMINISTRATOR", "DEMO_USERS", "JANE", "JOHN", "DemoUser", "add_demo_users"]


@dataclass(frozen=True, slots=True)
class DemoUser:
    """A user that every sandbox has."""

    name: str
    password: str
    role: str
    firstname: str
    lastname: str


ADMINISTRATOR = DemoUser("ADMIN", "sandbox administrator", "Administrator", "Ada", "Administrator")
JANE = DemoUser("JANE", "jane in the sandbox", "User level 0", "Jane", "Doe")
JOHN = DemoUser("JOHN", "john in the sandbox", "User level 0", "John", "Smith")
DEMO_USERS = (ADMINISTRATOR, JANE, JOHN)


async def add_demo_users(identity: Identity) -> None:
    """Add the demo users that are not there yet."""
    tenant = await tenants.default(identity)
    for user in DEMO_USERS:
        try:
            await accounts.find(identity, tenant, user.name)
        except BadInput:
            await accounts.add(
                identity,
                tenant,
                user.name,
                user.password,
                role=user.role,
                firstname=user.firstname,
                lastname=user.lastname,
                email=f"{user.name.lower()}@example.com",
            )
