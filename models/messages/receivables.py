"""What accounts receivable books: invoices, payments, credit notes, write-offs; and letters to the customer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One invoiced line: `net_minor` without tax, `tax_minor` on top, both in minor units."""

    line: int
    article: str
    quantity: int
    net_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class InvoiceInput:
    """Issue an invoice (`kind`: delivery or prepayment). Numbers are gap-free per series; one per effect key."""

    effect_key: str
    deal_id: str
    customer_id: str
    kind: str
    currency: str
    lines: tuple[InvoiceLine, ...]
    total_minor: int
    issued_at: str
    due_at: str


@dataclass(frozen=True, slots=True)
class InvoiceResult:
    """The number under which the invoice stands in the book."""

    number: str


@dataclass(frozen=True, slots=True)
class LedgerEntryInput:
    """Book one movement on an invoice: `payment`, `credit_note` or `write_off`, a positive amount in minor units.

    What exceeds the invoice's open amount stays with the customer as credit (`unapplied_minor` of the result).
    """

    effect_key: str
    deal_id: str
    customer_id: str
    invoice: str
    kind: str
    amount_minor: int
    currency: str
    reference: str
    at: str


@dataclass(frozen=True, slots=True)
class LedgerEntryResult:
    """The booked entry's id, what is open on the invoice afterwards and what was kept as the customer's credit."""

    entry_id: str
    open_minor: int
    unapplied_minor: int


@dataclass(frozen=True, slots=True)
class LetterInput:
    """Write a letter to the customer (`kind` names the template), store it as a file and put it in the outbox.

    One letter per effect key, for ever. `facts` are plain values for the template; no personal data in them.
    """

    effect_key: str
    deal_id: str
    customer_id: str
    kind: str
    facts: dict[str, str]
    at: str


@dataclass(frozen=True, slots=True)
class LetterResult:
    """The letter's file name below the outbox folder, and the SHA-256 of its bytes in hex."""

    name: str
    digest: str
