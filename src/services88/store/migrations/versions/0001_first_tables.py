"""The first tables, the default tenant, and its two roles."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, then what every installation begins with."""
    _make_tables()
    now = int(time.time() * 1000)
    connection = op.get_bind()
    # The database numbers the rows from 1, so that it goes on from there.
    for statement in (
        "INSERT INTO tenant (name, name_key, is_default, registered)"
        " VALUES ('default', 'default', TRUE, :now)",
        "INSERT INTO role (tenant_id, name, tooltip, is_default, role_type)"
        " VALUES (1, 'Administrator', 'May administer everything', FALSE, 0)",
        "INSERT INTO role (tenant_id, name, tooltip, is_default, role_type)"
        " VALUES (1, 'User level 0', 'The role of a user to whom none was given', TRUE, 0)",
        "INSERT INTO function_right (name) VALUES ('admin-all')",
        "INSERT INTO function_right (name) VALUES ('admin-users')",
        "INSERT INTO function_right_role_link (role_id, function_right_id) VALUES (1, 1)",
    ):
        connection.execute(sa.text(statement), {"now": now} if ":now" in statement else {})


def _make_tables() -> None:
    op.create_table(
        "function_right",
        sa.Column("function_right_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("is_built_in", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.PrimaryKeyConstraint("function_right_id", name=op.f("pk_function_right")),
        sa.UniqueConstraint("name", name=op.f("uq_function_right_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "installation",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_installation")),
    )
    op.create_table(
        "tenant",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("name_key", sa.String(length=64), nullable=False),
        sa.Column("company_name", sa.String(length=254), server_default="", nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("registered", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("name_key", name=op.f("uq_tenant_name_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "application_token",
        sa.Column("application_token_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=99), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("registered", sa.BigInteger(), nullable=False),
        sa.Column("revoked", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_application_token_tenant_id")
        ),
        sa.PrimaryKeyConstraint("application_token_id", name=op.f("pk_application_token")),
        sa.UniqueConstraint(
            "tenant_id", "secret", name=op.f("uq_application_token_tenant_id_secret")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit_event",
        sa.Column(
            "audit_event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("associate_id", sa.Integer(), server_default="0", nullable=False),
        sa.Column("by_associate_id", sa.Integer(), server_default="0", nullable=False),
        sa.Column("application_token_id", sa.Integer(), server_default="0", nullable=False),
        sa.Column("address", sa.String(length=64), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_audit_event_tenant_id")
        ),
        sa.PrimaryKeyConstraint("audit_event_id", name=op.f("pk_audit_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_audit_event_tenant_id_associate_id_at"),
        "audit_event",
        ["tenant_id", "associate_id", "at"],
        unique=False,
    )
    op.create_table(
        "person",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("firstname", sa.String(length=99), server_default="", nullable=False),
        sa.Column("middle_name", sa.String(length=99), server_default="", nullable=False),
        sa.Column("lastname", sa.String(length=99), server_default="", nullable=False),
        sa.Column("email", sa.String(length=254), server_default="", nullable=False),
        sa.Column("email_key", sa.String(length=254), server_default="", nullable=False),
        sa.Column("contact_id", sa.Integer(), server_default="0", nullable=False),
        sa.Column("country_id", sa.Integer(), server_default="0", nullable=False),
        sa.Column("retired", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_person_tenant_id")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_person_tenant_id_email_key"), "person", ["tenant_id", "email_key"], unique=False
    )
    op.create_table(
        "role",
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=239), nullable=False),
        sa.Column("rank", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("tooltip", sa.String(length=254), server_default="", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("role_type", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_role_tenant_id")
        ),
        sa.PrimaryKeyConstraint("role_id", name=op.f("pk_role")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_role_tenant_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "user_group",
        sa.Column("user_group_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=239), nullable=False),
        sa.Column("rank", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("tooltip", sa.String(length=254), server_default="", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_user_group_tenant_id")
        ),
        sa.PrimaryKeyConstraint("user_group_id", name=op.f("pk_user_group")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_user_group_tenant_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "associate",
        sa.Column("associate_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=254), nullable=False),
        sa.Column("name_key", sa.String(length=254), nullable=False),
        sa.Column("type", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("rank", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("tooltip", sa.String(length=254), server_default="", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("waiting_for_approval", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("group_idx", sa.Integer(), server_default="0", nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("ej_user_id", sa.Integer(), server_default="0", nullable=False),
        sa.Column("user_name", sa.String(length=254), server_default="", nullable=False),
        sa.Column("lastlogin", sa.BigInteger(), nullable=True),
        sa.Column("lastlogout", sa.BigInteger(), nullable=True),
        sa.Column("registered", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.person_id"], name=op.f("fk_associate_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_associate_tenant_id")
        ),
        sa.PrimaryKeyConstraint("associate_id", name=op.f("pk_associate")),
        sa.UniqueConstraint("tenant_id", "name_key", name=op.f("uq_associate_tenant_id_name_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_associate_person_id"), "associate", ["person_id"], unique=False)
    op.create_table(
        "function_right_role_link",
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.Column("function_right_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["function_right_id"],
            ["function_right.function_right_id"],
            name=op.f("fk_function_right_role_link_function_right_id"),
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["role.role_id"], name=op.f("fk_function_right_role_link_role_id")
        ),
        sa.PrimaryKeyConstraint(
            "role_id", "function_right_id", name=op.f("pk_function_right_role_link")
        ),
    )
    op.create_table(
        "credentials",
        sa.Column(
            "credentials_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("associate_id", sa.Integer(), nullable=False),
        sa.Column("credential_type", sa.String(length=32), nullable=False),
        sa.Column("search_name", sa.String(length=254), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=False),
        sa.Column("is_active", sa.SmallInteger(), nullable=False),
        sa.Column("last_used_date", sa.BigInteger(), nullable=True),
        sa.Column("last_used_info", sa.String(length=254), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["associate_id"], ["associate.associate_id"], name=op.f("fk_credentials_associate_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_credentials_tenant_id")
        ),
        sa.PrimaryKeyConstraint("credentials_id", name=op.f("pk_credentials")),
        sa.UniqueConstraint(
            "tenant_id",
            "credential_type",
            "search_name",
            name=op.f("uq_credentials_tenant_id_credential_type_search_name"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_credentials_associate_id_credential_type"),
        "credentials",
        ["associate_id", "credential_type"],
        unique=False,
    )
    op.create_index(
        op.f("ix_credentials_credential_type_valid_to"),
        "credentials",
        ["credential_type", "valid_to"],
        unique=False,
    )
    op.create_table(
        "user_group_link",
        sa.Column("associate_id", sa.Integer(), nullable=False),
        sa.Column("user_group_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["associate_id"],
            ["associate.associate_id"],
            name=op.f("fk_user_group_link_associate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["user_group_id"],
            ["user_group.user_group_id"],
            name=op.f("fk_user_group_link_user_group_id"),
        ),
        sa.PrimaryKeyConstraint("associate_id", "user_group_id", name=op.f("pk_user_group_link")),
    )
    op.create_table(
        "user_role_link",
        sa.Column("associate_id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["associate_id"],
            ["associate.associate_id"],
            name=op.f("fk_user_role_link_associate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["role.role_id"], name=op.f("fk_user_role_link_role_id")
        ),
        sa.PrimaryKeyConstraint("associate_id", name=op.f("pk_user_role_link")),
    )
    op.create_index(op.f("ix_user_role_link_role_id"), "user_role_link", ["role_id"], unique=False)
