"""Collection: the ladder on the open remainder, disputes, promises to pay, write-offs (D29..D32)."""

from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import canonical
from models.lifecycle.machines import RECEIVABLES
from models.money import MAX_MINOR, show
from models.parts.receivable import Dispute, Receivable
from models.policy import Rung
from models.stages.approvals import ask_approval, settle
from models.stages.everywhere import HoldSet, ItemFired, Reason
from models.stages.handling import handles
from models.stages.receivables import (
    CREDIT_HOLD,
    InvoiceCredited,
    booked,
    booking,
    money_moved,
    positive,
    with_receivable,
)


@dataclass(frozen=True, slots=True)
class AdvanceCollection:
    """The agenda item of a rung, and the invoice it belongs to."""

    item: str
    invoice: str
    rung: str


@dataclass(frozen=True, slots=True)
class RaiseDispute:
    """The disputed amount of an invoice in minor units, and why."""

    invoice: str
    amount_minor: int
    reason: str

    def __post_init__(self) -> None:
        positive(self.amount_minor)


@dataclass(frozen=True, slots=True)
class SettleDispute:
    """End a dispute: `credit_minor` is credited (0 rejects it), the rest is collected again."""

    invoice: str
    dispute: int
    credit_minor: int
    reason: str

    def __post_init__(self) -> None:
        if not 0 <= self.credit_minor <= MAX_MINOR:
            raise ValueError(f"credit_minor must be from 0 to {MAX_MINOR}")


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
    """The agenda item of the promise, and its invoice."""

    item: str
    invoice: str


@dataclass(frozen=True, slots=True)
class InvoiceReason:
    """An invoice, and why something is asked for it."""

    invoice: str
    reason: str


@event
@dataclass(frozen=True, slots=True)
class InvoiceWrittenOff(Event):
    """The open amount is given up."""

    tag = "invoice_written_off"
    invoice: str
    amount_minor: int

    def apply(self, deal: Deal, at: str) -> Deal:
        def give_up(r: Receivable) -> Receivable:
            return booked(replace(r, written_off_minor=r.written_off_minor + self.amount_minor), "write_off", at)

        return with_receivable(deal, self.invoice, give_up)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (booking(self.invoice, "write_off", self.amount_minor, "approved write-off"),)


@event
@dataclass(frozen=True, slots=True)
class CollectionAdvanced(Event):
    """A rung of the ladder was reached; `letter` is empty for rungs without one."""

    tag = "collection_advanced"
    invoice: str
    rung: str
    letter: str
    open_minor: int

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_receivable(deal, self.invoice, lambda r: replace(r, state=RECEIVABLES.fire(r.state, self.rung)))

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        if not self.letter:
            return ()
        owed = deal.receivable(self.invoice)
        facts = {
            "invoice": self.invoice,
            "open": show(self.open_minor, deal.currency),
            "due_at": owed.due_at[:10] if owed else "",
        }
        return (Effect("send_letter", {"kind": self.letter, "facts": facts}),)


@event
@dataclass(frozen=True, slots=True)
class DisputeRaised(Event):
    """An amount is frozen."""

    tag = "dispute_raised"
    invoice: str
    dispute: Dispute

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_receivable(deal, self.invoice, lambda r: replace(r, disputes=(*r.disputes, self.dispute)))


@event
@dataclass(frozen=True, slots=True)
class DisputeSettled(Event):
    """A frozen amount is free again (what was credited has its own event)."""

    tag = "dispute_settled"
    invoice: str
    number: int

    def apply(self, deal: Deal, at: str) -> Deal:
        def end(r: Receivable) -> Receivable:
            ended = tuple(replace(d, settled=True) if d.number == self.number else d for d in r.disputes)
            return replace(r, disputes=ended)

        return with_receivable(deal, self.invoice, end)


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
            return replace(r, promised_minor=self.amount_minor, promised_until=self.until, promised_paid_minor=0)

        return with_receivable(deal, self.invoice, promise)


@event
@dataclass(frozen=True, slots=True)
class PromiseBroken(Event):
    """The promised money did not come; the ladder goes on."""

    tag = "promise_broken"
    invoice: str

    def apply(self, deal: Deal, at: str) -> Deal:
        def end(r: Receivable) -> Receivable:
            return replace(
                r, promised_until="", promised_minor=0, promised_paid_minor=0, broken_promises=r.broken_promises + 1
            )

        return with_receivable(deal, self.invoice, end)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (Effect("note_broken_promise", {"invoice": self.invoice}),)


@handles("advance_collection", AdvanceCollection)
def advance_collection(ctx: Context) -> list[Event]:
    """One rung up on what is collectable; the policy's rung sets the credit hold."""
    p: AdvanceCollection = ctx.payload
    owed = ctx.deal.receivable(p.invoice)
    rung = next((r for r in ctx.policy.ladder if r.action == p.rung), Rung(p.rung, 0))
    events: list[Event] = [CollectionAdvanced(p.invoice, p.rung, rung.letter, owed.collectable_minor if owed else 0)]
    if p.rung == ctx.policy.credit_hold_from and CREDIT_HOLD not in ctx.deal.holds:
        events.append(HoldSet(CREDIT_HOLD, f"invoice {p.invoice} is overdue"))
    return events


@handles("dispute", RaiseDispute)
def dispute(ctx: Context) -> list[Event]:
    """Freeze the amount."""
    p: RaiseDispute = ctx.payload
    owed = ctx.deal.receivable(p.invoice)
    number = len(owed.disputes) + 1 if owed else 1
    return [DisputeRaised(p.invoice, Dispute(number, p.amount_minor, p.reason, ctx.now))]


@handles("settle_dispute", SettleDispute)
def settle_dispute(ctx: Context) -> list[Event]:
    """Credit what was agreed, collect the rest."""
    p: SettleDispute = ctx.payload
    events: list[Event] = [DisputeSettled(p.invoice, p.dispute)]
    if p.credit_minor:
        events.append(InvoiceCredited(p.invoice, p.credit_minor, p.reason))
    return money_moved(ctx, events, "credited")


@handles("promise_to_pay", Promise)
def promise_to_pay(ctx: Context) -> list[Event]:
    """A clock of its own."""
    p: Promise = ctx.payload
    return [PaymentPromised(p.invoice, p.amount_minor, p.until)]


@handles("break_promise", BrokenPromise)
def break_promise(ctx: Context) -> list[Event]:
    """Back to the ladder; the reliability score hears of it."""
    return [PromiseBroken(ctx.payload.invoice), ItemFired(ctx.payload.item)]


@handles("request_write_off", InvoiceReason)
def request_write_off(ctx: Context) -> list[Event]:
    """Ask for what only a head or the director may decide (D32)."""
    p: InvoiceReason = ctx.payload
    owed = ctx.deal.receivable(p.invoice)
    amount = owed.open_minor if owed else 0
    able = tuple(role for role, limit in ctx.policy.write_off_authority.items() if limit >= amount)
    return [ask_approval(ctx, "write_off", p.invoice, f"{p.invoice}:{amount}", p.reason, able, amount)]


@handles("approve_write_off", Reason)
def approve_write_off(ctx: Context) -> list[Event]:
    """Give up what was asked for."""
    asked = ctx.deal.pending_approval("write_off")
    if asked is None:
        return []
    approved = settle(ctx, "write_off", "approve", ctx.payload.reason)
    return money_moved(ctx, [*approved, InvoiceWrittenOff(asked.subject, asked.amount)], "written off")


@handles("decline_write_off", Reason)
def decline_write_off(ctx: Context) -> list[Event]:
    """Keep collecting."""
    return settle(ctx, "write_off", "decline", ctx.payload.reason)
