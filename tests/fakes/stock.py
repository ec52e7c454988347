"""A stock book in memory, with its waiting list."""

from dataclasses import dataclass

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
    Woken,
)
from tests.fakes.recorded import Recorded


@dataclass
class FakePlace:
    """A line's place in the queue: units that it misses, and those that are set aside for it."""

    article: str
    branch: str
    quantity: int
    since: str
    allocated: int = 0


class FakeStockBook(Recorded):
    """The port StockBook in memory. `on_hand`, `reserved`, `held` and `waiting` may be read at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.warehouses: dict[str, str] = {}
        self.analogues: dict[str, str] = {}
        self.arrivals: list[tuple[str, str, int]] = []
        self.on_hand: dict[tuple[str, str], int] = {}
        self.reserved: dict[tuple[str, str], int] = {}
        self.held: dict[str, dict[tuple[int, str], Shelves]] = {}
        self.waiting: dict[tuple[str, int], FakePlace] = {}

    def add_warehouse(self, warehouse: str, kind: str) -> None:
        self.warehouses[warehouse] = kind

    def put(self, article: str, warehouse: str, quantity: int) -> tuple[Woken, ...]:
        """Put units on a shelf; answers for whom they were set aside."""
        shelf = (article, warehouse)
        self.on_hand[shelf] = self.on_hand.get(shelf, 0) + quantity
        self.reserved.setdefault(shelf, 0)
        return self._set_aside({shelf})

    def queue(self, article: str) -> list[tuple[str, int, int, int]]:
        """Deal, line, missing and set aside units of an article's waiting lines, the longest waiting first."""
        found = [(place.since, *line, place) for line, place in self.waiting.items() if place.article == article]
        found.sort(key=lambda row: row[:3])
        return [(deal, line, place.quantity, place.allocated) for _, deal, line, place in found]

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
        numbers = {line.line for line in asked.lines if asked.waits}
        before = {number: self.waiting.pop((asked.deal_id, number), None) for number in numbers}
        for line in asked.lines:
            handed = self._hand_over(before.get(line.line), line)
            portions = take(
                StockLine(line.line, line.article, line.quantity - handed), self._free(line.article, asked.branch)
            )
            for part in portions:
                self._promise(asked.deal_id, part)
            short.append(line.quantity - handed - total(portions))
            if asked.waits:
                self._wait(asked, line, short[-1])
        freed = set()
        for number, place in before.items():
            if place and place.allocated:
                surplus = StockLine(number, place.article, place.allocated)
                freed |= _shelves(self._draw(asked.deal_id, surplus, branch_first=False))
        self._set_aside(freed)
        # substitutes are looked for when all lines have what they get: a line may have taken another's substitute
        return ReserveResult(tuple(self._answer(line, n, asked) for line, n in zip(asked.lines, short, strict=True)))

    def _hand_over(self, place: FakePlace | None, line: StockLine) -> int:
        if place is None or place.article != line.article:
            return 0
        units = min(place.allocated, line.quantity)
        place.allocated -= units
        return units

    def _wait(self, asked: ReserveInput, line: StockLine, missing: int) -> None:
        """The last article that is asked for on a line is the one it waits for."""
        known = self.waiting.pop((asked.deal_id, line.line), None)
        missing += known.quantity if known and known.article == line.article else 0
        if missing:
            place = FakePlace(line.article, asked.branch, missing, asked.since or asked.at)
            self.waiting[asked.deal_id, line.line] = place

    def _promise(self, deal_id: str, part: Portion) -> None:
        self.reserved[part.article, part.warehouse] += part.units
        shelves = self._held(deal_id, StockLine(part.line, part.article, 0))
        shelves[part.warehouse] = shelves.get(part.warehouse, 0) + part.units

    def _set_aside(self, shelves: set[tuple[str, str]]) -> tuple[Woken, ...]:
        woken = []
        for (deal_id, line), place in sorted(
            self.waiting.items(), key=lambda item: (item[1].article, item[1].since, item[0])
        ):
            free = self._free(place.article, place.branch)
            freed = {name: units for name, units in free.items() if (place.article, name) in shelves}
            portions = take(StockLine(line, place.article, place.quantity), freed)
            for part in portions:
                self._promise(deal_id, part)
            if units := total(portions):
                place.quantity -= units
                place.allocated += units
                woken.append(Woken(deal_id, line, place.article, units))
        return tuple(woken)

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
        beyond = self._leave(asked, everything)
        freed: dict[tuple[int, str], int] = {}
        shelves = set()
        for line in [*(everything if _is_everything(asked) else asked.lines), *beyond]:
            parts = merged(self._draw(asked.deal_id, line, branch_first=False))
            shelves |= _shelves(parts)
            for part in parts:
                freed[part.line, part.article] = freed.get((part.line, part.article), 0) + part.units
        self._keep_what_is_held(asked.deal_id)
        self._set_aside(shelves)
        return ReleaseResult(tuple(StockLine(*place, units) for place, units in sorted(freed.items())))

    def _leave(self, asked: ReleaseInput, held: list[StockLine]) -> list[StockLine]:
        """Lines that give back all that they hold leave the queue, and those that are told to; answers what was set
        aside for the latter."""
        beyond = []
        for (deal_id, number), place in list(self.waiting.items()):
            gives = sum(each.quantity for each in asked.lines if (each.line, each.article) == (number, place.article))
            holds = sum(each.quantity for each in held if (each.line, each.article) == (number, place.article))
            gives_all = _is_everything(asked) or gives > holds or (gives and asked.expired)
            if deal_id == asked.deal_id and (gives_all or number in asked.leave_queue):
                del self.waiting[deal_id, number]
                if number in asked.leave_queue:
                    beyond.append(StockLine(number, place.article, place.allocated))
        return beyond

    def _keep_what_is_held(self, deal_id: str) -> None:
        for (deal, number), place in list(self.waiting.items()):
            held = self.held.get(deal_id, {}).get((number, place.article), {})
            if deal == deal_id and place.allocated > sum(held.values()):
                place.allocated = sum(held.values())
                if not place.quantity + place.allocated:
                    del self.waiting[deal, number]

    def _ship(self, asked: ShipInput) -> ShipResult:
        shipped = []
        for line in asked.lines:
            portions = self._draw(asked.deal_id, line, branch_first=True)
            for part in portions:
                self.on_hand[part.article, part.warehouse] -= part.units
            shipped.append(StockLine(line.line, line.article, total(portions)))
        self._keep_what_is_held(asked.deal_id)
        return ShipResult(tuple(shipped))

    def _take_back(self, asked: ReturnInput) -> None:
        central = sorted(name for name, kind in self.warehouses.items() if kind == "central")
        shelf = asked.branch if asked.branch in self.warehouses else next(iter(central), None)
        if shelf is None:
            raise ValueError(f"no warehouse {asked.branch!r} and no central one to take goods back")
        for line in asked.lines:
            place = (line.article, shelf)
            self.on_hand[place] = self.on_hand.get(place, 0) + line.quantity
            self.reserved.setdefault(place, 0)
        self._set_aside({(line.article, shelf) for line in asked.lines})


def _is_everything(asked: ReleaseInput) -> bool:
    return not asked.lines and not asked.leave_queue


def _shelves(portions: list[Portion]) -> set[tuple[str, str]]:
    return {(part.article, part.warehouse) for part in portions}
