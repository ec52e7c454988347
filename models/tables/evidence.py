"""What proves the audit log to outsiders: its tiles, its signed checkpoints, the keys that signed, and deliveries."""

from sqlalchemy import BigInteger, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Code, Digest, Instant, Note

_Number = BigInteger().with_variant(Integer, "sqlite")


class AuditTileRow(Base):
    """The root of a complete subtree of the audit log, kept so that proofs read few leaves. Filled after leaves stand,
    never by who appends them; it can be thrown away and computed again.

    `level` counts binary levels above the leaves, `number` subtrees of that level from the left, from 0.
    """

    __tablename__ = "audit_tiles"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(_Number, primary_key=True, autoincrement=False)
    hash: Mapped[Digest]


class AuditKeyRow(Base):
    """A key that signs checkpoints; the private half is a file in the folder of keys. `retired_at` is empty while it
    signs. `public_key` is base64 of 32 bytes, `key_hash` its short hash in signed notes."""

    __tablename__ = "audit_keys"

    key_hash: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    public_key: Mapped[Code] = mapped_column(String(60))
    made_at: Mapped[Instant]
    retired_at: Mapped[Instant] = mapped_column(default="")


AUDIT_KEY_SIGNS = AuditKeyRow.retired_at == ""
"""One key signs at a time, whoever makes keys at the same moment."""

Index(
    "uq_audit_keys_signing",
    AuditKeyRow.retired_at,
    unique=True,
    sqlite_where=AUDIT_KEY_SIGNS,
    postgresql_where=AUDIT_KEY_SIGNS,
)


class CheckpointRow(Base):
    """A signed head of the audit log; `note` is the whole signed note (models.checkpoint). One per size and key."""

    __tablename__ = "checkpoints"
    __table_args__ = (UniqueConstraint("size", "key_hash", name="uq_checkpoints_size"),)

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    size: Mapped[int] = mapped_column(_Number)
    root: Mapped[Digest]
    at: Mapped[Instant]
    key_hash: Mapped[Code]
    note: Mapped[Note]


class CheckpointDeliveryRow(Base):
    """A checkpoint handed outside, or not yet: `target` is `drop` or `webhook`, `delivered_at` empty until it was."""

    __tablename__ = "checkpoint_deliveries"
    __table_args__ = (UniqueConstraint("checkpoint_id", "target", name="uq_checkpoint_deliveries_checkpoint_id"),)

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    checkpoint_id: Mapped[int] = mapped_column(_Number)
    target: Mapped[Code]
    attempts: Mapped[int] = mapped_column(default=0)
    problem: Mapped[Note] = mapped_column(default="")
    delivered_at: Mapped[Instant] = mapped_column(default="")
