"""The facts of a letter as its language says them: what the name of a fact ends with tells what it is.

`*_minor` is money in minor units of the fact `currency`, `*_bps` a rate in basis points, `*_on` a day, `*_count` and
`days_*` whole numbers; all else is text. In templates money and rates go by the name without its ending (`$open`,
`$rate`). `columns` names the columns of a table and `row_1`, `row_2`, ... its rows, cells between bars:
`columns`: `invoice|due_on|open_minor`, `row_1`: `2026-000001|2026-03-01|123456`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from infra.gateways.letter_formats import Formats

SHOWN_AT_ZERO = frozenset({"balance", "open", "total"})
"""Amounts that are said even when they are zero; others, and counts, are then as if they were not given."""

ORDER = (
    "invoice", "charged_for", "order", "issued_on", "due_on", "due_at", "as_of_on", "days_late", "total", "paid",
    "credited", "disputed", "open", "overdue", "rate", "interest", "fee", "claim", "balance", "promised", "promised_on",
    "instalments_count", "instalment", "instalment_on", "pay_by_on",
)  # fmt: skip
"""In which order letters list what they know; facts that aren't named here follow in the order in which they came."""

_PLACE = {name: place for place, name in enumerate(ORDER)}
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NO_BREAK = "\u00a0"
_CURRENCY = re.compile(r"[A-Z]{3}")
_ROW = re.compile(r"row_([0-9]{1,6})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Length = Literal["long", "medium"]


class BadFacts(ValueError):
    """A typed fact is not what its name says: a letter never shows an amount that might be another one."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: names of its columns, which of them are numbers, and the cells as they are shown."""

    names: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """The facts in words: `texts` for templates, `numbers` that plurals are chosen by, `details` in their order."""

    texts: Mapping[str, str]
    numbers: Mapping[str, int]
    details: tuple[tuple[str, str], ...]
    table: Table | None


def say(facts: Mapping[str, str], values: Mapping[str, str], how: Formats) -> Said:
    """What a letter says; `values` are words for known texts (`credit`: credit note). Raises BadFacts."""
    currency = facts.get("currency", "")
    plain = {name: value for name, value in facts.items() if value and not _of_table(name, facts)}
    texts, numbers = dict[str, str](), dict[str, int]()
    for name, value in plain.items():
        number = _number(name, value)
        shown = _base(name)
        if number is not None:
            if number == 0 and shown not in SHOWN_AT_ZERO:
                continue
            numbers[shown] = number
        texts[shown] = spell(name, value, currency, values, how)
    hidden = {"currency"} if any("_minor" in name for name in (*facts, facts.get("columns", ""))) else set()
    details = sorted(
        ((name, text) for name, text in texts.items() if name not in hidden),
        key=lambda detail: _PLACE.get(detail[0], len(ORDER)),
    )
    return Said(texts, numbers, tuple(details), _table(facts, values, how))


def spell(
    name: str, value: str, currency: str, values: Mapping[str, str], how: Formats, length: Length = "long"
) -> str:
    """One fact as the language writes it; days in the given length. Raises BadFacts."""
    number = _number(name, value)
    if number is None and _is_day(name, value):
        return how.day(date.fromisoformat(value), length).replace(" ", _NO_BREAK)
    if number is None:
        return values.get(value, value)
    if name.endswith("_minor"):
        if not _CURRENCY.fullmatch(currency):
            raise BadFacts(f"{name:.40} needs a fact `currency` of three capital letters")
        return how.money(number, currency)
    return how.percent(number) if name.endswith("_bps") else how.number(number)


def is_number(name: str) -> bool:
    """Whether a fact of this name is money, a rate or a whole number."""
    return name.endswith(("_minor", "_bps", "_count")) or name.startswith("days_")


def _number(name: str, value: str) -> int | None:
    if not is_number(name):
        return None
    if not _INTEGER.fullmatch(value):
        raise BadFacts(f"{name:.40} is a whole number, not {value!r:.40}")
    return int(value)


def _is_day(name: str, value: str) -> bool:
    """A `*_on` that is no day stays text: `to be told`."""
    if not name.endswith("_on") or not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _base(name: str) -> str:
    return name.removesuffix("_minor").removesuffix("_bps")


def _of_table(name: str, facts: Mapping[str, str]) -> bool:
    return bool(facts.get("columns")) and (name == "columns" or _ROW.fullmatch(name) is not None)


def _table(facts: Mapping[str, str], values: Mapping[str, str], how: Formats) -> Table | None:
    if not facts.get("columns"):
        return None
    columns = tuple(facts["columns"].split("|"))
    rows = tuple(
        tuple(
            spell(column, cell, facts.get("currency", ""), values, how, "medium") if cell else ""
            for column, cell in zip(columns, cells, strict=True)
        )
        for cells in _rows(facts, len(columns))
    )
    return Table(tuple(map(_base, columns)), tuple(map(is_number, columns)), rows) if rows else None


def _rows(facts: Mapping[str, str], width: int) -> Iterator[list[str]]:
    """The rows by their number, which may have any distance."""
    numbered = [(int(found[1]), value) for name, value in facts.items() if (found := _ROW.fullmatch(name))]
    for number, value in sorted(numbered):
        cells = value.split("|")
        if len(cells) != width:
            raise BadFacts(f"row_{number} has {len(cells)} cells, and there are {width} columns")
        yield cells
