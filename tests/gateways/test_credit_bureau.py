"""What our own books and the customer card tell about reliability, and the formal checks of numbers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from infra.db import Database
from infra.gateways.credit_book import SqlCreditBook
from infra.gateways.credit_bureau import SqlCreditBureau
from infra.gateways.identity import iban_ok, lei_ok, registration_ok, vat_ok
from infra.gateways.ledger import SqlLedger
from models.messages.finance import BrokenPromiseInput, Financials, HeadroomInput, ReliabilityFacts, ReliabilityInput
from models.messages.receivables import InvoiceInput, LedgerEntryInput
from models.tables.masters import CustomerRow
from tests.gateways.worlds import AT, LATER

FIGURES = {
    "working_capital_minor": 1,
    "retained_earnings_minor": 2,
    "ebit_minor": 3,
    "equity_minor": 4,
    "total_assets_minor": 5,
    "total_liabilities_minor": 6,
}


async def add_customer(database: Database, **card: Any) -> None:
    row = {"id": "C1", "name": "Acme", "group_id": "G1", "currency": "EUR", "created_at": AT, "updated_at": AT, **card}
    async with database.begin() as connection:
        await connection.execute(insert(CustomerRow), row)


async def facts(database: Database, customer: str = "C1", at: str = LATER) -> ReliabilityFacts:
    return await SqlCreditBureau(database).reliability(ReliabilityInput("D1", customer, "EUR", at))


async def invoice(database: Database, key: str, due_at: str, *entries: tuple[str, str, int]) -> None:
    """An invoice over 100, with entries as (kind, at, amount)."""
    ledger = SqlLedger(database)
    number = (await ledger.issue_invoice(InvoiceInput(key, "D1", "C1", "delivery", "EUR", (), 100, AT, due_at))).number
    for kind, at, amount in entries:
        await ledger.book(LedgerEntryInput(f"{key} {at}", "D1", "C1", number, kind, amount, "EUR", "", at))


async def test_an_unknown_customer_is_unknown(database: Database):
    assert await facts(database, "nobody") == ReliabilityFacts(customer_known=False, group="")


async def test_an_empty_card_tells_nothing(database: Database):
    await add_customer(database)
    assert await facts(database) == ReliabilityFacts(customer_known=True, group="G1")


async def test_the_card_is_told_and_its_numbers_checked(database: Database):
    await add_customer(
        database,
        country="DE",
        registration_id="HRB 12345",
        vat_id="136695976",
        iban="DE89370400440532013001",
        lei="213800KUD8LAJWSQ9D15",
        financials=FIGURES,
        broken_promises=2,
        founded_on="1999-05-01",
        blocked=True,
    )
    assert await facts(database) == ReliabilityFacts(
        customer_known=True,
        group="G1",
        registration_ok=True,
        vat_ok=True,
        iban_ok=False,
        lei_ok=True,
        financials=Financials(1, 2, 3, 4, 5, 6),
        broken_promises=2,
        founded_on="1999-05-01",
        blocked=True,
    )


async def test_history_counts_paid_invoices_and_forgives_nothing_for_early_ones(database: Database):
    await add_customer(database)
    due = "2026-03-10T00:00:00Z"
    await invoice(
        database, "late", due, ("payment", "2026-03-12T00:00:00Z", 40), ("payment", "2026-03-20T00:00:00Z", 60)
    )
    await invoice(database, "early", due, ("payment", "2026-03-01T00:00:00Z", 100))
    await invoice(database, "open", due, ("payment", "2026-03-11T00:00:00Z", 99))
    await invoice(database, "bad", due, ("write_off", "2026-03-30T00:00:00Z", 100))
    known = await facts(database)
    assert (known.paid_invoices, known.average_days_late) == (2, 5)
    before = await facts(database, at="2026-03-15T00:00:00Z")
    assert (before.paid_invoices, before.average_days_late) == (1, 0), "what comes later is not known yet"


async def test_exposure_is_what_the_group_holds_of_its_headroom(database: Database):
    await add_customer(database)
    book = SqlCreditBook(database)
    for key, currency, until in (("a", "EUR", LATER), ("b", "EUR", LATER), ("c", "USD", LATER), ("d", "EUR", AT)):
        await book.reserve(HeadroomInput(key, "D", "G1", currency, 100, 1_000, AT, until))
    assert (await facts(database)).exposure_minor == 200


async def test_a_broken_promise_counts_once_per_key(database: Database):
    await add_customer(database)
    book = SqlCreditBook(database)
    for key in ("k1", "k1", "k2"):
        await book.note_broken_promise(BrokenPromiseInput(key, "D1", "C1", AT))
    await book.note_broken_promise(BrokenPromiseInput("k3", "D1", "nobody", AT))
    assert (await facts(database)).broken_promises == 2


@pytest.mark.parametrize(
    ("check", "number", "country", "expected"),
    [
        (vat_ok, "DE136695976", "", True),
        (vat_ok, "DE136695975", "DE", False),
        (vat_ok, "IT 00743110157", "", True),
        (vat_ok, "RO18547290", "", True),
        (vat_ok, "12345", "US", False),
        (registration_ok, "00445790", "GB", True),
        (registration_ok, "SC123456", "gb", True),
        (registration_ok, "445790", "GB", False),
        (registration_ok, "732829320", "FR", True),
        (registration_ok, "732829321", "FR", False),
        (registration_ok, "Berlin HRA 11223 B", "DE", True),
        (registration_ok, "1022200525819", "RU", True),
        (registration_ok, "C-12345", "KE", True),
        (registration_ok, "none", "KE", False),
        (registration_ok, "x" * 1_000, "", False),
    ],
)
def test_formal_checks_by_country(check, number: str, country: str, expected: bool):
    assert check(number, country) is expected


@given(st.text(max_size=60), st.sampled_from(["", "DE", "GB", "IT", "RO", "RU", "ID", "US", "FR", "IN", "XX", "é1"]))
def test_formal_checks_answer_whatever_they_are_given(number: str, country: str):
    assert isinstance(vat_ok(number, country), bool)
    assert isinstance(registration_ok(number, country), bool)
    assert isinstance(iban_ok(number), bool)
    assert isinstance(lei_ok(number), bool)
