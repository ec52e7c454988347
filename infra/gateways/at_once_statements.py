"""The SQL of the short way of a reservation, built once, as that of the stock book is."""

from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnClause,
    Insert,
    Integer,
    Select,
    String,
    bindparam,
    cast,
    column,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from infra.db import table_of
from infra.gateways.stock_statements import SERVES, hold
from models.tables.effects import EffectRow as Effect
from models.tables.stock import StockLevelRow as Level
from models.tables.stock import StockWaitingRow as Waiting


@cache
def lock_free_shelves(articles: int) -> Select[str, str, int]:
    """Shelves of so many articles that may serve a branch, with their free units; none when the deal `of_deal` has a
    place in a queue or the effect `done_key` was done."""
    # a parameter for each: an expanding list costs its spreading out whenever the statement runs
    names = [bindparam(article_name(number), type_=String()) for number in range(articles)]
    return (
        select(Level.article, Level.warehouse, (Level.on_hand - Level.reserved).label("free"))
        .where(
            Level.article.in_(names),
            SERVES,
            ~exists().where(Waiting.deal_id == bindparam("of_deal")),
            ~exists().where(Effect.effect_key == bindparam("done_key")),
        )
        .order_by(Level.article, Level.warehouse)
        .with_for_update()
    )


def article_name(number: int) -> str:
    """The parameter for one of the articles, counted from 0."""
    return f"article_{number}"


_DONE: dict[str, Any] = {"effect_key": bindparam("done_key"), "act": bindparam("done_act")}

ANSWER = insert(table_of(Effect)).values(**_DONE, answer=bindparam("answer"))


def _promise_and_answer() -> Insert:
    # types without a length: PostgreSQL cuts what is cast to one, and refuses what is too long for its column
    columns: dict[str, TypeEngine[Any]] = {
        "deal_id": String(),
        "line": Integer(),
        "article": String(),
        "warehouse": String(),
        "quantity": BigInteger(),
        "expires_at": String(),
    }
    listed = func.jsonb_to_recordset(cast(bindparam("held", type_=String()), JSONB))
    names: list[ColumnClause[Any]] = [column(name, kind) for name, kind in columns.items()]
    rows = select(listed.table_valued(*names, name="asked").render_derived(with_types=True)).cte("asked")
    units = cast(func.sum(rows.c.quantity), BigInteger).label("units")  # a sum of bigints is numeric
    shelves = select(rows.c.article, rows.c.warehouse, units).group_by(rows.c.article, rows.c.warehouse).subquery()
    promised = (
        update(Level)
        .where(Level.article == shelves.c.article, Level.warehouse == shelves.c.warehouse)
        .values({Level.reserved: Level.reserved + shelves.c.units})
    )
    held = hold("postgresql").from_select(list(columns), select(rows))
    done = insert(table_of(Effect)).values(**_DONE, answer=cast(bindparam("answer", type_=String()), JSONB))
    return done.add_cte(promised.cte("promised"), held.cte("held"))


PROMISE_AND_ANSWER = _promise_and_answer()
"""PostgreSQL only: raise the levels, write what is held (`held`, a JSON list of rows) and store the answer (JSON)."""
