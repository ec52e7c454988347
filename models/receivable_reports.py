"""Reports on receivables: ageing, days sales outstanding, collection effectiveness, lateness; all as of any past day.

Amounts are minor units, shares basis points, days whole or tenths of days; quotients are rounded half away from zero.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate
from typing import NamedTuple

from models.money import ratio_bps
from models.receivable_accounts import Account, nearest

BUCKETS = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_91_180", "over_180")
"""How long money is overdue: days after the due day."""

_LAST_DAYS = (0, 30, 60, 90, 180)

EVERYBODY = ""
"""Stands for all customers together."""

_NO_AMOUNTS = (0,) * len(BUCKETS)


@dataclass(frozen=True, slots=True)
class Aged:
    """Open invoices of a customer (EVERYBODY: of all) in one currency: `buckets` of what is open, `disputed` of what is
    disputed of it, in the order of BUCKETS."""

    currency: str
    customer: str
    invoices: int = 0
    buckets: tuple[int, ...] = _NO_AMOUNTS
    disputed: tuple[int, ...] = _NO_AMOUNTS

    @property
    def open_minor(self) -> int:
        """Everything that is open."""
        return sum(self.buckets)

    @property
    def overdue_minor(self) -> int:
        """What is open and late."""
        return sum(self.buckets[1:])

    @property
    def disputed_minor(self) -> int:
        """The disputed part of what is open."""
        return sum(self.disputed)


@dataclass(slots=True)
class _Sum:
    invoices: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))
    disputed: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))


def bucket_of(days_late: int) -> int:
    """The place in BUCKETS of money that is so many days late."""
    return bisect_left(_LAST_DAYS, days_late)


def ageing(accounts: Iterable[Account], day: str) -> list[Aged]:
    """What was open at the end of a day by how late it was: per currency all customers together, then each, those that
    owe most first. What was issued later or was settled by then does not count."""
    sums: dict[tuple[str, str], _Sum] = {}
    for account in accounts:
        owed = account.open_on(day)
        if not owed:
            continue
        invoice, disputed = account.invoice, account.disputed_on(day)
        bucket = bucket_of(account.days_late(day)) if invoice.due_on < day else 0
        for customer in (EVERYBODY, invoice.customer):
            found = sums.get((invoice.currency, customer))
            if found is None:
                found = sums[(invoice.currency, customer)] = _Sum()
            found.invoices += 1
            found.buckets[bucket] += owed
            found.disputed[bucket] += disputed
    rows = [
        Aged(currency, customer, found.invoices, tuple(found.buckets), tuple(found.disputed))
        for (currency, customer), found in sums.items()
    ]
    return sorted(rows, key=lambda row: (row.currency, row.customer != EVERYBODY, -row.open_minor, row.customer))


class Sold(NamedTuple):
    """What was invoiced on one day in one currency, tax included."""

    currency: str
    day: str
    total_minor: int


@dataclass(frozen=True, slots=True)
class Turnover:
    """What was owed before and after a period of so many days, and what was invoiced in it, in one currency.

    `current_minor` is the part of `ending_minor` that was not overdue. `countback_tenths` is None when nothing like it
    was ever sold.
    """

    currency: str
    days: int
    beginning_minor: int = 0
    sales_minor: int = 0
    ending_minor: int = 0
    current_minor: int = 0
    countback_tenths: int | None = None

    @property
    def dso_tenths(self) -> int | None:
        """Days sales outstanding in tenths of days: ending receivables / credit sales x days; None without sales.

        Source: Credit Research Foundation, Performance Measures for Credit, Collections and Accounts Receivable.
        """
        return self._days_of(self.ending_minor)

    @property
    def best_possible_tenths(self) -> int | None:
        """Best possible DSO in tenths of days: current receivables / credit sales x days (same source)."""
        return self._days_of(self.current_minor)

    @property
    def delinquent_tenths(self) -> int | None:
        """Average days delinquent in tenths of days: DSO less best possible DSO (same source)."""
        dso, best = self.dso_tenths, self.best_possible_tenths
        return None if dso is None or best is None else dso - best

    @property
    def collectable_minor(self) -> int:
        """What could have been collected: beginning receivables + sales - ending current receivables."""
        return self.beginning_minor + self.sales_minor - self.current_minor

    @property
    def collected_minor(self) -> int:
        """What was collected of it (or credited, or given up): beginning receivables + sales - ending receivables."""
        return self.beginning_minor + self.sales_minor - self.ending_minor

    @property
    def effectiveness_bps(self) -> int | None:
        """Collection effectiveness index: collected / collectable, in basis points; None when nothing was collectable.

        Source: Credit Research Foundation with V. Srinivasan: (beginning receivables + credit sales - ending total
        receivables) / (beginning receivables + credit sales - ending current receivables) x 100.
        """
        return ratio_bps(self.collected_minor, self.collectable_minor) if self.collectable_minor > 0 else None

    def _days_of(self, amount_minor: int) -> int | None:
        return nearest(amount_minor * self.days * 10, self.sales_minor) if self.sales_minor else None


def first_day(day: str, days: int) -> str:
    """The first day of a period of so many days that ends with `day`."""
    return (date.fromisoformat(day) - timedelta(days=days - 1)).isoformat()


def turnover(accounts: Iterable[Account], sales: Iterable[Sold], day: str, days: int) -> list[Turnover]:
    """The figures of the period of `days` days that ends with `day`, per currency.

    Everything that was invoiced is a credit sale, tax included as in the receivables; prepayments and interest, too.
    `sales` reach back to the beginning; of accounts, those that were settled before the period may be left out.
    """
    first = first_day(day, days)
    before = (date.fromisoformat(first) - timedelta(days=1)).isoformat()
    beginning, ending, current, sold = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    months: dict[str, Counter[str]] = {}
    for account in accounts:
        currency = account.invoice.currency
        beginning[currency] += account.open_on(before)
        owed = account.open_on(day)
        ending[currency] += owed
        current[currency] += owed if account.invoice.due_on >= day else 0
    for sale in sales:
        if sale.day <= day:
            months.setdefault(sale.currency, Counter())[sale.day[:7]] += sale.total_minor
            sold[sale.currency] += sale.total_minor if sale.day >= first else 0
    return [
        Turnover(
            currency,
            days,
            beginning[currency],
            sold[currency],
            ending[currency],
            current[currency],
            countback(ending[currency], months.get(currency, Counter()), day),
        )
        for currency in sorted({*months, *+ending, *+beginning})
    ]


def countback(owed_minor: int, sold: Mapping[str, int], day: str) -> int | None:
    """DSO by counting back (the exhaustion method) in tenths of days: how many days of the latest sales are owed.

    `sold` is what was invoiced per month (`2026-11`), that of `day` up to the day. Month by month, from the day
    backwards, sales are taken off what is owed and the month's days are counted; of the month whose sales exceed the
    rest, as many of its days as the rest is of them. None when more is owed than was ever sold.
    """
    counted, end = 0, date.fromisoformat(day)
    while owed_minor > 0:
        month = f"{end:%Y-%m}"
        if not sold or month < min(sold):
            return None
        in_month = sold.get(month, 0)
        if owed_minor < in_month:
            return counted * 10 + nearest(owed_minor * end.day * 10, in_month)
        owed_minor -= in_month
        counted += end.day
        end = end.replace(day=1) - timedelta(days=1)
    return counted * 10


@dataclass(frozen=True, slots=True)
class Lateness:
    """When a customer (EVERYBODY: all) pays: days from the due day to the last payment of so many settled invoices.

    Negative days are early. `average_days` is rounded; the median of an even number is rounded down.
    """

    customer: str
    invoices: int
    average_days: int
    median_days: int


def histories(accounts: Iterable[Account], day: str) -> dict[str, Counter[int]]:
    """Per customer, how often an invoice that was settled until a day was so many days late."""
    found: dict[str, Counter[int]] = {}
    for account in accounts:
        days = account.days_until_paid(day)
        if days is None:
            continue
        counts = found.get(account.invoice.customer)
        if counts is None:
            counts = found[account.invoice.customer] = Counter()
        counts[days] += 1
    return found


def lateness(past: Mapping[str, Counter[int]]) -> list[Lateness]:
    """All customers together, then each, those that pay latest first; nothing when nobody has paid yet."""
    if not past:
        return []
    rows = [_lateness(customer, counts) for customer, counts in past.items()]
    rows.sort(key=lambda row: (-row.median_days, -row.average_days, row.customer))
    together = Counter[int]()
    for counts in past.values():
        together.update(counts)
    return [_lateness(EVERYBODY, together), *rows]


def median_days(counts: Mapping[int, int]) -> int:
    """The middle of counted days, of two middle ones the whole number at or below their mean. Raises ValueError of
    none."""
    if not counts:
        raise ValueError("nothing was counted")
    days = sorted(counts)
    until = list(accumulate(counts[each] for each in days))
    lower, upper = (until[-1] + 1) // 2, until[-1] // 2 + 1
    return (days[bisect_left(until, lower)] + days[bisect_left(until, upper)]) // 2


def _lateness(customer: str, counts: Counter[int]) -> Lateness:
    number = counts.total()
    total = sum(days * count for days, count in counts.items())
    return Lateness(customer, number, nearest(total, number), median_days(counts))
