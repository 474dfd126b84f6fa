"""Who may do what: every kind of caller, for every kind of user, with every operation in use."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from services88.agents.call import IMPLEMENTATIONS
from services88.contract import AGENTS
from services88.identity import password_rules, tenants
from services88.identity.accounts import AssociateType
from services88.identity.errors import BadInput
from services88.store.associates import Associate
from services88.store.schema import function_right, function_right_role_link, role
from tests.databases import Databases
from tests.identity.domain import CheapHasher
from tests.running import Reply, RunningServer, Starter, credentials, envelope

_PASSWORD = "the current password"
_numbers = count(1)

CALLERS = ("admin-all", "admin-users", "ordinary", "system", "anonymous", "other tenant's admin")
TARGETS = ("self", "ordinary", "administrator", "external", "other tenant's", "nobody")

# Operation, its arguments (T: target's number, N: target's name), and who may call it for whom.
_ADMIN, _OWN, _ALL = "administrators", "own or administrators", "everybody"
OPERATIONS = {
    "ChangePassword": (
        "<AssociateId>{T}</AssociateId><OldPassword>{P}</OldPassword><NewPassword>{NEW}</NewPassword>",
        _OWN,
    ),
    "ChangePasswordFromName": (
        "<AssociateName>{N}</AssociateName><OldPassword>{P}</OldPassword>"
        "<NewPassword>{NEW}</NewPassword>",
        _OWN,
    ),
    "SetPassword": ("<AssociateId>{T}</AssociateId><Password>{NEW}</Password>", _ADMIN),
    "SetPasswordFromName": ("<AssociateName>{N}</AssociateName><Password>{NEW}</Password>", _ADMIN),
    "SetGeneratedPassword": ("<AssociateId>{T}</AssociateId>", _ADMIN),
    "SetGeneratedPasswordFromName": ("<AssociateName>{N}</AssociateName>", _ADMIN),
    "SaveCredential": (
        "<UserId>{T}</UserId><Credential><Type><Type>CRM5/PASSWORD</Type></Type>"
        "<Value>{NEW}</Value></Credential>",
        _ADMIN,
    ),
    "DeleteCredential": (
        "<UserId>{T}</UserId><CredentialType>CRM5/PASSWORD</CredentialType>",
        _ADMIN,
    ),
    "GetValidUserName": ("<UserName>JANE</UserName>", "any admin"),
    "GetValidUserNameForNewUser": ("<User><Name>JANE</Name></User>", "any admin"),
    "GetDefaultAssociateUserName": ("<User></User>", "any admin"),
    "IsPasswordValid": ("<AssociateId>{T}</AssociateId><Password>{NEW}</Password>", _OWN),
    "IsPasswordValidWithReason": ("<AssociateId>{T}</AssociateId><Password>{NEW}</Password>", _OWN),
    "IsUserNameValid": ("<AssociateId>{T}</AssociateId><UserName>free</UserName>", "any admin"),
    "IsUserNameValidWithReason": (
        "<AssociateId>{T}</AssociateId><UserName>free</UserName>",
        "any admin",
    ),
    "IsNickNameUnique": ("<AssociateId>{T}</AssociateId><NickName>free</NickName>", "any admin"),
    "GetUserInfo": ("<UserInfoId>{T}</UserInfoId>", _OWN),
    "GetUserInfoList": (
        '<UserInfoIds><int xmlns="http://schemas.microsoft.com/2003/10/Serialization/Arrays">'
        "{T}</int></UserInfoIds>",
        "own or any admin",
    ),
    "MakeRetired": ("<AssociateId>{T}</AssociateId><Retired>false</Retired>", _ADMIN),
    "RemoveLicenses": ("<AssociateId>{T}</AssociateId>", _ADMIN),
    "CanChangePassword": ("<AssociateId>{T}</AssociateId>", _ALL),
    "GetSupportedChangePasswordTypes": ("<AssociateId>{T}</AssociateId>", _ALL),
    "SendChangePasswordEMail": ("<AssociateId>{T}</AssociateId>", _OWN),
    "GetCredentialTypes": ("", _ALL),
    "GetCredentialTypesForUserType": ("<UserType>InternalAssociate</UserType>", _ALL),
}
# Setting one's own password without the old one is no administrator's either, unless allowed.
_NOT_FOR_SELF = {
    "SaveCredential",
    "DeleteCredential",
    "SetPassword",
    "SetPasswordFromName",
    "SetGeneratedPassword",
    "SetGeneratedPasswordFromName",
}


_READS = {"IsPasswordValid", "IsPasswordValidWithReason", "GetUserInfo"}


@dataclass
class Scene:
    """A server with two tenants, and a way to make users in them."""

    server: RunningServer

    def user(self, kind: str) -> tuple[Associate, str]:
        """Add a user, and give it with the site it belongs to."""
        name = f"{kind.partition(' ')[0]}-{next(_numbers)}"
        site = "other" if kind.startswith("other") else "default"
        more: dict[str, Any] = {}
        if kind in ("admin-all", "administrator", "other tenant's admin"):
            more["role"] = "Administrator"
        elif kind == "admin-users":
            more["role"] = "User administrator"
        elif kind in ("system", "anonymous", "external"):
            types = {
                "system": AssociateType.SYSTEM,
                "anonymous": AssociateType.ANONYMOUS,
                "external": AssociateType.EXTERNAL_PERSON,
            }
            more["type"] = types[kind]
        return self.server.add_user(name, _PASSWORD, tenant=site, **more), f"/{site}"

    def call(self, ticket: str, site: str, operation: str, arguments: str) -> Reply:
        message = envelope(f"<{operation}>{arguments}</{operation}>", credentials(ticket))
        return self.server.post("User", message, site=site)


@pytest.fixture(scope="module")
def scene(shared_databases: Databases) -> Iterator[Scene]:
    from tests.running import running

    with running(shared_databases.new()) as server:

        async def prepare() -> None:
            await tenants.add(server.identity, "other")

            async def role_of_users(connection: Any) -> None:
                role_id = await connection.insert(
                    role, tenant_id=1, name="User administrator", tooltip=""
                )
                right = await connection.one(
                    function_right.select().where(function_right.c.name == "admin-users")
                )
                await connection.insert(
                    function_right_role_link, role_id=role_id, function_right_id=right[0]
                )

            await server.identity.database.transaction(role_of_users)

        server.run(prepare())
        server.identity.hashing.hasher = CheapHasher()
        yield Scene(server)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("caller", CALLERS)
def test_who_may_do_what(scene: Scene, caller: str, target: str) -> None:
    for operation, (arguments, rule) in OPERATIONS.items():
        user, site = scene.user(caller)
        ticket = scene.server.sign_in(user.name, _PASSWORD, site)
        assert ticket is not None
        about = user if target == "self" else scene.user(target)[0] if target != "nobody" else None
        filled = (
            arguments.replace("{T}", str(about.associate_id if about else 987_654))
            .replace("{N}", about.name if about else "nobody at all")
            .replace("{P}", _PASSWORD)
            .replace("{NEW}", "a new password")
        )
        reply = scene.call(ticket, site, operation, filled)
        assert reply.status == 200

        admin = caller not in ("ordinary", "anonymous")
        same_tenant = (
            target == "self"
            or (target == "other tenant's" and caller.startswith("other"))
            or (
                target in ("ordinary", "administrator", "external")
                and not caller.startswith("other")
            )
        )
        own = target == "self"
        allowed = {
            _ADMIN: admin and same_tenant and not (own and operation in _NOT_FOR_SELF),
            _OWN: own or (admin and same_tenant),
            "any admin": admin,
            "own or any admin": own or admin,
            _ALL: True,
        }[rule] and caller != "anonymous"

        # Whoever is no general administrator does not become one by another's account.
        if (caller, target) == ("admin-users", "administrator") and rule in (_ADMIN, _OWN):
            allowed = operation in _READS

        said = (caller, target, operation, reply.text("Message"))
        assert (reply.text("Succeeded") == "true") is allowed, said
        if not allowed:
            assert "SoIllegalOperationException" in (reply.text("ExceptionType") or ""), said
        if operation in ("ChangePassword", "SetPassword", "SaveCredential") and about is not None:
            works = _signs_in(scene, about, "a new password")
            assert works is allowed, said
        if operation == "DeleteCredential" and about is not None and not own:
            assert _signs_in(scene, about, _PASSWORD) is not allowed, said
        if operation == "GetUserInfoList" and allowed:
            told = reply.text("UserInfoId")
            assert (told is not None) is same_tenant, said
        if operation == "CanChangePassword" and caller != "anonymous":
            expected = own or (
                admin and same_tenant and (caller, target) != ("admin-users", "administrator")
            )
            assert (reply.text("Response") == "true") is expected, said


def _signs_in(scene: Scene, user: Associate, password: str) -> bool:
    site = "/default" if user.tenant_id == 1 else "/other"
    return scene.server.sign_in(user.name, password, site) is not None


def test_a_right_that_is_taken_away_is_gone_at_the_next_call(start: Starter) -> None:
    """ASVS 8.3.2: on the wire and on the pages, with the ticket that one has."""
    server = start(admin_pages=True)
    boss = server.add_user("BOSS", _PASSWORD, role="Administrator")
    user = server.add_user("PLAIN", _PASSWORD)
    ticket = server.sign_in("BOSS", _PASSWORD) or ""
    cookie = f"services88-admin={ticket}"
    read = f"<UserInfoId>{user.associate_id}</UserInfoId>"

    def may() -> tuple[bool, int]:
        reply = Scene(server).call(ticket, "", "GetUserInfo", read)
        page = server.request("GET", f"/admin/user/{user.associate_id}", None, Cookie=cookie)
        return reply.text("Succeeded") == "true", page.status

    async def take(connection: Any) -> None:
        links = function_right_role_link
        await connection.execute(links.delete().where(links.c.role_id == boss.role_id))

    assert may() == (True, 200)
    server.run(server.identity.database.transaction(take))
    assert may() == (False, 403)


def test_an_administrator_changes_anothers_password_with_or_without_the_old_one(
    scene: Scene,
) -> None:
    admin, site = scene.user("admin-all")
    ticket = scene.server.sign_in(admin.name, _PASSWORD) or ""
    user, _ = scene.user("ordinary")
    theirs = scene.server.sign_in(user.name, _PASSWORD) or ""

    def change(old: str, new: str) -> Reply:
        arguments = (
            f"<AssociateId>{user.associate_id}</AssociateId><OldPassword>{old}</OldPassword>"
            f"<NewPassword>{new}</NewPassword>"
        )
        return scene.call(ticket, site, "ChangePassword", arguments)

    wrong = change("not it", "a new password")
    assert wrong.text("Response") == "false"
    assert wrong.extra["Reason"] == "old-password-wrong"
    assert change("", "a new password").text("Response") == "true"
    assert scene.server.sign_in(user.name, "a new password") is not None
    ended = scene.server.change_own(theirs, "a new password", "another one")
    assert ended.text("Succeeded") == "false", "a change by an administrator ends all tickets"
    assert change("", "").extra["Rules"] == "empty"


def test_a_generated_password_signs_in(scene: Scene) -> None:
    admin, site = scene.user("admin-all")
    ticket = scene.server.sign_in(admin.name, _PASSWORD) or ""
    user, _ = scene.user("ordinary")
    reply = scene.call(
        ticket,
        site,
        "SetGeneratedPassword",
        f"<AssociateId>{user.associate_id}</AssociateId>",
    )
    generated = reply.text("Response") or ""
    assert len(generated) >= 15
    assert scene.server.sign_in(user.name, generated) is not None
    assert scene.server.sign_in(user.name, _PASSWORD) is None


@pytest.mark.parametrize(("allowed", "answer"), [(False, "false"), (True, "true")])
def test_the_blank_old_password_of_administrators_is_off_for_their_own(
    start: Starter, allowed: bool, answer: str
) -> None:
    server = start(allow_admin_blank_old_password=allowed)
    server.add_user("BOSS", _PASSWORD, role="Administrator")
    server.add_user("PLAIN", _PASSWORD)
    boss, plain = server.sign_in("BOSS", _PASSWORD), server.sign_in("PLAIN", _PASSWORD)
    assert server.change_own(boss or "", "", "a new password").text("Response") == answer
    assert server.change_own(plain or "", "", "a new password").text("Response") == "false"


def test_administrators_may_be_kept_from_choosing_passwords(start: Starter) -> None:
    server = start(administrators_may_choose_passwords=False)
    server.add_user("BOSS", _PASSWORD, role="Administrator")
    user = server.add_user("PLAIN", _PASSWORD)
    scene = Scene(server)
    ticket = server.sign_in("BOSS", _PASSWORD) or ""
    number = f"<AssociateId>{user.associate_id}</AssociateId>"

    refused = scene.call(ticket, "", "SetPassword", f"{number}<Password>a new one</Password>")
    assert refused.text("Succeeded") == "false"
    assert server.sign_in("PLAIN", _PASSWORD) is not None
    assert scene.call(ticket, "", "CanChangePassword", number).text("Response") == "false"
    generated = scene.call(ticket, "", "SetGeneratedPassword", number).text("Response")
    assert server.sign_in("PLAIN", generated or "") is not None


def test_judging_a_candidate_never_tells_whether_it_is_the_password(start: Starter) -> None:
    server = start(password_policy="nist")
    current = "unusual battery of staples"
    user = server.add_user("JUDGED", current)
    scene = Scene(server)
    ticket = server.sign_in("JUDGED", current) or ""
    number = f"<AssociateId>{user.associate_id}</AssociateId>"

    def judge(candidate: str) -> Reply:
        arguments = f"{number}<Password>{candidate}</Password>"
        return scene.call(ticket, "", "IsPasswordValidWithReason", arguments)

    assert judge(current).text("Result") == "true"
    short = judge("short")
    assert short.text("Result") == "false"
    assert "15" in (short.text("Reason") or "")
    refused = server.change_own(ticket, current, current)
    assert refused.extra["Rules"] == "same-as-current"


def test_names_are_proposed_that_are_free(scene: Scene) -> None:
    admin, site = scene.user("admin-all")
    ticket = scene.server.sign_in(admin.name, _PASSWORD) or ""
    scene.server.add_user("TAKEN", _PASSWORD)
    person = "<User><Person><Firstname>Taken</Firstname></Person></User>"

    for operation, arguments, expected in (
        ("GetValidUserName", "<UserName>taken</UserName>", "taken2"),
        ("GetValidUserName", "<UserName>quite free</UserName>", "quite free"),
        ("GetValidUserName", "<UserName> </UserName>", "USER"),
        ("GetDefaultAssociateUserName", person, "TAKEN2"),
        ("GetValidUserNameForNewUser", "<User><Name>Taken</Name></User>", "Taken2"),
    ):
        assert scene.call(ticket, site, operation, arguments).text("Response") == expected


def test_nick_names_are_unique_within_a_tenant(scene: Scene) -> None:
    admin, site = scene.user("admin-all")
    ticket = scene.server.sign_in(admin.name, _PASSWORD) or ""
    user = scene.server.add_user("NICKED", _PASSWORD, nick_name=" Zo\u00eb ")
    assert user.nick_name == "Zo\u00eb"
    scene.server.add_user("ABROAD", _PASSWORD, tenant="other", nick_name="zappa")

    def unique(nick_name: str, associate_id: int = 0) -> bool:
        arguments = f"<AssociateId>{associate_id}</AssociateId><NickName>{nick_name}</NickName>"
        reply = scene.call(ticket, site, "IsNickNameUnique", arguments)
        assert reply.text("Succeeded") == "true"
        return reply.text("Response") == "true"

    for same in ("Zo\u00eb", "ZO\u00cb", " zoe\u0308 "):
        assert not unique(same)
        assert not unique(same, admin.associate_id)
        assert unique(same, user.associate_id), "one's own"
    assert unique("zoe"), "another letter"
    assert not unique("NICKED"), "it is a user name"
    assert unique("NICKED", user.associate_id), "one's own"
    assert unique("zappa"), "of another tenant"
    assert unique(""), "to have none is free to all"
    with pytest.raises(BadInput, match="nick name"):
        scene.server.add_user("ZOE2", _PASSWORD, nick_name="zo\u00eb")
    with pytest.raises(BadInput, match="has a user"):
        scene.server.add_user("nicked", _PASSWORD, nick_name="another")
    scene.server.add_user("ZOE2", _PASSWORD, tenant="other", nick_name="zo\u00eb")


def test_a_name_that_is_another_s_address_is_not_valid(scene: Scene) -> None:
    admin, site = scene.user("admin-all")
    ticket = scene.server.sign_in(admin.name, _PASSWORD) or ""
    owner = scene.server.add_user("ADDRESSED", _PASSWORD, email="Addressed@example.com")
    name = "<UserName>addressed@example.com</UserName>"

    def call(operation: str, associate_id: int = 0) -> Reply:
        arguments = f"<AssociateId>{associate_id}</AssociateId>{name}"
        return scene.call(ticket, site, operation, arguments)

    assert call("IsUserNameValid").text("Response") == "false"
    assert call("IsUserNameValid", owner.associate_id).text("Response") == "true", "one's own"
    reason = call("IsUserNameValidWithReason").text("Reason") or ""
    assert "e-mail address" in reason
    assert call("GetValidUserName").text("Response") == "addressed@example.com2"
    nick = "<NickName>ADDRESSED@example.com</NickName>"
    assert scene.call(ticket, site, "IsNickNameUnique", nick).text("Response") == "false"


def test_a_new_password_for_external_users_only(scene: Scene) -> None:
    admin, site = scene.user("admin-all")
    ticket = scene.server.sign_in(admin.name, _PASSWORD) or ""
    external, _ = scene.user("external")
    ordinary, _ = scene.user("ordinary")

    def generate(name: str) -> Reply:
        arguments = f"<AssociateName>{name}</AssociateName>"
        return scene.call(ticket, site, "GenerateNewPasswordForExternalUser", arguments)

    generated = generate(external.name).text("Response") or ""
    assert scene.server.sign_in(external.name, generated) is not None
    assert generate(ordinary.name).text("Succeeded") == "false"
    assert scene.server.sign_in(ordinary.name, _PASSWORD) is not None


def test_a_removed_password_is_remembered(start: Starter) -> None:
    server = start(password_policy="vendor")

    async def remember_three() -> None:
        tenant = await tenants.default(server.identity)
        await password_rules.choose(server.identity, tenant, history=3)

    server.run(remember_three())
    here = Scene(server)
    server.add_user("BOSS", _PASSWORD, role="Administrator")
    user = server.add_user("PLAIN", _PASSWORD)
    ticket = server.sign_in("BOSS", _PASSWORD) or ""
    number = f"<AssociateId>{user.associate_id}</AssociateId>"
    removed = "<CredentialType>CRM5/PASSWORD</CredentialType>"
    here.call(ticket, "", "DeleteCredential", f"<UserId>{user.associate_id}</UserId>{removed}")
    assert server.sign_in("PLAIN", _PASSWORD) is None

    again = here.call(ticket, "", "SetPassword", f"{number}<Password>{_PASSWORD}</Password>")
    assert again.text("Response") == "false"
    assert again.extra["Rules"] == "recently-used"


def test_nobody_retires_themselves(scene: Scene) -> None:
    admin, site = scene.user("admin-all")
    ticket = scene.server.sign_in(admin.name, _PASSWORD) or ""
    arguments = f"<AssociateId>{admin.associate_id}</AssociateId><Retired>true</Retired>"
    assert scene.call(ticket, site, "MakeRetired", arguments).text("Succeeded") == "false"
    assert scene.server.sign_in(admin.name, _PASSWORD) is not None


def test_the_matrix_names_every_operation_of_the_user_agent() -> None:
    own_tests = {
        "ChangeOwnPassword",  # names nobody but the caller: tests/wire and tests/identity
        "GenerateNewPasswordForExternalUser",  # above, in a test of its own
    }
    able = {
        operation.name
        for operation in AGENTS["User"].operations.values()
        if operation.declared in IMPLEMENTATIONS
    }
    assert able - set(OPERATIONS) == own_tests
