"""Credentials: how users prove who they are, here and elsewhere."""

from typing import Protocol

from services88.contract.access import administrators
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

    @operation("Services84")
    def get_credential_types(self) -> list[CredentialType] | None:
        """Lists the credential types that can be used to log in.

        :returns: List of CredentialType.
        """

    @operation("Services86")
    def get_credential_types_for_user_type(
        self, user_type: UserType
    ) -> list[CredentialType] | None:
        """Lists the credential types that can be used by a user type.

        :param user_type: Kind of user (UserType enum).
        :returns: List of CredentialType.
        """

    @operation("Services84", access=administrators("user_id"))
    def save_credential(self, user_id: int, credential: Credential | None) -> bool:
        """Adds or replaces the credential of its type for a user.

        :param user_id: Primary key of the user (same number as AssociateId).
        :param credential: Credential carrier: Type, Value, DisplayValue.
        :returns: true when saved.
        """

    @operation("Services84", access=administrators("user_id"))
    def delete_credential(self, user_id: int, credential_type: str | None) -> bool:
        """Removes the credential of a type from a user.

        :param user_id: Primary key of the user (same number as AssociateId).
        :param credential_type: Credential type name, equal to the plugin name and to
            credentials.credentialType.
        :returns: true when removed.
        """

    @operation("Services84")
    def find_credentials_groups(
        self, type: str | None, search_string: str | None
    ) -> list[CredentialsGroup] | None:
        """Finds groups of external users that can be linked as credentials.

        Only relevant when the credential type uses the Link control; there is always at least one
        group.

        :param type: Credential type name, equal to the plugin name and to
            credentials.credentialType.
        :param search_string: Part of a domain group name.
        :returns: List of CredentialsGroup.
        """

    @operation("Services84")
    def find_credential_users(
        self, type: str | None, search_string: str | None
    ) -> CredentialsGroupUsers | None:
        """Finds external users by partial name.

        :param type: Credential type name, equal to the plugin name and to
            credentials.credentialType.
        :param search_string: Part of a name.
        :returns: CredentialsGroupUsers (Headings plus users).
        """

    @operation("Services84")
    def get_credential_users_in_group(
        self, type: str | None, group_name: str | None
    ) -> CredentialsGroupUsers | None:
        """Lists the external users of one group.

        :param type: Credential type name, equal to the plugin name and to
            credentials.credentialType.
        :param group_name: Name of the group.
        :returns: CredentialsGroupUsers (Headings plus users).
        """

    @operation("Services84")
    def create_default_untrusted_credentials(self) -> UntrustedCredentials | None:
        """Builds an empty UntrustedCredentials with default values.

        :returns: UntrustedCredentials carrier.
        """

    @operation("Services84")
    def get_untrusted_credentials(self, type: str | None) -> list[UntrustedCredentials] | None:
        """Reads the stored external-system credentials of a type for the calling user.

        :param type: Type of external credential, for example imap or smtp.
        :returns: List of UntrustedCredentials.
        """

    @operation("Services84")
    def get_untrusted_credentials_for_associate(
        self, associate_id: int, type: str | None
    ) -> list[UntrustedCredentials] | None:
        """Reads the stored external-system credentials of a type for a given user.

        SecretValue is filled only for the calling user's own entries and for system users.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :param type: Type of external credential, for example imap or smtp.
        :returns: List of UntrustedCredentials.
        """

    @operation("Services84")
    def save_untrusted_credentials(
        self, type: str | None, credentials: UntrustedCredentials | None
    ) -> None:
        """Stores a credential for an external system for the calling user.

        :param type: Type of external credential, for example imap or smtp.
        :param credentials: The UntrustedCredentials carrier to store.
        """

    @operation("Services84")
    def save_untrusted_credentials_for_associate(
        self, associate_id: int, type: str | None, credentials: UntrustedCredentials | None
    ) -> None:
        """Stores a credential for an external system for a given user.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :param type: Type of external credential, for example imap or smtp.
        :param credentials: The UntrustedCredentials carrier to store.
        """

    @operation("Services84")
    def remove_untrusted_credentials(self, type: str | None, public_value: str | None) -> None:
        """Removes a stored external-system credential of the calling user.

        :param type: Type of external credential, for example imap or smtp.
        :param public_value: PublicValue of the stored credential entry to remove.
        """

    @operation("Services84")
    def remove_untrusted_credentials_for_associate(
        self, associate_id: int, type: str | None, public_value: str | None
    ) -> None:
        """Removes a stored external-system credential of a given user.

        :param associate_id: Primary key (associate_id) of the user the call concerns.
        :param type: Type of external credential, for example imap or smtp.
        :param public_value: PublicValue of the stored credential entry to remove.
        """
