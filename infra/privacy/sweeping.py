"""Looks for a person in texts that were written elsewhere: notes of the office are put right, evidence is only told."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, Table, cast, func, or_, select, update

from infra.db import table_of
from models.personal import ERASED, PHONE, Known, each_text, mentions, without
from models.tables.bank import BankAllocationRow, BankEntryRow
from models.tables.control import DeputyRow
from models.tables.masters import CustomerRow
from models.tables.papers import LetterRow
from models.tables.post import AlertRow, CarrierMessageRow
from models.tables.projection import DealRow
from models.tables.reconciliations import ReconciliationItemRow, ReconciliationRow
from models.tables.records import AuditLeafRow, CommandRow, OutboxRow, RefusalRow, TimelineRow

NOTES: tuple[tuple[type[Any], tuple[str, ...]], ...] = (
    (AlertRow, ("text",)),
    (BankAllocationRow, ("reason",)),
    (BankEntryRow, ("reason",)),
    (CarrierMessageRow, ("body", "reason")),
    (CommandRow, ("body",)),
    (DeputyRow, ("reason",)),
    (LetterRow, ("failure", "subject")),
    (OutboxRow, ("body",)),
    (ReconciliationItemRow, ("note", "outcome")),
    (ReconciliationRow, ("note",)),
)
"""Texts that no hash covers."""

_EVIDENCE: tuple[tuple[type[Any], tuple[str, ...]], ...] = (
    (TimelineRow, ("payload", "events")),
    (RefusalRow, ("detail",)),
    (AuditLeafRow, ("body",)),
    (DealRow, ("title",)),
    (CustomerRow, ("name", "source", "competitor")),
)
"""What can't be changed, because hashes cover it, or what is about the firm: only written by earlier releases, or where
somebody wrote of a person who was not known yet."""

_ASCII = re.compile(r"[0-9A-Za-z@._+-]{2,}")


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that speaks of the person: its key, and its columns as they are to be."""

    table: Table
    key: tuple[tuple[str, Any], ...]
    values: dict[str, Any]

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return f"{self.table.name} {'/'.join(str(value) for _, value in self.key)}"


def notes_about(connection: Connection, known: Sequence[Known]) -> list[Hit]:
    """Texts that speak of the person and can be put right."""
    return [hit for row, columns in NOTES for hit in _hits(connection, table_of(row), columns, known)]


def evidence_about(connection: Connection, known: Sequence[Known]) -> list[str]:
    """Places that speak of the person and stay as they are."""
    return [hit.place for row, columns in _EVIDENCE for hit in _hits(connection, table_of(row), columns, known)]


def put_right(connection: Connection, hits: Sequence[Hit]) -> None:
    """Write what rows are to be."""
    for hit in hits:
        mine = [hit.table.c[name] == value for name, value in hit.key]
        connection.execute(update(hit.table).where(*mine).values(hit.values))


def without_person(text: str, known: Sequence[Known]) -> str:
    """A text without the person."""
    ours = [piece for piece in mentions(text, known) if piece.subject]
    return without(text, ours, lambda _: ERASED)


def _hits(connection: Connection, table: Table, columns: tuple[str, ...], known: Sequence[Known]) -> Iterator[Hit]:
    everything = [*known, *_escaped(known)]
    asked = [*table.primary_key.columns, *(table.c[name] for name in columns)]
    where = [_may_hold(table.c[name], one) for name in columns for one in everything]
    if not where:
        return
    for row in connection.execute(select(*asked).where(or_(*where))).mappings():
        new = {name: each_text(row[name], lambda text: without_person(text, everything)) for name in columns}
        if any(new[name] != row[name] for name in columns):
            yield Hit(table, tuple((column.name, row[column.name]) for column in table.primary_key.columns), new)


def _may_hold(column: ColumnElement[Any], one: Known) -> ColumnElement[bool]:
    """What the database can say quickly: whether a part of it stands there in letters that every database can fold."""
    if one.kind == PHONE:
        core = "".join(re.findall(r"\d", one.value))[-2:]  # digits may stand apart
    else:
        # the shortest word would do for each, but the longest is found least often by chance
        core = max(_ASCII.findall(one.value), key=len, default="")
    text = cast(column, String)
    return text.is_not(None) if not core else func.lower(text).contains(core.lower(), autoescape=True)


def _escaped(known: Sequence[Known]) -> list[Known]:
    """The same as JSON spells it in ASCII, as messages that are kept as they came may."""
    spelled = [(one, json.dumps(one.value)[1:-1]) for one in known]
    return [Known(one.subject, one.kind, text) for one, text in spelled if text != one.value]
