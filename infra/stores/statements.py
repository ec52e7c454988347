"""What statements of account are made of: who is to get one, and how accounts stood at the end of a month."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, case, cast, func, or_, select

from infra.db import table_of
from models.reconciliation import Statement, StatementLine, bounds
from models.tables.money_books import InvoiceRow, LedgerEntryRow
from models.tables.projection import DealRow

_INVOICES, _ENTRIES, _DEALS = table_of(InvoiceRow), table_of(LedgerEntryRow), table_of(DealRow)

Account = tuple[str, str]
"""A customer and a currency."""


def customers_after(connection: Connection, after: str, test_deals: bool, limit: int) -> list[str]:
    """The next customers whom an invoice was ever issued to, by id."""
    i = _INVOICES.c
    query = select(i.customer_id).distinct().join(_DEALS, _DEALS.c.id == i.deal_id)
    query = query.where(i.customer_id > after, _DEALS.c.is_test.is_(test_deals))
    return list(connection.execute(query.order_by(i.customer_id).limit(limit)).scalars())


def statements(connection: Connection, customers: Sequence[str], month: str, test_deals: bool) -> list[Statement]:
    """How the customers' accounts stood at the month's end; of those only on which something was open or had moved.

    An account is all invoices of one currency that were issued until then, less what was booked on them until then.
    """
    lines, moved = _lines(connection, customers, month, test_deals)
    credits = dict[Account, int]()
    start, end = bounds(month)
    for row in connection.execute(_credits(customers, start, end, test_deals)):
        account = (row.customer_id, row.currency)
        credits[account] = row.credit
        if row.last_at >= start:
            moved.add(account)
    accounts = {*lines, *moved, *(account for account, credit in credits.items() if credit)}
    return [
        Statement(*account, month, tuple(lines.get(account, ())), credits.get(account, 0))
        for account in sorted(accounts)
    ]


def test_deal_of(connection: Connection, customer: str) -> str:
    """A test deal of the customer, which its rehearsed letters are filed under so that they are never sent."""
    query = select(func.min(_INVOICES.c.deal_id)).join(_DEALS, _DEALS.c.id == _INVOICES.c.deal_id)
    query = query.where(_INVOICES.c.customer_id == customer, _DEALS.c.is_test.is_(True))
    return connection.execute(query).scalar_one() or ""


test_deal_of.__test__ = False  # type: ignore[attr-defined]  # not a test, wherever it is imported


def _lines(
    connection: Connection, customers: Sequence[str], month: str, test_deals: bool
) -> tuple[dict[Account, list[StatementLine]], set[Account]]:
    """The open invoices of each account by due date, and the accounts on which an invoice was issued in the month."""
    start, end = bounds(month)
    lines, moved = defaultdict[Account, list[StatementLine]](list), set[Account]()
    for row in connection.execute(_invoices(customers, start, end, test_deals)):
        account = (row.customer_id, row.currency)
        if row.issued_at >= start:
            moved.add(account)
        if still_open := row.total_minor - row.booked:
            days = (row.issued_at[:10], row.due_at[:10])
            lines[account].append(StatementLine(row.number, row.deal_id, *days, row.total_minor, still_open))
    return lines, moved


def _invoices(customers: Sequence[str], start: str, end: str, test_deals: bool) -> Select[Any]:
    """Invoices issued before `end`, with what was booked on them before it; without those that were settled before
    `start` and have not been touched since."""
    i, e = _INVOICES.c, _ENTRIES.c
    until = select(e.invoice, _sum(e.amount_minor).label("booked")).where(e.customer_id.in_(customers), e.at < end)
    booked = until.group_by(e.invoice).subquery()
    told = (i.customer_id, i.currency, i.number, i.deal_id, i.issued_at, i.due_at, i.total_minor)
    return (
        select(*told, func.coalesce(booked.c.booked, 0).label("booked"))
        .join(_DEALS, _DEALS.c.id == i.deal_id)
        .outerjoin(booked, booked.c.invoice == i.number)
        .where(
            i.customer_id.in_(customers),
            i.issued_at < end,
            or_(i.settled_at == "", i.settled_at >= start),
            _DEALS.c.is_test.is_(test_deals),
        )
        .order_by(i.due_at, i.number)
    )


def _credits(customers: Sequence[str], start: str, end: str, test_deals: bool) -> Select[Any]:
    """What each account had beyond its invoices before `end`, and when something was booked on it last."""
    e = _ENTRIES.c
    return (
        select(e.customer_id, e.currency, _sum(e.unapplied_minor).label("credit"), func.max(e.at).label("last_at"))
        .join(_DEALS, _DEALS.c.id == e.deal_id)
        .where(e.customer_id.in_(customers), e.at < end, _DEALS.c.is_test.is_(test_deals))
        .group_by(e.customer_id, e.currency)
    )


def _sum(column: ColumnElement[int]) -> ColumnElement[int]:
    """A sum in which reversals take back what payments brought; PostgreSQL's sum of bigints is numeric."""
    return cast(func.sum(case((_ENTRIES.c.kind == "reversal", -column), else_=column)), BigInteger)
