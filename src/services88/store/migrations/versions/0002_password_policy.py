"""Preferences of a tenant, and the passwords that users had."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "password_history",
        sa.Column(
            "password_history_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("associate_id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("replaced", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["associate_id"],
            ["associate.associate_id"],
            name=op.f("fk_password_history_associate_id"),
        ),
        sa.PrimaryKeyConstraint("password_history_id", name=op.f("pk_password_history")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_password_history_associate_id_replaced"),
        "password_history",
        ["associate_id", "replaced"],
    )
    op.create_table(
        "preference",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("section", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_preference_tenant_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "section", "key", name=op.f("pk_preference")),
    )
