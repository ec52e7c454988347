"""What happened and can never be changed: timeline, answers to commands, refusals, audit log, outbox, archives."""

from sqlalchemy import JSON, BigInteger, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Code, Digest, Id, Instant, Note, Plain

_Number = BigInteger().with_variant(Integer, "sqlite")
"""A running number: 64 bits everywhere (SQLite's INTEGER key is its row id, already 64 bits)."""


_OptionalJson = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""JSON whose None is the database's NULL instead of a stored `null`."""


class TimelineRow(Base):
    """One timeline entry (`models.timeline.Entry`), append-only, chained by hash."""

    __tablename__ = "timeline"

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[Instant]
    actor: Mapped[Id]
    role: Mapped[Code]
    action: Mapped[Code]
    state_from: Mapped[Code]
    state_to: Mapped[Code]
    policy_version: Mapped[Code]
    key: Mapped[str] = mapped_column(String(200), index=True)
    previous_hash: Mapped[Digest]
    on_behalf_of: Mapped[Id] = mapped_column(default="")
    payload: Mapped[Plain]
    facts: Mapped[Plain]
    verdicts: Mapped[Plain]
    events: Mapped[Plain]
    hash: Mapped[Digest]
    receipt: Mapped[Plain] = mapped_column(_OptionalJson, default=None, nullable=True)


TELLS_OF_MONEY = text("action IN ('record_payment', 'reverse_payment', 'book_invoice')")
"""Entries that carry a value day, or bring an invoice that may be older than they are."""

Index("ix_timeline_money", TimelineRow.at, sqlite_where=TELLS_OF_MONEY, postgresql_where=TELLS_OF_MONEY)


class CommandRow(Base):
    """The answer that was given to a command, for ever; `scope` is the deal's id or a resource's name."""

    __tablename__ = "commands"
    __table_args__ = ({"sqlite_with_rowid": False},)

    scope: Mapped[Id] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    fingerprint: Mapped[Digest]
    body: Mapped[Plain]
    sequence: Mapped[int] = mapped_column(default=0)
    at: Mapped[Instant]


class RefusalRow(Base):
    """An act that was asked for and refused. `deal_id` is empty when no deal was touched."""

    __tablename__ = "refusals"

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    deal_id: Mapped[Id] = mapped_column(index=True)
    at: Mapped[Instant]
    actor: Mapped[Id]
    action: Mapped[Code]
    code: Mapped[Code]
    detail: Mapped[Plain]
    key: Mapped[str] = mapped_column(String(200), default="")


REFUSAL_KEYED = RefusalRow.key != ""
"""Refusals with a key are recorded once per deal, actor, key, action and code; those without one each time."""

Index(
    "uq_refusals_key",
    RefusalRow.deal_id,
    RefusalRow.actor,
    RefusalRow.key,
    RefusalRow.action,
    RefusalRow.code,
    unique=True,
    sqlite_where=REFUSAL_KEYED,
    postgresql_where=REFUSAL_KEYED,
)


class AuditLeafRow(Base):
    """One leaf of the audit log (RFC 6962), gap-free from 1.

    `leaf_hash` is SHA-256 over 0x00 and the canonical JSON of kind, ref and the hash of what is referred to: a
    timeline entry ('act', ref 'deal/sequence'), a refusal ('refusal', ref its id), a policy ('policy', ref its
    version). Kinds that have no row elsewhere ('import', 'read', ...) carry what they attest in `body`.

    `at` is business time, `logged_at` the wall clock in UTC when the leaf was appended. Leaves of `form` 2 cover both;
    those of form 1, of the first release, did not.
    """

    __tablename__ = "audit_leaves"

    sequence: Mapped[int] = mapped_column(_Number, primary_key=True, autoincrement=False)
    kind: Mapped[Code]
    ref: Mapped[str] = mapped_column(String(200), index=True)
    leaf_hash: Mapped[Digest]
    at: Mapped[Instant]
    body: Mapped[Plain] = mapped_column(_OptionalJson, default=None, nullable=True)
    form: Mapped[int] = mapped_column(default=1)
    logged_at: Mapped[Instant] = mapped_column(default="")


CARRIES_BODY = AuditLeafRow.body.is_not(None)
"""Leaves that attest what no other table holds: few among those of acts, and looked for by what they name."""

Index(
    "ix_audit_leaves_kind_ref",
    AuditLeafRow.kind,
    AuditLeafRow.ref,
    sqlite_where=CARRIES_BODY,
    postgresql_where=CARRIES_BODY,
)


class AuditHeadRow(Base):
    """The one row (id 1) that hands out leaf numbers; writers queue on its lock, so that no number is skipped."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_sequence: Mapped[int] = mapped_column(_Number)


class OutboxRow(Base):
    """An event for the outside world, written with the move it tells of; `dispatched_at` empty until delivered."""

    __tablename__ = "outbox"
    __table_args__ = (UniqueConstraint("deal_id", "sequence", "topic", name="uq_outbox_deal_id"),)

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    deal_id: Mapped[Id]
    sequence: Mapped[int]
    topic: Mapped[str] = mapped_column(String(80))
    body: Mapped[Plain]
    at: Mapped[Instant]
    dispatched_at: Mapped[Instant] = mapped_column(default="")


class ArchivedHistoryRow(Base):
    """A complete workflow history that we keep: where its file lies in the archive folder, and its digest."""

    __tablename__ = "archived_histories"

    workflow_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    run_id: Mapped[Id] = mapped_column(primary_key=True)
    deal_id: Mapped[Id] = mapped_column(index=True)
    events: Mapped[int]
    digest: Mapped[Digest]
    file: Mapped[Note]
    archived_at: Mapped[Instant]
