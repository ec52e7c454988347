"""Reconciliations of mutual accounts: one statement per customer, currency and month, and its answer."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Code, Currency, Digest, Id, Instant, Minor, Name, Note, Plain


class ReconciliationRow(Base):
    """A statement of account and the customer's answer. Balances are what the customer owes us.

    `lines` are the invoices that were open at the month's end, `credit_minor` what the customer had beyond them. The
    letter is filed under `reference`; `letter_digest` is empty until it is written. Instants are empty until they
    come: `reminded_at` is when the missing answer has rung. A rehearsal (`is_test`) is about test deals alone.
    """

    __tablename__ = "reconciliations"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'confirmed', 'differs', 'settled')", name="state"),
        UniqueConstraint("customer_id", "currency", "month", "is_test"),
        Index("ix_reconciliations_month", "month", "id"),
        Index("ix_reconciliations_state", "state", "deadline"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    customer_id: Mapped[Id]
    currency: Mapped[Currency]
    month: Mapped[str] = mapped_column(String(7))
    is_test: Mapped[bool]
    state: Mapped[Code]
    our_balance_minor: Mapped[Minor]
    their_balance_minor: Mapped[Minor]
    credit_minor: Mapped[Minor]
    lines: Mapped[Plain]
    reference: Mapped[Id]
    letter_key: Mapped[str] = mapped_column(String(200))
    letter_name: Mapped[Note]
    letter_digest: Mapped[Digest]
    sent_at: Mapped[Instant]
    deadline: Mapped[Instant]
    reminded_at: Mapped[Instant]
    answered_at: Mapped[Instant]
    answered_by: Mapped[Id]
    answer_key: Mapped[str] = mapped_column(String(200))
    settled_at: Mapped[Instant]
    settled_by: Mapped[Id]
    note: Mapped[Note]


class ReconciliationItemRow(Base):
    """One difference: what the customer says, and what it became.

    `became` is empty (not seen to yet), `dispute` (number `dispute` of the invoice), `task` (an alert) or `corrected`;
    `outcome` says it in words. `disputed_minor` is what is to be disputed, fixed when the answer came.
    """

    __tablename__ = "reconciliation_items"
    __table_args__ = (
        CheckConstraint("kind IN ('unknown_invoice', 'missing_payment', 'amount', 'other')", name="kind"),
        CheckConstraint("became IN ('', 'dispute', 'task', 'corrected')", name="became"),
    )

    reconciliation_id: Mapped[Id] = mapped_column(ForeignKey("reconciliations.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[Code]
    invoice: Mapped[Code]
    deal_id: Mapped[Id]
    ours_minor: Mapped[Minor]
    theirs_minor: Mapped[Minor]
    disputed_minor: Mapped[Minor]
    reference: Mapped[Name]
    note: Mapped[Note]
    became: Mapped[Code]
    dispute: Mapped[int]
    outcome: Mapped[Note]
