"""The audit of the stock book: its levels against moves and holdings, its holdings against the deals.

A deal counts only while no effect of it is under way: until then book and deal may differ for a good reason.
"""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Executable, FromClause, case, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.gateways.difference import Difference
from models.tables.projection import DealLineRow as Line
from models.tables.projection import DealRow as Deal
from models.tables.stock import StockHoldingRow as Holding
from models.tables.stock import StockLevelRow as Level
from models.tables.stock import StockMoveRow as Move
from models.tables.stock import StockWaitingRow as Waiting


class Mismatch(Difference):
    """A place where the book and a deal disagree: there are no movements that could be added up."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{self.where}: {self.what} is {self.found}, it should be {self.expected}"


_SETTLED = Deal.pending_effects == 0


async def differences(connection: AsyncConnection, with_deals: bool = True) -> list[Difference]:
    """Every place where two counts of the same units disagree, the deals' own counts only with `with_deals`."""
    found = [difference async for difference in _levels(connection)]
    for query, what in (_OVER_ALLOCATED, *(_AGAINST_DEALS if with_deals else ())):
        for row in await connection.execute(query):
            where = f"{row.deal_id} line {row.line}, {row.article}"
            found.append(Mismatch(where, what, row.expected, row.found))
    return found


async def _levels(connection: AsyncConnection) -> AsyncIterator[Difference]:
    """Where on hand isn't opening + received + returned - shipped, or reserved isn't the sum of the holdings."""
    for row in await connection.execute(_DISAGREEING):
        where = f"{row.article} in {row.warehouse}"
        if row.moved != row.on_hand:
            yield Difference(where, "on hand", row.moved, row.on_hand)
        if row.held != row.reserved:
            yield Difference(where, "reserved", row.held, row.reserved)


def _sum(units: Any) -> ColumnElement[int]:
    return cast(func.sum(units), BigInteger)  # PostgreSQL's sum of bigints is numeric


def _or_nothing(units: Any) -> ColumnElement[int]:
    return func.coalesce(units, 0)


def _disagreeing() -> Executable:
    shelf = (Level.article, Level.warehouse)
    signed = case((Move.kind == "shipped", -Move.quantity), else_=Move.quantity)
    moved = (
        select(Move.article, Move.warehouse, _sum(signed).label("units"))
        .group_by(Move.article, Move.warehouse)
        .subquery()
    )
    held = (
        select(Holding.article, Holding.warehouse, _sum(Holding.quantity).label("units"))
        .group_by(Holding.article, Holding.warehouse)
        .subquery()
    )
    moves, holdings = _or_nothing(moved.c.units), _or_nothing(held.c.units)
    return (
        select(*shelf, Level.on_hand, Level.reserved, moves.label("moved"), holdings.label("held"))
        .outerjoin(moved, (moved.c.article == shelf[0]) & (moved.c.warehouse == shelf[1]))
        .outerjoin(held, (held.c.article == shelf[0]) & (held.c.warehouse == shelf[1]))
        .where((moves != Level.on_hand) | (holdings != Level.reserved))
        .order_by(*shelf)
    )


def _held_per(*place: Any) -> FromClause:
    return select(*place, _sum(Holding.quantity).label("units")).group_by(*place).subquery()


def _over_allocated() -> Executable:
    """Units set aside for a line that it does not hold."""
    held = _held_per(Holding.deal_id, Holding.line, Holding.article)
    units = _or_nothing(held.c.units)
    same = (held.c.deal_id == Waiting.deal_id) & (held.c.line == Waiting.line) & (held.c.article == Waiting.article)
    return (
        select(
            Waiting.deal_id, Waiting.line, Waiting.article, units.label("expected"), Waiting.allocated.label("found")
        )
        .outerjoin(held, same)
        .where(Waiting.allocated > units)
        .order_by(Waiting.deal_id, Waiting.line)
    )


def _of_closed_deals(row: Any, units: Any) -> Executable:
    """Units that a closed deal has not let go."""
    place = (row.deal_id, row.line, row.article)
    return (
        select(*place, literal(0).label("expected"), _sum(units).label("found"))
        .join(Deal, Deal.id == row.deal_id)
        .where(Deal.closed_at != "", _SETTLED)
        .group_by(*place)
        .order_by(*place)
    )


def _unlike_the_deal() -> Executable:
    """Lines of open deals that hold more or less than the deal has reserved and the queue set aside."""
    held = _held_per(Holding.deal_id, Holding.line)
    holds, believes = _or_nothing(held.c.units), Line.reserved + _or_nothing(Waiting.allocated)
    return (
        select(Line.deal_id, Line.line, Line.article, believes.label("expected"), holds.label("found"))
        .join(Deal, Deal.id == Line.deal_id)
        .outerjoin(held, (held.c.deal_id == Line.deal_id) & (held.c.line == Line.line))
        .outerjoin(Waiting, (Waiting.deal_id == Line.deal_id) & (Waiting.line == Line.line))
        .where(Deal.closed_at == "", _SETTLED, holds != believes)
        .order_by(Line.deal_id, Line.line)
    )


_DISAGREEING = _disagreeing()
_OVER_ALLOCATED = (_over_allocated(), "set aside")
_AGAINST_DEALS = (
    (_of_closed_deals(Holding, Holding.quantity), "held by closed deal"),
    (_of_closed_deals(Waiting, Waiting.quantity + Waiting.allocated), "waited for by closed deal"),
    (_unlike_the_deal(), "held for line"),
)
