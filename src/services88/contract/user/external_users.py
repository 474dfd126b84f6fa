"""External users: customers who sign in."""

from typing import Protocol

from services88.contract.access import administrators
from services88.contract.enumerations import ExternalUserInfoModification
from services88.contract.model import Secret, operation


class ExternalUsers(Protocol):
    """External users: customers who sign in."""

    @operation("Services84")
    def create_external_user(
        self, person_id: int, user_name: str | None, password: Secret, role_id: int, is_active: bool
    ) -> int:
        """Creates an external user for a person.

        Administration of external users has its own functional right.

        :param person_id: Person to make an external user of.
        :param user_name: Login name.
        :param password: Login password.
        :param role_id: A role of type external users.
        :param is_active: true lets the user log in.
        :returns: The new associate id.
        """

    @operation("Services84")
    def delete_external_user(self, associate_id: int) -> None:
        """Deletes an external user.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        """

    @operation("Services84")
    def set_external_user_info(
        self,
        associate_id: int,
        user_name: str | None,
        password: Secret,
        is_active: bool,
        role_id: int,
        external_user_info_modification: frozenset[ExternalUserInfoModification],
    ) -> None:
        """Changes selected properties of an external user.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :param user_name: New login name.
        :param password: New password.
        :param is_active: Whether the user may log in.
        :param role_id: A role of type external users.
        :param external_user_info_modification: Flags that choose what is changed: UserName 1,
            Password 2, Role 4, Active 8.
        """

    @operation("Services84", access=administrators("associate_name"))
    def generate_new_password_for_external_user(self, associate_name: str | None) -> Secret:
        """Generates and assigns a new password for an external user found by name.

        :param associate_name: Name of the external associate whose password changes.
        :returns: The generated password.
        """
