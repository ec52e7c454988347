"""What a process does that imports a file on its own."""

import asyncio
from collections.abc import Sequence

from infra.bank.reading import read_statements
from infra.db import open_database
from infra.stores.bank_intake import BankFile, BankIntake
from tests.bank.statement_files import ACCOUNT, Payment, camt, mt940, total

PAYMENTS = tuple(Payment(100 + number, text=f"payment {number}", reference=f"R-{number}") for number in range(300))


def import_file(url: str, form: str, first: int, last: int) -> tuple[int, int]:
    """How many entries were new and how many known."""
    return asyncio.run(_import(url, _file(form, PAYMENTS[first:last])))


def _file(form: str, payments: Sequence[Payment]) -> bytes:
    balances = (100_000, 100_000 + total(payments))
    return mt940(ACCOUNT, payments, *balances) if form == "mt940" else camt(form, ACCOUNT, payments, *balances)


async def _import(url: str, body: bytes) -> tuple[int, int]:
    database = open_database(url)
    try:
        file = BankFile(body, "u-clerk", "2026-03-10T08:00:00Z")
        (taken,) = await BankIntake(database).take(file, read_statements(body))
        return taken.row["entries"] - taken.row["known"], taken.row["known"]
    finally:
        await database.close()
