"""What became of every order line, and whether it all adds up to the unit: orders, deals and the stock book."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from cli.imports.order_driving import Served
from cli.imports.order_setup import demand
from cli.imports.orders import GivenBack
from infra.desk.books import Books
from models.parts.order import OrderLine

OUTCOMES = (
    "shipped",
    "part shipped, rest cancelled",
    "part shipped, rest substituted",
    "substituted",
    "cancelled, out of stock",
    "returned",
    "part returned",
    "open",
)


@dataclass(frozen=True, slots=True)
class Units:
    """Units of a line or an article: ordered + taken as substitutes = shipped + returned + cancelled + substituted +
    open. `shipped` stayed with the customer; `cancelled` never left."""

    ordered: int = 0
    as_substitute: int = 0
    shipped: int = 0
    returned: int = 0
    cancelled: int = 0
    substituted: int = 0
    open: int = 0

    def __add__(self, other: Units) -> Units:
        """Both together."""
        return Units(*(getattr(self, name) + getattr(other, name) for name in Units.__slots__))

    @property
    def is_balanced(self) -> bool:
        """True when every unit is accounted for."""
        left = self.shipped + self.returned + self.cancelled + self.substituted + self.open
        return self.ordered + self.as_substitute == left


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """One line of a deal's order. `lines` are the file's, none for a substitute."""

    invoice: str
    number: int
    article: str
    units: Units
    outcome: str
    lines: tuple[int, ...]
    replaces: int = 0


@dataclass(frozen=True, slots=True)
class Shelf:
    """Units of an article in the file's warehouse: opening + received + returned - shipped = on hand."""

    opening: int = 0
    received: int = 0
    returned: int = 0
    shipped: int = 0
    on_hand: int = 0

    @property
    def is_balanced(self) -> bool:
        """True when the moves explain what is there."""
        return self.opening + self.received + self.returned - self.shipped == self.on_hand


@dataclass(frozen=True, slots=True)
class ReturnOutcome:
    """A row that gives units back: asked for, and taken back. What had not been delivered could not come back."""

    line: int
    cancellation: str
    invoice: str
    asked: int
    taken_back: int


@dataclass(frozen=True, slots=True)
class Balance:
    """All lines and articles of a drive. `problems` are the sums that don't agree."""

    lines: list[LineOutcome]
    articles: dict[str, Units]
    shelves: dict[str, Shelf]
    returns: list[ReturnOutcome]
    problems: list[str]

    @property
    def total(self) -> Units:
        """All articles together."""
        return sum(self.articles.values(), Units())

    @property
    def stock(self) -> Shelf:
        """All shelves together."""
        sums = (sum(getattr(shelf, name) for shelf in self.shelves.values()) for name in Shelf.__slots__)
        return Shelf(*sums)

    def by_outcome(self) -> dict[str, tuple[int, Units]]:
        """Lines and units per outcome, in the order of OUTCOMES; outcomes without a line are left out."""
        found: dict[str, tuple[int, Units]] = {}
        for outcome in OUTCOMES:
            lines = [line for line in self.lines if line.outcome == outcome]
            if lines:
                found[outcome] = (len(lines), sum((line.units for line in lines), Units()))
        return found

    def plain(self) -> dict[str, Any]:
        """The balance for programs."""
        return {
            "balanced": not self.problems,
            "problems": self.problems,
            "outcomes": {name: {"lines": n, **asdict(units)} for name, (n, units) in self.by_outcome().items()},
            "units": asdict(self.total),
            "stock": asdict(self.stock),
            "articles": {name: asdict(units) for name, units in sorted(self.articles.items())},
            "returns": [asdict(back) for back in self.returns],
            "lines": [{**asdict(line), "lines": list(line.lines)} for line in self.lines],
        }


async def balance_of(served: list[Served], returns: list[GivenBack], warehouse: str, books: Books) -> Balance:
    """Add everything up: the deals against the file, the stock book against its moves and against the deals."""
    lines = [line for one in served for line in _lines(one)]
    articles: defaultdict[str, Units] = defaultdict(Units)
    for line in lines:
        articles[line.article] += line.units
    shelves = await _shelves(warehouse, books)
    problems = [str(found) for found in await books.stock.verify(books.settings.stock_url is None)]
    problems += _disagreements(served, lines, articles)
    problems += [f"{article}: moves and stock on hand differ" for article, s in shelves.items() if not s.is_balanced]
    return Balance(lines, dict(articles), shelves, _returns(served, returns), problems)


def _returns(served: list[Served], returns: list[GivenBack]) -> list[ReturnOutcome]:
    orders = {one.order.invoice: one.deal.order for one in served if one.deal and one.deal.order}
    found = []
    for back in returns:
        if (order := orders.get(back.invoice)) is not None:
            acts = (act for act in order.discrepancies if act.note == back.note)
            units = sum(part.quantity for act in acts for part in act.lines)
            found.append(ReturnOutcome(back.line, back.cancellation, back.invoice, back.quantity, units))
    return found


def _disagreements(served: list[Served], lines: list[LineOutcome], articles: dict[str, Units]) -> list[str]:
    found = [f"order {one.order.invoice}: {one.problem}" for one in served if one.problem]
    found += [f"order {line.invoice}, line {line.number} is still open" for line in lines if line.units.open]
    wanted = demand(one.order for one in served)
    for article in sorted(articles.keys() | wanted.keys()):
        units = articles.get(article, Units())
        if units.ordered != wanted[article]:
            found.append(f"{article}: {units.ordered} ordered in the deals, {wanted[article]} in the file")
        if not units.is_balanced:
            found.append(f"{article}: {units.ordered + units.as_substitute} wanted, not all accounted for")
    return found


def _lines(one: Served) -> Iterable[LineOutcome]:
    order = one.deal.order if one.deal else None
    rows = {item.number: item.lines for item in one.order.items}
    for line in order.lines if order else ():
        yield LineOutcome(
            one.order.invoice,
            line.line,
            line.article,
            _units(line),
            outcome_of(line),
            rows.get(line.line, ()),
            line.replaces,
        )


def _units(line: OrderLine) -> Units:
    # the deal counts what was given back among the cancelled units: nothing is open of it any more
    return Units(
        ordered=0 if line.replaces else line.ordered,
        as_substitute=line.ordered if line.replaces else 0,
        shipped=line.shipped,
        returned=line.returned,
        cancelled=line.cancelled - line.returned,
        substituted=line.substituted,
        open=line.open,
    )


def outcome_of(line: OrderLine) -> str:
    """What became of a line, in words."""
    if line.open:
        return "open"
    if line.returned:
        return "part returned" if line.shipped else "returned"
    if line.shipped == line.ordered:
        return "shipped"
    if line.substituted:
        return "part shipped, rest substituted" if line.shipped else "substituted"
    return "part shipped, rest cancelled" if line.shipped else "cancelled, out of stock"


async def _shelves(warehouse: str, books: Books) -> dict[str, Shelf]:
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    after = 0
    while moves := await books.stock.moves(after=after, limit=1000):
        after = moves[-1]["id"]
        for move in moves:
            if move["warehouse"] == warehouse:
                sums[move["article"]][move["kind"]] += move["quantity"]
    place = ("", "")
    while levels := await books.stock.levels(after=place, limit=1000):
        place = (levels[-1]["article"], levels[-1]["warehouse"])
        for level in levels:
            if level["warehouse"] == warehouse:
                sums[level["article"]]["on_hand"] += level["on_hand"]
    kinds = ("opening", "received", "returned", "shipped", "on_hand")
    return {article: Shelf(*(counted[kind] for kind in kinds)) for article, counted in sums.items()}
