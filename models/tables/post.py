"""What comes in from outside and must never be lost: carrier messages with what became of them, and alerts."""

from sqlalchemy import BigInteger, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Code, Digest, Id, Instant, Note

_Number = BigInteger().with_variant(Integer, "sqlite")


class CarrierMessageRow(Base):
    """One message of a carrier as it came in, once per (carrier, message id).

    `outcome` is `received` (not yet told to the deal), `booked`, `unchanged` (old news) or `dead`; `reason` says why a
    dead one could not be used. `body` is the text as it came in, or `base64:` and the bytes when it is none. `digest`
    is that of the body's canonical JSON, or of its bytes when it is none; a message without an id has it for one.
    """

    __tablename__ = "carrier_messages"
    __table_args__ = (
        UniqueConstraint("carrier", "message_id"),
        Index("ix_carrier_messages_outcome", "outcome", "id"),
        Index("ix_carrier_messages_shipment", "shipment", "id"),
    )

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    carrier: Mapped[Code]
    message_id: Mapped[str] = mapped_column(String(200))
    shipment: Mapped[str] = mapped_column(String(100))
    deal_id: Mapped[Id]
    kind: Mapped[Code]
    occurred_at: Mapped[Instant]
    received_at: Mapped[Instant]
    outcome: Mapped[Code]
    reason: Mapped[Note]
    body: Mapped[Note]
    digest: Mapped[Digest]
    tries: Mapped[int]
    settled_at: Mapped[Instant]


class AlertRow(Base):
    """Something that a person must look at; `acknowledged_at` is empty until somebody has."""

    __tablename__ = "alerts"
    __table_args__ = (Index("ix_alerts_acknowledged_at", "acknowledged_at", "id"),)

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    at: Mapped[Instant]
    kind: Mapped[Code]
    subject: Mapped[str] = mapped_column(String(250))
    text: Mapped[Note]
    acknowledged_by: Mapped[Id]
    acknowledged_at: Mapped[Instant]


Index(
    "uq_alerts_kind_subject",
    AlertRow.kind,
    AlertRow.subject,
    unique=True,
    sqlite_where=AlertRow.acknowledged_at == "",
    postgresql_where=AlertRow.acknowledged_at == "",
)
"""One open alert per matter: the same trouble again does not ring twice."""
