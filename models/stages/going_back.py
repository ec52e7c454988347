"""Money that goes back, and the customer's credit that is set off: returned payments reopen what they had settled."""

from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import day_start
from models.lifecycle.machines import RECEIVABLES
from models.parts.receivable import Receivable
from models.stages.accruing import counted_from
from models.stages.consequences import after_all, re_evaluated
from models.stages.handling import handles
from models.stages.ladder import going_on
from models.stages.owed import booked, booking, positive, with_plan_paid, with_receivable


@dataclass(frozen=True, slots=True)
class PaymentBack:
    """A payment that went back, such as a returned direct debit, in minor units; `reason` is the bank's.

    `returned_on` is the day on which the bank took it (empty: today). Interest counts from the booking on, but what
    was open on a day follows from it.
    """

    invoice: str
    amount_minor: int
    currency: str
    reason: str
    reference: str = ""
    returned_on: str = ""

    def __post_init__(self) -> None:
        positive(self.amount_minor)
        if self.returned_on:
            day_start(self.returned_on)


@dataclass(frozen=True, slots=True)
class SetOff:
    """Credit that the invoice `source` left, in minor units, to be used for another invoice of the deal."""

    source: str
    invoice: str
    amount_minor: int

    def __post_init__(self) -> None:
        positive(self.amount_minor)
        if self.source == self.invoice:
            raise ValueError("credit is set off against another invoice")


@event
@dataclass(frozen=True, slots=True)
class PaymentReversed(Event):
    """A payment went back: `unapplied` of it had been kept as credit, `applied` is open again."""

    tag = "payment_reversed"
    invoice: str
    applied_minor: int
    unapplied_minor: int
    reference: str
    reason: str

    def apply(self, deal: Deal, at: str) -> Deal:
        def reopen(r: Receivable) -> Receivable:
            owed = replace(
                r,
                paid_minor=r.paid_minor - self.applied_minor,
                unapplied_minor=r.unapplied_minor - self.unapplied_minor,
                promised_paid_minor=max(0, r.promised_paid_minor - self.applied_minor),
            )
            if not r.is_settled or not self.applied_minor:
                return with_plan_paid(owed, -self.applied_minor, at)
            return replace(owed, state=RECEIVABLES.fire(r.state, f"reopen_{level_before(r)}"), settled_at="")

        return with_receivable(deal, self.invoice, reopen)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        amount = self.applied_minor + self.unapplied_minor
        return (booking(self.invoice, "reversal", amount, self.reference or self.reason, self.applied_minor),)


def level_before(r: Receivable) -> str:
    """The level of the ladder that a settled invoice had reached."""
    rungs = [row for each in r.reached for row in RECEIVABLES.table.rows if row.action == each.rung]
    return str(rungs[-1].target) if rungs else str(RECEIVABLES.table.initial)


@event
@dataclass(frozen=True, slots=True)
class CreditSetOff(Event):
    """The customer's credit that an invoice left (`source`) settles a part of another one, or of the same one when a
    payment went back that it came beyond."""

    tag = "credit_set_off"
    source: str
    invoice: str
    amount_minor: int

    def apply(self, deal: Deal, at: str) -> Deal:
        amount = self.amount_minor

        def use(r: Receivable) -> Receivable:
            left = replace(r, unapplied_minor=r.unapplied_minor - amount)
            if self.source == self.invoice:
                return replace(left, overcredited_minor=r.overcredited_minor - amount)
            return replace(left, set_off_minor=r.set_off_minor + amount)

        def settle(r: Receivable) -> Receivable:
            return booked(
                with_plan_paid(replace(r, credited_minor=r.credited_minor + amount), amount, at), "credit", at
            )

        return with_receivable(with_receivable(deal, self.source, use), self.invoice, settle)

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (
            booking(self.source, "set_off", self.amount_minor, f"used for {self.invoice}", 0),
            booking(self.invoice, "set_off", self.amount_minor, f"credit from {self.source}", self.amount_minor),
        )


@handles("reverse_payment", PaymentBack)
def reverse_payment(ctx: Context) -> list[Event]:
    """The money is gone again: first what was kept as credit, then what had settled the invoice. Credit notes that
    went beyond it settle it now. The ladder goes on where it stood, without a letter that was sent before."""
    p: PaymentBack = ctx.payload
    owed = ctx.deal.receivable(p.invoice)
    if owed is None:
        return []
    unapplied = min(p.amount_minor, owed.overpaid_minor)
    events: list[Event] = [PaymentReversed(p.invoice, p.amount_minor - unapplied, unapplied, p.reference, p.reason)]
    after = after_all(ctx.deal, events, ctx.now).receivable(p.invoice) or owed
    beyond = min(after.open_minor, after.unapplied_minor - after.overpaid_minor)
    if beyond:
        events.append(CreditSetOff(p.invoice, p.invoice, beyond))
    after = after_all(ctx.deal, events, ctx.now).receivable(p.invoice) or owed
    if owed.is_settled and not after.is_settled:
        events.append(going_on(after, ctx.policy, ctx.now))
    if owed.collectable_minor <= 0 < after.collectable_minor:  # while the money was here it cost nothing
        events = [*counted_from(owed, ctx.policy, ctx.now[:10]), *events]
    return re_evaluated(ctx, events, "reversed")


@handles("set_off_credit", SetOff)
def set_off_credit(ctx: Context) -> list[Event]:
    """What the customer has with us pays another invoice of the deal."""
    p: SetOff = ctx.payload
    return re_evaluated(ctx, [CreditSetOff(p.source, p.invoice, p.amount_minor)], "set off")
