"""The stock book on our database: reservations, shipments and returns, each one transaction and once per effect key.

Every writer locks the stock levels first, in the order of article and warehouse, and holdings only after them:
so no two of them wait for each other, and the holdings of a locked level stand still.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from types import NoneType
from typing import Any

from sqlalchemy import Connection, Update

from infra.db import Database
from infra.gateways import checked, stock_statements
from infra.gateways.once import once
from infra.gateways.portions import Portion, Shelves, merged, per_shelf, take, total
from infra.gateways.shortages import outlook
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

Held = Mapping[tuple[int, str], Shelves]
"""What a deal holds: per line and article, the shelves."""


class SqlStockBook:
    """The port StockBook on our database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, asked: ReserveInput) -> ReserveResult:
        """Reserve what is free: from the branch, then from central warehouses, in part when there is too little."""
        checked.stock_lines(asked.lines)
        checked.instant(asked.at)
        checked.instant(asked.expires_at)
        work = partial(_reserve, asked=asked)
        return await once(self._database, asked.effect_key, "stock.reserve", ReserveResult, work)

    async def release(self, asked: ReleaseInput) -> ReleaseResult:
        """Give back what the lines hold, from central warehouses first; never more than they hold."""
        checked.stock_lines(asked.lines)
        work = partial(_release, asked=asked)
        return await once(self._database, asked.effect_key, "stock.release", ReleaseResult, work)

    async def ship(self, asked: ShipInput) -> ShipResult:
        """Take reserved units off the shelves, the branch's first; a line answers 0 when it held nothing."""
        checked.stock_lines(asked.lines)
        checked.instant(asked.at)
        work = partial(_ship, asked=asked)
        return await once(self._database, asked.effect_key, "stock.ship", ShipResult, work)

    async def take_back(self, asked: ReturnInput) -> None:
        """Put units back on the branch's shelves; an unknown branch has none, so they go to a central warehouse.

        Raises ValueError when there is no central warehouse either.
        """
        checked.stock_lines(asked.lines)
        checked.instant(asked.at)
        work = partial(_take_back, asked=asked)
        await once(self._database, asked.effect_key, "stock.take_back", NoneType, work)


def _reserve(connection: Connection, asked: ReserveInput) -> ReserveResult:
    free = _free(connection, {line.article for line in asked.lines}, asked.branch)
    taken = [take(line, free.get(line.article, {})) for line in asked.lines]
    portions = [portion for parts in taken for portion in parts]
    if portions:
        connection.execute(stock_statements.PROMISE, _shelf_rows(portions))
        rows = [
            {"deal_id": asked.deal_id, "expires_at": asked.expires_at, **_place(portion), "quantity": portion.units}
            for portion in merged(portions)
        ]
        connection.execute(stock_statements.hold(connection.dialect.name), rows)
    missing = [
        StockLine(line.line, line.article, line.quantity - total(parts))
        for line, parts in zip(asked.lines, taken, strict=True)
    ]
    news = outlook(connection, [line for line in missing if line.quantity], asked.branch, asked.at)
    return ReserveResult(
        tuple(
            ReservedLine(
                line.line, line.article, line.quantity - short.quantity, short.quantity, *news.get(short, ("", ""))
            )
            for line, short in zip(asked.lines, missing, strict=True)
        )
    )


def _free(connection: Connection, articles: Iterable[str], branch: str) -> dict[str, Shelves]:
    """Free units per article, the branch's shelf first; the levels stay locked until the end."""
    rows = connection.execute(stock_statements.LOCK_SHELVES, {"articles": sorted(articles), "branch": branch}).all()
    free: dict[str, Shelves] = {}
    for row in sorted(rows, key=lambda row: (row.warehouse != branch, row.warehouse)):
        free.setdefault(row.article, {})[row.warehouse] = row.on_hand - row.reserved
    return free


def _release(connection: Connection, asked: ReleaseInput) -> ReleaseResult:
    held = _held(connection, asked.deal_id, branch_first=False)
    everything = tuple(StockLine(*place, sum(shelves.values())) for place, shelves in held.items())
    freed = [part for line in asked.lines or everything for part in take(line, held.get((line.line, line.article), {}))]
    _let_go(connection, asked.deal_id, held, freed, stock_statements.FREE)
    sums: dict[tuple[int, str], int] = {}
    for line, article, _, units in merged(freed):
        sums[line, article] = sums.get((line, article), 0) + units
    return ReleaseResult(tuple(StockLine(*place, units) for place, units in sums.items()))


def _ship(connection: Connection, asked: ShipInput) -> ShipResult:
    held = _held(connection, asked.deal_id, branch_first=True)
    taken = [take(line, held.get((line.line, line.article), {})) for line in asked.lines]
    shipped = [portion for parts in taken for portion in parts]
    _let_go(connection, asked.deal_id, held, shipped, stock_statements.HAND_OUT)
    _note_moves(connection, "shipped", shipped, asked)
    return ShipResult(
        tuple(StockLine(line.line, line.article, total(parts)) for line, parts in zip(asked.lines, taken, strict=True))
    )


def _held(connection: Connection, deal_id: str, branch_first: bool) -> Held:
    """What the deal holds; the levels that it holds from stay locked until the end."""
    levels = connection.execute(stock_statements.LOCK_HELD_SHELVES, {"held_by": deal_id}).all()
    kinds = {(row.article, row.warehouse): row.kind for row in levels}
    rows = connection.execute(stock_statements.HELD, {"held_by": deal_id}).all()
    # a holding that came in between the two statements lies on a level that is not locked: it is left alone
    known = [Portion(*row) for row in rows if (row.article, row.warehouse) in kinds]
    known.sort(key=lambda part: (kinds[part.article, part.warehouse], part.warehouse), reverse=not branch_first)
    held: dict[tuple[int, str], Shelves] = {}
    for part in known:
        held.setdefault((part.line, part.article), {})[part.warehouse] = part.units
    return held


def _let_go(connection: Connection, deal_id: str, held: Held, gone: list[Portion], change: Update) -> None:
    """Lower the levels by what is gone, and the holdings to what `held` says is left; a used-up holding goes."""
    if not gone:
        return
    connection.execute(change, _shelf_rows(gone))
    left: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for part in merged(gone):
        units = held[part.line, part.article][part.warehouse]
        place = {"of_deal": deal_id, "of_line": part.line, "of": part.article, "on": part.warehouse}
        left[units > 0].append({**place, "units": units} if units else place)
    for is_left, statement in ((True, stock_statements.LOWER_HOLDING), (False, stock_statements.DROP_HOLDING)):
        if left[is_left]:
            connection.execute(statement, left[is_left])


def _take_back(connection: Connection, asked: ReturnInput) -> None:
    shelf = connection.execute(stock_statements.RETURN_TO, {"branch": asked.branch}).scalars().first()
    if shelf is None:
        raise ValueError(f"no warehouse {asked.branch!r:.80} and no central one to take goods back")
    portions = [Portion(line.line, line.article, shelf, line.quantity) for line in asked.lines]
    if portions:
        connection.execute(stock_statements.put_on_shelf(connection.dialect.name), _new_shelf_rows(portions))
    _note_moves(connection, "returned", portions, asked)


def _note_moves(connection: Connection, kind: str, portions: Iterable[Portion], asked: ShipInput | ReturnInput) -> None:
    act = {"kind": kind, "at": asked.at, "deal_id": asked.deal_id, "effect_key": asked.effect_key}
    rows = [{**act, **_place(portion), "quantity": portion.units} for portion in portions]
    if rows:
        connection.execute(stock_statements.MOVE, rows)


def _place(portion: Portion) -> dict[str, Any]:
    return {"line": portion.line, "article": portion.article, "warehouse": portion.warehouse}


def _shelf_rows(portions: Iterable[Portion]) -> list[dict[str, Any]]:
    return [{"of": article, "on": warehouse, "units": units} for article, warehouse, units in per_shelf(portions)]


def _new_shelf_rows(portions: Iterable[Portion]) -> list[dict[str, Any]]:
    return [
        {"article": article, "warehouse": warehouse, "on_hand": units, "reserved": 0}
        for article, warehouse, units in per_shelf(portions)
    ]
