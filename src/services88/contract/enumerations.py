"""The enumerations of both agents.

A number stands where the vendor's WSDL annotates one.
"""

from services88.contract.model import Enumeration, Flags, ShortEnumeration


class ChangePasswordType(Enumeration):
    """How a user's password can be changed."""

    EMAIL = "Email"
    PASSWORD = "Password"


class CommandAction(Enumeration):
    """What a client asks before it runs a custom command."""

    IMPLICIT = "Implicit"
    YES_NO = "YesNo"
    OK_CANCEL = "OkCancel"
    OK = "Ok"


class CommandActionResult(Enumeration):
    """What the user answered before a custom command ran."""

    IMPLICIT = "Implicit"
    YES = "Yes"
    OK = "Ok"
    NO = "No"
    CANCEL = "Cancel"


class CredentialControlType(Enumeration):
    """How a client asks for the value of a credential."""

    STATIC = "Static"
    EDIT = "Edit"
    PASSWORD = "Password"
    LINK = "Link"
    HIDDEN = "Hidden"


class EFieldRight(Flags):
    """What the caller may do with a field."""

    READ = "Read"
    WRITE = "Write"
    UNUSED1 = "Unused1"
    UNUSED2 = "Unused2"
    UNUSED3 = "Unused3"
    UNUSED4 = "Unused4"
    UI_HINT_MANDATORY = "UIHintMandatory"
    UI_HINT_READ_ONLY = "UIHintReadOnly"
    UNDEFINED_VALUE256 = "UndefinedValue256"
    NULLABLE = "Nullable", 32


class ETableRight(Flags):
    """What the caller may do with rows of a table."""

    SELECT = "Select"
    UPDATE = "Update"
    INSERT = "Insert"
    DELETE = "Delete"
    FILTERING = "Filtering"
    RESTRICTED_UPDATE = "RestrictedUpdate"
    UNUSED1 = "Unused1"
    UNINITIALIZED = "Uninitialized"
    R = "R", 1
    F = "F", 16


class EjUserStatus(Enumeration):
    """Presence of a user in Service."""

    STATUS_NONE = "StatusNone"
    STATUS_NORMAL = "StatusNormal"
    STATUS_NOT_AVAILABLE = "StatusNotAvailable"
    STATUS_DELETED = "StatusDeleted"
    STATUS_READ_ONLY = "StatusReadOnly"
    STATUS_SPM = "StatusSpm"
    STATUS_SYSTEM = "StatusSystem", 127


class ExternalUserInfoModification(Flags):
    """Which parts of an external user a call changes."""

    USER_NAME = "UserName"
    PASSWORD = "Password"
    ROLE = "Role"
    ACTIVE = "Active"
    UNDEFINED_VALUE16 = "UndefinedValue16"


class LicenseType(ShortEnumeration):
    """What a licence is granted to."""

    UNKNOWN = "Unknown"
    SITE_LICENSE = "SiteLicense"
    SATELLITE_LICENSE = "SatelliteLicense"
    USER_LICENSE = "UserLicense"


class NetServerBuildType(Enumeration):
    """Maturity of the build that answers."""

    FEATURE = "Feature"
    STABLE = "Stable"
    ALPHA = "Alpha"
    BETA = "Beta"
    RELEASE_CANDIDATE = "ReleaseCandidate"
    RELEASE = "Release"


class RoleRelationToOwner(Enumeration):
    """How a caller relates to the owner of data: a column of the data-rights matrix."""

    MY_OWN = "MyOwn"
    PRIMARY_GROUP = "PrimaryGroup"
    OTHER_GROUPS = "OtherGroups"
    OTHER_ASSOCIATES = "OtherAssociates"
    EXTERNAL_USER = "ExternalUser"
    ANONYMOUS = "Anonymous"
    MY_COMPANY = "MyCompany"
    SAME_PROJECT = "SameProject"
    CUSTOM_OBJECTS = "CustomObjects", 10


class RoleType(ShortEnumeration):
    """Kind of users a role is for."""

    EMPLOYEE = "Employee"
    EXTERNAL_USER = "ExternalUser"
    ANONYMOUS = "Anonymous"
    SYSTEM = "System"


class UserType(Enumeration):
    """Kind of user. Numbers differ from those of associate.type."""

    UNKNOWN = "Unknown"
    INTERNAL_ASSOCIATE = "InternalAssociate"
    RESOURCE_ASSOCIATE = "ResourceAssociate"
    EXTERNAL_ASSOCIATE = "ExternalAssociate"
    ANONYMOUS_ASSOCIATE = "AnonymousAssociate"
    SYSTEM_ASSOCIATE = "SystemAssociate"
