"""A stock book in memory."""

from infra.gateways import checked
from infra.gateways.portions import Portion, Shelves, merged, take, total
from models.messages.logistics import (
    ReleaseInput,
    ReleaseResult,
    ReservedLine,
    ReserveInput,
    ReserveResult,
    ReturnInput,
    ShipInput,
    ShipResult,
    StockLine,
)
from tests.fakes.recorded import Recorded


class FakeStockBook(Recorded):
    """The port StockBook in memory. `on_hand`, `reserved` and `held` may be read at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.warehouses: dict[str, str] = {}
        self.analogues: dict[str, str] = {}
        self.arrivals: list[tuple[str, str, int]] = []
        self.on_hand: dict[tuple[str, str], int] = {}
        self.reserved: dict[tuple[str, str], int] = {}
        self.held: dict[str, dict[tuple[int, str], Shelves]] = {}

    def add_warehouse(self, warehouse: str, kind: str) -> None:
        self.warehouses[warehouse] = kind

    def put(self, article: str, warehouse: str, quantity: int) -> None:
        """Put units on a shelf."""
        shelf = (article, warehouse)
        self.on_hand[shelf] = self.on_hand.get(shelf, 0) + quantity
        self.reserved.setdefault(shelf, 0)

    async def reserve(self, asked: ReserveInput) -> ReserveResult:
        checked.stock_lines(asked.lines)
        return self._act("reserve", asked, lambda: self._reserve(asked), asked.effect_key)

    async def release(self, asked: ReleaseInput) -> ReleaseResult:
        checked.stock_lines(asked.lines)
        return self._act("release", asked, lambda: self._release(asked), asked.effect_key)

    async def ship(self, asked: ShipInput) -> ShipResult:
        checked.stock_lines(asked.lines)
        return self._act("ship", asked, lambda: self._ship(asked), asked.effect_key)

    async def take_back(self, asked: ReturnInput) -> None:
        checked.stock_lines(asked.lines)
        self._act("take_back", asked, lambda: self._take_back(asked), asked.effect_key)

    def _reserve(self, asked: ReserveInput) -> ReserveResult:
        short = []
        for line in asked.lines:
            portions = take(line, self._free(line.article, asked.branch))
            for part in portions:
                self.reserved[part.article, part.warehouse] += part.units
                shelves = self._held(asked.deal_id, line)
                shelves[part.warehouse] = shelves.get(part.warehouse, 0) + part.units
            short.append(line.quantity - total(portions))
        # substitutes are looked for when all lines have what they get: a line may have taken another's substitute
        return ReserveResult(tuple(self._answer(line, n, asked) for line, n in zip(asked.lines, short, strict=True)))

    def _answer(self, line: StockLine, short: int, asked: ReserveInput) -> ReservedLine:
        news = self._outlook(line.article, short, asked) if short else ("", "")
        return ReservedLine(line.line, line.article, line.quantity - short, short, *news)

    def _free(self, article: str, branch: str) -> Shelves:
        serving = sorted(
            (name for name, kind in self.warehouses.items() if name == branch or kind == "central"),
            key=lambda name: (name != branch, name),
        )
        return {
            name: self.on_hand[article, name] - self.reserved[article, name]
            for name in serving
            if (article, name) in self.on_hand
        }

    def _outlook(self, article: str, short: int, asked: ReserveInput) -> tuple[str, str]:
        expected_on, missing = "", short
        for day in sorted(day for name, day, _ in self.arrivals if name == article and day >= asked.at[:10]):
            missing -= sum(units for name, on, units in self.arrivals if (name, on) == (article, day))
            if missing <= 0:
                expected_on = day
                break
        analogue = self.analogues.get(article, "")
        enough = sum(self._free(analogue, asked.branch).values()) >= short
        return expected_on, analogue if enough else ""

    def _held(self, deal_id: str, line: StockLine) -> Shelves:
        return self.held.setdefault(deal_id, {}).setdefault((line.line, line.article), {})

    def _draw(self, deal_id: str, line: StockLine, branch_first: bool) -> list[Portion]:
        shelves = self._held(deal_id, line)
        order = sorted(shelves, key=lambda name: (self.warehouses[name], name), reverse=not branch_first)
        portions = take(line, {name: shelves[name] for name in order})
        for part in portions:
            shelves[part.warehouse] -= part.units
            self.reserved[part.article, part.warehouse] -= part.units
        return portions

    def _release(self, asked: ReleaseInput) -> ReleaseResult:
        held = self.held.get(asked.deal_id, {})
        everything = [StockLine(*place, units) for place, shelves in held.items() if (units := sum(shelves.values()))]
        freed: dict[tuple[int, str], int] = {}
        for line in asked.lines or everything:
            for part in merged(self._draw(asked.deal_id, line, branch_first=False)):
                freed[part.line, part.article] = freed.get((part.line, part.article), 0) + part.units
        return ReleaseResult(tuple(StockLine(*place, units) for place, units in sorted(freed.items())))

    def _ship(self, asked: ShipInput) -> ShipResult:
        shipped = []
        for line in asked.lines:
            portions = self._draw(asked.deal_id, line, branch_first=True)
            for part in portions:
                self.on_hand[part.article, part.warehouse] -= part.units
            shipped.append(StockLine(line.line, line.article, total(portions)))
        return ShipResult(tuple(shipped))

    def _take_back(self, asked: ReturnInput) -> None:
        central = sorted(name for name, kind in self.warehouses.items() if kind == "central")
        shelf = asked.branch if asked.branch in self.warehouses else next(iter(central), None)
        if shelf is None:
            raise ValueError(f"no warehouse {asked.branch!r} and no central one to take goods back")
        for line in asked.lines:
            self.put(line.article, shelf, line.quantity)
