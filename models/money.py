"""Money: integer minor units with an ISO 4217 currency, basis points, and splits that lose nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

BPS = 10_000
"""Basis points in one whole: 500 bps = 5 %."""

MAX_MINOR = 10**14
"""Amounts above this are refused as a slip of the keyboard; JSON readers stay exact well beyond it."""

# ISO 4217: currencies whose minor unit is not 1/100.
EXPONENTS = {"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "VND": 0, "KWD": 3, "BHD": 3, "TND": 3, "OMR": 3, "JOD": 3}


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were put together."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents for EUR) of one currency."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise ValueError(f"not an ISO 4217 currency code: {self.currency!r}")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount_minor - other.amount_minor, self.currency)

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} is not {other.currency}")

    def __str__(self) -> str:
        return show(self.amount_minor, self.currency)


def show(amount_minor: int, currency: str) -> str:
    """Print an amount for people: ``12,345.60 EUR``."""
    digits = EXPONENTS.get(currency, 2)
    whole, rest = divmod(abs(amount_minor), 10**digits)
    tail = f".{rest:0{digits}d}" if digits else ""
    return f"{'-' if amount_minor < 0 else ''}{whole:,}{tail} {currency}"


def share(amount_minor: int, bps: int) -> int:
    """`bps` basis points of an amount, rounded half away from zero to the minor unit."""
    product = amount_minor * bps
    sign = -1 if product < 0 else 1
    return sign * ((abs(product) + BPS // 2) // BPS)


def ratio_bps(part: int, whole: int) -> int:
    """`part` of `whole` in basis points, rounded half away from zero; 0 when there is no whole."""
    if whole == 0:
        return 0
    sign = -1 if (part < 0) != (whole < 0) else 1
    return sign * ((abs(part) * BPS * 2 + abs(whole)) // (2 * abs(whole)))


def split(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Split an amount by weights with the largest remainder method; the parts add up to the amount.

    Raises ValueError when a weight is negative or all are zero.
    """
    total = sum(weights)
    if total <= 0 or any(w < 0 for w in weights):
        raise ValueError("weights must be non-negative and not all zero")
    parts = [amount_minor * w // total for w in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount_minor * weights[i] % total), i))
    for i in by_remainder[: amount_minor - sum(parts)]:
        parts[i] += 1
    return parts
