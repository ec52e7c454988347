"""Event logs and conformance of all deals or chosen ones, streamed from the timelines as they stood at one moment."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.db import Database, table_of
from infra.evidence.mining_forms import WITH_OBJECTS, form_of
from infra.stores.pages import Row
from infra.stores.timeline import entry_of
from models import codec
from models.conformance import Fit, Tally, check_deal
from models.event_log import DealLog, activity_log, deal_log
from models.instants import day_start
from models.tables.projection import DealRow
from models.tables.records import TimelineRow
from models.timeline import Entry

_TIMELINE, _DEALS = table_of(TimelineRow), table_of(DealRow)
_TOGETHER = 50
"""Deals that are in memory at once."""

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which deals: those to which something happened from the day `first` to the day `last` (UTC; empty: ever), of a
    customer, in a stage now, test deals or real ones (None: both). They are told of whole, from their first entry."""

    first: str = ""
    last: str = ""
    customer: str = ""
    stage: str = ""
    test: bool | None = None

    def query(self) -> Select[tuple[str]]:
        """The ids of these deals in their order. Raises ValueError for a day that is none."""
        query = select(_TIMELINE.c.deal_id).distinct().order_by(_TIMELINE.c.deal_id)
        if self.first:
            query = query.where(_TIMELINE.c.at >= day_start(self.first))
        if self.last:
            query = query.where(_TIMELINE.c.at <= f"{day_start(self.last)[:10]}T23:59:59Z")
        asked = ((_DEALS.c.customer_id, self.customer), (_DEALS.c.stage, self.stage))
        found: list[ColumnElement[bool]] = [column == value for column, value in asked if value]
        if self.test is not None:
            found.append(_DEALS.c.is_test == self.test)
        return query.join(_DEALS, _DEALS.c.id == _TIMELINE.c.deal_id).where(*found) if found else query


@dataclass(slots=True)
class Conformance:
    """What a replay on the tables came to: all sequences together, and those that are told of one by one; `more` of
    them were left out."""

    tally: Tally = field(default_factory=Tally)
    fits: list[Fit] = field(default_factory=list)
    more: int = 0

    @property
    def sound(self) -> bool:
        """True when every sequence fits."""
        return self.tally.fitting_cases == self.tally.cases

    def plain(self) -> Row:
        """The report in plain form."""
        return {
            "sound": self.sound,
            "deals": self.tally.cases,
            "fitting_deals": self.tally.fitting_cases,
            "events": self.tally.events,
            "fitting_events": self.tally.fitting_events,
            "fitness_bps": self.tally.fitness_bps,
            "items": [_plain(fit) for fit in self.fits],
            "more": self.more,
        }

    def add(self, fit: Fit, told: bool, most: int) -> None:
        """Count a sequence, and keep it when it deviates or is to be told of, up to `most`."""
        self.tally.count(fit)
        if fit.fits and not told:
            return
        if len(self.fits) < most:
            self.fits.append(fit)
        else:
            self.more += 1


class ProcessMining:
    """Reads timelines for process mining."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, chosen: Chosen) -> int:
        """How many deals are chosen. Raises ValueError for a day that is none."""
        async with self._database.read() as connection:
            return len(await _ids(connection, chosen))

    async def event_log(
        self, form: str, chosen: Chosen, with_amounts: bool = False, progress: Progress = lambda done: None
    ) -> AsyncGenerator[str, None]:
        """The event log of the chosen deals in a form (ocel, xes or csv), piece by piece; `progress` hears how many
        deals are done. Raises ValueError for an unknown form, or a day that is none."""
        async with self._database.read() as connection:
            ids = await _ids(connection, chosen)
            with closing(form_of(form, with_amounts, frozenset(ids))) as writer:
                yield writer.head()
                done = 0
                async for deals in _timelines(connection, ids):
                    # in a thread: folding is long work that must not stop the event loop
                    logs = await asyncio.to_thread(_logs, deals, form in WITH_OBJECTS, with_amounts)
                    yield await asyncio.to_thread(writer.deals, logs)
                    done += len(deals)
                    progress(done)
                rest = writer.tail()
                while (piece := await asyncio.to_thread(next, rest, None)) is not None:
                    yield piece

    async def conformance(
        self, chosen: Chosen, every: bool = False, most: int = 1_000, progress: Progress = lambda done: None
    ) -> Conformance:
        """Replay the chosen deals on the tables; told of one by one are those that deviate, or with `every` all, up to
        `most`. Raises ValueError for a day that is none."""
        report = Conformance()
        async with self._database.read() as connection:
            async for deals in _timelines(connection, await _ids(connection, chosen)):
                for fit in await asyncio.to_thread(_fits, deals):
                    report.add(fit, every, most)
                progress(report.tally.cases)
        return report


def _plain(fit: Fit) -> Row:
    return {
        "deal_id": fit.case,
        "fits": fit.fits,
        "events": fit.events,
        "fitting_events": fit.fitting,
        "fitness_bps": fit.fitness_bps,
        "first": codec.encode(fit.first),
    }


async def _ids(connection: AsyncConnection, chosen: Chosen) -> list[str]:
    rows = await connection.execute(chosen.query())
    return [row.deal_id for row in rows]


async def _timelines(connection: AsyncConnection, ids: Sequence[str]) -> AsyncIterator[list[list[Entry]]]:
    order = (_TIMELINE.c.deal_id, _TIMELINE.c.sequence)
    for start in range(0, len(ids), _TOGETHER):
        query = select(_TIMELINE).where(_TIMELINE.c.deal_id.in_(ids[start : start + _TOGETHER])).order_by(*order)
        rows: Any = (await connection.execute(query)).mappings()
        yield [list(entries) for _, entries in groupby(map(entry_of, rows), attrgetter("deal_id"))]


def _logs(deals: Sequence[Sequence[Entry]], with_objects: bool, with_amounts: bool) -> list[DealLog]:
    return [deal_log(entries, with_amounts) if with_objects else activity_log(entries) for entries in deals]


def _fits(deals: Sequence[Sequence[Entry]]) -> list[Fit]:
    return list(map(check_deal, deals))
