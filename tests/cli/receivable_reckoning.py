"""What a file of invoices comes to, reckoned from its rows alone: letters, days late, and what was owed on any day.

The rules are those of docs/receivables-import.md and of the domain (D29); none of our code is used. Days
are those of the file: the engine lives the same days some whole weeks later.
"""

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

LADDER = (
    (-3, "pre_due_notice"),
    (0, ""),
    (3, "reminder"),
    (7, "first_dunning"),
    (14, "second_dunning"),
    (30, ""),
    (45, "formal_notice"),
    (60, "legal_notice"),
)
"""Days from the due day, and the letter that is written then."""

ANSWERED_AFTER = 7
BUCKETS = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_91_180", "over_180")


@dataclass(frozen=True)
class Bill:
    """One row, and the days on which its dispute began and ended, if there was one."""

    customer: str
    cents: int
    issued: date
    due: date
    settled: date
    raised: date | None = None
    answered: date | None = None

    @property
    def late(self) -> int:
        """Days from the due day to the money, negative when it came early."""
        return (self.settled - self.due).days

    def letters(self) -> list[str]:
        """Letters of the ladder that went out before the money was booked at noon."""
        written, before = [], date.min
        for after, letter in LADDER:
            day = max(before, self._rung(after))
            if day > self.settled:
                break
            before = day
            written += [letter] if letter else []
        return written

    def _rung(self, after: int) -> date:
        """The day of a rung. The ladder stands still while all of the invoice is disputed; what had not come by then is
        later by the length of the dispute."""
        day = working(self.due + timedelta(days=after))
        if self.raised is None or self.answered is None or day <= self.raised:
            return day
        if self.answered == self.settled and self.late <= ANSWERED_AFTER:
            return date.max  # the money came with the answer
        return working(self.due + timedelta(days=after) + (self.answered - self.raised))

    def open_on(self, day: date) -> int:
        """What was owed at the end of a day."""
        return self.cents if self.issued <= day < self.settled else 0

    def disputed_on(self, day: date) -> int:
        """What was disputed at the end of a day."""
        frozen = self.raised is not None and self.answered is not None and self.raised <= day < self.answered
        return self.open_on(day) if frozen else 0

    def bucket_on(self, day: date) -> str:
        """How late it was."""
        days = (day - self.due).days
        limits = (0, 30, 60, 90, 180)
        return next((name for name, most in zip(BUCKETS, limits, strict=False) if days <= most), BUCKETS[-1])


def working(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=(0, 0, 0, 0, 0, 2, 1)[day.weekday()])


def bills_in(path: Path, customers: int = 0) -> list[Bill]:
    """The rows of the first customers in the order of their ids; 0 means all."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    chosen = sorted({row["customerID"] for row in rows})[: customers or None]
    return [_bill(row) for row in rows if row["customerID"] in chosen]


def _bill(row: dict[str, str]) -> Bill:
    issued, due, settled = (_day(row[name]) for name in ("InvoiceDate", "DueDate", "SettledDate"))
    whole, _, part = row["InvoiceAmount"].partition(".")
    cents = int(whole) * 100 + int((part + "00")[:2])
    bill = Bill(row["customerID"], cents, issued, due, settled)
    if row["Disputed"] == "No":
        return bill
    raised = min(due, settled)
    return Bill(
        row["customerID"], cents, issued, due, settled, raised, min(raised + timedelta(days=ANSWERED_AFTER), settled)
    )


def _day(written: str) -> date:
    return datetime.strptime(written, "%m/%d/%Y").date()  # noqa: DTZ007  # a calendar day has no zone


def letters_of(bills: list[Bill]) -> dict[str, Counter[str]]:
    """Letters per customer; every dispute that is rejected is answered with one, too."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for bill in bills:
        found[bill.customer].update(bill.letters())
        found[bill.customer].update(["dispute_answer"] if bill.raised else [])
    return {customer: +letters for customer, letters in found.items()}


def days_late(bills: list[Bill]) -> dict[str, tuple[int, int, int]]:
    """Per customer: invoices, days late on average (rounded half away from zero) and in the middle (rounded down)."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for bill in bills:
        found[bill.customer].append(bill.late)
    return {customer: (len(days), _mean(days), _middle(sorted(days))) for customer, days in found.items()}


def _mean(days: list[int]) -> int:
    nearest = (2 * abs(sum(days)) + len(days)) // (2 * len(days))
    return nearest if sum(days) >= 0 else -nearest


def _middle(days: list[int]) -> int:
    return (days[(len(days) - 1) // 2] + days[len(days) // 2]) // 2


@dataclass
class Owed:
    """What a customer owed at the end of a day: invoices, amounts by bucket, and what of them was disputed."""

    invoices: int
    buckets: Counter[str]
    disputed: Counter[str]


def ageing(bills: list[Bill], day: date) -> dict[str, Owed]:
    """Per customer with something open, and under the empty name all together."""
    found: dict[str, Owed] = {}
    for bill in bills:
        if not bill.open_on(day):
            continue
        for customer in (bill.customer, ""):
            owed = found.setdefault(customer, Owed(0, Counter(), Counter()))
            owed.invoices += 1
            owed.buckets[bill.bucket_on(day)] += bill.open_on(day)
            owed.disputed[bill.bucket_on(day)] += bill.disputed_on(day)
    return found


def month_ends(bills: list[Bill], weeks: int, number: int) -> list[date]:
    """So many ends of months, as the engine lives them, evenly spread over the days of the bills."""
    shift = timedelta(weeks=weeks)
    day, last = min(b.issued for b in bills) + shift, max(b.settled for b in bills) + shift
    ends = [each for each in (day + timedelta(days=n) for n in range((last - day).days)) if _is_last_of_month(each)]
    return [ends[len(ends) * place // (number + 1)] for place in range(1, number + 1)]


def _is_last_of_month(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1
