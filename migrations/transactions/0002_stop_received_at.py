"""When the stop of a transaction was received: what tells a start that was held up from one that is new."""

import sqlalchemy as sa
from alembic import op

revision = "transactions_0002"
down_revision = "transactions_0001"


def upgrade() -> None:
    column = sa.Column("stop_received_at", sa.DateTime(timezone=True))
    op.add_column("transactions", column, schema="transactions")
