"""Reads what happened to a deal: its timeline entries and the acts that were refused."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import fields
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.db import Database, table_of
from infra.stores.pages import Row
from models.tables.records import RefusalRow, TimelineRow
from models.timeline import Entry

_TIMELINE, _REFUSALS = table_of(TimelineRow), table_of(RefusalRow)
_FIELDS = tuple(f.name for f in fields(Entry))
_TOGETHER = 50
"""Deals whose timelines are read at once."""


def entry_of(row: Mapping[Any, Any]) -> Entry:
    """The entry that a row of the timeline holds."""
    return Entry(**{name: row[name] for name in _FIELDS})


class TimelineStore:
    """Timelines as they were recorded."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(self, deal_id: str, as_of: str = "", after: int = 0, limit: int | None = None) -> list[Entry]:
        """Entries of a deal in their order: up to an instant when given, after a sequence, at most `limit`."""
        query = select(_TIMELINE).where(_TIMELINE.c.deal_id == deal_id, _TIMELINE.c.sequence > after)
        if as_of:
            query = query.where(_TIMELINE.c.at <= as_of)
        query = query.order_by(_TIMELINE.c.sequence).limit(limit)
        return [entry_of(row) for row in await self._database.rows(query)]

    async def under(self, deal_id: str, key: str) -> Entry | None:
        """The first entry of a deal under an idempotency key."""
        query = select(_TIMELINE).where(_TIMELINE.c.deal_id == deal_id, _TIMELINE.c.key == key)
        row = await self._database.row(query.order_by(_TIMELINE.c.sequence).limit(1))
        return entry_of(row) if row else None

    async def refusals(self, deal_id: str, after: int = 0, limit: int | None = None) -> list[Row]:
        """Acts on a deal that were refused, in the order in which they were asked for."""
        query = select(_REFUSALS).where(_REFUSALS.c.deal_id == deal_id, _REFUSALS.c.id > after)
        return await self._database.rows(query.order_by(_REFUSALS.c.id).limit(limit))

    async def deal_ids(self, after: str = "", limit: int | None = None) -> list[str]:
        """Deals that have a timeline, in the order of their ids."""
        async with self._database.read() as connection:
            return await deals_with_timeline(connection, after, limit)


async def deals_with_timeline(connection: AsyncConnection, after: str = "", limit: int | None = None) -> list[str]:
    """Ids of deals with a timeline, after a given one."""
    query = select(_TIMELINE.c.deal_id).distinct().where(_TIMELINE.c.deal_id > after)
    return list((await connection.execute(query.order_by(_TIMELINE.c.deal_id).limit(limit))).scalars())


async def timelines(connection: AsyncConnection) -> AsyncIterator[list[list[Entry]]]:
    """All timelines, whole, some deals at a time, in the order of the deals' ids."""
    last = ""
    while deals := await deals_with_timeline(connection, last, _TOGETHER):
        last = deals[-1]
        query = select(_TIMELINE).where(_TIMELINE.c.deal_id.in_(deals))
        rows = await connection.execute(query.order_by(_TIMELINE.c.deal_id, _TIMELINE.c.sequence))
        yield [list(entries) for _, entries in groupby(map(entry_of, rows.mappings()), attrgetter("deal_id"))]
