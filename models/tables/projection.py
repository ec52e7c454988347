"""The read side of a deal: one row of `deals`, and the rows of its parts: lines, agenda, invoices, shipments and so on.

Computed from the deal alone and written in the transaction that writes the timeline entry, so that a rebuild
from the timeline gives the same rows. An absent instant is the empty text.
"""

from sqlalchemy import BigInteger, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Code, Currency, Day, Digest, Id, Instant, Minor, Name, Note, Plain

_NO_ROWID = {"sqlite_with_rowid": False}
"""Small rows under a text key: SQLite keeps them in the key's own tree, half the pages to write."""


class DealRow(Base):
    """One deal as lists and boards show it; `snapshot` is its whole state, `due_at` its earliest agenda item."""

    __tablename__ = "deals"

    id: Mapped[Id] = mapped_column(primary_key=True)
    version: Mapped[int]
    state: Mapped[Code]
    stage: Mapped[Code]
    customer_id: Mapped[Id]
    group_id: Mapped[Id]
    owner: Mapped[Id]
    department: Mapped[Code]
    branch: Mapped[Code]
    currency: Mapped[Currency]
    title: Mapped[Name]
    is_test: Mapped[bool]
    policy_version: Mapped[Code]
    opened_at: Mapped[Instant]
    state_since: Mapped[Instant]
    updated_at: Mapped[Instant]
    due_at: Mapped[Instant]
    value_minor: Mapped[Minor]
    holds: Mapped[Note]
    goods_state: Mapped[Code]
    money_state: Mapped[Code]
    credit_state: Mapped[Code]
    approval_state: Mapped[Code]
    linked_deal: Mapped[Id]
    loss_reason: Mapped[Code]
    source_ref: Mapped[str] = mapped_column(String(200))
    closed_at: Mapped[Instant]
    last_hash: Mapped[Digest]
    pending_effects: Mapped[int]
    snapshot: Mapped[Plain]


for _filter in (DealRow.stage, DealRow.state, DealRow.owner, DealRow.customer_id, DealRow.department):
    # lists are read in the order (opened_at, id), which never changes, so that a page stays a page
    Index(f"ix_deals_{_filter.key}", _filter, DealRow.opened_at, DealRow.id)
Index("ix_deals_opened_at", DealRow.opened_at, DealRow.id)
Index(
    "uq_deals_source_ref",
    DealRow.source_ref,
    unique=True,
    sqlite_where=DealRow.source_ref != "",
    postgresql_where=DealRow.source_ref != "",
)


class DealLineRow(Base):
    """One order line: ordered = shipped + cancelled + substituted + open, in whole units."""

    __tablename__ = "deal_lines"
    __table_args__ = (_NO_ROWID,)

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    article: Mapped[Id]
    description: Mapped[Name]
    ordered: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger)
    shipped: Mapped[int] = mapped_column(BigInteger)
    delivered: Mapped[int] = mapped_column(BigInteger)
    cancelled: Mapped[int] = mapped_column(BigInteger)
    substituted: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[Code]
    expected_on: Mapped[Instant]
    unit_price_minor: Mapped[Minor]


class DealAgendaRow(Base):
    """What the deal waits for until when: `roles` is comma separated text, `person` a user id or empty."""

    __tablename__ = "deal_agenda"
    __table_args__ = (
        Index("ix_deal_agenda_due_at", "due_at", "deal_id"),
        Index("ix_deal_agenda_person", "person", "due_at"),
        _NO_ROWID,
    )

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    due_at: Mapped[Instant]
    kind: Mapped[Code]
    roles: Mapped[Note]
    person: Mapped[Id]
    department: Mapped[Code]
    action: Mapped[Code]
    note: Mapped[Note]
    is_test: Mapped[bool]


class DealApprovalRow(Base):
    """One request for approval; it binds to `subject_hash`, the exact thing that was asked for."""

    __tablename__ = "deal_approvals"
    __table_args__ = (Index("ix_deal_approvals_state", "state", "due_at", "deal_id"), _NO_ROWID)

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    approval_id: Mapped[Id] = mapped_column(primary_key=True)
    kind: Mapped[Code]
    subject_hash: Mapped[Digest]
    state: Mapped[Code]
    requested_by: Mapped[Id]
    requested_at: Mapped[Instant]
    due_at: Mapped[Instant]
    decided_by: Mapped[Id]
    decided_at: Mapped[Instant]
    roles: Mapped[Note]
    reason: Mapped[Note]


class DealInvoiceRow(Base):
    """One invoice as the deal sees it: total = paid + credited + written off + open; disputed is part of open.

    `interest_minor` is what had accrued at the invoice's last change (rounded down), `charged_for` the late invoice
    that a note of interest is about.
    """

    __tablename__ = "deal_invoices"
    __table_args__ = (
        Index("ix_deal_invoices_number", "number"),
        Index(
            "ix_deal_invoices_open",
            *("due_at", "number", "deal_id"),
            sqlite_where=text("open_minor > 0"),
            postgresql_where=text("open_minor > 0"),
        ),
        _NO_ROWID,
    )

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    number: Mapped[Id] = mapped_column(primary_key=True)
    kind: Mapped[Code]
    state: Mapped[Code]
    currency: Mapped[Currency]
    total_minor: Mapped[Minor]
    paid_minor: Mapped[Minor]
    credited_minor: Mapped[Minor]
    written_off_minor: Mapped[Minor]
    open_minor: Mapped[Minor]
    disputed_minor: Mapped[Minor]
    unapplied_minor: Mapped[Minor]
    interest_minor: Mapped[Minor]
    charged_minor: Mapped[Minor]
    waived_minor: Mapped[Minor]
    charged_for: Mapped[Code]
    issued_at: Mapped[Instant]
    due_at: Mapped[Instant]
    settled_at: Mapped[Instant]
    is_test: Mapped[bool]


class DealDisputeRow(Base):
    """One dispute about an invoice: frozen from `raised_at` to `ended_at` (empty while it lasts), minor units."""

    __tablename__ = "deal_disputes"
    __table_args__ = (Index("ix_deal_disputes_ended_at", "ended_at", "due_at", "deal_id"), _NO_ROWID)

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    invoice: Mapped[Code] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    currency: Mapped[Currency]
    amount_minor: Mapped[Minor]
    credited_minor: Mapped[Minor]
    reason: Mapped[Note]
    outcome: Mapped[Code]
    raised_at: Mapped[Instant]
    due_at: Mapped[Instant]
    ended_at: Mapped[Instant]
    is_test: Mapped[bool]


class DealPromiseRow(Base):
    """Money that a customer said when it would pay: a promise, or one instalment of a payment plan (`kind`).

    `number` counts the promises and plans of an invoice, `part` the instalments of a plan (0 for a promise). It holds
    from `made_at` to `ended_at` (empty while it runs); `outcome` is kept, broken, replaced, defaulted or ended.
    """

    __tablename__ = "deal_promises"
    __table_args__ = (Index("ix_deal_promises_until", "ended_at", "until", "deal_id"), _NO_ROWID)

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    invoice: Mapped[Code] = mapped_column(primary_key=True)
    kind: Mapped[Code] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    currency: Mapped[Currency]
    amount_minor: Mapped[Minor]
    made_at: Mapped[Instant]
    until: Mapped[Instant]
    ended_at: Mapped[Instant]
    outcome: Mapped[Code]
    is_test: Mapped[bool]


class DealRungRow(Base):
    """A rung of the collection ladder that an invoice has reached, and when."""

    __tablename__ = "deal_rungs"
    __table_args__ = (Index("ix_deal_rungs_rung", "rung", "at", "deal_id"), _NO_ROWID)

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    invoice: Mapped[Code] = mapped_column(primary_key=True)
    rung: Mapped[Code] = mapped_column(primary_key=True)
    at: Mapped[Instant]
    is_test: Mapped[bool]


class DealCaseRow(Base):
    """One complaint case; `lines` is comma separated text."""

    __tablename__ = "deal_cases"
    __table_args__ = (Index("ix_deal_cases_state", "state", "due_at", "deal_id"), _NO_ROWID)

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    case_id: Mapped[Id] = mapped_column(primary_key=True)
    state: Mapped[Code]
    cause: Mapped[Code]
    lines: Mapped[str] = mapped_column(Text)
    decision: Mapped[Code]
    opened_at: Mapped[Instant]
    due_at: Mapped[Instant]
    note: Mapped[Note]


class DealShipmentRow(Base):
    """One shipment: `lines` are the units per order line, sent, arrived and come back."""

    __tablename__ = "deal_shipments"
    __table_args__ = (Index("ix_deal_shipments_state", "state", "shipped_at", "deal_id"), _NO_ROWID)

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(100), primary_key=True)
    state: Mapped[Code]
    carrier: Mapped[Code]
    reference: Mapped[Name]
    shipped_at: Mapped[Instant]
    told_at: Mapped[Instant]
    lines: Mapped[Plain]


class DealShortageRow(Base):
    """One order line that is out of stock: who has to answer until when, and the options as they were computed.

    `options` name costs and margins, which logistics and production never see.
    """

    __tablename__ = "deal_shortages"
    __table_args__ = (
        Index("ix_deal_shortages_due_at", "due_at", "deal_id", "line"),
        Index("ix_deal_shortages_article", "article", "due_at"),
        _NO_ROWID,
    )

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    article: Mapped[Id]
    description: Mapped[Name]
    branch: Mapped[Code]
    department: Mapped[Code]
    owner: Mapped[Id]
    ordered: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger)
    short: Mapped[int] = mapped_column(BigInteger)
    since: Mapped[Instant]
    rung: Mapped[Code]
    roles: Mapped[Note]
    due_at: Mapped[Instant]
    expected_on: Mapped[Day]
    promised_on: Mapped[Day]
    choice: Mapped[Code]
    note: Mapped[Note]
    options: Mapped[Plain]
    is_test: Mapped[bool]


class DealRequestRow(Base):
    """One question of a deal to another department, with its deadline and when it was answered (D25).

    An absent `answered_at` is the empty text; so is `escalated_at` when the answer was never late.
    """

    __tablename__ = "deal_requests"
    __table_args__ = (
        Index("ix_deal_requests_role", "role", "asked_at"),
        Index("ix_deal_requests_asked_at", "asked_at", "deal_id"),
        _NO_ROWID,
    )

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    role: Mapped[Code]
    kind: Mapped[Code]
    subject: Mapped[Note]
    asked_at: Mapped[Instant]
    due_at: Mapped[Instant]
    answered_at: Mapped[Instant]
    answered_by: Mapped[Id]
    escalated_at: Mapped[Instant]
    is_test: Mapped[bool]


class DealDiscrepancyRow(Base):
    """One line of a discrepancy act, a refusal or a return, with its cause and what was decided (D23, D24)."""

    __tablename__ = "deal_discrepancies"
    __table_args__ = (
        Index("ix_deal_discrepancies_state", "state", "opened_at", "deal_id"),
        Index("ix_deal_discrepancies_cause", "cause", "opened_at"),
        _NO_ROWID,
    )

    deal_id: Mapped[Id] = mapped_column(primary_key=True)
    act_id: Mapped[Id] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    article: Mapped[Id]
    kind: Mapped[Code]
    cause: Mapped[Code]
    quantity: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[Code]
    measure: Mapped[Code]
    prevention: Mapped[Note]
    opened_at: Mapped[Instant]
    due_at: Mapped[Instant]
    settled_at: Mapped[Instant]
    is_test: Mapped[bool]


CHILDREN = {
    "lines": DealLineRow,
    "agenda": DealAgendaRow,
    "approvals": DealApprovalRow,
    "invoices": DealInvoiceRow,
    "cases": DealCaseRow,
    "shipments": DealShipmentRow,
    "shortages": DealShortageRow,
    "requests": DealRequestRow,
    "discrepancies": DealDiscrepancyRow,
    "disputes": DealDisputeRow,
    "promises": DealPromiseRow,
    "rungs": DealRungRow,
}
"""The child tables under the names that `Projection` and `children_changed` use."""
