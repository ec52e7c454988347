"""The waiting list on both databases: what its readers show, what crashes and races leave, who is served when."""

import asyncio
import random
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import Connection, delete, update
from sqlalchemy.exc import DBAPIError

from infra.db import Database
from infra.gateways import waiting_list
from infra.gateways.once import once
from models.messages.logistics import ReleaseInput, ReserveInput, ReturnInput, ShipInput, StockLine, Woken
from models.tables.stock import StockMoveRow
from tests.gateways.worlds import AT, LATER, RealStock, lines, reservation, waiting

MONDAY, TUESDAY, FRIDAY = "2026-02-23T08:00:00Z", "2026-02-24T08:00:00Z", "2026-02-27T08:00:00Z"


@pytest.fixture
async def real(each_database: Database) -> RealStock:
    """A stock book with a branch `north` and a `hub`, both empty."""
    book = RealStock(each_database)
    await book.add_warehouse("north", "branch")
    await book.add_warehouse("hub", "central")
    return book


async def test_units_set_aside_are_held_as_long_as_the_deal_asked(real: RealStock):
    await real.book.reserve(waiting("k1", *lines(2), deal="D1"))
    await real.intake.receive("bolt", "hub", 2, "2026-03-12T08:00:00Z", "r1")
    assert [row["expires_at"] for row in await real.reader.holdings("D1")] == ["2026-04-11T08:00:00Z"]
    await real.book.reserve(waiting("k2", *lines(2), deal="D1"))
    assert [row["expires_at"] for row in await real.reader.holdings("D1")] == [LATER]


async def test_the_readers_show_the_queue_and_what_is_set_aside_page_by_page(real: RealStock):
    for number, since in enumerate((FRIDAY, MONDAY, TUESDAY), start=1):
        asked = (StockLine(1, "bolt", 2), StockLine(2, "nut", number))
        await real.book.reserve(waiting(f"k{number}", *asked, deal=f"D{number}", since=since))
    await real.intake.receive("bolt", "hub", 3, AT, "r1")
    first = await real.reader.waiting(limit=2)
    last = first[-1]
    rest = await real.reader.waiting(after=(last["article"], last["since"], last["deal_id"], last["line"]))
    shown = [(row["article"], row["deal_id"], row["quantity"], row["position"]) for row in first + rest]
    assert shown == [
        ("bolt", "D3", 1, 1), ("bolt", "D1", 2, 2), ("nut", "D2", 2, 1), ("nut", "D3", 3, 2), ("nut", "D1", 1, 3),
    ]  # fmt: skip
    assert len(await real.reader.waiting("nut")) == 3
    aside = await real.reader.set_aside(1)
    assert [(row["deal_id"], row["allocated"], row["set_aside_at"]) for row in aside] == [("D2", 2, AT)]
    aside = await real.reader.set_aside(9, after=("D2", 1))
    assert [(row["deal_id"], row["line"], row["allocated"]) for row in aside] == [("D3", 1, 1)]


async def test_a_receipt_that_comes_twice_wakes_the_same_lines_and_adds_nothing(real: RealStock):
    await real.book.reserve(waiting("k1", *lines(9), deal="D1"))
    first = await real.intake.receive("bolt", "hub", 3, AT, "r1")
    assert first == (Woken("D1", 1, "bolt", 3),)
    assert await real.intake.receive("bolt", "hub", 3, AT, "r1") == first
    assert await real.queue("bolt") == [("D1", 1, 6, 3)]
    assert await real.level("bolt", "hub") == (3, 3)
    opened = await real.intake.open_stock("bolt", "hub", 1, AT, "o1")
    assert await real.intake.open_stock("bolt", "hub", 1, AT, "o1") == opened == (Woken("D1", 1, "bolt", 1),)


async def test_a_far_expiry_does_not_keep_goods_from_coming_in(real: RealStock):
    asked = waiting("k1", *lines(1), deal="D1")
    await real.book.reserve(replace(asked, at="2000-01-01T00:00:00Z", expires_at="9999-12-31T00:00:00Z"))
    assert len(await real.intake.receive("bolt", "hub", 1, AT, "r1")) == 1


async def test_a_reservation_with_a_bad_place_is_refused(real: RealStock):
    with pytest.raises(ValueError, match=r"instant|isoformat"):
        await real.book.reserve(waiting("k1", *lines(1), deal="D1", since="Monday"))


async def test_a_receipt_of_the_time_before_the_waiting_list_stays_done(real: RealStock, each_database: Database):
    await once(each_database, "old", "stock.receive", type(None), lambda connection: None)
    assert await real.intake.receive("bolt", "hub", 3, AT, "old") == ()
    assert await real.level("bolt", "hub") == (0, 0)


async def test_a_crash_in_between_leaves_nothing(real: RealStock, monkeypatch: pytest.MonkeyPatch):
    await real.book.reserve(waiting("k1", *lines(4), deal="D1"))
    await real.put("nut", "hub", 4)
    await real.book.reserve(reservation("k2", *lines(4, article="nut"), deal="D2"))
    await real.book.reserve(waiting("k3", StockLine(1, "nut", 4), deal="D3"))
    set_aside = waiting_list.set_aside

    def crash(connection: Connection, shelves: set[tuple[str, str]], at: str) -> tuple[Woken, ...]:
        set_aside(connection, shelves, at)
        raise RuntimeError("crash in the middle")

    monkeypatch.setattr(waiting_list, "set_aside", crash)
    for attempt in (
        real.intake.receive("bolt", "hub", 3, AT, "r1"),
        real.book.take_back(ReturnInput("t1", "D2", "north", lines(1), AT)),
        real.book.release(ReleaseInput("f1", "D2", AT)),
    ):
        with pytest.raises(RuntimeError, match="crash"):
            await attempt
    assert await real.level("bolt", "hub") == (0, 0)
    assert await real.level("nut", "hub") == (4, 4)
    assert await real.queue("bolt") == [("D1", 1, 4, 0)]
    assert await real.queue("nut") == [("D3", 1, 4, 0)]
    monkeypatch.setattr(waiting_list, "set_aside", set_aside)
    assert await real.intake.receive("bolt", "hub", 3, AT, "r1") == (Woken("D1", 1, "bolt", 3),)


async def test_stock_moves_can_be_neither_changed_nor_removed(real: RealStock, each_database: Database):
    await real.put("bolt", "hub", 3)
    for change in (update(StockMoveRow).values(quantity=5), delete(StockMoveRow)):
        with pytest.raises(DBAPIError, match="append-only"):
            async with each_database.begin() as connection:
                await connection.execute(change)
    assert [move["quantity"] for move in await real.reader.moves()] == [3]


async def test_fifty_deals_race_for_the_last_items_and_the_others_wait_in_order(real: RealStock):
    await real.put("bolt", "north", 7)
    await real.put("bolt", "hub", 10)
    since = {f"D{number:02}": f"2026-02-{1 + number * 7 % 28:02}T08:00:00Z" for number in range(50)}
    asked = [waiting(f"k {deal}", *lines(1), deal=deal, since=at) for deal, at in since.items()]
    answers = await asyncio.gather(*(real.book.reserve(ask) for ask in asked))
    winners = {ask.deal_id for ask, answer in zip(asked, answers, strict=True) if answer.lines[0].reserved}
    assert len(winners) == 17
    in_order = sorted(since.keys() - winners, key=lambda deal: (since[deal], deal))
    assert [line[0] for line in await real.queue("bolt")] == in_order
    served: list[str] = []
    for number in range(6):
        there = "north" if number % 2 else "hub"
        served += [woken.deal_id for woken in await real.intake.receive("bolt", there, 5, AT, f"r{number}")]
        assert await real.reader.verify() == []
    assert served == in_order[:30]
    again = await asyncio.gather(
        *(real.book.reserve(replace(ask, effect_key=f"again {ask.deal_id}")) for ask in asked if ask.deal_id in served)
    )
    assert all(answer.lines[0].reserved == 1 for answer in again)
    assert [line[0] for line in await real.queue("bolt")] == in_order[30:]
    assert sum([(await real.level("bolt", there))[1] for there in ("north", "hub")]) == 47


async def test_whatever_races_the_sums_agree_and_nobody_is_forgotten(real: RealStock):
    chance = random.Random(7)
    there = (StockLine(1, "bolt", 3), StockLine(2, "nut", 3))

    async def deal(number: int) -> None:
        name, order = f"D{number:02}", there if number % 2 else there[::-1]
        ask = ReserveInput(f"a{number}", name, "north", order, AT, LATER, waits=True, since=FRIDAY)
        await real.book.reserve(ask)
        await asyncio.sleep(chance.random() / 50)
        got = (await real.book.reserve(replace(ask, effect_key=f"b{number}"))).lines
        if number % 3 == 0:
            await real.book.release(ReleaseInput(f"c{number}", name, AT))
        elif number % 3 == 1 and got[0].reserved:
            shipped = StockLine(got[0].line, got[0].article, got[0].reserved)
            await real.book.ship(ShipInput(f"d{number}", name, (shipped,), AT))
            await real.book.take_back(ReturnInput(f"e{number}", name, "north", (shipped,), AT))

    async def lorry(number: int) -> None:
        await asyncio.sleep(chance.random() / 20)
        where = f"branch {number}" if number % 4 == 0 else "hub"
        if number % 4 == 0:
            await real.add_warehouse(where, "central")  # a shelf that nobody could lock beforehand
        await real.intake.receive("nut" if number % 2 else "bolt", where, 5, AT, f"r{number}")

    await asyncio.gather(*(deal(number) for number in range(24)), *(lorry(number) for number in range(20)))
    assert await real.reader.verify() == []
    free: Counter[str] = Counter()
    for level in await real.reader.levels():
        free[level["article"]] += level["on_hand"] - level["reserved"]
    waits = {row["article"] for row in await real.reader.waiting()}
    assert {article for article in waits if free[article]} == set()
