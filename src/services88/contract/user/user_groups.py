"""User groups."""

from typing import Protocol

from services88.contract.access import (
    GROUP_ADMINISTRATORS,
    NOTHING,
    GroupCarrier,
    GroupId,
    GroupIds,
    employees,
    holders,
)
from services88.contract.model import operation
from services88.contract.user.carriers import UserGroup


class UserGroups(Protocol):
    """User groups."""

    @operation("Services84", access=holders(GROUP_ADMINISTRATORS, NOTHING, our_choice=True))
    def create_user_group(self) -> UserGroup | None:
        """Returns a new user group with the highest rank.

        :returns: The group. It has the id 0 and is not saved.
        :open: The vendor's documentation does not say whether the group is saved. In services88
            SaveUserGroup does that.
        """

    @operation("Services84", access=employees(GroupId("user_group_id"), our_choice=True))
    def get_user_group(self, user_group_id: int) -> UserGroup | None:
        """Returns a user group.

        :param user_group_id: Id of the group.
        :returns: The group; nil where none has the id.
        """

    @operation("Services84", access=employees(GroupIds("user_group_ids"), our_choice=True))
    def get_user_group_list(self, user_group_ids: list[int] | None) -> list[UserGroup] | None:
        """Returns several user groups.

        :param user_group_ids: Ids of the groups.
        :returns: The groups; ids that no group has are left out.
        """

    @operation("Services84", access=employees(NOTHING, our_choice=True))
    def get_all_user_groups(self, include_deleted: bool) -> list[UserGroup] | None:
        """Returns all user groups.

        :param include_deleted: Whether groups marked as deleted are included.
        :returns: The groups, by rank and name.
        """

    @operation(
        "Services84",
        access=holders(GROUP_ADMINISTRATORS, GroupCarrier("user_group"), our_choice=True),
    )
    def save_user_group(self, user_group: UserGroup | None) -> UserGroup | None:
        """Changes a user group, or creates one where its id is 0.

        :param user_group: The group. Deleted hides it.
        :returns: The group as saved.
        """

    @operation(
        "Services84",
        access=holders(GROUP_ADMINISTRATORS, GroupId("user_group_to_delete"), our_choice=True),
    )
    def delete_user_group(self, user_group_to_delete: int, user_group_to_move_to: int) -> None:
        """Deletes a user group and moves its members to another.

        :param user_group_to_delete: Id of the group.
        :param user_group_to_move_to: Id of the group that gets the members.
        """
