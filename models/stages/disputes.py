"""Disputes about invoices: only the disputed amount freezes, the rest goes on (D31)."""

from dataclasses import dataclass

from models.calendar import plus_working
from models.change import replace
from models.command import Context
from models.deal_state import Deal
from models.event import Event, event
from models.money import MAX_MINOR
from models.parts.receivable import Dispute, LineAmount
from models.stages.accruing import late_freeze
from models.stages.consequences import after_all, money_moved, re_evaluated
from models.stages.dispute_ends import DisputeDecided, DisputeSettled
from models.stages.handling import handles
from models.stages.letters import letter
from models.stages.owed import positive, with_receivable
from models.stages.receivables import InvoiceCredited


@dataclass(frozen=True, slots=True)
class RaiseDispute:
    """The disputed amount of an invoice in minor units, and why.

    `lines` are the disputed amounts per line of the invoice, tax included; they add up to the amount. `evidence` names
    what the customer shows: a document's number or digest.
    """

    invoice: str
    amount_minor: int
    reason: str
    lines: tuple[LineAmount, ...] = ()
    evidence: str = ""

    def __post_init__(self) -> None:
        positive(self.amount_minor)
        if any(each.amount_minor <= 0 for each in self.lines):
            raise ValueError("a disputed line has a positive amount_minor")
        if len({each.line for each in self.lines}) != len(self.lines):
            raise ValueError("a line is named twice")
        total = sum(each.amount_minor for each in self.lines)
        if self.lines and total != self.amount_minor:
            raise ValueError(f"the disputed lines add up to {total}, not to {self.amount_minor}")


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


@event
@dataclass(frozen=True, slots=True)
class DisputeRaised(Event):
    """An amount is frozen."""

    tag = "dispute_raised"
    invoice: str
    dispute: Dispute

    def apply(self, deal: Deal, at: str) -> Deal:
        return with_receivable(deal, self.invoice, lambda r: replace(r, disputes=(*r.disputes, self.dispute)))


@handles("dispute", RaiseDispute)
def dispute(ctx: Context) -> list[Event]:
    """Freeze the amount."""
    p: RaiseDispute = ctx.payload
    owed = ctx.deal.receivable(p.invoice)
    number = len(owed.disputes) + 1 if owed else 1
    if ctx.policy.rules < 3:
        return [DisputeRaised(p.invoice, Dispute(number, p.amount_minor, p.reason, ctx.now))]
    holidays = ctx.policy.holidays_in(ctx.deal.country)
    due_at = plus_working(ctx.now, ctx.policy.money.dispute_answer, holidays)
    raised = Dispute(number, p.amount_minor, p.reason, ctx.now, lines=p.lines, evidence=p.evidence, due_at=due_at)
    return re_evaluated(ctx, [DisputeRaised(p.invoice, raised)], "disputed")


@handles("settle_dispute", SettleDispute)
def settle_dispute(ctx: Context) -> list[Event]:
    """Credit what was agreed, collect the rest: with interest, as it was owed all the time."""
    p: SettleDispute = ctx.payload
    credited: list[Event] = [InvoiceCredited(p.invoice, p.credit_minor, p.reason)] if p.credit_minor else []
    if ctx.policy.rules < 3:
        return money_moved(ctx, [DisputeSettled(p.invoice, p.dispute), *credited], "credited")
    owed = ctx.deal.receivable(p.invoice)
    raised = next((d for d in owed.disputes if d.number == p.dispute), None) if owed else None
    if owed is None or raised is None:
        return []
    rejected = min(raised.amount_minor, owed.open_minor) - p.credit_minor
    outcome = "rejected" if not p.credit_minor else "compromise" if rejected else "credited"
    events = [DisputeDecided(p.invoice, p.dispute, outcome, p.credit_minor), *credited]
    after = after_all(ctx.deal, events, ctx.now).receivable(p.invoice) or owed
    # what another dispute still freezes is counted when that one ends
    freed = after.collectable_minor - owed.collectable_minor
    interest = late_freeze(owed, ctx.policy, freed, raised.raised_at, ctx.now[:10])
    told = letter(ctx, "dispute_answer", after, outcome=outcome, credited_minor=p.credit_minor)
    return re_evaluated(ctx, [*interest, *events, *told], "credited")
