"""The audit trail: a keyed hash of each head, counts by who did it; mailed links by their end."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_GENESIS = "0" * 64
_KEY = (
    "tenant_id",
    "minute",
    "event",
    "reason",
    "associate_id",
    "by_associate_id",
    "application_token_id",
    "address",
    "name_hash",
)


def upgrade() -> None:
    """Add the columns and the index, and give every tenant a head to lock."""
    op.add_column(
        "audit_head", sa.Column("mac", sa.String(length=81), server_default="", nullable=False)
    )
    # Of a tenant with events and no head the first event to come finds the last one, as before.
    op.execute(
        sa.text(
            "INSERT INTO audit_head (tenant_id, sequence, hash) SELECT tenant_id, 0, :genesis "
            "FROM tenant WHERE tenant_id NOT IN (SELECT tenant_id FROM audit_head) "
            "AND tenant_id NOT IN (SELECT tenant_id FROM audit_event)"
        ).bindparams(genesis=_GENESIS)
    )
    _count_by_who_did_it()
    op.create_index(op.f("ix_reset_link_expires"), "reset_link", ["expires"])


def _count_by_who_did_it() -> None:
    connection = op.get_bind()
    counted = connection.execute(sa.text("SELECT * FROM audit_pending")).mappings().all()
    op.drop_table("audit_pending")
    table = op.create_table(
        "audit_pending",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("minute", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=254), nullable=False),
        sa.Column("associate_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("by_associate_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("application_token_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("name_hash", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_audit_pending_tenant_id")
        ),
        sa.PrimaryKeyConstraint(*_KEY, name=op.f("pk_audit_pending")),
    )
    if counted:
        op.bulk_insert(table, [{**row, "by_associate_id": 0} for row in counted])
