"""Mails that are owed, and mailed links by which a password can be changed once."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make both tables."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "outbox",
        sa.Column("outbox_id", key, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("associate_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claimed_until", sa.BigInteger(), nullable=True),
        sa.Column("sent", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_outbox_tenant_id")
        ),
        sa.ForeignKeyConstraint(
            ["associate_id"], ["associate.associate_id"], name=op.f("fk_outbox_associate_id")
        ),
        sa.PrimaryKeyConstraint("outbox_id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    for columns in (["sent", "due"], ["created"], ["associate_id", "kind", "created"]):
        op.create_index(op.f(f"ix_outbox_{'_'.join(columns)}"), "outbox", columns)
    op.create_table(
        "reset_link",
        sa.Column("reset_link_id", key, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("associate_id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_reset_link_tenant_id")
        ),
        sa.ForeignKeyConstraint(
            ["associate_id"], ["associate.associate_id"], name=op.f("fk_reset_link_associate_id")
        ),
        sa.PrimaryKeyConstraint("reset_link_id", name=op.f("pk_reset_link")),
        sa.UniqueConstraint("secret", name=op.f("uq_reset_link_secret")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_reset_link_associate_id"), "reset_link", ["associate_id"])
