"""What the stock book says: levels, moves and holdings page by page, and the audit that its sums agree."""

from typing import Any

from sqlalchemy import BigInteger, Executable, case, cast, func, select, tuple_

from infra.db import Database
from infra.gateways.difference import Difference
from models.tables.stock import RestockRow, StockHoldingRow, StockLevelRow, StockMoveRow, WarehouseRow

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
        return await self._rows(select(WarehouseRow.id, WarehouseRow.name, WarehouseRow.kind).order_by(WarehouseRow.id))

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

    async def verify(self) -> list[Difference]:
        """Where on hand isn't opening + received + returned - shipped, or reserved isn't the sum of the holdings."""
        differences = []
        for row in await self._rows(_DISAGREEING):
            where = f"{row['article']} in {row['warehouse']}"
            if row["moved"] != row["on_hand"]:
                differences.append(Difference(where, "on hand", row["moved"], row["on_hand"]))
            if row["held"] != row["reserved"]:
                differences.append(Difference(where, "reserved", row["held"], row["reserved"]))
        return differences

    async def _rows(self, query: Executable) -> list[Row]:
        async with self._database.read() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]


def _disagreeing() -> Executable:
    signed = case((StockMoveRow.kind == "shipped", -StockMoveRow.quantity), else_=StockMoveRow.quantity)
    moved = _summed(StockMoveRow, signed)
    held = _summed(StockHoldingRow, StockHoldingRow.quantity)
    moves, holdings = func.coalesce(moved.c.units, 0), func.coalesce(held.c.units, 0)
    return (
        select(*_LEVEL, StockLevelRow.on_hand, StockLevelRow.reserved, moves.label("moved"), holdings.label("held"))
        .outerjoin(moved, (moved.c.article == _LEVEL[0]) & (moved.c.warehouse == _LEVEL[1]))
        .outerjoin(held, (held.c.article == _LEVEL[0]) & (held.c.warehouse == _LEVEL[1]))
        .where((moves != StockLevelRow.on_hand) | (holdings != StockLevelRow.reserved))
        .order_by(*_LEVEL)
    )


def _summed(table: Any, units: Any) -> Any:
    total = cast(func.sum(units), BigInteger).label("units")  # PostgreSQL's sum of bigints is numeric
    return select(table.article, table.warehouse, total).group_by(table.article, table.warehouse).subquery()


_DISAGREEING = _disagreeing()
