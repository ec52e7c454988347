"""The stock book on our database: reservations, shipments and returns, each one transaction and once per effect key.

Every writer locks the stock levels first, in the order of article and warehouse, and holdings only after them:
so no two of them wait for each other, and the holdings of a locked level stand still. Whoever may change an article's
waiting list has it locked before the levels, and locks its rows last; `waiting_list` says how.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import NoneType
from typing import Any

from sqlalchemy import Connection, Update

from infra.db import Database
from infra.gateways import checked, stock_statements, waiting_list
from infra.gateways.once import once
from infra.gateways.portions import Portion, Shelves, merged, per_shelf, take, total
from infra.gateways.reserved_at_once import reserved_at_once
from infra.gateways.shortages import outlook
from infra.gateways.waiting_list import Place
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
        """Reserve what is free: from the branch, then from central warehouses, in part when there is too little.

        With `waits`, what was set aside for a line is handed over first, and what is missing enters the waiting list.
        """
        checked.stock_lines(asked.lines)
        for at in {asked.at, asked.expires_at, asked.since or asked.at}:
            checked.instant(at)
        if answer := await reserved_at_once(self._database, asked, "stock.reserve"):
            return answer
        work = partial(_reserve, asked=asked)
        return await once(self._database, asked.effect_key, "stock.reserve", ReserveResult, work)

    async def release(self, asked: ReleaseInput) -> ReleaseResult:
        """Give back what the lines hold, from central warehouses first; never more than they hold.

        A line that gives everything back (or whose reservation expired) leaves the waiting list before the units go
        to whoever waits for them, so it gets none of them; if it still wants them it has to ask again.
        """
        checked.stock_lines(asked.lines)
        checked.instant(asked.at)
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
    free, queued = _free_and_queued(connection, asked)
    handed, surplus = _handed_over(asked.lines, queued)
    wanted = [replace(line, quantity=line.quantity - units) for line, units in zip(asked.lines, handed, strict=True)]
    taken = [take(line, free.get(line.article, {})) for line in wanted]
    portions = [portion for parts in taken for portion in parts]
    if portions:
        connection.execute(stock_statements.PROMISE, _shelf_rows(portions))
        rows = [
            {"deal_id": asked.deal_id, "expires_at": asked.expires_at, **_place(portion), "quantity": portion.units}
            for portion in merged(portions)
        ]
        connection.execute(stock_statements.hold(connection.dialect.name), rows)
    missing = [replace(line, quantity=line.quantity - total(parts)) for line, parts in zip(wanted, taken, strict=True)]
    if asked.waits:
        waiting_list.prolong(
            connection, asked, [line for line, units in zip(asked.lines, handed, strict=True) if units]
        )
        waiting_list.enter(connection, asked, missing, queued)
        _give_back(connection, asked, surplus)
    news = outlook(connection, [line for line in missing if line.quantity], asked.branch, asked.at)
    return ReserveResult(
        tuple(
            ReservedLine(
                line.line, line.article, line.quantity - short.quantity, short.quantity, *news.get(short, ("", ""))
            )
            for line, short in zip(asked.lines, missing, strict=True)
        )
    )


def _free_and_queued(connection: Connection, asked: ReserveInput) -> tuple[dict[str, Shelves], dict[int, Place]]:
    """Free units per article, and the places of the asked lines in the queue; both stand still until the end."""
    articles = {line.article for line in asked.lines}
    if not asked.waits:
        return _free(connection, articles, asked.branch), {}
    waiting_list.alone(connection, articles)
    queued = _queued(waiting_list.places(connection, asked.deal_id), asked)
    if not queued:
        return _free(connection, articles, asked.branch), {}
    waiting_list.alone(connection, {place.article for place in queued.values()} - articles)
    free = _free(connection, articles, asked.branch, asked.deal_id)
    return free, _queued(waiting_list.locked_places(connection, asked.deal_id), asked)


def _queued(places: Mapping[int, Place], asked: ReserveInput) -> dict[int, Place]:
    return {line.line: places[line.line] for line in asked.lines if line.line in places}


def _free(connection: Connection, articles: Iterable[str], branch: str, held_by: str = "") -> dict[str, Shelves]:
    """Free units per article, the branch's shelf first; the levels stay locked until the end, and with them those
    that the deal `held_by` holds from."""
    asked = {"articles": sorted(articles), "branch": branch}
    if held_by:
        rows = connection.execute(stock_statements.LOCK_SHELVES_AND_HELD, {**asked, "held_by": held_by}).all()
    else:
        rows = connection.execute(stock_statements.LOCK_SHELVES, asked).all()
    free: dict[str, Shelves] = {}
    for row in sorted(rows, key=lambda row: (row.warehouse != branch, row.warehouse)):
        if row.serves:
            free.setdefault(row.article, {})[row.warehouse] = row.on_hand - row.reserved
    return free


def _handed_over(lines: Sequence[StockLine], queued: Mapping[int, Place]) -> tuple[list[int], list[StockLine]]:
    """Units that each asked line gets of what was set aside for it, and what is left of that."""
    left = {number: place.allocated for number, place in queued.items()}
    handed = []
    for line in lines:
        same = line.line in queued and queued[line.line].article == line.article
        units = min(line.quantity, left[line.line]) if same else 0
        left[line.line] = left.get(line.line, 0) - units
        handed.append(units)
    return handed, [StockLine(number, queued[number].article, units) for number, units in left.items() if units]


def _give_back(connection: Connection, asked: ReserveInput, surplus: list[StockLine]) -> None:
    """Put what was set aside beyond what is asked back on its shelves, from where it goes to whoever waits."""
    if not surplus:
        return
    held = _held(connection, asked.deal_id, branch_first=False)
    freed = [part for line in surplus for part in take(line, held.get((line.line, line.article), {}))]
    _let_go(connection, asked.deal_id, held, freed, stock_statements.FREE)
    waiting_list.set_aside(connection, _shelves(freed), asked.at)


def _release(connection: Connection, asked: ReleaseInput) -> ReleaseResult:
    queued = waiting_list.places(connection, asked.deal_id)
    given_back = connection.execute(stock_statements.HELD, {"held_by": asked.deal_id}) if _is_everything(asked) else ()
    articles = {line.article for line in (*given_back, *asked.lines)}
    # from here on nobody sets anything aside for it on a shelf that it does not hold from yet
    waiting_list.alone(connection, articles | {place.article for place in queued.values()})
    held = _held(connection, asked.deal_id, branch_first=False)
    queued = waiting_list.locked_places(connection, asked.deal_id) if queued else {}
    everything = tuple(StockLine(*place, sum(shelves.values())) for place, shelves in held.items())
    leaving = _leaving(asked, queued, everything)
    beyond = [queued[number] for number in asked.leave_queue if number in queued]
    given = (
        *(everything if _is_everything(asked) else asked.lines),
        *(StockLine(place.line, place.article, place.allocated) for place in beyond),
    )
    freed = [part for line in given for part in take(line, held.get((line.line, line.article), {}))]
    _let_go(connection, asked.deal_id, held, freed, stock_statements.FREE)
    waiting_list.leave(connection, asked.deal_id, leaving)
    if staying := queued.keys() - leaving:
        waiting_list.keep_what_is_held(connection, asked.deal_id, staying)
    waiting_list.set_aside(connection, _shelves(freed), asked.at)
    sums: dict[tuple[int, str], int] = {}
    for line, article, _, units in merged(freed):
        sums[line, article] = sums.get((line, article), 0) + units
    return ReleaseResult(tuple(StockLine(*place, units) for place, units in sums.items()))


def _leaving(asked: ReleaseInput, queued: Mapping[int, Place], held: Iterable[StockLine]) -> set[int]:
    """Lines that leave the queue: all when everything is given back, else those that are told to or give back all."""
    if _is_everything(asked):
        return set(queued)
    holds = {(line.line, line.article): line.quantity for line in held}
    gives: Counter[tuple[int, str]] = Counter()
    for line in asked.lines:
        gives[line.line, line.article] += line.quantity
    return queued.keys() & asked.leave_queue | {
        number
        for number, place in queued.items()
        if (units := gives[number, place.article]) and (asked.expired or units > holds.get((number, place.article), 0))
    }


def _is_everything(asked: ReleaseInput) -> bool:
    return not asked.lines and not asked.leave_queue


def _ship(connection: Connection, asked: ShipInput) -> ShipResult:
    held = _held(connection, asked.deal_id, branch_first=True)
    taken = [take(line, held.get((line.line, line.article), {})) for line in asked.lines]
    shipped = [portion for parts in taken for portion in parts]
    _let_go(connection, asked.deal_id, held, shipped, stock_statements.HAND_OUT)
    waiting_list.keep_what_is_held(connection, asked.deal_id, {part.line for part in shipped})
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
        waiting_list.alone(connection, {portion.article for portion in portions})
        connection.execute(stock_statements.put_on_shelf(connection.dialect.name), _new_shelf_rows(portions))
        waiting_list.set_aside(connection, _shelves(portions), asked.at)
    _note_moves(connection, "returned", portions, asked)


def _note_moves(connection: Connection, kind: str, portions: Iterable[Portion], asked: ShipInput | ReturnInput) -> None:
    act = {"kind": kind, "at": asked.at, "deal_id": asked.deal_id, "effect_key": asked.effect_key}
    rows = [{**act, **_place(portion), "quantity": portion.units} for portion in portions]
    if rows:
        connection.execute(stock_statements.MOVE, rows)


def _place(portion: Portion) -> dict[str, Any]:
    return {"line": portion.line, "article": portion.article, "warehouse": portion.warehouse}


def _shelves(portions: Iterable[Portion]) -> set[tuple[str, str]]:
    return {(portion.article, portion.warehouse) for portion in portions}


def _shelf_rows(portions: Iterable[Portion]) -> list[dict[str, Any]]:
    return [{"of": article, "on": warehouse, "units": units} for article, warehouse, units in per_shelf(portions)]


def _new_shelf_rows(portions: Iterable[Portion]) -> list[dict[str, Any]]:
    return [
        {"article": article, "warehouse": warehouse, "on_hand": units, "reserved": 0}
        for article, warehouse, units in per_shelf(portions)
    ]
