"""Post-sale support: feedback, complaint cases, follow-up, and the good or bad end of a deal (D34, D35)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import plus
from models.lifecycle.machines import COMPLAINTS
from models.money import MAX_MINOR
from models.parts.care import Case
from models.stages.consequences import money_moved
from models.stages.everywhere import DueItem, ItemFired
from models.stages.handling import handles
from models.stages.headroom import lower_headroom
from models.stages.receivables import InvoiceCredited

CaseChange = Callable[[Case], Case]


class Cause(StrEnum):
    """Why a customer complains."""

    QUALITY = "quality"
    DAMAGE = "damage"
    WRONG_ARTICLE = "wrong_article"
    SHORT_DELIVERY = "short_delivery"
    LATE = "late"
    INVOICE = "invoice"
    OTHER = "other"


class Remedy(StrEnum):
    """How a complaint is decided."""

    REPLACE = "replace"
    CREDIT = "credit"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Feedback:
    """Wishes and reasons of dissatisfaction; `satisfaction` from 1 (bad) to 5 (good)."""

    satisfaction: int
    text: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.satisfaction <= 5:
            raise ValueError("satisfaction must be from 1 to 5")


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A complaint about delivered lines."""

    lines: tuple[int, ...]
    cause: Cause
    note: str = ""


@dataclass(frozen=True, slots=True)
class DecideCase:
    """The decision on a case; a credit names invoice and amount in minor units. `measure`: against repetition."""

    case: int
    decision: Remedy
    measure: str
    invoice: str = ""
    credit_minor: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.credit_minor <= MAX_MINOR:
            raise ValueError(f"credit_minor must be from 0 to {MAX_MINOR}")
        if (self.decision == Remedy.CREDIT) != (self.credit_minor > 0 and self.invoice != ""):
            raise ValueError("a credit, and nothing else, names an invoice and an amount")


@dataclass(frozen=True, slots=True)
class CaseNumber:
    """The case that is meant."""

    case: int


@event
@dataclass(frozen=True, slots=True)
class FeedbackRecorded(Event):
    """The customer told us how it went."""

    tag = "feedback_recorded"
    satisfaction: int
    text: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, satisfaction=self.satisfaction)


@event
@dataclass(frozen=True, slots=True)
class CaseOpened(Event):
    """A complaint waits for a decision."""

    tag = "case_opened"
    case: Case

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, cases=(*deal.cases, self.case))


@event
@dataclass(frozen=True, slots=True)
class CaseDecided(Event):
    """A complaint was decided."""

    tag = "case_decided"
    number: int
    state: str
    decision: str
    measure: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return _change(
            deal,
            self.number,
            lambda c: replace(c, state=self.state, decision=self.decision, measure=self.measure),
        )

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        facts = {"case": str(self.number), "decision": self.decision}
        return (Effect("send_letter", {"kind": "case_decision", "facts": facts}),)


@event
@dataclass(frozen=True, slots=True)
class CaseClosed(Event):
    """The customer has what was decided."""

    tag = "case_closed"
    number: int
    state: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return _change(deal, self.number, lambda c: replace(c, state=self.state))


@event
@dataclass(frozen=True, slots=True)
class FollowUpSent(Event):
    """The customer is asked how it went."""

    tag = "follow_up_sent"

    def apply(self, deal: Deal, at: str) -> Deal:
        return deal

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (Effect("send_letter", {"kind": "follow_up", "facts": {}}),)


def _change(deal: Deal, number: int, change: CaseChange) -> Deal:
    return replace(deal, cases=tuple(change(c) if c.number == number else c for c in deal.cases))


@handles("record_feedback", Feedback)
def record_feedback(ctx: Context) -> list[Event]:
    """Keep it."""
    return [FeedbackRecorded(ctx.payload.satisfaction, ctx.payload.text)]


@handles("open_case", OpenCase)
def open_case(ctx: Context) -> list[Event]:
    """A case with a deadline."""
    p: OpenCase = ctx.payload
    due = plus(ctx.now, ctx.policy.complaint_deadline)
    return [CaseOpened(Case(len(ctx.deal.cases) + 1, p.lines, p.cause, p.note, ctx.now, due))]


@handles("decide_case", DecideCase)
def decide_case(ctx: Context) -> list[Event]:
    """The decision, with its credit note when it is one."""
    p: DecideCase = ctx.payload
    case = ctx.deal.case(p.case)
    if case is None:
        return []
    events: list[Event] = [CaseDecided(p.case, COMPLAINTS.fire(case.state, "decide"), p.decision, p.measure)]
    if p.decision == Remedy.CREDIT:
        events.append(InvoiceCredited(p.invoice, p.credit_minor, f"complaint {p.case}"))
    return money_moved(ctx, events, "credited")


@handles("close_case", CaseNumber)
def close_case(ctx: Context) -> list[Event]:
    """Done."""
    case = ctx.deal.case(ctx.payload.case)
    return [CaseClosed(ctx.payload.case, COMPLAINTS.fire(case.state, "close"))] if case else []


@handles("follow_up", DueItem)
def follow_up(ctx: Context) -> list[Event]:
    """A letter, once."""
    return [ItemFired(ctx.payload.item), FollowUpSent()]


@handles("complete")
def complete(ctx: Context) -> list[Event]:
    """The good end; nothing stays reserved."""
    return lower_headroom(ctx.deal, 0, "completed")


@handles("default")
def default(ctx: Context) -> list[Event]:
    """The bad end; nothing stays reserved."""
    return lower_headroom(ctx.deal, 0, "defaulted")
