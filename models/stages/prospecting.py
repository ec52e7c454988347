"""Prospecting: contacts, needs, qualification, and giving up with a reason (D3..D7)."""

from dataclasses import dataclass
from enum import StrEnum

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Needs
from models.event import Event, event
from models.instants import day_start
from models.money import MAX_MINOR
from models.stages.approvals import void_pending
from models.stages.handling import handles
from models.stages.headroom import lower_headroom


class LossReason(StrEnum):
    """The closed list of reasons to lose a deal (D7)."""

    PRICE = "price"
    TERMS = "terms"
    COMPETITOR = "competitor"
    NO_BUDGET = "no_budget"
    NO_NEED = "no_need"
    NO_RESPONSE = "no_response"
    TIMING = "timing"
    PRODUCT = "product"
    RELIABILITY = "reliability"
    OTHER = "other"


class Channel(StrEnum):
    """How a contact took place."""

    CALL = "call"
    VISIT = "visit"
    EMAIL = "email"
    FAIR = "fair"
    WEB = "web"
    LETTER = "letter"


@dataclass(frozen=True, slots=True)
class LogContact:
    """One contact with its outcome, in words without personal data."""

    channel: Channel
    outcome: str


@dataclass(frozen=True, slots=True)
class RecordNeeds:
    """What, how much, until when, budget (minor units of the deal's currency), and how they decide (D6)."""

    what: str
    quantity: int
    wanted_by: str = ""
    budget_minor: int = 0
    decision_process: str = ""

    def __post_init__(self) -> None:
        if not self.what.strip():
            raise ValueError("what must not be empty")
        if not 0 < self.quantity <= 10**9:
            raise ValueError("quantity must be from 1 to 1000000000")
        if not 0 <= self.budget_minor <= MAX_MINOR:
            raise ValueError(f"budget_minor must be from 0 to {MAX_MINOR}")
        if self.wanted_by:
            day_start(self.wanted_by)


@dataclass(frozen=True, slots=True)
class Lose:
    """Why the deal is given up; the competitor is named when the reason is one."""

    reason: LossReason
    note: str = ""
    competitor: str = ""


@event
@dataclass(frozen=True, slots=True)
class ContactLogged(Event):
    """Somebody spoke with the customer."""

    tag = "contact_logged"
    channel: str
    outcome: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, contacts=deal.contacts + 1)


@event
@dataclass(frozen=True, slots=True)
class NeedsRecorded(Event):
    """The prospect's needs are known."""

    tag = "needs_recorded"
    needs: Needs

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, needs=self.needs)


@event
@dataclass(frozen=True, slots=True)
class DealLost(Event):
    """The deal is given up."""

    tag = "deal_lost"
    reason: str
    note: str
    competitor: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, loss_reason=self.reason, competitor=self.competitor)


@handles("log_contact", LogContact)
def log_contact(ctx: Context) -> list[Event]:
    """Count and describe the contact."""
    return [ContactLogged(ctx.payload.channel, ctx.payload.outcome)]


@handles("record_needs", RecordNeeds)
def record_needs(ctx: Context) -> list[Event]:
    """Keep the latest needs; the timeline keeps the earlier ones."""
    p: RecordNeeds = ctx.payload
    return [NeedsRecorded(Needs(p.what, p.quantity, p.wanted_by, p.budget_minor, p.decision_process))]


@handles("qualify")
def qualify(ctx: Context) -> list[Event]:
    """The move itself is all there is."""
    return []


@handles("lose", Lose)
def lose(ctx: Context) -> list[Event]:
    """Close the deal as lost."""
    lost = DealLost(ctx.payload.reason, ctx.payload.note, ctx.payload.competitor)
    return [lost, *lower_headroom(ctx.deal, 0, "lost"), *void_pending(ctx.deal)]
