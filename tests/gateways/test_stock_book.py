"""The contract of a stock book, asked of the fake and of the real one."""

import pytest

from models.messages.logistics import ReleaseInput, ReleaseResult, ReturnInput, ShipInput, ShipResult, StockLine
from tests.gateways.worlds import AT, StockWorld, lines, reservation


async def test_reserves_from_the_branch_then_from_the_central_warehouse(stock: StockWorld):
    await stock.put("bolt", "north", 3)
    await stock.put("bolt", "hub", 10)
    await stock.put("bolt", "south", 50)
    answer = await stock.book.reserve(reservation("k1", *lines(5)))
    assert [(line.reserved, line.short) for line in answer.lines] == [(5, 0)]
    assert await stock.level("bolt", "north") == (3, 3)
    assert await stock.level("bolt", "hub") == (10, 2)
    assert await stock.level("bolt", "south") == (50, 0), "another branch's stock is its own"


async def test_reserves_in_part_and_tells_when_the_rest_is_expected(stock: StockWorld):
    await stock.put("bolt", "north", 3)
    await stock.expect("bolt", "2026-02-01", 100)
    await stock.expect("bolt", "2026-03-20", 4)
    await stock.expect("bolt", "2026-03-10", 3)
    await stock.expect("bolt", "2026-05-01", 100)
    line = (await stock.book.reserve(reservation("k1", *lines(10)))).lines[0]
    assert (line.reserved, line.short, line.expected_on) == (3, 7, "2026-03-20"), (
        "3 + 4 arrive by then; the past is past"
    )
    line = (await stock.book.reserve(reservation("k2", *lines(500), deal="D2"))).lines[0]
    assert (line.reserved, line.short, line.expected_on, line.analogue) == (0, 500, "", "")


async def test_names_the_analogue_only_when_enough_of_it_is_free(stock: StockWorld):
    await stock.add_analogue("bolt", "screw")
    await stock.put("screw", "hub", 5)
    assert (await stock.book.reserve(reservation("k1", *lines(5)))).lines[0].analogue == "screw"
    assert (await stock.book.reserve(reservation("k2", *lines(6), deal="D2"))).lines[0].analogue == ""
    await stock.book.reserve(reservation("k3", *lines(1, article="screw"), deal="D3"))
    assert (await stock.book.reserve(reservation("k4", *lines(5), deal="D4"))).lines[0].analogue == ""


async def test_lines_of_one_article_share_what_is_there(stock: StockWorld):
    await stock.put("bolt", "north", 7)
    answer = await stock.book.reserve(reservation("k1", *lines(5, 5)))
    assert [(line.line, line.reserved, line.short) for line in answer.lines] == [(1, 5, 0), (2, 2, 3)]


async def test_the_same_line_twice_in_one_request_adds_up(stock: StockWorld):
    await stock.put("bolt", "north", 7)
    answer = await stock.book.reserve(reservation("k1", *lines(3), *lines(2)))
    assert [line.reserved for line in answer.lines] == [3, 2]
    released = await stock.book.release(ReleaseInput("k2", "D1", AT))
    assert released == ReleaseResult((StockLine(1, "bolt", 5),))


async def test_an_effect_is_done_once_for_ever(stock: StockWorld):
    await stock.put("bolt", "north", 10)
    first = await stock.book.reserve(reservation("k1", *lines(4)))
    assert await stock.book.reserve(reservation("k1", *lines(4))) == first
    shipped = await stock.book.ship(ShipInput("k2", "D1", lines(4), AT))
    assert await stock.book.ship(ShipInput("k2", "D1", lines(4), AT)) == shipped
    back = ReturnInput("k3", "D1", "north", lines(1), AT)
    await stock.book.take_back(back)
    await stock.book.take_back(back)
    assert await stock.level("bolt", "north") == (7, 0)


async def test_a_key_is_not_for_two_different_acts(stock: StockWorld):
    await stock.put("bolt", "north", 10)
    await stock.book.reserve(reservation("k1", *lines(4)))
    with pytest.raises(ValueError, match="k1"):
        await stock.book.ship(ShipInput("k1", "D1", lines(4), AT))


async def test_ships_what_is_held_and_no_more(stock: StockWorld):
    await stock.put("bolt", "north", 3)
    await stock.put("bolt", "hub", 3)
    await stock.book.reserve(reservation("k1", *lines(5)))
    assert await stock.book.ship(ShipInput("k2", "D1", lines(4), AT)) == ShipResult(lines(4))
    assert await stock.level("bolt", "north") == (0, 0)
    assert await stock.level("bolt", "hub") == (2, 1)
    shipped = await stock.book.ship(ShipInput("k3", "D1", (*lines(4), StockLine(9, "nut", 1)), AT))
    assert shipped == ShipResult((*lines(1), StockLine(9, "nut", 0)))
    assert await stock.level("bolt", "hub") == (1, 0)


async def test_releases_from_the_central_warehouse_first(stock: StockWorld):
    await stock.put("bolt", "north", 3)
    await stock.put("bolt", "hub", 3)
    await stock.book.reserve(reservation("k1", *lines(5)))
    assert await stock.book.release(ReleaseInput("k2", "D1", AT, lines(3))) == ReleaseResult(lines(3))
    assert await stock.level("bolt", "hub") == (3, 0)
    assert await stock.level("bolt", "north") == (3, 2)


async def test_releases_everything_that_is_held_when_no_line_is_named(stock: StockWorld):
    await stock.put("bolt", "north", 9)
    await stock.put("nut", "hub", 9)
    await stock.book.reserve(reservation("k1", *lines(2, 3), StockLine(3, "nut", 4)))
    await stock.book.reserve(reservation("k2", *lines(1), deal="D2"))
    released = await stock.book.release(ReleaseInput("k3", "D1", AT, expired=True))
    assert released == ReleaseResult((*lines(2, 3), StockLine(3, "nut", 4)))
    assert await stock.level("bolt", "north") == (9, 1), "the other deal still holds its unit"
    assert await stock.book.release(ReleaseInput("k4", "D1", AT)) == ReleaseResult(())


async def test_releasing_more_than_is_held_gives_back_what_is_held(stock: StockWorld):
    await stock.put("bolt", "north", 9)
    await stock.book.reserve(reservation("k1", *lines(2)))
    asked = ReleaseInput("k2", "D1", AT, (*lines(99), StockLine(2, "bolt", 1)))
    assert await stock.book.release(asked) == ReleaseResult(lines(2))


async def test_takes_back_to_the_branch_or_else_to_a_central_warehouse(stock: StockWorld):
    await stock.book.take_back(ReturnInput("k1", "D1", "south", lines(2, 3), AT))
    await stock.book.take_back(ReturnInput("k2", "D1", "moon", lines(4), AT))
    assert await stock.level("bolt", "south") == (5, 0)
    assert await stock.level("bolt", "hub") == (4, 0)


async def test_an_unknown_branch_is_served_from_the_central_warehouse(stock: StockWorld):
    await stock.put("bolt", "hub", 4)
    assert (await stock.book.reserve(reservation("k1", *lines(3), branch="moon"))).lines[0].reserved == 3


@pytest.mark.parametrize("quantity", [0, -1, 10**9 + 1, 10**30, True, 1.5, float("nan"), "3"])
async def test_refuses_impossible_quantities(stock: StockWorld, quantity):
    await stock.put("bolt", "north", 9)
    wrong = lines(quantity)
    with pytest.raises(ValueError, match="quantity"):
        await stock.book.reserve(reservation("k1", *wrong))
    with pytest.raises(ValueError, match="quantity"):
        await stock.book.release(ReleaseInput("k2", "D1", AT, wrong))
    with pytest.raises(ValueError, match="quantity"):
        await stock.book.ship(ShipInput("k3", "D1", wrong, AT))
    with pytest.raises(ValueError, match="quantity"):
        await stock.book.take_back(ReturnInput("k4", "D1", "north", wrong, AT))
    assert await stock.level("bolt", "north") == (9, 0)


@pytest.mark.parametrize("key", ["", "x" * 201, "a\x00b"])
async def test_refuses_impossible_keys(stock: StockWorld, key: str):
    with pytest.raises(ValueError, match="effect key"):
        await stock.book.reserve(reservation(key, *lines(1)))
