"""Reads what replays look at: whole deals with their timeline, the deal that stands, what was refused, the policies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, union

from infra.db import Database, table_of
from infra.stores.archive import HistoryArchive
from infra.stores.pages import Row
from infra.stores.timeline import entry_of
from models import codec
from models.instants import day_start, plus
from models.policy import Policy
from models.rejudging_refusals import RefusedAct
from models.tables.masters import PolicyRow
from models.tables.projection import DealRow
from models.tables.records import ArchivedHistoryRow, RefusalRow, TimelineRow
from models.timeline import Entry

_DEALS, _TIMELINE, _REFUSALS = table_of(DealRow), table_of(TimelineRow), table_of(RefusalRow)
_HISTORIES, _POLICIES = table_of(ArchivedHistoryRow), table_of(PolicyRow)
_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which deals are replayed; empty texts ask for nothing. `first` and `last` are days in UTC: deals to which
    something happened in them. Raises ValueError for what is no day."""

    customer: str = ""
    owner: str = ""
    state: str = ""
    first: str = ""
    last: str = ""

    def __post_init__(self) -> None:
        for day in filter(None, (self.first, self.last)):
            try:
                day_start(day)
            except ValueError:
                raise ValueError(f"a day must look like 2026-12-31, not {day!r}") from None


@dataclass(frozen=True, slots=True)
class ReplayCase:
    """One deal as its records tell of it. `standing` is its snapshot, None when there is no such deal; `archived` are
    the rows of its archived histories, the oldest first. In a bundle no deal stands `beside` the timeline."""

    deal_id: str
    entries: list[Entry]
    standing: dict[str, Any] | None
    closed: bool
    refusals: list[RefusedAct] = field(default_factory=list)
    archived: list[Row] = field(default_factory=list)
    beside: bool = True


class ReplayCases:
    """Deals of an installation, read as they stood at one moment."""

    def __init__(self, database: Database, archive: HistoryArchive) -> None:
        self._database, self._archive = database, archive

    async def chosen(self, asked: CaseFilter) -> list[str]:
        """Ids of the deals that a filter leaves, in their order. Without a filter, also those of which nothing is left
        but a timeline or an archived history."""
        conditions = _conditions(asked)
        ids = select(_DEALS.c.id).where(*conditions)
        if not conditions:
            ids = union(ids, select(_TIMELINE.c.deal_id), select(_HISTORIES.c.deal_id))  # type: ignore[assignment]
        return sorted(row["id"] for row in await self._database.rows(ids))

    async def known(self, deals: Sequence[str]) -> set[str]:
        """Those of some deals of which there is any record."""
        return {case.deal_id for case in await self.read(deals) if case.entries or case.standing or case.archived}

    async def need_engine(self, deals: Sequence[str]) -> bool:
        """Whether some history is not archived yet: that of an open deal, or of one that was closed a moment ago."""
        kept = select(_HISTORIES.c.deal_id)
        closed = select(_DEALS.c.id).where(_DEALS.c.closed_at != "", _DEALS.c.id.in_(kept))
        return bool(set(deals) - {row["id"] for row in await self._database.rows(closed)})

    async def read(self, deals: Sequence[str]) -> list[ReplayCase]:
        """Some deals, whole, all at the same moment."""
        return await self._database.look(lambda connection: _cases(connection, deals))

    async def history(self, row: Row) -> bytes:
        """An archived history, binary protobuf. Raises HistoryDamaged."""
        return await self._archive.load(row["workflow_id"], row["run_id"]) or b""

    async def policies(self) -> dict[str, Policy]:
        """All policies by version; what is no policy (any more) is left out, and missed by whoever needs it."""
        rows = await self._database.rows(select(_POLICIES))
        return policies_of({row["version"]: row["body"] for row in rows})


def policies_of(bodies: Mapping[str, Any]) -> dict[str, Policy]:
    """Policies by version, those left out whose body is none."""
    found: dict[str, Policy] = {}
    for version, body in bodies.items():
        try:
            found[version] = codec.decode(Policy, body)
        except codec.Malformed:
            continue
    return found


def _conditions(asked: CaseFilter) -> list[ColumnElement[bool]]:
    pairs = ((_DEALS.c.customer_id, asked.customer), (_DEALS.c.owner, asked.owner), (_DEALS.c.state, asked.state))
    found = [column == value for column, value in pairs if value]
    within = select(_TIMELINE.c.deal_id)
    if asked.first:
        within = within.where(_TIMELINE.c.at >= day_start(asked.first))
    if asked.last:
        within = within.where(_TIMELINE.c.at < plus(day_start(asked.last), _A_DAY))
    return [*found, _DEALS.c.id.in_(within)] if asked.first or asked.last else found


def _cases(connection: Connection, deals: Sequence[str]) -> list[ReplayCase]:
    def rows(query: Any) -> Any:
        return connection.execute(query).mappings()

    entries = rows(
        select(_TIMELINE).where(_TIMELINE.c.deal_id.in_(deals)).order_by(_TIMELINE.c.deal_id, _TIMELINE.c.sequence)
    )
    timelines = {deal: list(told) for deal, told in groupby(map(entry_of, entries), attrgetter("deal_id"))}
    standing = select(_DEALS.c.id, _DEALS.c.snapshot, _DEALS.c.closed_at).where(_DEALS.c.id.in_(deals))
    stands = {row["id"]: row for row in rows(standing)}
    refused = _by_deal(rows(select(_REFUSALS).where(_REFUSALS.c.deal_id.in_(deals)).order_by(_REFUSALS.c.id)))
    archived = _by_deal(
        rows(
            select(_HISTORIES)
            .where(_HISTORIES.c.deal_id.in_(deals))
            .order_by(_HISTORIES.c.archived_at, _HISTORIES.c.run_id)
        )
    )
    return [
        ReplayCase(
            deal,
            timelines.get(deal, []),
            stands[deal]["snapshot"] if deal in stands else None,
            bool(deal in stands and stands[deal]["closed_at"]),
            [refused_act(row) for row in refused.get(deal, [])],
            archived.get(deal, []),
        )
        for deal in deals
    ]


def _by_deal(rows: Any) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["deal_id"], []).append(dict(row))
    return found


def refused_act(row: Mapping[str, Any]) -> RefusedAct:
    """A refusal as the records keep it."""
    return RefusedAct(row["id"], row["at"], row["actor"], row["action"], row["code"], row["detail"])
