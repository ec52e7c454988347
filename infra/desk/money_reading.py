"""Invoices and payments as callers see them: those of the deals in their scope, none for who must not see prices."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.db import table_of
from infra.desk import views
from infra.desk.amounts import money
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import Invalid, NoSuch
from infra.desk.invoice_views import Counted, collection, days_late, holds_credit
from infra.desk.read_log import ReadLog
from infra.stores.deals import visible
from infra.stores.invoice_letters import letters_about
from infra.stores.pages import Order, Page, Row, read_page
from models import codec
from models.deal import fold
from models.deal_state import Deal
from models.lifecycle.states import ReceivableState
from models.tables.money_books import GroupHoldRow, InvoiceRow, LedgerEntryRow
from models.tables.projection import DealInvoiceRow, DealRow

_DEALS, _INVOICES, _HOLDS = table_of(DealRow), table_of(DealInvoiceRow), table_of(GroupHoldRow)
_BOOKED, _ENTRIES = table_of(InvoiceRow), table_of(LedgerEntryRow)
_AMOUNTS = ("total", "paid", "credited", "written_off", "open", "disputed")
_IS_OPEN = _INVOICES.c.open_minor > literal_column("0")
"""Spelt as the index of open invoices spells it, which is used for no other spelling."""
_BY_NUMBER: Order = [_INVOICES.c.number, _INVOICES.c.deal_id]
_BY_DUE_DATE: Order = [_INVOICES.c.due_at, *_BY_NUMBER]
_YEARS = (1990, 9900)


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """What a list of invoices is narrowed to; an empty text and None ask for nothing. `state` is a level of the ladder,
    or how an invoice ended; `late` ones are open and past their due day."""

    customer: str = ""
    deal_id: str = ""
    is_open: bool | None = None
    state: str = ""
    late: bool | None = None
    disputed: bool | None = None

    @property
    def order(self) -> Order:
        """What is to be seen to is listed by its due date, everything else by number."""
        return _BY_DUE_DATE if self.late or self.disputed else _BY_NUMBER

    def conditions(self, today: str) -> list[ColumnElement[bool]]:
        """The filter as conditions on invoices and their deals. A test deal may live ahead of `today` (ISO date)."""
        asked = ((_DEALS.c.customer_id, self.customer), (_INVOICES.c.deal_id, self.deal_id))
        found = [column == value for column, value in (*asked, (_INVOICES.c.state, self.state)) if value]
        own_day = func.substr(_DEALS.c.updated_at, 1, 10)
        late = _IS_OPEN & or_(_INVOICES.c.due_at < today, _INVOICES.c.due_at < own_day)
        disputed = _IS_OPEN & (_INVOICES.c.disputed_minor > 0)
        for wanted, condition in ((self.is_open, _IS_OPEN), (self.late, late), (self.disputed, disputed)):
            if wanted is not None:
                found.append(condition if wanted else not_(condition))
        return found


class MoneyReading:
    """Reads invoices and payments."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books, self._clock = books, clock
        self._reads = ReadLog(books, clock)
        self._database = books.database

    async def invoices(self, caller: Caller, asked: InvoiceFilter, cursor: str = "", limit: int = 50) -> Page:
        """Invoices by number, or those that are to be seen to by their due date. Raises BadCursor or Invalid."""
        if asked.state and asked.state not in list(ReceivableState):
            raise Invalid({"query.state": f"one of {', '.join(ReceivableState)}"})
        if caller.is_blind:
            return Page([])
        today = self._clock()[:10]
        query = _with_deal(_DEALS.c.updated_at).where(visible(caller.scope), *asked.conditions(today))
        async with self._database.read() as connection:
            page = await read_page(connection, query, asked.order, cursor, limit)
        await self._reads.many(caller, "invoices", "invoices", len(page.rows))
        return Page([_invoice(row, _day_of(row, today)) for row in page.rows], page.next_cursor)

    async def invoice(self, caller: Caller, number: str, as_of: str = "") -> views.Plain:
        """One invoice with its lines, what was booked on it and how it is collected; interest until the day `as_of`
        (ISO date; empty: today), as it was known at the end of that day. Raises NoSuch or Invalid."""
        _check_day(as_of)
        query = _with_deal(_DEALS.c.updated_at, _DEALS.c.snapshot)
        query = query.where(_INVOICES.c.number == number, visible(caller.scope))
        booked = select(_ENTRIES).where(_ENTRIES.c.invoice == number).order_by(_ENTRIES.c.id)
        async with self._database.read() as connection:
            row = None if caller.is_blind else (await connection.execute(query)).mappings().one_or_none()
            if row is None:
                raise NoSuch("invoice", number)
            lines = await connection.scalar(select(_BOOKED.c.lines).where(_BOOKED.c.number == number))
            entries = [dict(entry) for entry in (await connection.execute(booked)).mappings()]
            letters = await letters_about(connection, row["deal_id"], number)
            group_hold = await _group_hold(connection, row["deal_id"], number)
        await self._reads.deal_of(caller, row["deal_id"], f"invoice {number}")
        today = _day_of(row, self._clock()[:10])
        deal: Deal = codec.decode(Deal, row["snapshot"])
        told = _invoice(row, today) | {
            "lines": [_line(line, row["currency"]) for line in lines or ()],
            "entries": [_entry(entry) for entry in entries],
            "letters": letters,
        }
        owed, policy = deal.receivable(number), await self._books.policies.of(deal.policy_version)
        if owed is None:
            raise NoSuch("invoice", number)
        counted = await self._counted(deal, number, as_of or today)
        hold = {"deal": holds_credit(deal, owed, policy), "group": group_hold}
        return told | collection(deal, owed, policy, counted) | {"credit_hold": hold}

    async def payments(self, caller: Caller, customer: str = "", cursor: str = "", limit: int = 50) -> Page:
        """Payments in the order of booking. Raises BadCursor."""
        if caller.is_blind:
            return Page([])
        query = select(_ENTRIES).join(_DEALS, _DEALS.c.id == _ENTRIES.c.deal_id)
        query = query.where(_ENTRIES.c.kind == "payment", visible(caller.scope))
        query = query.where(_ENTRIES.c.customer_id == customer) if customer else query
        async with self._database.read() as connection:
            page = await read_page(connection, query, [_ENTRIES.c.id], cursor, limit)
        await self._reads.many(caller, "payments", "payments", len(page.rows))
        return Page([_entry(row) for row in page.rows], page.next_cursor)

    async def deal_of_invoice(self, number: str) -> str:
        """The deal that an invoice belongs to; empty when there is no such invoice."""
        async with self._database.read() as connection:
            found = await connection.scalar(select(_INVOICES.c.deal_id).where(_INVOICES.c.number == number))
        return found or ""

    async def _counted(self, deal: Deal, number: str, day: str) -> Counted:
        """The invoice at the end of a day: out of the timeline when the deal has changed since."""
        if day >= deal.updated_at[:10]:
            return Counted(day, deal.receivable(number))
        entries = await self._books.timeline.entries(deal.id, as_of=f"{day}T23:59:59Z")
        return Counted(day, fold(entries).receivable(number) if entries else None)


def _with_deal(*more: ColumnElement[Any]) -> Select[Any]:
    columns: list[Any] = [_INVOICES, _DEALS.c.customer_id, *more]
    return select(*columns).join(_DEALS, _DEALS.c.id == _INVOICES.c.deal_id)


async def _group_hold(connection: AsyncConnection, deal_id: str, number: str) -> views.Plain | None:
    """The hold on the customer's group that an invoice has set, until it is lifted."""
    query = select(_HOLDS.c.group_id, _HOLDS.c.reason, _HOLDS.c.since)
    query = query.where(_HOLDS.c.deal_id == deal_id, _HOLDS.c.invoice == number)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else {"group": row.group_id, "reason": row.reason, "since": row.since}


def _check_day(day: str) -> None:
    """Raises Invalid."""
    try:
        sound = not day or (date.fromisoformat(day).isoformat() == day and _YEARS[0] <= int(day[:4]) <= _YEARS[1])
    except ValueError:
        sound = False
    if not sound:
        raise Invalid({"query.as_of": f"a day looks like 2026-11-21, in the years {_YEARS[0]} to {_YEARS[1]}"})


def _day_of(row: Row, today: str) -> str:
    """Today (ISO date) for a deal: test deals live ahead of it, on the day of their last act at least."""
    return max(today, str(row["updated_at"])[:10])


def _invoice(row: Row, day: str) -> views.Plain:
    same = ("number", "deal_id", "kind", "state", "issued_at", "due_at")
    amounts = {name: money(row[f"{name}_minor"], row["currency"]) for name in _AMOUNTS}
    is_open = row["open_minor"] > 0
    return (
        {name: row[name] for name in same}
        | amounts
        | {
            "customer": row["customer_id"],
            "level": row["state"] if is_open else "",
            "days_late": days_late(row["due_at"], day) if is_open else 0,
            "collectable": money(row["open_minor"] - row["disputed_minor"], row["currency"]),
        }
    )


def _line(line: Row, currency: str) -> views.Plain:
    told = {name: line[name] for name in ("line", "article", "quantity")}
    amounts = {name: money(line[f"{name}_minor"], currency) for name in ("net", "tax")}
    return told | amounts


def _entry(row: Row) -> views.Plain:
    told = {name: row[name] for name in ("id", "invoice", "deal_id", "kind", "number", "reference", "at")}
    amounts = {name: money(row[f"{name}_minor"], row["currency"]) for name in ("amount", "unapplied")}
    return told | amounts | {"customer": row["customer_id"]}
