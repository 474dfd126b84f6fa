"""SoPrincipal: signing in, and what the installation is."""

from dataclasses import field
from datetime import datetime
from typing import Annotated, Protocol

from services88.contract import namespaces as ns
from services88.contract.access import ONESELF, anybody
from services88.contract.common import Carrier
from services88.contract.enumerations import (
    EjUserStatus,
    LicenseType,
    NetServerBuildType,
    RoleType,
    UserType,
)
from services88.contract.headers import (
    APPLICATION_TOKEN,
    RESPONSE_HEADERS,
    SoCredentials,
)
from services88.contract.model import (
    NEVER,
    Complex,
    Dictionary,
    Message,
    Secret,
    agent,
    carrier,
    operation,
)


@carrier
class ModuleLicense(Complex):
    """A module of the licence."""

    owner_name: str | None = None
    module_name: str | None = None
    module_description: str | None = None
    module_tooltip: str | None = None
    module_version: str | None = None
    license_type: LicenseType = LicenseType.UNKNOWN
    unrestricted: bool = False
    allowed_user_type: UserType = UserType.UNKNOWN
    number_of_licenses: int = 0
    extra_flags: int = 0
    extra_info: str | None = None
    sort_order: int = 0
    is_hidden: bool = False
    prerequisite_module_name: str | None = None
    signature: str | None = None


@carrier
class DSAParameters(Complex):
    """A .NET DSAParameters struct: the public key of a licence."""

    namespace = ns.CRYPTOGRAPHY
    value_type = True

    counter: int = 0
    g: bytes | None = None
    j: bytes | None = None
    p: bytes | None = None
    q: bytes | None = None
    seed: bytes | None = None
    y: bytes | None = None


@carrier
class SignedPublicKey(Complex):
    """A signed public key of a licence owner."""

    owner_name: str | None = None
    sign_date: datetime = NEVER
    expiry_date: datetime = NEVER
    key: DSAParameters = field(default_factory=DSAParameters)
    signature: str | None = None


@carrier
class LicenseInfo(Complex):
    """The licence of the installation."""

    company_name: str | None = None
    serial_nr: str | None = None
    owner_name: str | None = None
    owner_description: str | None = None
    next_check_date: datetime = NEVER
    maintenance_date: datetime = NEVER
    admin_warning_date: datetime = NEVER
    expiry_date: datetime = NEVER
    grace_date: datetime = NEVER
    extra_flags: int = 0
    license_url: str | None = None
    license_version: str | None = None
    deployment_type: int = 0
    product_type: str | None = None
    product_description: str | None = None
    module_licenses: list[ModuleLicense] | None = None
    public_key: SignedPublicKey | None = None
    signature: str | None = None


@carrier
class SoSystemInfoCarrier(Carrier):
    """The installation: versions, licence and database."""

    license: LicenseInfo | None = None
    warning_english: str | None = None
    warning_resource: str | None = None
    branch_name: str | None = None
    build_label: str | None = None
    assembly_version: str | None = None
    accumulated_next_check_date: datetime = NEVER
    file_version: str | None = None
    description: str | None = None
    days_until_net_server_expiry: int = 0
    build_type: NetServerBuildType = NetServerBuildType.FEATURE
    database_version: int = 0
    is_unicode: bool = False
    company_name: str | None = None
    company_id: int = 0
    database_type: str | None = None
    database_minor: str | None = None
    database_name: str | None = None
    is_on_travel: bool = False
    is_satellite: bool = False


@carrier
class GrantedModuleLicense(Carrier):
    """A module licence that the user has."""

    owner_id: int = 0
    owner_name: str | None = None
    owner_description: str | None = None
    module_id: int = 0
    name: str | None = None
    description: str | None = None
    version: str | None = None
    license_type: LicenseType = LicenseType.UNKNOWN
    extra_flags: int = 0
    sort_order: int = 0
    license_number: int = 0
    is_hidden: bool = False
    is_unrestricted: bool = False
    expiry_date: datetime = NEVER


@carrier
class ProvidedCredential(Complex):
    """A credential with which the user signed in."""

    type: str | None = None
    search_name: str | None = None
    display_name: str | None = None
    credential_id: int = 0


@carrier
class SoPrincipalCarrier(Complex):
    """Who signed in: associate, person, role, rights, licences."""

    user_type: UserType = UserType.UNKNOWN
    associate: str | None = None
    associate_id: int = 0
    is_person: bool = False
    person_id: int = 0
    country_id: int = 0
    home_country_id: int = 0
    contact_id: int = 0
    group_id: int = 0
    business_id: int = 0
    category_id: int = 0
    contact_owner: int = 0
    role_id: int = 0
    role_name: str | None = None
    role_description: str | None = None
    role_type: RoleType = RoleType.EMPLOYEE
    licenses: list[GrantedModuleLicense] | None = None
    full_name: str | None = None
    e_mail_address: str | None = None
    function_rights: list[str | None] | None = None
    ej_user_id: int = 0
    ej_access_level: int = 0
    ej_user_status: EjUserStatus = EjUserStatus.STATUS_NONE
    provided_credentials: list[ProvidedCredential] | None = None
    secondary_groups: list[int] | None = None
    database_context_identifier: str | None = None


@carrier
class AuthenticateResponse(Message):
    """What the four ways to sign in answer with.

    Known clients look at the ExceptionInfo header first, then at AuthenticationSucceeded.
    """

    response: SoPrincipalCarrier | None = None
    credentials: SoCredentials | None = None
    authentication_succeeded: bool = False


AuthenticationGenericData = Annotated[
    dict[str, str | None] | None,
    Dictionary("AuthenticationGenericData", item="AuthenticationGenericDataKeyValuePair"),
]
"""Named values that prove who signs in."""


class SoPrincipalAgent(Protocol):
    """Signing in."""

    @operation("Services84", access=anybody(), result="SystemInfo")
    def get_system_info(self) -> SoSystemInfoCarrier | None:
        """Returns version, licence and database of the installation.

        :returns: The facts. services88 names itself, has no licence and does not expire.
        """

    @operation("Services84", access=anybody(ONESELF))
    def authenticate_implicit(self) -> AuthenticateResponse:
        """Signs in the user whom the connection identifies, and issues a ticket.

        With the vendor's server that is normally the Windows user.

        :returns: Who signed in, with a ticket for later calls.
        """

    @operation("Services84", access=anybody(ONESELF))
    def authenticate_username_password(
        self, user_name: str | None, password: Secret
    ) -> AuthenticateResponse:
        """Signs in with user name and password, and issues a ticket.

        :param user_name: User name in any letter case, an e-mail address that exactly one user has,
            or a ticket.
        :param password: The password; not looked at where UserName is a ticket.
        :returns: Who signed in, with a ticket for later calls. Where the sign-in failed,
            AuthenticationSucceeded is false, whatever the reason.
        :open: The vendor's documentation does not say how a failed sign-in is reported. services88
            raises no exception and responds with AuthenticationSucceeded false, and Response and
            Credentials nil.
        """

    @operation("Services84", access=anybody(ONESELF))
    def authenticate_generic(
        self, authentication_data: AuthenticationGenericData
    ) -> AuthenticateResponse:
        """Signs in with named values, and issues a ticket.

        :param authentication_data: Name to value.
        :returns: Who signed in, with a ticket for later calls.
        :open: The vendor's documentation does not say which names count. services88 takes UserName
            with Password, Ticket, and AccessToken, in any letter case.
        """

    @operation("Services86", access=anybody(ONESELF))
    def authenticate_with_access_token(self, access_token: Secret) -> AuthenticateResponse:
        """Signs in with an access token, and issues a ticket.

        :param access_token: The access token. It begins with 8A:.
        :returns: Who signed in, with a ticket for later calls.
        """


SO_PRINCIPAL = agent(
    SoPrincipalAgent,
    name="SoPrincipal",
    service="WcfSoPrincipalService",
    request_headers=(APPLICATION_TOKEN,),
    response_headers=RESPONSE_HEADERS,
    known_headers=(APPLICATION_TOKEN, *RESPONSE_HEADERS),
    prefixes={
        ns.SERVICES88: "SoPrincipal",
        ns.SERIALIZATION: "NetServerServices881",
        ns.CRYPTOGRAPHY: "NetServerServices882",
        ns.ARRAYS: "NetServerServices883",
    },
)
