"""The short way of a reservation on both databases: how few statements it takes, and where it leaves off."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from infra.db import Database
from infra.gateways.once import EffectKeyReused
from infra.gateways.reserved_at_once import reserved_at_once
from models.messages.logistics import ReserveInput, ReserveResult, ReturnInput, StockLine
from tests.gateways.worlds import AT, LATER, RealStock, lines, reservation, waiting


@pytest.fixture
async def real(each_database: Database) -> RealStock:
    """A stock book with a branch `north` and a `hub`, both empty."""
    book = RealStock(each_database)
    await book.add_warehouse("north", "branch")
    await book.add_warehouse("hub", "central")
    return book


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that are run meanwhile, without those that only begin and end transactions."""
    run: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            run.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield run
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_a_reservation_of_what_is_free_takes_few_statements(real: RealStock, each_database: Database):
    await real.put("bolt", "north", 3)
    await real.put("bolt", "hub", 9)
    await real.put("nut", "hub", 9)
    with counted() as run:
        answer = await real.book.reserve(waiting("k1", *lines(2, 4), StockLine(3, "nut", 5), deal="D1"))
    assert [(line.line, line.reserved, line.short) for line in answer.lines] == [(1, 2, 0), (2, 4, 0), (3, 5, 0)]
    assert len(run) == {"postgresql": 2, "sqlite": 4}[each_database.dialect]
    assert await real.level("bolt", "north") == (3, 3)
    assert await real.level("bolt", "hub") == (9, 3)
    assert await real.level("nut", "hub") == (9, 5)
    assert {row["expires_at"] for row in await real.reader.holdings("D1")} == {LATER}


async def test_more_for_a_line_adds_up_and_is_held_as_long_as_asked_last(real: RealStock):
    await real.put("bolt", "hub", 9)
    await real.book.reserve(reservation("k1", *lines(2), *lines(1)))
    until = "2026-05-01T08:00:00Z"
    await real.book.reserve(ReserveInput("k2", "D1", "north", lines(4), AT, until))
    held = [(row["quantity"], row["expires_at"]) for row in await real.reader.holdings("D1")]
    assert held == [(7, until)]
    assert await real.level("bolt", "hub") == (9, 7)


async def test_the_short_way_leaves_to_the_long_one_what_it_must_not_do(real: RealStock, each_database: Database):
    await real.put("bolt", "north", 3)
    await real.book.reserve(waiting("w1", StockLine(1, "nut", 1), deal="D2"))
    await real.book.reserve(reservation("k1", *lines(1), deal="D9"))
    for asked in (
        reservation("k2", *lines(3)),  # one is missing
        reservation("k2", *lines(1), StockLine(2, "nut", 1)),  # there is none
        reservation("k2"),  # nothing is asked
        waiting("k2", *lines(1), deal="D2"),  # its deal has a place in a queue
        reservation("k1", *lines(1), deal="D9"),  # was done
    ):
        assert await reserved_at_once(each_database, asked, "stock.reserve") is None
    assert await real.level("bolt", "north") == (3, 1)
    assert await real.book.reserve(reservation("k2")) == ReserveResult(())
    done = await reserved_at_once(each_database, reservation("k3", *lines(1)), "stock.reserve")
    assert done is not None
    assert await real.book.reserve(reservation("k3", *lines(1))) == done, "the long way answers what the short one did"


async def test_a_key_of_another_act_is_refused_when_everything_is_free(real: RealStock):
    await real.put("bolt", "north", 3)
    await real.book.take_back(ReturnInput("k1", "D1", "north", lines(1), AT))
    with pytest.raises(EffectKeyReused, match=r"stock\.take_back"):
        await real.book.reserve(reservation("k1", *lines(1)))
    assert await real.level("bolt", "north") == (4, 0)


async def test_one_effect_by_many_while_goods_come_in_is_done_once(real: RealStock):
    for number in range(5):
        asked = waiting(f"k{number}", *lines(5, article=f"bolt {number}"), deal=f"D{number}")
        *answers, _ = await asyncio.gather(
            *(real.book.reserve(asked) for _ in range(6)),
            real.intake.receive(f"bolt {number}", "hub", 9, AT, f"r{number}"),
        )
        assert len(set(answers)) == 1
        assert await real.level(f"bolt {number}", "hub") == (9, 5), "reserved, or set aside after it was short"


async def test_the_last_units_of_several_articles_go_to_whole_orders_only_once(real: RealStock):
    await real.put("bolt", "north", 10)
    await real.put("nut", "hub", 10)
    there = (StockLine(1, "bolt", 1), StockLine(2, "nut", 1))
    asked = [waiting(f"k{number}", *there[:: 1 if number % 2 else -1], deal=f"D{number}") for number in range(30)]
    answers = await asyncio.gather(*(real.book.reserve(ask) for ask in asked))
    won: dict[str, int] = {"bolt": 0, "nut": 0}
    for answer in answers:
        for line in answer.lines:
            won[line.article] += line.reserved
    assert won == {"bolt": 10, "nut": 10}
    assert await real.level("bolt", "north") == (10, 10)
    assert await real.level("nut", "hub") == (10, 10)
    assert len(await real.queue("bolt")) == len(await real.queue("nut")) == 20
