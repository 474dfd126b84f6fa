"""Tokens and sign-ins for other servers."""

from typing import Protocol

from services88.contract.access import (
    GENERAL_ADMINISTRATOR,
    NOTHING,
    ONESELF,
    USER_ADMINISTRATORS,
    ExternalTokenKey,
    ServiceAuthCarrier,
    ServiceAuthId,
    Who,
    employees,
    holders,
    own,
    signed_in,
)
from services88.contract.model import Secret, operation
from services88.contract.user.carriers import AccessGatewayInfo, ServiceAuth, TokenManagementInfo


class Connections(Protocol):
    """Tokens and sign-ins for other servers."""

    @operation("Services87", access=signed_in(ONESELF))
    def get_access_token(self, app_token: Secret, include_cs_session: bool) -> Secret:
        """Issues an access token for the caller.

        :param app_token: Token of the application that the access token is for; optional.
        :param include_cs_session: Whether a Service session is started for the token.
        :returns: The access token. It begins with 8A:.
        """

    @operation("Services88", access=employees(ONESELF, our_choice=True))
    def save_external_tokens(self, token_management_info: TokenManagementInfo | None) -> Secret:
        """Saves tokens of an external provider for the caller.

        :param token_management_info: The provider, its access token and its refresh token.
        :returns: The key for GetExternalTokens.
        """

    @operation("Services88", access=employees(ONESELF, our_choice=True))
    def decrypt_and_save_external_tokens(
        self, token_management_info: TokenManagementInfo | None
    ) -> Secret:
        """Has the access gateway decrypt tokens of an external provider, and saves them.

        :param token_management_info: The provider, its access token and its refresh token.
        :returns: The key for GetExternalTokens.
        """

    @operation(
        "Services88",
        access=own(ExternalTokenKey("key"), who=Who.EMPLOYEES, reads=True, our_choice=True),
    )
    def get_external_tokens(self, key: str | None) -> TokenManagementInfo | None:
        """Returns tokens of an external provider that were saved before.

        :param key: The key that saving them returned.
        :returns: The tokens.
        """

    @operation("Services84", access=employees(NOTHING, our_choice=True))
    def create_default_service_auth(self) -> ServiceAuth | None:
        """Returns a new sign-in at another server with default values.

        :returns: The sign-in. It has the id 0 and is not saved.
        """

    @operation(
        "Services84",
        access=own(
            ServiceAuthId("service_auth_id"),
            or_rights=USER_ADMINISTRATORS,
            who=Who.EMPLOYEES,
            reads=True,
            our_choice=True,
        ),
    )
    def get_service_auth(self, service_auth_id: int) -> ServiceAuth | None:
        """Returns a sign-in at another server.

        :param service_auth_id: Id of the sign-in.
        :returns: The sign-in. Only the user who saved it and system users get the password.
        """

    @operation(
        "Services84",
        access=own(
            ServiceAuthCarrier("service_auth"), who=Who.EMPLOYEES, new_is_own=True, our_choice=True
        ),
    )
    def save_service_auth(self, service_auth: ServiceAuth | None) -> ServiceAuth | None:
        """Changes a sign-in at another server, or creates one where its id is 0.

        :param service_auth: The sign-in.
        :returns: The sign-in as saved.
        """

    @operation(
        "Services84",
        access=own(
            ServiceAuthId("service_auth_id"),
            or_rights=USER_ADMINISTRATORS,
            who=Who.EMPLOYEES,
            our_choice=True,
        ),
    )
    def delete_service_auth(self, service_auth_id: int) -> None:
        """Deletes a sign-in at another server.

        :param service_auth_id: Id of the sign-in.
        """

    @operation("Services88", access=holders((GENERAL_ADMINISTRATOR,), NOTHING, our_choice=True))
    def get_access_gateway_info(self) -> AccessGatewayInfo | None:
        """Returns the registration with the access gateway.

        :returns: The registration; nil where there is none.
        """

    @operation("Services88", access=holders((GENERAL_ADMINISTRATOR,), NOTHING, our_choice=True))
    def get_or_register_access_gateway_info(
        self, redirect_uri: str | None
    ) -> AccessGatewayInfo | None:
        """Returns the registration with the access gateway, and registers where that is needed.

        :param redirect_uri: Address to which the gateway leads back.
        :returns: The registration.
        """

    @operation("Services88", access=holders((GENERAL_ADMINISTRATOR,), NOTHING, our_choice=True))
    def register_with_access_gateway(self, redirect_uri: str | None) -> AccessGatewayInfo | None:
        """Registers with the access gateway, or changes the registration.

        :param redirect_uri: Address to which the gateway leads back.
        :returns: The registration.
        """

    @operation("Services88", access=holders((GENERAL_ADMINISTRATOR,), NOTHING, our_choice=True))
    def check_access_gateway_registration(self) -> bool:
        """Checks whether the registration with the access gateway can be used.

        :returns: true if it can be used.
        """
