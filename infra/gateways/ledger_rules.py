"""What any ledger checks before it books: kinds, numbers, sums, and how an amount falls on open money and credit."""

from dataclasses import dataclass

from infra.gateways import checked
from models.messages.receivables import InvoiceInput, LedgerEntryInput
from models.money import MAX_MINOR
from models.parts.receivable import OWN_NUMBER as OWN_NUMBER

INVOICE_KINDS = ("delivery", "order", "milestone", "prepayment", "adjustment", "interest", "legacy")
"""What invoices are for; `legacy` ones were issued by an earlier system."""

ENTRY_KINDS = ("payment", "credit_note", "write_off", "reversal", "set_off")
"""What can be booked on an invoice."""

Booked = dict[str, tuple[int, int]]

_PREFIX = {"interest": "I-", "credit_note": "C-"}


def series_of(kind: str, at: str) -> str:
    """The series of numbers of an invoice or credit note of the instant's year."""
    return f"{_PREFIX.get(kind, '')}{at[:4]}"


def check_invoice(asked: InvoiceInput) -> None:
    """Raise ValueError for an invoice that no book may hold."""
    checked.amount(asked.total_minor, "a total")
    checked.currency(asked.currency)
    checked.text(asked.customer_id, "a customer")
    checked.instant(asked.issued_at)
    checked.instant(asked.due_at)
    _check_kind(asked)
    for line in asked.lines:
        if line.quantity < 0 or max(abs(line.net_minor), abs(line.tax_minor)) > MAX_MINOR:
            raise ValueError(f"line {line.line} has an impossible quantity or amount")
    in_lines = sum(line.net_minor + line.tax_minor for line in asked.lines)
    if asked.lines and in_lines != asked.total_minor:
        raise ValueError(f"the total is {asked.total_minor}, but the lines add up to {in_lines}")


def _check_kind(asked: InvoiceInput) -> None:
    if asked.kind not in INVOICE_KINDS:
        raise ValueError(f"an invoice is one of {', '.join(INVOICE_KINDS)}, not {asked.kind!r:.40}")
    if (asked.kind == "legacy") != bool(asked.number):
        raise ValueError("an invoice of an earlier system, and no other, brings its number")
    if asked.number:
        checked.text(asked.number, "a number", 40)
    if OWN_NUMBER.fullmatch(asked.number):
        raise ValueError(f"{asked.number} is a number of our own series: put the earlier system's name before it")


def check_entry(asked: LedgerEntryInput) -> None:
    """Raise ValueError for an entry that no book may hold, whatever its invoice."""
    if asked.kind not in ENTRY_KINDS:
        raise ValueError(f"an entry is one of {', '.join(ENTRY_KINDS)}, not {asked.kind!r:.40}")
    checked.positive(asked.amount_minor)
    if type(asked.applied_minor) is not int or not -1 <= asked.applied_minor <= asked.amount_minor:
        raise ValueError(f"the applied amount must be from 0 to {asked.amount_minor}, or -1")
    if "\x00" in asked.reference:
        raise ValueError("a reference has no NUL")


@dataclass(frozen=True, slots=True)
class Standing:
    """How an invoice stands, for what is booked next: what is open, what payments settled of it, and the customer's
    credit that it left, with the part of that which came from payments. Credit from credit notes is used first."""

    open_minor: int
    paid_minor: int = 0
    credit_minor: int = 0
    overpaid_minor: int = 0

    @classmethod
    def of(cls, open_minor: int, booked: Booked) -> "Standing":
        """From the sums of its entries: applied and unapplied amount by kind."""
        (came, kept), (went, taken) = booked.get("payment", (0, 0)), booked.get("reversal", (0, 0))
        (_, beyond), (_, used) = booked.get("credit_note", (0, 0)), booked.get("set_off", (0, 0))
        credit = kept + beyond - taken - used
        return cls(open_minor, came - went, credit, credit - max(0, beyond - used))


def applied_of(asked: LedgerEntryInput, stands: Standing) -> tuple[int, int]:
    """How much of an entry falls on the invoice's open amount, and how much on the customer's credit.

    Raises ValueError when deal and ledger do not agree.
    """
    amount, wanted = asked.amount_minor, asked.applied_minor
    if asked.kind == "reversal":
        applied = wanted if wanted >= 0 else max(0, amount - stands.overpaid_minor)
        if applied > stands.paid_minor or amount - applied > stands.overpaid_minor:
            raise ValueError(
                f"an amount of {amount} can't go back: {stands.paid_minor} were paid on the invoice, "
                f"{stands.overpaid_minor} are credit"
            )
        return applied, amount - applied
    applied = wanted if wanted >= 0 else min(amount, stands.open_minor)
    if applied > stands.open_minor:
        raise ValueError(f"an amount of {applied} is to be applied, {stands.open_minor} are open")
    if asked.kind == "set_off" and amount - applied > stands.credit_minor:
        raise ValueError(f"an amount of {amount - applied} is to be set off, {stands.credit_minor} are credit")
    return applied, 0 if asked.kind == "write_off" else amount - applied
