"""The waiting list of the stock book: order lines that miss units, and how freed units are set aside for them.

Whoever has waited longest is served first, in part if need be: by instant, then deal, then line. Free units exist only
where nobody waits whom their shelf serves, because every act that brings or frees units sets them aside in its own
transaction. So nobody has to ask whether somebody else came earlier.

The order of locks on PostgreSQL: the articles' queues by `alone`, then the stock book's levels, then rows of the queue.
Holdings of a locked level need no order.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection

from infra.gateways import stock_statements, waiting_statements
from infra.gateways.portions import Portion, Shelves, per_shelf, take
from models.instants import DAY, between, plus
from models.messages.logistics import ReserveInput, StockLine, Woken

_PAGE = 200
"""Rows of a queue that are looked at together."""

_LONGEST_HOLD = 3660 * DAY
"""Ten years: an expiry that no calendar has must not keep goods from coming in."""


class Place(NamedTuple):
    """A line's place in the queue: units that it misses, and those that are set aside for it."""

    line: int
    article: str
    branch: str
    quantity: int
    allocated: int
    since: str


class _Served(NamedTuple):
    """What one line of the queue got, and how long it may hold it (seconds)."""

    deal_id: str
    expires_after: int
    portions: list[Portion]


Free = dict[str, Shelves]
"""Free units per article and warehouse."""


def alone(connection: Connection, articles: Collection[str]) -> None:
    """Keep everybody else from these articles' queues until the transaction ends; to be called before locking levels.

    The levels' locks would not do: a line could enter the queue while goods come in on a shelf that is just being set
    up, and neither would see the other.
    """
    if articles and connection.dialect.name == "postgresql":
        connection.execute(waiting_statements.ALONE, {"articles": sorted(articles)})


def places(connection: Connection, deal_id: str) -> dict[int, Place]:
    """Where the deal's lines stand, by line; nothing is locked."""
    return _places(connection, deal_id, waiting_statements.OF_DEAL)


def locked_places(connection: Connection, deal_id: str) -> dict[int, Place]:
    """The same, and nobody changes them until the transaction ends."""
    return _places(connection, deal_id, waiting_statements.LOCK_OF_DEAL)


def _places(connection: Connection, deal_id: str, query: Any) -> dict[int, Place]:
    return {row.line: Place(*row) for row in connection.execute(query, {"of_deal": deal_id})}


def enter(connection: Connection, asked: ReserveInput, missing: Iterable[StockLine], queued: Collection[int]) -> None:
    """Write down what the asked lines miss now, nothing being set aside for them; a line that misses nothing leaves,
    if it is one of the `queued` ones: most reservations find everything and never stood in the queue."""
    sums: dict[int, StockLine] = {}
    for line in missing:
        before = sums.get(line.line)
        same = before.quantity if before and before.article == line.article else 0
        sums[line.line] = StockLine(line.line, line.article, line.quantity + same)
    row = {
        "deal_id": asked.deal_id,
        "branch": asked.branch,
        "allocated": 0,
        "since": asked.since or asked.at,
        "expires_after": min(max(0, between(asked.at, asked.expires_at)), _LONGEST_HOLD),
        "set_aside_at": "",
    }
    waiting = [
        {**row, "line": line.line, "article": line.article, "quantity": line.quantity}
        for line in sums.values()
        if line.quantity
    ]
    if waiting:
        connection.execute(waiting_statements.enter(connection.dialect.name), waiting)
    leave(connection, asked.deal_id, [line.line for line in sums.values() if not line.quantity and line.line in queued])


def leave(connection: Connection, deal_id: str, lines: Iterable[int]) -> None:
    """Take lines out of the queue; what was set aside for them they still hold."""
    rows = [{"of_deal": deal_id, "of_line": line} for line in sorted(lines)]
    if rows:
        connection.execute(waiting_statements.LEAVE, rows)


def prolong(connection: Connection, asked: ReserveInput, lines: Iterable[StockLine]) -> None:
    """What is handed over is held as long as what the line reserved now."""
    rows = [
        {"of_deal": asked.deal_id, "of_line": line.line, "of": line.article, "until": asked.expires_at}
        for line in lines
    ]
    if rows:
        connection.execute(waiting_statements.PROLONG, rows)


def keep_what_is_held(connection: Connection, deal_id: str, lines: Collection[int]) -> None:
    """Lower what is set aside for these lines to what they hold, after units of theirs were shipped or given back."""
    touched = [
        place for place in locked_places(connection, deal_id).values() if place.line in lines and place.allocated
    ]
    if not touched:
        return
    rows = connection.execute(waiting_statements.HELD_PER_LINE, {"held_by": deal_id})
    held = {(row.line, row.article): int(row.units) for row in rows}
    for place in touched:
        left = min(place.allocated, held.get((place.line, place.article), 0))
        if left == 0 and place.quantity == 0:
            leave(connection, deal_id, [place.line])
        elif left < place.allocated:
            lowered = {"of_deal": deal_id, "of_line": place.line, "units": left}
            connection.execute(waiting_statements.KEEP, lowered)


def set_aside(connection: Connection, shelves: Collection[tuple[str, str]], at: str) -> tuple[Woken, ...]:
    """Promise what is free on these shelves (article and warehouse, their levels locked, their articles' queues ours)
    to the lines that wait for it and that the shelf serves: those of its branch, or all when it is central."""
    free, central = _free_on(connection, shelves)
    return tuple(woken for article in sorted(free) for woken in _serve(connection, article, free[article], central, at))


def _free_on(connection: Connection, shelves: Collection[tuple[str, str]]) -> tuple[Free, frozenset[str]]:
    """Free units, and which of the warehouses are central."""
    if not shelves:
        return {}, frozenset()
    names = {"articles": sorted({article for article, _ in shelves}), "warehouses": sorted({on for _, on in shelves})}
    rows = connection.execute(waiting_statements.FREE_ON, names).all()
    free: Free = {}
    for row in rows:
        if (row.article, row.warehouse) in shelves:
            free.setdefault(row.article, {})[row.warehouse] = row.free
    return free, frozenset(row.warehouse for row in rows if row.kind == "central")


def _serve(connection: Connection, article: str, free: Shelves, central: frozenset[str], at: str) -> list[Woken]:
    """Go along one article's queue until nothing is free or nobody is left."""
    served: list[_Served] = []
    behind = {"since": "", "deal": "", "line": 0}
    while left := {warehouse for warehouse, units in free.items() if units}:
        by_branch = not left & central
        asked = {"of": article, "most": _PAGE, **behind, **({"branches": sorted(left)} if by_branch else {})}
        rows = connection.execute(waiting_statements.next_waiting(by_branch), asked).all()
        if not rows:
            break
        for row in rows:
            shelves = {name: free[name] for name in _serving(row.branch, free, central)}
            if portions := take(StockLine(row.line, article, row.quantity), shelves):
                free |= shelves
                served.append(_Served(row.deal_id, row.expires_after, portions))
        behind = {"since": rows[-1].since, "deal": rows[-1].deal_id, "line": rows[-1].line}
    _promise(connection, served, at)
    return [
        Woken(one.deal_id, one.portions[0].line, article, sum(part.units for part in one.portions)) for one in served
    ]


def _serving(branch: str, free: Mapping[str, int], central: frozenset[str]) -> list[str]:
    """Warehouses that serve a branch, its own first."""
    return ([branch] if branch in free else []) + sorted(name for name in free if name in central and name != branch)


def _promise(connection: Connection, served: list[_Served], at: str) -> None:
    """Raise the levels' reserved units and the lines' holdings, and write in the queue what was set aside."""
    if not served:
        return
    parts = [part for one in served for part in one.portions]
    shelves = [{"of": article, "on": warehouse, "units": units} for article, warehouse, units in per_shelf(parts)]
    connection.execute(stock_statements.PROMISE, shelves)
    holdings, rows = [], []
    for one in served:
        until = plus(at, one.expires_after)
        for line, article, warehouse, units in one.portions:
            place = {"deal_id": one.deal_id, "line": line, "article": article, "warehouse": warehouse}
            holdings.append({**place, "quantity": units, "expires_at": until})
        units = sum(part.units for part in one.portions)
        rows.append({"of_deal": one.deal_id, "of_line": one.portions[0].line, "units": units, "at": at})
    connection.execute(stock_statements.hold(connection.dialect.name), holdings)
    connection.execute(waiting_statements.SET_ASIDE, rows)
