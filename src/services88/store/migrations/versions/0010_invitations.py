"""When an administrator last mailed a user a link, by which a removed password may come back.

Of users without a password it is not known which were invited before, so an administrator mails
them a link once more.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column."""
    op.add_column("associate", sa.Column("invited", sa.BigInteger(), nullable=True))
