"""Promises to pay and payment plans: clocks of their own; a broken word puts the ladder one level up (D31)."""

from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import canonical
from models.parts.receivable import Instalment, Plan, PromiseMade, Receivable
from models.stages.consequences import re_evaluated
from models.stages.everywhere import ItemFired
from models.stages.handling import handles
from models.stages.ladder import one_level_up
from models.stages.letters import letter
from models.stages.owed import positive, with_receivable, without_plan, without_promise

MOST_INSTALMENTS = 36


@dataclass(frozen=True, slots=True)
class Promise:
    """The customer promises an amount until an instant."""

    invoice: str
    amount_minor: int
    until: str

    def __post_init__(self) -> None:
        positive(self.amount_minor)
        if canonical(self.until) != self.until:
            raise ValueError("until must look like 2026-12-31T00:00:00Z")


@dataclass(frozen=True, slots=True)
class BrokenPromise:
    """The agenda item of the promise or instalment, and its invoice."""

    item: str
    invoice: str


@dataclass(frozen=True, slots=True)
class AgreePlan:
    """A payment plan for all that can be collected of an invoice: its instalments in the order of their dates."""

    invoice: str
    instalments: tuple[Instalment, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.instalments) <= MOST_INSTALMENTS:
            raise ValueError(f"a plan has 1 to {MOST_INSTALMENTS} instalments")
        for each in self.instalments:
            positive(each.amount_minor)
            if canonical(each.due_at) != each.due_at:
                raise ValueError("due_at must look like 2026-12-31T00:00:00Z")
        dates = [each.due_at for each in self.instalments]
        if dates != sorted(set(dates)):
            raise ValueError("instalments stand in the order of their dates, each date once")


@event
@dataclass(frozen=True, slots=True)
class PaymentPromised(Event):
    """The ladder waits until the promise is over."""

    tag = "payment_promised"
    invoice: str
    amount_minor: int
    until: str

    def apply(self, deal: Deal, at: str) -> Deal:
        def promise(r: Receivable) -> Receivable:
            r = without_promise(r, "replaced", at)
            made = PromiseMade(self.amount_minor, at, self.until)
            return replace(r, promised_minor=self.amount_minor, promised_until=self.until, promises=(*r.promises, made))

        return with_receivable(deal, self.invoice, promise)


@event
@dataclass(frozen=True, slots=True)
class PromiseBroken(Event):
    """The promised money did not come; the ladder goes on."""

    tag = "promise_broken"
    invoice: str

    def apply(self, deal: Deal, at: str) -> Deal:
        def end(r: Receivable) -> Receivable:
            return replace(without_promise(r, "broken", at), broken_promises=r.broken_promises + 1)

        return with_receivable(deal, self.invoice, end)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (Effect("note_broken_promise", {"invoice": self.invoice}),)


@event
@dataclass(frozen=True, slots=True)
class PlanAgreed(Event):
    """The customer pays in instalments; the ladder waits as long as they come."""

    tag = "plan_agreed"
    invoice: str
    by: str
    instalments: tuple[Instalment, ...]

    def apply(self, deal: Deal, at: str) -> Deal:
        plan = Plan(self.instalments, at, self.by)

        def agree(r: Receivable) -> Receivable:
            r = without_plan(without_promise(r, "replaced", at), "replaced", at)
            return replace(r, plans=(*r.plans, plan))

        return with_receivable(deal, self.invoice, agree)


@event
@dataclass(frozen=True, slots=True)
class PlanDefaulted(Event):
    """An instalment did not come: the plan is off, and all that is open is due at once."""

    tag = "plan_defaulted"
    invoice: str
    instalment: int

    def apply(self, deal: Deal, at: str) -> Deal:
        def end(r: Receivable) -> Receivable:
            return replace(without_plan(r, "defaulted", at), broken_promises=r.broken_promises + 1)

        return with_receivable(deal, self.invoice, end)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (Effect("note_broken_promise", {"invoice": self.invoice}),)


@handles("promise_to_pay", Promise)
def promise_to_pay(ctx: Context) -> list[Event]:
    """A clock of its own."""
    p: Promise = ctx.payload
    events: list[Event] = [PaymentPromised(p.invoice, p.amount_minor, p.until)]
    owed = ctx.deal.receivable(p.invoice)
    if ctx.policy.rules < 3 or owed is None:
        return events
    told = letter(ctx, "promise_confirmation", owed, promised_minor=p.amount_minor, promised_on=p.until[:10])
    return re_evaluated(ctx, [*events, *told], "promised")


@handles("break_promise", BrokenPromise)
def break_promise(ctx: Context) -> list[Event]:
    """Back to the ladder, one level up; the reliability score hears of it."""
    events: list[Event] = [PromiseBroken(ctx.payload.invoice), ItemFired(ctx.payload.item)]
    owed = ctx.deal.receivable(ctx.payload.invoice)
    if ctx.policy.rules < 3 or owed is None:
        return events
    return re_evaluated(ctx, [*events, one_level_up(owed, ctx.policy, ctx.now)], "promise broken")


@handles("agree_plan", AgreePlan)
def agree_plan(ctx: Context) -> list[Event]:
    """Instalments instead of the whole; the customer gets them in writing."""
    p: AgreePlan = ctx.payload
    owed = ctx.deal.receivable(p.invoice)
    if owed is None:
        return []
    rows = {
        f"row_{number}": f"{number}|{each.due_at[:10]}|{each.amount_minor}"
        for number, each in enumerate(p.instalments, start=1)
    }
    told = letter(ctx, "plan_agreement", owed, columns="part_count|due_on|amount_minor", **rows)
    return re_evaluated(ctx, [PlanAgreed(p.invoice, ctx.actor.user, p.instalments), *told], "plan agreed")


@handles("default_plan", BrokenPromise)
def default_plan(ctx: Context) -> list[Event]:
    """An instalment is late beyond the grace: everything is due, one level up."""
    owed = ctx.deal.receivable(ctx.payload.invoice)
    plan = owed.plan if owed else None
    late = plan.next_unpaid if plan else None
    if owed is None or late is None:
        return []
    events = [PlanDefaulted(owed.number, late[0]), ItemFired(ctx.payload.item)]
    told = letter(ctx, "plan_default", owed, instalment_minor=late[1].amount_minor, instalment_on=late[1].due_at[:10])
    return re_evaluated(ctx, [*events, one_level_up(owed, ctx.policy, ctx.now), *told], "plan defaulted")
