"""How order lines are cut into portions from shelves (an article in a warehouse). Pure arithmetic of whole units."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from models.messages.logistics import StockLine

Shelves = dict[str, int]
"""Units per warehouse, in the order in which they are to be taken."""


class Portion(NamedTuple):
    """Units of one order line on one shelf."""

    line: int
    article: str
    warehouse: str
    units: int


def take(line: StockLine, shelves: Shelves) -> list[Portion]:
    """Take from the shelves (and lower them) up to the line's quantity."""
    portions, missing = [], line.quantity
    for warehouse, available in shelves.items():
        if units := min(missing, available):
            shelves[warehouse] -= units
            missing -= units
            portions.append(Portion(line.line, line.article, warehouse, units))
    return portions


def total(portions: Iterable[Portion]) -> int:
    """All units together."""
    return sum(portion.units for portion in portions)


def per_shelf(portions: Iterable[Portion]) -> list[tuple[str, str, int]]:
    """Article, warehouse and their units, sorted: the order in which all writers lock shelves."""
    sums: Counter[tuple[str, str]] = Counter()
    for portion in portions:
        sums[portion.article, portion.warehouse] += portion.units
    return [(article, warehouse, units) for (article, warehouse), units in sorted(sums.items())]


def merged(portions: Iterable[Portion]) -> list[Portion]:
    """One portion per line and shelf, sorted: an upsert may touch a row only once a statement."""
    sums: Counter[tuple[int, str, str]] = Counter()
    for line, article, warehouse, units in portions:
        sums[line, article, warehouse] += units
    return [Portion(*place, units) for place, units in sorted(sums.items())]


def free_shelves(rows: Iterable[Any], branch: str) -> dict[str, Shelves]:
    """Free units per article, the branch's shelf first, of rows with `article`, `warehouse` and `free`."""
    free: dict[str, Shelves] = {}
    for row in sorted(rows, key=lambda row: (row.warehouse != branch, row.warehouse)):
        free.setdefault(row.article, {})[row.warehouse] = row.free
    return free
