"""External users: customers who sign in."""

from typing import Protocol

from services88.contract.access import PersonId, RoleId, UserId, UserName, administrators
from services88.contract.enumerations import ExternalUserInfoModification
from services88.contract.model import Secret, operation


class ExternalUsers(Protocol):
    """External users: customers who sign in."""

    @operation(
        "Services84",
        access=administrators(PersonId("person_id"), gives=RoleId("role_id"), our_choice=True),
    )
    def create_external_user(
        self, person_id: int, user_name: str | None, password: Secret, role_id: int, is_active: bool
    ) -> int:
        """Creates an external user for a person.

        :param person_id: Id of the person, who is no user yet.
        :param user_name: User name. It has to be free.
        :param password: Password. It has to pass the password policy.
        :param role_id: Id of a role for external users.
        :param is_active: Whether the user may sign in.
        :returns: Associate id of the new user.
        """

    @operation("Services84", access=administrators(UserId("associate_id"), our_choice=True))
    def delete_external_user(self, associate_id: int) -> None:
        """Deletes an external user. The person stays.

        :param associate_id: Associate id of the user.
        """

    @operation(
        "Services84",
        access=administrators(UserId("associate_id"), gives=RoleId("role_id"), our_choice=True),
    )
    def set_external_user_info(
        self,
        associate_id: int,
        user_name: str | None,
        password: Secret,
        is_active: bool,
        role_id: int,
        external_user_info_modification: frozenset[ExternalUserInfoModification],
    ) -> None:
        """Changes chosen properties of an external user.

        :param associate_id: Associate id of the user.
        :param user_name: New user name.
        :param password: New password.
        :param is_active: Whether the user may sign in.
        :param role_id: Id of a role for external users.
        :param external_user_info_modification: What is changed; the other parameters are not looked
            at.
        """

    @operation("Services84", access=administrators(UserName("associate_name"), our_choice=True))
    def generate_new_password_for_external_user(self, associate_name: str | None) -> Secret:
        """Generates a password and sets it for an external user, found by user name.

        All tickets of the user end. Users who are not external are refused.

        :param associate_name: User name, in any letter case.
        :returns: The generated password. It is shown this once.
        """
