"""User groups."""

from typing import Protocol

from services88.contract.model import operation
from services88.contract.user.carriers import UserGroup


class UserGroups(Protocol):
    """User groups."""

    @operation("Services84")
    def create_user_group(self) -> UserGroup | None:
        """Builds a new user group with the highest rank.

        :returns: UserGroup carrier.
        """

    @operation("Services84")
    def get_user_group(self, user_group_id: int) -> UserGroup | None:
        """Fetches one user group.

        :param user_group_id: Primary key of the user group.
        :returns: UserGroup carrier.
        """

    @operation("Services84")
    def get_user_group_list(self, user_group_ids: list[int] | None) -> list[UserGroup] | None:
        """Fetches several user groups.

        :param user_group_ids: Ids of the groups.
        :returns: List of UserGroup.
        """

    @operation("Services84")
    def get_all_user_groups(self, include_deleted: bool) -> list[UserGroup] | None:
        """Lists all user groups.

        :param include_deleted: Whether groups marked as deleted are included.
        :returns: List of UserGroup.
        """

    @operation("Services84")
    def save_user_group(self, user_group: UserGroup | None) -> UserGroup | None:
        """Saves a user group.

        :param user_group: Carrier to save; Deleted=true hides the group.
        :returns: UserGroup as stored.
        """

    @operation("Services84")
    def delete_user_group(self, user_group_to_delete: int, user_group_to_move_to: int) -> None:
        """Deletes a user group and moves its members.

        :param user_group_to_delete: Id of the group to delete.
        :param user_group_to_move_to: Id of the group that gets the members.
        """
