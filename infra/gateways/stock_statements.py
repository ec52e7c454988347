"""The SQL of the stock book, built once: building a statement costs as much as running it, and this is a hot path."""

from functools import cache

from sqlalchemy import bindparam, delete, exists, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from infra.db import insert_into
from models.tables.stock import StockHoldingRow as Holding
from models.tables.stock import StockLevelRow as Level
from models.tables.stock import StockMoveRow as Move
from models.tables.stock import WarehouseRow as Warehouse

_CENTRAL = select(Warehouse.id).where(Warehouse.kind == "central").scalar_subquery()
SERVES = or_(Level.warehouse == bindparam("branch"), Level.warehouse.in_(_CENTRAL))
_SHELF = (Level.article == bindparam("of"), Level.warehouse == bindparam("on"))
_HELD_PLACE = (
    Holding.deal_id == bindparam("of_deal"),
    Holding.line == bindparam("of_line"),
    Holding.article == bindparam("of"),
    Holding.warehouse == bindparam("on"),
)

_HELD_BY = exists().where(
    Holding.deal_id == bindparam("held_by"), Holding.article == Level.article, Holding.warehouse == Level.warehouse
)
_ASKED = Level.article.in_(bindparam("articles", expanding=True))

_SHELVES = (
    select(Level.article, Level.warehouse, Level.on_hand, Level.reserved, SERVES.label("serves"))
    .order_by(Level.article, Level.warehouse)
    .with_for_update()
)
LOCK_SHELVES = _SHELVES.where(_ASKED, SERVES)
"""Shelves that may serve a branch; SQLite has no row locks, its write transaction is the lock."""

LOCK_SHELVES_AND_HELD = _SHELVES.where(or_(_ASKED & SERVES, _HELD_BY))
"""The same, and all shelves that the deal holds from, for a line that may have to give units back."""

FREE_OF = select(Level.article, Level.on_hand - Level.reserved).where(
    Level.article.in_(bindparam("articles", expanding=True)), SERVES
)

LOCK_HELD_SHELVES = (
    select(Level.article, Level.warehouse, Warehouse.kind)
    .join(Warehouse, Warehouse.id == Level.warehouse)
    .where(_HELD_BY)
    .order_by(Level.article, Level.warehouse)
    .with_for_update(of=Level)
)

HELD = select(Holding.line, Holding.article, Holding.warehouse, Holding.quantity).where(
    Holding.deal_id == bindparam("held_by")
)

# The levels' CHECK refuses whatever would break 0 <= reserved <= on hand, should a lock ever be forgotten.
PROMISE = update(Level).where(*_SHELF).values(reserved=Level.reserved + bindparam("units"))
FREE = update(Level).where(*_SHELF).values(reserved=Level.reserved - bindparam("units"))
HAND_OUT = (
    update(Level)
    .where(*_SHELF)
    .values(reserved=Level.reserved - bindparam("units"), on_hand=Level.on_hand - bindparam("units"))
)

LOWER_HOLDING = update(Holding).where(*_HELD_PLACE).values(quantity=bindparam("units"))
DROP_HOLDING = delete(Holding).where(*_HELD_PLACE)

RETURN_TO = (
    select(Warehouse.id)
    .where(or_(Warehouse.id == bindparam("branch"), Warehouse.kind == "central"))
    .order_by((Warehouse.id != bindparam("branch")), Warehouse.id)
)

MOVE = insert(Move)


@cache
def hold(dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Add units to what a line holds on a shelf; the latest reservation's expiry counts."""
    new = insert_into(dialect, Holding)
    return new.on_conflict_do_update(
        index_elements=[Holding.deal_id, Holding.line, Holding.article, Holding.warehouse],
        set_={"quantity": Holding.quantity + new.excluded.quantity, "expires_at": new.excluded.expires_at},
    )


@cache
def put_on_shelf(dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Add units to a shelf; a new shelf is set up when there is none."""
    new = insert_into(dialect, Level)
    return new.on_conflict_do_update(
        index_elements=[Level.article, Level.warehouse],
        set_={"on_hand": Level.on_hand + new.excluded.on_hand},
    )
