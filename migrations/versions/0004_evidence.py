"""Evidence: receipts, tiles and checkpoints of the audit log, deputies, policy drafts, personal data under keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_keys",
        sa.Column("key_hash", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("public_key", sa.String(length=60), nullable=False),
        sa.Column("made_at", sa.String(length=20), nullable=False),
        sa.Column("retired_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_audit_keys")),
    )
    op.create_index(
        "uq_audit_keys_signing",
        "audit_keys",
        ["retired_at"],
        unique=True,
        sqlite_where=sa.text("retired_at = ''"),
        postgresql_where=sa.text("retired_at = ''"),
    )
    op.create_table(
        "audit_tiles",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_audit_tiles")),
    )
    op.create_table(
        "checkpoint_deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("checkpoint_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("delivered_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoint_deliveries")),
        sa.UniqueConstraint("checkpoint_id", "target", name="uq_checkpoint_deliveries_checkpoint_id"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=20), nullable=False),
        sa.Column("key_hash", sa.String(length=40), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoints")),
        sa.UniqueConstraint("size", "key_hash", name="uq_checkpoints_size"),
    )
    op.create_table(
        "deputies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("absent", sa.String(length=80), nullable=False),
        sa.Column("deputy", sa.String(length=80), nullable=False),
        sa.Column("from_at", sa.String(length=20), nullable=False),
        sa.Column("until_at", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("appointed_by", sa.String(length=80), nullable=False),
        sa.Column("appointed_at", sa.String(length=20), nullable=False),
        sa.Column("ended_at", sa.String(length=20), nullable=False),
        sa.Column("ended_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputies")),
    )
    op.create_index(op.f("ix_deputies_absent"), "deputies", ["absent"], unique=False)
    op.create_index(op.f("ix_deputies_deputy"), "deputies", ["deputy"], unique=False)
    op.create_table(
        "erasures",
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.Column("requested_by", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.String(length=20), nullable=False),
        sa.Column("values_erased", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_erasures")),
    )
    op.create_index(op.f("ix_erasures_customer_id"), "erasures", ["customer_id"], unique=False)
    op.create_table(
        "personal_keys",
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.Column("wrapped", sa.String(length=200), nullable=False),
        sa.Column("wrapped_by", sa.String(length=40), nullable=False),
        sa.Column("made_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_personal_keys")),
    )
    op.create_index(op.f("ix_personal_keys_customer_id"), "personal_keys", ["customer_id"], unique=False)
    op.create_table(
        "personal_values",
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("made_at", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("commitment", name=op.f("pk_personal_values")),
    )
    op.create_index(op.f("ix_personal_values_subject"), "personal_values", ["subject"], unique=False)
    op.create_table(
        "policy_drafts",
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("based_on", sa.String(length=40), nullable=False),
        sa.Column("body", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("drafted_by", sa.String(length=80), nullable=False),
        sa.Column("edited_by", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("edited_at", sa.String(length=20), nullable=False),
        sa.Column("approved_by", sa.String(length=80), nullable=False),
        sa.Column("approved_at", sa.String(length=20), nullable=False),
        sa.Column("approved_hash", sa.String(length=64), nullable=False),
        sa.Column("active_from", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_policy_drafts")),
    )
    op.add_column("audit_leaves", sa.Column("form", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("audit_leaves", sa.Column("logged_at", sa.String(length=20), nullable=False, server_default=""))
    op.create_index(op.f("ix_audit_leaves_ref"), "audit_leaves", ["ref"], unique=False)
    carries_body = sa.text("body IS NOT NULL")
    op.create_index(
        "ix_audit_leaves_kind_ref",
        "audit_leaves",
        ["kind", "ref"],
        unique=False,
        sqlite_where=carries_body,
        postgresql_where=carries_body,
    )
    receipt = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
    op.add_column("timeline", sa.Column("receipt", receipt, nullable=True))
    tells_of_money = sa.text("action IN ('record_payment', 'reverse_payment', 'book_invoice')")
    op.create_index(
        "ix_timeline_money",
        "timeline",
        ["at"],
        unique=False,
        sqlite_where=tells_of_money,
        postgresql_where=tells_of_money,
    )
    with op.batch_alter_table("contacts") as contacts:
        contacts.alter_column("phone", type_=sa.String(length=300), existing_type=sa.String(length=40))


def downgrade() -> None:
    with op.batch_alter_table("contacts") as contacts:
        contacts.alter_column("phone", type_=sa.String(length=40), existing_type=sa.String(length=300))
    op.drop_index("ix_timeline_money", table_name="timeline")
    op.drop_column("timeline", "receipt")
    op.drop_index(op.f("ix_audit_leaves_ref"), table_name="audit_leaves")
    op.drop_index("ix_audit_leaves_kind_ref", table_name="audit_leaves")
    op.drop_column("audit_leaves", "logged_at")
    op.drop_column("audit_leaves", "form")
    op.drop_table("policy_drafts")
    op.drop_index(op.f("ix_personal_values_subject"), table_name="personal_values")
    op.drop_table("personal_values")
    op.drop_index(op.f("ix_personal_keys_customer_id"), table_name="personal_keys")
    op.drop_table("personal_keys")
    op.drop_index(op.f("ix_erasures_customer_id"), table_name="erasures")
    op.drop_table("erasures")
    op.drop_index(op.f("ix_deputies_deputy"), table_name="deputies")
    op.drop_index(op.f("ix_deputies_absent"), table_name="deputies")
    op.drop_table("deputies")
    op.drop_table("checkpoints")
    op.drop_table("checkpoint_deliveries")
    op.drop_table("audit_tiles")
    op.drop_index(
        "uq_audit_keys_signing",
        table_name="audit_keys",
        sqlite_where=sa.text("retired_at = ''"),
        postgresql_where=sa.text("retired_at = ''"),
    )
    op.drop_table("audit_keys")
