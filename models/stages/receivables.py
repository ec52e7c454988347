"""Receivables: invoices, what is booked on them, and what follows when an open amount went down (D27, D28)."""

from collections.abc import Callable
from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.lifecycle.machines import APPROVALS, RECEIVABLES
from models.money import MAX_MINOR
from models.parts.receivable import Receivable
from models.stages.approvals import ApprovalSettled
from models.stages.everywhere import EffectFinished, HoldLifted
from models.stages.handling import handles
from models.stages.headroom import lower_headroom

Change = Callable[[Receivable], Receivable]

CREDIT_HOLD = "credit"
"""The hold that the ladder sets, and that is lifted when nothing is left that asks for it."""


def positive(amount: int) -> None:
    """Raises ValueError unless it is a plausible amount of money."""
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
        positive(self.amount_minor)


@dataclass(frozen=True, slots=True)
class Credit:
    """A credit note on an invoice in minor units."""

    invoice: str
    amount_minor: int
    reason: str

    def __post_init__(self) -> None:
        positive(self.amount_minor)


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
class ShipmentInvoiced(Event):
    """The invoice of a shipment's arrival: credit notes for its goods go on this one."""

    tag = "shipment_invoiced"
    shipment: str
    invoice: str

    def apply(self, deal: Deal, at: str) -> Deal:
        if deal.order is None:
            return deal
        shipments = tuple(
            replace(each, invoice=self.invoice) if each.number == self.shipment else each
            for each in deal.order.shipments
        )
        return replace(deal, order=replace(deal.order, shipments=shipments))


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
            return booked(paid, "pay", at)

        return with_receivable(deal, self.invoice, pay)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (booking(self.invoice, "payment", self.applied_minor + self.unapplied_minor, self.reference),)


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
            return booked(replace(r, credited_minor=r.credited_minor + self.amount_minor), "credit", at)

        return with_receivable(deal, self.invoice, credit)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (booking(self.invoice, "credit_note", self.amount_minor, self.reason),)


def with_receivable(deal: Deal, number: str, change: Change) -> Deal:
    """The deal with one invoice changed."""
    return replace(deal, receivables=tuple(change(r) if r.number == number else r for r in deal.receivables))


def booked(r: Receivable, action: str, at: str) -> Receivable:
    """The invoice after money was booked on it: settled by `action` when nothing is open any more."""
    if r.is_settled:
        return r
    if r.open_minor > 0:
        return replace(r, state=RECEIVABLES.fire(r.state, "pay_part"))
    state = RECEIVABLES.fire(r.state, action)
    return replace(r, state=state, settled_at=at, promised_until="", promised_minor=0, promised_paid_minor=0)


def booking(invoice: str, kind: str, amount: int, reference: str) -> Effect:
    """Ask the ledger to book one movement."""
    return Effect(
        "book_entry", {"invoice": invoice, "kind": kind, "amount_minor": amount, "reference": reference[:200]}
    )


def credit_all(deal: Deal, reason: str) -> list[Event]:
    """Credit notes for everything that is open."""
    return [InvoiceCredited(r.number, r.open_minor, reason) for r in deal.receivables if r.open_minor > 0]


def credits_of(deal: Deal, kind: str, amount_minor: int, reason: str) -> list[Event]:
    """Credit notes for an amount on the open invoices of a kind, the oldest first; as far as they are open."""
    events: list[Event] = []
    for owed in deal.receivables:
        part = min(owed.open_minor, amount_minor)
        if owed.kind == kind and part > 0:
            events.append(InvoiceCredited(owed.number, part, reason))
            amount_minor -= part
    return events


def money_moved(ctx: Context, events: list[Event], cause: str) -> list[Event]:
    """The events with what follows when they lower what is open: headroom goes back, the credit hold ends when no
    late money asks for it, and a write-off that was asked for another amount is void."""
    after = ctx.deal
    for happened in events:
        after = happened.apply(after, ctx.now)
    settled = ctx.deal.open_minor - after.open_minor
    if settled <= 0:
        return events
    events = [*events, *lower_headroom(ctx.deal, max(0, ctx.deal.headroom_minor - settled), cause)]
    late = any(r.collectable_minor > 0 and _asks_for_hold(ctx, r) for r in after.receivables)
    if CREDIT_HOLD in ctx.deal.holds and not late:
        events.append(HoldLifted(CREDIT_HOLD, "no late money is left"))
    asked = after.pending_approval("write_off")
    owed = after.receivable(asked.subject) if asked else None
    if asked and owed and owed.open_minor != asked.amount:
        void = APPROVALS.fire(asked.state, "void")
        events.append(ApprovalSettled(asked.number, void, "", "what was asked for has changed"))
    return events


def _asks_for_hold(ctx: Context, r: Receivable) -> bool:
    """True when the invoice has reached the rung that sets the credit hold, or a later one."""
    rungs = [rung.action for rung in ctx.policy.ladder]
    later = rungs[rungs.index(ctx.policy.credit_hold_from) :]
    return any(row.target == r.state for row in RECEIVABLES.table.rows if row.action in later)


@handles("book_invoice", InvoiceBooked)
def book_invoice(ctx: Context) -> list[Event]:
    """The receivable exists from now on."""
    p: InvoiceBooked = ctx.payload
    owed = Receivable(p.number, p.kind, ctx.deal.currency, p.total_minor, p.issued_at, p.due_at)
    asked = ctx.deal.effect(p.effect)
    shipment = str(asked.data.get("shipment", "")) if asked else ""
    billed = [ShipmentInvoiced(shipment, p.number)] if shipment else []
    return [EffectFinished(p.effect), InvoiceIssued(owed), *billed]


@handles("record_payment", RecordPayment)
def record_payment(ctx: Context) -> list[Event]:
    """Apply to the open amount, keep the rest as credit."""
    p: RecordPayment = ctx.payload
    owed = ctx.deal.receivable(p.invoice)
    applied = min(p.amount_minor, owed.open_minor if owed else 0)
    paid = PaymentRecorded(p.invoice, applied, p.amount_minor - applied, p.reference)
    return money_moved(ctx, [paid], "paid")


@handles("credit", Credit)
def credit(ctx: Context) -> list[Event]:
    """A credit note."""
    p: Credit = ctx.payload
    return money_moved(ctx, [InvoiceCredited(p.invoice, p.amount_minor, p.reason)], "credited")
