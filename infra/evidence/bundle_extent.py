"""Which deals go into a bundle: named ones, those of a customer, those with acts in a period, or all."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, exists, select

from infra.db import Database, table_of
from infra.stores.deals import visible
from models.instants import DAY, day_start, plus
from models.tables.projection import DealRow
from models.tables.records import TimelineRow
from models.visibility import EVERYTHING, Scope

_DEALS, _TIMELINE = table_of(DealRow), table_of(TimelineRow)
_AT_ONCE = 200

Kind = Literal["deals", "customer", "period", "all"]


@dataclass(frozen=True, slots=True)
class Extent:
    """What is exported. `scope` are the deals that whoever exports sees; `first` and `last` are days in UTC, both
    inside, empty for open ends. With `histories` the engine's histories are taken along, with `reads` the leaves about
    who read and decoded. `complete` takes every leaf of the log. `against` are sizes of checkpoints that the auditor
    holds: the bundle proves that it continues them."""

    deals: tuple[str, ...] = ()
    customer: str = ""
    first: str = ""
    last: str = ""
    scope: Scope = field(default=EVERYTHING)
    histories: bool = True
    reads: bool = True
    complete: bool = False
    against: tuple[int, ...] = ()

    @property
    def kind(self) -> Kind:
        """What the deals are chosen by."""
        if self.deals:
            return "deals"
        if self.customer:
            return "customer"
        return "period" if self.first or self.last else "all"

    def plain(self) -> dict[str, Any]:
        """The selection as the manifest tells it."""
        told: dict[str, Any] = {"kind": self.kind}
        if self.deals:
            told["deals"] = sorted(self.deals)
        return told | {name: getattr(self, name) for name in ("customer", "first", "last") if getattr(self, name)}


async def deals_of(database: Database, extent: Extent) -> AsyncIterator[str]:
    """Ids of the deals, page by page, in the order of their ids."""
    last = ""
    while found := await database.rows(_page(extent, last)):
        for row in found:
            yield row["id"]
        last = found[-1]["id"]


def _page(extent: Extent, last: str) -> Select[Any]:
    if extent.complete:
        # by their timelines: a deal whose projection is gone must not be missing
        ids = select(_TIMELINE.c.deal_id.label("id")).where(_TIMELINE.c.deal_id > last).distinct()
        return ids.order_by(_TIMELINE.c.deal_id).limit(_AT_ONCE)
    query = select(_DEALS.c.id).where(_DEALS.c.id > last, visible(extent.scope), *_conditions(extent))
    return query.order_by(_DEALS.c.id).limit(_AT_ONCE)


def _conditions(extent: Extent) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if extent.deals:
        found.append(_DEALS.c.id.in_(extent.deals))
    if extent.customer:
        found.append(_DEALS.c.customer_id == extent.customer)
    if extent.first or extent.last:
        acts = [_TIMELINE.c.deal_id == _DEALS.c.id]
        if extent.first:
            acts.append(_TIMELINE.c.at >= day_start(extent.first))
        if extent.last:
            acts.append(_TIMELINE.c.at < plus(day_start(extent.last), DAY))
        found.append(exists().where(*acts))
    return found
