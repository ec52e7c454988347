"""Reads what time travel is made of: timelines of many deals up to an instant, credit limits and holds as they were."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import BigInteger, Connection, Text, and_, case, cast, func, or_, select

from infra.db import Database, table_of
from infra.stores.deals import visible
from models.messages.finance import GroupHold, GroupHolds
from models.stages.group_hold import GroupHoldChanged
from models.tables.projection import DealLineRow, DealRow
from models.tables.records import CARRIES_BODY, AuditLeafRow, TimelineRow
from models.tables.stock import StockMoveRow
from models.timeline import Entry
from models.visibility import Scope

_DEALS, _LINES, _TIMELINE = table_of(DealRow), table_of(DealLineRow), table_of(TimelineRow)
_LEAVES, _MOVES = table_of(AuditLeafRow), table_of(StockMoveRow)
_FOLDED = [column for column in _TIMELINE.columns if column.name not in ("verdicts", "receipt")]
_TOGETHER = 50
"""Deals whose timelines are held in memory at once."""

MOST_NAMED = 20
"""Holds on a group that are told one by one, as the credit book does."""


@dataclass(frozen=True, slots=True)
class Known:
    """A deal that somebody asks about, and the version of the policy under which it was opened."""

    id: str
    opened_under: str


@dataclass(frozen=True, slots=True)
class CreditLimit:
    """A credit limit in minor units: since when it is known, and who fixed it (empty: a suggestion was followed, or
    nobody wrote down who)."""

    currency: str
    limit_minor: int
    at: str
    by: str = ""


class AsOfStore:
    """The past, as far as the tables keep it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def deals_of(self, scope: Scope, customer: str, group: str, until: str, *, test_deals: bool) -> list[Known]:
        """Deals of a customer (of the whole `group` when it is given) that were opened by an instant, by their ids."""
        mine = _DEALS.c.customer_id == customer
        query = select(_DEALS.c.id, _TIMELINE.c.policy_version.label("opened_under")).order_by(_DEALS.c.id)
        query = query.join(_TIMELINE, and_(_TIMELINE.c.deal_id == _DEALS.c.id, _TIMELINE.c.sequence == 1))
        query = query.where(visible(scope), or_(mine, _DEALS.c.group_id == group) if group else mine)
        query = query.where(_DEALS.c.opened_at <= until)
        query = query if test_deals else query.where(_DEALS.c.is_test.is_(False))
        return [Known(**row) for row in await self._database.rows(query)]

    async def latest_act(self, customer: str, group: str) -> str:
        """When something last happened to one of these deals, test deals included; empty when they have none."""
        mine = _DEALS.c.customer_id == customer
        query = select(func.max(_DEALS.c.updated_at).label("at"))
        row = await self._database.row(query.where(or_(mine, _DEALS.c.group_id == group) if group else mine))
        return (row or {}).get("at") or ""

    async def latest_move(self, article: str) -> str:
        """When units of an article last moved, for test deals, too; empty when they never did."""
        row = await self._database.row(select(func.max(_MOVES.c.at).label("at")).where(_MOVES.c.article == article))
        return (row or {}).get("at") or ""

    async def holders_of(self, article: str, at: str) -> tuple[int, list[str]]:
        """Who had units of an article reserved: units of deals that have not changed since an instant, and ids of deals
        that have, whose timelines must tell."""
        rests = _DEALS.c.updated_at <= at
        ordered = select(_LINES.c.deal_id).where(_LINES.c.article == article)
        still = select(cast(func.coalesce(func.sum(_LINES.c.reserved), 0), BigInteger))
        still = still.join_from(_LINES, _DEALS, _DEALS.c.id == _LINES.c.deal_id)
        still = still.where(_LINES.c.article == article, rests)
        was_over = and_(_DEALS.c.closed_at != "", _DEALS.c.closed_at <= at)
        moved = select(_DEALS.c.id).where(_DEALS.c.id.in_(ordered), ~rests, _DEALS.c.opened_at <= at, ~was_over)

        def work(connection: Connection) -> tuple[int, list[str]]:
            found = list(connection.execute(moved.order_by(_DEALS.c.id)).scalars().all())
            return int(connection.execute(still).scalar_one()), found

        return await self._database.look(work)

    async def on_hand(self, article: str, warehouse: str, at: str) -> list[dict[str, Any]]:
        """Units of an article per warehouse as its moves until an instant add up, with the last of them."""
        signed = case((_MOVES.c.kind == "shipped", -_MOVES.c.quantity), else_=_MOVES.c.quantity)
        units = cast(func.sum(signed), BigInteger).label("on_hand")
        last = func.max(_MOVES.c.at).label("moved_at")
        query = select(_MOVES.c.warehouse, units, last).where(_MOVES.c.article == article, _MOVES.c.at <= at)
        query = query.where(_MOVES.c.warehouse == warehouse) if warehouse else query
        return await self._database.rows(query.group_by(_MOVES.c.warehouse).order_by(_MOVES.c.warehouse))

    async def fixed_limits(self, group: str, at: str) -> list[CreditLimit]:
        """Limits of a group that people had fixed by an instant, in their order: those that left a leaf."""
        told = _LEAVES.c.kind == "credit_limit", _LEAVES.c.ref == group, CARRIES_BODY, _LEAVES.c.at <= at
        rows = await self._database.rows(select(_LEAVES.c.body).where(*told).order_by(_LEAVES.c.sequence))
        bodies = (row["body"] for row in rows)
        return [CreditLimit(body["currency"], body["new_minor"], body["at"], body["by"]) for body in bodies]

    async def holds_on(self, group: str, own: str, at: str, *, is_test: bool) -> GroupHolds:
        """The holds that other deals had set on a group, the oldest first, as their timelines tell."""
        same = _DEALS.c.group_id == group, _DEALS.c.is_test == is_test, _DEALS.c.id != own
        told = cast(_TIMELINE.c.events, Text).contains(GroupHoldChanged.tag)
        query = select(_TIMELINE.c.deal_id, _TIMELINE.c.at, _TIMELINE.c.events)
        query = query.join(_DEALS, _DEALS.c.id == _TIMELINE.c.deal_id).where(*same, _TIMELINE.c.at <= at, told)
        rows = await self._database.rows(query.order_by(_TIMELINE.c.deal_id, _TIMELINE.c.sequence))
        standing: dict[tuple[str, str], str] = {}
        for row in rows:
            for event in row["events"]:
                if event["tag"] == GroupHoldChanged.tag:
                    _change(standing, row["deal_id"], row["at"], event)
        oldest = sorted((since, deal, invoice) for (deal, invoice), since in standing.items())
        named = tuple(GroupHold(deal, invoice, since) for since, deal, invoice in oldest[:MOST_NAMED])
        return GroupHolds(named, len(oldest))


def timelines_of(connection: Connection, deals: Sequence[str], until: str) -> Iterator[list[Entry]]:
    """What had been recorded of each of these deals by an instant, some deals at a time; nothing of one that had not
    begun. Enough to fold: verdicts and receipts, the greater part of an entry, stay in the table."""
    for start in range(0, len(deals), _TOGETHER):
        some = deals[start : start + _TOGETHER]
        query = select(*_FOLDED).where(_TIMELINE.c.deal_id.in_(some), _TIMELINE.c.at <= until)
        rows = connection.execute(query.order_by(_TIMELINE.c.deal_id, _TIMELINE.c.sequence)).mappings()
        for _, entries in groupby((Entry(**row) for row in rows), attrgetter("deal_id")):
            yield list(entries)


def _change(standing: dict[tuple[str, str], str], deal: str, at: str, event: dict[str, Any]) -> None:
    if event["on"]:
        standing.setdefault((deal, event["invoice"]), at)
    elif event["invoice"]:
        standing.pop((deal, event["invoice"]), None)
    else:
        for place in [place for place in standing if place[0] == deal]:
            del standing[place]
