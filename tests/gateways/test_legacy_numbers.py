"""Numbers of earlier systems' invoices: the first deal that claims one has it, whoever asks at the same moment."""

import asyncio

from infra.db import Database
from infra.gateways.ledger import SqlLedger
from infra.gateways.ledger_numbers import number_holder
from models.messages.receivables import InvoiceInput, LegacyNumberInput, LegacyNumberResult

AT = "2026-01-05T00:00:00Z"


async def test_the_first_deal_has_the_number_for_ever(database: Database):
    ledger, asked = SqlLedger(database), LegacyNumberInput("SAP-77", "D-1")
    assert await number_holder(database, asked) == LegacyNumberResult("D-1"), "nobody has it yet"
    assert await ledger.claim_number(LegacyNumberInput("SAP-77", "D-2")) == LegacyNumberResult("D-2")
    assert await ledger.claim_number(asked) == LegacyNumberResult("D-2")
    assert await number_holder(database, asked) == LegacyNumberResult("D-2")
    assert await ledger.claim_number(LegacyNumberInput("SAP-78", "D-1")) == LegacyNumberResult("D-1")


async def test_looking_claims_nothing(database: Database):
    await number_holder(database, LegacyNumberInput("SAP-77", "D-1"))
    assert await SqlLedger(database).claim_number(LegacyNumberInput("SAP-77", "D-2")) == LegacyNumberResult("D-2")


async def test_an_invoice_in_the_book_keeps_its_number_whoever_claims_it(database: Database):
    ledger = SqlLedger(database)
    await ledger.issue_invoice(InvoiceInput("e1", "D-3", "C-1", "legacy", "EUR", (), 100, AT, AT, "SAP-77"))
    asked = LegacyNumberInput("SAP-77", "D-1")
    assert await number_holder(database, asked) == LegacyNumberResult("D-3")
    assert await ledger.claim_number(asked) == LegacyNumberResult("D-3")


async def test_of_many_at_the_same_moment_one_has_it(database: Database):
    ledger = SqlLedger(database)
    asked = [LegacyNumberInput("SAP-77", f"D-{n}") for n in range(20)]
    holders = {answer.deal_id for answer in await asyncio.gather(*map(ledger.claim_number, asked))}
    assert len(holders) == 1
