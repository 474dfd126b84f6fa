"""Nick names; from which application a ticket and a user's sign-ins come."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns, and make the table of applications seen."""
    op.add_column(
        "associate",
        sa.Column("nick_name", sa.String(length=254), server_default="", nullable=False),
    )
    op.add_column("associate", sa.Column("nick_key", sa.String(length=254), nullable=True))
    op.create_index(
        op.f("ix_associate_tenant_id_nick_key"), "associate", ["tenant_id", "nick_key"], unique=True
    )
    op.add_column(
        "credentials",
        sa.Column("application_token_id", sa.Integer(), server_default="0", nullable=False),
    )
    op.create_table(
        "seen_application",
        sa.Column("associate_id", sa.Integer(), nullable=False),
        sa.Column("application_token_id", sa.Integer(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["associate_id"],
            ["associate.associate_id"],
            name=op.f("fk_seen_application_associate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["application_token_id"],
            ["application_token.application_token_id"],
            name=op.f("fk_seen_application_application_token_id"),
        ),
        sa.PrimaryKeyConstraint(
            "associate_id", "application_token_id", name=op.f("pk_seen_application")
        ),
    )
