"""Refusals of numbers and instants that no book may hold. All raise ValueError with a message for people."""

import re
from collections.abc import Iterable
from datetime import date

from models.instants import canonical
from models.messages.logistics import StockLine
from models.money import MAX_MINOR

MAX_UNITS = 10**9
"""Quantities above this are refused as a slip of the keyboard."""

ID_LENGTH = 80
"""Longest id that the tables hold."""

_CURRENCY = re.compile(r"[A-Z]{3}")


def units(quantity: int) -> int:
    """A quantity of whole units, at least one."""
    if type(quantity) is not int or not 0 < quantity <= MAX_UNITS:
        raise ValueError(f"a quantity is a whole number from 1 to {MAX_UNITS}, not {quantity!r:.40}")
    return quantity


def stock_lines(lines: Iterable[StockLine]) -> None:
    """Order lines that ask for goods: each names an article and a quantity."""
    for line in lines:
        units(line.quantity)
        text(line.article, "an article")


def amount(minor: int, what: str = "an amount") -> int:
    """An amount of minor units, not negative."""
    if type(minor) is not int or not 0 <= minor <= MAX_MINOR:
        raise ValueError(f"{what} is a whole number of minor units from 0 to {MAX_MINOR}, not {minor!r:.40}")
    return minor


def positive(minor: int, what: str = "an amount") -> int:
    """An amount of minor units, at least one."""
    if amount(minor, what) == 0:
        raise ValueError(f"{what} must not be zero")
    return minor


def currency(code: str) -> str:
    """A currency code as ISO 4217 spells them."""
    if not _CURRENCY.fullmatch(code):
        raise ValueError(f"not an ISO 4217 currency code: {code!r:.40}")
    return code


def text(value: str, what: str, longest: int = ID_LENGTH) -> str:
    """A text that is there, fits its column and has no NUL (PostgreSQL stores none)."""
    if not 0 < len(value) <= longest or "\x00" in value:
        raise ValueError(f"{what} has 1 to {longest} characters and no NUL: {value[:80]!r}")
    return value


def instant(at: str) -> str:
    """An instant in the one spelling that compares by text: 2026-11-21T08:00:00Z."""
    if canonical(at) != at:
        raise ValueError(f"an instant is spelt like 2026-11-21T08:00:00Z, not {at!r:.40}")
    return at


def day(on: str) -> str:
    """A calendar day such as 2026-11-21."""
    if date.fromisoformat(on).isoformat() != on:
        raise ValueError(f"a day is spelt like 2026-11-21, not {on!r:.40}")
    return on
