"""Late-payment interest: exact by the day, through rate changes and partial payments; rounding only at the end."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.interest import STATUTORY, DatedRate, InterestPolicy, accrued, rounded, whole_minor

STATUTE = InterestPolicy(rates=STATUTORY)
DAYS = st.dates(date(2011, 1, 1), date(2027, 12, 31))
AMOUNTS = st.integers(0, 10**12)


def day_by_day(owed: int, after: date, until: date) -> Fraction:
    """The same, counted on fingers: each day costs its own rate."""
    total, day = Fraction(0), after + timedelta(days=1)
    while day <= until:
        listed = [rate for rate in STATUTORY if rate.since <= day.isoformat()]
        bps = max(0, listed[-1].bps + 800) if listed else 0
        total += Fraction(owed * bps, 10_000 * 365)
        day += timedelta(days=1)
    return total


@given(AMOUNTS, DAYS, st.integers(-5, 900))
def test_interest_is_what_the_days_cost_one_by_one(owed: int, after: date, days: int):
    until = after + timedelta(days=days)
    units = accrued(STATUTE, owed, after.isoformat(), until.isoformat())
    assert Fraction(units, 10_000 * 365) == day_by_day(owed, after, until)


@given(AMOUNTS, DAYS, st.integers(0, 400), st.integers(0, 400))
def test_counting_on_from_any_day_gives_the_same(owed: int, start: date, first: int, second: int):
    middle, end = start + timedelta(days=first), start + timedelta(days=first + second)
    days = [day.isoformat() for day in (start, middle, end)]
    parts = accrued(STATUTE, owed, days[0], days[1]) + accrued(STATUTE, owed, days[1], days[2])
    assert parts == accrued(STATUTE, owed, days[0], days[2])


def test_a_hundred_euros_for_a_year_at_the_rate_of_2025():
    # first half 3.15 + 8, second half 2.15 + 8: 181 days and 184 days of 2025, counted after 31 December
    units = accrued(STATUTE, 10_000, "2024-12-31", "2025-12-31")
    assert rounded(*whole_minor(units)) == round(10_000 * (0.1115 * 181 + 0.1015 * 184) / 365)


@pytest.mark.parametrize(("units", "minor"), [(0, 0), (1_824_999, 0), (1_825_000, 1), (3_650_000, 1), (5_475_000, 2)])
def test_half_a_cent_is_rounded_up(units: int, minor: int):
    assert rounded(*whole_minor(units)) == minor


def test_without_rates_late_money_costs_nothing():
    assert accrued(InterestPolicy(), 10**9, "2020-01-01", "2026-01-01") == 0
    assert InterestPolicy().rate_on("2026-01-01") == 0


def test_a_negative_reference_rate_never_pays_the_late_customer():
    policy = InterestPolicy(rates=(DatedRate("2020-01-01", -900),))
    assert policy.rate_on("2020-06-01") == 0


@pytest.mark.parametrize("days", [("2020-01-01", "2020-01-01"), ("2021-01-01", "2020-01-01")])
def test_a_rate_table_out_of_order_is_refused(days: tuple[str, str]):
    with pytest.raises(ValueError, match="by their day"):
        InterestPolicy(rates=tuple(DatedRate(day, 100) for day in days))
