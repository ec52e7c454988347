"""The audit of all money: what was invoiced is paid, credited, written off or open; books and deals agree to the cent.

Checks run on one connection, so that all of them see the same moment. Those of the bank's entries are in
infra/gateways/bank_audit.py.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, case, cast, func, literal, or_, select, union_all

from infra.db import Database, table_of
from infra.gateways import bank_audit
from infra.gateways.difference import Difference
from infra.gateways.ledger_reading import LedgerReader
from models.receivable_accounts import PAID
from models.tables.money_books import InvoiceRow, LedgerEntryRow
from models.tables.projection import DealInvoiceRow, DealRow

_INVOICES, _ENTRIES = table_of(InvoiceRow), table_of(LedgerEntryRow)
_SHOWN, _DEALS = table_of(DealInvoiceRow), table_of(DealRow)

Check = Callable[[Connection], Iterable[Difference]]
"""Looks at the books and says where two counts of the same money disagree."""

AMOUNTS = ("total", "paid", "credited", "written_off", "open")
"""What ledger and deal both know of an invoice: total = paid + credited + written off + open."""


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """All invoices of one currency in minor units; payments that went back are off `paid_minor`,
    credit that was set off is in `credited_minor`."""

    currency: str
    invoiced_minor: int
    paid_minor: int
    credited_minor: int
    written_off_minor: int
    open_minor: int

    @property
    def difference_minor(self) -> int:
        """invoiced - paid - credited - written off - open: 0 when no cent is lost."""
        settled = self.paid_minor + self.credited_minor + self.written_off_minor
        return self.invoiced_minor - settled - self.open_minor


@dataclass(frozen=True, slots=True)
class MoneyVerdict:
    """Totals per currency, and every place where the books of money disagree; `warnings` are no cents of ours: a
    statement that is missing."""

    currencies: tuple[CurrencyTotal, ...]
    differences: tuple[Difference, ...]
    warnings: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether not a cent is missing or booked twice."""
        return not self.differences


class MoneyAudit:
    """Verifies the whole ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def verify(self) -> MoneyVerdict:
        """Everything that `CHECKS` and the ledger's own audit (open amounts, gaps in number series) find."""
        totals, found, warnings = await self._database.look(_verified)
        own = await LedgerReader(self._database).verify()
        return MoneyVerdict(tuple(totals), (*own, *found), tuple(warnings))


def _verified(connection: Connection) -> tuple[list[CurrencyTotal], list[Difference], list[str]]:
    warnings = [told for check in bank_audit.WARNINGS for told in check(connection)]
    return totals(connection), [found for check in CHECKS for found in check(connection)], warnings


def totals(connection: Connection) -> list[CurrencyTotal]:
    """The sums of the ledger per currency."""
    sums: dict[str, dict[str, int]] = {}
    for currency, kind, amount in connection.execute(_SUMS):
        sums.setdefault(currency, {})[kind] = amount
    return [
        CurrencyTotal(
            currency,
            invoiced_minor=parts.get("invoiced", 0),
            paid_minor=parts.get("payment", 0) - parts.get("reversal", 0),
            credited_minor=parts.get("credit_note", 0) + parts.get("set_off", 0),
            written_off_minor=parts.get("write_off", 0),
            open_minor=parts.get("open", 0),
        )
        for currency, parts in sorted(sums.items())
    ]


def currencies_add_up(connection: Connection) -> Iterator[Difference]:
    """Per currency, what is open is what was invoiced less all that was paid, credited and written off."""
    for total in totals(connection):
        if total.difference_minor:
            expected = total.open_minor + total.difference_minor
            yield Difference(f"currency {total.currency}", "open amount", expected, total.open_minor)


def bookings_fit_their_invoice(connection: Connection) -> Iterator[Difference]:
    """Every booking is in the currency and on the deal of its invoice; counted per invoice."""
    i, e = _INVOICES.c, _ENTRIES.c
    wrong = or_(e.currency != i.currency, e.deal_id != i.deal_id, e.customer_id != i.customer_id)
    query = select(i.number, func.count()).join(_ENTRIES, e.invoice == i.number).where(wrong)
    for number, count in connection.execute(query.group_by(i.number).order_by(i.number)):
        yield Difference(f"invoice {number}", "bookings in another currency or of another deal", 0, count)


def deals_agree(connection: Connection) -> Iterator[Difference]:
    """Every deal that waits for no booking knows its invoices as the ledger does: each amount, none more, none less."""
    for row in connection.execute(_TOLD_WRONG).mappings():
        where = f"invoice {row['number']} of deal {row['deal_id']}"
        if row["told"] is None:
            yield Difference(where, "entry in the deal", 1, 0)
            continue
        for name in (*AMOUNTS, "unapplied"):
            expected, found = row[f"ledger_{name}"], row[f"deal_{name}"]
            if expected != found:
                yield Difference(where, f"{name.replace('_', ' ')} amount in the deal", expected, found)
    for number, deal_id in connection.execute(_NOWHERE):
        yield Difference(f"invoice {number} of deal {deal_id}", "entry in the ledger", 1, 0)


CHECKS: list[Check] = [currencies_add_up, bookings_fit_their_invoice, deals_agree, *bank_audit.CHECKS]
"""All that is checked beside the ledger's own audit."""


def _sum(value: Any) -> Any:
    # PostgreSQL's sum of bigints is numeric
    return cast(func.coalesce(func.sum(value), 0), BigInteger)


def _signed(column: ColumnElement[int], signs: Mapping[str, int]) -> Any:
    """The sum of the bookings of some kinds, each with its sign."""
    return _sum(case(*((_ENTRIES.c.kind == kind, sign * column) for kind, sign in signs.items()), else_=0))


def _of_currency(kind: str, amount: ColumnElement[int]) -> Any:
    return select(_INVOICES.c.currency, literal(kind), _sum(amount)).group_by(_INVOICES.c.currency)


_SUMS = union_all(
    _of_currency("invoiced", _INVOICES.c.total_minor),
    _of_currency("open", _INVOICES.c.open_minor),
    select(_ENTRIES.c.currency, _ENTRIES.c.kind, _sum(_ENTRIES.c.amount_minor)).group_by(
        _ENTRIES.c.currency, _ENTRIES.c.kind
    ),
)

_KINDS: Mapping[str, Mapping[str, int]] = {
    "paid": PAID,
    "credited": {"credit_note": 1, "set_off": 1},
    "written_off": {"write_off": 1},
}
_CREDIT = {"payment": 1, "credit_note": 1, "reversal": -1, "set_off": -1}
"""What leaves the customer credit, and what uses it or takes it back."""

_BOOKED = (
    select(
        _ENTRIES.c.invoice,
        *(_signed(_ENTRIES.c.amount_minor, signs).label(name) for name, signs in _KINDS.items()),
        _signed(_ENTRIES.c.unapplied_minor, _CREDIT).label("unapplied"),
    )
    .group_by(_ENTRIES.c.invoice)
    .subquery()
)
_LEDGER = {
    "total": _INVOICES.c.total_minor,
    "open": _INVOICES.c.open_minor,
    **{name: func.coalesce(_BOOKED.c[name], 0) for name in (*_KINDS, "unapplied")},
}
_BOTH = and_(_SHOWN.c.deal_id == _INVOICES.c.deal_id, _SHOWN.c.number == _INVOICES.c.number)
# an invoice of a deal that there is none of is looked at, too
_AT_REST = or_(_DEALS.c.pending_effects == 0, _DEALS.c.pending_effects.is_(None))


_PAIRS = [(name, amount, _SHOWN.c[f"{name}_minor"]) for name, amount in _LEDGER.items()]
_TOLD_WRONG = (
    select(
        _INVOICES.c.number,
        _INVOICES.c.deal_id,
        _SHOWN.c.number.label("told"),
        *(amount.label(f"ledger_{name}") for name, amount, _ in _PAIRS),
        *(shown.label(f"deal_{name}") for name, _, shown in _PAIRS),
    )
    .outerjoin(_SHOWN, _BOTH)
    .outerjoin(_BOOKED, _BOOKED.c.invoice == _INVOICES.c.number)
    .outerjoin(_DEALS, _DEALS.c.id == _INVOICES.c.deal_id)
    .where(_AT_REST, or_(_SHOWN.c.number.is_(None), *(shown != amount for _, amount, shown in _PAIRS)))
    .order_by(_INVOICES.c.number)
)
_NOWHERE = (
    select(_SHOWN.c.number, _SHOWN.c.deal_id)
    .outerjoin(_INVOICES, _BOTH)
    .outerjoin(_DEALS, _DEALS.c.id == _SHOWN.c.deal_id)
    .where(_AT_REST, _INVOICES.c.number.is_(None))
    .order_by(_SHOWN.c.number, _SHOWN.c.deal_id)
)
