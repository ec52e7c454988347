"""What the bank told: files as they came in, statements, the entries of our accounts, and what was booked of them.

Names and accounts of payers are personal data: they stand in `bank_files`, `bank_entries` and `bank_payers`, and
nowhere else. Amounts are minor units, positive when money came in.
"""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Base, Code, Currency, Day, Digest, Id, Instant, Minor, Name, Note, Plain

_Number = BigInteger().with_variant(Integer, "sqlite")
_NO_ROWID = {"sqlite_with_rowid": False}


class BankFileRow(Base):
    """A file with statements as it came in, once, compressed with zlib; `digest` is SHA-256 of the `size` bytes."""

    __tablename__ = "bank_files"

    digest: Mapped[Digest] = mapped_column(primary_key=True)
    size: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[Instant]
    received_by: Mapped[Id]


class BankHeadRow(Base):
    """The one row (id 1) on whose lock imports queue; `turn` counts up whenever a match was written."""

    __tablename__ = "bank_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    turn: Mapped[int] = mapped_column(_Number, default=0)


class BankStatementRow(Base):
    """One statement of a file, in the place `position` (from 1): `imported`, or `quarantined` with the difference.

    `account` names it the same in every format, `stated` is how the file names it. A quarantined statement has left no
    entries. `difference_minor` is opening + entries - closing, None when a balance is missing.
    """

    __tablename__ = "bank_statements"
    __table_args__ = (
        UniqueConstraint("digest", "position"),
        CheckConstraint("state IN ('imported', 'quarantined')", name="state"),
        Index("ix_bank_statements_account", "account", "opened_on", "id"),
    )

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    digest: Mapped[Digest] = mapped_column(ForeignKey("bank_files.digest"))
    position: Mapped[int]
    account: Mapped[Id]
    stated: Mapped[Id]
    currency: Mapped[Currency]
    number: Mapped[Name]
    source: Mapped[Code]
    opened_on: Mapped[Day]
    closed_on: Mapped[Day]
    opening_minor: Mapped[Minor | None]
    closing_minor: Mapped[Minor | None]
    moved_minor: Mapped[Minor]
    difference_minor: Mapped[Minor | None]
    entries: Mapped[int]
    known: Mapped[int]
    state: Mapped[Code]
    reason: Mapped[Note]
    received_at: Mapped[Instant]
    received_by: Mapped[Id]


class BankEntryRow(Base):
    """One movement on our account, once, whatever files it stands in. What the bank said never changes.

    `state`: received, matched (the deals are still to be told), booked, waiting (for a person), ignored (nothing to
    book). `rule` decided it, `reason` says why; `decided_by` and `decided_at` when the last change was.
    """

    __tablename__ = "bank_entries"
    __table_args__ = (
        UniqueConstraint("statement_id", "number"),
        CheckConstraint("state IN ('received', 'matched', 'booked', 'waiting', 'ignored')", name="state"),
        Index("ix_bank_entries_account", "account", "booked_on"),
        Index("ix_bank_entries_state", "state", "id"),
        Index("ix_bank_entries_end_to_end", "end_to_end"),
        Index("ix_bank_entries_bank_reference", "bank_reference"),
    )

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    account: Mapped[Id]
    statement_id: Mapped[int] = mapped_column(_Number, ForeignKey("bank_statements.id"))
    number: Mapped[int]
    source: Mapped[Code]
    account_currency: Mapped[Currency]
    amount_minor: Mapped[Minor]
    currency: Mapped[Currency]
    booked_on: Mapped[Day]
    valued_on: Mapped[Day]
    bank_reference: Mapped[Name]
    end_to_end: Mapped[Name]
    structured: Mapped[Name]
    text: Mapped[Note]
    party_name: Mapped[Note]
    party_iban: Mapped[Code]
    code: Mapped[Note]
    batch: Mapped[Name]
    is_reversal: Mapped[bool]
    return_reason: Mapped[Note]
    charges_minor: Mapped[Minor]
    mandate: Mapped[Name]
    original_amount_minor: Mapped[Minor]
    original_currency: Mapped[Currency]
    state: Mapped[Code]
    rule: Mapped[Code]
    reason: Mapped[Note]
    customer: Mapped[Id]
    candidates: Mapped[Plain]
    tries: Mapped[int]
    received_at: Mapped[Instant]
    decided_by: Mapped[Id]
    decided_at: Mapped[Instant]


class BankStatementEntryRow(Base):
    """Which entry the line `number` of an imported statement is: a new one, or one that an earlier file brought."""

    __tablename__ = "bank_statement_entries"
    __table_args__ = (Index("ix_bank_statement_entries_entry_id", "entry_id"), _NO_ROWID)

    statement_id: Mapped[int] = mapped_column(_Number, ForeignKey("bank_statements.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(_Number, ForeignKey("bank_entries.id"))


class BankAllocationRow(Base):
    """A part of an entry for one invoice: `planned`, `booked` on the deal under `key`, or `refused` with the reason.

    `number` counts the parts of an entry that were ever planned, so that no key is used twice. `received_on` is the day
    that the deal was told. Parts of money that went back are negative.
    """

    __tablename__ = "bank_allocations"
    __table_args__ = (
        UniqueConstraint("key"),
        CheckConstraint("state IN ('planned', 'booked', 'refused')", name="state"),
        Index("ix_bank_allocations_state", "state", "entry_id"),
        Index("ix_bank_allocations_invoice", "invoice"),
        _NO_ROWID,
    )

    entry_id: Mapped[int] = mapped_column(_Number, ForeignKey("bank_entries.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    invoice: Mapped[Code]
    deal_id: Mapped[Id]
    customer: Mapped[Id]
    applied_minor: Mapped[Minor]
    excess_minor: Mapped[Minor]
    charges_minor: Mapped[Minor]
    discount_minor: Mapped[Minor]
    received_on: Mapped[Day]
    key: Mapped[str] = mapped_column(String(200))
    state: Mapped[Code]
    reason: Mapped[Note]
    planned_by: Mapped[Id]
    planned_at: Mapped[Instant]
    settled_at: Mapped[Instant]


class BankPayerRow(Base):
    """An account that a customer has paid from, learnt from an entry that was booked."""

    __tablename__ = "bank_payers"
    __table_args__ = (_NO_ROWID,)

    customer: Mapped[Id] = mapped_column(primary_key=True)
    iban: Mapped[Code] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(_Number)
    learnt_at: Mapped[Instant]
