"""Attempts at a password that are under way; a random number of each password."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table; add the column, and draw a number for each password."""
    op.create_table(
        "password_attempt",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("name_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("attempt_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_password_attempt_tenant_id")
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "name_hash", "address", "attempt_id", name=op.f("pk_password_attempt")
        ),
    )
    op.create_index(
        op.f("ix_password_attempt_tenant_id_address"), "password_attempt", ["tenant_id", "address"]
    )
    op.add_column("credentials", sa.Column("draw", sa.Integer(), nullable=True))
    # Both kinds of database multiply and take remainders alike; neither has the other's random().
    # The factor is odd, so that different rows get different numbers, and drawn anew here.
    numbered = sa.text(
        "UPDATE credentials SET draw = (credentials_id * :factor + :begin) % 2147483648 "
        "WHERE credential_type = 'CRM5/PASSWORD'"
    )
    factor, begin = secrets.randbits(30) | 1, secrets.randbits(30)
    op.execute(numbered.bindparams(factor=factor, begin=begin))
    op.create_index(
        op.f("ix_credentials_tenant_id_draw"),
        "credentials",
        ["tenant_id", "draw"],
        sqlite_where=sa.text("draw IS NOT NULL"),
        postgresql_where=sa.text("draw IS NOT NULL"),
    )
