"""What imports and the API do to the stock book, page by page, and the audit that finds forged levels."""

import pytest

from infra.db import Database
from infra.gateways.stock_book import SqlStockBook
from infra.gateways.stock_intake import StockIntake
from infra.gateways.stock_reading import StockReader
from models.messages.logistics import ReturnInput, ShipInput
from tests.gateways.worlds import AT, lines, reservation


@pytest.fixture
async def intake(database: Database) -> StockIntake:
    intake = StockIntake(database)
    for warehouse, kind in (("north", "branch"), ("hub", "central")):
        await intake.add_warehouse(warehouse, warehouse.title(), kind)
    return intake


async def test_goods_are_entered_once_per_key(intake: StockIntake, database: Database):
    for _ in range(2):
        await intake.open_stock("bolt", "north", 5, AT, "k1")
        await intake.receive("bolt", "north", 3, AT, "k2")
    reader = StockReader(database)
    assert await reader.levels() == [{"article": "bolt", "warehouse": "north", "on_hand": 8, "reserved": 0}]
    assert [(move["kind"], move["quantity"]) for move in await reader.moves()] == [("opening", 5), ("received", 3)]


async def test_a_received_delivery_is_no_longer_expected(intake: StockIntake, database: Database):
    await intake.expect("bolt", "2026-03-10", 5, "r1")
    await intake.expect("bolt", "2026-03-20", 5, "r2")
    await intake.receive("bolt", "hub", 5, AT, "k1", expected="r1")
    assert [row["expected_on"] for row in await StockReader(database).expected("bolt")] == ["2026-03-20"]


async def test_refuses_what_no_warehouse_can_take(intake: StockIntake, database: Database):
    with pytest.raises(ValueError, match="moon"):
        await intake.open_stock("bolt", "moon", 5, AT, "k1")
    with pytest.raises(ValueError, match="quantity"):
        await intake.receive("bolt", "north", -5, AT, "k1")
    with pytest.raises(ValueError, match="article"):
        await intake.receive("", "north", 5, AT, "k1")
    with pytest.raises(ValueError, match=r"branch, central"):
        await intake.add_warehouse("x", "X", "cellar")
    for country in ("de", "DEU", "D", "D1", "ÄÖ"):
        with pytest.raises(ValueError, match="country"):
            await intake.add_warehouse("x", "X", "branch", country)
    with pytest.raises(ValueError, match=r"day|isoformat"):
        await intake.expect("bolt", "20260310", 5, "k1")
    assert await StockReader(database).levels() == []


async def test_a_warehouse_keeps_its_country_until_another_is_named(intake: StockIntake, database: Database):
    countries = []
    for country in ("", "DE", "", "IT"):
        await intake.add_warehouse("hub", "Hub", "central", country)
        countries += [row["country"] for row in await StockReader(database).warehouses() if row["id"] == "hub"]
    assert countries == ["", "DE", "DE", "IT"]


async def test_reads_page_by_page(intake: StockIntake, database: Database):
    for article in ("a", "b", "c"):
        for warehouse in ("hub", "north"):
            await intake.open_stock(article, warehouse, 5, AT, f"{article} {warehouse}")
    reader = StockReader(database)
    first = await reader.levels(limit=3)
    rest = await reader.levels(after=(first[-1]["article"], first[-1]["warehouse"]))
    assert [(row["article"], row["warehouse"]) for row in first + rest] == [
        (article, warehouse) for article in "abc" for warehouse in ("hub", "north")
    ]
    assert len(await reader.levels("b")) == 2
    moves = await reader.moves(limit=4)
    assert len(await reader.moves(after=moves[-1]["id"])) == 2
    assert [row["kind"] for row in await reader.warehouses()] == ["central", "branch"]


async def test_the_book_keeps_its_invariant_and_the_audit_finds_forgeries(intake: StockIntake, database: Database):
    book, reader = SqlStockBook(database), StockReader(database)
    await intake.open_stock("bolt", "north", 10, AT, "k1")
    await intake.open_stock("nut", "hub", 10, AT, "k2")
    await book.reserve(reservation("k3", *lines(6)))
    await book.ship(ShipInput("k4", "D1", lines(4), AT))
    await book.take_back(ReturnInput("k5", "D1", "north", lines(1), AT))
    assert await reader.verify() == []
    assert [(row["line"], row["quantity"]) for row in await reader.holdings("D1")] == [(1, 2)]
    assert [row["kind"] for row in await reader.moves("bolt", "D1")] == ["shipped", "returned"]
    async with database.begin() as connection:
        await connection.exec_driver_sql("UPDATE stock_levels SET on_hand = on_hand + 1 WHERE article = 'bolt'")
        await connection.exec_driver_sql("UPDATE stock_levels SET reserved = 5 WHERE article = 'nut'")
    assert [str(difference) for difference in await reader.verify()] == [
        "bolt in north: on hand is 8, its movements add up to 7",
        "nut in hub: reserved is 5, its movements add up to 0",
    ]
