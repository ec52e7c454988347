"""Receivables: invoices, payments, the collection ladder, disputes, promises, write-offs (D27..D32)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import canonical
from models.lifecycle.machines import RECEIVABLES
from models.money import MAX_MINOR, show
from models.parts.receivable import Dispute, Receivable
from models.policy import Rung
from models.stages.approvals import ask_approval, settle
from models.stages.everywhere import DueItem, EffectFinished, HoldLifted, HoldSet, ItemFired, Reason
from models.stages.handling import handles
from models.stages.headroom import lower_headroom

Change = Callable[[Receivable], Receivable]

CREDIT_HOLD = "credit"


def _positive(amount: int) -> None:
    if not 0 < amount <= MAX_MINOR:
        raise ValueError(f"amount_minor must be from 1 to {MAX_MINOR}")


@dataclass(frozen=True, slots=True)
class InvoiceBooked:
    """The number and amount under which an invoice stands in the book, for the effect that asked."""

    effect: str
    number: str
    kind: str
    total_minor: int
    issued_at: str
    due_at: str


@dataclass(frozen=True, slots=True)
class RecordPayment:
    """Money that came in for an invoice; what exceeds the open amount is kept as the customer's credit."""

    invoice: str
    amount_minor: int
    currency: str
    reference: str = ""

    def __post_init__(self) -> None:
        _positive(self.amount_minor)


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
        _positive(self.amount_minor)


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
        _positive(self.amount_minor)
        if canonical(self.until) != self.until:
            raise ValueError("until must look like 2026-12-31T00:00:00Z")


@dataclass(frozen=True, slots=True)
class BrokenPromise:
    """The agenda item of the promise, and its invoice."""

    item: str
    invoice: str


@dataclass(frozen=True, slots=True)
class Credit:
    """A credit note on an invoice in minor units."""

    invoice: str
    amount_minor: int
    reason: str

    def __post_init__(self) -> None:
        _positive(self.amount_minor)


@dataclass(frozen=True, slots=True)
class InvoiceReason:
    """An invoice, and why something is asked for it."""

    invoice: str
    reason: str


@event
@dataclass(frozen=True, slots=True)
class InvoiceIssued(Event):
    """The customer owes."""

    tag = "invoice_issued"
    receivable: Receivable

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, receivables=(*deal.receivables, self.receivable))


@event
@dataclass(frozen=True, slots=True)
class PaymentRecorded(Event):
    """Money came in: `applied` to the invoice, `unapplied` kept as credit."""

    tag = "payment_recorded"
    invoice: str
    applied_minor: int
    unapplied_minor: int
    reference: str

    def apply(self, deal: Deal, at: str) -> Deal:
        def pay(r: Receivable) -> Receivable:
            paid = replace(
                r,
                paid_minor=r.paid_minor + self.applied_minor,
                unapplied_minor=r.unapplied_minor + self.unapplied_minor,
                promised_paid_minor=r.promised_paid_minor + (self.applied_minor if r.promised_until else 0),
            )
            kept = paid.promised_until and paid.promised_paid_minor >= paid.promised_minor
            paid = replace(paid, promised_until="", promised_minor=0, promised_paid_minor=0) if kept else paid
            return _settled(paid, "pay", at)

        return _change(deal, self.invoice, pay)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (_booking(self.invoice, "payment", self.applied_minor + self.unapplied_minor, self.reference),)


@event
@dataclass(frozen=True, slots=True)
class InvoiceCredited(Event):
    """A credit note lowers what is open."""

    tag = "invoice_credited"
    invoice: str
    amount_minor: int
    reason: str

    def apply(self, deal: Deal, at: str) -> Deal:
        def credit(r: Receivable) -> Receivable:
            return _settled(replace(r, credited_minor=r.credited_minor + self.amount_minor), "credit", at)

        return _change(deal, self.invoice, credit)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (_booking(self.invoice, "credit_note", self.amount_minor, self.reason),)


@event
@dataclass(frozen=True, slots=True)
class InvoiceWrittenOff(Event):
    """The open amount is given up."""

    tag = "invoice_written_off"
    invoice: str
    amount_minor: int

    def apply(self, deal: Deal, at: str) -> Deal:
        def give_up(r: Receivable) -> Receivable:
            return _settled(replace(r, written_off_minor=r.written_off_minor + self.amount_minor), "write_off", at)

        return _change(deal, self.invoice, give_up)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (_booking(self.invoice, "write_off", self.amount_minor, "approved write-off"),)


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
        return _change(
            deal, self.invoice, lambda r: replace(r, state=RECEIVABLES.fire(r.state, self.rung))
        )

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
        return _change(deal, self.invoice, lambda r: replace(r, disputes=(*r.disputes, self.dispute)))


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

        return _change(deal, self.invoice, end)


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

        return _change(deal, self.invoice, promise)


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

        return _change(deal, self.invoice, end)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (Effect("note_broken_promise", {"invoice": self.invoice}),)


def _change(deal: Deal, number: str, change: Change) -> Deal:
    return replace(deal, receivables=tuple(change(r) if r.number == number else r for r in deal.receivables))


def _settled(r: Receivable, action: str, at: str) -> Receivable:
    if r.open_minor > 0:
        return replace(r, state=RECEIVABLES.fire(r.state, "pay_part"))
    return replace(r, state=RECEIVABLES.fire(r.state, action), settled_at=at, promised_until="", promised_minor=0)


def _booking(invoice: str, kind: str, amount: int, reference: str) -> Effect:
    return Effect(
        "book_entry", {"invoice": invoice, "kind": kind, "amount_minor": amount, "reference": reference[:200]}
    )


def credit_all(deal: Deal, reason: str) -> list[Event]:
    """Credit notes for everything that is open."""
    return [InvoiceCredited(r.number, r.open_minor, reason) for r in deal.receivables if r.open_minor > 0]


def _after_money(ctx: Context, invoice: str, amount: int) -> list[Event]:
    """What follows when an open amount went down: headroom back, and the credit hold lifted when its cause is gone."""
    events: list[Event] = lower_headroom(ctx.deal, max(0, ctx.deal.headroom_minor - amount), "paid")
    still_late = any(
        r.collectable_minor - (amount if r.number == invoice else 0) > 0 and _holds(ctx, r)
        for r in ctx.deal.receivables
    )
    if CREDIT_HOLD in ctx.deal.holds and not still_late:
        events.append(HoldLifted(CREDIT_HOLD, f"invoice {invoice} settled"))
    return events


def _holds(ctx: Context, r: Receivable) -> bool:
    """True when the invoice has reached the rung that sets the credit hold, or a later one."""
    rungs = [rung.action for rung in ctx.policy.ladder]
    later = rungs[rungs.index(ctx.policy.credit_hold_from) :]
    return any(row.target == r.state for row in RECEIVABLES.table.rows if row.action in later)


@handles("book_invoice", InvoiceBooked)
def book_invoice(ctx: Context) -> list[Event]:
    """The receivable exists from now on."""
    p: InvoiceBooked = ctx.payload
    owed = Receivable(p.number, p.kind, ctx.deal.currency, p.total_minor, p.issued_at, p.due_at)
    return [EffectFinished(p.effect), InvoiceIssued(owed)]


@handles("record_payment", RecordPayment)
def record_payment(ctx: Context) -> list[Event]:
    """Apply to the open amount, keep the rest as credit."""
    p: RecordPayment = ctx.payload
    owed = ctx.deal.receivable(p.invoice)
    applied = min(p.amount_minor, owed.open_minor if owed else 0)
    paid = PaymentRecorded(p.invoice, applied, p.amount_minor - applied, p.reference)
    return [paid, *_after_money(ctx, p.invoice, applied)]


@handles("advance_collection", AdvanceCollection)
def advance_collection(ctx: Context) -> list[Event]:
    """One rung up on what is collectable; the policy's rung sets the credit hold."""
    p: AdvanceCollection = ctx.payload
    owed = ctx.deal.receivable(p.invoice)
    rung = next((r for r in ctx.policy.ladder if r.action == p.rung), Rung(p.rung, 0))
    events: list[Event] = [
        CollectionAdvanced(p.invoice, p.rung, rung.letter, owed.collectable_minor if owed else 0)
    ]
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
        events += [InvoiceCredited(p.invoice, p.credit_minor, p.reason), *_after_money(ctx, p.invoice, p.credit_minor)]
    return events


@handles("promise_to_pay", Promise)
def promise_to_pay(ctx: Context) -> list[Event]:
    """A clock of its own."""
    p: Promise = ctx.payload
    return [PaymentPromised(p.invoice, p.amount_minor, p.until)]


@handles("break_promise", BrokenPromise)
def break_promise(ctx: Context) -> list[Event]:
    """Back to the ladder; the reliability score hears of it."""
    return [PromiseBroken(ctx.payload.invoice), ItemFired(ctx.payload.item)]


@handles("credit", Credit)
def credit(ctx: Context) -> list[Event]:
    """A credit note."""
    p: Credit = ctx.payload
    return [InvoiceCredited(p.invoice, p.amount_minor, p.reason), *_after_money(ctx, p.invoice, p.amount_minor)]


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
    return [
        *settle(ctx, "write_off", "approve", ctx.payload.reason),
        InvoiceWrittenOff(asked.subject, asked.amount),
        *_after_money(ctx, asked.subject, asked.amount),
    ]


@handles("decline_write_off", Reason)
def decline_write_off(ctx: Context) -> list[Event]:
    """Keep collecting."""
    return settle(ctx, "write_off", "decline", ctx.payload.reason)


