"""Reads the figures of management's reports (D25, D24, D38) out of the projections; writes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, Table, func, select

from infra.db import Database, table_of
from infra.stores.deals import visible
from infra.stores.pages import Row
from models.tables.projection import DealDiscrepancyRow, DealRequestRow, DealRow
from models.visibility import Scope

_DEALS, _REQUESTS, _ACTS = table_of(DealRow), table_of(DealRequestRow), table_of(DealDiscrepancyRow)

By = Literal["cause", "kind", "article", "measure"]

MOST_MEASURES = 20
_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Period:
    """Days from which to which, both included, in UTC (empty: without an end); test deals count only when asked for."""

    first: str = ""
    last: str = ""
    test_deals: bool = False

    def conditions(self, table: Table, at: ColumnElement[str]) -> list[ColumnElement[bool]]:
        """The period as conditions on the rows of a table, whose instants compare by text."""
        found = [at >= self.first] if self.first else []
        if self.last:
            found.append(at < (date.fromisoformat(self.last) + timedelta(days=1)).isoformat())
        return found if self.test_deals else [*found, table.c.is_test.is_(False)]


class ReportStore:
    """Figures over many deals; what is outside of the scope does not count."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def response_times(self, scope: Scope, period: Period, as_of: str) -> list[Row]:
        """Per role and kind, how many requests were asked in the period and how they were answered: `asked`,
        `answered`, `open`, `late`, `escalated`, and `seconds`, the sorted times of the answers."""
        asked = _REQUESTS.c
        columns = (asked.role, asked.kind, asked.asked_at, asked.due_at, asked.answered_at, asked.escalated_at)
        query = _in_scope(select(*columns), _REQUESTS, scope)
        query = query.where(*period.conditions(_REQUESTS, asked.asked_at)).order_by(asked.role, asked.kind)
        return await self._database.look(
            lambda connection: _tallies(connection.execute(query.execution_options(yield_per=_BATCH)), as_of)
        )

    async def discrepancies(self, scope: Scope, period: Period, by: By) -> tuple[list[Row], Row]:
        """Acts and units per value of `by`, most units first; and the same of all together."""
        group = _ACTS.c[by].label("name")
        groups = self._acts(select(group, *_COUNTS), scope, period).group_by(group)
        groups = groups.order_by(_COUNTS[1].desc(), group)
        return await self._database.rows(groups), await self._total(scope, period)

    async def measures(self, scope: Scope, period: Period) -> list[Row]:
        """What was done against repetition, most frequent first, at most MOST_MEASURES texts."""
        text = _ACTS.c.prevention
        query = self._acts(select(text.label("text"), _COUNTS[0]), scope, period).where(text != "").group_by(text)
        return await self._database.rows(query.order_by(_COUNTS[0].desc(), text).limit(MOST_MEASURES))

    async def _total(self, scope: Scope, period: Period) -> Row:
        (total,) = await self._database.rows(self._acts(select(*_COUNTS), scope, period))
        return total

    def _acts(self, query: Select[Any], scope: Scope, period: Period) -> Select[Any]:
        return _in_scope(query, _ACTS, scope).where(*period.conditions(_ACTS, _ACTS.c.opened_at))


# an act has a row per order line; its number counts from 1 in every deal
_COUNTS = (
    func.count(func.distinct(_ACTS.c.deal_id + "/" + _ACTS.c.act_id)).label("acts"),
    func.cast(func.coalesce(func.sum(_ACTS.c.quantity), 0), _ACTS.c.quantity.type).label("units"),
)


def _in_scope(query: Select[Any], table: Table, scope: Scope) -> Select[Any]:
    if scope.kind == "all":
        return query
    return query.join_from(table, _DEALS, _DEALS.c.id == table.c.deal_id).where(visible(scope))


def _tallies(rows: Iterable[Any], as_of: str) -> list[Row]:
    found: dict[tuple[str, str], Row] = {}
    for role, kind, asked_at, due_at, answered_at, escalated_at in rows:
        tally = found.setdefault(
            (role, kind),
            {"role": role, "kind": kind, "asked": 0, "answered": 0, "late": 0, "escalated": 0, "seconds": []},
        )
        tally["asked"] += 1
        tally["late"] += (answered_at or as_of) > due_at
        tally["escalated"] += escalated_at != ""
        if answered_at:
            tally["answered"] += 1
            tally["seconds"].append(_second(answered_at) - _second(asked_at))
    for tally in found.values():
        tally["open"] = tally["asked"] - tally["answered"]
        tally["seconds"].sort()
    return list(found.values())


def _second(at: str) -> int:
    """An instant as seconds since 1970; our own tables hold nothing but canonical ones."""
    return int(datetime(int(at[:4]), int(at[5:7]), int(at[8:10]), int(at[11:13]), int(at[14:16]), int(at[17:19]),
                        tzinfo=UTC).timestamp())  # fmt: skip
