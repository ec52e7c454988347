"""Whatever is asked in whatever order, the fakes answer as the real gateways do, and the real books stay in balance."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.db import Database, open_database
from infra.gateways.credit_book import SqlCreditBook
from infra.gateways.credit_limits import CreditLimits
from infra.gateways.stock_reading import StockReader
from models.instants import DAY, plus
from models.messages.finance import HeadroomInput, HeadroomReleaseInput
from models.messages.logistics import ReleaseInput, ReserveInput, ReturnInput, ShipInput, StockLine
from tests.fakes.credit import FakeCreditBook
from tests.fakes.stock import FakeStockBook
from tests.gateways.worlds import AT, LATER, FakeStock, RealStock, StockWorld

DEALS = st.sampled_from(["D1", "D2", "D3"])
BRANCHES = st.sampled_from(["north", "south", "moon"])
LINES = st.lists(
    st.builds(StockLine, st.integers(1, 3), st.sampled_from(["bolt", "nut"]), st.integers(1, 9)), max_size=3
).map(tuple)
LEAVING = st.sets(st.integers(1, 3), max_size=2).map(tuple)
SINCE = st.sampled_from(["", "2026-02-27T08:00:00Z", "2026-03-01T08:00:00Z"])


@dataclass(frozen=True)
class Delivery:
    """Goods that come in without a deal."""

    deal_id: str
    warehouse: str
    lines: tuple[StockLine, ...]


STOCK_ACTS = st.one_of(
    st.builds(ReserveInput, st.just(""), DEALS, BRANCHES, LINES, st.just(AT), st.just(LATER)),
    st.builds(ReserveInput, st.just(""), DEALS, BRANCHES, LINES, st.just(AT), st.just(LATER), st.just(True), SINCE),
    st.builds(Delivery, st.just(""), st.sampled_from(["north", "south", "hub", "annex"]), LINES),
    st.builds(ReleaseInput, st.just(""), DEALS, st.just(AT), LINES, st.booleans(), LEAVING),
    st.builds(ShipInput, st.just(""), DEALS, LINES, st.just(AT)),
    st.builds(ReturnInput, st.just(""), DEALS, BRANCHES, LINES, st.just(AT)),
)
METHODS = {
    ReserveInput: "reserve",
    ReleaseInput: "release",
    ShipInput: "ship",
    ReturnInput: "take_back",
    HeadroomInput: "reserve",
    HeadroomReleaseInput: "release",
}


@st.composite
def credit_acts(draw: st.DrawFn) -> list[Any]:
    """Reservations and releases at business times that only go forward, as those of a deal do."""
    acts: list[Any] = []
    at = AT
    for _ in range(draw(st.integers(1, 12))):
        at = plus(at, draw(st.integers(0, 20)) * DAY)
        key, currency = draw(st.sampled_from("abc")), draw(st.sampled_from(["EUR", "EUR", "USD"]))
        amount, limit = draw(st.integers(0, 700)), draw(st.integers(500, 1_000))
        if draw(st.booleans()):
            until = plus(at, draw(st.integers(0, 60)) * DAY)
            acts.append(HeadroomInput(key, "D1", draw(st.sampled_from("GH")), currency, amount, limit, at, until))
        else:
            acts.append(HeadroomReleaseInput("", key, "D1", draw(st.integers(0, 300)), at))
    return acts


def named_apart(act: Any, example: int, number: int) -> Any:
    """The same act under names of its own: all examples share one database, which is much faster."""
    changes: dict[str, Any] = {"deal_id": f"{act.deal_id}-{example}"}
    if hasattr(act, "lines"):
        changes["lines"] = tuple(replace(line, article=f"{line.article}-{example}") for line in act.lines)
    if hasattr(act, "effect_key"):
        changes["effect_key"] = f"{example}-{number}"
    changes |= {name: f"{getattr(act, name)}-{example}" for name in ("key", "group") if hasattr(act, name)}
    return replace(act, **changes)


async def answers(book: Any, acts: list[Any]) -> list[Any]:
    """Ask one after the other."""
    return [await getattr(book, METHODS[type(act)])(act) for act in acts]


async def goods_answers(world: StockWorld, acts: list[Any]) -> list[Any]:
    """The same of a stock book, to which goods come in besides."""
    told: list[Any] = []
    for act in acts:
        if isinstance(act, Delivery):
            told += [await world.put(line.article, act.warehouse, line.quantity) for line in act.lines]
        else:
            told += await answers(world.book, [act])
    return told


def nobody_jumped_the_queue(book: FakeStockBook) -> bool:
    """No unit is free where somebody waits whom its shelf serves."""
    return not any(
        book.on_hand[article, shelf] - book.reserved[article, shelf]
        for place in book.waiting.values()
        for article, shelf in book.on_hand
        if place.quantity
        and article == place.article
        and (shelf == place.branch or book.warehouses[shelf] == "central")
    )


class Examples:
    """A database in an event loop of its own, as hypothesis calls plain functions, and a number per example."""

    def __init__(self, database: Database, runner: asyncio.Runner) -> None:
        self.database, self.run = database, runner.run
        self.numbers = itertools.count(1)


@pytest.fixture
def examples(sqlite_url: str) -> Iterator[Examples]:
    with asyncio.Runner() as runner:
        database = open_database(sqlite_url, synchronous="NORMAL")
        yield Examples(database, runner)
        runner.run(database.close())


async def stocked(world: StockWorld, example: int) -> None:
    bolt, nut = f"bolt-{example}", f"nut-{example}"
    for warehouse, kind in (("north", "branch"), ("south", "branch"), ("hub", "central"), ("annex", "central")):
        await world.add_warehouse(warehouse, kind)
        await world.put(bolt, warehouse, 4)
    await world.put(nut, "hub", 9)
    await world.add_analogue(bolt, nut)
    await world.expect(bolt, "2026-03-20", 5)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(STOCK_ACTS, max_size=14))
@pytest.mark.uncounted
def test_stock_books_agree(examples: Examples, acts: list[Any]):
    async def both(example: int) -> None:
        asked = [named_apart(act, example, number) for number, act in enumerate(acts)]
        fake, real = FakeStock(), RealStock(examples.database, f"{example} ")
        for world in (fake, real):
            await stocked(world, example)
        assert await goods_answers(fake, asked) == await goods_answers(real, asked)
        for article in (f"bolt-{example}", f"nut-{example}"):
            assert await fake.queue(article) == await real.queue(article)
        assert nobody_jumped_the_queue(fake.book)
        assert await StockReader(examples.database).verify() == []

    examples.run(both(next(examples.numbers)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=credit_acts())
def test_credit_books_agree(examples: Examples, acts: list[Any]):
    async def both(example: int) -> None:
        asked = [named_apart(act, example, number) for number, act in enumerate(acts)]
        real = SqlCreditBook(examples.database)
        assert await answers(FakeCreditBook(), asked) == await answers(real, asked)
        assert await CreditLimits(examples.database).verify() == []

    examples.run(both(next(examples.numbers)))
