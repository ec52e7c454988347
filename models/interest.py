"""Late-payment interest: a dated rate table, an exact count of days, and rounding only where it is charged (D30).

The statutory rate of Directive 2011/7/EU, article 2(6): the European Central Bank's rate for main refinancing
operations that was in force on 1 January (1 July) rules the first (second) half of the year, plus eight points;
article 6: a lump sum of 40 euros per late invoice. Days are counted as act/365: every calendar day after the due date,
the day of payment included, and a year has 365 of them.
"""

from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from models.money import BPS

YEAR = 365

WHOLE = BPS * YEAR
"""So many units of accrued interest are one minor unit."""


@dataclass(frozen=True, slots=True)
class DatedRate:
    """A reference rate in basis points a year that holds from a day (ISO date) on; it may be negative."""

    since: str
    bps: int


def _reference_rates() -> tuple[DatedRate, ...]:
    """The ECB's main refinancing rate on each 1 January and 1 July, where it differs from the half-year before."""
    listed = (
        ("2011-07-01", 125), ("2012-01-01", 100), ("2013-01-01", 75), ("2013-07-01", 50), ("2014-01-01", 25),
        ("2014-07-01", 15), ("2015-01-01", 5), ("2016-07-01", 0), ("2023-01-01", 250), ("2023-07-01", 400),
        ("2024-01-01", 450), ("2024-07-01", 425), ("2025-01-01", 315), ("2025-07-01", 215),
    )  # fmt: skip
    return tuple(DatedRate(since, bps) for since, bps in listed)


STATUTORY = _reference_rates()
"""Published by the European Central Bank; a new half-year's rate comes with a new version of the policy."""


@dataclass(frozen=True, slots=True)
class InterestPolicy:
    """What late money costs: nothing without `rates`. `margin_bps` comes on top of the reference rate, never below 0.

    `fee_minor` is the lump sum per invoice and currency. Interest runs from the day after the due date, but it is
    claimed only from customers whose invoice has reached the rung `from_rung`, and not below `least_minor`; the note
    is due after `payment_days`.
    """

    rates: tuple[DatedRate, ...] = ()
    margin_bps: int = 800
    fee_minor: dict[str, int] = field(default_factory=lambda: {"EUR": 4_000})
    from_rung: str = "dun_first"
    least_minor: int = 100
    payment_days: int = 14

    def __post_init__(self) -> None:
        days = [rate.since for rate in self.rates]
        if days != sorted(set(days)):
            raise ValueError("rates must be listed by their day, each day once")

    def rate_on(self, day: str) -> int:
        """Basis points a year on a day (ISO date); 0 before the first rate."""
        found = [rate.bps for rate in self.rates if rate.since <= day]
        return max(0, found[-1] + self.margin_bps) if found else 0


def accrued(policy: InterestPolicy, owed_minor: int, after: str, until: str) -> int:
    """The interest on an amount for the days after `after` up to and with `until` (ISO dates), unrounded: minor units
    times basis points times days.

    What partial payments leave is counted on, and rounded with `rounded` at the end; it is kept as `whole_minor`, as
    it can exceed what JSON holds.
    """
    first, last = date.fromisoformat(after), date.fromisoformat(until)
    if last <= first or owed_minor <= 0 or not policy.rates:
        return 0
    changes = [date.fromisoformat(rate.since).toordinal() for rate in policy.rates]
    start, end = first.toordinal() + 1, last.toordinal() + 1
    edges = [start, *(change for change in changes if start < change < end), end]
    return sum(
        owed_minor * policy.rate_on(date.fromordinal(begin).isoformat()) * (stop - begin)
        for begin, stop in pairwise(edges)
    )


def whole_minor(units: int) -> tuple[int, int]:
    """Accrued interest as whole minor units and the rest that is less than one, in units of `accrued`."""
    return divmod(units, WHOLE)


def rounded(minor: int, rest: int) -> int:
    """Accrued interest in minor units, rounded half up."""
    return minor + (2 * rest >= WHOLE)
