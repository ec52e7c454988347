"""The audit of all money finds every cent that was moved by hand, and nothing where nothing is wrong."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, text

from infra.db import Database
from infra.gateways import money_audit
from infra.gateways.difference import Difference
from infra.gateways.ledger import SqlLedger
from infra.gateways.money_audit import CurrencyTotal, MoneyAudit
from infra.stores.recorder import DatabaseRecorder
from models.messages.receivables import InvoiceInput, LedgerEntryInput
from models.messages.records import RecordInput
from models.projection import CHILDREN, project
from tests.models.world import World, delivered, entered

TOTAL = 190_400


class BookedWorld(World):
    """A deal that keeps what it asked the ledger for, in its order."""

    def _answer(self, asked: Any) -> object:
        if isinstance(asked, InvoiceInput | LedgerEntryInput):
            self.__dict__.setdefault("books", []).append(asked)
        return super()._answer(asked)


async def sound(database: Database) -> World:
    """A deal with a part payment, a credit note, and a payment that went back, in the deal's rows and in the ledger."""
    world = delivered(BookedWorld())
    world.pay(100_000)
    number = world.deal.receivables[0].number
    world.do(
        "accounts_receivable", "reverse_payment", invoice=number, amount_minor=40_000, currency="EUR", reason="R-4"
    )
    world.do("head_of_sales", "credit", invoice=number, amount_minor=400, reason="late delivery")
    await record(database, world)
    return world


async def record(database: Database, world: World) -> None:
    shown = project(world.deal, world.policy)
    await DatabaseRecorder(database).record(RecordInput(world.deal.id, tuple(world.entries), shown, CHILDREN))
    ledger = SqlLedger(database)
    for asked in world.__dict__["books"]:
        await (ledger.issue_invoice(asked) if isinstance(asked, InvoiceInput) else ledger.book(asked))


async def by_hand(database: Database, statement: str) -> list[str]:
    """What the audit says after somebody changed a row."""
    await database.write(lambda connection: connection.execute(text(statement)))
    verdict = await MoneyAudit(database).verify()
    assert not verdict.is_sound
    return sorted(str(each) for each in verdict.differences)


async def test_nothing_is_found_where_nothing_is_wrong(database: Database) -> None:
    assert (await MoneyAudit(database).verify()) == money_audit.MoneyVerdict((), ())
    await sound(database)
    verdict = await MoneyAudit(database).verify()
    assert verdict.is_sound, verdict.differences
    assert verdict.currencies == (CurrencyTotal("EUR", TOTAL, 60_000, 400, 0, TOTAL - 60_400),)
    assert verdict.currencies[0].difference_minor == 0


async def test_credit_that_was_set_off_counts_as_credited_and_is_used_up(database: Database) -> None:
    """The first of two invoices is paid with 5,000 too much, which settle a part of the second."""
    world = entered(BookedWorld())
    for lines in ([{"line": 1, "quantity": 10}], None):
        world.do("logistics_manager", "ship", **({"lines": lines} if lines else {}))
        world.do("logistics_manager", "deliver")
    first, second = world.deal.receivables
    world.pay(first.total_minor + 5_000, invoice=first.number)
    world.do("accounts_receivable", "set_off_credit", source=first.number, invoice=second.number, amount_minor=5_000)
    await record(database, world)
    assert world.booked.count(("set_off", 5_000)) == 2
    verdict = await MoneyAudit(database).verify()
    assert verdict.is_sound, verdict.differences
    left = second.total_minor - 5_000
    assert verdict.currencies == (CurrencyTotal("EUR", TOTAL, first.total_minor, 5_000, 0, left),)


async def test_a_cent_that_is_missing_on_an_invoice_is_missing_in_its_currency(database: Database) -> None:
    await sound(database)
    found = await by_hand(database, "UPDATE invoices SET open_minor = open_minor - 1")
    assert found == [
        "currency EUR: open amount is 129999, its movements add up to 130000",
        "invoice 2026-000001 of deal D-1: open amount in the deal is 130000, its movements add up to 129999",
        "invoice 2026-000001: open amount is 129999, its movements add up to 130000",
    ]


async def test_a_booking_that_only_the_ledger_has(database: Database) -> None:
    await sound(database)
    found = await by_hand(
        database, "UPDATE ledger_entries SET amount_minor = amount_minor + 5 WHERE kind = 'credit_note'"
    )
    assert "invoice 2026-000001 of deal D-1: credited amount in the deal is 400, its movements add up to 405" in found


async def test_credit_that_only_one_of_both_knows(database: Database) -> None:
    await sound(database)
    found = await by_hand(database, "UPDATE deal_invoices SET unapplied_minor = 7")
    assert found == ["invoice 2026-000001 of deal D-1: unapplied amount in the deal is 7, its movements add up to 0"]


async def test_an_invoice_that_only_one_of_both_knows(database: Database) -> None:
    world = await sound(database)
    found = await by_hand(database, "DELETE FROM deal_invoices")
    assert found == ["invoice 2026-000001 of deal D-1: entry in the deal is 0, its movements add up to 1"]
    await database.write(lambda connection: connection.execute(text("DELETE FROM ledger_entries")))
    await database.write(lambda connection: connection.execute(text("DELETE FROM invoices")))
    await database.write(lambda connection: connection.execute(text("DELETE FROM deals")))
    await database.write(partial(_show_again, world=world))
    found = await by_hand(database, "UPDATE deal_invoices SET open_minor = 0")
    assert "invoice 2026-000001 of deal D-1: entry in the ledger is 0, its movements add up to 1" in found


def _show_again(connection: Connection, world: World) -> None:
    (row,) = project(world.deal, world.policy).invoices
    names = ", ".join(row)
    connection.execute(
        text(f"INSERT INTO deal_invoices ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row
    )


async def test_a_booking_under_another_name(database: Database) -> None:
    await sound(database)
    found = await by_hand(database, "UPDATE ledger_entries SET currency = 'USD' WHERE kind = 'payment'")
    assert (
        "invoice 2026-000001: bookings in another currency or of another deal is 1, its movements add up to 0" in found
    )


async def test_a_deal_that_waits_for_a_booking_is_not_judged(database: Database) -> None:
    await sound(database)
    await database.write(lambda connection: connection.execute(text("UPDATE deals SET pending_effects = 1")))
    await database.write(lambda connection: connection.execute(text("UPDATE deal_invoices SET paid_minor = 0")))
    assert (await MoneyAudit(database).verify()).is_sound


@pytest.fixture
def own_check() -> Iterator[None]:
    """A check of another book, as long as the test lasts."""

    def check(connection: Connection) -> Iterator[Difference]:
        count = connection.scalar(text("SELECT count(*) FROM invoices")) or 0
        yield Difference("bank entry 1", "allocated amount", count, 0)

    money_audit.CHECKS.append(check)
    yield
    money_audit.CHECKS.remove(check)


@pytest.mark.usefixtures("own_check")
async def test_another_book_adds_its_check(database: Database) -> None:
    await sound(database)
    (found,) = (await MoneyAudit(database).verify()).differences
    assert str(found) == "bank entry 1: allocated amount is 0, its movements add up to 1"
