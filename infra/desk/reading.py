"""What callers read about deals: lists, the whole deal, its timeline and agenda; reads by auditors leave a leaf."""

from dataclasses import dataclass, replace

from google.protobuf.message import DecodeError
from temporalio.api.history.v1 import History
from temporalio.client import WorkflowHistory

from infra.desk import payloads, views
from infra.desk.acts import Acts
from infra.desk.books import Books
from infra.desk.callers import Caller
from infra.desk.clocks import Clock
from infra.desk.errors import NoSuch, WrongRole
from infra.desk.judging import ActionView, all_actions, view_of
from infra.desk.read_log import ReadLog
from infra.stores.archive import HistoryDamaged
from infra.stores.deals import AgendaFilter, DealFilter, ShortageFilter
from infra.stores.pages import Page, Row
from models import codec
from models.deal_state import Deal
from models.lifecycle.roles import Role

_HISTORIANS = (Role.AUDITOR, Role.COMMERCIAL_DIRECTOR)
"""Engine histories hold everything, costs included."""


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Entries in their order. `after` of the next page is its last sequence, 0 at the end."""

    entries: list[views.Plain]
    refusals: list[views.Plain]
    next_after: int


@dataclass(frozen=True, slots=True)
class Why:
    """Why a deal is where it is: what it waits for, and every action with what stands in its way."""

    deal: views.Plain
    waits_for: list[views.Plain]
    actions: list[ActionView]


class Reading:
    """Reads for callers, within their scope."""

    def __init__(self, books: Books, acts: Acts, reads: ReadLog, clock: Clock) -> None:
        self._books, self._acts, self._reads, self._clock = books, acts, reads, clock

    async def deals(self, caller: Caller, asked: DealFilter, cursor: str = "", limit: int = 50) -> Page:
        """Deals that the caller sees, the latest opened first. Raises BadCursor."""
        page = await self._books.deals.page(caller.scope, asked, cursor, limit)
        await self._reads.many(caller, "deals", "deals", len(page.rows))
        return Page([views.summary(row, caller) for row in page.rows], page.next_cursor)

    async def deal(self, caller: Caller, deal_id: str) -> views.Plain:
        """One deal with all its parts. Raises NoSuch."""
        row = await self._row(caller, deal_id, "deal")
        return views.whole(row, codec.decode(Deal, row["snapshot"]), caller)

    async def actions(self, caller: Caller, deal_id: str) -> list[ActionView]:
        """Every action of the table for this caller. Raises NoSuch."""
        await self._row(caller, deal_id, "actions")
        return all_actions(await self._acts.look(caller, deal_id), caller)

    async def why(self, caller: Caller, deal_id: str, action: str = "") -> Why:
        """What the deal waits for, and what stands in the way of all actions or of one. Raises NoSuch."""
        row = await self._row(caller, deal_id, "why")
        seen = await self._acts.look(caller, deal_id)
        waits = await self._agenda(caller, AgendaFilter(deal_id=deal_id), limit=200)
        actions = [view_of(seen, caller, action)] if action else all_actions(seen, caller)
        return Why(views.summary(row, caller), waits.rows, actions)

    async def timeline(
        self, caller: Caller, deal_id: str, as_of: str = "", refusals: bool = False, after: int = 0, limit: int = 200
    ) -> TimelinePage:
        """Entries after a sequence, up to an instant when given, with the refused acts if wanted. Raises NoSuch."""
        await self._row(caller, deal_id, "timeline")
        found = await self._books.timeline.entries(deal_id, as_of, after, limit + 1)
        refused = await self._books.timeline.refusals(deal_id, limit=limit) if refusals else []
        kept = found[:limit]
        return TimelinePage(
            [views.entry(entry, caller) for entry in kept],
            [views.refusal(row, caller) for row in refused if not as_of or row["at"] <= as_of],
            kept[-1].sequence if len(found) > limit else 0,
        )

    async def agenda(self, caller: Caller, asked: AgendaFilter, cursor: str = "", limit: int = 50) -> Page:
        """What waits for whom until when, the earliest first. Raises BadCursor."""
        page = await self._agenda(caller, asked, cursor, limit)
        await self._reads.many(caller, "agenda", "agenda", len(page.rows))
        return page

    async def _agenda(self, caller: Caller, asked: AgendaFilter, cursor: str = "", limit: int = 50) -> Page:
        page = await self._books.deals.agenda(caller.scope, asked, cursor, limit)
        return Page([views.agenda_item(row, caller) for row in page.rows], page.next_cursor)

    async def deal_agenda(self, caller: Caller, deal_id: str) -> list[views.Plain]:
        """All that one deal waits for. Raises NoSuch."""
        await self._row(caller, deal_id, "agenda")
        return (await self._agenda(caller, AgendaFilter(deal_id=deal_id), limit=200)).rows

    async def shortages(self, caller: Caller, asked: ShortageFilter, cursor: str = "", limit: int = 50) -> Page:
        """Order lines that are out of stock, the earliest due first; late is what is due by now. Raises BadCursor."""
        now = self._clock()
        page = await self._books.deals.shortages(caller.scope, replace(asked, now=now), cursor, limit)
        await self._reads.many(caller, "shortages", "shortages", len(page.rows))
        return Page([views.shortage(row, caller, now) for row in page.rows], page.next_cursor)

    async def approvals(
        self, caller: Caller, state: str = "pending", role: str = "", cursor: str = "", limit: int = 50
    ) -> Page:
        """Requests for approval on deals that the caller sees. Raises BadCursor."""
        if caller.is_blind:
            return Page([])
        page = await self._books.deals.approvals(caller.scope, state, role, cursor=cursor, limit=limit)
        await self._reads.many(caller, "approvals", "approvals", len(page.rows))
        return Page([views.approval(row, caller) for row in page.rows], page.next_cursor)

    async def histories(self, caller: Caller, deal_id: str) -> list[Row]:
        """The archived runs of a deal. Raises NoSuch or WrongRole."""
        await self._historian(caller, deal_id)
        return await self._books.archive.of_deal(deal_id)

    async def history(self, caller: Caller, deal_id: str, run_id: str) -> bytes:
        """One archived run as binary protobuf. Raises NoSuch, WrongRole or HistoryDamaged."""
        await self._historian(caller, deal_id)
        for row in await self._books.archive.of_deal(deal_id):
            if row["run_id"] == run_id:
                found = await self._books.archive.load(row["workflow_id"], run_id)
                if found is not None:
                    return found
        raise NoSuch("archived run", run_id)

    async def _historian(self, caller: Caller, deal_id: str) -> None:
        await self._row(caller, deal_id, "history")
        if not caller.has(*_HISTORIANS):
            raise WrongRole("reading the engine's history", tuple(map(str, _HISTORIANS)))

    async def _row(self, caller: Caller, deal_id: str, what: str) -> Row:
        row = None if payloads.bad_text(deal_id) else await self._books.deals.get(deal_id, caller.scope)
        if row is None:
            raise NoSuch("deal", deal_id)
        await self._reads.deal(caller, deal_id, row["owner"], what)
        return row


def history_json(run_id: str, history: bytes) -> str:
    """An archived history as the JSON that Temporal's own tools read. Raises HistoryDamaged."""
    try:
        events = History.FromString(history).events
    except DecodeError as problem:
        raise HistoryDamaged(f"the history of run {run_id} is no protobuf: {problem}") from problem
    return WorkflowHistory(run_id, list(events)).to_json()
