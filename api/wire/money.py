"""Invoices and payments on the wire."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from api.wire.invoices import CreditHold, Dispute, InvoiceLetter, Ladder, LateCost, Plan, Promise
from api.wire.shared import Amount, Asked, Clean, Code, Day, Money, Price, Told

Reference = Annotated[Clean, Field(max_length=200)]


class Payment(Asked):
    """Money that came in for an invoice; what exceeds its open amount is kept as the customer's credit.

    `received_on` is the day on which the bank had it (today without). `charges` is what banks kept back, `discount` the
    cash discount that the customer took; both are forgiven as far as the deal's policy agrees.
    """

    invoice: Code
    amount: Amount
    reference: Reference = ""
    received_on: Day = ""
    charges: Price | None = None
    discount: Price | None = None

    @model_validator(mode="after")
    def _one_currency(self) -> Self:
        if any(part and part.currency != self.amount.currency for part in (self.charges, self.discount)):
            raise ValueError("charges and discount are in the currency of the amount")
        return self


class PaymentReturn(Asked):
    """A payment that the bank took back, such as a returned direct debit, with the bank's reason.

    `returned_on` is the day on which the bank took it (the day of booking without, and when it is later than that).
    """

    invoice: Code
    amount: Amount
    reason: Annotated[Clean, Field(min_length=1, max_length=300)]
    reference: Reference = ""
    returned_on: Day = ""


class Invoice(Told):
    """An invoice: total = paid + credited + written off + open; disputed is part of open, the rest collectable.

    `level` of the collection ladder and `days_late` are empty and 0 when nothing is open.
    """

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
    collectable: Money
    level: str
    days_late: int


class InvoiceLine(Told):
    """One line of an invoice, net and tax."""

    line: int
    article: str
    quantity: int
    net: Money
    tax: Money


class LedgerEntry(Told):
    """One booking on an invoice; `unapplied` was more than open and is kept as the customer's credit. Credit notes have
    a `number`."""

    id: int
    invoice: str
    deal_id: str
    customer: str
    kind: str
    amount: Money
    unapplied: Money
    number: str
    reference: str
    at: str


class WholeInvoice(Invoice):
    """An invoice with its lines and bookings, and how it is collected.

    `unapplied` is the customer's credit that it left. `charged_for` is the late invoice that a note of interest is
    about, `charged_by` are the notes about this one.
    """

    settled_at: str
    unapplied: Money
    charged_for: str
    charged_by: list[str]
    lines: list[InvoiceLine]
    entries: list[LedgerEntry]
    ladder: Ladder
    disputes: list[Dispute]
    promises: list[Promise]
    broken_promises: int
    plans: list[Plan]
    interest: LateCost
    letters: list[InvoiceLetter]
    credit_hold: CreditHold


class Invoices(Told):
    """A page of invoices, by number; late or disputed ones by their due date."""

    items: list[Invoice]
    next_cursor: str


class Payments(Told):
    """A page of payments, in the order of booking."""

    items: list[LedgerEntry]
    next_cursor: str
