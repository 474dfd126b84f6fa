"""Tokens and sign-ins for other servers."""

from typing import Protocol

from services88.contract.model import Secret, operation
from services88.contract.user.carriers import AccessGatewayInfo, ServiceAuth, TokenManagementInfo


class Connections(Protocol):
    """Tokens and sign-ins for other servers."""

    @operation("Services87")
    def get_access_token(self, app_token: Secret, include_cs_session: bool) -> Secret:
        """Issues an access token from the caller's own session.

        :param app_token: Application token on whose behalf access is wanted; optional.
        :param include_cs_session: Whether a Service session is started for the token.
        :returns: An access token string of the form 8A:...
        """

    @operation("Services88")
    def save_external_tokens(self, token_management_info: TokenManagementInfo | None) -> Secret:
        """Stores external tokens in the database.

        :param token_management_info: Provider name plus access and refresh token.
        :returns: Key for fetching the tokens later.
        """

    @operation("Services88")
    def decrypt_and_save_external_tokens(
        self, token_management_info: TokenManagementInfo | None
    ) -> Secret:
        """Has AccessGateway decrypt external tokens, then stores them.

        :param token_management_info: Provider name plus access and refresh token.
        :returns: Key for fetching the tokens later.
        """

    @operation("Services88")
    def get_external_tokens(self, key: str | None) -> TokenManagementInfo | None:
        """Fetches stored external tokens by key.

        :param key: Key returned when the tokens were stored.
        :returns: TokenManagementInfo.
        """

    @operation("Services84")
    def create_default_service_auth(self) -> ServiceAuth | None:
        """Builds an empty ServiceAuth with default values.

        :returns: ServiceAuth carrier.
        """

    @operation("Services84")
    def get_service_auth(self, service_auth_id: int) -> ServiceAuth | None:
        """Fetches a ServiceAuth.

        :param service_auth_id: Primary key of the ServiceAuth.
        :returns: ServiceAuth carrier.
        """

    @operation("Services84")
    def save_service_auth(self, service_auth: ServiceAuth | None) -> ServiceAuth | None:
        """Updates a ServiceAuth, or creates one when its id is 0.

        :param service_auth: Carrier to save.
        :returns: The saved ServiceAuth.
        """

    @operation("Services84")
    def delete_service_auth(self, service_auth_id: int) -> None:
        """Deletes a ServiceAuth.

        :param service_auth_id: Primary key of the ServiceAuth.
        """

    @operation("Services88")
    def get_access_gateway_info(self) -> AccessGatewayInfo | None:
        """Reads the AccessGateway registration.

        :returns: AccessGatewayInfo (ClientId, RedirectUri).
        """

    @operation("Services88")
    def get_or_register_access_gateway_info(
        self, redirect_uri: str | None
    ) -> AccessGatewayInfo | None:
        """Reads the AccessGateway registration, registering or adding the address when needed.

        :param redirect_uri: The redirect_uri registered for AccessGateway OIDC.
        :returns: AccessGatewayInfo.
        """

    @operation("Services88")
    def register_with_access_gateway(self, redirect_uri: str | None) -> AccessGatewayInfo | None:
        """Registers with AccessGateway, or updates the registration.

        :param redirect_uri: The redirect_uri registered for AccessGateway OIDC.
        :returns: AccessGatewayInfo.
        """

    @operation("Services88")
    def check_access_gateway_registration(self) -> bool:
        """Checks whether the AccessGateway registration is usable.

        :returns: true when usable.
        """
