"""Money arithmetic: nothing is lost, nothing is invented, halves go away from zero."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.money import CurrencyMismatch, Money, ratio_bps, share, show, split

AMOUNTS = st.integers(-(10**15), 10**15)


def half_away(value: Fraction) -> int:
    """The textbook rule, in exact arithmetic."""
    whole = int(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


@given(AMOUNTS, st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(any))
def test_a_split_adds_up_and_is_off_by_less_than_one_unit_everywhere(amount: int, weights: list[int]):
    parts = split(amount, weights)
    assert sum(parts) == amount
    assert all(abs(p - Fraction(amount * w, sum(weights))) < 1 for p, w in zip(parts, weights, strict=True))


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-33, -33, -34]),
        (5, [0, 1], [0, 5]),
        (1, [3, 7], [0, 1]),
        (10, [1, 2], [3, 7]),
    ],
)
def test_the_largest_remainders_get_the_rest_the_first_of_equal_ones_first(amount, weights, parts):
    assert split(amount, weights) == parts


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1, 2]])
def test_weights_that_say_nothing_are_refused(weights: list[int]):
    with pytest.raises(ValueError, match="weights"):
        split(1, weights)


@given(AMOUNTS, AMOUNTS.filter(bool))
def test_a_ratio_is_rounded_half_away_from_zero(part: int, whole: int):
    assert ratio_bps(part, whole) == half_away(Fraction(part * 10_000, whole))


@given(AMOUNTS, st.integers(0, 30_000))
def test_a_share_is_rounded_half_away_from_zero(amount: int, bps: int):
    assert share(amount, bps) == half_away(Fraction(amount * bps, 10_000))


def test_a_share_of_nothing_is_nothing():
    assert ratio_bps(5, 0) == 0
    assert (share(50, 1900), share(-50, 1900), share(1, 4_999), share(1, 5_000)) == (10, -10, 0, 1)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (1_234_560, "EUR", "12,345.60 EUR"),
        (-5, "EUR", "-0.05 EUR"),
        (1_234, "JPY", "1,234 JPY"),
        (1_234, "KWD", "1.234 KWD"),
        (0, "USD", "0.00 USD"),
    ],
)
def test_amounts_are_shown_with_the_digits_of_their_currency(amount: int, currency: str, shown: str):
    assert show(amount, currency) == str(Money(amount, currency)) == shown


def test_money_of_one_currency_adds_and_subtracts():
    assert Money(5, "EUR") + Money(7, "EUR") == Money(12, "EUR")
    assert Money(5, "EUR") - Money(7, "EUR") == Money(-2, "EUR")


def test_money_of_two_currencies_does_not_mix():
    with pytest.raises(CurrencyMismatch, match="EUR is not CHF"):
        Money(5, "EUR") + Money(7, "CHF")
    with pytest.raises(CurrencyMismatch):
        Money(5, "EUR") - Money(7, "CHF")


@pytest.mark.parametrize("code", ["", "eur", "EURO", "E R", "EUR\n"])
def test_a_currency_is_a_code_of_three_capitals(code: str):
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, code)
