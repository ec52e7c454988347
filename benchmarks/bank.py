"""Bank entries per second: a statement of 10,000 entries against 5,000 open invoices, read, kept and matched."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import BigInteger, Boolean, Connection, Integer, func, insert, select

from benchmarks.figures import Figure, Target, of_spread
from benchmarks.measure import spread
from benchmarks.memory import MEGABYTE
from infra.bank.reading import read_statements
from infra.db import Database, open_database, table_of
from infra.desk.bank_matching import Matching
from infra.desk.books import Books
from infra.migrate import upgrade
from infra.settings import load_settings
from infra.stores.bank_intake import BankFile, BankIntake
from infra.stores.bank_rows import ENTRIES
from models.banking.references import creditor_reference
from models.policy import DEFAULT
from models.tables.masters import CustomerRow
from models.tables.projection import DealInvoiceRow, DealRow
from tests.bank.statement_files import ACCOUNT, Payment, camt, total

_AT = "2026-03-10T08:00:00Z"
_CUSTOMERS = 1_000
_WHY = "half of it is reading the file, a third the pure matching; on a busy machine the figure of one core says more"


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of reading, keeping and matching, and of the processor (`used`); how many entries a rule decided, and the
    memory of the process."""

    read: float
    kept: float
    matched: float
    used: float
    decided: int
    entries: int
    megabytes: float

    @property
    def per_second(self) -> float:
        """Entries from the bytes of the file to their rows with matches."""
        return self.entries / (self.read + self.kept + self.matched)


def number_of(place: int) -> str:
    """The number of an invoice."""
    return f"2026-{place:06d}"


def amount_of(place: int) -> int:
    """What an invoice was for: hardly two the same."""
    return 10_000 + 37 * place


def iban_of(customer: int) -> str:
    """The account of a customer, with right check digits."""
    body = f"10020030{customer:010d}"
    return f"DE{98 - int(f'{body}131400') % 97:02d}{body}"


def payments_of(invoices: int) -> list[Payment]:
    """Two entries per invoice: a part that names it, and the rest as payers write it; one in ten is unreadable."""
    found = []
    for place in range(1, invoices + 1):
        number, amount, iban = number_of(place), amount_of(place), iban_of(place % _CUSTOMERS)
        part = amount * 2 // 5
        who: dict[str, Any] = {
            "name": f"Customer {place % _CUSTOMERS} GmbH",
            "iban": iban,
            "reference": f"A{place:09d}",
        }
        found.append(Payment(part, text=f"Rechnung Nr. {number} vom 01.02.2026 Teilzahlung", **who))
        rest = who | {"reference": f"B{place:09d}"}
        ways: tuple[dict[str, Any], ...] = (
            rest | {"text": f"RG {number.replace('-', ' ')} Rest, danke"},
            rest | {"structured": creditor_reference(number)},
            rest | {"text": f"Kundennummer 4711, Ihre Rechnung {number[5:]}"},
            rest | {"text": "laut Vereinbarung"},
            {"name": "Unbekannt", "text": "siehe Avis 88-1234", "reference": rest["reference"]},
        )
        found.append(Payment(amount - part, **ways[place % 5 if place % 2 else place % 3]))
    return found


def furnish(connection: Connection, invoices: int) -> None:
    """Customers, deals and their open invoices, without the engine."""
    customers = [
        {"id": f"c-{n}", "name": f"Customer {n} GmbH", "group_id": f"g-{n}", "iban": iban_of(n)} | _STAMPS
        for n in range(_CUSTOMERS)
    ]
    connection.execute(insert(table_of(CustomerRow)), [_filled(CustomerRow, row) for row in customers])
    deals, owed = [], []
    for place in range(1, invoices + 1):
        amount, number = amount_of(place), number_of(place)
        deals.append(_filled(DealRow, {"id": f"D-{place}", "customer_id": f"c-{place % _CUSTOMERS}"}))
        row: dict[str, Any] = {"deal_id": f"D-{place}", "number": number, "kind": "delivery", "currency": "EUR"}
        row |= {"total_minor": amount, "open_minor": amount, "issued_at": _AT, "due_at": _AT, "state": "issued"}
        owed.append(_filled(DealInvoiceRow, row))
    connection.execute(insert(table_of(DealRow)), deals)
    connection.execute(insert(table_of(DealInvoiceRow)), owed)


_STAMPS = {"currency": "EUR", "created_at": _AT, "updated_at": _AT}


def _filled(kind: Any, row: dict[str, Any]) -> dict[str, Any]:
    """The row with something plain in every column that it leaves out."""
    plain = {"policy_version": DEFAULT.version, "currency": "EUR"}

    def empty(column: Any) -> Any:
        if isinstance(column.type, Boolean):
            return False
        return 0 if isinstance(column.type, Integer | BigInteger) else plain.get(column.name, "")

    return {column.name: row.get(column.name, empty(column)) for column in table_of(kind).columns}


async def import_once(database: Database, body: bytes) -> Measured:
    """Read, keep and match one file on a furnished database."""
    books = Books(database, load_settings())
    await books.policies.active(_AT)
    async with _watched() as largest:
        began, used = time.perf_counter(), time.process_time()
        statements = await asyncio.to_thread(read_statements, body)
        read = time.perf_counter()
        await BankIntake(database).take(BankFile(body, "bench", _AT), statements)
        kept = time.perf_counter()
        matched = await Matching(books, lambda: _AT).run("bench")
        done, used = time.perf_counter(), time.process_time() - used
    query = select(func.count()).select_from(ENTRIES).where(ENTRIES.c.rule != "")
    decided = await database.look(lambda connection: connection.scalar(query))
    return Measured(read - began, kept - read, done - kept, used, int(decided or 0), matched, max(largest))


@asynccontextmanager
async def _watched() -> AsyncIterator[list[float]]:
    """What this process occupies meanwhile, in megabytes, looked at fifty times a second."""
    process = psutil.Process()
    seen = [process.memory_info().rss / MEGABYTE]

    async def watch() -> None:
        while True:
            seen.append(process.memory_info().rss / MEGABYTE)
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        watching.cancel()


def file_of(invoices: int) -> bytes:
    """The statement as the bank sends it."""
    payments = payments_of(invoices)
    return camt("08", ACCOUNT, payments, 0, total(payments))


async def bank_entries(folder: Path, batches: int, invoices: int) -> list[Figure]:
    """The figures: entries per second with all that belongs to it, each part of it, and the memory."""
    body = file_of(invoices)
    seen = [await _on_fresh(folder / f"bank-{batch}.db", body, invoices) for batch in range(batches)]
    entries, decided = seen[0].entries, seen[0].decided
    note = f"{entries:,} entries ({len(body) / 1e6:.1f} MB of camt.053) against {invoices:,} open invoices; "
    note += f"a rule decided {decided / entries:.0%}"
    rate, at_most = Target("at least", 1_000), Target("at most", 500)
    return [
        of_spread("bank entries per second", spread([one.per_second for one in seen]), "/s", rate, why=_WHY, note=note),
        of_spread("bank entries per second of one core", spread([one.entries / one.used for one in seen]), "/s"),
        of_spread("reading the file", spread([one.read for one in seen]), "s"),
        of_spread("keeping it", spread([one.kept for one in seen]), "s"),
        of_spread("matching", spread([one.matched for one in seen]), "s"),
        Figure("this process at its largest", max(one.megabytes for one in seen), "MB", target=at_most),
    ]


async def _on_fresh(path: Path, body: bytes, invoices: int) -> Measured:
    url = f"sqlite+aiosqlite:///{path}"
    await asyncio.to_thread(upgrade, url)
    database = open_database(url)
    try:
        await database.write(lambda connection: furnish(connection, invoices))
        return await import_once(database, body)
    finally:
        await database.close()
