"""Rebuilds the projections from the timelines alone, to compare them row for row or to write them anew."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.db import Database, table_of
from infra.stores.pages import Row
from infra.stores.timeline import entry_of, timelines
from models.messages.records import Projection
from models.tables.projection import CHILDREN, DealRow
from models.tables.records import TimelineRow
from models.timeline import Entry

Fold = Callable[[Sequence[Entry]], Projection]
"""What a timeline comes to: the pure core's fold, handed in by whoever asks for a rebuild."""

_DEALS, _TIMELINE = table_of(DealRow), table_of(TimelineRow)
_TABLES = {"deal": _DEALS, **{name: table_of(row) for name, row in CHILDREN.items()}}
_ABSENT = "(no such row)"


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where the live projection is not what the timeline gives; `row` is its key within the deal."""

    deal_id: str
    table: str
    row: str
    column: str
    live: Any
    rebuilt: Any


@dataclass(slots=True)
class RebuildReport:
    """How many deals were rebuilt, and every difference."""

    deals: int = 0
    differences: list[Difference] = field(default_factory=list)


class Rebuilder:
    """Rebuilds projections with a fold."""

    def __init__(self, database: Database, fold: Fold) -> None:
        self._database = database
        self._fold = fold

    async def compare(self, progress: Callable[[int], None] = lambda done: None) -> RebuildReport:
        """Compare every deal's live rows with those that its timeline gives, as they stood at one moment."""
        report = RebuildReport()
        async with self._database.read() as connection:
            async for deals in timelines(connection):
                live = await _live(connection, [entries[0].deal_id for entries in deals])
                report.differences += await asyncio.to_thread(self._differences, deals, live)
                report.deals += len(deals)
                progress(report.deals)
            for orphan in await _without_timeline(connection):
                report.differences.append(Difference(orphan, "deals", orphan, "", orphan, _ABSENT))
        return report

    async def write(self, progress: Callable[[int], None] = lambda done: None) -> int:
        """Write every deal's rows anew, one transaction a deal; rows of deals without a timeline go. Counts deals."""
        done = 0
        for deal_id in await self._all_deals():
            await self._database.write(partial(self._rewrite, deal_id=deal_id))
            done += 1
            progress(done)
        return done

    async def _all_deals(self) -> list[str]:
        query = select(_TIMELINE.c.deal_id).union(select(_DEALS.c.id))
        async with self._database.read() as connection:
            return sorted((await connection.execute(query)).scalars())

    def _rewrite(self, connection: Connection, deal_id: str) -> None:
        # locks the row, so that no move is recorded between our look at the timeline and our commit
        connection.execute(select(_DEALS.c.id).where(_DEALS.c.id == deal_id).with_for_update())
        query = select(_TIMELINE).where(_TIMELINE.c.deal_id == deal_id).order_by(_TIMELINE.c.sequence)
        entries = [entry_of(row) for row in connection.execute(query).mappings()]
        rebuilt = _rows(self._fold(entries)) if entries else {}
        for name, table in _TABLES.items():
            connection.execute(delete(table).where(_deal_column(table) == deal_id))
            if rows := rebuilt.get(name):
                connection.execute(insert(table), rows)

    def _differences(self, deals: list[list[Entry]], live: dict[str, dict[str, list[Row]]]) -> list[Difference]:
        return [found for entries in deals for found in self._differences_of(entries, live[entries[0].deal_id])]

    def _differences_of(self, entries: list[Entry], live: dict[str, list[Row]]) -> Iterator[Difference]:
        deal_id = entries[0].deal_id
        try:
            rebuilt = _rows(self._fold(entries))
        except Exception as problem:  # a timeline that does not fold is a finding, and no reason to stop
            yield Difference(deal_id, "timeline", "", "", "", f"does not fold: {problem}")
            return
        for name, table in _TABLES.items():
            yield from _compare(deal_id, table, live[name], rebuilt[name])


def _rows(projection: Projection) -> dict[str, list[Row]]:
    return {"deal": [projection.deal], **{name: getattr(projection, name) for name in CHILDREN}}


def _compare(deal_id: str, table: Table, live: list[Row], rebuilt: list[Row]) -> Iterator[Difference]:
    left, right = _by_key(table, live), _by_key(table, rebuilt)
    for key in sorted(left.keys() | right.keys()):
        if key not in left or key not in right:
            there, here = (_ABSENT, "") if key not in left else ("", _ABSENT)
            yield Difference(deal_id, table.name, key, "", there, here)
            continue
        for column in (c.name for c in table.columns):
            live_value, rebuilt_value = left[key].get(column), right[key].get(column)
            if live_value != rebuilt_value or type(live_value) is not type(rebuilt_value):
                yield Difference(deal_id, table.name, key, column, live_value, rebuilt_value)


def _by_key(table: Table, rows: list[Row]) -> dict[str, Mapping[str, Any]]:
    names = [column.name for column in table.primary_key.columns if column.name != "deal_id"]
    return {"/".join(str(row[name]) for name in names): row for row in rows}


def _deal_column(table: Table) -> Any:
    return table.c.id if table is _DEALS else table.c.deal_id


async def _live(connection: AsyncConnection, deals: list[str]) -> dict[str, dict[str, list[Row]]]:
    found: dict[str, dict[str, list[Row]]] = {deal_id: {name: [] for name in _TABLES} for deal_id in deals}
    for name, table in _TABLES.items():
        column = _deal_column(table)
        for row in (await connection.execute(select(table).where(column.in_(deals)))).mappings():
            found[row[column]][name].append(dict(row))
    return found


async def _without_timeline(connection: AsyncConnection) -> list[str]:
    known = select(_TIMELINE.c.deal_id)
    return list((await connection.execute(select(_DEALS.c.id).where(_DEALS.c.id.not_in(known)))).scalars())
