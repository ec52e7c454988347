"""Reports on receivables, recounted from timelines alone: every deal folded until the day, no table read."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from infra.db import Database
from infra.stores.receivable_reports import AsOf, ReceivableReportStore
from infra.stores.timeline import TimelineStore
from models.deal import fold
from models.deal_state import Deal
from models.parts.receivable import Receivable
from models.timeline import Entry
from models.visibility import EVERYTHING

BUCKETS = ((0, "not_due"), (30, "days_1_30"), (60, "days_31_60"), (90, "days_61_90"), (180, "days_91_180"))


@dataclass(frozen=True)
class Recount:
    """Timelines of whole deals, and what they say about any day."""

    timelines: list[list[Entry]] = field(default_factory=list)

    def deals(self, day: str) -> Iterator[tuple[Deal, list[Entry]]]:
        """Deals as they were at the end of a day, with what had happened."""
        for entries in self.timelines:
            until = [entry for entry in entries if entry.at[:10] <= day]
            if until:
                yield fold(until), until

    def owed(self, day: str) -> Iterator[tuple[Deal, Receivable]]:
        for deal, _ in self.deals(day):
            yield from ((deal, r) for r in deal.receivables)

    def ageing(self, day: str) -> dict[tuple[str, str], dict[str, tuple[int, int]]]:
        """(currency, customer) to bucket to what is open and disputed; only buckets that are not empty."""
        found: dict[tuple[str, str], dict[str, tuple[int, int]]] = defaultdict(lambda: defaultdict(lambda: (0, 0)))
        for deal, r in self.owed(day):
            late = (date.fromisoformat(day) - date.fromisoformat(r.due_at[:10])).days
            bucket = next((name for last, name in BUCKETS if late <= last), "over_180")
            for customer in ("", deal.customer) if r.open_minor else ():
                opened, disputed = found[r.currency, customer][bucket]
                found[r.currency, customer][bucket] = (opened + r.open_minor, disputed + r.disputed_minor)
        return {key: dict(buckets) for key, buckets in found.items()}

    def turnover(self, day: str, days: int) -> dict[str, tuple[int, int, int, int]]:
        """Currency to beginning, sales, ending and current receivables."""
        before = (date.fromisoformat(day) - timedelta(days=days)).isoformat()
        beginning, sales, ending, current = (Counter[str]() for _ in range(4))
        for _, r in self.owed(before):
            beginning[r.currency] += r.open_minor
        for _, r in self.owed(day):
            ending[r.currency] += r.open_minor
            current[r.currency] += r.open_minor * (r.due_at[:10] >= day)
            sales[r.currency] += r.total_minor * (r.issued_at[:10] > before)
        return {c: (beginning[c], sales[c], ending[c], current[c]) for c in sales}

    def expected(self, day: str, weeks: int, usual: int) -> dict[str, Counter[str]]:
        """Currency to ISO week, `later`, `uncertain` or `legal` to what is expected."""
        late = {customer: _middle(days) for customer, days in self.days_late(day).items()}
        today = date.fromisoformat(day)
        last = today - timedelta(days=today.weekday()) + timedelta(weeks=weeks)
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for deal, r in self.owed(day):
            tally = found[r.currency]
            tally["uncertain"] += r.disputed_minor
            left = r.collectable_minor
            said = [(r.promised_until, max(0, r.promised_minor - r.promised_paid_minor))] if r.promised_until else []
            for on, amount in sorted([*said, *_instalments(r)]):
                tally[_week(max(on[:10], day), last)] += min(left, amount)
                left -= min(left, amount)
            if any(each.rung == "hand_to_legal" for each in r.reached):
                tally["legal"] += left
            else:
                usually = date.fromisoformat(r.due_at[:10]) + timedelta(days=late.get(deal.customer, usual))
                tally[_week(max(usually.isoformat(), day), last)] += left
        return {currency: +tally for currency, tally in found.items() if +tally}

    def days_late(self, day: str) -> dict[str, list[int]]:
        """Customer to the days late of invoices that were settled with its money for the greater part."""
        found: dict[str, list[int]] = defaultdict(list)
        for deal, entries in self.deals(day):
            came = {
                happened["invoice"]: entry.at[:10]
                for entry in entries
                for happened in entry.events
                if happened["tag"] == "payment_recorded" and happened["applied_minor"]
            }
            for r in deal.receivables:
                if not r.open_minor and 2 * r.paid_minor > r.total_minor:
                    days = date.fromisoformat(came[r.number]) - date.fromisoformat(r.due_at[:10])
                    found[deal.customer].append(days.days)
        return dict(found)

    def rungs(self, day: str) -> dict[str, int]:
        return dict(Counter(each.rung for _, r in self.owed(day) for each in r.reached))


async def recount_of(database: Database) -> Recount:
    """What stands in the timelines of a database."""
    store = TimelineStore(database)
    return Recount([await store.entries(deal_id) for deal_id in await store.deal_ids()])


def recount_from(entries: Sequence[Entry]) -> Recount:
    ordered = sorted(entries, key=attrgetter("deal_id", "sequence"))
    return Recount([list(group) for _, group in groupby(ordered, attrgetter("deal_id"))])


async def check_day(database: Database, recount: Recount, day: str, usual: int = 3) -> dict[str, Any]:
    """Every report as of a day equals its recount; answers what was compared, to see that it is not empty."""
    store, asked = ReceivableReportStore(database), AsOf(day, EVERYTHING, test_deals=True)
    aged = await store.ageing(asked)
    names = [name for _, name in BUCKETS] + ["over_180"]
    shown = {
        (row.currency, row.customer): {
            name: (owed, disputed)
            for name, owed, disputed in zip(names, row.buckets, row.disputed, strict=True)
            if owed
        }
        for row in aged
    }
    assert shown == recount.ageing(day), day
    for days in (30, 90):
        rows = await store.turnover(asked, days)
        plain = {r.currency: (r.beginning_minor, r.sales_minor, r.ending_minor, r.current_minor) for r in rows}
        assert plain == recount.turnover(day, days), (day, days)
    forecast = {}
    for cash in await store.expected_cash(asked, 6, usual):
        weeks = Counter({week.name: week.expected_minor for week in cash.weeks})
        weeks.update(later=cash.later_minor, uncertain=cash.uncertain_minor, legal=cash.legal_minor)
        forecast[cash.currency] = +weeks
    assert forecast == recount.expected(day, 6, usual), day
    late, rungs = await store.lateness(asked)
    days_late = recount.days_late(day)
    assert {row.customer: (row.invoices, row.median_days) for row in late[1:]} == {
        customer: (len(days), _middle(days)) for customer, days in days_late.items()
    }, day
    assert dict(rungs) == recount.rungs(day), day
    return {"ageing": shown, "cash": forecast, "late": [asdict(row) for row in late], "rungs": dict(rungs)}


def _instalments(r: Receivable) -> list[tuple[str, int]]:
    plan, found = r.plan, []
    paid = plan.paid_minor if plan else 0
    for each in plan.instalments if plan else ():
        found.append((each.due_at, max(0, each.amount_minor - paid)))
        paid = max(0, paid - each.amount_minor)
    return found


def _week(day: str, last: date) -> str:
    on = date.fromisoformat(day)
    year, week, _ = on.isocalendar()
    return "later" if on >= last else f"{year}-W{week:02d}"


def _middle(days: list[int]) -> int:
    ordered = sorted(days)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) // 2
