"""What was written and printed: a row per letter and per document, with the digest that proves which one it was."""

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Code, Digest, Id, Instant, Note


class LetterRow(Base):
    """A letter to a customer: what was written, and how it leaves.

    `name` and `digest` are those of the PDF below the outbox folder, `text_digest` that of the text beside it (older
    letters are a text alone, whose digest is `digest`). `subject` is its title. `at` is the letter's own instant,
    `queued_at` since when it waits. `infra.gateways.letter_states` has the states; `message_id` is set once and for
    ever, `attempts` counts claims and fences them, before `lease_until` nobody else takes the letter, `failure` says
    in words what went wrong last. `dispatched_at` is empty until the letter has left.
    """

    __tablename__ = "letters"
    __table_args__ = (
        Index("ix_letters_deal_id", "deal_id", "at"),
        Index("ix_letters_dispatched_at", "dispatched_at", "at"),
        Index("ix_letters_state", "state", "queued_at"),
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
    text_digest: Mapped[Digest] = mapped_column(server_default="")
    subject: Mapped[Note] = mapped_column(server_default="")
    state: Mapped[Code] = mapped_column(server_default="kept")
    queued_at: Mapped[Instant] = mapped_column(server_default="")
    message_id: Mapped[str] = mapped_column(String(200), server_default="")
    attempts: Mapped[int] = mapped_column(server_default="0")
    lease_until: Mapped[Instant] = mapped_column(server_default="")
    failure: Mapped[Note] = mapped_column(server_default="")


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
