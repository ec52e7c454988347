"""Reads the projections of deals: lists, boards, agendas, approvals. Writes nothing; moves do, through the recorder."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, false, func, or_, select, true

from infra.db import Database, table_of
from infra.stores.pages import Page, Row, look_page
from models.lifecycle.roles import SALES
from models.lifecycle.states import Stage
from models.tables.projection import CHILDREN, DealAgendaRow, DealApprovalRow, DealRow, DealShortageRow
from models.visibility import EVERYTHING, Scope

_DEALS, _AGENDA, _APPROVALS = table_of(DealRow), table_of(DealAgendaRow), table_of(DealApprovalRow)
_SHORTAGES = table_of(DealShortageRow)
_LISTED = [column for column in _DEALS.columns if column.name != "snapshot"]
_ORDER = [_DEALS.c.opened_at, _DEALS.c.id]
_ABOUT_DEAL = [_DEALS.c[name] for name in ("title", "state", "owner", "customer_id", "currency", "value_minor")]


@dataclass(frozen=True, slots=True)
class DealFilter:
    """What a list of deals is narrowed to; an empty text asks for nothing, `test` None for real and test deals."""

    stage: str = ""
    state: str = ""
    owner: str = ""
    customer: str = ""
    department: str = ""
    linked_deal: str = ""
    test: bool | None = None
    open_only: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter as conditions on the table of deals."""
        asked = {
            "stage": self.stage,
            "state": self.state,
            "owner": self.owner,
            "customer_id": self.customer,
            "department": self.department,
            "linked_deal": self.linked_deal,
        }
        found = [_DEALS.c[name] == value for name, value in asked.items() if value]
        if self.open_only:
            found.append(_DEALS.c.stage.in_([stage for stage in Stage if stage is not Stage.CLOSED]))
        return found if self.test is None else [*found, _DEALS.c.is_test == self.test]


@dataclass(frozen=True, slots=True)
class AgendaFilter:
    """What an agenda is narrowed to: items that one of `role`, `person`, `department` is to act on, due by `until`."""

    role: str = ""
    person: str = ""
    department: str = ""
    deal_id: str = ""
    until: str = ""
    test: bool | None = None


@dataclass(frozen=True, slots=True)
class ShortageFilter:
    """What the worklist of the shortage desk is narrowed to; `overdue` is judged at the instant `now`."""

    role: str = ""
    deal_id: str = ""
    article: str = ""
    overdue: bool | None = None
    now: str = ""
    test: bool | None = None


def visible(scope: Scope, table: Table = _DEALS) -> ColumnElement[bool]:
    """The condition that a deal is inside of a scope, on the table of deals or another that keeps their owners."""
    if scope.kind == "all":
        return true()
    if scope.kind == "none":
        return false()
    own = table.c.owner == scope.user
    return or_(own, table.c.department == scope.department) if scope.kind == "department" else own


class DealStore:
    """Deals as lists and boards show them. What is outside of the scope looks as if it did not exist."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, scope: Scope, asked: DealFilter, cursor: str = "", limit: int = 50) -> Page:
        """Deals without their snapshots, the latest opened first."""
        query = select(*_LISTED).where(visible(scope), *asked.conditions())
        return await look_page(self._database, query, _ORDER, cursor, limit, newest_first=True)

    async def get(self, deal_id: str, scope: Scope = EVERYTHING) -> Row | None:
        """The whole row with the snapshot; None when there is no such deal or it is out of scope."""
        query = select(_DEALS).where(_DEALS.c.id == deal_id, visible(scope))
        return await self._database.row(query)

    async def by_source(self, source_ref: str) -> Row | None:
        """The deal that was made from this row of an import."""
        query = select(*_LISTED).where(_DEALS.c.source_ref == source_ref, _DEALS.c.source_ref != "")
        return await self._database.row(query)

    async def children(self, deal_id: str, name: str) -> list[Row]:
        """All rows of a deal in a child table: lines, agenda, approvals, invoices or cases."""
        table = table_of(CHILDREN[name])
        query = select(table).where(table.c.deal_id == deal_id).order_by(*table.primary_key.columns)
        return await self._database.rows(query)

    async def agenda(self, scope: Scope, asked: AgendaFilter, cursor: str = "", limit: int = 50) -> Page:
        """What waits for whom until when, the earliest first, with what the deal is about."""
        mine = or_(visible(scope), _AGENDA.c.person == scope.user) if scope.kind == "own" else visible(scope)
        query = _with_deal(_AGENDA).where(mine, *_agenda_conditions(asked))
        order = [_AGENDA.c.due_at, _AGENDA.c.deal_id, _AGENDA.c.key]
        return await look_page(self._database, query, order, cursor, limit)

    async def approvals(
        self, scope: Scope, state: str = "pending", role: str = "", deal_id: str = "", cursor: str = "", limit: int = 50
    ) -> Page:
        """Requests for approval in a state (empty: in all), the earliest due first."""
        query = _with_deal(_APPROVALS).where(visible(scope))
        if state:
            query = query.where(_APPROVALS.c.state == state)
        if deal_id:
            query = query.where(_APPROVALS.c.deal_id == deal_id)
        if role:
            query = query.where(_names_role(_APPROVALS.c.roles, role))
        order = [_APPROVALS.c.due_at, _APPROVALS.c.deal_id, _APPROVALS.c.approval_id]
        return await look_page(self._database, query, order, cursor, limit)

    async def shortages(self, scope: Scope, asked: ShortageFilter, cursor: str = "", limit: int = 50) -> Page:
        """Order lines of open deals that are out of stock, the earliest due first, with what the deal is about."""
        # a deal that was cancelled keeps the rows of what it lacked then: nobody has to answer for them any more
        query = _with_deal(_SHORTAGES).where(
            visible(scope, _SHORTAGES), _DEALS.c.closed_at == "", *_shortage_conditions(asked)
        )
        order = [_SHORTAGES.c.due_at, _SHORTAGES.c.deal_id, _SHORTAGES.c.line]
        return await look_page(self._database, query, order, cursor, limit)

    async def board(self, scope: Scope, asked: DealFilter | None = None) -> list[Row]:
        """Count and value of the deals per stage, state and currency."""
        group = [_DEALS.c.stage, _DEALS.c.state, _DEALS.c.currency]
        value = func.cast(func.coalesce(func.sum(_DEALS.c.value_minor), 0), _DEALS.c.value_minor.type)
        query = select(*group, func.count().label("deals"), value.label("value_minor"))
        query = query.where(visible(scope), *(asked or DealFilter()).conditions()).group_by(*group).order_by(*group)
        return await self._database.rows(query)


def _with_deal(table: Any) -> Select[Any]:
    return select(table, *(column.label(f"deal_{column.name}") for column in _ABOUT_DEAL)).join(
        _DEALS, _DEALS.c.id == table.c.deal_id
    )


def _agenda_conditions(asked: AgendaFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.role:
        found.append(_names_role(_AGENDA.c.roles, asked.role))
    if asked.person:
        found.append(_AGENDA.c.person == asked.person)
    if asked.department:
        found.append(_AGENDA.c.department == asked.department)
    if asked.deal_id:
        found.append(_AGENDA.c.deal_id == asked.deal_id)
    if asked.until:
        found.append(_AGENDA.c.due_at <= asked.until)
    return found if asked.test is None else [*found, _AGENDA.c.is_test == asked.test]


def _shortage_conditions(asked: ShortageFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.role:
        # account managers and key account managers answer for their own deals alike, whichever the ladder names
        able = sorted(SALES) if asked.role in SALES else [asked.role]
        found.append(or_(*(_names_role(_SHORTAGES.c.roles, role) for role in able)))
    if asked.deal_id:
        found.append(_SHORTAGES.c.deal_id == asked.deal_id)
    if asked.article:
        found.append(_SHORTAGES.c.article == asked.article)
    if asked.overdue is not None:
        late = _SHORTAGES.c.due_at <= asked.now
        found.append(late if asked.overdue else _SHORTAGES.c.due_at > asked.now)
    return found if asked.test is None else [*found, _SHORTAGES.c.is_test == asked.test]


def _names_role(roles: ColumnElement[str], role: str) -> ColumnElement[bool]:
    return ("," + roles + ",").contains(f",{role},", autoescape=True)
