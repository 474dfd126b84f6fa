"""How often a network asked for something without a sign-in, counted for all servers together."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "request_counter",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "network", name=op.f("pk_request_counter")),
    )
    op.create_index(op.f("ix_request_counter_since"), "request_counter", ["since"])
