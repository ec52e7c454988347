"""What accounts receivable books: invoices, payments and what goes back, credit notes, write-offs; and letters."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One invoiced line: `net_minor` without tax, `tax_minor` on top, both in minor units. What is deducted, such as a
    settled prepayment, is negative."""

    line: int
    article: str
    quantity: int
    net_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class InvoiceInput:
    """Issue an invoice; one per effect key. Invoices for goods (`kind`: delivery, order, milestone or prepayment) and
    adjustments take the next number of the year's series without gaps, interest notes that of their own. One of an
    earlier system (legacy) brings its `number`, and no other does."""

    effect_key: str
    deal_id: str
    customer_id: str
    kind: str
    currency: str
    lines: tuple[InvoiceLine, ...]
    total_minor: int
    issued_at: str
    due_at: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceResult:
    """The number under which the invoice stands in the book."""

    number: str


@dataclass(frozen=True, slots=True)
class LegacyNumberInput:
    """Claim the number of an earlier system's invoice for a deal, before it is brought. The first deal has it for
    ever."""

    number: str
    deal_id: str


@dataclass(frozen=True, slots=True)
class LegacyNumberResult:
    """The deal that has the number."""

    deal_id: str


@dataclass(frozen=True, slots=True)
class LedgerEntryInput:
    """Book one movement on an invoice: `payment`, `credit_note`, `write_off`, `reversal` (of payments, which went back)
    or `set_off` (of the customer's credit), a positive amount in minor units.

    What exceeds the invoice's open amount stays with the customer as credit (`unapplied_minor` of the result); a
    reversal takes that credit back first. A set-off has two entries: one on the invoice that left the credit, applied
    to nothing, and one on the invoice that it settles. `applied_minor` says how much of the amount concerns the open
    amount (-1: as much as possible, or of a reversal as little); what the book can't agree with is refused.
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
    applied_minor: int = -1


@dataclass(frozen=True, slots=True)
class LedgerEntryResult:
    """The booked entry's id, what is open on the invoice afterwards and what was kept as the customer's credit (of a
    reversal or set-off: taken from it). Credit notes have a `number` of a series without gaps."""

    entry_id: str
    open_minor: int
    unapplied_minor: int
    number: str = ""


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
