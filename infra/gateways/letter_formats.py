"""Money, days, numbers and plural categories as each of the letters' languages writes them (CLDR, through Babel)."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Literal

from babel import Locale
from babel.dates import format_date
from babel.numbers import NumberPattern, format_decimal, format_percent, get_currency_symbol, parse_pattern

from models.money import BPS, EXPONENTS

LOCALES: Mapping[str, str] = MappingProxyType(
    {"en": "en_GB", "de": "de_DE", "it": "it_IT", "ro": "ro_RO", "ru": "ru_RU", "id": "id_ID"}
)
"""Whose habits a language's letters follow. English is the British one: its days can't be read the wrong way round."""

_NO_BREAK = "\u00a0"


@dataclass(frozen=True, slots=True)
class Formats:
    """How one language writes values."""

    locale: Locale

    def money(self, minor: int, currency: str) -> str:
        """An amount of minor units with its currency: `1.234,56 €`. Never rounded."""
        digits = EXPONENTS.get(currency, 2)
        # not format_currency: the digits of CLDR are those of cash, it would round 12.50 RSD to 13
        pattern = self._money_pattern()
        pattern.frac_prec = (digits, digits)
        text: str = pattern.apply(Decimal(minor).scaleb(-digits), self.locale, currency=currency, currency_digits=False)
        symbol = get_currency_symbol(currency, locale=self.locale)
        if symbol[-1:].isalpha() and text.lstrip("-").startswith(symbol):  # CLDR's currencySpacing
            text = text.replace(symbol, symbol + _NO_BREAK, 1)
        return text

    def day(self, on: date, length: Literal["long", "medium"] = "long") -> str:
        """A day: `1. März 2026`, in medium length `01.03.2026`."""
        return format_date(on, length, locale=self.locale)

    def number(self, number: int) -> str:
        """A whole number with its groups: `12.345`."""
        return format_decimal(number, locale=self.locale)

    def percent(self, bps: int) -> str:
        """Basis points as per cent: `11,37 %`."""
        return format_percent(Decimal(bps) / BPS, locale=self.locale, decimal_quantization=False)

    def plural(self, number: int) -> str:
        """The CLDR plural category of a number: one, few, many, other, ..."""
        return str(self.locale.plural_form(abs(number)))

    @property
    def plurals(self) -> frozenset[str]:
        """The plural categories that this language has; each noun that is counted needs a form for every one."""
        return frozenset(self.locale.plural_form.tags) | {"other"}

    def _money_pattern(self) -> NumberPattern:
        return copy(parse_pattern(self.locale.currency_formats["standard"].pattern))


@cache
def formats(language: str) -> Formats:
    """The formats of one of the letters' languages. Raises KeyError for another one."""
    return Formats(Locale.parse(LOCALES[language]))
