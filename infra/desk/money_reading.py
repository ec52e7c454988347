"""Invoices and payments as callers see them: those of the deals in their scope, none for who must not see prices."""

from sqlalchemy import select

from infra.db import Database, table_of
from infra.desk import views
from infra.desk.amounts import money
from infra.desk.callers import Caller
from infra.desk.errors import NoSuch
from infra.stores.deals import visible
from infra.stores.pages import Page, Row, read_page
from models.tables.money_books import InvoiceRow, LedgerEntryRow
from models.tables.projection import DealInvoiceRow, DealRow

_DEALS, _INVOICES = table_of(DealRow), table_of(DealInvoiceRow)
_BOOKED, _ENTRIES = table_of(InvoiceRow), table_of(LedgerEntryRow)
_AMOUNTS = ("total", "paid", "credited", "written_off", "open", "disputed")


class MoneyReading:
    """Reads invoices and payments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def invoices(
        self,
        caller: Caller,
        customer: str = "",
        deal_id: str = "",
        is_open: bool | None = None,
        cursor: str = "",
        limit: int = 50,
    ) -> Page:
        """Invoices by number. Raises BadCursor."""
        if caller.is_blind:
            return Page([])
        query = select(_INVOICES, _DEALS.c.customer_id).join(_DEALS, _DEALS.c.id == _INVOICES.c.deal_id)
        query = query.where(visible(caller.scope))
        query = query.where(_DEALS.c.customer_id == customer) if customer else query
        query = query.where(_INVOICES.c.deal_id == deal_id) if deal_id else query
        if is_open is not None:
            query = query.where(_INVOICES.c.open_minor > 0 if is_open else _INVOICES.c.open_minor == 0)
        order = [_INVOICES.c.number, _INVOICES.c.deal_id]
        async with self._database.read() as connection:
            page = await read_page(connection, query, order, cursor, limit)
        return Page([_invoice(row) for row in page.rows], page.next_cursor)

    async def invoice(self, caller: Caller, number: str) -> views.Plain:
        """One invoice with its lines and what was booked on it. Raises NoSuch."""
        query = select(_INVOICES, _DEALS.c.customer_id).join(_DEALS, _DEALS.c.id == _INVOICES.c.deal_id)
        query = query.where(_INVOICES.c.number == number, visible(caller.scope))
        booked = select(_ENTRIES).where(_ENTRIES.c.invoice == number).order_by(_ENTRIES.c.id)
        async with self._database.read() as connection:
            row = None if caller.is_blind else (await connection.execute(query)).mappings().one_or_none()
            if row is None:
                raise NoSuch("invoice", number)
            lines = await connection.scalar(select(_BOOKED.c.lines).where(_BOOKED.c.number == number))
            entries = [dict(entry) for entry in (await connection.execute(booked)).mappings()]
        currency = row["currency"]
        return _invoice(dict(row)) | {
            "lines": [_line(line, currency) for line in lines or ()],
            "entries": [_entry(entry) for entry in entries],
        }

    async def payments(self, caller: Caller, customer: str = "", cursor: str = "", limit: int = 50) -> Page:
        """Payments in the order of booking. Raises BadCursor."""
        if caller.is_blind:
            return Page([])
        query = select(_ENTRIES).join(_DEALS, _DEALS.c.id == _ENTRIES.c.deal_id)
        query = query.where(_ENTRIES.c.kind == "payment", visible(caller.scope))
        query = query.where(_ENTRIES.c.customer_id == customer) if customer else query
        async with self._database.read() as connection:
            page = await read_page(connection, query, [_ENTRIES.c.id], cursor, limit)
        return Page([_entry(row) for row in page.rows], page.next_cursor)

    async def deal_of_invoice(self, number: str) -> str:
        """The deal that an invoice belongs to; empty when there is no such invoice."""
        async with self._database.read() as connection:
            found = await connection.scalar(select(_INVOICES.c.deal_id).where(_INVOICES.c.number == number))
        return found or ""


def _invoice(row: Row) -> views.Plain:
    same = ("number", "deal_id", "kind", "state", "issued_at", "due_at")
    amounts = {name: money(row[f"{name}_minor"], row["currency"]) for name in _AMOUNTS}
    return {name: row[name] for name in same} | amounts | {"customer": row["customer_id"]}


def _line(line: Row, currency: str) -> views.Plain:
    told = {name: line[name] for name in ("line", "article", "quantity")}
    amounts = {name: money(line[f"{name}_minor"], currency) for name in ("net", "tax")}
    return told | amounts


def _entry(row: Row) -> views.Plain:
    told = {name: row[name] for name in ("id", "invoice", "deal_id", "kind", "reference", "at")}
    amounts = {name: money(row[f"{name}_minor"], row["currency"]) for name in ("amount", "unapplied")}
    return told | amounts | {"customer": row["customer_id"]}
