"""Invoices and payments on the wire."""

from typing import Annotated

from pydantic import Field

from api.wire.shared import Amount, Asked, Clean, Code, Money, Told


class Payment(Asked):
    """Money that came in for an invoice; what exceeds its open amount is kept as the customer's credit."""

    invoice: Code
    amount: Amount
    reference: Annotated[Clean, Field(max_length=200)] = ""


class Invoice(Told):
    """An invoice: total = paid + credited + written off + open; disputed is part of open."""

    number: str
    deal_id: str
    customer: str
    kind: str
    state: str
    issued_at: str
    due_at: str
    total: Money
    paid: Money
    credited: Money
    written_off: Money
    open: Money
    disputed: Money


class InvoiceLine(Told):
    """One line of an invoice, net and tax."""

    line: int
    article: str
    quantity: int
    net: Money
    tax: Money


class LedgerEntry(Told):
    """One booking on an invoice; `unapplied` was more than open and is kept as the customer's credit."""

    id: int
    invoice: str
    deal_id: str
    customer: str
    kind: str
    amount: Money
    unapplied: Money
    reference: str
    at: str


class WholeInvoice(Invoice):
    """An invoice with its lines and bookings."""

    lines: list[InvoiceLine]
    entries: list[LedgerEntry]


class Invoices(Told):
    """A page of invoices, by number."""

    items: list[Invoice]
    next_cursor: str


class Payments(Told):
    """A page of payments, in the order of booking."""

    items: list[LedgerEntry]
    next_cursor: str
