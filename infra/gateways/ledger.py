"""Invoices with gap-free numbers, and what is booked on them, on our database.

The open amount stands in the invoice's row and is lowered under that row's lock; the entries prove it.
"""

from functools import cache, partial

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.sql.dml import ReturningInsert

from infra.db import Database, insert_into
from infra.gateways import checked
from infra.gateways.once import once
from models.codec import encode
from models.messages.receivables import InvoiceInput, InvoiceResult, LedgerEntryInput, LedgerEntryResult
from models.money import MAX_MINOR
from models.tables.money_books import InvoiceRow as Invoice
from models.tables.money_books import InvoiceSeriesRow as Series
from models.tables.money_books import LedgerEntryRow as Entry

ENTRY_KINDS = ("payment", "credit_note", "write_off")
"""What can be booked on an invoice."""


class SqlLedger:
    """The port Ledger on our database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def issue_invoice(self, asked: InvoiceInput) -> InvoiceResult:
        """Issue an invoice under the next number of its year's series, such as 2026-000123.

        Raises ValueError when the total isn't what its lines (if it has any) add up to.
        """
        check_invoice(asked)
        work = partial(_issue, asked=asked)
        return await once(self._database, asked.effect_key, "ledger.invoice", InvoiceResult, work)

    async def book(self, asked: LedgerEntryInput) -> LedgerEntryResult:
        """Book a payment, credit note or write-off up to what is open; the rest becomes the customer's credit.

        A write-off has no rest: nothing is given away beyond what is open. Raises ValueError for an unknown
        invoice, another customer's or one in another currency.
        """
        if asked.kind not in ENTRY_KINDS:
            raise ValueError(f"an entry is one of {', '.join(ENTRY_KINDS)}, not {asked.kind!r:.40}")
        checked.positive(asked.amount_minor)
        if "\x00" in asked.reference:
            raise ValueError("a reference has no NUL")
        checked.instant(asked.at)
        work = partial(_book, asked=asked)
        return await once(self._database, asked.effect_key, "ledger.book", LedgerEntryResult, work)


def check_invoice(asked: InvoiceInput) -> None:
    """Raise ValueError for an invoice that no book may hold."""
    checked.amount(asked.total_minor, "a total")
    checked.currency(asked.currency)
    checked.text(asked.customer_id, "a customer")
    checked.instant(asked.issued_at)
    checked.instant(asked.due_at)
    for line in asked.lines:
        if line.quantity < 0 or max(abs(line.net_minor), abs(line.tax_minor)) > MAX_MINOR:
            raise ValueError(f"line {line.line} has an impossible quantity or amount")
    in_lines = sum(line.net_minor + line.tax_minor for line in asked.lines)
    if asked.lines and in_lines != asked.total_minor:
        raise ValueError(f"the total is {asked.total_minor}, but the lines add up to {in_lines}")


def _issue(connection: Connection, asked: InvoiceInput) -> InvoiceResult:
    series = asked.issued_at[:4]
    # the series' row stays locked until the commit: a number is taken together with its invoice or not at all
    following = connection.scalar(_next_number(connection.dialect.name), {"series": series, "next_number": 2})
    assert following is not None
    number = f"{series}-{following - 1:06d}"
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


def _book(connection: Connection, asked: LedgerEntryInput) -> LedgerEntryResult:
    invoice = connection.execute(_LOCK_INVOICE, {"of": asked.invoice}).one_or_none()
    if invoice is None:
        raise ValueError(f"there is no invoice {asked.invoice!r:.40}")
    if invoice.currency != asked.currency:
        raise ValueError(f"invoice {asked.invoice} is in {invoice.currency}, not in {asked.currency!r:.10}")
    if invoice.customer_id != asked.customer_id:
        raise ValueError(f"invoice {asked.invoice} is another customer's")
    applied = min(asked.amount_minor, invoice.open_minor)
    unapplied = 0 if asked.kind == "write_off" else asked.amount_minor - applied
    left: int = invoice.open_minor - applied
    if applied:
        settled_at = "" if left else asked.at
        connection.execute(_APPLY, {"of": asked.invoice, "left": left, "settled": settled_at})
    entry_id = _enter(connection, asked, applied, unapplied)
    return LedgerEntryResult(entry_id=str(entry_id), open_minor=left, unapplied_minor=unapplied)


def _enter(connection: Connection, asked: LedgerEntryInput, applied: int, unapplied: int) -> int:
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
    }
    return connection.execute(insert(Entry).returning(Entry.id), row).scalar_one()


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


@cache
def _next_number(dialect: str) -> ReturningInsert[int]:
    first = insert_into(dialect, Series).values(series=bindparam("series"), next_number=bindparam("next_number"))
    following = first.on_conflict_do_update(
        index_elements=[Series.series], set_={"next_number": Series.next_number + 1}
    )
    return following.returning(Series.next_number)
