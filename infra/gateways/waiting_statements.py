"""The SQL of the waiting list, built once, as that of the stock book is."""

from functools import cache

from sqlalchemy import Select, bindparam, delete, func, select, text, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from infra.db import insert_into
from models.tables.stock import StockHoldingRow as Holding
from models.tables.stock import StockLevelRow as Level
from models.tables.stock import StockWaitingRow as Waiting
from models.tables.stock import WarehouseRow as Warehouse

ALONE = text(
    "SELECT pg_advisory_xact_lock(queue) FROM ("
    "SELECT DISTINCT hashtextextended('stock_waiting ' || article, 0) AS queue "
    "FROM unnest(CAST(:articles AS text[])) AS article ORDER BY 1) AS queues"
)
"""PostgreSQL only: the queues of these articles are ours until the transaction ends."""

_PLACE = (Waiting.deal_id == bindparam("of_deal"), Waiting.line == bindparam("of_line"))
_FAIR = (Waiting.since, Waiting.deal_id, Waiting.line)

OF_DEAL = select(
    Waiting.line, Waiting.article, Waiting.branch, Waiting.quantity, Waiting.allocated, Waiting.since
).where(Waiting.deal_id == bindparam("of_deal"))

LOCK_OF_DEAL = OF_DEAL.order_by(Waiting.article, *_FAIR).with_for_update()

FREE_ON = (
    select(Level.article, Level.warehouse, (Level.on_hand - Level.reserved).label("free"), Warehouse.kind)
    .join(Warehouse, Warehouse.id == Level.warehouse)
    .where(
        Level.article.in_(bindparam("articles", expanding=True)),
        Level.warehouse.in_(bindparam("warehouses", expanding=True)),
        Level.on_hand > Level.reserved,
    )
)

HELD_PER_LINE = (
    select(Holding.line, Holding.article, func.sum(Holding.quantity).label("units"))
    .where(Holding.deal_id == bindparam("held_by"))
    .group_by(Holding.line, Holding.article)
)

SET_ASIDE = (
    update(Waiting)
    .where(*_PLACE)
    .values(
        quantity=Waiting.quantity - bindparam("units"),
        allocated=Waiting.allocated + bindparam("units"),
        set_aside_at=bindparam("at"),
    )
)
KEEP = update(Waiting).where(*_PLACE).values(allocated=bindparam("units"))
LEAVE = delete(Waiting).where(*_PLACE)

_HELD_BY_LINE = (Holding.deal_id == bindparam("of_deal"), Holding.line == bindparam("of_line"))
PROLONG = (
    update(Holding).where(*_HELD_BY_LINE, Holding.article == bindparam("of")).values(expires_at=bindparam("until"))
)


@cache
def next_waiting(by_branch: bool) -> Select[str, int, str, int, str, int]:
    """The next page of an article's queue behind a place in it, with `by_branch` of these branches only."""
    query = (
        select(Waiting.deal_id, Waiting.line, Waiting.branch, Waiting.quantity, Waiting.since, Waiting.expires_after)
        .where(
            Waiting.article == bindparam("of"),
            Waiting.quantity > 0,
            tuple_(*_FAIR) > tuple_(bindparam("since"), bindparam("deal"), bindparam("line")),
        )
        .order_by(*_FAIR)
        .limit(bindparam("most"))
        .with_for_update()
    )
    return query.where(Waiting.branch.in_(bindparam("branches", expanding=True))) if by_branch else query


@cache
def enter(dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Take or replace a line's place in the queue; nothing is set aside for it any more."""
    new = insert_into(dialect, Waiting)
    changed = ("article", "branch", "quantity", "allocated", "since", "expires_after", "set_aside_at")
    return new.on_conflict_do_update(
        index_elements=[Waiting.deal_id, Waiting.line], set_={name: getattr(new.excluded, name) for name in changed}
    )
