"""What is on record of many deals at once, for whoever judges their decisions again: timelines, and refused acts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from infra.db import Database, table_of
from infra.stores.timeline import entry_of
from models.tables.masters import UserRow
from models.tables.projection import DealRow
from models.tables.records import RefusalRow, TimelineRow
from models.timeline import Entry

_TIMELINE, _REFUSALS = table_of(TimelineRow), table_of(RefusalRow)
_DEALS, _USERS = table_of(DealRow), table_of(UserRow)


@dataclass(frozen=True, slots=True)
class Record:
    """A deal's timeline and its acts that guards refused, as rows."""

    entries: list[Entry]
    refused: list[dict[str, Any]]


class PastStore:
    """Reads; writes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def deals(
        self, since: str, until: str, visible: ColumnElement[bool], deal: str = "", tests: bool = False
    ) -> list[str]:
        """Ids of deals with an entry within [since, until), or open since before its end, as their invoices go on;
        test deals only when asked for."""
        within = (
            select(_TIMELINE.c.deal_id)
            .where(_TIMELINE.c.deal_id == _DEALS.c.id, _TIMELINE.c.at >= since, _TIMELINE.c.at < until)
            .exists()
        )
        goes_on = and_(_DEALS.c.closed_at == "", _DEALS.c.opened_at < until)
        query = select(_DEALS.c.id).where(or_(within, goes_on), visible)
        if deal:
            query = query.where(_DEALS.c.id == deal)
        elif not tests:
            query = query.where(_DEALS.c.is_test.is_(False))
        return [row["id"] for row in await self._database.rows(query)]

    async def records(self, deals: Sequence[str]) -> list[Record]:
        """What is on record of these deals, in their order."""
        found = {deal: Record([], []) for deal in deals}
        mine = _TIMELINE.c.deal_id.in_(deals)
        for row in await self._database.rows(select(_TIMELINE).where(mine).order_by(_TIMELINE.c.sequence)):
            found[row["deal_id"]].entries.append(entry_of(row))
        refused = (_REFUSALS.c.deal_id.in_(deals), _REFUSALS.c.code == "guard_failed")
        for row in await self._database.rows(select(_REFUSALS).where(*refused).order_by(_REFUSALS.c.id)):
            found[row["deal_id"]].refused.append(row)
        return [record for record in found.values() if record.entries]

    async def roles(self) -> dict[str, tuple[str, ...]]:
        """The roles that users hold today."""
        return {
            row["id"]: tuple(row["roles"]) for row in await self._database.rows(select(_USERS.c.id, _USERS.c.roles))
        }
