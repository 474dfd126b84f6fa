"""An operation is declared in full, or the contract does not import."""

from collections.abc import Callable
from typing import Any, Protocol

import pytest

from services88.contract import AGENTS, namespaces
from services88.contract.access import (
    Access,
    RoleId,
    UserCarrier,
    UserId,
    administrators,
    anybody,
    holders,
)
from services88.contract.headers import CREDENTIALS
from services88.contract.model import Agent, Header, agent, operation
from services88.contract.user.carriers import UserGroup


def _agent(declaration: type, *headers: Header) -> Agent:
    return agent(
        declaration,
        name="Trial",
        service="TrialService",
        request_headers=headers or (CREDENTIALS,),
        response_headers=(),
        known_headers=(),
        prefixes={namespaces.SERVICES88: "Trial"},
    )


def test_an_operation_without_access_is_not_declared() -> None:
    loose: Callable[..., Any] = operation
    with pytest.raises(TypeError, match="'access'"):
        loose("Services84")

    class Trial(Protocol):
        def delete_user(self, user_id: int) -> None: ...

    with pytest.raises(TypeError, match=r"Trial\.delete_user is no operation yet.*access"):
        _agent(Trial)

    with pytest.raises(TypeError, match=r"delete_user: access must say who may call it"):
        loose("Services84", access=None)(Trial.delete_user)


@pytest.mark.parametrize(
    ("access", "said"),
    [
        (administrators(UserId("associate_id")), r"int, and is no parameter"),
        (administrators(UserId("group")), r"int, and is UserGroup"),
        (administrators(UserCarrier("group")), r"User, and is UserGroup"),
        (administrators(UserId()), r"int, and is no parameter"),
        (holders(("admin-role",), UserId("user_id"), gives=RoleId("group")), r"int, and is User"),
        (anybody(), r"takes a ticket, so access cannot be anybody"),
    ],
)
def test_access_has_to_fit_the_parameters_and_the_agent(access: Access, said: str) -> None:
    class Trial(Protocol):
        @operation("Services84", access=access)
        def move_user(self, user_id: int, group: UserGroup | None) -> None: ...

    with pytest.raises(TypeError, match=f"MoveUser: .*{said}"):
        _agent(Trial)


def test_an_agent_without_tickets_has_operations_for_anybody_only() -> None:
    class Trial(Protocol):
        @operation("Services84", access=administrators(UserId("user_id")))
        def move_user(self, user_id: int) -> None: ...

    with pytest.raises(TypeError, match="takes no ticket, so access is anybody"):
        _agent(Trial, *AGENTS["SoPrincipal"].request_headers)


@pytest.mark.parametrize("name", AGENTS)
def test_a_declaration_says_everything(name: str) -> None:
    """Each parameter and each result has a meaning, and none is told of what is not there."""
    for one in AGENTS[name].operations.values():
        assert one.summary.endswith("."), one.name
        assert set(one.parameters) == {field.attribute for field in one.request}, one.name
        assert all(one.parameters.values()), one.name
        assert bool(one.returns) is bool(one.response), one.name
        assert all("vendor's documentation" in said for said in one.left_open), one.name
        assert all("services88" in said for said in one.left_open), one.name
