"""Numbers of earlier systems' invoices: claimed before the invoice is brought, so that of two deals that bring the same
number at the same moment one is refused, with a reason."""

from functools import partial

from sqlalchemy import Connection, bindparam, select

from infra.db import Database
from infra.gateways.once import answered, once
from models.messages.receivables import LegacyNumberInput, LegacyNumberResult
from models.tables.money_books import InvoiceRow as Invoice

CLAIM = "number:"
"""What the key of a claim begins with, among the keys of effects."""

_ACT = "ledger.number"


async def claim_number(database: Database, asked: LegacyNumberInput) -> LegacyNumberResult:
    """The deal that has the number: from now on the one that asks, if no other has it."""
    return await once(database, f"{CLAIM}{asked.number}", _ACT, LegacyNumberResult, partial(_claim, asked=asked))


async def number_holder(database: Database, asked: LegacyNumberInput) -> LegacyNumberResult:
    """What a claim would answer; nothing is claimed."""
    known = await answered(database, f"{CLAIM}{asked.number}", _ACT, LegacyNumberResult)
    if known is not None:
        return known
    async with database.read() as connection:
        holder = await connection.scalar(_HOLDER, {"of": asked.number})
    return LegacyNumberResult(holder or asked.deal_id)


def _claim(connection: Connection, asked: LegacyNumberInput) -> LegacyNumberResult:
    holder = connection.scalar(_HOLDER, {"of": asked.number})
    return LegacyNumberResult(holder or asked.deal_id)


_HOLDER = select(Invoice.deal_id).where(Invoice.number == bindparam("of"))
