"""The fulfilment desk."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _guard_the_stock_moves() -> None:
    """The book of stock moves is append-only, whoever connects."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
        op.execute(
            "CREATE TRIGGER stock_moves_append_only BEFORE UPDATE OR DELETE ON stock_moves "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER stock_moves_no_{act.lower()} BEFORE {act} ON stock_moves "
            "BEGIN SELECT RAISE(ABORT, 'stock_moves is append-only'); END"
        )


def _unguard_the_stock_moves() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER stock_moves_append_only ON stock_moves")
        op.execute("DROP FUNCTION refuse_change()")
        return
    for act in ("update", "delete"):
        op.execute(f"DROP TRIGGER stock_moves_no_{act}")


def upgrade() -> None:
    _guard_the_stock_moves()
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=250), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("acknowledged_by", sa.String(length=80), nullable=False),
        sa.Column("acknowledged_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    op.create_index("ix_alerts_acknowledged_at", "alerts", ["acknowledged_at", "id"], unique=False)
    op.create_index(
        "uq_alerts_kind_subject",
        "alerts",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("acknowledged_at = ''"),
        postgresql_where=sa.text("acknowledged_at = ''"),
    )
    op.create_table(
        "carrier_messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("shipment", sa.String(length=100), nullable=False),
        sa.Column("deal_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("occurred_at", sa.String(length=20), nullable=False),
        sa.Column("received_at", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("settled_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_messages")),
        sa.UniqueConstraint("carrier", "message_id", name=op.f("uq_carrier_messages_carrier")),
    )
    op.create_index("ix_carrier_messages_outcome", "carrier_messages", ["outcome", "id"], unique=False)
    op.create_index("ix_carrier_messages_shipment", "carrier_messages", ["shipment", "id"], unique=False)
    op.create_table(
        "deal_discrepancies",
        sa.Column("deal_id", sa.String(length=80), nullable=False),
        sa.Column("act_id", sa.String(length=80), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("article", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("measure", sa.String(length=40), nullable=False),
        sa.Column("prevention", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.String(length=20), nullable=False),
        sa.Column("settled_at", sa.String(length=20), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("deal_id", "act_id", "line", name=op.f("pk_deal_discrepancies")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deal_discrepancies_cause", "deal_discrepancies", ["cause", "opened_at"], unique=False)
    op.create_index(
        "ix_deal_discrepancies_state", "deal_discrepancies", ["state", "opened_at", "deal_id"], unique=False
    )
    op.create_table(
        "deal_requests",
        sa.Column("deal_id", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.String(length=20), nullable=False),
        sa.Column("answered_at", sa.String(length=20), nullable=False),
        sa.Column("answered_by", sa.String(length=80), nullable=False),
        sa.Column("escalated_at", sa.String(length=20), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("deal_id", "key", name=op.f("pk_deal_requests")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deal_requests_asked_at", "deal_requests", ["asked_at", "deal_id"], unique=False)
    op.create_index("ix_deal_requests_role", "deal_requests", ["role", "asked_at"], unique=False)
    op.create_table(
        "deal_shipments",
        sa.Column("deal_id", sa.String(length=80), nullable=False),
        sa.Column("number", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=300), nullable=False),
        sa.Column("shipped_at", sa.String(length=20), nullable=False),
        sa.Column("told_at", sa.String(length=20), nullable=False),
        sa.Column("lines", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("deal_id", "number", name=op.f("pk_deal_shipments")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deal_shipments_state", "deal_shipments", ["state", "shipped_at", "deal_id"], unique=False)
    op.create_table(
        "deal_shortages",
        sa.Column("deal_id", sa.String(length=80), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("article", sa.String(length=80), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("department", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("ordered", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("short", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.String(length=20), nullable=False),
        sa.Column("rung", sa.String(length=40), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("due_at", sa.String(length=20), nullable=False),
        sa.Column("expected_on", sa.String(length=10), nullable=False),
        sa.Column("promised_on", sa.String(length=10), nullable=False),
        sa.Column("choice", sa.String(length=40), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("options", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("deal_id", "line", name=op.f("pk_deal_shortages")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deal_shortages_article", "deal_shortages", ["article", "due_at"], unique=False)
    op.create_index("ix_deal_shortages_due_at", "deal_shortages", ["due_at", "deal_id", "line"], unique=False)
    op.create_table(
        "stock_waiting",
        sa.Column("deal_id", sa.String(length=80), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("article", sa.String(length=80), nullable=False),
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("allocated", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.String(length=20), nullable=False),
        sa.Column("expires_after", sa.BigInteger(), nullable=False),
        sa.Column("set_aside_at", sa.String(length=20), nullable=False),
        sa.CheckConstraint(
            "quantity >= 0 AND allocated >= 0 AND quantity + allocated > 0", name=op.f("ck_stock_waiting_units")
        ),
        sa.PrimaryKeyConstraint("deal_id", "line", name=op.f("pk_stock_waiting")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_stock_waiting_article", "stock_waiting", ["article", "since", "deal_id", "line"], unique=False)
    op.add_column("warehouses", sa.Column("country", sa.String(length=2), server_default="", nullable=False))


def downgrade() -> None:
    _unguard_the_stock_moves()
    op.drop_column("warehouses", "country")
    op.drop_index("ix_stock_waiting_article", table_name="stock_waiting")
    op.drop_table("stock_waiting")
    op.drop_index("ix_deal_shortages_due_at", table_name="deal_shortages")
    op.drop_index("ix_deal_shortages_article", table_name="deal_shortages")
    op.drop_table("deal_shortages")
    op.drop_index("ix_deal_shipments_state", table_name="deal_shipments")
    op.drop_table("deal_shipments")
    op.drop_index("ix_deal_requests_role", table_name="deal_requests")
    op.drop_index("ix_deal_requests_asked_at", table_name="deal_requests")
    op.drop_table("deal_requests")
    op.drop_index("ix_deal_discrepancies_state", table_name="deal_discrepancies")
    op.drop_index("ix_deal_discrepancies_cause", table_name="deal_discrepancies")
    op.drop_table("deal_discrepancies")
    op.drop_index("ix_carrier_messages_shipment", table_name="carrier_messages")
    op.drop_index("ix_carrier_messages_outcome", table_name="carrier_messages")
    op.drop_table("carrier_messages")
    op.drop_index(
        "uq_alerts_kind_subject",
        table_name="alerts",
        sqlite_where=sa.text("acknowledged_at = ''"),
        postgresql_where=sa.text("acknowledged_at = ''"),
    )
    op.drop_index("ix_alerts_acknowledged_at", table_name="alerts")
    op.drop_table("alerts")
