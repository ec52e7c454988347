"""The books of money: credit limits and headroom, granted discounts, invoices and what was booked on them.

invoiced = paid + credited + written off + open, per currency; paid are payments less reversals. All amounts are minor
units.
"""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Code, Currency, Id, Instant, Minor, Name, Note, Plain

_Number = BigInteger().with_variant(Integer, "sqlite")
_NO_ROWID = {"sqlite_with_rowid": False}


class CreditGroupRow(Base):
    """The credit limit of a customer group in one currency, and the sum of all headroom reserved from it.

    `fixed_by` is the risk officer who set the limit; empty when it is the assessment's suggestion.
    """

    __tablename__ = "credit_groups"
    __table_args__ = (
        CheckConstraint("reserved_minor >= 0", name="reserved_minor"),
        CheckConstraint("limit_minor >= 0", name="limit_minor"),
        _NO_ROWID,
    )

    group_id: Mapped[Id] = mapped_column(primary_key=True)
    currency: Mapped[Currency] = mapped_column(primary_key=True)
    limit_minor: Mapped[Minor]
    fixed_by: Mapped[Id] = mapped_column(default="")
    reserved_minor: Mapped[Minor] = mapped_column(default=0)


class HeadroomRow(Base):
    """One reservation of headroom: `active` counts against the limit, `released` and `expired` are history."""

    __tablename__ = "headroom"
    __table_args__ = (
        CheckConstraint("amount_minor >= 0", name="amount_minor"),
        CheckConstraint("state IN ('active', 'released', 'expired')", name="state"),
        Index("ix_headroom_group_id", "group_id", "currency", "state", "expires_at"),
        Index("ix_headroom_deal_id", "deal_id"),
        _NO_ROWID,
    )

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    deal_id: Mapped[Id]
    group_id: Mapped[Id]
    currency: Mapped[Currency]
    amount_minor: Mapped[Minor]
    expires_at: Mapped[Instant]
    state: Mapped[Code]
    changed_at: Mapped[Instant]


class GroupHoldRow(Base):
    """A deal that holds its customer's whole group: no other deal of it confirms anything or sends goods.

    `invoice` is what is late; empty when a person asked for the hold. Test deals hold test deals alone.
    """

    __tablename__ = "group_holds"
    __table_args__ = (Index("ix_group_holds_group_id", "group_id", "is_test", "since"), _NO_ROWID)

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    invoice: Mapped[Code] = mapped_column(primary_key=True)
    group_id: Mapped[Id]
    customer_id: Mapped[Id]
    is_test: Mapped[bool]
    reason: Mapped[Note]
    since: Mapped[Instant]


class GrantedDiscountRow(Base):
    """The list value and discount of one accepted deal; cumulative discount authority is measured by the sum."""

    __tablename__ = "granted_discounts"
    __table_args__ = (Index("ix_granted_discounts_customer_id", "customer_id", "currency", "at"),)

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    customer_id: Mapped[Id]
    currency: Mapped[Currency]
    list_minor: Mapped[Minor]
    discount_minor: Mapped[Minor]
    at: Mapped[Instant]


class InvoiceSeriesRow(Base):
    """Hands out the numbers of invoices and credit notes; writers queue on a series' row until they commit, so that no
    number is skipped."""

    __tablename__ = "invoice_series"
    __table_args__ = (_NO_ROWID,)

    series: Mapped[Code] = mapped_column(primary_key=True)
    next_number: Mapped[int]


class InvoiceRow(Base):
    """An issued invoice. It never changes but for `open_minor` and `settled_at` (empty while something is open)."""

    __tablename__ = "invoices"
    __table_args__ = (
        CheckConstraint("open_minor >= 0 AND open_minor <= total_minor", name="open_minor"),
        Index("ix_invoices_customer_id", "customer_id", "number"),
        Index("ix_invoices_deal_id", "deal_id", "number"),
    )

    number: Mapped[Code] = mapped_column(primary_key=True)
    deal_id: Mapped[Id]
    customer_id: Mapped[Id]
    kind: Mapped[Code]
    currency: Mapped[Currency]
    total_minor: Mapped[Minor]
    open_minor: Mapped[Minor]
    issued_at: Mapped[Instant]
    due_at: Mapped[Instant]
    settled_at: Mapped[Instant] = mapped_column(default="")
    effect_key: Mapped[str] = mapped_column(String(200), unique=True)
    lines: Mapped[Plain]


class LedgerEntryRow(Base):
    """One booking on an invoice, append-only: `amount_minor` was applied to it, `unapplied_minor` is kept as credit. A
    reversal takes both back; a set-off uses credit (`unapplied_minor`) of one invoice for another. Credit notes have a
    `number`, other entries none."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        CheckConstraint("kind IN ('payment', 'credit_note', 'write_off', 'reversal', 'set_off')", name="kind"),
        CheckConstraint("amount_minor >= 0 AND unapplied_minor >= 0", name="amount_minor"),
        Index("ix_ledger_entries_invoice", "invoice", "id"),
        Index("ix_ledger_entries_customer_id", "customer_id", "currency", "id"),
        Index(
            "uq_ledger_entries_number",
            "number",
            unique=True,
            sqlite_where=text("number <> ''"),
            postgresql_where=text("number <> ''"),
        ),
    )

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    invoice: Mapped[Code] = mapped_column(ForeignKey("invoices.number"))
    deal_id: Mapped[Id]
    customer_id: Mapped[Id]
    kind: Mapped[Code]
    amount_minor: Mapped[Minor]
    unapplied_minor: Mapped[Minor] = mapped_column(default=0)
    currency: Mapped[Currency]
    reference: Mapped[Name]
    at: Mapped[Instant]
    effect_key: Mapped[str] = mapped_column(String(200), unique=True)
    number: Mapped[Code] = mapped_column(default="", server_default="")
