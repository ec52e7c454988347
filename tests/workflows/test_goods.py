"""Fulfilment on the real engine: every journey ends as it says, and everything that was recorded holds."""

from typing import Any

from sqlalchemy import text

from infra.gateways.stock_reading import StockReader
from tests import goods_journeys, invariants
from tests.engine import Engine
from tests.goods_journeys import order_of
from tests.journeys import deal_of


async def _sound(engine: Engine, *states: str) -> None:
    intake = ("opening-", "first-", "second-")
    found = await invariants.findings(engine.database, allowed_extra_keys=lambda key: key.startswith(intake))
    assert found == []
    assert await StockReader(engine.database).verify() == []
    assert [row[0] for row in await _rows(engine, "select state from deals order by id")] == list(states)


async def _rows(engine: Engine, query: str) -> list[Any]:
    async with engine.database.read() as connection:
        return list((await connection.execute(text(query))).all())


async def test_a_line_that_nobody_finds_is_cancelled_after_the_whole_ladder(engine: Engine) -> None:
    await goods_journeys.nobody_found_the_goods(engine, "G-nobody")
    await _sound(engine, "completed")
    lasting = (await order_of(engine, "G-nobody")).lines[1].shortage
    assert lasting is not None
    rungs = [visit.rung for visit in lasting.visits]
    assert rungs == [
        "tell_customer", "ask_logistics", "ask_production", "choose", "buy_in", "cancel",
    ]  # fmt: skip
    assert lasting.outcome == "cancelled"
    late = await _rows(
        engine, "select role, escalated_at <> '', answered_by from deal_requests where kind = 'shortage'"
    )
    assert [tuple(row) for row in late] == [
        ("logistics_manager", True, ""),
        ("production", True, ""),
        ("logistics_manager", True, ""),
    ]
    letters = dict(await _rows(engine, "select kind, count(*) from letters group by kind"))
    assert letters["availability_date"] == 2, "told at the beginning and when the policy chose"


async def test_a_named_date_is_kept_and_the_rest_bought_in(engine: Engine) -> None:
    await goods_journeys.logistics_named_a_date(engine, "G-date")
    await _sound(engine, "completed")
    deal = await deal_of(engine, "G-date")
    assert [(line.ordered, line.shipped, line.delivered) for line in (await order_of(engine, "G-date")).lines] == [
        (2, 2, 2),
        (4, 4, 4),
    ]
    assert sum(r.total_minor for r in deal.receivables) == 6 * 11_900


async def test_damaged_goods_come_again_and_refused_ones_are_given_up(engine: Engine) -> None:
    await goods_journeys.damaged_and_delivered_again(engine, "G-box")
    await _sound(engine, "completed")
    deal, order = await deal_of(engine, "G-box"), await order_of(engine, "G-box")
    assert [(a.kind, a.measure, a.state) for a in order.discrepancies] == [
        ("refusal", "return", "settled"),
        ("damage", "redelivery", "settled"),
    ]
    assert [s.state for s in order.shipments] == ["delivered", "returned", "delivered"]
    assert sum(r.total_minor for r in deal.receivables) == 3 * 11_900, "what came again is not invoiced again"


async def test_an_order_is_amended_while_a_part_is_on_its_way(engine: Engine) -> None:
    await goods_journeys.amended_while_running(engine, "G-amend")
    await _sound(engine, "completed")
    deal, order = await deal_of(engine, "G-amend"), await order_of(engine, "G-amend")
    assert [(line.article, line.ordered, line.delivered, line.cancelled) for line in order.lines] == [
        ("A-1", 2, 2, 0),
        ("A-2", 2, 0, 2),
        ("A-3", 1, 1, 0),
        ("A-4", 3, 3, 0),
    ]
    assert (order.version, order.deliver_to) == (2, "Gate 4, the new hall")
    assert sum(r.total_minor for r in deal.receivables) == 6 * 11_900
    assert deal.headroom_minor == 0
