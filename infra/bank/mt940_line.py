"""The two fields of MT940 that hold money: balances (:60:, :62:) and statement lines (:61:).

Built on the mt-940 library's statement line and signs. Where it would lose or alter something its patterns are wider
(amounts of more than 15 digits, balances without a currency), and the year of a booking day is reckoned here.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import mt940

from infra.bank.mt940_fields import Field
from infra.bank.unreadable import malformed, shown
from infra.bank.values import day_of, iban_of, minor, reference, tidy

_OPTIONS = mt940.Options(reversal_sign=True, case_insensitive_marks=True)
_LONGEST_LINE = 500
_MOST_DIGITS = 25
_BALANCE = re.compile(r"([DC])([0-9]{6})([A-Z]{3})?\s?([0-9]{1,40}(?:[,.][0-9]{0,40})?)", re.IGNORECASE)


class _StatementLine(mt940.tags.Statement):
    """The library's :61:, for a reference of any length and amounts that are taken whole or not at all."""

    pattern = r"""^
    (?P<year>[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})
    (?P<entry_month>[0-9]{2}|\s{2})?(?P<entry_day>[0-9]{2}|\s{2})?
    (?P<status>R?[DC])
    (?P<funds_code>[A-Z])?
    [\n ]?
    (?P<amount>[0-9]{1,40}(?:[,.][0-9]{0,40})?)(?![0-9,.])
    (?P<id>[A-Z][A-Z0-9 ]{3})?
    (?P<customer_reference>(?:(?!//)[^\n])*)
    (?://(?P<bank_reference>[^\n]*))?
    $"""


_LINE = _StatementLine()


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance in minor units; `currency` is empty when a field states none, and its digits then count as stated."""

    amount: Decimal
    currency: str
    day: str
    where: str

    def minor_in(self, currency: str) -> int:
        """Minor units. Raises UnreadableStatement when digits would be lost."""
        return minor(self.amount, currency, self.where)


@dataclass(frozen=True, slots=True)
class Line:
    """A statement line: signed minor units, days, what kind it is, references, and the bank's extra text."""

    amount_minor: int
    booked_on: str
    valued_on: str
    is_reversal: bool
    kind: str
    own_reference: str
    bank_reference: str
    party_iban: str
    extra: str


def balance_of(field: Field) -> Balance:
    """Reads :60F:, :60M:, :62F: or :62M:. Raises UnreadableStatement."""
    found = _BALANCE.fullmatch(field.first)
    if found is None:
        raise malformed(field.where, "a balance such as C261121EUR1234,50", shown(field.first))
    mark, day, currency, amount = found.groups()
    value = _signed(amount, mark, field.where)
    return Balance(value, (currency or "").upper(), _day(day[:2], day[2:4], day[4:], field.where), field.where)


def line_of(field: Field, currency: str) -> Line:
    """Reads :61:. Raises UnreadableStatement."""
    found, rest = _match(field)
    parts = {name: value or "" for name, value in found.groupdict().items()}
    mark = parts["status"].upper()
    valued = _value_day(parts, field.where)
    own = parts["customer_reference"].strip()
    own = own if len(own) > 1 else ""  # some banks write N for NONREF
    return Line(
        amount_minor=minor(_signed(parts["amount"], mark, field.where), currency, field.where),
        booked_on=_booking_day(valued, parts["entry_month"], parts["entry_day"], field.where),
        valued_on=valued,
        is_reversal=mark.startswith("R"),
        kind=parts["id"].strip().upper(),
        own_reference="" if iban_of(own) else reference(own),
        bank_reference=reference(parts["bank_reference"]),
        party_iban=iban_of(own),
        extra=tidy(rest),
    )


def _match(field: Field) -> tuple[re.Match[str], str]:
    """The match and the lines that are left. A line may break before the amount."""
    lines = [line.strip() for line in field.lines]
    for taken in (1, 2):
        value = "\n".join(lines[:taken])
        found = _LINE.re.match(value) if len(value) <= _LONGEST_LINE else None
        if found is not None:
            return found, " ".join(lines[taken:])
    raise malformed(field.where, "a statement line such as 2611211121C1234,50NTRFNONREF//77", shown(lines[0]))


def _signed(amount: str, mark: str, where: str) -> Decimal:
    digits = amount.lstrip("0") or "0"
    digits = "0" + digits if digits[0] in ",." else digits
    if len(digits) > _MOST_DIGITS:
        raise malformed(where, "an amount that a bank account can hold", shown(amount))
    return mt940.models.Amount(digits.rstrip(",."), mark, options=_OPTIONS).amount


def _day(year: str, month: str, day: str, where: str) -> str:
    return day_of(f"20{year}-{month}-{day}", where)


def _value_day(parts: dict[str, str], where: str) -> str:
    """The value day. Banks that count 30 days to a month write 30 February, which is the last one."""
    fixed = mt940.processors.date_fixup_pre_processor(mt940.models.Transactions(), _LINE, dict(parts))
    return _day(fixed["year"], fixed["month"], fixed["day"], where)


def _booking_day(valued: str, month: str, day: str, where: str) -> str:
    """The booking day has no year in MT940: it is the one nearest to the value day."""
    if not (month.strip() and day.strip()):
        return valued
    near = date.fromisoformat(valued)
    days = [found for year in (near.year - 1, near.year, near.year + 1) if (found := _possible(year, month, day))]
    if not days:
        raise malformed(where, "a booking day such as 1121", shown(month + day))
    return min(days, key=lambda found: abs((found - near).days)).isoformat()


def _possible(year: int, month: str, day: str) -> date | None:
    last = 29 if year % 4 == 0 else 28
    try:
        return date(year, int(month), min(int(day), last) if month == "02" and day in ("29", "30") else int(day))
    except ValueError:
        return None
