"""Series of numbers, invoices of earlier systems, and payments that went back: the fake and the real ledger agree."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from infra.db import Database
from infra.gateways import ledger as gateway
from infra.gateways.ledger import SqlLedger
from infra.gateways.ledger_reading import Balance, LedgerReader
from models.messages.receivables import InvoiceInput, LedgerEntryInput, LedgerEntryResult
from models.ports import Ledger
from tests.fakes.ledger import FakeLedger
from tests.gateways.worlds import AT, LATER


@pytest.fixture(params=["fake", "real"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    return FakeLedger() if request.param == "fake" else SqlLedger(request.getfixturevalue("database"))


def invoice(key: str, kind: str = "delivery", number: str = "", total: int = 1_000) -> InvoiceInput:
    return InvoiceInput(key, "D1", "C1", kind, "EUR", (), total, "2026-03-02T08:00:00Z", LATER, number)


def entry(key: str, number: str, amount: int, kind: str = "payment", applied: int = -1) -> LedgerEntryInput:
    return LedgerEntryInput(key, "D1", "C1", number, kind, amount, "EUR", "transfer 7", AT, applied)


async def issued(ledger: Ledger, *kinds: str) -> list[str]:
    return [(await ledger.issue_invoice(invoice(f"i-{n}-{kind}", kind))).number for n, kind in enumerate(kinds)]


async def test_invoices_for_goods_share_a_series_and_interest_has_its_own(ledger: Ledger):
    numbers = await issued(ledger, "prepayment", "interest", "milestone", "order", "interest", "adjustment")
    goods = [number for number in numbers if not number.startswith("I-")]
    assert goods == ["2026-000001", "2026-000002", "2026-000003", "2026-000004"]
    assert [number for number in numbers if number.startswith("I-")] == ["I-2026-000001", "I-2026-000002"]


async def test_every_credit_note_has_a_number_and_nothing_else_that_is_booked(ledger: Ledger):
    one, two = await issued(ledger, "delivery", "delivery")
    first = await ledger.book(entry("c1", one, 100, "credit_note"))
    assert (first.number, (await ledger.book(entry("p1", one, 5))).number) == ("C-2026-000001", "")
    assert await ledger.book(entry("c1", one, 100, "credit_note")) == first
    beyond = await ledger.book(entry("c2", two, 1_500, "credit_note"))
    assert (beyond.number, beyond.open_minor, beyond.unapplied_minor) == ("C-2026-000002", 0, 500)


async def test_an_invoice_of_an_earlier_system_keeps_its_number(ledger: Ledger):
    assert (await ledger.issue_invoice(invoice("l1", "legacy", "SAP-77"))).number == "SAP-77"
    assert await issued(ledger, "delivery") == ["2026-000001"], "it takes no number of ours"
    for wrong in (
        invoice("l2", "legacy", "SAP-77"),
        invoice("l2", "legacy"),
        invoice("l2", "delivery", "SAP-78"),
        invoice("l2", "legacy", "2025-000004"),
        invoice("l2", "legacy", "C-2025-000004"),
        invoice("l2", "gift"),
    ):
        with pytest.raises(ValueError, match=r"invoice|number|series"):
            await ledger.issue_invoice(wrong)
    assert (await ledger.book(entry("p1", "SAP-77", 1_000))).open_minor == 0


async def test_a_payment_that_went_back_takes_the_credit_first_and_then_opens_the_invoice(ledger: Ledger):
    (number,) = await issued(ledger, "delivery")
    await ledger.book(entry("p1", number, 1_200))
    back = await ledger.book(entry("r1", number, 150, "reversal"))
    assert (back.open_minor, back.unapplied_minor) == (0, 150)
    rest = await ledger.book(entry("r2", number, 300, "reversal"))
    assert (rest.open_minor, rest.unapplied_minor) == (250, 50)
    with pytest.raises(ValueError, match="750 were paid on the invoice, 0 are credit"):
        await ledger.book(entry("r3", number, 751, "reversal"))
    assert (await ledger.book(entry("r3", number, 750, "reversal"))).open_minor == 1_000


async def test_what_a_credit_note_left_as_credit_can_not_go_back(ledger: Ledger):
    (number,) = await issued(ledger, "delivery")
    await ledger.book(entry("p1", number, 1_000))
    assert (await ledger.book(entry("c1", number, 400, "credit_note"))).unapplied_minor == 400
    back = await ledger.book(entry("r1", number, 1_000, "reversal"))
    assert (back.open_minor, back.unapplied_minor) == (1_000, 0)


async def test_the_deal_decides_what_is_applied_and_the_ledger_agrees_or_refuses(ledger: Ledger):
    (number,) = await issued(ledger, "delivery")
    kept = await ledger.book(entry("p1", number, 700, applied=600))
    assert (kept.open_minor, kept.unapplied_minor) == (400, 100)
    for wrong in (
        entry("p2", number, 500, applied=401),
        entry("p2", number, 500, applied=501),
        entry("p2", number, 500, applied=-2),
        entry("p2", number, 200, "reversal", applied=0),
        entry("p2", number, 700, "reversal", applied=700),
    ):
        with pytest.raises(ValueError, match="amount"):
            await ledger.book(wrong)
    back = await ledger.book(entry("r1", number, 200, "reversal", applied=150))
    assert (back.open_minor, back.unapplied_minor) == (550, 50)


async def test_credit_that_is_set_off_settles_another_invoice(ledger: Ledger):
    one, two = await issued(ledger, "prepayment", "delivery")
    await ledger.book(entry("p1", one, 1_000))
    await ledger.book(entry("c1", one, 400, "credit_note"))
    taken = await ledger.book(entry("s1", one, 300, "set_off", applied=0))
    used = await ledger.book(entry("s2", two, 300, "set_off", applied=300))
    assert (taken.open_minor, taken.unapplied_minor, used.open_minor, used.unapplied_minor) == (0, 300, 700, 0)
    with pytest.raises(ValueError, match="101 is to be set off, 100 are credit"):
        await ledger.book(entry("s3", one, 101, "set_off", applied=0))
    with pytest.raises(ValueError, match="701 is to be applied, 700 are open"):
        await ledger.book(entry("s3", two, 701, "set_off", applied=701))


async def test_balances_count_what_was_set_off(database: Database):
    ledger, reader = SqlLedger(database), LedgerReader(database)
    one, two = await issued(ledger, "prepayment", "delivery")
    await ledger.book(entry("p1", one, 1_500))
    await ledger.book(entry("s1", one, 300, "set_off", applied=0))
    await ledger.book(entry("s2", two, 300, "set_off", applied=300))
    assert await reader.balances() == [Balance("EUR", 2_000, 1_000, 300, 0, 700, 200)]
    assert (await reader.customer_credit("C1"), await reader.verify()) == ({"EUR": 200}, [])


async def test_balances_count_what_went_back(database: Database):
    ledger, reader = SqlLedger(database), LedgerReader(database)
    (number,) = await issued(ledger, "delivery")
    await ledger.book(entry("p1", number, 1_500))
    await ledger.book(entry("r1", number, 700, "reversal"))
    assert await reader.balances() == [Balance("EUR", 1_000, 800, 0, 0, 200, 0)]
    assert (await reader.customer_credit("C1"), await reader.verify()) == ({}, [])
    found = await reader.invoice(number)
    assert found is not None
    assert (found["open_minor"], found["settled_at"]) == (200, ""), "it is open again"
    await ledger.book(entry("p2", number, 300))
    assert await reader.customer_credit("C1") == {"EUR": 100}
    assert (await reader.balances())[0].is_balanced


async def test_the_audit_finds_a_gap_in_a_series(database: Database):
    ledger, reader = SqlLedger(database), LedgerReader(database)
    numbers = await issued(ledger, "delivery", "interest", "order", "milestone")
    for key in ("c1", "c2"):
        await ledger.book(entry(key, numbers[0], 10, "credit_note"))
    assert await reader.verify() == []
    async with database.begin() as connection:
        await connection.exec_driver_sql(f"DELETE FROM invoices WHERE number = '{numbers[2]}'")
        await connection.exec_driver_sql("UPDATE ledger_entries SET number = 'C-2026-000007' WHERE effect_key = 'c1'")
    assert [str(found) for found in await reader.verify()] == [
        "series 2026: number in place 2 is 3, its movements add up to 2",
        "series C-2026: number in place 1 is 2, its movements add up to 1",
    ]


async def test_sixteen_writers_leave_no_gap_though_some_crash(each_database: Database, monkeypatch: pytest.MonkeyPatch):
    """Invoices of two series and credit notes at once; every fourth booking crashes after it took its number."""
    books, enter = SqlLedger(each_database), gateway._enter
    start = (await books.issue_invoice(invoice("start", total=10**6))).number

    def fragile(connection: Connection, asked: LedgerEntryInput, *rest: object) -> int:
        taken = enter(connection, asked, *rest)  # type: ignore[arg-type]
        if int(asked.effect_key[1:]) % 4 == 0:
            raise RuntimeError("crash after the number was taken")
        return taken

    async def write(n: int) -> list[object]:
        kind = "interest" if n % 2 else "order"
        asked = books.issue_invoice(invoice(f"w{n}", kind)), books.book(entry(f"c{n}", start, 10, "credit_note"))
        return list(await asyncio.gather(*asked, return_exceptions=True))

    monkeypatch.setattr(gateway, "_enter", fragile)
    answers = [answer for both in await asyncio.gather(*map(write, range(16))) for answer in both]
    noted = [each.number for each in answers if isinstance(each, LedgerEntryResult)]
    assert sorted(noted) == [f"C-2026-{n:06d}" for n in range(1, 13)]
    assert await LedgerReader(each_database).verify() == []
    monkeypatch.setattr(gateway, "_enter", enter)
    again = await asyncio.gather(*(books.book(entry(f"c{n}", start, 10, "credit_note")) for n in range(16)))
    assert sorted(each.number for each in again) == [f"C-2026-{n:06d}" for n in range(1, 17)]
    assert await LedgerReader(each_database).verify() == []


async def test_a_payment_and_its_way_back_at_once_never_leave_more_open_than_was_invoiced(each_database: Database):
    books, reader = SqlLedger(each_database), LedgerReader(each_database)
    number = (await books.issue_invoice(invoice("i1"))).number
    await books.book(entry("p0", number, 600))
    acts = [books.book(replace(entry(f"r{n}", number, 100), kind="reversal")) for n in range(10)]
    done = await asyncio.gather(*acts, return_exceptions=True)
    assert sum(isinstance(each, LedgerEntryResult) for each in done) == 6
    assert ((await reader.invoice(number) or {})["open_minor"], await reader.verify()) == (1_000, [])
