"""The audit trail becomes one hash chain for each tenant; what is there already is chained."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the new tables, and move the events over."""
    events = (
        op.get_bind()
        .execute(
            sa.text(
                "SELECT tenant_id, at, event, associate_id, by_associate_id, application_token_id,"
                " address FROM audit_event ORDER BY tenant_id, audit_event_id"
            )
        )
        .all()
    )
    op.drop_table("audit_event")
    _make_tables()
    _chain(events)


def _make_tables() -> None:
    op.create_table(
        "audit_event",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=254), nullable=False),
        sa.Column("associate_id", sa.Integer(), nullable=False),
        sa.Column("by_associate_id", sa.Integer(), nullable=False),
        sa.Column("application_token_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("name_hash", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_audit_event_tenant_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "sequence", name=op.f("pk_audit_event")),
    )
    op.create_index(
        op.f("ix_audit_event_tenant_id_associate_id_at"),
        "audit_event",
        ["tenant_id", "associate_id", "at"],
    )
    op.create_table(
        "audit_head",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_audit_head_tenant_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_pending",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("minute", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=254), nullable=False),
        sa.Column("associate_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("application_token_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("name_hash", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_audit_pending_tenant_id")
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "minute",
            "event",
            "reason",
            "associate_id",
            "application_token_id",
            "address",
            "name_hash",
            name=op.f("pk_audit_pending"),
        ),
    )


def _chain(events: Sequence[Any]) -> None:
    connection = op.get_bind()
    ends: dict[int, tuple[int, str]] = {
        row[0]: (0, "0" * 64) for row in connection.execute(sa.text("SELECT tenant_id FROM tenant"))
    }
    for tenant, at, event, associate, by, application, address in events:
        sequence, previous = ends[tenant][0] + 1, ends[tenant][1]
        # As identity/audit_chain.py wrote it when this migration was made.
        content = [1, previous, tenant, sequence, at, event, "success", "", associate, by]
        content += [application, address, "", 1, ""]
        hashed = sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()
        ends[tenant] = (sequence, hashed)
        connection.execute(
            sa.text(
                "INSERT INTO audit_event (tenant_id, sequence, at, event, result, reason,"
                " associate_id, by_associate_id, application_token_id, address, name_hash, count,"
                " key_id, hash) VALUES (:tenant, :sequence, :at, :event, 'success', '',"
                " :associate, :by, :application, :address, '', 1, '', :hash)"
            ),
            {
                "tenant": tenant,
                "sequence": sequence,
                "at": at,
                "event": event,
                "associate": associate,
                "by": by,
                "application": application,
                "address": address,
                "hash": hashed,
            },
        )
    for tenant, (sequence, hashed) in ends.items():
        connection.execute(
            sa.text(
                "INSERT INTO audit_head (tenant_id, sequence, hash)"
                " VALUES (:tenant, :sequence, :hash)"
            ),
            {"tenant": tenant, "sequence": sequence, "hash": hashed},
        )
