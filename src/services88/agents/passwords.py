"""The password family of the User agent."""

from services88.agents.call import Call, implements
from services88.contract.user import UserAgent
from services88.identity import passwords

__all__ = ["change_own_password"]


@implements(UserAgent.change_own_password)
async def change_own_password(
    call: Call, old_password: str | None, new_password: str | None
) -> bool:
    """True only if the password changed. A missing password is an empty one."""
    await passwords.change_own(
        call.identity, call.caller, old_password or "", new_password or "", call.origin
    )
    return True
