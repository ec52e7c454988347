"""Receivables: invoices, what is booked on them, and what follows when an open amount went down (D27, D28)."""

from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import day_start
from models.money import MAX_MINOR
from models.parts.receivable import LEGACY, BilledLine, Receivable
from models.stages.accruing import INTEREST
from models.stages.consequences import money_moved, re_evaluated
from models.stages.everywhere import EffectFinished
from models.stages.handling import handles
from models.stages.ladder import brought_late
from models.stages.letters import letter
from models.stages.owed import booked, booking, positive, with_plan_paid, with_receivable, without_promise

CASH_DISCOUNT = "cash_discount"
BANK_CHARGES = "bank_charges"


@dataclass(frozen=True, slots=True)
class InvoiceBooked:
    """The number and amount under which an invoice stands in the book, for the effect that asked."""

    effect: str
    number: str
    kind: str
    total_minor: int
    issued_at: str
    due_at: str
    lines: tuple[BilledLine, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordPayment:
    """Money that came in for an invoice; what exceeds the open amount is kept as the customer's credit.

    `received_on` is the day on which the bank has it (empty: today), `charges_minor` what banks kept back, which is
    forgiven within the policy's tolerance, `discount_minor` the cash discount that the customer took.
    """

    invoice: str
    amount_minor: int
    currency: str
    reference: str = ""
    received_on: str = ""
    charges_minor: int = 0
    discount_minor: int = 0

    def __post_init__(self) -> None:
        positive(self.amount_minor)
        if (
            not 0
            <= min(self.charges_minor, self.discount_minor)
            <= max(self.charges_minor, self.discount_minor)
            <= MAX_MINOR
        ):
            raise ValueError(f"charges_minor and discount_minor must be from 0 to {MAX_MINOR}")
        if self.received_on:
            day_start(self.received_on)


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
            paid = without_promise(paid, "kept", at) if kept else paid
            return booked(with_plan_paid(paid, self.applied_minor, at), "pay", at)

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
            credited = replace(r, credited_minor=r.credited_minor + self.amount_minor)
            return booked(with_plan_paid(credited, self.amount_minor, at), "credit", at)

        return with_receivable(deal, self.invoice, credit)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (booking(self.invoice, "credit_note", self.amount_minor, self.reason),)


@event
@dataclass(frozen=True, slots=True)
class CreditGranted(Event):
    """A credit note that may exceed what is open: `applied` lowers it, `unapplied` is the customer's credit."""

    tag = "credit_granted"
    invoice: str
    applied_minor: int
    unapplied_minor: int
    reason: str

    def apply(self, deal: Deal, at: str) -> Deal:
        def credit(r: Receivable) -> Receivable:
            credited = replace(
                r,
                credited_minor=r.credited_minor + self.applied_minor,
                unapplied_minor=r.unapplied_minor + self.unapplied_minor,
                overcredited_minor=r.overcredited_minor + self.unapplied_minor,
            )
            return booked(with_plan_paid(credited, self.applied_minor, at), "credit", at)

        return with_receivable(deal, self.invoice, credit)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (booking(self.invoice, "credit_note", self.applied_minor + self.unapplied_minor, self.reason),)


@event
@dataclass(frozen=True, slots=True)
class DifferenceForgiven(Event):
    """A small part of an invoice that will not be asked for: bank charges, or the cash discount (`kind`)."""

    tag = "difference_forgiven"
    invoice: str
    amount_minor: int
    kind: str

    def apply(self, deal: Deal, at: str) -> Deal:
        def forgive(r: Receivable) -> Receivable:
            if self.kind == CASH_DISCOUNT:
                r = replace(r, credited_minor=r.credited_minor + self.amount_minor)
            else:
                r = replace(
                    r,
                    written_off_minor=r.written_off_minor + self.amount_minor,
                    tolerated_minor=r.tolerated_minor + self.amount_minor,
                )
            return booked(with_plan_paid(r, self.amount_minor, at), "pay", at)

        return with_receivable(deal, self.invoice, forgive)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        kind = "credit_note" if self.kind == CASH_DISCOUNT else "write_off"
        return (booking(self.invoice, kind, self.amount_minor, self.kind.replace("_", " ")),)


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


@handles("book_invoice", InvoiceBooked)
def book_invoice(ctx: Context) -> list[Event]:
    """The receivable exists from now on."""
    p: InvoiceBooked = ctx.payload
    asked = ctx.deal.effect(p.effect)
    data = asked.data if asked else {}
    late = str(data.get("invoice", "")) if p.kind == INTEREST else ""
    owed = Receivable(
        p.number, p.kind, ctx.deal.currency, p.total_minor, p.issued_at, p.due_at, lines=p.lines, charged_for=late
    )
    shipment = str(data.get("shipment", ""))
    billed = [ShipmentInvoiced(shipment, p.number)] if shipment else []
    told = letter(ctx, "interest_note", owed, charged_for=late) if late else []
    entered = brought_late(owed, ctx.policy, ctx.now) if p.kind == LEGACY else []
    return [EffectFinished(p.effect), InvoiceIssued(owed), *billed, *told, *entered]


@handles("record_payment", RecordPayment)
def record_payment(ctx: Context) -> list[Event]:
    """Apply to the open amount, keep the rest as credit."""
    p: RecordPayment = ctx.payload
    owed = ctx.deal.receivable(p.invoice)
    opened = owed.open_minor if owed else 0
    applied = min(p.amount_minor, opened)
    events: list[Event] = [PaymentRecorded(p.invoice, applied, p.amount_minor - applied, p.reference)]
    if ctx.policy.rules < 3:
        return money_moved(ctx, events, "paid")
    for kind, amount in ((CASH_DISCOUNT, p.discount_minor), (BANK_CHARGES, p.charges_minor)):
        if amount:
            events.append(DifferenceForgiven(p.invoice, amount, kind))
    return re_evaluated(ctx, events, "paid", p.received_on)


@handles("credit", Credit)
def credit(ctx: Context) -> list[Event]:
    """A credit note on what is open."""
    p: Credit = ctx.payload
    return money_moved(ctx, [InvoiceCredited(p.invoice, p.amount_minor, p.reason)], "credited")


@handles("grant_credit", Credit)
def grant_credit(ctx: Context) -> list[Event]:
    """A credit note: what goes beyond the open amount becomes the customer's credit."""
    p: Credit = ctx.payload
    owed = ctx.deal.receivable(p.invoice)
    applied = min(p.amount_minor, owed.open_minor) if owed else 0
    return re_evaluated(ctx, [CreditGranted(p.invoice, applied, p.amount_minor - applied, p.reason)], "credited")
