"""What each operation of the contract does, in words of the domain.

Importing this package registers every implementation. An operation that has none is refused.
"""

from services88.agents import passwords, sign_in, system, users
from services88.agents.call import Call, Options
from services88.agents.dispatch import perform

__all__ = ["Call", "Options", "passwords", "perform", "sign_in", "system", "users"]
