"""Single cells: texts, ids, numbers, money and days, each read strictly or with a repair that is told."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from cli.imports.sheets import Row
from models.money import EXPONENTS

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_YES, _NO = frozenset({"yes", "true", "1", "y"}), frozenset({"", "no", "false", "0", "n"})
MOST_MINOR = 10**10
"""Largest amount of a cell, in minor units: what an offer's line can hold."""


class BadCell(ValueError):
    """A cell that no repair can save; the text is the reason for people."""


@dataclass(slots=True)
class Cells:
    """The cells of one row while it is read; `repairs` grow with every liberty that is taken."""

    row: Row
    repairs: list[str] = field(default_factory=list)

    def text(self, name: str, longest: int = 300, default: str = "") -> str:
        """A text in normal form. Raises BadCell when it is too long."""
        value = unicodedata.normalize("NFC", self.row.cells.get(name, "")) or default
        if len(value) > longest:
            raise BadCell(f"{name} is longer than {longest} characters")
        return value

    def needed(self, name: str, longest: int = 300) -> str:
        """A text that must be there."""
        value = self.text(name, longest)
        if not value:
            raise BadCell(f"{name} is missing")
        return value

    def identifier(self, name: str) -> str:
        """An id: letters, digits, dot, hyphen and underscore."""
        value = self.needed(name)
        if not _ID.fullmatch(value):
            raise BadCell(f"{name} {value[:40]!r} must be 1 to 64 letters, digits, dots, hyphens or underscores")
        return value

    def choice(self, name: str, known: Iterable[str], default: str = "") -> str:
        """One of a closed list; capitals and spaces are repaired."""
        value = self.text(name, default=default)
        options = list(known)
        if value in options:
            return value
        found = next((option for option in options if plain(option) == plain(value)), None)
        if found is None:
            raise BadCell(f"{name} {value[:40]!r} is none of: {', '.join(options)}")
        self.repairs.append(f"{name} {value!r} read as {found}")
        return found

    def yes(self, name: str) -> bool:
        """yes or no; nothing means no."""
        value = self.text(name).lower()
        if value not in _YES | _NO:
            raise BadCell(f"{name} {value[:40]!r} is neither yes nor no")
        return value in _YES

    def whole(self, name: str, least: int, most: int) -> int:
        """A whole number within limits."""
        value = self.needed(name)
        number = _decimal(value)
        if number is None or number != number.to_integral_value():
            raise BadCell(f"{name} {value[:40]!r} is not a whole number")
        if not least <= number <= most:
            raise BadCell(f"{name} {value[:40]} is not between {least} and {most}")
        return int(number)

    def minor(self, name: str, currency: str, most: int = MOST_MINOR, negative: bool = False) -> int:
        """An amount in minor units of a currency; thousands separators and currency signs are repaired."""
        value = self.needed(name)
        number = _decimal(value)
        if number is None:
            stripped = re.sub(r"[\s$€£]|(?<=\d),(?=\d{3}(\D|$))", "", value)
            number = _decimal(stripped)
            if number is None:
                raise BadCell(f"{name} {value[:40]!r} is not an amount")
            self.repairs.append(f"{name} {value!r} read as {number}")
        digits = EXPONENTS.get(currency, 2)
        scaled = number.scaleb(digits)
        if scaled != scaled.to_integral_value():
            raise BadCell(f"{name} {value[:40]} has more than {digits} decimals")
        if abs(scaled) > most or (scaled < 0 and not negative):
            raise BadCell(f"{name} {value[:40]} is {'negative' if scaled < 0 else 'too large'}")
        return int(scaled)

    def currency(self, name: str, default: str = "") -> str:
        """An ISO 4217 code."""
        value = self.text(name, default=default)
        if re.fullmatch(r"[A-Z]{3}", value):
            return value
        if re.fullmatch(r"[A-Za-z]{3}", value):
            self.repairs.append(f"{name} {value!r} read as {value.upper()}")
            return value.upper()
        raise BadCell(f"{name} {value[:40]!r} is not a currency code such as EUR")

    def day(self, name: str, formats: Iterable[str] = ("%Y-%m-%d",)) -> date | None:
        """A calendar day in the first of the formats that fits, ISO last; None for an empty cell."""
        value = self.text(name)
        if not value:
            return None
        found = [day for form in (*formats, "%Y-%m-%d") if (day := _day(value, form)) is not None]
        if not found:
            raise BadCell(f"{name} {value[:40]!r} is no date that exists")
        return found[0]


def plain(text: str) -> str:
    """What stays of a name when case, accents, spaces and punctuation don't count."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in decomposed if character.isalnum())


def slug(text: str) -> str:
    """A name as an id: ``Genco Pura Olive Oil`` is genco-pura-olive-oil. Empty when nothing is left."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:60].rstrip("-")


def _decimal(value: str) -> Decimal | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < Decimal(10) ** 18 and "_" not in value else None


@lru_cache(maxsize=10_000)
def _day(value: str, form: str) -> date | None:
    try:
        return datetime.strptime(value, form).date()  # noqa: DTZ007  # a calendar day has no zone
    except ValueError:
        return None
