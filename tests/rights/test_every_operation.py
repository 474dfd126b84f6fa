"""Who may call what: every kind of caller, every one of the 101 declarations.

With behaviour or without. The table is written out here and reads nothing from the declarations.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from services88.agents.authorisation import authorise
from services88.agents.call import IMPLEMENTATIONS
from services88.contract import AGENTS
from services88.contract.enumerations import UserType
from services88.contract.headers import SoCredentials
from services88.contract.user.carriers import Role, RoleEntity, ServiceAuth, User, UserGroup
from services88.identity import tenants, tickets
from services88.identity.accounts import AssociateType
from services88.identity.errors import NotAllowed, UnknownUser
from services88.soap.calling import write_request
from services88.soap.versions import SOAP11
from services88.store import roles
from services88.store.associates import Associate
from services88.store.schema import associate, function_right
from tests.databases import Databases
from tests.identity.domain import CheapHasher
from tests.running import RunningServer, running

X = TypeVar("X")
_PASSWORD = "the current password"
_NO_SUCH = 987_654

# --- who -----------------------------------------------------------------------------------------

GENERAL = frozenset({"admin-all", "system"})
USERS = GENERAL | {"admin-users"}
ROLES = GENERAL | {"admin-role"}
GROUPS = USERS | {"admin-lists"}
PRESENCE = USERS | {"cs-system"}
EMPLOYEES = frozenset(
    {"admin-all", "admin-users", "admin-role", "admin-lists", "cs-system", "ordinary", "system"}
)
SIGNED_IN = EMPLOYEES | {"external"}
CALLERS = sorted(SIGNED_IN | {"anonymous"})


@dataclass(frozen=True)
class Subject:
    """A user whom a call is about, as it may be named."""

    id: int
    name: str
    person: int
    ej: int


Arguments = Callable[[Subject], Mapping[str, object]]


@dataclass(frozen=True)
class Rule:
    """Who may call an operation.

    :ivar others: Who may, whatever or whoever it is about.
    :ivar themselves: Who may where it is about themselves.
    :ivar guarded: Whether it is for general administrators where it is about one or a system user.
    :ivar exists: Whether the user has to exist and be of the tenant.
    :ivar arguments: The call about a user; None where it is about none.
    """

    others: frozenset[str]
    themselves: frozenset[str] = frozenset()
    guarded: bool = False
    exists: bool = False
    arguments: Arguments | None = None


def about_none(who: frozenset[str], **arguments: object) -> Rule:
    return Rule(who, arguments=(lambda _: arguments) if arguments else None)


def changes(
    others: frozenset[str], arguments: Arguments, themselves: frozenset[str] = frozenset()
) -> Rule:
    return Rule(others, themselves, guarded=True, exists=True, arguments=arguments)


def reads(
    others: frozenset[str],
    arguments: Arguments,
    themselves: frozenset[str] = frozenset(),
    *,
    exists: bool = False,
) -> Rule:
    return Rule(others, themselves, exists=exists, arguments=arguments)


def _id(one: Subject) -> Mapping[str, object]:
    return {"associate_id": one.id}


def _name(one: Subject) -> Mapping[str, object]:
    return {"associate_name": one.name}


def _user(one: Subject) -> Mapping[str, object]:
    return {"user": User(associate_id=one.id)}


ANYBODY = Rule(frozenset())
"""Without a ticket."""

TABLE: dict[str, Rule] = {
    # SoPrincipal
    "GetSystemInfo": ANYBODY,
    "AuthenticateImplicit": ANYBODY,
    "AuthenticateUsernamePassword": ANYBODY,
    "AuthenticateGeneric": ANYBODY,
    "AuthenticateWithAccessToken": ANYBODY,
    # passwords
    "ChangeOwnPassword": about_none(SIGNED_IN),
    "ChangePassword": changes(USERS, _id, SIGNED_IN),
    "ChangePasswordFromName": changes(USERS, _name, SIGNED_IN),
    "SetPassword": changes(USERS, _id),
    "SetPasswordFromName": changes(USERS, _name),
    "SetGeneratedPassword": changes(USERS, _id),
    "SetGeneratedPasswordFromName": changes(USERS, _name),
    "IsPasswordValid": reads(USERS, _id, SIGNED_IN, exists=True),
    "IsPasswordValidWithReason": reads(USERS, _id, SIGNED_IN, exists=True),
    "CanChangePassword": reads(SIGNED_IN, _id),
    "GetSupportedChangePasswordTypes": reads(SIGNED_IN, _id),
    "SendChangePasswordEMail": changes(USERS, _id, SIGNED_IN),
    # user names
    "IsUserNameValid": reads(USERS, _id),
    "IsUserNameValidWithReason": reads(USERS, _id),
    "GetValidUserName": reads(USERS, _id),
    "GetValidUserNameForNewUser": about_none(USERS),
    "GetDefaultAssociateUserName": about_none(USERS),
    "IsNickNameUnique": reads(USERS, _id),
    # users
    "GetUser": reads(USERS, lambda one: {"user_id": one.id}, EMPLOYEES),
    "GetUserFromName": reads(USERS, lambda one: {"user_name": one.name}, EMPLOYEES),
    "GetUserFromPersonId": reads(USERS, lambda one: {"person_id": one.person}, EMPLOYEES),
    "GetUserFromEjUserId": reads(USERS, lambda one: {"ej_user_id": one.ej}, EMPLOYEES),
    "GetUserInfo": reads(USERS, lambda one: {"user_info_id": one.id}, SIGNED_IN, exists=True),
    "GetUserInfoList": reads(USERS, lambda one: {"user_info_ids": [one.id]}, SIGNED_IN),
    "CreateDefaultUser": about_none(USERS),
    "CreateDefaultUserFromUserType": about_none(USERS),
    "CreateDefaultUserFromUserTypeAndPersonId": about_none(USERS, person_id=1),
    "CreateDefaultUserFromUserTypeAndCredential": about_none(USERS, contact_id=1),
    "ValidateUser": reads(USERS, _user, exists=True),
    "SaveUser": changes(USERS, _user),
    "SaveUserFromName": changes(USERS, lambda one: {"user_name": one.name}),
    "DeleteUser": changes(USERS, lambda one: {"user_id": one.id}),
    "DeleteUserFromName": changes(USERS, lambda one: {"user_name": one.name}),
    "ChangeUserType": changes(USERS, _user),
    "ResolveUserFromInfo": about_none(USERS, contact_id=1),
    "MakeRetired": changes(USERS, _id),
    "RemoveLicenses": changes(USERS, _id),
    "AddOwnerContact": about_none(USERS, contact_id=1),
    "RemoveOwnerContact": about_none(USERS, contact_id=1),
    "GetUserPresenceStatus": reads(PRESENCE, _id, SIGNED_IN),
    "SetUserPresenceStatus": changes(PRESENCE, _id, SIGNED_IN),
    "GetUserCommands": reads(USERS, _user, exists=True),
    "ExecuteUserCommand": changes(USERS, _user),
    # external users
    "CreateExternalUser": about_none(USERS, person_id=1),
    "DeleteExternalUser": changes(USERS, _id),
    "SetExternalUserInfo": changes(USERS, _id),
    "GenerateNewPasswordForExternalUser": changes(USERS, _name),
    # user groups
    "CreateUserGroup": about_none(GROUPS),
    "GetUserGroup": about_none(EMPLOYEES, user_group_id=1),
    "GetUserGroupList": about_none(EMPLOYEES, user_group_ids=[1]),
    "GetAllUserGroups": about_none(EMPLOYEES),
    "SaveUserGroup": about_none(GROUPS, user_group=UserGroup(id=1)),
    "DeleteUserGroup": about_none(GROUPS, user_group_to_delete=1),
    # roles and rights
    "CreateDefaultRoleEntity": about_none(ROLES),
    "CreateDefaultRoleEntityFromType": about_none(ROLES),
    "GetRole": about_none(EMPLOYEES, role_id=1),
    "GetRoleEntity": about_none(EMPLOYEES, role_entity_id=1),
    "GetAllRoles": about_none(EMPLOYEES),
    "SaveRoleEntity": about_none(ROLES, role_entity=RoleEntity()),
    "DeleteRole": about_none(ROLES, role_id_to_delete=_NO_SUCH),
    "GetAllFunctionalRights": about_none(EMPLOYEES),
    "GetFunctionalRights": about_none(EMPLOYEES, role_id=1),
    "SetFunctionalRights": about_none(ROLES, role_id=_NO_SUCH),
    "FindRolesWithFunctionalRight": about_none(EMPLOYEES),
    "FindRolesWithFunctionalRights": about_none(EMPLOYEES),
    "FindRolesWithoutFunctionalRights": about_none(EMPLOYEES),
    "GetAllDataRights": about_none(EMPLOYEES, role_id=1),
    "GetDataRights": about_none(EMPLOYEES, role_id=1),
    "GetDataRight": about_none(EMPLOYEES, role_id=1),
    "SetDataRight": about_none(ROLES, role_id=_NO_SUCH),
    # credentials
    "GetCredentialTypes": about_none(SIGNED_IN),
    "GetCredentialTypesForUserType": about_none(SIGNED_IN),
    "SaveCredential": changes(USERS, lambda one: {"user_id": one.id}),
    "DeleteCredential": changes(USERS, lambda one: {"user_id": one.id}),
    "FindCredentialsGroups": about_none(USERS),
    "FindCredentialUsers": about_none(USERS),
    "GetCredentialUsersInGroup": about_none(USERS),
    "CreateDefaultUntrustedCredentials": about_none(SIGNED_IN),
    "GetUntrustedCredentials": about_none(SIGNED_IN),
    "GetUntrustedCredentialsForAssociate": reads(USERS, _id, SIGNED_IN, exists=True),
    "SaveUntrustedCredentials": about_none(SIGNED_IN),
    "SaveUntrustedCredentialsForAssociate": changes(USERS, _id, SIGNED_IN),
    "RemoveUntrustedCredentials": about_none(SIGNED_IN),
    "RemoveUntrustedCredentialsForAssociate": changes(USERS, _id, SIGNED_IN),
    # connections
    "GetAccessToken": about_none(SIGNED_IN),
    "SaveExternalTokens": about_none(EMPLOYEES),
    "DecryptAndSaveExternalTokens": about_none(EMPLOYEES),
    "GetExternalTokens": about_none(frozenset({"system"}), key="nobody's"),
    "CreateDefaultServiceAuth": about_none(EMPLOYEES),
    "GetServiceAuth": about_none(USERS, service_auth_id=_NO_SUCH),
    "SaveServiceAuth": about_none(
        frozenset({"system"}), service_auth=ServiceAuth(service_auth_id=_NO_SUCH)
    ),
    "DeleteServiceAuth": about_none(USERS, service_auth_id=_NO_SUCH),
    "GetAccessGatewayInfo": about_none(GENERAL),
    "GetOrRegisterAccessGatewayInfo": about_none(GENERAL),
    "RegisterWithAccessGateway": about_none(GENERAL),
    "CheckAccessGatewayRegistration": about_none(GENERAL),
}


def test_the_table_has_every_operation() -> None:
    declared = [name for agent in AGENTS.values() for name in agent.operations]
    assert len(declared) == 101
    assert list(TABLE.keys() - declared) == []
    assert [name for name in declared if name not in TABLE] == []


# --- how it is asked ------------------------------------------------------------------------------

ALLOWED, REFUSED, NOBODY = "allowed", "refused", "no such user"


@dataclass
class Company:
    """A server with one user of each kind, each signed in."""

    server: RunningServer
    users: dict[str, Associate]
    tickets: dict[str, str]
    administrators_role: int
    general_right: int

    def subject(self, kind: str) -> Subject:
        """The user of a kind; one that does not exist where the kind is "nobody"."""
        user = self.users.get(kind)
        if user is None:
            return Subject(_NO_SUCH, "nobody at all", _NO_SUCH, _NO_SUCH)
        return Subject(user.associate_id, user.name, user.person_id, user.associate_id)

    def outcome(self, caller: str, name: str, given: Mapping[str, object]) -> str:
        """Call an operation, or where that would change something, ask who may only."""
        agent = AGENTS["User"]
        operation = agent.operations[name]
        arguments = {one.attribute: one.type.default for one in operation.request} | dict(given)
        if operation.declared in IMPLEMENTATIONS:
            return self._decision(caller, name, arguments)
        headers: dict[str, object] = {"Credentials": SoCredentials(ticket=self.tickets[caller])}
        message = write_request(operation, agent, SOAP11, headers, arguments, documented=False)
        reply = self.server.post("User", message)
        assert reply.status == 200
        text = reply.text("Message") or ""
        if "You may not do this." in text:
            return REFUSED
        if "There is no such user." in text:
            return NOBODY
        assert f"{name} is not supported by this server yet" in text
        return ALLOWED

    def _decision(self, caller: str, name: str, arguments: dict[str, Any]) -> str:
        identity = self.server.identity

        async def work() -> str:
            tenant = await tenants.default(identity)
            who = await tickets.verify(identity, tenant, self.tickets[caller], "127.0.0.1")
            try:
                await authorise(identity, who, AGENTS["User"].operations[name], arguments)
            except NotAllowed:
                return REFUSED
            except UnknownUser:
                return NOBODY
            return ALLOWED

        return self.server.run(work())


@pytest.fixture(scope="module")
def company(shared_databases: Databases) -> Iterator[Company]:
    with running(shared_databases.new()) as server:
        server.identity.hashing.hasher = CheapHasher()
        database = server.identity.database

        async def prepare(connection: Any) -> int:
            for right in ("admin-role", "admin-lists", "cs-system"):
                await connection.insert(function_right, name=right)
            for right in ("admin-users", "admin-role", "admin-lists", "cs-system"):
                await roles.add(
                    connection, tenant=1, name=right, tooltip="", is_default=False, rights=(right,)
                )
            return await roles.right_id(connection, "admin-all") or 0

        server.run(tenants.add(server.identity, "other"))
        general_right = server.run(database.transaction(prepare))
        types = {
            "external": AssociateType.EXTERNAL_PERSON,
            "system": AssociateType.SYSTEM,
            "anonymous": AssociateType.ANONYMOUS,
        }
        users: dict[str, Associate] = {}
        for kind in (*CALLERS, "another", "administrator", "another external", "another system"):
            role = {"admin-all": "Administrator", "administrator": "Administrator"}.get(kind, kind)
            more: dict[str, Any] = {"role": role} if role.startswith(("A", "admin", "cs")) else {}
            if kind.split()[-1] in types:
                more = {"type": types[kind.split()[-1]]}
            users[kind] = server.add_user(kind, _PASSWORD, **more)
        users["other tenant's"] = server.add_user("elsewhere", _PASSWORD, tenant="other")

        async def have_service_users(connection: Any) -> None:
            await connection.execute(associate.update().values(ej_user_id=associate.c.associate_id))

        server.run(database.transaction(have_service_users))
        signed_in = {kind: server.sign_in(kind, _PASSWORD) or "" for kind in CALLERS}
        assert all(signed_in.values())
        administrators_role = users["administrator"].role_id
        yield Company(server, users, signed_in, administrators_role, general_right)


@pytest.mark.parametrize("caller", CALLERS)
def test_who_may_call_what(company: Company, caller: str) -> None:
    wrong: list[tuple[str, str, str]] = []
    for name, rule in TABLE.items():
        if rule is ANYBODY:
            continue
        for target in _targets(rule):
            subject = company.subject(caller if target == "self" else target)
            arguments = rule.arguments(subject) if rule.arguments else {}
            outcome = company.outcome(caller, name, arguments)
            if outcome != _expected(rule, caller, target):
                wrong.append((name, target, outcome))
    assert wrong == []


_USERS = ("self", "another", "administrator", "another external", "another system")


def _targets(rule: Rule) -> tuple[str, ...]:
    by_user = rule.guarded or rule.exists or rule.themselves
    return (*_USERS, "other tenant's", "nobody") if by_user else ("nobody",)


def _expected(rule: Rule, caller: str, target: str) -> str:
    if target == "self" and caller in rule.themselves:
        return ALLOWED
    if caller not in rule.others:
        return REFUSED
    if rule.exists and target in ("other tenant's", "nobody"):
        return NOBODY
    if rule.guarded and target in ("administrator", "another system") and caller not in GENERAL:
        return REFUSED
    return ALLOWED


# --- what is not saved yet, and what a call gives -------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments", "may"),
    [
        ("IsPasswordValid", {"associate_id": 0}, SIGNED_IN),
        ("IsPasswordValidWithReason", {"associate_id": 0}, SIGNED_IN),
        ("SaveUser", {"user": User()}, USERS),
        ("SaveUser", {"user": None}, USERS),
        ("ValidateUser", {"user": User()}, USERS),
        ("SaveServiceAuth", {"service_auth": ServiceAuth()}, EMPLOYEES),
        ("GetUserInfoList", {"user_info_ids": []}, SIGNED_IN),
        ("GetUserInfoList", {"user_info_ids": None}, SIGNED_IN),
        ("GetUserFromPersonId", {"person_id": 0}, USERS),
        ("GetUserFromEjUserId", {"ej_user_id": 0}, USERS),
    ],
)
def test_what_is_not_saved_yet(
    company: Company, name: str, arguments: Mapping[str, object], may: frozenset[str]
) -> None:
    outcomes = {caller: company.outcome(caller, name, arguments) for caller in CALLERS}
    assert {one for one, outcome in outcomes.items() if outcome == ALLOWED} == may


_SYSTEM = UserType.SYSTEM_ASSOCIATE


@pytest.mark.parametrize("name", ["SaveUser", "SaveUserFromName", "ChangeUserType"])
def test_nobody_below_makes_a_general_administrator_or_system_user(
    company: Company, name: str
) -> None:
    another = company.subject("another")
    named = {"user_name": another.name} if name == "SaveUserFromName" else {}

    def outcome(caller: str, user: User, **more: object) -> str:
        return company.outcome(caller, name, {"user": user, **named, **more})

    harmless = company.users["another"].role_id
    for number in (another.id, 0):
        for caller in ("admin-all", "admin-users"):
            plain = User(associate_id=number, role=Role(id=harmless))
            assert outcome(caller, plain) == ALLOWED
        for risen in (
            User(associate_id=number, role=Role(id=company.administrators_role)),
            User(associate_id=number, type=_SYSTEM),
        ):
            assert outcome("admin-all", risen) == ALLOWED
            assert outcome("admin-users", risen) == REFUSED


@pytest.mark.parametrize(
    ("name", "caller", "arguments"),
    [
        ("ChangeUserType", "admin-users", lambda _: {"user": User(), "user_type": _SYSTEM}),
        ("ResolveUserFromInfo", "admin-users", lambda _: {"contact_id": 1, "user_type": _SYSTEM}),
        ("CreateExternalUser", "admin-users", lambda one: {"role_id": one.administrators_role}),
        (
            "SetExternalUserInfo",
            "admin-users",
            lambda one: {
                "associate_id": one.subject("another external").id,
                "role_id": one.administrators_role,
            },
        ),
        (
            "SaveRoleEntity",
            "admin-role",
            lambda one: {"role_entity": RoleEntity(role_id=one.administrators_role)},
        ),
        ("DeleteRole", "admin-role", lambda one: {"role_id_to_delete": one.administrators_role}),
        (
            "DeleteRole",
            "admin-role",
            lambda one: {
                "role_id_to_delete": one.users["another"].role_id,
                "replacing_role_id": one.administrators_role,
            },
        ),
        ("SetFunctionalRights", "admin-role", lambda one: {"role_id": one.administrators_role}),
        (
            "SetFunctionalRights",
            "admin-role",
            lambda one: {
                "role_id": one.users["another"].role_id,
                "functional_right_ids": [one.general_right],
            },
        ),
        ("SetDataRight", "admin-role", lambda one: {"role_id": one.administrators_role}),
    ],
)
def test_nobody_below_touches_what_makes_general_administrators(
    company: Company,
    name: str,
    caller: str,
    arguments: Callable[[Company], Mapping[str, object]],
) -> None:
    assert company.outcome("admin-all", name, arguments(company)) == ALLOWED
    assert company.outcome(caller, name, arguments(company)) == REFUSED


def test_without_a_ticket_only_signing_in_is_open(company: Company) -> None:
    for agent in AGENTS.values():
        for name, operation in agent.operations.items():
            arguments = {one.attribute: one.type.default for one in operation.request}
            message = write_request(operation, agent, SOAP11, {}, arguments, documented=False)
            reply = company.server.post(agent.name, message)
            refused = "SoSessionException" in (reply.text("ExceptionType") or "")
            assert refused is (TABLE[name] is not ANYBODY), name
