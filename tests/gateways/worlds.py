"""How contract tests set up a fake or a real gateway and look into it, in one vocabulary."""

from typing import Protocol

from sqlalchemy import insert, select

from infra.db import Database
from infra.gateways.credit_book import SqlCreditBook
from infra.gateways.credit_limits import CreditLimits
from infra.gateways.stock_book import SqlStockBook
from infra.gateways.stock_intake import StockIntake
from infra.gateways.stock_reading import StockReader
from infra.stores.master_log import Author
from models.messages.finance import HeadroomInput
from models.messages.logistics import ReserveInput, StockLine, Woken
from models.ports import CreditBook, StockBook
from models.tables.masters import ArticleRow
from models.tables.stock import StockWaitingRow
from tests.fakes.credit import FakeCreditBook
from tests.fakes.stock import FakeStockBook

AT = "2026-03-02T08:00:00Z"
LATER = "2026-04-01T08:00:00Z"


def lines(*quantities: int, article: str = "bolt") -> tuple[StockLine, ...]:
    """Order lines 1, 2, ... of one article."""
    return tuple(StockLine(number, article, quantity) for number, quantity in enumerate(quantities, start=1))


def reservation(key: str, *asked: StockLine, deal: str = "D1", branch: str = "north", at: str = AT) -> ReserveInput:
    return ReserveInput(key, deal, branch, asked, at, LATER)


def waiting(key: str, *asked: StockLine, deal: str, since: str = "", branch: str = "north") -> ReserveInput:
    """A reservation that waits for what is missing."""
    return ReserveInput(key, deal, branch, asked, AT, LATER, waits=True, since=since)


def headroom(key: str, amount: int, limit: int = 1_000, at: str = AT, expires_at: str = LATER) -> HeadroomInput:
    return HeadroomInput(key, f"deal of {key}", "group", "EUR", amount, limit, at, expires_at)


class StockWorld(Protocol):
    """A stock book with a back door."""

    @property
    def book(self) -> StockBook: ...

    async def add_warehouse(self, warehouse: str, kind: str) -> None: ...

    async def put(self, article: str, warehouse: str, quantity: int) -> tuple[Woken, ...]: ...

    async def queue(self, article: str) -> list[tuple[str, int, int, int]]:
        """Deal, line, missing and set aside units of the waiting lines, the longest waiting first."""
        ...

    async def expect(self, article: str, day: str, quantity: int) -> None: ...

    async def add_analogue(self, article: str, analogue: str) -> None: ...

    async def level(self, article: str, warehouse: str) -> tuple[int, int]:
        """Units on hand and reserved."""
        ...


class FakeStock:
    def __init__(self) -> None:
        self.book = FakeStockBook()

    async def add_warehouse(self, warehouse: str, kind: str) -> None:
        self.book.add_warehouse(warehouse, kind)

    async def put(self, article: str, warehouse: str, quantity: int) -> tuple[Woken, ...]:
        return self.book.put(article, warehouse, quantity)

    async def queue(self, article: str) -> list[tuple[str, int, int, int]]:
        return self.book.queue(article)

    async def expect(self, article: str, day: str, quantity: int) -> None:
        self.book.arrivals.append((article, day, quantity))

    async def add_analogue(self, article: str, analogue: str) -> None:
        self.book.analogues[article] = analogue

    async def level(self, article: str, warehouse: str) -> tuple[int, int]:
        return self.book.on_hand.get((article, warehouse), 0), self.book.reserved.get((article, warehouse), 0)


class RealStock:
    def __init__(self, database: Database, keys: str = "") -> None:
        """`keys` begins the effect keys of what is put on shelves."""
        self.book = SqlStockBook(database)
        self.intake = StockIntake(database)
        self.reader = StockReader(database)
        self._database = database
        self._keys = keys
        self._puts = 0

    async def add_warehouse(self, warehouse: str, kind: str) -> None:
        await self.intake.add_warehouse(warehouse, warehouse.title(), kind)

    async def put(self, article: str, warehouse: str, quantity: int) -> tuple[Woken, ...]:
        self._puts += 1
        return await self.intake.open_stock(article, warehouse, quantity, AT, f"{self._keys}put {self._puts}")

    async def queue(self, article: str) -> list[tuple[str, int, int, int]]:
        fair = (StockWaitingRow.since, StockWaitingRow.deal_id, StockWaitingRow.line)
        found = select(*fair[1:], StockWaitingRow.quantity, StockWaitingRow.allocated).order_by(*fair)
        async with self._database.read() as connection:
            rows = await connection.execute(found.where(StockWaitingRow.article == article))
            return [tuple(row) for row in rows]

    async def expect(self, article: str, day: str, quantity: int) -> None:
        await self.intake.expect(article, day, quantity, f"{article} {day} {quantity}")

    async def add_analogue(self, article: str, analogue: str) -> None:
        row = {"id": article, "description": article, "analogue": analogue}
        async with self._database.begin() as connection:
            await connection.execute(insert(ArticleRow), row)

    async def level(self, article: str, warehouse: str) -> tuple[int, int]:
        assert await self.reader.verify() == []
        found = [row for row in await self.reader.levels(article) if row["warehouse"] == warehouse]
        return (found[0]["on_hand"], found[0]["reserved"]) if found else (0, 0)


class CreditWorld(Protocol):
    """A credit book with a back door."""

    @property
    def book(self) -> CreditBook: ...

    async def fix_limit(self, limit_minor: int) -> None: ...

    async def reserved(self) -> int:
        """What counts against the limit of the group."""
        ...


class FakeCredit:
    def __init__(self) -> None:
        self.book = FakeCreditBook()

    async def fix_limit(self, limit_minor: int) -> None:
        self.book.fix_limit("group", "EUR", limit_minor)

    async def reserved(self) -> int:
        return self.book.reserved("group", "EUR")


class RealCredit:
    def __init__(self, database: Database) -> None:
        self.book = SqlCreditBook(database)
        self.limits = CreditLimits(database)

    async def fix_limit(self, limit_minor: int) -> None:
        await self.limits.fix_limit("group", "EUR", limit_minor, Author("rita"), f"fix {limit_minor}", AT)

    async def reserved(self) -> int:
        assert await self.limits.verify() == []
        return sum(row["reserved_minor"] for row in await self.limits.limits() if row["group_id"] == "group")
