"""The audit of the stock book finds each planted error, and nothing where book and deals agree."""

from typing import Any

import pytest

from infra.db import Database
from infra.stores.recorder import DatabaseRecorder
from models.messages.logistics import StockLine
from models.messages.records import RecordInput
from models.projection import CHILDREN
from tests.gateways.worlds import RealStock, waiting
from tests.infra.deal_samples import chain, projection


async def store(database: Database, deal_id: str, reserved: int, **changes: Any) -> None:
    """A deal whose line 1 has so many bolts reserved."""
    shown = projection(deal_id, 1, **changes)
    shown.lines[0] |= {"line": 1, "article": "bolt", "ordered": 9, "reserved": reserved}
    await DatabaseRecorder(database).record(RecordInput(deal_id, tuple(chain(deal_id, 1)), shown, CHILDREN))


@pytest.fixture
async def real(each_database: Database) -> RealStock:
    """Deal D1 has reserved two bolts of five, two more are set aside for it."""
    book = RealStock(each_database)
    await book.add_warehouse("hub", "central")
    await book.put("bolt", "hub", 2)
    await book.book.reserve(waiting("k1", StockLine(1, "bolt", 5), deal="D1"))
    await book.put("bolt", "hub", 2)
    await store(each_database, "D1", reserved=2)
    return book


async def found(real: RealStock) -> list[str]:
    return [str(difference) for difference in await real.reader.verify()]


async def test_set_aside_units_are_no_difference(real: RealStock):
    assert await found(real) == []


async def planted(database: Database, *statements: str) -> None:
    async with database.begin() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


async def test_finds_a_line_that_holds_other_than_its_deal_reserved(real: RealStock, each_database: Database):
    await planted(each_database, "UPDATE deal_lines SET reserved = 1")
    assert await found(real) == ["D1 line 1, bolt: held for line is 4, it should be 3"]
    await planted(each_database, "UPDATE deals SET pending_effects = 1")
    assert await found(real) == [], "the book may be ahead of a deal that waits for its answer"


async def test_finds_a_deal_that_believes_in_units_that_nobody_holds(real: RealStock, each_database: Database):
    await store(each_database, "D2", reserved=3)
    assert await found(real) == ["D2 line 1, bolt: held for line is 0, it should be 3"]
    assert await real.reader.verify(with_deals=False) == [], "the deals reserve in another book"


async def test_finds_units_set_aside_that_the_line_does_not_hold(real: RealStock, each_database: Database):
    await planted(each_database, "UPDATE stock_waiting SET allocated = 5")
    assert await found(real) == [
        "D1 line 1, bolt: set aside is 5, it should be 4",
        "D1 line 1, bolt: held for line is 4, it should be 7",
    ]


async def test_finds_what_a_closed_deal_holds_and_waits_for(real: RealStock, each_database: Database):
    await planted(each_database, "UPDATE deals SET closed_at = '2026-03-09T08:00:00Z'")
    assert await found(real) == [
        "D1 line 1, bolt: held by closed deal is 4, it should be 0",
        "D1 line 1, bolt: waited for by closed deal is 3, it should be 0",
    ]
    assert [difference.expected for difference in await real.reader.verify()] == [0, 0]


async def test_finds_a_level_that_its_holdings_do_not_add_up_to(real: RealStock, each_database: Database):
    await planted(each_database, "UPDATE stock_levels SET reserved = 3")
    assert await found(real) == ["bolt in hub: reserved is 3, its movements add up to 4"]
