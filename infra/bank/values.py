"""What both formats are made of: amounts to exact minor units, days, IBANs, references and tidy texts."""

import re
from datetime import date
from decimal import Decimal
from typing import NoReturn

from infra.bank.unreadable import UnreadableStatement, malformed, shown
from models.money import EXPONENTS, MAX_MINOR

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})")
_CURRENCY = re.compile(r"[A-Z]{3}")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T[0-9:.]{5,20})?(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ufeff]+")
_NO_REFERENCE = frozenset({"NONREF", "NOREF", "NOTPROVIDED", "NOT PROVIDED", "NOTAVAIL", "NOTAVAILABLE", "KREF+", "-"})


def decimal_of(text: str, where: str) -> Decimal:
    """The number as it is written, exact. Raises UnreadableStatement."""
    if not _NUMBER.fullmatch(text):
        raise malformed(where, "an amount such as 1234.50", shown(text))
    return Decimal(text)


def minor(value: Decimal, currency: str, where: str) -> int:
    """The amount in minor units of its currency, exact: trailing zeros may go, nothing else.

    Raises UnreadableStatement: `odd_decimals` when digits would be lost, `malformed` above `MAX_MINOR`.
    """
    sign, digits, exponent = value.as_tuple()
    places = EXPONENTS.get(currency, 2)
    number = int("".join(map(str, digits)))
    shift = int(exponent) + places
    whole, rest = (number * int(10**shift), 0) if shift >= 0 else divmod(number, int(10**-shift))
    if rest:
        raise UnreadableStatement(
            "odd_decimals", f"{where}: {currency} has {places} decimals, found {shown(format(value, 'f'))}"
        )
    if whole > MAX_MINOR:
        raise malformed(where, "an amount that a bank account can hold", shown(format(value, "f")))
    return -whole if sign else whole


def currency_of(text: str, where: str) -> str:
    """The ISO 4217 code. Raises UnreadableStatement."""
    if not _CURRENCY.fullmatch(text):
        raise malformed(where, "a currency such as EUR", shown(text))
    return text


def day_of(text: str, where: str) -> str:
    """The day of an ISO date or instant as the bank wrote it, whatever its zone. Raises UnreadableStatement."""
    found = _DAY.fullmatch(text)
    try:
        return date.fromisoformat(found[1]).isoformat() if found else _no_day(text, where)
    except ValueError:
        return _no_day(text, where)


def _no_day(text: str, where: str) -> NoReturn:
    raise malformed(where, "a day such as 2026-11-21", shown(text)) from None


def tidy(text: str | None) -> str:
    """The text on one line: runs of blanks and breaks are one blank, control characters are gone."""
    return _CONTROLS.sub("", " ".join((text or "").split()))


def compact(text: str | None) -> str:
    """The text without any blanks."""
    return tidy(text).replace(" ", "")


def iban_of(text: str | None) -> str:
    """The text as an IBAN in one piece; empty when it doesn't have the shape of one (its digits are not checked)."""
    found = compact(text).upper()
    return found if _IBAN.fullmatch(found) else ""


def reference(text: str | None) -> str:
    """A reference, empty when the bank says in its own words that there is none."""
    found = tidy(text)
    return "" if found.upper() in _NO_REFERENCE else found


def only(values: list[str]) -> str:
    """The one value that all that say something agree on; empty when they differ."""
    different = {value for value in values if value}
    return different.pop() if len(different) == 1 else ""
