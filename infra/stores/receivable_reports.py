"""Reads what reports on receivables are made of: invoices of the ledger with their movements, disputes and promises.

Rows are streamed in one pass, invoice by invoice; only what is disputed, promised, back-dated or summed up is held in
memory.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, cast, func, literal, or_, select

from infra.db import Database, table_of
from infra.stores.deals import visible
from infra.stores.value_days import NOTHING_NEW, News, brought_after, later_news
from models.expected_cash import ExpectedCash, expected_cash
from models.receivable_accounts import Account, Frozen, Invoiced, Movement, Promised
from models.receivable_reports import (
    Aged,
    Lateness,
    Sold,
    Turnover,
    ageing,
    first_day,
    histories,
    lateness,
    median_days,
    turnover,
)
from models.tables.money_books import InvoiceRow, LedgerEntryRow
from models.tables.projection import DealDisputeRow, DealInvoiceRow, DealPromiseRow, DealRow, DealRungRow
from models.visibility import Scope

_INVOICES, _ENTRIES, _SHOWN = table_of(InvoiceRow), table_of(LedgerEntryRow), table_of(DealInvoiceRow)
_DEALS, _DISPUTES = table_of(DealRow), table_of(DealDisputeRow)
_PROMISES, _RUNGS = table_of(DealPromiseRow), table_of(DealRungRow)

LEGAL_RUNG = "hand_to_legal"
"""The rung of the ladder with which an invoice goes to legal."""

_BATCH = 5_000
_OF_INVOICE = len(Invoiced._fields)


@dataclass(frozen=True, slots=True)
class AsOf:
    """What a report is about: receivables at the end of a day (ISO date, UTC) that a caller sees, of one currency or
    customer if asked; test deals count only when asked for.

    Without `known_at` (an instant) it is what was known at the end of the day, each booking on its own day. With it,
    bookings until then count on their value days.
    """

    day: str
    scope: Scope
    currency: str = ""
    customer: str = ""
    test_deals: bool = False
    known_at: str = ""

    @property
    def end(self) -> str:
        """Instants of the day and of all days before it come before this text."""
        return (date.fromisoformat(self.day) + timedelta(days=1)).isoformat()


class ReceivableReportStore:
    """Reports on receivables as of any day. Each sees all its tables at one moment."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ageing(self, asked: AsOf) -> list[Aged]:
        """What was open by how late it was, per currency and customer."""
        return await self._database.look(
            lambda connection: ageing(_accounts(connection, asked, asked.end, disputes=True), asked.day)
        )

    async def turnover(self, asked: AsOf, days: int) -> list[Turnover]:
        """Receivables and sales of the period of `days` days that ends with the day, per currency."""
        first = first_day(asked.day, days)
        return await self._database.look(
            lambda connection: turnover(_accounts(connection, asked, first), _sales(connection, asked), asked.day, days)
        )

    async def expected_cash(self, asked: AsOf, weeks: int, usual: int) -> list[ExpectedCash]:
        """What is expected per ISO week; `usual` are the days late of customers who never paid before."""

        def work(connection: Connection) -> list[ExpectedCash]:
            past = histories(_accounts(connection, asked), asked.day)
            habits = {customer: median_days(counts) for customer, counts in past.items()}
            owed = _accounts(connection, asked, asked.end, disputes=True, outlook=True)
            return expected_cash(owed, asked.day, weeks, habits, usual)

        return await self._database.look(work)

    async def lateness(self, asked: AsOf) -> tuple[list[Lateness], Mapping[str, int]]:
        """Days late of all customers and of each, and how many invoices had reached which rung of the ladder."""

        def work(connection: Connection) -> tuple[list[Lateness], Mapping[str, int]]:
            past = histories(_accounts(connection, asked), asked.day)
            return lateness(past), _rungs(connection, asked)

        return await self._database.look(work)


def _accounts(
    connection: Connection, asked: AsOf, unsettled_at: str = "", *, disputes: bool = False, outlook: bool = False
) -> Iterator[Account]:
    """Invoices that were issued until the day with what was booked on them until then; without those that were
    settled before `unsettled_at`, if given. `outlook` adds promises, plans and legal."""
    frozen = _frozen(connection, asked) if disputes else {}
    promised = _promised(connection, asked) if outlook else {}
    news = later_news(connection, asked.known_at) if asked.known_at else NOTHING_NEW
    query = _with_entries(asked, outlook).where(_INVOICES.c.issued_at < asked.end)
    if unsettled_at:
        query = query.where(or_(_INVOICES.c.settled_at == "", _INVOICES.c.settled_at >= unsettled_at))
    rows = connection.execute(query.execution_options(yield_per=_BATCH))
    for number, group in groupby(rows, itemgetter(0)):
        together = list(group)
        first = together[0]
        if number in news.not_yet:
            continue
        yield Account(
            Invoiced(*first[:_OF_INVOICE]),
            [_movement(news, row) for row in together] if first[_OF_INVOICE] else (),
            frozen.get(number, ()),
            promised.get(number, ()),
            first[-1] or "",
        )


def _movement(news: News, row: Any) -> Movement:
    at, kind, amount, key = row[_OF_INVOICE:-1]
    return Movement(news.counts_from(key, at), kind, amount)


def _with_entries(asked: AsOf, outlook: bool) -> Select[Any]:
    """Invoice, entry (or nothing) and the instant of legal, the entries of an invoice one after the other."""
    i, e, r = _INVOICES.c, _ENTRIES.c, _RUNGS.c
    invoice = (i.number, i.deal_id, i.customer_id, i.kind, i.currency, i.issued_at, i.due_at, i.total_minor)
    entry = (e.at, e.kind, e.amount_minor, e.effect_key)
    query = _in_scope(select(*invoice, *entry, r.at if outlook else literal("").label("legal_at")), asked)
    known = e.at <= asked.known_at if asked.known_at else e.at < asked.end
    query = query.outerjoin(_ENTRIES, and_(e.invoice == i.number, known))
    if outlook:
        rung = and_(r.deal_id == i.deal_id, r.invoice == i.number, r.rung == LEGAL_RUNG, r.at < asked.end)
        query = query.outerjoin(_RUNGS, rung)
    return query.order_by(i.number, e.id)


def _in_scope(query: Select[Any], asked: AsOf) -> Select[Any]:
    """Invoices that the caller sees; one that its deal does not know yet belongs to nobody."""
    i, shown = _INVOICES.c, _SHOWN.c
    query = query.join_from(_INVOICES, _SHOWN, and_(shown.deal_id == i.deal_id, shown.number == i.number))
    if asked.scope.kind != "all":
        query = query.join(_DEALS, _DEALS.c.id == i.deal_id).where(visible(asked.scope))
    conditions: list[ColumnElement[bool]] = [] if asked.test_deals else [shown.is_test.is_(False)]
    if asked.currency:
        conditions.append(i.currency == asked.currency)
    if asked.customer:
        conditions.append(i.customer_id == asked.customer)
    return query.where(*conditions)


def _sales(connection: Connection, asked: AsOf) -> list[Sold]:
    day = func.substr(_INVOICES.c.issued_at, 1, 10)
    total = cast(func.sum(_INVOICES.c.total_minor), BigInteger)
    query = _in_scope(select(_INVOICES.c.currency, day, total), asked)
    if asked.known_at:
        query = query.where(_INVOICES.c.number.not_in(brought_after(asked.known_at)))
    query = query.where(_INVOICES.c.issued_at < asked.end).group_by(_INVOICES.c.currency, day)
    return [Sold(*row) for row in connection.execute(query)]


def _frozen(connection: Connection, asked: AsOf) -> dict[str, list[Frozen]]:
    """Disputes that lasted at the end of the day, by invoice."""
    d = _DISPUTES.c
    query = select(d.invoice, d.raised_at, d.ended_at, d.amount_minor).where(
        d.raised_at < asked.end, or_(d.ended_at == "", d.ended_at >= asked.end)
    )
    found: dict[str, list[Frozen]] = {}
    for invoice, since, until, amount in connection.execute(query):
        found.setdefault(invoice, []).append(Frozen(since, until, amount))
    return found


def _promised(connection: Connection, asked: AsOf) -> dict[str, list[Promised]]:
    """Promises and instalments that ran at the end of the day, by invoice."""
    p = _PROMISES.c
    query = select(p.invoice, p.kind, p.number, p.part, p.amount_minor, p.made_at, p.until, p.ended_at).where(
        p.made_at < asked.end, or_(p.ended_at == "", p.ended_at >= asked.end)
    )
    found: dict[str, list[Promised]] = {}
    for row in connection.execute(query):
        found.setdefault(row[0], []).append(Promised(*row[1:]))
    return found


def _rungs(connection: Connection, asked: AsOf) -> Mapping[str, int]:
    """How many invoices had reached which rung by the end of the day."""
    r, i = _RUNGS.c, _INVOICES.c
    query = select(r.rung, func.count().label("invoices")).where(r.at < asked.end)
    if not asked.test_deals:
        query = query.where(r.is_test.is_(False))
    if asked.scope.kind != "all":
        query = query.join(_DEALS, _DEALS.c.id == r.deal_id).where(visible(asked.scope))
    if asked.currency or asked.customer:
        query = query.join(_INVOICES, i.number == r.invoice)
        query = query.where(i.currency == asked.currency) if asked.currency else query
        query = query.where(i.customer_id == asked.customer) if asked.customer else query
    return {row.rung: row.invoices for row in connection.execute(query.group_by(r.rung))}
