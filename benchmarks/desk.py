"""The client side of a benchmark: opens deals and acts on them as the API does, and tells whole deals."""

import asyncio
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio.client import WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from benchmarks.floors import FLOOR, FLOOR_QUEUE, POKE, Asked, Told
from benchmarks.rig import ARTICLES, CUSTOMERS, Rig
from infra.test_clock import clock_client
from models import codec
from models.command import Actor
from models.messages.deals import UPDATE_ACT, UPDATE_OPENED, WORKFLOW, ActInput, ActResult, StartInput, workflow_id
from models.policy import DEFAULT
from models.stages.opening import OpenDeal
from models.timeline import digest

Handle = WorkflowHandle[Any, Any]

REMARK = "Called about the delivery date; they will confirm by Friday."
_LOOK_EVERY = 0.01
_PATIENCE = 60.0


@dataclass
class Desk:
    """Acts on a rig's deals and floors. Every act has a key of its own."""

    rig: Rig
    moves_per_run: int = StartInput("", {}, Actor("", ()), "").moves_per_run
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def open(self, deal_id: str, *, test: bool = False) -> Handle:
        """Open a deal, a test deal if its clock is to be moved; returns when its opening is recorded."""
        number = next(self._numbers) % CUSTOMERS
        actor = Actor("u-account_manager", ("account_manager",))
        opened = OpenDeal("Pumps", f"c-{number}", f"g-{number}", actor.user, "north", "berlin", "EUR")
        plain = codec.encode(opened)
        start = StartInput(
            deal_id, codec.encode(DEFAULT), actor, "open", digest(plain), plain, moves_per_run=self.moves_per_run
        )
        operation: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            WORKFLOW,
            start,
            id=workflow_id(deal_id),
            task_queue=self.rig.settings.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        client = clock_client(self.rig.client) if test else self.rig.client
        await client.execute_update_with_start_workflow(
            UPDATE_OPENED, start_workflow_operation=operation, result_type=ActResult
        )
        return self.handle(deal_id)

    def handle(self, deal_id: str) -> Handle:
        """The handle of a deal's workflow."""
        return self.rig.client.get_workflow_handle(workflow_id(deal_id))

    async def act(self, handle: Handle, role: str, action: str, **payload: Any) -> ActResult:
        """Act on a deal as `u-<role>`."""
        key = f"{action}-{next(self._numbers)}"
        asked = ActInput(action, Actor(f"u-{role}", (role,)), key, digest([action, role, payload]), payload)
        result: ActResult = await handle.execute_update(UPDATE_ACT, asked, id=key, result_type=ActResult)
        return result

    async def note(self, handle: Handle) -> None:
        """The smallest real act."""
        await self.act(handle, "account_manager", "note", text=REMARK)

    async def log_contact(self, handle: Handle) -> None:
        """A real act of prospecting."""
        await self.act(handle, "account_manager", "log_contact", channel="call", outcome="wants an offer")

    async def floor(self, name: str) -> Handle:
        """Start a floor."""
        return await self.rig.client.start_workflow(FLOOR, id=f"floor-{name}", task_queue=FLOOR_QUEUE)

    async def poke(self, floor: Handle) -> None:
        """Floor (a)."""
        await floor.signal(POKE, Asked(f"k-{next(self._numbers)}"))

    async def ask(self, floor: Handle, update: str) -> None:
        """Floors (b) and (c)."""
        key = f"k-{next(self._numbers)}"
        await floor.execute_update(update, Asked(key), id=key, result_type=Told)

    async def settled(self, deal_id: str, state: str = "") -> dict[str, Any]:
        """Wait until nothing is asked of the world (and the deal is in a state); answers its snapshot.

        Reads the projection, as a person's screen would.
        """
        query = "SELECT state, pending_effects, snapshot FROM deals WHERE id = ?"
        for _ in range(int(_PATIENCE / _LOOK_EVERY)):
            row = self.rig.books.execute(query, (deal_id,)).fetchone()
            if row and not row[1] and (not state or row[0] == state):
                snapshot: dict[str, Any] = json.loads(row[2])
                return snapshot
            await asyncio.sleep(_LOOK_EVERY)
        raise TimeoutError(f"{deal_id} does not settle{f' in {state}' if state else ''}")


async def entered_deal(desk: Desk, deal_id: str, articles: Sequence[str] = ARTICLES, *, test: bool = False) -> Handle:
    """First contact to an entered order of two units of each article; answers when stock has been asked."""
    deal = await desk.open(deal_id, test=test)
    await _win_the_offer(desk, deal, deal_id, articles)
    await _sign(desk, deal, deal_id)
    await _enter(desk, deal, deal_id)
    return deal


async def delivered_deal(desk: Desk, deal_id: str) -> Handle:
    """A test deal whose goods have arrived, and whose one invoice is booked."""
    deal = await entered_deal(desk, deal_id, test=True)
    await _deliver(desk, deal, deal_id)
    await desk.settled(deal_id, "supporting")
    return deal


async def whole_deal(desk: Desk, deal_id: str) -> None:
    """First contact to completed: every stage, one order of three lines, one invoice, paid, support closed."""
    deal = await entered_deal(desk, deal_id)
    await _deliver(desk, deal, deal_id)
    (invoice,) = (await desk.settled(deal_id, "supporting"))["receivables"]
    await desk.act(
        deal,
        "accounts_receivable",
        "record_payment",
        invoice=invoice["number"],
        amount_minor=invoice["total_minor"],
        currency="EUR",
    )
    await desk.act(deal, "account_manager", "record_feedback", satisfaction=5, text="on time")
    await desk.settled(deal_id)
    await desk.act(deal, "account_manager", "complete")


async def _win_the_offer(desk: Desk, deal: Handle, deal_id: str, articles: Sequence[str]) -> None:
    await desk.log_contact(deal)
    await desk.act(deal, "account_manager", "record_needs", what="pumps", quantity=6, budget_minor=60_000)
    await desk.act(deal, "account_manager", "qualify")
    await desk.act(deal, "account_manager", "request_check")
    await desk.settled(deal_id, "preparing_offer")
    lines = [{"article": article, "quantity": 2} for article in articles]
    await desk.act(deal, "account_manager", "draft_offer", lines=lines)
    await desk.act(deal, "account_manager", "send_offer")
    await desk.act(deal, "account_manager", "accept_offer")


async def _sign(desk: Desk, deal: Handle, deal_id: str) -> None:
    contract = (await desk.settled(deal_id, "drafting_contract"))["contract"]
    await desk.act(deal, "account_manager", "send_contract")
    for side in ("ours", "theirs"):
        await desk.act(deal, "account_manager", "sign", side=side, digest=contract["digest"], signatory="buyer")


async def _enter(desk: Desk, deal: Handle, deal_id: str) -> None:
    await desk.act(deal, "account_manager", "accept_order")
    ordered = (await desk.settled(deal_id, "ordering"))["order"]["lines"]
    lines = [
        {"article": o["article"], "quantity": o["ordered"], "unit_price_minor": o["unit_price_minor"]} for o in ordered
    ]
    await desk.act(deal, "sales_support", "enter_order", lines=lines)
    await desk.settled(deal_id, "fulfilling")


async def _deliver(desk: Desk, deal: Handle, deal_id: str) -> None:
    await desk.act(deal, "logistics_manager", "ship")
    await desk.settled(deal_id, "fulfilling")
    await desk.act(deal, "logistics_manager", "deliver")
