"""Users of the User agent: reading in brief, retiring."""

from services88.agents.call import Call, implements
from services88.agents.refusals import NotYourself
from services88.agents.sign_in import USER_TYPES
from services88.contract.enumerations import CredentialControlType, UserType
from services88.contract.user import UserAgent
from services88.contract.user.carriers import (
    CredentialType,
    Person,
    User,
    UserInfo,
    UserValidationResult,
)
from services88.identity import accounts
from services88.identity.accounts import AssociateType
from services88.identity.errors import BadInput
from services88.store import associates
from services88.store.associates import Associate
from services88.store.credentials import PASSWORD

__all__ = [
    "get_credential_types",
    "get_credential_types_for_user_type",
    "get_default_associate_user_name",
    "get_user_info",
    "get_user_info_list",
    "get_valid_user_name",
    "get_valid_user_name_for_new_user",
    "is_nick_name_unique",
    "is_user_name_valid",
    "is_user_name_valid_with_reason",
    "make_retired",
    "remove_licenses",
]


@implements(UserAgent.get_user_info)
async def get_user_info(
    call: Call,
    user_info_id: int,  # noqa: ARG001 - call.target is that user
) -> UserInfo | None:
    """Tell a user in brief."""
    return _brief(call.target)


@implements(UserAgent.get_user_info_list)
async def get_user_info_list(call: Call, user_info_ids: list[int] | None) -> list[UserInfo] | None:
    """Tell users in brief; numbers that the tenant has no user for are left out."""
    found: list[UserInfo] = []
    for associate_id in dict.fromkeys(user_info_ids or []):
        user = await associates.by_id(call.identity.database, call.tenant.tenant_id, associate_id)
        if user is not None:
            found.append(_brief(user))
    return found


def _brief(user: Associate) -> UserInfo:
    return UserInfo(
        deleted=user.deleted,
        user_info_id=user.associate_id,
        user_name=user.name,
        person_id=user.person_id,
        tooltip=user.tooltip,
        user_group_id=user.group_idx,
        ej_user_id=user.ej_user_id,
        user_type=USER_TYPES[AssociateType(user.type)],
        granted_licenses=[],
        can_logon=user.may_sign_in,
        role_name=user.role_name,
        role_tooltip=user.role_tooltip,
    )


@implements(UserAgent.make_retired)
async def make_retired(
    call: Call,
    associate_id: int,  # noqa: ARG001 - call.target is that user
    retired: bool,
) -> None:
    """Retire a user, which ends all their tickets, or take them back. Nobody retires themselves."""
    if retired and call.concerns_caller:
        raise NotYourself
    await accounts.retire(
        call.identity,
        call.tenant,
        call.target.name,
        retired=retired,
        caller=call.caller,
        origin=call.origin,
    )


@implements(UserAgent.remove_licenses)
async def remove_licenses(
    call: Call,
    associate_id: int,
) -> None:
    """Remove what this server never grants: users have no licences here, so all are removed."""


@implements(UserAgent.is_user_name_valid)
async def is_user_name_valid(
    call: Call, associate_id: int, type: UserType, person_id: int, user_name: str | None
) -> bool:
    """Say whether a name can be given to the user described."""
    result = await is_user_name_valid_with_reason(call, associate_id, type, person_id, user_name)
    return result is not None and result.result


@implements(UserAgent.is_user_name_valid_with_reason)
async def is_user_name_valid_with_reason(
    call: Call,
    associate_id: int,
    type: UserType,  # noqa: ARG001 - names are judged alike for all kinds
    person_id: int,  # noqa: ARG001
    user_name: str | None,
) -> UserValidationResult | None:
    """Say whether a name can be given to the user described, and why not."""
    try:
        await accounts.check_free(call.identity, call.tenant, user_name or "", but=associate_id)
    except BadInput as error:
        return UserValidationResult(result=False, reason=str(error))
    return UserValidationResult(result=True, reason="")


@implements(UserAgent.is_nick_name_unique)
async def is_nick_name_unique(call: Call, associate_id: int, nick_name: str | None) -> bool:
    """Say whether no other user of the tenant, retired ones included, has the nick name.

    They compare as user names do. No nick name at all is free to everybody (our choice).
    """
    return await accounts.is_nick_name_free(
        call.identity, call.tenant, nick_name or "", but=associate_id
    )


@implements(UserAgent.get_valid_user_name)
async def get_valid_user_name(
    call: Call,
    associate_id: int,
    type: UserType,  # noqa: ARG001 - names are judged alike for all kinds
    person_id: int,  # noqa: ARG001
    user_name: str | None,
) -> str | None:
    """Give the proposed name, or where another user has it, one with a number behind."""
    return await accounts.free_name(call.identity, call.tenant, user_name or "", but=associate_id)


@implements(UserAgent.get_valid_user_name_for_new_user)
async def get_valid_user_name_for_new_user(call: Call, user: User | None) -> str | None:
    """Give a free name for a user not saved yet: the one it has, or one from the person."""
    user = user or User()
    proposed = user.user_name or user.name or _default_name(user)
    return await accounts.free_name(call.identity, call.tenant, proposed)


@implements(UserAgent.get_default_associate_user_name)
async def get_default_associate_user_name(call: Call, user: User | None) -> str | None:
    """Give a free name made of the person's: our choice is the first name in capitals."""
    proposed = _default_name(user or User())
    return await accounts.free_name(call.identity, call.tenant, proposed)


def _default_name(user: User) -> str:
    person = user.person or Person()
    mailbox = (person.email or "").partition("@")[0]
    return (person.firstname or person.lastname or mailbox or "USER").upper()


@implements(UserAgent.get_credential_types)
async def get_credential_types(call: Call) -> list[CredentialType] | None:  # noqa: ARG001
    """List the one way to prove who one is here: a password."""
    return [
        CredentialType(
            display_type="SuperOffice password",
            type=PASSWORD,
            description="User name and password",
            value_control=CredentialControlType.PASSWORD,
            is_user_name_supported=True,
        )
    ]


@implements(UserAgent.get_credential_types_for_user_type)
async def get_credential_types_for_user_type(
    call: Call, user_type: UserType
) -> list[CredentialType] | None:
    """List the ways for a kind of user: resources and anonymous users do not sign in."""
    if user_type in (
        UserType.UNKNOWN,
        UserType.RESOURCE_ASSOCIATE,
        UserType.ANONYMOUS_ASSOCIATE,
    ):
        return []
    return await get_credential_types(call)
