"""The carriers of the User agent."""

from datetime import datetime
from typing import Annotated

from services88.contract.common import Carrier
from services88.contract.enumerations import (
    CommandAction,
    CommandActionResult,
    CredentialControlType,
    EjUserStatus,
    RoleType,
    UserType,
)
from services88.contract.model import NEVER, Complex, Dictionary, Secret, Short, carrier

StringDictionary = Annotated[
    dict[str, str | None] | None, Dictionary("StringDictionary", item="StringKeyValuePair")
]
"""Text to text."""


@carrier
class ModuleLicenseLink(Carrier):
    """One module licence and its use."""

    unrestricted: bool = False
    total: int = 0
    tooltip: str | None = None
    can_assign: bool = False
    free: int = 0
    in_use: int = 0
    is_hidden: bool = False
    assigned: bool = False
    module_license_id: int = 0
    name: str | None = None
    description: str | None = None
    prerequisite_module_name: str | None = None
    sort_order: int = 0
    extra_flags: int = 0


@carrier
class LicenseOwner(Carrier):
    """A vendor of module licences, with the licences a user can have or has."""

    name: str | None = None
    description: str | None = None
    restricted_module_licenses: list[ModuleLicenseLink] | None = None
    unrestricted_module_licenses: list[ModuleLicenseLink] | None = None


@carrier
class Role(Carrier):
    """A role as a user carries it; RoleEntity is the whole."""

    id: int = 0
    value: str | None = None
    tooltip: str | None = None


@carrier
class UserGroup(Carrier):
    """A group of users."""

    value: str | None = None
    tooltip: str | None = None
    id: int = 0
    rank: Short = 0
    deleted: bool = False


@carrier
class Person(Carrier):
    """The person behind a user."""

    position: str | None = None
    person_id: int = 0
    mrmrs: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    middle_name: str | None = None
    title: str | None = None
    description: str | None = None
    email: str | None = None
    full_name: str | None = None
    direct_phone: str | None = None
    formal_name: str | None = None
    country_id: int = 0
    contact_id: int = 0
    contact_name: str | None = None
    retired: Short = 0
    rank: Short = 0
    active_interests: Short = 0
    contact_department: str | None = None
    contact_country_id: int = 0
    contact_org_nr: str | None = None
    fax_phone: str | None = None
    mobile_phone: str | None = None
    contact_phone: str | None = None
    associate_name: str | None = None
    associate_id: int = 0
    use_person_address: bool = False
    contact_fax: str | None = None
    kanafname: str | None = None
    kanalname: str | None = None
    post1: str | None = None
    post2: str | None = None
    post3: str | None = None
    email_name: str | None = None
    contact_full_name: str | None = None
    active_erp_links: int = 0
    ticket_priority_id: int = 0
    support_language_id: int = 0
    support_associate_id: int = 0
    category_name: str | None = None
    person_number: str | None = None


@carrier
class CredentialType(Carrier):
    """A kind of credential that the installation knows."""

    display_type: str | None = None
    type: str | None = None
    description: str | None = None
    value_control: CredentialControlType = CredentialControlType.STATIC
    can_create_person: bool = False
    is_user_name_supported: bool = False


@carrier
class Credential(Carrier):
    """One way for a user to prove who they are."""

    type: CredentialType | None = None
    value: Secret = None
    display_value: str | None = None


@carrier
class MDOListItem(Carrier):
    """An item of a list."""

    id: int = 0
    name: str | None = None
    tool_tip: str | None = None
    deleted: bool = False
    rank: int = 0
    type: str | None = None
    child_items: list["MDOListItem"] | None = None
    icon_hint: str | None = None
    color_block: int = 0
    extra_info: str | None = None
    style_hint: str | None = None
    full_name: str | None = None


@carrier
class CustomCommand(Carrier):
    """A command that an installation offers for a user."""

    name: str | None = None
    display_name: str | None = None
    description: str | None = None
    tool_tip: str | None = None
    actions: CommandAction = CommandAction.IMPLICIT
    action_data: str | None = None


@carrier
class User(Carrier):
    """A user: sign-in name, person, role, groups, licences and credentials."""

    associate_id: int = 0
    name: str | None = None
    rank: Short = 0
    tooltip: str | None = None
    license_owners: list[LicenseOwner] | None = None
    role: Role | None = None
    user_group: UserGroup | None = None
    other_groups: list[UserGroup] | None = None
    person: Person | None = None
    deleted: bool = False
    lastlogin: datetime = NEVER
    lastlogout: datetime = NEVER
    ej_user_id: int = 0
    request_signature: str | None = None
    type: UserType = UserType.UNKNOWN
    is_person_retired: bool = False
    is_on_travel: bool = False
    credentials: list[Credential] | None = None
    user_name: str | None = None
    ticket_categories: list[MDOListItem] | None = None
    nick_name: str | None = None
    waiting_for_approval: bool = False
    extra_fields: StringDictionary = None
    custom_fields: StringDictionary = None
    post_save_commands: list[CustomCommand] | None = None


@carrier
class UserPresenceStatus(Complex):
    """Presence of a user in Service, with a comment."""

    status: EjUserStatus = EjUserStatus.STATUS_NONE
    message: str | None = None


@carrier
class UserInfo(Carrier):
    """A user in brief."""

    deleted: bool = False
    user_info_id: int = 0
    user_name: str | None = None
    person_id: int = 0
    rank: Short = 0
    tooltip: str | None = None
    user_group_id: int = 0
    ej_user_id: int = 0
    user_type: UserType = UserType.UNKNOWN
    granted_licenses: list[str | None] | None = None
    can_logon: bool = False
    role_name: str | None = None
    role_tooltip: str | None = None
    user_group_name: str | None = None
    user_group_tooltip: str | None = None


@carrier
class Associate(Carrier):
    """A user as others refer to them."""

    associate_id: int = 0
    name: str | None = None
    person_id: int = 0
    rank: Short = 0
    tooltip: str | None = None
    type: UserType = UserType.UNKNOWN
    group_idx: int = 0
    full_name: str | None = None
    formal_name: str | None = None
    deleted: bool = False
    ej_user_id: int = 0
    user_name: str | None = None
    extra_fields: StringDictionary = None
    custom_fields: StringDictionary = None


@carrier
class RelationToOwner(Carrier):
    """Heading of a column of the data-rights matrix."""

    id: int = 0
    value: str | None = None
    tooltip: str | None = None


@carrier
class EntityName(Carrier):
    """Heading of a row of the data-rights matrix."""

    table_name: str | None = None
    table_description: str | None = None


@carrier
class DataRight(Carrier):
    """One cell of the data-rights matrix."""

    value: str | None = None
    description: str | None = None


@carrier
class DataRights(Carrier):
    """The data-rights matrix of a role."""

    columns_info: list[RelationToOwner] | None = None
    rows_info: list[EntityName] | None = None
    rights: list[list[DataRight] | None] | None = None


@carrier
class RoleEntity(Carrier):
    """A role: its kind and its data rights."""

    role_id: int = 0
    name: str | None = None
    tooltip: str | None = None
    role_type: RoleType = RoleType.EMPLOYEE
    deleted: Short = 0
    rank: Short = 0
    created: datetime = NEVER
    use_categories: Short = 0
    created_by: Associate | None = None
    updated: datetime = NEVER
    updated_by: Associate | None = None
    data_rights: DataRights | None = None


@carrier
class ServiceAuth(Carrier):
    """How to reach and sign in to another server."""

    service_auth_id: int = 0
    server: str | None = None
    port: int = 0
    auth_type: str | None = None
    username: str | None = None
    password: Secret = None


@carrier
class UntrustedCredentials(Carrier):
    """A sign-in that a user keeps for another system."""

    valid_from: datetime = NEVER
    valid_to: datetime = NEVER
    comment: str | None = None
    secret_value: Secret = None
    public_value: str | None = None
    is_active: bool = False


@carrier
class CommandResult(Carrier):
    """What running a custom command gave."""

    success: bool = False
    message: str | None = None
    result: CommandActionResult = CommandActionResult.IMPLICIT


@carrier
class AccessGatewayInfo(Carrier):
    """Registration with the access gateway."""

    client_id: str | None = None
    redirect_uri: str | None = None


@carrier
class CredentialsGroup(Carrier):
    """A group in the directory behind a credential type."""

    name: str | None = None
    display_name: str | None = None


@carrier
class CredentialUser(Carrier):
    """A user found behind a credential type."""

    value: str | None = None
    display_value: str | None = None
    columns: list[str | None] | None = None
    can_create_person: bool = False


@carrier
class CredentialsGroupUsers(Carrier):
    """The users found behind a credential type, as a table."""

    headings: list[str | None] | None = None
    users: list[CredentialUser] | None = None


@carrier
class SelectableMDOListItem(Carrier):
    """An item of a list, with whether it is selected."""

    id: int = 0
    name: str | None = None
    tool_tip: str | None = None
    deleted: bool = False
    rank: int = 0
    type: str | None = None
    color_block: int = 0
    icon_hint: str | None = None
    selected: bool = False
    last_changed: datetime = NEVER
    child_items: list["SelectableMDOListItem"] | None = None
    extra_info: str | None = None
    style_hint: str | None = None
    hidden: bool = False
    full_name: str | None = None


@carrier
class TokenManagementInfo(Carrier):
    """Tokens for an external provider."""

    provider: str | None = None
    access_token: Secret = None
    refresh_token: Secret = None


@carrier
class OperationResult(Complex):
    """Whether something succeeded, and a message."""

    success: bool = False
    message: str | None = None


@carrier
class UserValidationResult(Carrier):
    """Whether a candidate is acceptable, and why not."""

    reason: str | None = None
    result: bool = False


@carrier
class ResolvedUser(Carrier):
    """The user found for given facts."""

    user: User | None = None
    person_created: bool = False
