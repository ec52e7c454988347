"""Invoices and credit notes with gap-free numbers, and what is booked on invoices, on our database.

The open amount stands in the invoice's row and changes under that row's lock; the entries prove it.
"""

from functools import cache, partial

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.sql.dml import ReturningInsert

from infra.db import Database, insert_into
from infra.gateways import checked
from infra.gateways.ledger_numbers import claim_number
from infra.gateways.ledger_rules import Standing, applied_of, check_entry, check_invoice, series_of
from infra.gateways.once import once
from models.codec import encode
from models.messages.receivables import (
    InvoiceInput,
    InvoiceResult,
    LedgerEntryInput,
    LedgerEntryResult,
    LegacyNumberInput,
    LegacyNumberResult,
)
from models.tables.money_books import InvoiceRow as Invoice
from models.tables.money_books import InvoiceSeriesRow as Series
from models.tables.money_books import LedgerEntryRow as Entry


class SqlLedger:
    """The port Ledger on our database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def issue_invoice(self, asked: InvoiceInput) -> InvoiceResult:
        """Issue an invoice under the next number of its series, such as 2026-000123 for goods and I-2026-000001 for
        interest, or enter one of an earlier system under the number that it has.

        Raises ValueError when the total isn't what its lines (if it has any) add up to, or the number is taken.
        """
        check_invoice(asked)
        work = partial(_issue, asked=asked)
        return await once(self._database, asked.effect_key, "ledger.invoice", InvoiceResult, work)

    async def claim_number(self, asked: LegacyNumberInput) -> LegacyNumberResult:
        """Claim the number of an earlier system's invoice for a deal; the first that asks has it for ever."""
        return await claim_number(self._database, asked)

    async def book(self, asked: LedgerEntryInput) -> LedgerEntryResult:
        """Book a payment, credit note or write-off up to what is open; the rest becomes the customer's credit. A
        reversal takes back what payments left as credit, then opens the invoice again, never beyond what was paid. A
        set-off takes credit of an invoice, or settles another one with it.

        A write-off has no rest: nothing is given away beyond what is open. Raises ValueError for an unknown
        invoice, another customer's or one in another currency, and for amounts that the book can't agree with.
        """
        check_entry(asked)
        checked.instant(asked.at)
        work = partial(_book, asked=asked)
        return await once(self._database, asked.effect_key, "ledger.book", LedgerEntryResult, work)


def _issue(connection: Connection, asked: InvoiceInput) -> InvoiceResult:
    number = asked.number or _number(connection, series_of(asked.kind, asked.issued_at))
    if asked.number and connection.scalar(_IS_TAKEN, {"of": number}):
        raise ValueError(f"there is an invoice {number!r:.40} already")
    connection.execute(
        insert(Invoice),
        {
            "number": number,
            "deal_id": asked.deal_id,
            "customer_id": asked.customer_id,
            "kind": asked.kind,
            "currency": asked.currency,
            "total_minor": asked.total_minor,
            "open_minor": asked.total_minor,
            "issued_at": asked.issued_at,
            "due_at": asked.due_at,
            "settled_at": "" if asked.total_minor else asked.issued_at,
            "effect_key": asked.effect_key,
            "lines": encode(asked.lines),
        },
    )
    return InvoiceResult(number)


def _number(connection: Connection, series: str) -> str:
    # the series' row stays locked until the commit: a number is taken together with its paper or not at all
    following = connection.scalar(_next_number(connection.dialect.name), {"series": series, "next_number": 2})
    assert following is not None
    return f"{series}-{following - 1:06d}"


def _book(connection: Connection, asked: LedgerEntryInput) -> LedgerEntryResult:
    invoice = connection.execute(_LOCK_INVOICE, {"of": asked.invoice}).one_or_none()
    if invoice is None:
        raise ValueError(f"there is no invoice {asked.invoice!r:.40}")
    if invoice.currency != asked.currency:
        raise ValueError(f"invoice {asked.invoice} is in {invoice.currency}, not in {asked.currency!r:.10}")
    if invoice.customer_id != asked.customer_id:
        raise ValueError(f"invoice {asked.invoice} is another customer's")
    applied, unapplied = applied_of(asked, _standing(connection, asked, invoice.open_minor))
    left: int = invoice.open_minor + (applied if asked.kind == "reversal" else -applied)
    if applied:
        settled_at = "" if left else asked.at
        connection.execute(_APPLY, {"of": asked.invoice, "left": left, "settled": settled_at})
    number = _number(connection, series_of(asked.kind, asked.at)) if asked.kind == "credit_note" else ""
    entry_id = _enter(connection, asked, applied, unapplied, number)
    return LedgerEntryResult(str(entry_id), left, unapplied, number)


def _standing(connection: Connection, asked: LedgerEntryInput, open_minor: int) -> Standing:
    if asked.kind not in ("reversal", "set_off"):
        return Standing(open_minor)
    rows = connection.execute(_BOOKED, {"of": asked.invoice})
    return Standing.of(open_minor, {row.kind: (int(row.amount), int(row.rest)) for row in rows})


def _enter(connection: Connection, asked: LedgerEntryInput, applied: int, unapplied: int, number: str) -> int:
    row = {
        "invoice": asked.invoice,
        "deal_id": asked.deal_id,
        "customer_id": asked.customer_id,
        "kind": asked.kind,
        "amount_minor": applied,
        "unapplied_minor": unapplied,
        "currency": asked.currency,
        "reference": asked.reference[:300],
        "at": asked.at,
        "effect_key": asked.effect_key,
        "number": number,
    }
    return connection.execute(insert(Entry).returning(Entry.id), row).scalar_one()


_IS_TAKEN = select(Invoice.number).where(Invoice.number == bindparam("of"))
_LOCK_INVOICE = (
    select(Invoice.currency, Invoice.customer_id, Invoice.open_minor)
    .where(Invoice.number == bindparam("of"))
    .with_for_update()
)
_APPLY = (
    update(Invoice)
    .where(Invoice.number == bindparam("of"))
    .values(open_minor=bindparam("left"), settled_at=bindparam("settled"))
)
_BOOKED = (
    select(
        Entry.kind,
        func.sum(Entry.amount_minor).label("amount"),
        func.sum(Entry.unapplied_minor).label("rest"),
    )
    .where(Entry.invoice == bindparam("of"))
    .group_by(Entry.kind)
)


@cache
def _next_number(dialect: str) -> ReturningInsert[int]:
    first = insert_into(dialect, Series).values(series=bindparam("series"), next_number=bindparam("next_number"))
    following = first.on_conflict_do_update(
        index_elements=[Series.series], set_={"next_number": Series.next_number + 1}
    )
    return following.returning(Series.next_number)
