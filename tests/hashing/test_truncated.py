"""bcrypt looks at 72 bytes only; what is typed behind them never becomes the password."""

import pytest

from services88.identity import accounts, tenants
from services88.store.associates import Associate
from tests.running import RunningServer

pytestmark = pytest.mark.one_database("it is about hashes")

_START = "A" * 72
_RIGHT = _START + " and the real end"


def test_a_wrong_end_does_not_lock_the_owner_out(shared_server: RunningServer) -> None:
    from passlib.handlers.bcrypt import bcrypt

    secret = bcrypt.using(rounds=10).hash(_RIGHT.encode()[:72])

    async def add() -> Associate:
        identity = shared_server.identity
        tenant = await tenants.default(identity)
        return await accounts.add_with_secret(
            identity,
            tenant,
            "TRUNCATED",
            secret,
            role_id=2,
            type=accounts.AssociateType.EMPLOYEE,
            firstname="",
            lastname="",
            email="",
        )

    shared_server.run(add())
    assert shared_server.sign_in("TRUNCATED", _START + " and a wrong end") is not None
    assert shared_server.sign_in("TRUNCATED", _RIGHT) is not None
