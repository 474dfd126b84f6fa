"""The password family of the User agent. Who may call what is declared with the operations."""

from services88.agents.administration import may_change
from services88.agents.authorisation import has_one_of
from services88.agents.call import Call, Options, implements
from services88.agents.refusals import (
    AdministratorsMayNotChoose,
    NotExternal,
    OldPasswordNeeded,
    UnknownCredentialType,
)
from services88.contract.access import USER_ADMINISTRATORS
from services88.contract.enumerations import ChangePasswordType, UserType
from services88.contract.user import UserAgent
from services88.contract.user.carriers import Credential, OperationResult, UserValidationResult
from services88.identity import password_rules, passwords, reset_links
from services88.identity.accounts import AssociateType
from services88.identity.names import is_mailable
from services88.identity.policy import Failure
from services88.store import associates
from services88.store.associates import Associate
from services88.store.credentials import PASSWORD
from services88.texts import _, marked

__all__ = [
    "can_change_password",
    "change_own_password",
    "change_password",
    "change_password_from_name",
    "delete_credential",
    "generate_new_password_for_external_user",
    "get_supported_change_password_types",
    "is_password_valid",
    "is_password_valid_with_reason",
    "mail_obstacle",
    "save_credential",
    "send_change_password_e_mail",
    "set_generated_password",
    "set_generated_password_from_name",
    "set_password",
    "set_password_from_name",
]


@implements(UserAgent.change_own_password)
async def change_own_password(
    call: Call, old_password: str | None, new_password: str | None
) -> bool:
    """True only if the password changed. A missing password is an empty one."""
    old = old_password or ""
    if not old and await _may_leave_own_blank(call):
        user = await associates.by_id(
            call.identity.database, call.tenant.tenant_id, call.caller.associate_id
        )
        if user is not None:
            await passwords.set_without_old(
                call.identity, call.caller, user, new_password or "", call.origin
            )
            return True
    await passwords.change_own(call.identity, call.caller, old, new_password or "", call.origin)
    return True


async def _may_leave_own_blank(call: Call) -> bool:
    """The documented habit of administrators, off unless the operator allows it."""
    return call.options.blank_old_for_own and await has_one_of(
        call.identity, call.caller, USER_ADMINISTRATORS
    )


@implements(UserAgent.change_password)
async def change_password(
    call: Call,
    associate_id: int,  # noqa: ARG001 - call.target is that user
    old_password: str | None,
    new_password: str | None,
) -> bool:
    """Change one's own password, or as an administrator another's, with or without the old one."""
    if call.concerns_caller:
        return await change_own_password(call, old_password, new_password)
    _check_may_choose(call)
    identity, caller, user, new = call.identity, call.caller, call.target, new_password or ""
    if old_password:
        await passwords.change(identity, caller, user, old_password, new, call.origin)
    else:
        await passwords.set_without_old(identity, caller, user, new, call.origin)
    return True


@implements(UserAgent.change_password_from_name)
async def change_password_from_name(
    call: Call,
    associate_name: str | None,  # noqa: ARG001 - call.target is that user
    old_password: str | None,
    new_password: str | None,
) -> bool:
    """As ChangePassword."""
    return await change_password(call, call.target.associate_id, old_password, new_password)


@implements(UserAgent.set_password)
async def set_password(
    call: Call,
    associate_id: int,  # noqa: ARG001 - call.target is that user
    password: str | None,
) -> bool:
    """Set another's password. For one's own the old one is needed, so this is not the way."""
    if call.concerns_caller:
        if not call.options.blank_old_for_own:
            raise OldPasswordNeeded
    else:
        _check_may_choose(call)
    await passwords.set_without_old(
        call.identity, call.caller, call.target, password or "", call.origin
    )
    return True


@implements(UserAgent.set_password_from_name)
async def set_password_from_name(
    call: Call,
    associate_name: str | None,  # noqa: ARG001 - call.target is that user
    password: str | None,
) -> bool:
    """As SetPassword."""
    return await set_password(call, call.target.associate_id, password)


@implements(UserAgent.set_generated_password)
async def set_generated_password(
    call: Call,
    associate_id: int,  # noqa: ARG001 - call.target is that user
) -> str | None:
    """Set a password that nobody chose, and tell it to the administrator."""
    if call.concerns_caller and not call.options.blank_old_for_own:
        raise OldPasswordNeeded
    return await passwords.set_generated(call.identity, call.caller, call.target, call.origin)


@implements(UserAgent.set_generated_password_from_name)
async def set_generated_password_from_name(
    call: Call,
    associate_name: str | None,  # noqa: ARG001 - call.target is that user
) -> str | None:
    """As SetGeneratedPassword."""
    return await set_generated_password(call, call.target.associate_id)


@implements(UserAgent.generate_new_password_for_external_user)
async def generate_new_password_for_external_user(
    call: Call,
    associate_name: str | None,  # noqa: ARG001 - call.target is that user
) -> str | None:
    """As SetGeneratedPassword, for external users only."""
    if call.target.type != AssociateType.EXTERNAL_PERSON:
        raise NotExternal
    return await set_generated_password(call, call.target.associate_id)


@implements(UserAgent.save_credential)
async def save_credential(
    call: Call,
    user_id: int,
    credential: Credential | None,
) -> bool:
    """Set the one kind of credential that users have here: the password."""
    kind = credential.type.type if credential and credential.type else None
    _check_is_password(kind)
    return await set_password(call, user_id, credential.value if credential else None)


@implements(UserAgent.delete_credential)
async def delete_credential(
    call: Call,
    user_id: int,  # noqa: ARG001 - call.target is that user
    credential_type: str | None,
) -> bool:
    """Take a user's password away, which ends all their tickets; false where there was none."""
    _check_is_password(credential_type)
    if call.concerns_caller:
        raise OldPasswordNeeded
    return await passwords.remove(call.identity, call.caller, call.target, call.origin)


def _check_is_password(credential_type: str | None) -> None:
    if (credential_type or "").casefold() != PASSWORD.casefold():
        raise UnknownCredentialType


@implements(UserAgent.is_password_valid)
async def is_password_valid(
    call: Call,
    associate_id: int,  # noqa: ARG001 - call.user is that user
    type: UserType,  # noqa: ARG001 - the rules are the same for all
    person_id: int,  # noqa: ARG001
    password: str | None,
) -> bool:
    """Judge a candidate by the rules; whether it is somebody's password is never told."""
    return not await _failures(call, password)


@implements(UserAgent.is_password_valid_with_reason)
async def is_password_valid_with_reason(
    call: Call,
    associate_id: int,  # noqa: ARG001 - call.user is that user
    type: UserType,  # noqa: ARG001 - the rules are the same for all
    person_id: int,  # noqa: ARG001
    password: str | None,
) -> UserValidationResult | None:
    """Judge a candidate by the rules, and say what to do about each that it fails."""
    failures = await _failures(call, password)
    reason = " ".join(dict.fromkeys(failure.text for failure in failures))
    return UserValidationResult(result=not failures, reason=reason)


async def _failures(call: Call, password: str | None) -> list[Failure]:
    return await password_rules.explain(call.identity, call.tenant, password or "", call.user)


@implements(UserAgent.can_change_password)
async def can_change_password(call: Call, associate_id: int) -> bool:
    """Say whether the caller could: one's own, or as an administrator a user's of the tenant."""
    without = (AssociateType.ANONYMOUS, AssociateType.RESOURCE)
    if associate_id == call.caller.associate_id:  # who was found with the ticket just now
        return call.caller.type not in without
    user = await associates.by_id(call.identity.database, call.tenant.tenant_id, associate_id)
    if user is None or user.type in without:
        return False
    return call.options.administrators_choose and await _may_administer(call, user)


@implements(UserAgent.get_supported_change_password_types)
async def get_supported_change_password_types(
    call: Call, associate_id: int
) -> list[ChangePasswordType] | None:
    """By a new password, where the caller can change it; by mail, where one can be sent."""
    user = await associates.by_id(call.identity.database, call.tenant.tenant_id, associate_id)
    if user is None:
        return []
    ways: list[ChangePasswordType] = []
    if mail_obstacle(call.options, user) is None and await _may_send_mail(call, user):
        ways.append(ChangePasswordType.EMAIL)
    if await can_change_password(call, associate_id):
        ways.append(ChangePasswordType.PASSWORD)
    return ways


@implements(UserAgent.send_change_password_e_mail)
async def send_change_password_e_mail(
    call: Call,
    associate_id: int,  # noqa: ARG001 - call.target is that user
) -> OperationResult | None:
    """Owe the user a mail with a link; where none can be sent, say what to do about it."""
    obstacle = mail_obstacle(call.options, call.target)
    if obstacle is None:
        owed = await reset_links.ask(call.identity, call.caller, call.target, call.origin)
        obstacle = None if owed else _NO_ADDRESS
    if obstacle is not None:
        return OperationResult(success=False, message=_(obstacle))
    return OperationResult(
        success=True, message=_("A mail with a link to change the password is on its way.")
    )


_NO_SMTP = marked(
    "This server sends no mails. Its operator can change that: SERVICES88_SMTP_HOST names the "
    "server that takes them."
)
_NO_URL = marked(
    "This server does not know the address to which links in mails should lead. Its operator can "
    "give it: SERVICES88_PUBLIC_URL."
)
_NO_ADDRESS = marked("The user has no e-mail address. Give the person one, then ask again.")
_NO_SUCH_ADDRESS = marked(
    "No mail can be sent to the user's e-mail address. Mend it, then ask again."
)
_NO_SIGN_IN = marked("The user may not sign in, so a new password would not help.")


def mail_obstacle(options: Options, user: Associate) -> str | None:
    """Say why no mail with a link can be sent to a user, and what to do; None where one can."""
    if not options.mails:
        return _NO_SMTP
    if not options.mailed_links:
        return _NO_URL
    if not user.may_sign_in or user.type in (AssociateType.ANONYMOUS, AssociateType.RESOURCE):
        return _NO_SIGN_IN
    if not user.email:
        return _NO_ADDRESS
    return None if is_mailable(user.email) else _NO_SUCH_ADDRESS


async def _may_send_mail(call: Call, user: Associate) -> bool:
    return user.associate_id == call.caller.associate_id or await _may_administer(call, user)


async def _may_administer(call: Call, user: Associate) -> bool:
    return await has_one_of(call.identity, call.caller, USER_ADMINISTRATORS) and await may_change(
        call.identity, call.caller, user
    )


def _check_may_choose(call: Call) -> None:
    if not call.options.administrators_choose:
        raise AdministratorsMayNotChoose
