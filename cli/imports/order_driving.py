"""Drives the deals of an order file on the real engine: all of them to an accepted order at once, then one after the
other, in the order of their time, into the stock book and through the shortage desk, and at last all to their end.

A deal's id follows from its invoice, and its next step from where it stands, so an interrupted import just goes on.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from cli.exits import CommandFailed, ExitCode
from cli.hands import REST_SECONDS, Hands, patiently
from cli.imports.driving import IMPORT_POLICY, PATIENCE, ImportBooks, deals_by_source, may_pass
from cli.imports.opportunities import Item, Opportunity, Outcome
from cli.imports.order_setup import SELLER
from cli.imports.order_steps import (
    OrderStep,
    OrderWay,
    Received,
    Together,
    until_accepted,
    until_closed,
    until_entered,
    until_served,
)
from cli.imports.orders import CURRENCY, GivenBack, SalesOrder
from cli.imports.steps import Act, Done, Forward, Office, Way
from infra.desk.errors import DeskError, EngineDown, Refused
from infra.desk.opening import NewDeal, Opening
from infra.desk.waking import RETRY
from infra.test_clock import TestClockError, virtual_now
from models.deal_state import Deal
from models.instants import render
from models.lifecycle.states import DealState
from models.messages.deals import workflow_id
from models.policy import ReliabilityPolicy

_STEPS = 200
_STEPS_A_LINE = 16
_ACTS_AT_ONCE = 8
_AFTER_A_STOP = 240.0
"""Seconds that a deal of an interrupted import may need: the engine waits for what a stopped worker had begun."""

ORDER_POLICY = replace(
    IMPORT_POLICY,
    version=f"orders-{IMPORT_POLICY.version}",
    discount_authority={**IMPORT_POLICY.discount_authority, "account_manager": 10_000},
    signing_authority={**IMPORT_POLICY.signing_authority, "account_manager": 10**14},
    reliability=ReliabilityPolicy(
        class_a=0,
        class_b=0,
        class_c=0,
        class_d=0,
        limit_by_class={"A": 10**13, "B": 0, "C": 0, "D": 0, "E": 0},
        terms_days_by_class={"A": 90, "B": 0, "C": 0, "D": 0, "E": 0},
    ),
)
"""The policy that deals of imported orders pin: as for imported opportunities, but the seller may sign and discount by
himself, and whoever ordered is trusted with 90 days, because a file of orders says nothing about its customers."""

Goal = Callable[[OrderWay], OrderStep]


@dataclass(slots=True)
class Served:
    """What came of one order. `problem` says why it isn't where it should be; `resumed` ones were there before."""

    order: SalesOrder
    deal_id: str = ""
    deal: Deal | None = None
    problem: str = ""
    resumed: bool = False
    restocked: set[int] = field(default_factory=set)


class OrderDriver:
    """Drives orders; one for the whole import."""

    def __init__(self, hands: Hands, office: Office, warehouse: str, customers: dict[str, str]) -> None:
        self._hands, self._office, self._warehouse, self._customers = hands, office, warehouse, customers
        desk = hands.desk
        books = ImportBooks(desk.books.database, desk.books.settings, ORDER_POLICY)
        self._opening = Opening(books, desk.engine, desk.refusals, desk.clock)
        self._policies = books.policies

    async def drive_all(
        self, orders: list[SalesOrder], returns: list[GivenBack], at_once: int, progress: Callable[[int], None]
    ) -> list[Served]:
        """Drive every order; the answers are in the order of the orders. `progress` counts a third of an order each."""
        standing = await deals_by_source(self._hands)
        served = [Served(order) for order in orders]
        for one in served:
            if (there := standing.get(one.order.ref)) is not None:
                one.deal_id, one.resumed = there["id"], True
                one.deal = await self._hands.settled(one.deal_id) if DealState(there["state"]).is_terminal else None
        given: defaultdict[str, list[GivenBack]] = defaultdict(list)
        for back in returns:
            given[back.invoice].append(back)
        told = _Steps(3 * len(orders), progress)
        await self._at_once(served, until_accepted, at_once, told, given)
        for one in served:  # one after the other: first come, first served, and whoever comes later finds what is left
            await self._until(one, until_entered)
            await self._until(one, until_served)
            told.one()
        await self._at_once(served, until_closed, at_once, told, given)
        return served

    async def _at_once(
        self, served: list[Served], goal: Goal, at_once: int, told: _Steps, given: dict[str, list[GivenBack]]
    ) -> None:
        places = asyncio.Semaphore(at_once)

        async def one(this: Served) -> None:
            async with places:
                await self._until(this, goal, given.get(this.order.invoice, []))
            told.one()

        async with asyncio.TaskGroup() as group:
            for each in served:
                group.create_task(one(each))

    async def _until(self, one: Served, goal: Goal, returns: Iterable[GivenBack] = ()) -> None:
        """Step by step until the goal is reached; what can't be done is the order's problem, and ends its way."""
        if one.problem or (one.deal and one.deal.is_closed):
            return
        try:
            one.deal_id = one.deal_id or await self._open(one.order)
            one.deal = await self._go_on(one, goal, tuple(returns))
        except EngineDown:
            raise
        except (DeskError, TestClockError, CommandFailed) as refused:
            one.problem = str(refused)

    async def _open(self, order: SalesOrder) -> str:
        row = opportunity(order, self._customers)
        asked = NewDeal(row.title, row.customer, row.owner, "", row.currency, source_ref=row.ref, is_test=True)
        caller = await self._hands.caller(self._office.clerk)
        answer = await patiently(lambda: self._opening.open(caller, asked, f"import:{row.ref}:open"))
        return answer.deal_id

    async def _go_on(self, one: Served, goal: Goal, returns: tuple[GivenBack, ...]) -> Deal:
        row = opportunity(one.order, self._customers)
        now, refusals = "", 0
        for _ in range(_STEPS + _STEPS_A_LINE * len(one.order.items)):
            deal = await self._hands.settled(one.deal_id, _AFTER_A_STOP if one.resumed else REST_SECONDS)
            now = max(now or await self._now(deal), deal.updated_at)
            way = Way(row, deal, now, await self._policies.of(deal.policy_version), self._office)
            step = goal(OrderWay(way, one.order, returns, one.restocked))
            if isinstance(step, Done):
                return deal
            if isinstance(step, Forward):
                now = await self._hands.forward(deal.id, step.seconds)
                continue
            try:
                await self._do(one, deal, step, now, refusals)
                refusals = 0
            except Refused as refused:
                refusals += 1
                if refusals > PATIENCE or not may_pass(refused):
                    raise
                await asyncio.sleep(0.05 * refusals)
        raise CommandFailed(ExitCode.REFUSED, "not there after very many steps")

    async def _do(self, one: Served, deal: Deal, step: Act | Together | Received, now: str, attempt: int) -> None:
        if isinstance(step, Received):
            for lot in step.lots:
                key = f"import:{one.order.ref}:received:{lot.line}"
                await self._hands.desk.books.intake.receive(lot.article, self._warehouse, lot.quantity, now, key)
                one.restocked.add(lot.line)
            step = Act(self._office.clerk, RETRY)  # whoever brings goods tells the deals that wait for them
        if isinstance(step, Act):
            await self._act(one, deal, step, attempt)
            return
        for few in (step.acts[first : first + _ACTS_AT_ONCE] for first in range(0, len(step.acts), _ACTS_AT_ONCE)):
            await asyncio.gather(*(self._act(one, deal, act, attempt) for act in few))

    async def _act(self, one: Served, deal: Deal, act: Act, attempt: int) -> None:
        parts = (f"import:{one.order.ref}:{deal.version}:{act.action}", act.payload.get("line"), attempt)
        await self._hands.act(act.user, deal.id, act.action, act.payload, ":".join(str(part) for part in parts if part))

    async def _now(self, deal: Deal) -> str:
        """The deal's own time; only the engine knows how far a deal of an interrupted import has come."""
        if deal.version == 1 or deal.is_closed:
            return deal.updated_at
        return render(await virtual_now(self._hands.client, workflow_id(deal.id)))


class _Steps:
    """Counts steps for the progress line: thirds of orders, told as whole orders."""

    def __init__(self, total: int, progress: Callable[[int], None]) -> None:
        self._total, self._done, self._progress = total, 0, progress

    def one(self) -> None:
        """One order reached a goal."""
        self._done += 1
        self._progress(self._done // 3)


def opportunity(order: SalesOrder, customers: dict[str, str]) -> Opportunity:
    """An order as an import knows what is to be sold. `customers` are the ids of the file's customers."""
    return Opportunity(
        line=order.items[0].lines[0],
        ref=order.ref,
        title=f"Order {order.invoice} of {order.at[:16].replace('T', ' ')}",
        owner=SELLER.id,
        customer=customers[order.customer],
        currency=CURRENCY,
        items=tuple(Item(item.article, item.quantity, item.unit_price_minor) for item in order.items),
        outcome=Outcome.WON,
    )
