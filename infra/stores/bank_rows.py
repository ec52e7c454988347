"""Bank entries as values and as rows, and the turn that writers of the bank's books take."""

from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, func, select, update

from infra.db import insert_into, table_of
from infra.stores.pages import Row
from models.banking.identity import Imported
from models.banking.matching_values import Allocation
from models.banking.statement import BankEntry
from models.tables.bank import BankAllocationRow, BankEntryRow, BankHeadRow

ENTRIES, ALLOCATIONS, HEAD = table_of(BankEntryRow), table_of(BankAllocationRow), table_of(BankHeadRow)

RECEIVED, MATCHED, BOOKED, WAITING, IGNORED = "received", "matched", "booked", "waiting", "ignored"
STATES = (RECEIVED, MATCHED, BOOKED, WAITING, IGNORED)
"""What an entry may be; see models/tables/bank.py."""

PLANNED, REFUSED = "planned", "refused"
"""What a part of an entry may be, besides booked."""

_TOLD = tuple(field.name for field in fields(BankEntry) if field.name != "index")
_LENGTHS = {
    name: length
    for name in _TOLD
    if (length := getattr(ENTRIES.c[name].type, "length", None)) and name not in ("currency", "booked_on", "valued_on")
}
_SEEN = tuple(field.name for field in fields(Imported) if field.name != "day")


def told_of(entry: BankEntry) -> Row:
    """What the bank said, as the table keeps it: nothing is longer than its column."""
    row = {name: getattr(entry, name) for name in _TOLD}
    return row | {name: row[name][:length] for name, length in _LENGTHS.items()}


def entry_of(row: Any) -> BankEntry:
    """The entry that a row holds."""
    return BankEntry(row["number"], **{name: row[name] for name in _TOLD})


def imported_of(row: Any, source: str = "") -> Imported:
    """What tells the entry of a row from others."""
    told = {name: row[name] for name in _SEEN if name != "source"}
    return Imported(row["booked_on"], **told, source=source or row["source"])


SEEN_COLUMNS = [ENTRIES.c.id, ENTRIES.c.booked_on, *(ENTRIES.c[name] for name in _SEEN)]
"""What `imported_of` reads."""


def allocation_of(row: Any) -> Allocation:
    """The part that a row holds."""
    return Allocation(**{field.name: row[field.name] for field in fields(Allocation)})


def key_of(entry_id: int, number: int) -> str:
    """The idempotency key of a part, which is also its reference in the deal and in the ledger."""
    return f"bank:{entry_id}:{number}"


def lock_imports(connection: Connection) -> int:
    """Wait until no other import writes, here or in another process, and answer the turn of matching."""
    connection.execute(insert_into(connection.dialect.name, BankHeadRow).on_conflict_do_nothing(), {"id": 1, "turn": 0})
    return int(connection.scalar(select(HEAD.c.turn).where(HEAD.c.id == 1).with_for_update()) or 0)


def turn_of(connection: Connection) -> int:
    """The turn of matching that stands now."""
    return int(connection.scalar(select(HEAD.c.turn).where(HEAD.c.id == 1)) or 0)


def take_turn(connection: Connection, seen: int | None = None) -> bool:
    """Say that what is open has been spoken for; False, and nothing is written, when somebody else has since `seen`."""
    mine = update(HEAD).where(HEAD.c.id == 1).values(turn=HEAD.c.turn + 1).returning(HEAD.c.turn)
    return connection.execute(mine if seen is None else mine.where(HEAD.c.turn == seen)).first() is not None


def plan(
    connection: Connection, entry_id: int, parts: tuple[Allocation, ...], received_on: str, by: str, at: str
) -> list[Row]:
    """The rows of new parts of an entry, after those that it has already."""
    last = select(func.coalesce(func.max(ALLOCATIONS.c.number), 0)).where(ALLOCATIONS.c.entry_id == entry_id)
    first = int(connection.scalar(last) or 0) + 1
    return planned(entry_id, parts, received_on, by, at, first)


def planned(
    entry_id: int, parts: tuple[Allocation, ...], received_on: str, by: str, at: str, first: int = 1
) -> list[Row]:
    """The rows of parts that are numbered from `first`."""
    return [
        {
            "entry_id": entry_id,
            "number": number,
            **{field.name: getattr(part, field.name) for field in fields(Allocation)},
            "received_on": received_on,
            "key": key_of(entry_id, number),
            "state": PLANNED,
            "reason": "",
            "planned_by": by,
            "planned_at": at,
            "settled_at": "",
        }
        for number, part in enumerate(parts, first)
    ]
