"""Whole deals whose stock and carrier are other systems, on the real engine, with a line that breaks all the time."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from activities.logistics import Logistics
from infra.db import Database
from infra.gateways.http_carrier import HttpCarrier
from infra.gateways.nulls import NullStockBook, NullWaker
from infra.temporal_server import EmbeddedServer
from models.messages.logistics import CarriageInput
from tests import journeys
from tests.connectors.server import TOKEN, ConnectorServer, Fault
from tests.engine import Engine, running_engine
from tests.gateways.worlds import AT, lines
from tests.journeys import deal_of

# All but the two that would take the test long: refusals and wrong answers, too, are over when the engine asks again.
USUAL = [fault for fault in Fault if fault not in (Fault.AWAY, Fault.DRIP)]
OPENING = 1_000


@pytest_asyncio.fixture
async def engine(
    server: EmbeddedServer, database: Database, tmp_path: Path, abroad: ConnectorServer
) -> AsyncIterator[Engine]:
    """A worker whose stock is abroad: 1,000 each of A-1 to A-4."""
    await journeys.furnish(database, stock=7)
    abroad.stock.add_warehouse("berlin", "branch")
    abroad.stock.add_warehouse("central", "central")
    for number, article in enumerate(("A-1", "A-2", "A-3", "A-4")):
        abroad.stock.put(article, "central" if number % 2 else "berlin", OPENING)
    abroad_settings: dict[str, Any] = {
        "connector_timeout": 0.2,
        "stock_url": f"{abroad.url}/stock",
        "carrier_url": f"{abroad.url}/carrier",
        "stock_token": TOKEN,
        "carrier_token": TOKEN,
    }
    async with running_engine(server, database, tmp_path, **abroad_settings) as running:
        yield running


def mishaps(seed: int) -> list[Fault | None]:
    """What happens to the next questions: each mishap once, and as many that go well."""
    plan: list[Fault | None] = [*USUAL, *[None] * len(USUAL)]
    random.Random(seed).shuffle(plan)
    return plan


async def own_stock(engine: Engine) -> int:
    async with engine.database.read() as connection:
        return int(
            (await connection.execute(text("select sum(on_hand) - sum(reserved) from stock_levels"))).scalar_one()
        )


def gone(abroad: ConnectorServer) -> dict[str, int]:
    """Units that left their shelves, by article."""
    shelves = [(article, OPENING - left) for (article, _), left in abroad.stock.on_hand.items() if article != "bolt"]
    return {article: units for article, units in shelves if units}


@pytest.mark.uncounted
async def test_deals_reach_their_end_and_both_sides_count_the_same(engine, abroad):
    abroad.plan = mishaps(seed=1)
    won, off = [f"D-won-{number}" for number in range(4)], "D-off"
    await asyncio.gather(*(journeys.won_and_paid(engine, deal_id) for deal_id in won), journeys.cancelled(engine, off))
    deals = [await deal_of(engine, deal_id) for deal_id in (*won, off)]
    assert [deal.state for deal in deals] == ["completed"] * 4 + ["cancelled"]
    assert [deal.pending for deal in deals] == [()] * 5
    delivered: Counter[str] = Counter()
    for deal in deals:
        assert deal.order is not None
        delivered.update({line.article: line.delivered for line in deal.order.lines if line.delivered})
    assert sum(delivered.values()) == 4 * 6
    assert gone(abroad) == delivered
    assert set(abroad.stock.reserved.values()) == {0}
    assert await own_stock(engine) == 4 * 7
    asked_again = len(abroad.keys()) - len(set(abroad.keys()))
    assert asked_again > 3


async def test_a_silent_stock_system_holds_up_no_other_deal(engine, abroad):
    silent = [f"D-silent-{number}" for number in range(3)]
    await asyncio.gather(*(journeys.signed(engine, deal_id) for deal_id in silent))
    await engine.open("D-lively")
    abroad.plan = [Fault.DEAF] * 200
    waiting = [asyncio.create_task(journeys.ordered(engine, deal_id)) for deal_id in silent]
    await asyncio.sleep(4)  # past the three seconds of the first try
    assert not any(task.done() for task in waiting)
    async with asyncio.timeout(10):
        for number in range(5):
            await engine.act("D-lively", "account_manager", "note", key=f"n-{number}", text="still here")
    abroad.plan = []
    await asyncio.gather(*waiting)
    deals = [await deal_of(engine, deal_id) for deal_id in silent]
    assert [line.reserved for deal in deals for line in (deal.order.lines if deal.order else ())] == [3, 2, 1] * 3


async def test_the_activity_books_the_carrier_once(abroad, carrier: HttpCarrier):
    abroad.plan = [Fault.LOST, Fault.BUSY]
    asked = CarriageInput("c", "D1", "D1-S1", "north", "Hamburg", lines(2), AT)
    logistics = Logistics(NullStockBook(), carrier, NullWaker())
    booked = await ActivityEnvironment().run(logistics.book_carriage, asked)
    assert booked == await ActivityEnvironment().run(logistics.book_carriage, asked)
    assert list(abroad.carrier.booked.values()) == [asked]
