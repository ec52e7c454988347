"""What the ledger says: invoices and entries page by page, balances, credits, and the audit of its sums."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Executable, case, cast, func, literal, select, union_all

from infra.db import Database
from infra.gateways.difference import Difference
from infra.gateways.ledger_rules import OWN_NUMBER
from models.tables.money_books import InvoiceRow as Invoice
from models.tables.money_books import LedgerEntryRow as Entry

Row = dict[str, Any]

_INVOICE = (
    Invoice.number,
    Invoice.deal_id,
    Invoice.customer_id,
    Invoice.kind,
    Invoice.currency,
    Invoice.total_minor,
    Invoice.open_minor,
    Invoice.issued_at,
    Invoice.due_at,
    Invoice.settled_at,
)
_ENTRY = (
    Entry.id,
    Entry.invoice,
    Entry.deal_id,
    Entry.customer_id,
    Entry.kind,
    Entry.amount_minor,
    Entry.unapplied_minor,
    Entry.currency,
    Entry.reference,
    Entry.at,
    Entry.number,
)


@dataclass(frozen=True, slots=True)
class Balance:
    """All invoices of one currency, in minor units. `paid_minor` are payments less what went back, `credited_minor`
    are credit notes and credit that was set off, `credit_minor` is what customers have with us beyond the invoices."""

    currency: str
    invoiced_minor: int
    paid_minor: int
    credited_minor: int
    written_off_minor: int
    open_minor: int
    credit_minor: int

    @property
    def is_balanced(self) -> bool:
        """Whether invoiced = paid + credited + written off + open."""
        settled = self.paid_minor + self.credited_minor + self.written_off_minor
        return self.invoiced_minor == settled + self.open_minor


class LedgerReader:
    """Reads the ledger. Pages are cut by key: pass the last row's number or id as `after` to go on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def invoices(
        self, customer_id: str = "", deal_id: str = "", is_open: bool | None = None, after: str = "", limit: int = 100
    ) -> list[Row]:
        """Invoices without their lines, by number; of one customer or deal, open or settled ones only, if asked."""
        query = select(*_INVOICE).where(Invoice.number > after).order_by(Invoice.number).limit(limit)
        query = query.where(Invoice.customer_id == customer_id) if customer_id else query
        query = query.where(Invoice.deal_id == deal_id) if deal_id else query
        if is_open is not None:
            query = query.where(Invoice.open_minor > 0 if is_open else Invoice.open_minor == 0)
        return await self._rows(query)

    async def invoice(self, number: str) -> Row | None:
        """One invoice with its lines."""
        rows = await self._rows(select(*_INVOICE, Invoice.lines).where(Invoice.number == number))
        return rows[0] if rows else None

    async def entries(
        self, invoice: str = "", customer_id: str = "", kind: str = "", after: int = 0, limit: int = 100
    ) -> list[Row]:
        """Entries in the order of booking; of one invoice, customer or kind if asked."""
        query = select(*_ENTRY).where(Entry.id > after).order_by(Entry.id).limit(limit)
        query = query.where(Entry.invoice == invoice) if invoice else query
        query = query.where(Entry.customer_id == customer_id) if customer_id else query
        return await self._rows(query.where(Entry.kind == kind) if kind else query)

    async def customer_credit(self, customer_id: str) -> dict[str, int]:
        """What a customer has with us beyond its invoices: currency to minor units."""
        query = select(Entry.currency, _sum(_credit(Entry.unapplied_minor), "credit")).where(
            Entry.customer_id == customer_id
        )
        rows = await self._rows(query.group_by(Entry.currency))
        return {row["currency"]: row["credit"] for row in rows if row["credit"]}

    async def balances(self) -> list[Balance]:
        """One balance per currency."""
        sums: dict[str, dict[str, tuple[int, int]]] = {}
        for row in await self._rows(_SUMS):
            sums.setdefault(row["currency"], {})[row["kind"]] = (row["amount"], row["rest"])
        return [_balance(currency, parts) for currency, parts in sorted(sums.items())]

    async def verify(self) -> list[Difference]:
        """Where an invoice's open amount isn't its total less what was booked on it, more went back than was paid, or a
        series of numbers has a gap."""
        rows = await self._rows(_DISAGREEING)
        found = [
            Difference(f"invoice {row['number']}", "open amount", row["total_minor"] - row["booked"], row["open_minor"])
            for row in rows
        ]
        for row in await self._rows(_GONE_BACK):
            found.append(Difference(f"invoice {row['invoice']}", "paid amount", 0, row["paid"]))
        numbers = [row["number"] for row in await self._rows(_NUMBERS)]
        return [*found, *gaps(numbers)]

    async def _rows(self, query: Executable) -> list[Row]:
        async with self._database.read() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]


def gaps(numbers: Iterable[str]) -> list[Difference]:
    """Where the numbers of a series aren't 1, 2, 3 and so on, each once; those of earlier systems are left alone."""
    series: defaultdict[str, list[int]] = defaultdict(list)
    for number in numbers:
        if own := OWN_NUMBER.fullmatch(number):
            series[own[1]].append(int(own[2]))
    found = []
    for name, places in sorted(series.items()):
        for expected, place in enumerate(sorted(places), start=1):
            if place != expected:
                found.append(Difference(f"series {name}", f"number in place {expected}", expected, place))
                break
    return found


def _signed(column: Any) -> Any:
    """The column with the sign that it counts with: a reversal takes back what payments brought."""
    return case((Entry.kind == "reversal", -column), else_=column)


def _credit(column: Any) -> Any:
    """The unapplied amount with the sign that it counts with: reversals and set-offs use credit."""
    return case((Entry.kind.in_(("reversal", "set_off")), -column), else_=column)


def _sum(column: Any, name: str) -> Any:
    # PostgreSQL's sum of bigints is numeric
    return cast(func.sum(column), BigInteger).label(name)


def _balance(currency: str, parts: dict[str, tuple[int, int]]) -> Balance:
    invoiced, still_open = parts.pop("invoiced", (0, 0))
    return Balance(
        currency=currency,
        invoiced_minor=invoiced,
        paid_minor=parts.get("payment", (0, 0))[0] + parts.get("reversal", (0, 0))[0],
        credited_minor=parts.get("credit_note", (0, 0))[0] + parts.get("set_off", (0, 0))[0],
        written_off_minor=parts.get("write_off", (0, 0))[0],
        open_minor=still_open,
        credit_minor=sum(unapplied for _, unapplied in parts.values()),
    )


# one statement, so that both books are seen at the same moment
_SUMS = select(
    union_all(
        select(
            Invoice.currency,
            literal("invoiced").label("kind"),
            _sum(Invoice.total_minor, "amount"),
            _sum(Invoice.open_minor, "rest"),
        ).group_by(Invoice.currency),
        select(
            Entry.currency,
            Entry.kind,
            _sum(_signed(Entry.amount_minor), "amount"),
            _sum(_credit(Entry.unapplied_minor), "rest"),
        ).group_by(Entry.currency, Entry.kind),
    ).subquery()
)
_APPLIED = select(Entry.invoice, _sum(_signed(Entry.amount_minor), "amount")).group_by(Entry.invoice).subquery()
_BOOKED = func.coalesce(_APPLIED.c.amount, 0)
_DISAGREEING = (
    select(Invoice.number, Invoice.total_minor, Invoice.open_minor, _BOOKED.label("booked"))
    .outerjoin(_APPLIED, _APPLIED.c.invoice == Invoice.number)
    .where(Invoice.total_minor - _BOOKED != Invoice.open_minor)
    .order_by(Invoice.number)
)
_PAID_BACK = _sum(_signed(Entry.amount_minor), "paid")
_GONE_BACK = (
    select(Entry.invoice, _PAID_BACK)
    .where(Entry.kind.in_(("payment", "reversal")))
    .group_by(Entry.invoice)
    .having(func.sum(_signed(Entry.amount_minor)) < 0)
    .order_by(Entry.invoice)
)
_NUMBERS = union_all(select(Invoice.number), select(Entry.number).where(Entry.number != ""))
