"""Reconciliation of mutual accounts (D33): the month, the statement as of its end, and what an answer differs in.

Amounts are minor units; a balance is what the customer owes us, negative when we owe it. Days and months are UTC.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from models.timeline import digest

MOST_ROWS = 200
"""Invoices that a letter lists one by one; the rest is summed up in one row."""

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_COLUMNS = "invoice|issued_on|due_on|total_minor|open_minor"


class WrongMonth(ValueError):
    """A text that is no month, or a month that has not ended yet."""


class ReconciliationState(StrEnum):
    """The states of a reconciliation: sent and not answered, agreed, with differences, and these put right."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DIFFERS = "differs"
    SETTLED = "settled"


class ItemKind(StrEnum):
    """What a customer finds different."""

    UNKNOWN_INVOICE = "unknown_invoice"
    """An invoice that only one side knows."""
    MISSING_PAYMENT = "missing_payment"
    """A payment of theirs that we have not booked."""
    AMOUNT = "amount"
    """Another open amount of an invoice."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class StatementLine:
    """An invoice that was open at the month's end."""

    invoice: str
    deal_id: str
    issued_on: str
    due_on: str
    total_minor: int
    open_minor: int


@dataclass(frozen=True, slots=True)
class Statement:
    """How a customer's account stood at the end of a month, in one currency.

    `credit_minor` is what the customer had with us beyond its invoices.
    """

    customer: str
    currency: str
    month: str
    lines: tuple[StatementLine, ...]
    credit_minor: int = 0

    @property
    def balance_minor(self) -> int:
        """Open invoices less credit."""
        return sum(line.open_minor for line in self.lines) - self.credit_minor


@dataclass(frozen=True, slots=True)
class Claim:
    """One difference as the customer tells it: `theirs_minor` is what is open on the invoice by its books, or the
    amount of a missing payment. The `invoice` may be empty but for unknown invoices and amounts."""

    kind: ItemKind
    invoice: str
    theirs_minor: int
    reference: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if self.theirs_minor < 0:
            raise ValueError("theirs is an amount, and not negative")
        if not self.invoice and self.kind in (ItemKind.UNKNOWN_INVOICE, ItemKind.AMOUNT):
            raise ValueError(f"an item of the kind {self.kind} names its invoice")
        if self.kind is ItemKind.MISSING_PAYMENT and not self.theirs_minor:
            raise ValueError("a missing payment has an amount")

    def effect_on_balance(self, ours_minor: int) -> int:
        """By how much the customer's balance is higher than ours because of this item."""
        if self.kind is ItemKind.MISSING_PAYMENT:
            return -self.theirs_minor
        return self.theirs_minor - ours_minor if self.invoice else 0


def reconciliation_id(customer: str, currency: str, month: str, is_test: bool) -> str:
    """The id of the one reconciliation that there is for these; it is the reference of the letter."""
    return f"R-{digest([customer, currency, month, is_test])[:12].upper()}"


def letter_key(customer: str, currency: str, month: str, is_test: bool) -> str:
    """The effect key of the letter: no two statements share one."""
    return f"reconciliation:{customer}:{currency}:{month}{':test' if is_test else ''}"


def bounds(month: str) -> tuple[str, str]:
    """The instant at which a month such as 2026-01 begins, and that at which the next one does. Raises WrongMonth."""
    first = _first(month)
    after = (first + timedelta(days=31)).replace(day=1)
    return f"{first.isoformat()}T00:00:00Z", f"{after.isoformat()}T00:00:00Z"


def last_day(month: str) -> str:
    """The last day of a month, as of whose end its statements are. Raises WrongMonth."""
    _, end = bounds(month)
    return (date.fromisoformat(end[:10]) - timedelta(days=1)).isoformat()


def month_before(at: str) -> str:
    """The last whole month before an instant: the one that is reconciled then."""
    return (date.fromisoformat(at[:10]).replace(day=1) - timedelta(days=1)).isoformat()[:7]


def check_ended(month: str, now: str) -> None:
    """Raise WrongMonth for a month that has not ended at an instant: its balance may still change."""
    if bounds(month)[1] > now:
        raise WrongMonth(f"{month} has not ended yet")


def letter_facts(statement: Statement, answer_by: str) -> dict[str, str]:
    """The statement as the facts of a letter; its rows add up to the balance. `answer_by` is a day."""
    rows = list(_rows(statement))
    further = len(statement.lines) - MOST_ROWS
    return {
        "as_of_on": last_day(statement.month),
        "currency": statement.currency,
        "invoices_count": str(len(statement.lines)),
        "balance_minor": str(statement.balance_minor),
        "answer_by_on": answer_by,
        "columns": _COLUMNS,
        **({"further_count": str(further)} if further > 0 else {}),
        **{f"row_{number}": row for number, row in enumerate(rows, start=1)},
    }


def unexplained(ours_minor: int, theirs_minor: int, claims: Iterable[Claim], open_ours: Mapping[str, int]) -> int:
    """What the items of an answer leave of the difference between the balances."""
    told = sum(claim.effect_on_balance(open_ours.get(claim.invoice, 0)) for claim in claims)
    return theirs_minor - ours_minor - told


def to_dispute(claim: Claim, ours_minor: int, collectable_minor: int) -> int:
    """How much of one of our open invoices the customer disputes with an item: what it says it does not owe, as far as
    that can still be collected. A payment that we don't have is looked for first."""
    if claim.kind is ItemKind.MISSING_PAYMENT:
        return 0
    return max(0, min(ours_minor - claim.theirs_minor, collectable_minor))


def _first(month: str) -> date:
    found = _MONTH.fullmatch(month)
    if not found or not 1990 <= int(found[1]) <= 9900:
        raise WrongMonth(f"a month looks like 2026-01, not {month[:20]!r}")
    return date(int(found[1]), int(found[2]), 1)


def _rows(statement: Statement) -> Iterable[str]:
    for line in statement.lines[:MOST_ROWS]:
        yield f"{line.invoice}|{line.issued_on}|{line.due_on}|{line.total_minor}|{line.open_minor}"
    rest = statement.lines[MOST_ROWS:]
    if rest:
        yield f"further_invoices|||{sum(line.total_minor for line in rest)}|{sum(line.open_minor for line in rest)}"
    if statement.credit_minor:
        yield f"your_credit||||{-statement.credit_minor}"


def lines_of(plain: Sequence[Sequence[str | int]]) -> tuple[StatementLine, ...]:
    """The lines of a statement as they are stored."""
    return tuple(StatementLine(*each) for each in plain)  # type: ignore[arg-type]
