"""Credentials: how users prove who they are, here and elsewhere."""

from typing import Protocol

from services88.contract.access import (
    NOTHING,
    ONESELF,
    CredentialTypeName,
    UserId,
    administrators,
    own_or_administrators,
    signed_in,
)
from services88.contract.enumerations import UserType
from services88.contract.model import operation
from services88.contract.user.carriers import (
    Credential,
    CredentialsGroup,
    CredentialsGroupUsers,
    CredentialType,
    UntrustedCredentials,
)


class Credentials(Protocol):
    """Credentials: how users prove who they are, here and elsewhere."""

    @operation("Services84", access=signed_in(NOTHING, our_choice=True))
    def get_credential_types(self) -> list[CredentialType] | None:
        """Returns the types of credentials with which users sign in.

        :returns: The types. In services88 there is one, the password.
        """

    @operation("Services86", access=signed_in(NOTHING, our_choice=True))
    def get_credential_types_for_user_type(
        self, user_type: UserType
    ) -> list[CredentialType] | None:
        """Returns the types of credentials with which a kind of user signs in.

        :param user_type: Kind of user.
        :returns: The types; empty for resources and anonymous users, who do not sign in.
        """

    @operation("Services84", access=administrators(UserId("user_id")))
    def save_credential(self, user_id: int, credential: Credential | None) -> bool:
        """Sets a credential of a user, in place of the one of the same type.

        For a password it is the same as SetPassword. Other types are refused.

        :param user_id: Associate id of the user.
        :param credential: The credential: its type and value.
        :returns: true if it was saved.
        """

    @operation("Services84", access=administrators(UserId("user_id")))
    def delete_credential(self, user_id: int, credential_type: str | None) -> bool:
        """Removes a credential from a user. All tickets of the user end.

        Administrators cannot remove their own password.

        :param user_id: Associate id of the user.
        :param credential_type: Name of the type, as GetCredentialTypes lists it.
        :returns: true if it was removed, false where there was none.
        """

    @operation(
        "Services84", access=administrators(CredentialTypeName("type"), reads=True, our_choice=True)
    )
    def find_credentials_groups(
        self, type: str | None, search_string: str | None
    ) -> list[CredentialsGroup] | None:
        """Returns the groups of the directory behind a type of credential.

        :param type: Name of the type, as GetCredentialTypes lists it.
        :param search_string: Part of the group's name.
        :returns: The groups. There is always at least one.
        """

    @operation(
        "Services84", access=administrators(CredentialTypeName("type"), reads=True, our_choice=True)
    )
    def find_credential_users(
        self, type: str | None, search_string: str | None
    ) -> CredentialsGroupUsers | None:
        """Returns the users of the directory behind a type of credential, found by name.

        :param type: Name of the type, as GetCredentialTypes lists it.
        :param search_string: Part of the user's name.
        :returns: The users, as a table with headings.
        """

    @operation(
        "Services84", access=administrators(CredentialTypeName("type"), reads=True, our_choice=True)
    )
    def get_credential_users_in_group(
        self, type: str | None, group_name: str | None
    ) -> CredentialsGroupUsers | None:
        """Returns the users of a group of the directory behind a type of credential.

        :param type: Name of the type, as GetCredentialTypes lists it.
        :param group_name: Name of the group, as FindCredentialsGroups gives it.
        :returns: The users, as a table with headings.
        """

    @operation("Services84", access=signed_in(NOTHING, our_choice=True))
    def create_default_untrusted_credentials(self) -> UntrustedCredentials | None:
        """Returns a new sign-in for another system with default values.

        :returns: The sign-in. It is not saved.
        """

    @operation("Services84", access=signed_in(ONESELF, our_choice=True))
    def get_untrusted_credentials(self, type: str | None) -> list[UntrustedCredentials] | None:
        """Returns the caller's sign-ins for other systems of a type.

        :param type: Type of system, for example imap or smtp.
        :returns: The sign-ins; an empty list where there are none.
        """

    @operation(
        "Services84",
        access=own_or_administrators(UserId("associate_id"), reads=True, our_choice=True),
    )
    def get_untrusted_credentials_for_associate(
        self, associate_id: int, type: str | None
    ) -> list[UntrustedCredentials] | None:
        """Returns a user's sign-ins for other systems of a type.

        :param associate_id: Associate id of the user.
        :param type: Type of system, for example imap or smtp.
        :returns: The sign-ins; an empty list where there are none. Only the user and system users
            get SecretValue.
        """

    @operation("Services84", access=signed_in(ONESELF, our_choice=True))
    def save_untrusted_credentials(
        self, type: str | None, credentials: UntrustedCredentials | None
    ) -> None:
        """Saves a sign-in for another system for the caller.

        :param type: Type of system, for example imap or smtp.
        :param credentials: The sign-in.
        """

    @operation("Services84", access=own_or_administrators(UserId("associate_id"), our_choice=True))
    def save_untrusted_credentials_for_associate(
        self, associate_id: int, type: str | None, credentials: UntrustedCredentials | None
    ) -> None:
        """Saves a sign-in for another system for a user.

        :param associate_id: Associate id of the user.
        :param type: Type of system, for example imap or smtp.
        :param credentials: The sign-in.
        """

    @operation("Services84", access=signed_in(ONESELF, our_choice=True))
    def remove_untrusted_credentials(self, type: str | None, public_value: str | None) -> None:
        """Removes a sign-in for another system from the caller.

        :param type: Type of system, for example imap or smtp.
        :param public_value: PublicValue of the sign-in.
        """

    @operation("Services84", access=own_or_administrators(UserId("associate_id"), our_choice=True))
    def remove_untrusted_credentials_for_associate(
        self, associate_id: int, type: str | None, public_value: str | None
    ) -> None:
        """Removes a sign-in for another system from a user.

        :param associate_id: Associate id of the user.
        :param type: Type of system, for example imap or smtp.
        :param public_value: PublicValue of the sign-in.
        """
