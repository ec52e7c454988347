"""The rows of one or more records, written in one transaction with as few statements as there are tables.

This is the hot path of every move: statements are built once per dialect and each runs once for all records.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Insert, bindparam, delete, func, insert, select

from infra.db import insert_into, table_of
from infra.stores.audit_log import Leaf, append_leaves
from models.messages.records import RecordInput, RecordResult
from models.tables.projection import CHILDREN, DealRow
from models.tables.records import CommandRow, OutboxRow, TimelineRow
from models.timeline import GENESIS, Entry

_ENTRY_FIELDS = tuple(f.name for f in fields(Entry))
_ENTRIES = insert(table_of(TimelineRow))
_STANDING = select(TimelineRow.deal_id, TimelineRow.sequence, TimelineRow.hash).where(
    # not pairs: for a list of pairs SQLite reads the whole table instead of its key
    TimelineRow.deal_id.in_(bindparam("deals", expanding=True)),
    TimelineRow.sequence.in_(bindparam("sequences", expanding=True)),
)
_LAST = select(func.coalesce(func.max(TimelineRow.sequence), 0)).where(TimelineRow.deal_id == bindparam("deal"))

Standing = dict[tuple[str, int], str]
"""(deal, sequence) to the hash that stands there."""


class TimelineConflict(Exception):
    """What stands in the timeline contradicts what was to be recorded. Trying again cannot help."""

    def __init__(self, deal_id: str, sequence: int, why: str) -> None:
        super().__init__(f"deal {deal_id}, entry {sequence}: {why}")
        self.deal_id, self.sequence, self.why = deal_id, sequence, why


@dataclass(frozen=True, slots=True)
class _New:
    """What one record adds: the entries that do not stand yet."""

    asked: RecordInput
    entries: tuple[Entry, ...]

    @property
    def changes(self) -> bool:
        """False for a record that was written before, whose projection may be outdated by now."""
        return bool(self.entries) or not self.asked.entries


def write_records(connection: Connection, asked: Sequence[RecordInput]) -> list[RecordResult | TimelineConflict]:
    """Write records of different deals; the answers are in their order. A conflict leaves nothing of its record."""
    standing = _look(connection, asked)
    outcomes: list[RecordResult | TimelineConflict] = []
    new: list[_New] = []
    for one in asked:
        try:
            added = tuple(entry for entry in one.entries if not _stands(entry, standing))
            _follows(added, standing)
        except TimelineConflict as conflict:
            outcomes.append(conflict)
            continue
        new.append(_New(one, added))
        outcomes.append(RecordResult(_last(connection, one)))
    _write_projections(connection, [n for n in new if n.changes])
    _write_answers(connection, new)
    _write_entries(connection, [entry for n in new for entry in n.entries])
    return outcomes


def _look(connection: Connection, asked: Sequence[RecordInput]) -> Standing:
    entries = [entry for one in asked for entry in one.entries]
    if not entries:
        return {}
    numbers = {entry.sequence for entry in entries}
    deals = {entry.deal_id for entry in entries}
    look = {"deals": list(deals), "sequences": list(numbers | {number - 1 for number in numbers})}
    rows = connection.execute(_STANDING, look)
    return {(deal, sequence): standing for deal, sequence, standing in rows}


def _stands(entry: Entry, standing: Standing) -> bool:
    there = standing.get((entry.deal_id, entry.sequence))
    if there is not None and there != entry.hash:
        raise TimelineConflict(entry.deal_id, entry.sequence, "another entry stands here")
    return there is not None


def _follows(entries: tuple[Entry, ...], standing: Standing) -> None:
    """Refuse a gap or a fork: the first new entry must follow the one that stands before it."""
    if not entries:
        return
    first = entries[0]
    before = GENESIS if first.sequence == 1 else standing.get((first.deal_id, first.sequence - 1))
    if before != first.previous_hash:
        raise TimelineConflict(first.deal_id, first.sequence, "does not follow the entry that stands before it")


def _last(connection: Connection, asked: RecordInput) -> int:
    if asked.entries:
        return asked.entries[-1].sequence
    return int(connection.execute(_LAST, {"deal": asked.deal_id}).scalar_one())


def _write_projections(connection: Connection, changed: Sequence[_New]) -> None:
    if not changed:
        return
    connection.execute(_upsert_deal(connection.dialect.name), [n.asked.projection.deal for n in changed])
    for name in CHILDREN:
        deals = [{"deal": n.asked.deal_id} for n in changed if name in n.asked.children_changed]
        if not deals:
            continue
        connection.execute(_forget_children(name), deals)
        rows = [row for n in changed if name in n.asked.children_changed for row in getattr(n.asked.projection, name)]
        if rows:
            connection.execute(_add_children(name), rows)


def _write_answers(connection: Connection, new: Sequence[_New]) -> None:
    rows = [row for n in new for row in _answer_rows(n.asked)]
    if rows:
        connection.execute(_add_answers(connection.dialect.name), rows)


def _answer_rows(asked: RecordInput) -> Iterable[dict[str, Any]]:
    by_key = {entry.key: entry for entry in asked.entries}
    for answer in asked.answers:
        entry = by_key.get(answer.key) or (asked.entries[-1] if asked.entries else None)
        yield {
            "scope": asked.deal_id,
            "key": answer.key,
            "fingerprint": answer.fingerprint,
            "body": answer.body,
            "sequence": entry.sequence if entry else asked.projection.deal["version"],
            "at": entry.at if entry else asked.projection.deal["updated_at"],
        }


def _write_entries(connection: Connection, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    connection.execute(_ENTRIES, [entry_row(entry) for entry in entries])
    connection.execute(_OUTBOX, [_event(entry) for entry in entries])
    append_leaves(connection, [leaf_of(entry) for entry in entries])


def entry_row(entry: Entry) -> dict[str, Any]:
    """An entry as it stands in its table."""
    return {name: getattr(entry, name) for name in _ENTRY_FIELDS}


def leaf_of(entry: Entry) -> Leaf:
    """The audit leaf that attests an entry."""
    return Leaf("act", f"{entry.deal_id}/{entry.sequence}", entry.hash, entry.at)


_OUTBOX = insert(table_of(OutboxRow))


def _event(entry: Entry) -> dict[str, Any]:
    """What the outside world is told: which deal moved how. No names, no prices."""
    return {
        "deal_id": entry.deal_id,
        "sequence": entry.sequence,
        "topic": f"deal.{entry.action}",
        "body": {
            "deal_id": entry.deal_id,
            "sequence": entry.sequence,
            "action": entry.action,
            "state_from": entry.state_from,
            "state_to": entry.state_to,
            "role": entry.role,
        },
        "at": entry.at,
    }


@cache
def _upsert_deal(dialect: str) -> Executable:
    statement = insert_into(dialect, DealRow)
    changes = {name: value for name, value in statement.excluded.items() if name != "id"}
    return statement.on_conflict_do_update(
        index_elements=["id"], set_=changes, where=DealRow.version <= statement.excluded.version
    )


@cache
def _forget_children(name: str) -> Executable:
    table = table_of(CHILDREN[name])
    return delete(table).where(table.c.deal_id == bindparam("deal"))


@cache
def _add_children(name: str) -> Insert:
    return insert(table_of(CHILDREN[name]))


@cache
def _add_answers(dialect: str) -> Executable:
    return insert_into(dialect, CommandRow).on_conflict_do_nothing(index_elements=["scope", "key"])
