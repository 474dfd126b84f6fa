"""Users: reading, making, saving, retiring."""

from typing import Protocol

from services88.contract.access import administrators, own_or_administrators
from services88.contract.enumerations import CommandActionResult, UserType
from services88.contract.model import Secret, operation
from services88.contract.user.carriers import (
    CommandResult,
    Credential,
    CustomCommand,
    ResolvedUser,
    StringDictionary,
    User,
    UserInfo,
    UserPresenceStatus,
)


class Users(Protocol):
    """Users: reading, making, saving, retiring."""

    @operation("Services84")
    def get_user(self, user_id: int) -> User | None:
        """Fetches one user by associate id.

        Behaviour for an unknown id is not documented for this agent.

        :param user_id: Primary key of the user (same number as AssociateId).
        :returns: The User carrier.
        """

    @operation("Services84")
    def get_user_from_name(self, user_name: str | None) -> User | None:
        """Fetches one user by user name.

        :param user_name: The user (login) name in question.
        :returns: The User carrier.
        """

    @operation("Services84")
    def get_user_from_person_id(self, person_id: int) -> list[User] | None:
        """Fetches the users that belong to a person.

        :param person_id: Primary key of the person record behind the user (0 when there is none).
        :returns: List of User.
        """

    @operation("Services84")
    def get_user_from_ej_user_id(self, ej_user_id: int) -> list[User] | None:
        """Fetches the users that belong to a Service (ejournal) user id.

        Kept for legacy Service support.

        :param ej_user_id: Primary key in the ejuser table.
        :returns: List of User.
        """

    @operation("Services84", access=own_or_administrators("user_info_id", reads=True))
    def get_user_info(self, user_info_id: int) -> UserInfo | None:
        """Fetches the light-weight information of one user.

        :param user_info_id: Id of the UserInfo (the associate id).
        :returns: UserInfo carrier.
        """

    @operation("Services84", access=own_or_administrators("user_info_ids", reads=True))
    def get_user_info_list(self, user_info_ids: list[int] | None) -> list[UserInfo] | None:
        """Fetches the light-weight information of several users.

        :param user_info_ids: Ids of the UserInfo objects.
        :returns: List of UserInfo.
        """

    @operation("Services84")
    def create_default_user(self) -> User | None:
        """Builds a new unsaved User with default values.

        The defaults are needed before SaveUser on a new user.

        :returns: New User carrier.
        """

    @operation("Services84")
    def create_default_user_from_user_type(self, user_type: UserType) -> User | None:
        """Builds a new unsaved User of a type that needs no person.

        Internal and external users are built with CreateDefaultUserFromUserTypeAndPersonId.

        :param user_type: Only SystemAssociate or AnonymousAssociate.
        :returns: New User carrier.
        """

    @operation("Services84")
    def create_default_user_from_user_type_and_person_id(
        self, user_type: UserType, person_id: int
    ) -> User | None:
        """Builds a new unsaved User of a type for a given person.

        :param user_type: Kind of user (UserType enum).
        :param person_id: Person that becomes a user; may be 0 for system and anonymous users.
        :returns: New User carrier.
        """

    @operation("Services84")
    def create_default_user_from_user_type_and_credential(
        self,
        user_type: UserType,
        contact_id: int,
        credential_type: str | None,
        credential_value: Secret,
        credential_display_value: str | None,
    ) -> User | None:
        """Builds a new unsaved User (with a person) from a company and a credential.

        :param user_type: Kind of user (UserType enum).
        :param contact_id: Company of the new person.
        :param credential_type: Credential type name, equal to the plugin name and to
            credentials.credentialType.
        :param credential_value: Actual credential value, typically a password or a directory SID.
        :param credential_display_value: Value shown to people, typically the directory login name.
        :returns: New User carrier.
        """

    @operation("Services88")
    def validate_user(self, user: User | None) -> StringDictionary:
        """Checks that a User carrier is ready to be saved.

        :param user: The carrier to check.
        :returns: Dictionary of field name to error message (empty when there is none).
        """

    @operation("Services84")
    def save_user(self, user: User | None) -> User | None:
        """Updates a User, or creates one when its id is 0.

        Creating users needs administrative rights (core library).

        :param user: The carrier to save.
        :returns: The saved User.
        """

    @operation("Services84")
    def save_user_from_name(self, user_name: str | None, user: User | None) -> User | None:
        """Saves a User looked up by user name.

        :param user_name: User name used for the look-up.
        :param user: The carrier to save.
        :returns: The saved User.
        """

    @operation("Services84")
    def delete_user(self, user_id: int) -> None:
        """Deletes the user with the given id.

        :param user_id: Primary key of the user (same number as AssociateId).
        """

    @operation("Services84")
    def delete_user_from_name(self, user_name: str | None) -> None:
        """Deletes the user with the given user name.

        :param user_name: The user (login) name in question.
        """

    @operation("Services84")
    def change_user_type(self, user: User | None, user_type: UserType) -> User | None:
        """Changes the type of a user.

        The docs repeat a wrong summary here (look-up by name); meaning inferred from the
        signature.

        :param user: The user to change.
        :param user_type: The new type.
        :returns: The User carrier with the new type.
        """

    @operation("Services84")
    def resolve_user_from_info(
        self,
        contact_id: int,
        person_name: str | None,
        phone_numbers: list[str | None] | None,
        emails: list[str | None] | None,
        user_type: UserType,
        credential: Credential | None,
    ) -> ResolvedUser | None:
        """Finds a user from person data and a credential, creating person and user when missing.

        :param contact_id: Company of the person; must not be 0.
        :param person_name: Full name; optional.
        :param phone_numbers: Phone numbers of the person; optional.
        :param emails: Mail addresses of the person; optional.
        :param user_type: Type of user to find or create.
        :param credential: Credential for the user; required.
        :returns: ResolvedUser: the outcome of the look-up.
        """

    @operation("Services84", access=administrators("associate_id"))
    def make_retired(self, associate_id: int, retired: bool) -> None:
        """Retires or un-retires a user.

        Retire: removes all licences, sets person.retired=1 and associate.deleted=1. Un-retire:
        sets both back to 0.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :param retired: true = retire, false = un-retire.
        """

    @operation("Services84", access=administrators("associate_id"))
    def remove_licenses(self, associate_id: int) -> None:
        """Removes all licences of a user.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        """

    @operation("Services84")
    def add_owner_contact(self, contact_id: int) -> None:
        """Adds a company to the owner companies.

        Owner companies are rows of the ownercontactlink table.

        :param contact_id: Company to add.
        """

    @operation("Services84")
    def remove_owner_contact(self, contact_id: int) -> None:
        """Removes a company from the owner companies.

        Owner companies are rows of the ownercontactlink table.

        :param contact_id: Company to remove.
        """

    @operation("Services88")
    def get_user_presence_status(self, associate_id: int) -> UserPresenceStatus | None:
        """Reads the Service presence status of a user.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :returns: UserPresenceStatus: Status (EjUserStatus) and Message.
        """

    @operation("Services88")
    def set_user_presence_status(
        self, associate_id: int, user_presence_status: UserPresenceStatus | None
    ) -> UserPresenceStatus | None:
        """Sets the Service presence status of a user.

        Influences assignment of requests.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :param user_presence_status: New status and comment.
        :returns: The stored UserPresenceStatus.
        """

    @operation("Services85")
    def get_user_commands(self, user: User | None) -> list[CustomCommand] | None:
        """Lists the custom commands registered for a user carrier.

        :param user: The User carrier.
        :returns: List of CustomCommand.
        """

    @operation("Services85")
    def execute_user_command(
        self,
        command_name: str | None,
        command_action_result: CommandActionResult,
        user: User | None,
    ) -> CommandResult | None:
        """Runs a custom command on a user carrier.

        :param command_name: Name of the command.
        :param command_action_result: Answer given to the command's UI question.
        :param user: The User carrier to run it on.
        :returns: CommandResult.
        """
