"""Reservations per second, beside one bare SQL transaction on the same store, on SQLite and on PostgreSQL."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection, bindparam, insert, update

from benchmarks.figures import Figure, Target, of_spread
from benchmarks.measure import Act, ratios, spread
from benchmarks.moves import AT_ONCE
from infra.db import Database, open_database
from infra.gateways.stock_book import SqlStockBook
from infra.gateways.stock_intake import StockIntake
from infra.migrate import upgrade
from models.messages.logistics import ReserveInput, StockLine
from models.tables.effects import EffectRow
from models.tables.stock import StockLevelRow
from tests.postgres_server import NoPostgres, running_postgres

_AT, _UNTIL = "2026-01-05T08:00:00Z", "2026-02-05T08:00:00Z"
_WAREHOUSE = "berlin"
_UNITS = 10**8

_INSERT = insert(EffectRow).values(effect_key=bindparam("effect"), act="floor")
_UPDATE = (
    update(StockLevelRow)
    .where(StockLevelRow.article == bindparam("of"), StockLevelRow.warehouse == _WAREHOUSE)
    .values(reserved=StockLevelRow.reserved + 1)
)
_TARGET = Target("at least", 0.5)
_WHY = (
    "a reservation makes four statements on SQLite (look and lock, change the shelf, write what is held, store the "
    "answer) and two on PostgreSQL (the last three are one), its floor two; the rest is what the book reckons"
)


@dataclass
class Counter:
    """A stock book that never runs out, and the floor beside it."""

    database: Database
    book: SqlStockBook
    shelves: int = AT_ONCE
    """Over how many articles the callers spread; 1 is a hot shelf."""
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def reserve(self) -> None:
        """A line of a deal of its own, as a deal asks for it: short units would go on the waiting list."""
        number = next(self._numbers)
        lines = (StockLine(1, f"A-{number % self.shelves}", 1),)
        await self.book.reserve(
            ReserveInput(f"bench-{number}", f"D-{number}", _WAREHOUSE, lines, _AT, _UNTIL, waits=True)
        )

    async def bare(self) -> None:
        """The floor: one row inserted, one row changed by its key, in one transaction."""
        number = next(self._numbers)

        def work(connection: Connection) -> None:
            connection.execute(_INSERT, {"effect": f"floor-{number}"})
            connection.execute(_UPDATE, {"of": f"F-{number % self.shelves}"})

        await self.database.write(work)


async def reservations(folder: Path, batches: int, count: int) -> list[Figure]:
    """All figures of both stores; PostgreSQL's are left out, with a word, where it is not installed."""
    figures = await of_store("SQLite", f"sqlite+aiosqlite:///{folder / 'stock.db'}", batches, count)
    with _postgres() as url:
        if url:
            return [*figures, *await of_store("PostgreSQL", url, batches, count)]
    return [*figures[:-1], replace(figures[-1], note="no PostgreSQL on this machine: not measured there")]


@contextmanager
def _postgres() -> Iterator[str]:
    """A fresh PostgreSQL database whose commits are synced, or the empty text where there is none."""
    try:
        with running_postgres(durable=True) as server:
            yield server.make("bench")
    except NoPostgres:
        yield ""


@asynccontextmanager
async def _counter(url: str) -> AsyncIterator[Counter]:
    await asyncio.to_thread(upgrade, url)
    database = open_database(url)
    try:
        intake = StockIntake(database)
        await intake.add_warehouse(_WAREHOUSE, "Berlin", "branch")
        for article in (f"{kind}-{number}" for kind in "AF" for number in range(AT_ONCE)):
            await intake.open_stock(article, _WAREHOUSE, _UNITS, _AT, f"open-{article}")
        yield Counter(database, SqlStockBook(database))
    finally:
        await database.close()


async def of_store(store: str, url: str, batches: int, count: int) -> list[Figure]:
    """The figures of one store, which is empty: rates one by one and many at a time, and their ratios."""
    figures = []
    async with _counter(url) as counter:
        for _ in range(3):
            await counter.reserve()
            await counter.bare()
        for many, shelves, words, target in (
            (1, AT_ONCE, "one by one", _TARGET),
            (AT_ONCE, AT_ONCE, f"{AT_ONCE} at a time", _TARGET),
            (AT_ONCE, 1, f"{AT_ONCE} on one shelf", None),
        ):
            counter.shelves = shelves
            ours, floor = await _rates(counter, many, batches, count)
            figures += [
                of_spread(f"{store}: reservations, {words}", spread(ours), "/s"),
                of_spread(f"{store}: bare transactions, {words}", spread(floor), "/s"),
                of_spread(f"{store}: reservation / bare, {words}", ratios(ours, floor), "x", target, why=_WHY),
            ]
    return figures


async def _rates(counter: Counter, at_once: int, batches: int, count: int) -> tuple[list[float], list[float]]:
    ours, floor = list[float](), list[float]()
    for batch in range(batches):
        for act, into in ((counter.reserve, ours), (counter.bare, floor))[:: 1 if batch % 2 else -1]:
            into.append(await _rate(act, at_once, count))
    return ours, floor


async def _rate(act: Act, at_once: int, count: int) -> float:
    """Acts per second: `count` in a row by each of `at_once` callers."""

    async def one() -> None:
        for _ in range(count):
            await act()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(at_once)))
    return at_once * count / (time.perf_counter() - began)
