"""Users: reading, making, saving, retiring."""

from typing import Protocol

from services88.contract.access import (
    NOTHING,
    PRESENCE_ADMINISTRATORS,
    CompanyId,
    EjUserId,
    GivenUser,
    GivenUserType,
    PersonId,
    UserCarrier,
    UserId,
    UserIds,
    UserName,
    Who,
    administrators,
    own,
    own_or_administrators,
)
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

    @operation(
        "Services84",
        access=own_or_administrators(
            UserId("user_id"),
            who=Who.EMPLOYEES,
            reads=True,
            may_be_missing=True,
            our_choice=True,
        ),
    )
    def get_user(self, user_id: int) -> User | None:
        """Returns a user, found by associate id.

        :param user_id: Associate id of the user.
        :returns: The user; nil where no user has the id.
        :open: The vendor's documentation does not say what an id gives that no user has. services88
            responds nil to administrators, and refuses everybody else as for any other user.
        """

    @operation(
        "Services84",
        access=own_or_administrators(
            UserName("user_name"),
            who=Who.EMPLOYEES,
            reads=True,
            may_be_missing=True,
            our_choice=True,
        ),
    )
    def get_user_from_name(self, user_name: str | None) -> User | None:
        """Returns a user, found by user name.

        :param user_name: User name, in any letter case.
        :returns: The user; nil where no user has the name.
        """

    @operation(
        "Services84",
        access=own_or_administrators(
            PersonId("person_id"),
            who=Who.EMPLOYEES,
            reads=True,
            may_be_missing=True,
            our_choice=True,
        ),
    )
    def get_user_from_person_id(self, person_id: int) -> list[User] | None:
        """Returns the users that belong to a person.

        :param person_id: Id of the person.
        :returns: The users; an empty list where there are none.
        """

    @operation(
        "Services84",
        access=own_or_administrators(
            EjUserId("ej_user_id"),
            who=Who.EMPLOYEES,
            reads=True,
            may_be_missing=True,
            our_choice=True,
        ),
    )
    def get_user_from_ej_user_id(self, ej_user_id: int) -> list[User] | None:
        """Returns the users that belong to a Service user.

        :param ej_user_id: Id of the Service user.
        :returns: The users; an empty list where there are none.
        """

    @operation(
        "Services84",
        access=own_or_administrators(UserId("user_info_id"), reads=True, our_choice=True),
    )
    def get_user_info(self, user_info_id: int) -> UserInfo | None:
        """Returns a user in brief.

        :param user_info_id: Associate id of the user.
        :returns: The user.
        """

    @operation(
        "Services84",
        access=own_or_administrators(UserIds("user_info_ids"), reads=True, our_choice=True),
    )
    def get_user_info_list(self, user_info_ids: list[int] | None) -> list[UserInfo] | None:
        """Returns several users in brief.

        :param user_info_ids: Associate ids of the users.
        :returns: The users, each once, in the order of the ids.
        :open: The vendor's documentation does not say what an id gives that no user has. services88
            leaves it out.
        """

    @operation("Services84", access=administrators(NOTHING))
    def create_default_user(self) -> User | None:
        """Returns a new user with default values, to be completed and passed to SaveUser.

        :returns: The user. It has the associate id 0 and is not saved.
        """

    @operation("Services84", access=administrators(NOTHING))
    def create_default_user_from_user_type(self, user_type: UserType) -> User | None:
        """Returns a new user of a type that needs no person, with default values.

        CreateDefaultUserFromUserTypeAndPersonId is for internal and external users.

        :param user_type: SystemAssociate or AnonymousAssociate.
        :returns: The user. It has the associate id 0 and is not saved.
        """

    @operation("Services84", access=administrators(PersonId("person_id"), reads=True))
    def create_default_user_from_user_type_and_person_id(
        self, user_type: UserType, person_id: int
    ) -> User | None:
        """Returns a new user for a person, with default values.

        :param user_type: Kind of user.
        :param person_id: Id of the person; may be 0 for system and anonymous users.
        :returns: The user. It has the associate id 0 and is not saved.
        """

    @operation("Services84", access=administrators(CompanyId("contact_id")))
    def create_default_user_from_user_type_and_credential(
        self,
        user_type: UserType,
        contact_id: int,
        credential_type: str | None,
        credential_value: Secret,
        credential_display_value: str | None,
    ) -> User | None:
        """Returns a new user with a new person, made from a company and a credential.

        :param user_type: Kind of user.
        :param contact_id: Id of the company of the new person.
        :param credential_type: Name of the credential type, as GetCredentialTypes lists it.
        :param credential_value: The credential: a password, or the key of a directory user.
        :param credential_display_value: What people see of it, such as the name in the directory.
        :returns: The user. It has the associate id 0 and is not saved.
        """

    @operation(
        "Services88", access=administrators(UserCarrier("user"), reads=True, our_choice=True)
    )
    def validate_user(self, user: User | None) -> StringDictionary:
        """Checks whether a user can be saved.

        :param user: The user.
        :returns: Field name to what is wrong with it; empty where the user can be saved.
        """

    @operation("Services84", access=administrators(UserCarrier("user")))
    def save_user(self, user: User | None) -> User | None:
        """Changes a user, or creates one where the associate id is 0.

        :param user: The user.
        :returns: The user as saved.
        """

    @operation("Services84", access=administrators(UserName("user_name"), gives=GivenUser("user")))
    def save_user_from_name(self, user_name: str | None, user: User | None) -> User | None:
        """Changes a user, found by user name.

        :param user_name: User name, in any letter case.
        :param user: What to save for the user.
        :returns: The user as saved.
        """

    @operation("Services84", access=administrators(UserId("user_id")))
    def delete_user(self, user_id: int) -> None:
        """Deletes a user, found by associate id.

        :param user_id: Associate id of the user.
        """

    @operation("Services84", access=administrators(UserName("user_name")))
    def delete_user_from_name(self, user_name: str | None) -> None:
        """Deletes a user, found by user name.

        :param user_name: User name, in any letter case.
        """

    @operation(
        "Services84",
        access=administrators(UserCarrier("user"), gives=GivenUserType("user_type")),
    )
    def change_user_type(self, user: User | None, user_type: UserType) -> User | None:
        """Returns a user with another type and what follows from it.

        :param user: The user.
        :param user_type: The new type.
        :returns: The user with the new type.
        :open: The vendor's documentation describes another operation here. services88 goes by the
            name and the parameters.
        """

    @operation(
        "Services84",
        access=administrators(CompanyId("contact_id"), gives=GivenUserType("user_type")),
    )
    def resolve_user_from_info(
        self,
        contact_id: int,
        person_name: str | None,
        phone_numbers: list[str | None] | None,
        emails: list[str | None] | None,
        user_type: UserType,
        credential: Credential | None,
    ) -> ResolvedUser | None:
        """Finds a user from facts about the person and a credential.

        Creates the person and the user where there are none.

        :param contact_id: Id of the person's company; must not be 0.
        :param person_name: Full name of the person; optional.
        :param phone_numbers: Phone numbers of the person; optional.
        :param emails: E-mail addresses of the person; optional.
        :param user_type: Kind of user to find or create.
        :param credential: Credential of the user; required.
        :returns: The user, and whether the person is new.
        """

    @operation("Services84", access=administrators(UserId("associate_id")))
    def make_retired(self, associate_id: int, retired: bool) -> None:
        """Retires a user, or takes a retired user back.

        A retired user cannot sign in and has no tickets and no licences. Nobody can retire
        themselves.

        :param associate_id: Associate id of the user.
        :param retired: true retires the user, false takes the user back.
        """

    @operation("Services84", access=administrators(UserId("associate_id")))
    def remove_licenses(self, associate_id: int) -> None:
        """Removes all licences from a user.

        In services88 users have no licences yet, so nothing changes.

        :param associate_id: Associate id of the user.
        """

    @operation("Services84", access=administrators(CompanyId("contact_id"), our_choice=True))
    def add_owner_contact(self, contact_id: int) -> None:
        """Adds a company to the owner companies, whose persons can be internal users.

        :param contact_id: Id of the company.
        """

    @operation("Services84", access=administrators(CompanyId("contact_id"), our_choice=True))
    def remove_owner_contact(self, contact_id: int) -> None:
        """Removes a company from the owner companies.

        :param contact_id: Id of the company.
        """

    @operation(
        "Services88",
        access=own(
            UserId("associate_id"),
            or_rights=PRESENCE_ADMINISTRATORS,
            reads=True,
            may_be_missing=True,
            our_choice=True,
        ),
    )
    def get_user_presence_status(self, associate_id: int) -> UserPresenceStatus | None:
        """Returns the presence of a user in Service.

        :param associate_id: Associate id of the user.
        :returns: Status and message; nil where no user has the id.
        """

    @operation(
        "Services88",
        access=own(UserId("associate_id"), or_rights=PRESENCE_ADMINISTRATORS, our_choice=True),
    )
    def set_user_presence_status(
        self, associate_id: int, user_presence_status: UserPresenceStatus | None
    ) -> UserPresenceStatus | None:
        """Sets the presence of a user in Service. Absent users are assigned no requests.

        :param associate_id: Associate id of the user.
        :param user_presence_status: Status and message.
        :returns: The presence as saved.
        """

    @operation(
        "Services85", access=administrators(UserCarrier("user"), reads=True, our_choice=True)
    )
    def get_user_commands(self, user: User | None) -> list[CustomCommand] | None:
        """Returns the custom commands that the installation offers for a user.

        :param user: The user.
        :returns: The commands.
        """

    @operation("Services85", access=administrators(UserCarrier("user"), our_choice=True))
    def execute_user_command(
        self,
        command_name: str | None,
        command_action_result: CommandActionResult,
        user: User | None,
    ) -> CommandResult | None:
        """Runs a custom command on a user.

        :param command_name: Name of the command, as GetUserCommands lists it.
        :param command_action_result: What the person answered to the question of the command.
        :param user: The user.
        :returns: Whether it succeeded, and a message.
        """
