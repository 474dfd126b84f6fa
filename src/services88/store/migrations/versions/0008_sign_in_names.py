"""What a person may type to sign in becomes one name space a tenant.

Of names that collide, a user name stays with the user who has it, then an e-mail address with the
first active user who has it, then a nick name. So nobody loses a user name; what is an e-mail
address or a nick name only, and another user's name, is reported.
"""

import logging

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_log = logging.getLogger("services88.migrations")

_MOST_REPORTED = 50
_BY_NAME = (
    "INSERT INTO sign_in_name (tenant_id, name_key, associate_id, kind)"
    " SELECT tenant_id, name_key, associate_id, 'name' FROM associate"
)
_BY_EMAIL = (
    "INSERT INTO sign_in_name (tenant_id, name_key, associate_id, kind)"
    " SELECT a.tenant_id, p.email_key, MIN(a.associate_id), 'email'"
    " FROM associate a JOIN person p ON p.person_id = a.person_id"
    " WHERE p.email_key <> '' AND a.deleted = :deleted"
    " AND NOT EXISTS (SELECT 1 FROM sign_in_name s"
    " WHERE s.tenant_id = a.tenant_id AND s.name_key = p.email_key)"
    " GROUP BY a.tenant_id, p.email_key"
)
_BY_NICK_NAME = (
    "INSERT INTO sign_in_name (tenant_id, name_key, associate_id, kind)"
    " SELECT a.tenant_id, a.nick_key, a.associate_id, 'nick' FROM associate a"
    " WHERE a.nick_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sign_in_name s"
    " WHERE s.tenant_id = a.tenant_id AND s.name_key = a.nick_key)"
)
_COLLISIONS = (
    "SELECT a.associate_id, 'e-mail address', s.associate_id, s.kind FROM associate a"
    " JOIN person p ON p.person_id = a.person_id"
    " JOIN sign_in_name s ON s.tenant_id = a.tenant_id AND s.name_key = p.email_key"
    " WHERE s.associate_id <> a.associate_id"
    " UNION ALL"
    " SELECT a.associate_id, 'nick name', s.associate_id, s.kind FROM associate a"
    " JOIN sign_in_name s ON s.tenant_id = a.tenant_id AND s.name_key = a.nick_key"
    " WHERE s.associate_id <> a.associate_id"
    " ORDER BY 1, 2"
)
_KINDS = {"name": "user name", "email": "e-mail address", "nick": "nick name"}


def upgrade() -> None:
    """Make the table, fill it, and report what collides."""
    op.create_table(
        "sign_in_name",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("name_key", sa.String(length=254), nullable=False),
        sa.Column("associate_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.tenant_id"], name=op.f("fk_sign_in_name_tenant_id")
        ),
        sa.ForeignKeyConstraint(
            ["associate_id"], ["associate.associate_id"], name=op.f("fk_sign_in_name_associate_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "name_key", name=op.f("pk_sign_in_name")),
    )
    op.create_index(op.f("ix_sign_in_name_associate_id"), "sign_in_name", ["associate_id"])
    connection = op.get_bind()
    connection.execute(sa.text(_BY_NAME))
    by_email = sa.text(_BY_EMAIL).bindparams(sa.bindparam("deleted", type_=sa.Boolean()))
    connection.execute(by_email, {"deleted": False})
    connection.execute(by_email, {"deleted": True})
    connection.execute(sa.text(_BY_NICK_NAME))
    _report(connection)


def _report(connection: sa.Connection) -> None:
    collisions = connection.execute(sa.text(_COLLISIONS)).all()
    for associate_id, what, owner, kind in collisions[:_MOST_REPORTED]:
        _log.warning(
            "the %s of the user with associate id %d does not sign that user in: "
            "it is the %s of associate id %d, who keeps it",
            what,
            associate_id,
            _KINDS[kind],
            owner,
        )
    if len(collisions) > _MOST_REPORTED:
        _log.warning("there are %d more such users", len(collisions) - _MOST_REPORTED)
