"""The User agent: users, their passwords, credentials, roles and groups.

One module an area; each declares its operations with a docstring that says what they mean.
"""

from typing import Protocol

from services88.contract import namespaces as ns
from services88.contract.headers import (
    APPLICATION_TOKEN,
    CREDENTIALS,
    RESPONSE_HEADERS,
    TIME_ZONE,
)
from services88.contract.model import agent
from services88.contract.user.connections import Connections
from services88.contract.user.credentials import Credentials
from services88.contract.user.external_users import ExternalUsers
from services88.contract.user.passwords import Passwords
from services88.contract.user.roles import Roles
from services88.contract.user.user_groups import UserGroups
from services88.contract.user.user_names import UserNames
from services88.contract.user.users import Users


class UserAgent(
    Passwords,
    UserNames,
    Users,
    ExternalUsers,
    UserGroups,
    Roles,
    Credentials,
    Connections,
    Protocol,
):
    """All operations of the User agent."""


USER = agent(
    UserAgent,
    name="User",
    service="WcfUserService",
    request_headers=(APPLICATION_TOKEN, CREDENTIALS, TIME_ZONE),
    response_headers=RESPONSE_HEADERS,
    known_headers=(APPLICATION_TOKEN, CREDENTIALS, *RESPONSE_HEADERS),
    prefixes={
        ns.SERVICES88: "User",
        ns.SERIALIZATION: "NetServerServices881",
        ns.ARRAYS: "NetServerServices882",
    },
)
