"""Many callers at the same moment, on SQLite and on PostgreSQL: exactly the right ones win."""

import asyncio

import pytest
from sqlalchemy import Connection, func, select

from infra.db import Database
from infra.gateways import ledger
from infra.gateways.credit_book import SqlCreditBook
from infra.gateways.credit_limits import CreditLimits
from infra.gateways.ledger import SqlLedger
from infra.gateways.ledger_reading import LedgerReader
from infra.gateways.once import once
from infra.gateways.stock_book import SqlStockBook
from infra.gateways.stock_intake import StockIntake
from infra.gateways.stock_reading import StockReader
from models.messages.finance import HeadroomInput, HeadroomReleaseInput
from models.messages.logistics import ReleaseInput, ReserveInput, ReserveResult, ShipInput, StockLine
from models.messages.receivables import InvoiceInput, InvoiceResult, LedgerEntryInput
from models.tables.effects import EffectRow
from tests.gateways.worlds import AT, LATER, headroom, lines, reservation


async def stocked(database: Database, **units: int) -> SqlStockBook:
    """A stock book with a branch `north` and a `hub`; units of article `bolt` (`nut`: of it at the hub)."""
    intake = StockIntake(database)
    await intake.add_warehouse("north", "North", "branch")
    await intake.add_warehouse("hub", "Hub", "central")
    for place, quantity in units.items():
        article, warehouse = ("nut", "hub") if place == "nut" else ("bolt", place)
        await intake.open_stock(article, warehouse, quantity, AT, f"open {place}")
    return SqlStockBook(database)


async def test_two_first_spenders_of_headroom(each_database: Database):
    book = SqlCreditBook(each_database)
    asked = [headroom(key, 700) for key in ("a", "b")]
    answers = await asyncio.gather(*(book.reserve(ask) for ask in asked))
    assert sorted(answer.granted for answer in answers) == [False, True]
    group = (await CreditLimits(each_database).limits())[0]
    assert (group["limit_minor"], group["reserved_minor"]) == (1_000, 700)
    assert await CreditLimits(each_database).verify() == []


async def test_fifty_spenders_never_overrun_the_limit(each_database: Database):
    book, limits = SqlCreditBook(each_database), CreditLimits(each_database)

    async def spend(number: int) -> bool:
        granted = (await book.reserve(headroom(f"k{number}", 30))).granted
        if granted and number % 2:
            await book.release(HeadroomReleaseInput(f"r{number}", f"k{number}", "D", 10, AT))
        return granted

    answers = await asyncio.gather(*(spend(number) for number in range(50)))
    group = (await limits.limits())[0]
    assert 33 <= sum(answers) <= 50
    assert group["reserved_minor"] <= 1_000
    assert await limits.verify() == []


async def test_one_reservation_asked_for_by_many_at_once(each_database: Database):
    book = SqlCreditBook(each_database)
    answers = await asyncio.gather(*(book.reserve(headroom("same", 700)) for _ in range(10)))
    assert all(answer.granted for answer in answers)
    assert (await CreditLimits(each_database).limits())[0]["reserved_minor"] == 700


async def test_expiry_and_release_of_one_reservation_meet(each_database: Database):
    book = SqlCreditBook(each_database)
    after = "2026-06-01T08:00:00Z"
    for number in range(10):
        await book.reserve(headroom(f"old{number}", 100))
        newcomer = HeadroomInput(f"new{number}", "D", "group", "EUR", 10, 1_000, after, "2027-01-01T00:00:00Z")
        give_back = HeadroomReleaseInput(f"r{number}", f"old{number}", "D", 0, after)
        await asyncio.gather(book.reserve(newcomer), book.release(give_back))
    assert await CreditLimits(each_database).verify() == []
    assert (await CreditLimits(each_database).limits())[0]["reserved_minor"] == 100


async def test_fifty_reservers_of_the_last_items(each_database: Database):
    book = await stocked(each_database, north=7, hub=10)
    asked = [reservation(f"k{number}", *lines(1), deal=f"D{number}") for number in range(50)]
    answers = await asyncio.gather(*(book.reserve(ask) for ask in asked))
    assert sum(answer.lines[0].reserved for answer in answers) == 17
    assert sum(answer.lines[0].short for answer in answers) == 33
    assert await StockReader(each_database).verify() == []
    assert all(level["on_hand"] == level["reserved"] for level in await StockReader(each_database).levels())


async def test_reservers_of_several_articles_in_any_order_do_not_lock_each_other_out(each_database: Database):
    book = await stocked(each_database, north=80, hub=80, nut=160)
    there = (StockLine(1, "bolt", 3), StockLine(2, "nut", 3))

    async def deal(number: int) -> None:
        name, order = f"D{number}", there if number % 2 else there[::-1]
        await book.reserve(ReserveInput(f"a{number}", name, "north", order, AT, LATER))
        await asyncio.gather(
            book.ship(ShipInput(f"b{number}", name, order[:1], AT)),
            book.reserve(ReserveInput(f"c{number}", name, "north", order[1:], AT, LATER)),
        )
        await book.release(ReleaseInput(f"d{number}", name, AT))

    await asyncio.gather(*(deal(number) for number in range(24)))
    reader = StockReader(each_database)
    assert await reader.verify() == []
    levels = await reader.levels()
    assert [level["reserved"] for level in levels] == [0, 0, 0]
    assert sum(level["on_hand"] for level in levels) == 320 - 24 * 3, "each deal shipped 3, there was enough for all"


async def test_one_effect_asked_for_by_many_at_once_is_done_once(each_database: Database):
    book = await stocked(each_database, north=100)
    ask = reservation("same", *lines(3))
    answers = await asyncio.gather(*(book.reserve(ask) for _ in range(20)))
    assert len(set(answers)) == 1
    assert isinstance(answers[0], ReserveResult)
    assert (await StockReader(each_database).levels())[0]["reserved"] == 3


async def test_the_second_caller_takes_over_when_the_first_one_fails(each_database: Database):
    tried = []

    def work(connection: Connection) -> InvoiceResult:
        tried.append(1)
        if len(tried) == 1:
            raise RuntimeError("crash in the middle")
        return InvoiceResult("done")

    calls = (once(each_database, "same", "test", InvoiceResult, work) for _ in range(4))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(str(answer) for answer in answers)[-1] == "crash in the middle"
    assert [answer for answer in answers if answer == InvoiceResult("done")] == [InvoiceResult("done")] * 3
    assert len(tried) == 2


def invoice(number: int, year: int = 2026) -> InvoiceInput:
    at = f"{year}-03-02T08:00:00Z"
    return InvoiceInput(f"i{number}", f"D{number}", "C1", "delivery", "EUR", (), 100, at, LATER)


async def test_invoice_numbers_have_no_gaps_though_some_transactions_fail(
    each_database: Database, monkeypatch: pytest.MonkeyPatch
):
    books, issue = SqlLedger(each_database), ledger._issue

    def fragile(connection: Connection, asked: InvoiceInput) -> InvoiceResult:
        taken = issue(connection, asked)
        if int(asked.effect_key[1:]) % 5 == 0:
            raise RuntimeError("crash after the number was taken")
        return taken

    monkeypatch.setattr(ledger, "_issue", fragile)
    asked = [invoice(number) for number in range(40)]
    answers = await asyncio.gather(*(books.issue_invoice(ask) for ask in asked), return_exceptions=True)
    issued = sorted(answer.number for answer in answers if isinstance(answer, InvoiceResult))
    assert issued == [f"2026-{number:06d}" for number in range(1, 33)]
    monkeypatch.setattr(ledger, "_issue", issue)
    again = await asyncio.gather(*(books.issue_invoice(ask) for ask in asked))
    assert sorted(answer.number for answer in again) == [f"2026-{number:06d}" for number in range(1, 41)]
    async with each_database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(EffectRow)) == 40


async def test_payments_at_once_never_pay_more_than_is_open(each_database: Database):
    books, reader = SqlLedger(each_database), LedgerReader(each_database)
    number = (await books.issue_invoice(invoice(1))).number

    async def pay(payment: int) -> int:
        asked = LedgerEntryInput(f"p{payment}", "D1", "C1", number, "payment", 30, "EUR", "", AT)
        return (await books.book(asked)).unapplied_minor

    unapplied = await asyncio.gather(*(pay(payment) for payment in range(6)))
    assert sum(unapplied) == 6 * 30 - 100
    assert (await reader.invoice(number) or {})["open_minor"] == 0
    assert await reader.verify() == []
    assert await reader.customer_credit("C1") == {"EUR": 80}
