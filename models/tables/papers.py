"""What was written and printed: a row per letter and per document, with the digest that proves which one it was."""

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Code, Digest, Id, Instant, Note


class LetterRow(Base):
    """A letter to a customer; `name` is its file below the outbox folder, `dispatched_at` empty until it left."""

    __tablename__ = "letters"
    __table_args__ = (
        Index("ix_letters_deal_id", "deal_id", "at"),
        Index("ix_letters_dispatched_at", "dispatched_at", "at"),
    )

    effect_key: Mapped[str] = mapped_column(String(200), primary_key=True)
    deal_id: Mapped[Id]
    customer_id: Mapped[Id]
    kind: Mapped[Code]
    language: Mapped[Code]
    name: Mapped[Note]
    digest: Mapped[Digest]
    at: Mapped[Instant]
    dispatched_at: Mapped[Instant] = mapped_column(default="")


class DocumentRow(Base):
    """A printed document; `name` is its file below the documents folder, which never changes afterwards."""

    __tablename__ = "documents"
    __table_args__ = (Index("ix_documents_deal_id", "deal_id", "kind", "version"),)

    effect_key: Mapped[str] = mapped_column(String(200), primary_key=True)
    deal_id: Mapped[Id]
    kind: Mapped[Code]
    version: Mapped[int]
    name: Mapped[Note]
    digest: Mapped[Digest]
    at: Mapped[Instant]
