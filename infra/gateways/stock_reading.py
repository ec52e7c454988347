"""What the stock book says: levels, moves, holdings and the waiting list page by page, and its audit."""

from typing import Any

from sqlalchemy import Executable, func, select, tuple_

from infra.db import Database
from infra.gateways import stock_audit
from infra.gateways.difference import Difference
from models.tables.stock import (
    RestockRow,
    StockHoldingRow,
    StockLevelRow,
    StockMoveRow,
    StockWaitingRow,
    WarehouseRow,
)

Row = dict[str, Any]

_LEVEL = (StockLevelRow.article, StockLevelRow.warehouse)


class StockReader:
    """Reads the stock book. Pages are cut by key: pass the last row's key as `after` to go on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def levels(self, article: str = "", after: tuple[str, str] = ("", ""), limit: int = 100) -> list[Row]:
        """Units on hand and reserved per (article, warehouse), all articles or one."""
        query = select(*_LEVEL, StockLevelRow.on_hand, StockLevelRow.reserved).order_by(*_LEVEL).limit(limit)
        query = query.where(tuple_(*_LEVEL) > tuple_(*after))
        return await self._rows(query.where(StockLevelRow.article == article) if article else query)

    async def warehouses(self) -> list[Row]:
        """All warehouses."""
        house = WarehouseRow
        return await self._rows(select(house.id, house.name, house.kind, house.country).order_by(house.id))

    async def moves(self, article: str = "", deal_id: str = "", after: int = 0, limit: int = 100) -> list[Row]:
        """Moves of goods in the order in which they were booked, of one article or deal if given."""
        move = StockMoveRow
        query = (
            select(move.id, move.at, move.article, move.warehouse, move.kind, move.quantity, move.deal_id, move.line)
            .where(move.id > after)
            .order_by(move.id)
            .limit(limit)
        )
        query = query.where(move.article == article) if article else query
        return await self._rows(query.where(move.deal_id == deal_id) if deal_id else query)

    async def holdings(self, deal_id: str) -> list[Row]:
        """What a deal holds."""
        held = StockHoldingRow
        query = select(held.line, held.article, held.warehouse, held.quantity, held.expires_at)
        return await self._rows(query.where(held.deal_id == deal_id).order_by(held.line, held.article, held.warehouse))

    async def expected(self, article: str) -> list[Row]:
        """Announced arrivals of an article."""
        query = select(RestockRow.id, RestockRow.expected_on, RestockRow.quantity)
        return await self._rows(query.where(RestockRow.article == article).order_by(RestockRow.expected_on))

    async def waiting(
        self, article: str = "", after: tuple[str, str, str, int] = ("", "", "", 0), limit: int = 100
    ) -> list[Row]:
        """Lines that miss units, article by article in the order in which they will be served.

        `position` counts from 1 within the article, whatever the branch. `after` is the last row's article, since,
        deal_id and line.
        """
        line = StockWaitingRow
        fair = (line.article, line.since, line.deal_id, line.line)
        position = func.row_number().over(partition_by=line.article, order_by=fair[1:]).label("position")
        found = select(*fair, line.branch, line.quantity, line.allocated, position).where(line.quantity > 0)
        queue = (found.where(line.article == article) if article else found).subquery()
        place = (queue.c.article, queue.c.since, queue.c.deal_id, queue.c.line)
        return await self._rows(select(queue).where(tuple_(*place) > tuple_(*after)).order_by(*place).limit(limit))

    async def set_aside(self, limit: int = 100, after: tuple[str, int] = ("", 0)) -> list[Row]:
        """Lines for which units have been set aside (`allocated`) that their deals have not asked for yet.

        `after` is the last row's deal_id and line.
        """
        line = StockWaitingRow
        place = (line.deal_id, line.line)
        return await self._rows(
            select(*place, line.article, line.quantity, line.allocated, line.since, line.set_aside_at)
            .where(line.allocated > 0, tuple_(*place) > tuple_(*after))
            .order_by(*place)
            .limit(limit)
        )

    async def verify(self, with_deals: bool = True) -> list[Difference]:
        """Where the book contradicts its own movements, or what the deals know to be reserved.

        Pass `with_deals` as False when the deals reserve in another system's book.
        """
        async with self._database.read() as connection:
            return await stock_audit.differences(connection, with_deals)

    async def _rows(self, query: Executable) -> list[Row]:
        async with self._database.read() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]
