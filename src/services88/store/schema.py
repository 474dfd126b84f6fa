"""The tables, modelled on the documented ones of NetServer.

Names are the documented names in snake case (``associate.group_idx``, ``credentials.search_name``).
Times are whole milliseconds since 1970 UTC: integers compare, index and travel alike in every
database. Each row that belongs to a tenant says so, and every statement asks for it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.schema import SchemaItem

__all__ = [
    "application_token",
    "associate",
    "audit_event",
    "audit_head",
    "audit_pending",
    "credentials",
    "function_right",
    "function_right_role_link",
    "guess_counter",
    "installation",
    "metadata",
    "outbox",
    "password_attempt",
    "password_failure",
    "password_history",
    "person",
    "preference",
    "request_counter",
    "reset_link",
    "role",
    "seen_application",
    "sign_in_name",
    "tenant",
    "user_group",
    "user_group_link",
    "user_role_link",
]

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

_Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER keys by itself
_Instant = BigInteger


def _table(name: str, *content: SchemaItem) -> Table:
    # Numbers are never given out twice: the audit trail refers to them after a row is gone.
    return Table(name, metadata, *content, sqlite_autoincrement=True)


# Facts about this database: who made it, and for what.
installation = Table(
    "installation",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

tenant = _table(
    "tenant",
    Column("tenant_id", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("name_key", String(64), nullable=False, unique=True),
    Column("company_name", String(254), nullable=False, server_default=""),
    Column("is_default", Boolean, nullable=False, server_default=false()),
    Column("registered", _Instant, nullable=False),
)

person = _table(
    "person",
    Column("person_id", Integer, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.tenant_id"), nullable=False),
    Column("firstname", String(99), nullable=False, server_default=""),
    Column("middle_name", String(99), nullable=False, server_default=""),
    Column("lastname", String(99), nullable=False, server_default=""),
    Column("email", String(254), nullable=False, server_default=""),
    Column("email_key", String(254), nullable=False, server_default=""),
    Column("contact_id", Integer, nullable=False, server_default="0"),
    Column("country_id", Integer, nullable=False, server_default="0"),
    Column("retired", Boolean, nullable=False, server_default=false()),
    Index(None, "tenant_id", "email_key"),
)

user_group = _table(
    "user_group",
    Column("user_group_id", Integer, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.tenant_id"), nullable=False),
    Column("name", String(239), nullable=False),
    Column("rank", SmallInteger, nullable=False, server_default="0"),
    Column("tooltip", String(254), nullable=False, server_default=""),
    Column("deleted", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("tenant_id", "name"),
)

associate = _table(
    "associate",
    Column("associate_id", Integer, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.tenant_id"), nullable=False),
    Column("name", String(254), nullable=False),
    Column("name_key", String(254), nullable=False),
    Column("type", SmallInteger, nullable=False, server_default="0"),
    Column("rank", SmallInteger, nullable=False, server_default="0"),
    Column("tooltip", String(254), nullable=False, server_default=""),
    Column("deleted", Boolean, nullable=False, server_default=false()),
    Column("waiting_for_approval", Boolean, nullable=False, server_default=false()),
    Column("group_idx", Integer, nullable=False, server_default="0"),
    Column("person_id", ForeignKey("person.person_id")),
    Column("ej_user_id", Integer, nullable=False, server_default="0"),
    Column("user_name", String(254), nullable=False, server_default=""),
    Column("nick_name", String(254), nullable=False, server_default=""),
    Column("nick_key", String(254)),  # none where there is no nick name: many have none
    Column("lastlogin", _Instant),
    Column("lastlogout", _Instant),
    Column("registered", _Instant, nullable=False),
    # When an administrator last mailed a link; none since the password was removed.
    Column("invited", _Instant),
    UniqueConstraint("tenant_id", "name_key"),
    Index(None, "tenant_id", "nick_key", unique=True),
    Index(None, "person_id"),
)

# What a person may type to sign in, and what is reserved beside it: one name space a tenant. Every
# user name, e-mail address and nick name has exactly one row, which says whose it is.
sign_in_name = Table(
    "sign_in_name",
    metadata,
    Column("tenant_id", ForeignKey("tenant.tenant_id"), primary_key=True),
    Column("name_key", String(254), primary_key=True),
    Column("associate_id", ForeignKey("associate.associate_id"), nullable=False, index=True),
    Column("kind", String(8), nullable=False),
)

user_group_link = Table(
    "user_group_link",
    metadata,
    Column("associate_id", ForeignKey("associate.associate_id"), primary_key=True),
    Column("user_group_id", ForeignKey("user_group.user_group_id"), primary_key=True),
)

role = _table(
    "role",
    Column("role_id", Integer, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.tenant_id"), nullable=False),
    Column("name", String(239), nullable=False),
    Column("rank", SmallInteger, nullable=False, server_default="0"),
    Column("tooltip", String(254), nullable=False, server_default=""),
    Column("deleted", Boolean, nullable=False, server_default=false()),
    Column("role_type", SmallInteger, nullable=False, server_default="0"),
    Column("is_default", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("tenant_id", "name"),
)

user_role_link = Table(
    "user_role_link",
    metadata,
    Column("associate_id", ForeignKey("associate.associate_id"), primary_key=True),
    Column("role_id", ForeignKey("role.role_id"), nullable=False, index=True),
)

function_right = _table(
    "function_right",
    Column("function_right_id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("is_built_in", Boolean, nullable=False, server_default=true()),
)

function_right_role_link = Table(
    "function_right_role_link",
    metadata,
    Column("role_id", ForeignKey("role.role_id"), primary_key=True),
    Column("function_right_id", ForeignKey("function_right.function_right_id"), primary_key=True),
)

# Passwords and tickets, as hashes only.
credentials = _table(
    "credentials",
    Column("credentials_id", _Key, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.tenant_id"), nullable=False),
    Column("associate_id", ForeignKey("associate.associate_id"), nullable=False),
    Column("credential_type", String(32), nullable=False),
    Column("search_name", String(254), nullable=False),
    Column("secret", Text, nullable=False),
    Column("valid_from", _Instant, nullable=False),
    Column("valid_to", _Instant, nullable=False),
    Column("is_active", SmallInteger, nullable=False),
    Column("last_used_date", _Instant),
    Column("last_used_info", String(254), nullable=False, server_default=""),
    Column("application_token_id", Integer, nullable=False, server_default="0"),
    # A random number of each password, by which one is drawn as the model of a name that nobody
    # has: what verifying costs is then the same. None where the row is no password.
    Column("draw", Integer),
    UniqueConstraint("tenant_id", "credential_type", "search_name"),
    Index(None, "associate_id", "credential_type"),
    Index(None, "credential_type", "valid_to"),
    Index(
        None,
        "tenant_id",
        "draw",
        sqlite_where=text("draw IS NOT NULL"),
        postgresql_where=text("draw IS NOT NULL"),
    ),
)

password_history = _table(
    "password_history",
    Column("password_history_id", _Key, primary_key=True),
    Column("associate_id", ForeignKey("associate.associate_id"), nullable=False),
    Column("secret", Text, nullable=False),
    Column("replaced", _Instant, nullable=False),
    Index(None, "associate_id", "replaced"),
)

# Wrong passwords, by who was named and from where: how long the next attempt must wait.
# ``address`` is empty where a row counts for all addresses, ``name_hash`` where for all names.
# Names are hashed, since people type their password where the name belongs.
guess_counter = Table(
    "guess_counter",
    metadata,
    Column("tenant_id", ForeignKey("tenant.tenant_id"), primary_key=True),
    Column("name_hash", String(64), primary_key=True),
    Column("address", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("since", _Instant, nullable=False),
    Column("last_failure", _Instant, nullable=False),
    Column("blocked_until", _Instant, nullable=False),
    Column("keep_until", _Instant, nullable=False, index=True),
)

# Attempts at a password that are under way, each let in before the password was looked at.
# ``until`` is the time of the database's clock at which an attempt no longer counts: its server
# was killed.
password_attempt = Table(
    "password_attempt",
    metadata,
    Column("tenant_id", ForeignKey("tenant.tenant_id"), primary_key=True),
    Column("name_hash", String(64), primary_key=True),
    Column("address", String(64), primary_key=True),
    Column("attempt_id", BigInteger, primary_key=True, autoincrement=False),
    Column("until", _Instant, nullable=False),
    Index(None, "tenant_id", "address"),
)

# Failures in a row of a user's password, since it was last right: it is disabled in the end.
# Users below 1 are nobody: what is done for an unknown name is what is done for a known one.
password_failure = Table(
    "password_failure",
    metadata,
    Column("associate_id", Integer, primary_key=True, autoincrement=False),
    Column("failures", Integer, nullable=False),
    Column("last_failure", _Instant, nullable=False),
    Column("disabled", _Instant),
)

# How often a network asked for something without a sign-in: one row for each of the two, for all
# tenants, servers and processes.
request_counter = Table(
    "request_counter",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("network", String(64), primary_key=True),
    Column("since", _Instant, nullable=False, index=True),
    Column("count", Integer, nullable=False),
)

# Settings of a tenant, by section and key as the documented preferences are.
preference = Table(
    "preference",
    metadata,
    Column("tenant_id", ForeignKey("tenant.tenant_id"), primary_key=True),
    Column("section", String(64), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("value", String(254), nullable=False),
)

application_token = _table(
    "application_token",
    Column("application_token_id", Integer, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.tenant_id"), nullable=False),
    Column("name", String(99), nullable=False),
    Column("secret", String(64), nullable=False),
    Column("registered", _Instant, nullable=False),
    Column("revoked", _Instant),
    UniqueConstraint("tenant_id", "secret"),
)

# From which applications a user has signed in before.
seen_application = Table(
    "seen_application",
    metadata,
    Column("associate_id", ForeignKey("associate.associate_id"), primary_key=True),
    Column(
        "application_token_id",
        ForeignKey("application_token.application_token_id"),
        primary_key=True,
    ),
    Column("first_seen", _Instant, nullable=False),
)

# What happened to whom, in the words of the OWASP logging vocabulary: one chain for each tenant.
audit_event = Table(
    "audit_event",
    metadata,
    Column("tenant_id", ForeignKey("tenant.tenant_id"), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", _Instant, nullable=False),
    Column("event", String(64), nullable=False),
    Column("result", String(16), nullable=False),
    Column("reason", String(254), nullable=False),
    Column("associate_id", Integer, nullable=False),
    Column("by_associate_id", Integer, nullable=False),
    Column("application_token_id", Integer, nullable=False),
    Column("address", String(64), nullable=False),
    Column("name_hash", String(64), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "tenant_id", "associate_id", "at"),
)

# Where each chain ends. ``mac`` is a keyed hash of the row, behind the id of its key; empty where
# there was no key, or where an older version wrote the row.
audit_head = Table(
    "audit_head",
    metadata,
    Column("tenant_id", ForeignKey("tenant.tenant_id"), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("mac", String(81), nullable=False, server_default=""),
)

# What is written once a minute, counted until the minute is over. A count of 0: the first was
# written at once, and there was no other yet.
audit_pending = Table(
    "audit_pending",
    metadata,
    Column("tenant_id", ForeignKey("tenant.tenant_id"), primary_key=True),
    Column("minute", BigInteger, primary_key=True, autoincrement=False),
    Column("event", String(64), primary_key=True),
    Column("reason", String(254), primary_key=True),
    Column("associate_id", Integer, primary_key=True, autoincrement=False),
    Column("by_associate_id", Integer, primary_key=True, autoincrement=False),
    Column("application_token_id", Integer, primary_key=True, autoincrement=False),
    Column("address", String(64), primary_key=True),
    Column("name_hash", String(64), primary_key=True),
    Column("count", BigInteger, nullable=False),
)

# Mails that are owed. Rendered only when they are sent, from kind and parameters: no row holds a
# secret.
outbox = _table(
    "outbox",
    Column("outbox_id", _Key, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.tenant_id"), nullable=False),
    Column("associate_id", ForeignKey("associate.associate_id"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("recipient", String(254), nullable=False),
    Column("parameters", Text, nullable=False),
    Column("created", _Instant, nullable=False),
    Column("due", _Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("claimed_until", _Instant),
    Column("sent", _Instant),
    Index(None, "sent", "due"),
    Index(None, "created"),
    Index(None, "associate_id", "kind", "created"),
)

# Mailed links by which a password can be changed once: a hash of what is in the mail.
reset_link = _table(
    "reset_link",
    Column("reset_link_id", _Key, primary_key=True),
    Column("tenant_id", ForeignKey("tenant.tenant_id"), nullable=False),
    Column("associate_id", ForeignKey("associate.associate_id"), nullable=False, index=True),
    Column("secret", String(64), nullable=False, unique=True),
    Column("expires", _Instant, nullable=False, index=True),
    Column("used", _Instant),
)
