"""What matching looks at, read at one moment: entries, open invoices, payers, and payments that may come back."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from infra.db import table_of
from infra.stores.bank_rows import (
    ALLOCATIONS,
    BOOKED,
    ENTRIES,
    MATCHED,
    PLANNED,
    RECEIVED,
    REFUSED,
    allocation_of,
    entry_of,
    turn_of,
)
from infra.stores.pages import Row
from models.banking.matching_values import Allocation, Earlier, Payer
from models.banking.statement import BankEntry
from models.tables.bank import BankPayerRow
from models.tables.masters import CustomerRow
from models.tables.projection import DealInvoiceRow, DealRow
from models.tables.records import TimelineRow

_DEALS, _INVOICES, _CUSTOMERS = table_of(DealRow), table_of(DealInvoiceRow), table_of(CustomerRow)
_PAYERS, _TIMELINE = table_of(BankPayerRow), table_of(TimelineRow)

LOOKED_BACK = timedelta(days=400)
"""How long settled invoices and earlier payments count: a direct debit may come back for thirteen months."""

MOST_AT_ONCE = 10_000
"""Entries that are matched with one book; more take one after the other."""

_MANY = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry that is to be matched, with its id and the currency of its account."""

    id: int
    entry: BankEntry = field(repr=False)
    currency: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that matching needs. `invoices` are rows of deals' invoices with `customer_id`, `policy_version` and
    what is open less what other entries have spoken for (`left_minor`)."""

    turn: int
    entries: list[Waiting]
    invoices: list[Row]
    payers: list[Payer] = field(repr=False)
    earlier: list[Earlier] = field(repr=False)


def load(connection: Connection) -> Desk:
    """The desk as it is now; nothing but the turn when no entry is to be matched."""
    turn = turn_of(connection)
    query = select(ENTRIES).where(ENTRIES.c.state == RECEIVED).order_by(ENTRIES.c.id).limit(MOST_AT_ONCE)
    found = [Waiting(row["id"], entry_of(row), row["account_currency"]) for row in connection.execute(query).mappings()]
    if not found:
        return Desk(turn, [], [], [], [])
    since = (date.fromisoformat(min(one.entry.booked_on for one in found)) - LOOKED_BACK).isoformat()
    earlier = _earlier(connection, [one.entry for one in found], since)
    named = {part.invoice for one in earlier for part in one.allocations}
    return Desk(turn, found, _invoices(connection, since, named), _payers(connection), earlier)


def _invoices(connection: Connection, since: str, named: set[str]) -> list[Row]:
    chosen = or_(_INVOICES.c.open_minor > 0, _INVOICES.c.settled_at >= since)
    rows = {row["number"]: row for row in _invoice_rows(connection, chosen)}
    for some in _batches(sorted(named - rows.keys())):
        rows |= {row["number"]: row for row in _invoice_rows(connection, _INVOICES.c.number.in_(some))}
    spoken_for = _spoken_for(connection)
    for number, row in rows.items():
        left = row["open_minor"] - spoken_for.get(number, 0)
        row["left_minor"] = max(0, min(left, row["total_minor"]))
    return list(rows.values())


def _invoice_rows(connection: Connection, chosen: ColumnElement[bool]) -> Iterator[Row]:
    names = ("number", "deal_id", "kind", "currency", "total_minor", "open_minor", "issued_at", "due_at")
    query = select(*(_INVOICES.c[name] for name in names), _DEALS.c.customer_id, _DEALS.c.policy_version)
    query = query.join(_DEALS, _DEALS.c.id == _INVOICES.c.deal_id).where(chosen)
    return (dict(row) for row in connection.execute(query).mappings())


def _spoken_for(connection: Connection) -> dict[str, int]:
    """What planned parts will lower per invoice. Those that the deal knows already have lowered it, even when nobody
    has written that down yet."""
    told = and_(_TIMELINE.c.deal_id == ALLOCATIONS.c.deal_id, _TIMELINE.c.key == ALLOCATIONS.c.key)
    names = ("invoice", "applied_minor", "charges_minor", "discount_minor")
    query = select(*(ALLOCATIONS.c[name] for name in names)).outerjoin(_TIMELINE, told)
    found: defaultdict[str, int] = defaultdict(int)
    for row in connection.execute(query.where(ALLOCATIONS.c.state == PLANNED, _TIMELINE.c.key.is_(None))):
        found[row.invoice] += row.applied_minor + row.charges_minor + row.discount_minor
    return found


def _payers(connection: Connection) -> list[Payer]:
    learnt: defaultdict[str, list[str]] = defaultdict(list)
    for customer, iban in connection.execute(select(_PAYERS.c.customer, _PAYERS.c.iban)):
        learnt[customer].append(iban)
    cards = connection.execute(select(_CUSTOMERS.c.id, _CUSTOMERS.c.name, _CUSTOMERS.c.iban))
    return [Payer(row.id, (row.name,), tuple(filter(None, (row.iban, *learnt.get(row.id, ()))))) for row in cards]


def _earlier(connection: Connection, entries: list[BankEntry], since: str) -> list[Earlier]:
    """Payments that money which went out may undo, those that were undone already left out."""
    references = {
        reference
        for entry in entries
        if entry.amount_minor < 0
        for reference in (entry.end_to_end[:300], entry.bank_reference[:300])
        if reference
    }
    came: list[Earlier] = []
    went: list[Earlier] = []
    for row, parts in _with_parts(connection, references, since):
        one = Earlier(row["bank_reference"], row["end_to_end"], parts, row["amount_minor"])
        (came if one.amount_minor > 0 else went).append(one)
    for back in went:
        undone = next((one for one in came if _undoes(back, one)), None)
        if undone:
            came.remove(undone)
    return came


def _with_parts(
    connection: Connection, references: set[str], since: str
) -> list[tuple[dict[str, Any], tuple[Allocation, ...]]]:
    """Entries with one of these references that were matched or booked, and their parts, in the order of their ids."""
    rows: dict[int, Row] = {}
    parts: defaultdict[int, list[Allocation]] = defaultdict(list)
    for some in _batches(sorted(references)):
        named = or_(ENTRIES.c.end_to_end.in_(some), ENTRIES.c.bank_reference.in_(some))
        query = select(ENTRIES).where(named, ENTRIES.c.booked_on >= since, ENTRIES.c.state.in_((MATCHED, BOOKED)))
        rows |= {row["id"]: dict(row) for row in connection.execute(query).mappings()}
    for some in _batches(sorted(rows)):
        query = select(ALLOCATIONS).where(ALLOCATIONS.c.entry_id.in_(some), ALLOCATIONS.c.state != REFUSED)
        for row in connection.execute(query.order_by(ALLOCATIONS.c.entry_id, ALLOCATIONS.c.number)).mappings():
            parts[row["entry_id"]].append(allocation_of(row))
    return [(rows[number], tuple(parts[number])) for number in sorted(rows) if number in parts]


def _undoes(back: Earlier, one: Earlier) -> bool:
    references = {back.bank_reference, back.end_to_end} - {""}
    is_named = bool(references & {one.bank_reference, one.end_to_end})
    return is_named and _sums(back.allocations, -1) == _sums(one.allocations, 1)


def _sums(parts: Iterable[Allocation], sign: int) -> dict[str, int]:
    sums: defaultdict[str, int] = defaultdict(int)
    for part in parts:
        sums[part.invoice] += sign * (part.applied_minor + part.excess_minor)
    return dict(sums)


def _batches(values: list[Any]) -> Iterator[list[Any]]:
    """Few enough at once for every driver's limit of parameters."""
    return (values[start : start + _MANY] for start in range(0, len(values), _MANY))
