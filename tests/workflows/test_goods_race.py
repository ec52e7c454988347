"""Fifty deals want the last goods at once: exactly as many get them as there are, the others wait in their order."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from infra.gateways.stock_intake import StockIntake
from infra.gateways.stock_reading import StockReader
from tests import journeys
from tests.engine import Engine
from tests.goods_journeys import order_of

DEALS = [f"RACE-{number:02}" for number in range(50)]
LAST = 17
A_UNIT = [{"article": "A-5", "quantity": 1}]


async def _rows(engine: Engine, query: str) -> list[Any]:
    async with engine.database.read() as connection:
        return list((await connection.execute(text(query))).all())


@pytest.mark.slow
async def test_fifty_deals_race_for_the_last_goods(engine: Engine) -> None:
    intake, reader = StockIntake(engine.database), StockReader(engine.database)
    await intake.receive("A-5", "central", LAST, "2026-01-01T00:00:00Z", "last-goods")
    busy = asyncio.Semaphore(16)  # so many at once; the engine itself allows ten updates in flight per deal only

    async def race(deal_id: str) -> None:
        async with busy:
            await journeys.entered(engine, deal_id, A_UNIT, test=False)

    await asyncio.gather(*map(race, DEALS))
    states = {deal_id: (await order_of(engine, deal_id)).lines[0].state for deal_id in DEALS}
    winners = {deal_id for deal_id, state in states.items() if state == "reserved"}
    assert len(winners) == LAST
    assert set(states.values()) == {"reserved", "short"}
    assert await _rows(engine, "select on_hand, reserved from stock_levels where article = 'A-5'") == [(LAST, LAST)]
    assert await reader.verify() == []

    waiting = [row["deal_id"] for row in await reader.waiting(article="A-5", limit=100)]
    assert set(waiting) == set(DEALS) - winners
    woken = await intake.receive("A-5", "central", 5, "2026-01-02T00:00:00Z", "five-more")
    assert [one.deal_id for one in woken] == waiting[:5], "the longest waiting are served first"
    await asyncio.gather(*(engine.act(one.deal_id, "logistics_manager", "retry_reservation") for one in woken))
    assert [(await order_of(engine, one.deal_id)).lines[0].state for one in woken] == ["reserved"] * 5
    assert await reader.verify() == []
