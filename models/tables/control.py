"""Who may do what, and when that was so: deputies, and policies from draft to activation."""

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Code, Digest, Id, Instant, Note, Plain

_Number = BigInteger().with_variant(Integer, "sqlite")


class DeputyRow(Base):
    """Somebody stands in for somebody else within a window (D1); `ended_at` is when it was ended before its time."""

    __tablename__ = "deputies"

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    absent: Mapped[Id] = mapped_column(index=True)
    deputy: Mapped[Id] = mapped_column(index=True)
    from_at: Mapped[Instant]
    until_at: Mapped[Instant]
    reason: Mapped[Note] = mapped_column(default="")
    appointed_by: Mapped[Id]
    appointed_at: Mapped[Instant]
    ended_at: Mapped[Instant] = mapped_column(default="")
    ended_by: Mapped[Id] = mapped_column(default="")


class PolicyDraftRow(Base):
    """A policy on its way: `state` is draft, approved, active or withdrawn. An approval binds to `body_hash`; changing
    the body makes it a draft again. When it becomes active it stands in `policies` for ever."""

    __tablename__ = "policy_drafts"

    version: Mapped[Code] = mapped_column(primary_key=True)
    based_on: Mapped[Code]
    body: Mapped[Plain]
    body_hash: Mapped[Digest]
    state: Mapped[Code]
    note: Mapped[Note] = mapped_column(default="")
    drafted_by: Mapped[Id]
    edited_by: Mapped[Plain]
    edited_at: Mapped[Instant]
    approved_by: Mapped[Id] = mapped_column(default="")
    approved_at: Mapped[Instant] = mapped_column(default="")
    approved_hash: Mapped[str] = mapped_column(String(64), default="")
    active_from: Mapped[Instant] = mapped_column(default="")
