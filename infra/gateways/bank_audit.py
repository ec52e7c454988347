"""The audit of the bank's books: statements add up, every cent of every entry is booked once, and the ledger has it."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import BigInteger, Connection, and_, case, cast, func, or_, select

from infra.db import table_of
from infra.gateways.difference import Difference
from models.money import show
from models.tables.bank import BankAllocationRow, BankEntryRow, BankStatementEntryRow, BankStatementRow
from models.tables.money_books import LedgerEntryRow
from models.tables.projection import DealRow

_STATEMENTS, _LINES = table_of(BankStatementRow), table_of(BankStatementEntryRow)
_ENTRIES, _PARTS = table_of(BankEntryRow), table_of(BankAllocationRow)
_LEDGER, _DEALS = table_of(LedgerEntryRow), table_of(DealRow)

_PREFIX = "bank:"
"""What the references of our bookings begin with."""


def _sum(value: Any) -> Any:
    # PostgreSQL's sum of bigints is numeric
    return cast(func.coalesce(func.sum(value), 0), BigInteger)


def statements_add_up(connection: Connection) -> Iterator[Difference]:
    """Opening + entries = closing, and no line is missing, of every statement that was imported."""
    counted = (_sum(_ENTRIES.c.amount_minor).label("moved"), func.count(_ENTRIES.c.id).label("lines"))
    names = ("id", "opening_minor", "closing_minor", "entries")
    query = select(*(_STATEMENTS.c[name] for name in names), *counted)
    query = query.outerjoin(_LINES, _LINES.c.statement_id == _STATEMENTS.c.id)
    query = query.outerjoin(_ENTRIES, _ENTRIES.c.id == _LINES.c.entry_id).where(_STATEMENTS.c.state == "imported")
    for row in connection.execute(query.group_by(_STATEMENTS.c.id).order_by(_STATEMENTS.c.id)):
        where = f"bank statement {row.id}"
        if row.opening_minor + row.moved != row.closing_minor:
            yield Difference(where, "closing balance", row.opening_minor + row.moved, row.closing_minor)
        if row.lines != row.entries:
            yield Difference(where, "number of entries", row.lines, row.entries)


def entries_are_booked_once(connection: Connection) -> Iterator[Difference]:
    """The parts of an entry that are booked are all of it, or it waits or was set aside, with a reason."""
    amount = _PARTS.c.applied_minor + _PARTS.c.excess_minor
    booked = _sum(case((_PARTS.c.state == "booked", amount), else_=0)).label("booked")
    planned = _sum(case((_PARTS.c.state != "refused", amount), else_=0)).label("planned")
    parts = select(_PARTS.c.entry_id, booked, planned).group_by(_PARTS.c.entry_id).subquery()
    done, meant = func.coalesce(parts.c.booked, 0), func.coalesce(parts.c.planned, 0)
    query = select(_ENTRIES.c.id, _ENTRIES.c.state, _ENTRIES.c.amount_minor, done.label("done"), meant.label("meant"))
    query = query.outerjoin(parts, parts.c.entry_id == _ENTRIES.c.id)
    off = or_(
        and_(_ENTRIES.c.state == "booked", or_(done != _ENTRIES.c.amount_minor, meant != done)),
        and_(_ENTRIES.c.state == "matched", meant != _ENTRIES.c.amount_minor),
        and_(_ENTRIES.c.state == "received", meant != 0),
        func.abs(meant) > func.abs(_ENTRIES.c.amount_minor),
    )
    for row in connection.execute(query.where(off).order_by(_ENTRIES.c.id)):
        found = row.done if row.state == "booked" else row.meant
        yield Difference(f"bank entry {row.id} ({row.state})", "booked amount", row.amount_minor, found)
    silent = _ENTRIES.c.state.in_(("waiting", "ignored")), _ENTRIES.c.reason == ""
    for number in connection.scalars(select(_ENTRIES.c.id).where(*silent).order_by(_ENTRIES.c.id)):
        yield Difference(f"bank entry {number}", "reason why nothing is booked", 1, 0)


def ledger_has_them(connection: Connection) -> Iterator[Difference]:
    """Every booked part stands in the ledger once, under its key and with its amount; and nothing else names one."""
    amount = _LEDGER.c.amount_minor + _LEDGER.c.unapplied_minor
    signed = case((_LEDGER.c.kind == "reversal", -amount), else_=amount)
    named = _LEDGER.c.reference.startswith(_PREFIX, autoescape=True)
    there = select(_LEDGER.c.reference, _LEDGER.c.invoice, func.count().label("times"), _sum(signed).label("amount"))
    there = there.where(named, _LEDGER.c.kind.in_(("payment", "reversal")))
    ours = there.group_by(_LEDGER.c.reference, _LEDGER.c.invoice).subquery()
    here = and_(ours.c.reference == _PARTS.c.key, ours.c.invoice == _PARTS.c.invoice)
    total = _PARTS.c.applied_minor + _PARTS.c.excess_minor
    times = func.coalesce(ours.c.times, 0)
    query = select(_PARTS.c.key, total.label("total"), times.label("times"), ours.c.amount).outerjoin(ours, here)
    # a deal that waits for its ledger has told it nothing yet
    query = query.outerjoin(_DEALS, _DEALS.c.id == _PARTS.c.deal_id)
    at_rest = or_(_DEALS.c.pending_effects == 0, _DEALS.c.pending_effects.is_(None))
    wrong = or_(times != 1, ours.c.amount != total)
    for row in connection.execute(query.where(_PARTS.c.state == "booked", at_rest, wrong).order_by(_PARTS.c.key)):
        if row.times != 1:
            yield Difference(f"part {row.key}", "number of bookings in the ledger", 1, row.times)
        else:
            yield Difference(f"part {row.key}", "amount in the ledger", row.total, row.amount)
    nobodys = select(ours.c.reference, ours.c.invoice).outerjoin(_PARTS, here)
    nobodys = nobodys.where(or_(_PARTS.c.key.is_(None), _PARTS.c.state == "refused"))
    for reference, invoice in connection.execute(nobodys.order_by(ours.c.reference, ours.c.invoice)):
        yield Difference(f"booking {reference} on invoice {invoice}", "part of a bank entry", 1, 0)


def statements_connect(connection: Connection) -> Iterator[str]:
    """Where a statement does not begin with what another one ended with: something in between was never imported."""
    names = ("id", "account", "currency", "opened_on", "closed_on", "opening_minor", "closing_minor")
    query = select(*(_STATEMENTS.c[name] for name in names)).where(_STATEMENTS.c.state == "imported")
    query = query.order_by(_STATEMENTS.c.account, _STATEMENTS.c.currency, _STATEMENTS.c.opened_on, _STATEMENTS.c.id)
    for _, group in groupby(connection.execute(query), lambda row: (row.account, row.currency)):
        yield from _gaps(list(group))


def _gaps(rows: list[Any]) -> Iterator[str]:
    """Of one account, in the order of their days. The first has nothing before it, and one that lies within another is
    that one's."""
    first = min((row.opened_on for row in rows), default="")
    ends: dict[int, str] = {}
    longest = ("", "")
    for row in rows:
        ends[row.closing_minor] = min(ends.get(row.closing_minor, row.closed_on), row.closed_on)
    for row in rows:
        is_within = longest[0] <= row.opened_on and row.closed_on <= longest[1]
        if row.closed_on > longest[1]:
            longest = (row.opened_on, row.closed_on)
        is_first = row.opened_on == first
        if is_first or is_within or ends.get(row.opening_minor, "9") <= row.closed_on:
            continue
        begins = show(row.opening_minor, row.currency)
        yield f"bank statement {row.id} begins on {row.opened_on} with {begins}: no statement before it ends so"


CHECKS = (statements_add_up, entries_are_booked_once, ledger_has_them)
"""What `money verify` checks of the bank's books."""

WARNINGS = (statements_connect,)
"""What a person should look at although no cent of ours is wrong."""
