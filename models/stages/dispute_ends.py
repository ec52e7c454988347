"""How disputes end: settled, decided, or moot when nothing is open any more."""

from dataclasses import dataclass

from models.change import replace
from models.deal_state import Deal
from models.event import Event, event
from models.parts.receivable import Dispute
from models.stages.owed import with_receivable


@event
@dataclass(frozen=True, slots=True)
class DisputeSettled(Event):
    """A frozen amount is free again (what was credited has its own event)."""

    tag = "dispute_settled"
    invoice: str
    number: int

    def apply(self, deal: Deal, at: str) -> Deal:
        return ended(deal, self.invoice, self.number, "", 0, at)


@event
@dataclass(frozen=True, slots=True)
class DisputeDecided(Event):
    """A dispute ended: `outcome` is credited, rejected, compromise, or moot when nothing was open any more. What was
    credited has its own event."""

    tag = "dispute_decided"
    invoice: str
    number: int
    outcome: str
    credited_minor: int

    def apply(self, deal: Deal, at: str) -> Deal:
        return ended(deal, self.invoice, self.number, self.outcome, self.credited_minor, at)


def ended(deal: Deal, invoice: str, number: int, outcome: str, credited: int, at: str) -> Deal:
    """The deal with one dispute ended."""

    def end(dispute: Dispute) -> Dispute:
        if dispute.number != number:
            return dispute
        return replace(dispute, settled=True, outcome=outcome, credited_minor=credited, ended_at=at)

    return with_receivable(deal, invoice, lambda r: replace(r, disputes=tuple(map(end, r.disputes))))


def moot(deal: Deal) -> list[Event]:
    """The end of disputes about invoices of which nothing is open any more."""
    return [
        DisputeDecided(r.number, each.number, "moot", 0)
        for r in deal.receivables
        if r.is_settled
        for each in r.disputes
        if not each.settled
    ]
