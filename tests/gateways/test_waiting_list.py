"""The contract of the waiting list, asked of the fake, and of the real one on both databases."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from infra.db import open_database
from models.messages.logistics import ReleaseInput, ReleaseResult, ReturnInput, ShipInput, StockLine, Woken
from tests.gateways.worlds import AT, FakeStock, RealStock, StockWorld, lines, reservation, waiting

MONDAY, TUESDAY, FRIDAY = "2026-02-23T08:00:00Z", "2026-02-24T08:00:00Z", "2026-02-27T08:00:00Z"


@pytest_asyncio.fixture(params=["fake", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[StockWorld]:
    if request.param == "fake":
        yield FakeStock()
        return
    database = open_database(request.getfixturevalue(f"{request.param}_url"), synchronous="NORMAL")
    yield RealStock(database)
    await database.close()


def got(answer) -> list[tuple[int, int]]:
    return [(line.reserved, line.short) for line in answer.lines]


async def test_whoever_waits_longest_is_served_first_and_in_part_if_need_be(stock: StockWorld):
    for deal, since in (("late", FRIDAY), ("first", MONDAY), ("second", TUESDAY)):
        answer = await stock.book.reserve(waiting(f"ask {deal}", *lines(4), deal=deal, since=since))
        assert got(answer) == [(0, 4)]
    assert await stock.put("bolt", "hub", 6) == (Woken("first", 1, "bolt", 4), Woken("second", 1, "bolt", 2))
    assert await stock.queue("bolt") == [("first", 1, 0, 4), ("second", 1, 2, 2), ("late", 1, 4, 0)]
    assert await stock.level("bolt", "hub") == (6, 6), "what is set aside is promised, nobody else can take it"
    assert await stock.put("bolt", "hub", 3) == (Woken("second", 1, "bolt", 2), Woken("late", 1, "bolt", 1))


async def test_equal_instants_are_ordered_by_deal_and_line(stock: StockWorld):
    await stock.book.reserve(waiting("k1", *lines(1, 1), deal="B"))
    await stock.book.reserve(waiting("k2", *lines(1), deal="A"))
    assert [line[:2] for line in await stock.queue("bolt")] == [("A", 1), ("B", 1), ("B", 2)]
    assert [(woken.deal_id, woken.line) for woken in await stock.put("bolt", "hub", 2)] == [("A", 1), ("B", 1)]


async def test_a_branch_shelf_serves_its_branch_alone_and_a_central_one_all(stock: StockWorld):
    await stock.book.reserve(waiting("k1", *lines(3), deal="north", since=MONDAY))
    await stock.book.reserve(waiting("k2", *lines(3), deal="south", since=TUESDAY, branch="south"))
    assert await stock.put("bolt", "south", 2) == (Woken("south", 1, "bolt", 2),)
    assert await stock.put("bolt", "hub", 3) == (Woken("north", 1, "bolt", 3),)
    assert await stock.put("bolt", "north", 5) == (), "north has all it wants, south is not served from there"
    assert await stock.level("bolt", "north") == (5, 0)
    assert await stock.queue("bolt") == [("north", 1, 0, 3), ("south", 1, 1, 2)]


async def test_what_was_set_aside_is_handed_over_and_the_rest_goes_on_waiting(stock: StockWorld):
    await stock.book.reserve(waiting("k1", *lines(5), deal="D1", since=MONDAY))
    await stock.put("bolt", "north", 3)
    again = waiting("k2", *lines(5), deal="D1", since=MONDAY)
    assert got(await stock.book.reserve(again)) == [(3, 2)]
    assert await stock.queue("bolt") == [("D1", 1, 2, 0)]
    await stock.put("bolt", "north", 9)
    assert await stock.level("bolt", "north") == (12, 5)
    assert got(await stock.book.reserve(waiting("k3", *lines(2), deal="D1", since=MONDAY))) == [(2, 0)]
    assert await stock.queue("bolt") == []
    assert await stock.level("bolt", "north") == (12, 5)
    assert got(await stock.book.reserve(again)) == [(3, 2)], "an act that comes twice is answered as the first time"
    assert await stock.queue("bolt") == []


async def test_what_is_set_aside_comes_first_and_free_units_next(stock: StockWorld):
    await stock.book.reserve(waiting("k1", *lines(2), deal="D1"))
    await stock.put("bolt", "hub", 10)
    assert got(await stock.book.reserve(waiting("k2", *lines(6), deal="D1"))) == [(6, 0)]
    assert await stock.level("bolt", "hub") == (10, 6)


async def test_surplus_goes_back_to_the_shelf_and_from_there_to_the_next(stock: StockWorld):
    await stock.book.reserve(waiting("k1", *lines(5), deal="D1", since=MONDAY))
    await stock.book.reserve(waiting("k2", *lines(2), deal="D2", since=TUESDAY))
    await stock.put("bolt", "hub", 5)
    assert got(await stock.book.reserve(waiting("k3", *lines(1), deal="D1", since=MONDAY))) == [(1, 0)]
    assert await stock.queue("bolt") == [("D2", 1, 0, 2)]
    assert await stock.level("bolt", "hub") == (5, 3)


async def test_nobody_jumps_the_queue(stock: StockWorld):
    await stock.book.reserve(waiting("k1", *lines(4), deal="D1", since=FRIDAY))
    await stock.put("bolt", "hub", 3)
    assert got(await stock.book.reserve(reservation("k2", *lines(1), deal="D2"))) == [(0, 1)]
    assert got(await stock.book.reserve(waiting("k3", *lines(1), deal="D3", since=MONDAY))) == [(0, 1)]
    assert await stock.put("bolt", "hub", 1) == (Woken("D3", 1, "bolt", 1),), "D3 has waited longer, as it says"


async def test_a_reservation_that_does_not_wait_leaves_the_queue_alone(stock: StockWorld):
    await stock.book.reserve(waiting("k1", *lines(4), deal="D1"))
    await stock.put("bolt", "north", 1)
    assert got(await stock.book.reserve(reservation("k2", *lines(4), deal="D1"))) == [(0, 4)]
    assert await stock.queue("bolt") == [("D1", 1, 3, 1)]


async def test_returned_goods_go_to_whoever_waits(stock: StockWorld):
    await stock.book.reserve(waiting("k1", *lines(4), deal="D1"))
    await stock.book.take_back(ReturnInput("k2", "D2", "north", lines(3), AT))
    assert await stock.queue("bolt") == [("D1", 1, 1, 3)]
    assert await stock.level("bolt", "north") == (3, 3)


async def test_released_units_go_to_whoever_waits(stock: StockWorld):
    await stock.put("bolt", "hub", 5)
    await stock.book.reserve(reservation("k1", *lines(5), deal="D1"))
    await stock.book.reserve(waiting("k2", *lines(3), deal="D2", since=TUESDAY, branch="south"))
    await stock.book.reserve(waiting("k3", *lines(3), deal="D3", since=MONDAY))
    assert await stock.book.release(ReleaseInput("k4", "D1", AT)) == ReleaseResult(lines(5))
    assert await stock.queue("bolt") == [("D3", 1, 0, 3), ("D2", 1, 1, 2)]


@pytest.mark.parametrize("given", [(), lines(99)])
async def test_a_line_that_gives_everything_back_leaves_the_queue_first(
    stock: StockWorld, given: tuple[StockLine, ...]
):
    await stock.put("bolt", "hub", 2)
    await stock.book.reserve(waiting("k1", *lines(5), deal="D1", since=MONDAY))
    await stock.book.reserve(waiting("k2", *lines(9), deal="D2", since=TUESDAY))
    await stock.put("bolt", "hub", 1)
    answer = await stock.book.release(ReleaseInput("k3", "D1", AT, given))
    assert answer == ReleaseResult(lines(3)), "what was set aside is released with what was reserved"
    assert await stock.queue("bolt") == [("D2", 1, 6, 3)]


async def test_a_line_that_waits_and_holds_nothing_can_leave(stock: StockWorld):
    await stock.book.reserve(waiting("k1", *lines(5), deal="D1"))
    assert await stock.book.release(ReleaseInput("k2", "D1", AT, lines(1))) == ReleaseResult(())
    assert await stock.queue("bolt") == []


async def test_a_part_given_back_leaves_the_line_in_the_queue(stock: StockWorld):
    await stock.put("bolt", "hub", 2)
    await stock.book.reserve(waiting("k1", *lines(9), deal="D1", since=TUESDAY))
    await stock.book.reserve(waiting("k2", *lines(9), deal="D2", since=MONDAY))
    await stock.put("bolt", "hub", 10)
    assert await stock.queue("bolt") == [("D2", 1, 0, 9), ("D1", 1, 6, 1)]
    await stock.book.release(ReleaseInput("k3", "D1", AT, lines(1)))
    assert await stock.queue("bolt") == [("D2", 1, 0, 9), ("D1", 1, 5, 2)], "it still misses units, so it gets them"
    await stock.book.reserve(waiting("k4", *lines(9, 9), deal="D0", since=MONDAY))
    await stock.book.release(ReleaseInput("k5", "D1", AT, lines(3)))
    queue = await stock.queue("bolt")
    assert queue == [("D0", 1, 6, 3), ("D0", 2, 9, 0), ("D2", 1, 0, 9), ("D1", 1, 5, 0)], "nothing held, nothing aside"


async def test_an_expired_line_stands_behind_those_who_wait_until_it_asks_again(stock: StockWorld):
    await stock.put("bolt", "hub", 2)
    await stock.book.reserve(waiting("k1", *lines(5), deal="D1", since=MONDAY))
    await stock.book.reserve(waiting("k2", *lines(1), deal="D2", since=TUESDAY))
    await stock.book.release(ReleaseInput("k3", "D1", AT, lines(2), expired=True))
    assert await stock.queue("bolt") == [("D2", 1, 0, 1)]
    assert got(await stock.book.reserve(waiting("k4", *lines(5), deal="D1", since=MONDAY))) == [(1, 4)]
    assert (await stock.put("bolt", "hub", 1))[0].deal_id == "D1", "its old place is its own again"


async def test_a_line_that_wants_no_more_leaves_and_keeps_what_it_reserved(stock: StockWorld):
    await stock.put("bolt", "hub", 4)
    await stock.book.reserve(waiting("k1", *lines(9), deal="D1", since=MONDAY))
    await stock.put("bolt", "hub", 2)
    await stock.book.reserve(waiting("k2", *lines(9), deal="D2", since=TUESDAY))
    released = await stock.book.release(ReleaseInput("k3", "D1", AT, lines(1), leave_queue=(1, 7)))
    assert released == ReleaseResult(lines(3)), "one is given back, two were set aside"
    assert await stock.queue("bolt") == [("D2", 1, 6, 3)]
    assert (await stock.book.ship(ShipInput("k4", "D1", lines(9), AT))).lines == lines(3)
    assert await stock.level("bolt", "hub") == (3, 3)


async def test_leaving_the_queue_alone_is_not_giving_everything_back(stock: StockWorld):
    await stock.put("bolt", "hub", 4)
    await stock.book.reserve(waiting("k1", *lines(9), deal="D1"))
    assert await stock.book.release(ReleaseInput("k2", "D1", AT, leave_queue=(1,))) == ReleaseResult(())
    assert await stock.queue("bolt") == []
    assert await stock.level("bolt", "hub") == (4, 4)


async def test_shipping_never_leaves_more_set_aside_than_is_held(stock: StockWorld):
    await stock.put("bolt", "north", 2)
    await stock.book.reserve(waiting("k1", *lines(5), deal="D1"))
    await stock.put("bolt", "north", 2)
    await stock.book.ship(ShipInput("k2", "D1", lines(2), AT))
    assert await stock.queue("bolt") == [("D1", 1, 1, 2)]
    await stock.book.ship(ShipInput("k3", "D1", lines(1), AT))
    assert await stock.queue("bolt") == [("D1", 1, 1, 1)]
    assert await stock.level("bolt", "north") == (1, 1)


async def test_a_line_waits_for_the_article_that_was_asked_last(stock: StockWorld):
    await stock.book.reserve(waiting("k1", *lines(3), deal="D1"))
    await stock.put("bolt", "hub", 2)
    await stock.book.reserve(waiting("k2", *lines(3, article="nut"), deal="D1"))
    assert await stock.queue("bolt") == []
    assert await stock.queue("nut") == [("D1", 1, 3, 0)]
    assert await stock.level("bolt", "hub") == (2, 0)


async def test_a_queue_longer_than_a_page_is_served_to_its_end(stock: StockWorld):
    numbers = tuple(StockLine(line, "bolt", 1) for line in range(1, 451))
    await stock.book.reserve(waiting("k1", *numbers, deal="D1"))
    await stock.book.reserve(waiting("k2", *lines(1), deal="D2", since=AT, branch="south"))
    assert [woken.line for woken in await stock.put("bolt", "north", 430)] == list(range(1, 431))
    assert len(await stock.put("bolt", "hub", 30)) == 21
    assert await stock.level("bolt", "hub") == (30, 21)
