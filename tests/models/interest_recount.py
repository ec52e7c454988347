"""Interest recounted from a timeline, day by day, by nobody who knows how deals count it.

Every late day costs its rate on what was to be collected: money pays from the day on which it came in, whatever was
booked before it; a dispute freezes from the day on which it is raised, and what it froze wrongly was owed all the time;
while a payment that went back later was here, it was here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

from models.interest import WHOLE, InterestPolicy
from models.timeline import Entry

FIRST, LAST = date(2025, 12, 1), date(2032, 1, 1)
LOWERING = {
    "payment_recorded": "applied_minor",
    "invoice_credited": "amount_minor",
    "credit_granted": "applied_minor",
    "difference_forgiven": "amount_minor",
    "invoice_written_off": "amount_minor",
    "credit_set_off": "amount_minor",
}


@dataclass
class Owed:
    """What the timeline tells of an invoice; `steps` are changes of what is to be collected, from a day on."""

    kind: str
    due_on: str
    opened: int
    frozen: dict[int, tuple[int, str]] = field(default_factory=dict)
    steps: list[tuple[str, int]] = field(default_factory=list)
    taken_back: int = 0
    counted_until: str = ""

    @property
    def to_collect(self) -> int:
        return self.opened - min(self.opened, sum(amount for amount, _ in self.frozen.values()))

    def units(self, policy: InterestPolicy, until: str) -> int:
        """What all days until one cost, in units of `models.interest`."""
        if self.kind == "interest":
            return 0
        cost = [
            amount * _rates(policy.rates, policy.margin_bps, max(day, self.due_on), until) for day, amount in self.steps
        ]
        return sum(cost) + self.taken_back


def recounted(entries: Iterable[Entry], policy: InterestPolicy) -> dict[str, Owed]:
    """The invoices of a timeline by number."""
    found: dict[str, Owed] = {}
    for entry in entries:
        before = {number: owed.to_collect for number, owed in found.items()}
        raised: dict[str, str] = {}
        for happened in entry.events:
            _told(found, happened, raised)
        for number, was in before.items():
            _step(found[number], found[number].to_collect - was, entry, raised.get(number, ""), policy)
    return found


def _told(found: dict[str, Owed], happened: dict[str, Any], raised: dict[str, str]) -> None:
    tag = happened["tag"]
    if tag == "invoice_issued":
        r = happened["receivable"]
        found[r["number"]] = Owed(r["kind"], r["due_at"][:10], r["total_minor"], steps=[("", r["total_minor"])])
        return
    owed = found.get(happened.get("invoice", ""))
    if owed is None:
        return
    if tag in LOWERING:
        owed.opened -= happened[LOWERING[tag]]
    elif tag == "payment_reversed":
        owed.opened += happened["applied_minor"]
    elif tag == "dispute_raised":
        dispute = happened["dispute"]
        owed.frozen[dispute["number"]] = (dispute["amount_minor"], dispute["raised_at"][:10])
    elif tag == "dispute_decided":
        _, raised[happened["invoice"]] = owed.frozen.pop(happened["number"])


def _step(owed: Owed, change: int, entry: Entry, raised: str, policy: InterestPolicy) -> None:
    if not change:
        return
    today = entry.at[:10]
    day = (entry.payload.get("received_on") if entry.action == "record_payment" else "") or today
    owed.steps.append((raised if change > 0 and raised else day, change))
    owed.counted_until = max(owed.counted_until, today if raised else day)
    below = owed.units(policy, owed.counted_until)
    if change < 0 and below < 0:  # nobody is paid for paying twice
        owed.taken_back -= below


@cache
def _sums(rates: tuple[Any, ...], margin_bps: int) -> list[int]:
    """The rates of all days since the first one, added up day by day."""
    sums, day = [0], FIRST
    while day < LAST:
        listed = [rate.bps for rate in rates if rate.since <= day.isoformat()]
        sums.append(sums[-1] + (max(0, listed[-1] + margin_bps) if listed else 0))
        day += timedelta(days=1)
    return sums


def _rates(rates: tuple[Any, ...], margin_bps: int, after: str, until: str) -> int:
    """The rates of the days after one and until another, added up."""
    start, end = (max(0, (date.fromisoformat(day) - FIRST).days + 1) for day in (after, until))
    sums = _sums(rates, margin_bps)
    return sums[end] - sums[start] if end > start else 0


def cents(units: int) -> int:
    """Units in minor units, rounded half up."""
    return (2 * units + WHOLE) // (2 * WHOLE)
