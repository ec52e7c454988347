"""Drives the deals of an import on the real engine, many at once, each to the fate that its row tells.

A deal's id follows from its row, and its next step from where it stands, so an interrupted import just goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from cli.exits import CommandFailed, ExitCode
from cli.hands import Hands, patiently
from cli.imports.opportunities import Opportunity
from cli.imports.steps import Act, Done, Forward, Office, Way, next_step, rests
from infra.db import Database
from infra.desk.books import Books, Policies
from infra.desk.errors import DeskError, EngineDown, Refused
from infra.desk.opening import NewDeal, Opening
from infra.settings import Settings
from infra.stores.deals import DealFilter
from infra.stores.pages import Row
from infra.stores.policies import PolicyStore, PolicyVersion
from infra.test_clock import TestClockError, virtual_now
from models import codec
from models.deal_state import Deal
from models.instants import DAY, between, render
from models.messages.deals import workflow_id
from models.policy import DEFAULT, Policy
from models.visibility import EVERYTHING

MOST_STEPS = 120
PATIENCE = 30  # refusals of one step that may pass by themselves, such as a credit limit that others use up
_NEVER = "9999-12-31T00:00:00Z"

IMPORT_POLICY = replace(
    DEFAULT,
    version=f"import-{DEFAULT.version}",
    discount_authority={**DEFAULT.discount_authority, "commercial_director": 10_000},
    margin_floor=-(10**12),
)
"""The policy that imported deals pin: as the default, but the director may grant any discount, and no margin floor
holds, because these deals were made under rules that we do not know."""


@dataclass(frozen=True, slots=True)
class Driven:
    """What came of one row. `days` is the virtual length of a closed deal; `problem` says why it isn't where it
    should be; `resumed` deals were there before this import ran."""

    row: Opportunity
    deal_id: str
    state: str
    days: int
    problem: str = ""
    resumed: bool = False


class _PinnedPolicies(Policies):
    """Answers one policy as the active one."""

    def __init__(self, store: PolicyStore, pinned: Policy) -> None:
        super().__init__(store)
        self._pinned = pinned

    async def active(self, at: str) -> Policy:
        """The pinned one, stored so that everybody can judge its deals; never active for others."""
        note = "deals imported from history"
        await self.store.add(PolicyVersion(self._pinned.version, codec.encode(self._pinned), _NEVER, note), at)
        return self._pinned


@dataclass(frozen=True)
class ImportBooks(Books):
    """The books as an import sees them: new deals pin its policy."""

    pinned: Policy = IMPORT_POLICY

    @cached_property
    def policies(self) -> Policies:
        """The import's policy for new deals, every other by its version."""
        return _PinnedPolicies(PolicyStore(self.database), self.pinned)


class Driver:
    """Drives rows; one for the whole import."""

    def __init__(self, hands: Hands, office: Office, database: Database, settings: Settings) -> None:
        self._hands, self._office = hands, office
        books = ImportBooks(database, settings)
        desk = hands.desk
        self._opening = Opening(books, desk.engine, desk.refusals, desk.clock)
        self._policies = books.policies

    async def drive_all(self, rows: list[Opportunity], at_once: int, progress: Callable[[int], None]) -> list[Driven]:
        """Drive every row; the answers are in the order of the rows."""
        standing = await deals_by_source(self._hands)
        places, done = asyncio.Semaphore(at_once), 0

        async def one(row: Opportunity) -> Driven:
            nonlocal done
            there = standing.get(row.ref)
            if there is not None and rests(row, there["state"]):
                driven = _told(row, there, resumed=True)
            else:
                async with places:
                    driven = await self._drive(row, there)
            done += 1
            progress(done)
            return driven

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(row)) for row in rows]
        return [task.result() for task in tasks]

    async def _drive(self, row: Opportunity, there: Row | None) -> Driven:
        deal_id = there["id"] if there else ""
        try:
            deal_id = deal_id or await self._open(row)
            await self._go_on(row, deal_id)
            problem = ""
        except EngineDown:
            raise
        except (DeskError, TestClockError, CommandFailed) as refused:
            problem = str(refused)
        found = await self._hands.desk.books.deals.get(deal_id) if deal_id else None
        if found is None:
            return Driven(row, deal_id, "", 0, problem or "the deal was not opened")
        if not problem and not rests(row, found["state"]):
            problem = f"ended as {found['state']}"
        return replace(_told(row, found, resumed=there is not None), problem=problem)

    async def _open(self, row: Opportunity) -> str:
        asked = NewDeal(row.title, row.customer, row.owner, row.branch, row.currency, source_ref=row.ref, is_test=True)
        caller = await self._hands.caller(self._office.clerk)
        answer = await patiently(lambda: self._opening.open(caller, asked, f"import:{row.ref}:open"))
        return answer.deal_id

    async def _go_on(self, row: Opportunity, deal_id: str) -> None:
        """Step by step until the deal rests where its row says. Raises a DeskError when it can't get there."""
        now, refusals = "", 0
        for _ in range(MOST_STEPS):
            deal = await self._hands.settled(deal_id)
            now = max(now or await self._first_look(deal), deal.updated_at)
            step = next_step(Way(row, deal, now, await self._policies.of(deal.policy_version), self._office))
            if isinstance(step, Done):
                return
            if isinstance(step, Forward):
                now = await self._hands.forward(deal_id, step.seconds)
                continue
            try:
                await self._do(row, deal, step, refusals)
                refusals = 0
            except Refused as refused:
                refusals += 1
                if refusals > PATIENCE or not may_pass(refused):
                    raise
                await asyncio.sleep(0.05 * refusals)
        raise CommandFailed(ExitCode.REFUSED, f"not there after {MOST_STEPS} steps")

    async def _do(self, row: Opportunity, deal: Deal, step: Act, attempt: int) -> None:
        key = f"import:{row.ref}:{deal.version}:{step.action}" + (f":{attempt}" if attempt else "")
        await self._hands.act(step.user, deal.id, step.action, step.payload, key)

    async def _first_look(self, deal: Deal) -> str:
        """The deal's own time; only the engine knows how far a deal of an interrupted import has come."""
        if deal.version == 1:
            return deal.opened_at
        return render(await virtual_now(self._hands.client, workflow_id(deal.id)))


def may_pass(refused: Refused) -> bool:
    """Whether the refusal can go away by itself: others give headroom back, or the deal moves on in the meantime."""
    failing = {verdict.guard for verdict in refused.refusal.failing}
    if refused.refusal.code == "wrong_state":
        return True
    return bool(failing) and failing <= {"headroom_is_available", "contract_is_drafted", "effects_are_done"}


def _told(row: Opportunity, deal: Row, *, resumed: bool) -> Driven:
    days = between(deal["opened_at"], deal["closed_at"]) // DAY if deal["closed_at"] else 0
    return Driven(row, deal["id"], deal["state"], days, resumed=resumed)


async def deals_by_source(hands: Hands) -> dict[str, Row]:
    """All deals that came from an import, by the row that they came from."""
    found: dict[str, Row] = {}
    cursor = ""
    while True:
        page = await hands.desk.books.deals.page(EVERYTHING, DealFilter(), cursor, 200)
        found |= {row["source_ref"]: row for row in page.rows if row["source_ref"]}
        if not (cursor := page.next_cursor):
            return found
