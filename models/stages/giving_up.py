"""What only somebody with authority may decide about late money: writing it off, waiving interest, handing it to legal
(D30, D32). Always four eyes: a request, and an approval that binds to exactly what was asked for."""

from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.parts.receivable import Receivable
from models.policy import able
from models.stages.accruing import INTEREST, InterestWaived, counted, uncharged
from models.stages.approvals import ask_approval, settle
from models.stages.consequences import money_moved, re_evaluated
from models.stages.everywhere import ItemFired, Reason
from models.stages.handling import handles
from models.stages.ladder import climbing, next_rung, resting
from models.stages.owed import booked, booking, positive, with_receivable
from models.stages.receivables import InvoiceCredited


@dataclass(frozen=True, slots=True)
class InvoiceReason:
    """An invoice, and why something is asked for it."""

    invoice: str
    reason: str


@dataclass(frozen=True, slots=True)
class WaiverRequest:
    """An amount of interest or lump sum to give up, in minor units: of a late invoice, or of a note of interest."""

    invoice: str
    amount_minor: int
    reason: str

    def __post_init__(self) -> None:
        positive(self.amount_minor)
        if not self.reason.strip():
            raise ValueError("reason must not be empty")


@dataclass(frozen=True, slots=True)
class LegalRequest:
    """The invoice that is to be handed to legal; `item` is the agenda's when the ladder asks."""

    invoice: str
    reason: str = ""
    item: str = ""


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


def waivable(owed: Receivable, ctx: Context) -> int:
    """What may be waived of an invoice now, in minor units."""
    return owed.open_minor if owed.kind == INTEREST else uncharged(owed, ctx.policy, ctx.now[:10])


@handles("request_write_off", InvoiceReason)
def request_write_off(ctx: Context) -> list[Event]:
    """Ask for what only a head or the director may decide (D32)."""
    p: InvoiceReason = ctx.payload
    owed = ctx.deal.receivable(p.invoice)
    amount = owed.open_minor if owed else 0
    roles = able(ctx.policy.write_off_authority, amount)
    return [ask_approval(ctx, "write_off", p.invoice, f"{p.invoice}:{amount}", p.reason, roles, amount)]


@handles("approve_write_off", Reason)
def approve_write_off(ctx: Context) -> list[Event]:
    """Give up what was asked for, and the interest that it has come to with it."""
    asked = ctx.deal.pending_approval("write_off")
    if asked is None:
        return []
    events = [*settle(ctx, "write_off", "approve", ctx.payload.reason), InvoiceWrittenOff(asked.subject, asked.amount)]
    owed = ctx.deal.receivable(asked.subject)
    if ctx.policy.rules < 3 or owed is None:
        return money_moved(ctx, events, "written off")
    lost = uncharged(owed, ctx.policy, ctx.now[:10])
    waived = [InterestWaived(owed.number, lost, "written off with the invoice")] if lost else []
    return money_moved(ctx, [*events, *waived], "written off")


@handles("decline_write_off", Reason)
def decline_write_off(ctx: Context) -> list[Event]:
    """Keep collecting."""
    return settle(ctx, "write_off", "decline", ctx.payload.reason)


@handles("request_waiver", WaiverRequest)
def request_waiver(ctx: Context) -> list[Event]:
    """Ask to give up interest or lump sum (D30)."""
    p: WaiverRequest = ctx.payload
    roles = able(ctx.policy.money.waiver, p.amount_minor)
    return [ask_approval(ctx, "waiver", p.invoice, f"{p.invoice}:{p.amount_minor}", p.reason, roles, p.amount_minor)]


@handles("approve_waiver", Reason)
def approve_waiver(ctx: Context) -> list[Event]:
    """Give up exactly what was asked for."""
    asked = ctx.deal.pending_approval("waiver")
    owed = ctx.deal.receivable(asked.subject) if asked else None
    if asked is None or owed is None:
        return []
    approved = settle(ctx, "waiver", "approve", ctx.payload.reason)
    if owed.kind == INTEREST:
        return re_evaluated(ctx, [*approved, InvoiceCredited(owed.number, asked.amount, "waived")], "waived")
    interest = counted(owed, ctx.policy, ctx.now[:10])
    return [*approved, *interest, InterestWaived(owed.number, asked.amount, asked.reason)]


@handles("decline_waiver", Reason)
def decline_waiver(ctx: Context) -> list[Event]:
    """The customer owes it."""
    return settle(ctx, "waiver", "decline", ctx.payload.reason)


@handles("request_legal", LegalRequest)
def request_legal(ctx: Context) -> list[Event]:
    """The last rung needs a decision by amount (D32)."""
    p: LegalRequest = ctx.payload
    owed = ctx.deal.receivable(p.invoice)
    amount = owed.collectable_minor if owed else 0
    reason = p.reason or "the collection ladder has come to its last rung"
    roles = able(ctx.policy.money.legal, amount)
    asked = ask_approval(ctx, "legal", p.invoice, f"{p.invoice}:{amount}", reason, roles, amount)
    return [asked, *([ItemFired(p.item)] if p.item else [])]


@handles("approve_legal", Reason)
def approve_legal(ctx: Context) -> list[Event]:
    """The invoice is handed over."""
    asked = ctx.deal.pending_approval("legal")
    owed = ctx.deal.receivable(asked.subject) if asked else None
    rung = next_rung(owed, ctx.policy) if owed else None
    if owed is None or rung is None:
        return []
    return [*settle(ctx, "legal", "approve", ctx.payload.reason), *climbing(ctx, owed, rung)]


@handles("decline_legal", Reason)
def decline_legal(ctx: Context) -> list[Event]:
    """Not now; the ladder asks again later."""
    asked = ctx.deal.pending_approval("legal")
    owed = ctx.deal.receivable(asked.subject) if asked else None
    declined = settle(ctx, "legal", "decline", ctx.payload.reason)
    if owed is None:
        return declined
    return [*declined, resting(owed, ctx.policy, ctx.now, ctx.policy.money.legal_again)]
