"""The contract of a ledger, asked of the fake and of the real one; and what only the real one answers."""

from dataclasses import replace

import pytest

from infra.db import Database
from infra.gateways.ledger import SqlLedger
from infra.gateways.ledger_reading import Balance, LedgerReader
from models.messages.receivables import InvoiceInput, InvoiceLine, LedgerEntryInput
from models.ports import Ledger
from tests.fakes.ledger import FakeLedger
from tests.gateways.worlds import AT, LATER

LINES = (InvoiceLine(1, "bolt", 10, 1_000, 190), InvoiceLine(2, "nut", 1, -100, 0))


@pytest.fixture(params=["fake", "real"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    if request.param == "fake":
        return FakeLedger()
    return SqlLedger(request.getfixturevalue("database"))


def invoice(key: str, year: int = 2026, currency: str = "EUR", customer: str = "C1") -> InvoiceInput:
    at = f"{year}-03-02T08:00:00Z"
    return InvoiceInput(key, "D1", customer, "delivery", currency, LINES, 1_090, at, LATER)


def entry(key: str, number: str, amount: int, kind: str = "payment", currency: str = "EUR") -> LedgerEntryInput:
    return LedgerEntryInput(key, "D1", "C1", number, kind, amount, currency, "transfer 7", AT)


async def test_numbers_run_per_year_and_an_invoice_is_issued_once(ledger: Ledger):
    years = (2026, 2026, 2027, 2026)
    numbers = [(await ledger.issue_invoice(invoice(f"i{n}", year))).number for n, year in enumerate(years)]
    assert numbers == ["2026-000001", "2026-000002", "2027-000001", "2026-000003"]
    assert (await ledger.issue_invoice(invoice("i1"))).number == "2026-000002"
    assert (await ledger.issue_invoice(invoice("i9"))).number == "2026-000004"


async def test_a_payment_lowers_the_open_amount_and_the_rest_becomes_credit(ledger: Ledger):
    number = (await ledger.issue_invoice(invoice("i1"))).number
    part = await ledger.book(entry("p1", number, 1_000))
    assert (part.open_minor, part.unapplied_minor) == (90, 0)
    assert await ledger.book(entry("p1", number, 1_000)) == part
    over = await ledger.book(entry("p2", number, 100))
    assert (over.open_minor, over.unapplied_minor) == (0, 10)
    assert over.entry_id != part.entry_id
    late = await ledger.book(entry("p3", number, 5))
    assert (late.open_minor, late.unapplied_minor) == (0, 5)


async def test_a_write_off_gives_nothing_away_beyond_what_is_open(ledger: Ledger):
    number = (await ledger.issue_invoice(invoice("i1"))).number
    await ledger.book(entry("p1", number, 1_000, "credit_note"))
    written_off = await ledger.book(entry("p2", number, 500, "write_off"))
    assert (written_off.open_minor, written_off.unapplied_minor) == (0, 0)


@pytest.mark.parametrize("amount", [0, -1, 10**14 + 1, 10**40, 2.5, float("nan"), True])
async def test_refuses_impossible_amounts(ledger: Ledger, amount):
    number = (await ledger.issue_invoice(invoice("i1"))).number
    with pytest.raises(ValueError, match="amount"):
        await ledger.book(entry("p1", number, amount))


async def test_refuses_bookings_that_do_not_fit_their_invoice(ledger: Ledger):
    number = (await ledger.issue_invoice(invoice("i1"))).number
    for wrong in (
        entry("p1", "2026-000099", 5),
        entry("p1", "", 5),
        entry("p1", number, 5, currency="USD"),
        entry("p1", number, 5, kind="gift"),
        replace(entry("p1", number, 5), customer_id="C2"),
    ):
        with pytest.raises(ValueError, match=r"invoice|entry"):
            await ledger.book(wrong)
    assert (await ledger.book(entry("p1", number, 5))).open_minor == 1_085, "a refusal leaves the key free"


async def test_refuses_invoices_that_no_book_may_hold(ledger: Ledger):
    good = invoice("i1")
    for wrong in (
        replace(good, total_minor=1_091),
        replace(good, total_minor=-1, lines=()),
        replace(good, currency="eur"),
        replace(good, issued_at="yesterday"),
        replace(good, issued_at="2026-03-02T08:00:00+00:00"),
        replace(good, lines=(InvoiceLine(1, "bolt", -1, 1_090, 0),)),
        replace(good, lines=(InvoiceLine(1, "bolt", 1, 10**15, 1_090 - 10**15),)),
    ):
        with pytest.raises(ValueError, match=r"."):
            await ledger.issue_invoice(wrong)
    assert (await ledger.issue_invoice(good)).number == "2026-000001", "a refusal takes no number"


async def test_the_books_balance_per_currency(database: Database):
    ledger, reader = SqlLedger(database), LedgerReader(database)
    euros = [(await ledger.issue_invoice(invoice(f"e{n}"))).number for n in range(3)]
    await ledger.issue_invoice(invoice("u1", currency="USD", customer="C2"))
    await ledger.book(entry("p1", euros[0], 2_000))
    await ledger.book(entry("p2", euros[1], 90, "credit_note"))
    await ledger.book(entry("p3", euros[1], 300, "write_off"))
    balances = await reader.balances()
    assert balances == [Balance("EUR", 3_270, 1_090, 90, 300, 1_790, 910), Balance("USD", 1_090, 0, 0, 0, 1_090, 0)]
    assert all(balance.is_balanced for balance in balances)
    assert await reader.verify() == []
    assert await reader.customer_credit("C1") == {"EUR": 910}
    assert await reader.customer_credit("C2") == {}


async def test_reads_page_by_page(database: Database):
    ledger, reader = SqlLedger(database), LedgerReader(database)
    numbers = [(await ledger.issue_invoice(invoice(f"i{n}"))).number for n in range(5)]
    await ledger.book(entry("p1", numbers[0], 1_090))
    await ledger.book(entry("p2", numbers[1], 10))
    first = await reader.invoices(limit=2)
    rest = await reader.invoices(after=first[-1]["number"], limit=9)
    assert [row["number"] for row in first + rest] == numbers
    assert [row["number"] for row in await reader.invoices(is_open=False)] == numbers[:1]
    assert len(await reader.invoices(customer_id="C1", deal_id="D1", is_open=True)) == 4
    assert await reader.invoices(customer_id="C2") == []
    found = await reader.invoice(numbers[0])
    assert found is not None
    assert (found["settled_at"], found["open_minor"], len(found["lines"])) == (AT, 0, 2)
    assert await reader.invoice("2026-999999") is None
    entries = await reader.entries(customer_id="C1", kind="payment", limit=1)
    assert [row["amount_minor"] for row in await reader.entries(after=entries[-1]["id"])] == [10]
    assert [row["reference"] for row in await reader.entries(invoice=numbers[1])] == ["transfer 7"]


async def test_the_audit_finds_a_forged_open_amount(database: Database):
    number = (await SqlLedger(database).issue_invoice(invoice("i1"))).number
    async with database.begin() as connection:
        await connection.exec_driver_sql("UPDATE invoices SET open_minor = 90")
    assert [str(found) for found in await LedgerReader(database).verify()] == [
        f"invoice {number}: open amount is 90, its movements add up to 1090"
    ]
    assert not (await LedgerReader(database).balances())[0].is_balanced
