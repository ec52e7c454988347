"""Acts that are possible in every open state: hold, resume, reassign, notes, reminders, and filing of effects."""

from dataclasses import dataclass

from models.change import replace
from models.command import Context
from models.deal_state import Consultation, Deal, Escalation
from models.event import Event, event
from models.lifecycle.states import DealState
from models.stages.group_hold import CREDIT_HOLD, group_hold
from models.stages.handling import handles

CONSULTING = (DealState.RELIABILITY_REVIEW, DealState.RESOLVING_DISAGREEMENTS, DealState.CONTRACT_APPROVAL)
"""States in which the deal waits for the answer of another department (D25)."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is done, in words."""

    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError("reason must not be empty")


@dataclass(frozen=True, slots=True)
class HoldReason:
    """Which hold (a short name such as credit, legal) and why."""

    hold: str
    reason: str

    def __post_init__(self) -> None:
        if not self.hold.isidentifier() or len(self.hold) > 40:
            raise ValueError("hold must be a short name such as credit or legal")


@dataclass(frozen=True, slots=True)
class NewOwner:
    """The user who takes the deal over, with the department."""

    owner: str
    department: str = ""

    def __post_init__(self) -> None:
        if not self.owner.strip():
            raise ValueError("owner must not be empty")


@dataclass(frozen=True, slots=True)
class Note:
    """A remark; no personal data belongs in it."""

    text: str


@dataclass(frozen=True, slots=True)
class DueItem:
    """The key of the agenda item that came due."""

    item: str


@dataclass(frozen=True, slots=True)
class EffectDone:
    """The key of the effect that was carried out."""

    effect: str


@dataclass(frozen=True, slots=True)
class Filed:
    """A document or letter that was made for an effect: its file and digest."""

    effect: str
    name: str
    digest: str


@event
@dataclass(frozen=True, slots=True)
class Moved(Event):
    """The main state changed. Written by `models.deal` for every row that leads elsewhere."""

    tag = "moved"
    state: str

    def apply(self, deal: Deal, at: str) -> Deal:
        entry = deal.version + 1
        consulted = self._consulted(deal, entry, at)
        return replace(deal, state=self.state, state_since=at, state_entry=entry, fired=(), consulted=consulted)

    def _consulted(self, deal: Deal, entry: int, at: str) -> tuple[Consultation, ...]:
        consulted = deal.consulted
        if consulted and not consulted[-1].left_at:
            consulted = (*consulted[:-1], Consultation(deal.state, consulted[-1].entry, consulted[-1].since, at))
        return (*consulted, Consultation(self.state, entry, at)) if self.state in CONSULTING else consulted


@event
@dataclass(frozen=True, slots=True)
class CountrySet(Event):
    """Whose public holidays count for the deal's deadlines (ISO 3166 alpha-2)."""

    tag = "country_set"
    country: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, country=self.country)


@event
@dataclass(frozen=True, slots=True)
class CustomerCountrySet(Event):
    """On whose working days the customer is written to about invoices (ISO 3166 alpha-2)."""

    tag = "customer_country_set"
    country: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, customer_country=self.country)


@event
@dataclass(frozen=True, slots=True)
class Noted(Event):
    """Something worth remembering that changes nothing else."""

    tag = "noted"
    text: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return deal


@event
@dataclass(frozen=True, slots=True)
class HoldSet(Event):
    """The deal may not go on for a reason."""

    tag = "hold_set"
    hold: str
    reason: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, holds=tuple(sorted({*deal.holds, self.hold})))


@event
@dataclass(frozen=True, slots=True)
class HoldLifted(Event):
    """The reason to wait is gone."""

    tag = "hold_lifted"
    hold: str
    reason: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, holds=tuple(h for h in deal.holds if h != self.hold))


@event
@dataclass(frozen=True, slots=True)
class Reassigned(Event):
    """Somebody else owns the deal now."""

    tag = "reassigned"
    owner: str
    department: str

    def apply(self, deal: Deal, at: str) -> Deal:
        former = (*deal.former_owners, deal.owner)
        return replace(deal, owner=self.owner, department=self.department, former_owners=former)


@event
@dataclass(frozen=True, slots=True)
class ItemFired(Event):
    """An agenda item came due and was acted on."""

    tag = "item_fired"
    item: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, fired=(*deal.fired, self.item))


@event
@dataclass(frozen=True, slots=True)
class RequestEscalated(Event):
    """Another department has not answered in time; the next level is told (D25)."""

    tag = "request_escalated"
    item: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, escalations=(*deal.escalations, Escalation(self.item, at)))


@event
@dataclass(frozen=True, slots=True)
class EffectFinished(Event):
    """The world did what it was asked to do."""

    tag = "effect_finished"
    effect: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, pending=tuple(e for e in deal.pending if e.key != self.effect))


@event
@dataclass(frozen=True, slots=True)
class PaperFiled(Event):
    """A document or letter exists, with this digest."""

    tag = "paper_filed"
    kind: str
    name: str
    digest: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return deal


@handles("hold", HoldReason)
def hold(ctx: Context) -> list[Event]:
    """Set a hold; guards of other actions look at it."""
    return [HoldSet(ctx.payload.hold, ctx.payload.reason), *_for_the_group(ctx, True)]


@handles("resume", HoldReason)
def resume(ctx: Context) -> list[Event]:
    """Lift a hold."""
    return [HoldLifted(ctx.payload.hold, ctx.payload.reason), *_for_the_group(ctx, False)]


def _for_the_group(ctx: Context, on: bool) -> list[Event]:
    """A credit hold is the whole group's, whoever sets or lifts it."""
    return group_hold(ctx, on, "", ctx.payload.reason) if ctx.payload.hold == CREDIT_HOLD else []


def lifted_at_the_end(ctx: Context, events: list[Event], target: str) -> list[Event]:
    """A deal that closes holds its customer's group no more. Under the first rules it ended with its own hold on."""
    held = CREDIT_HOLD in ctx.deal.holds and not any(
        isinstance(e, HoldLifted) and e.hold == CREDIT_HOLD for e in events
    )
    if not held or ctx.policy.rules < 3 or not DealState(target).is_terminal:
        return []
    why = "the deal is closed"
    return [HoldLifted(CREDIT_HOLD, why), *group_hold(ctx, False, "", why)]


@handles("reassign", NewOwner)
def reassign(ctx: Context) -> list[Event]:
    """Change the owner; the department stays when none is given."""
    return [Reassigned(ctx.payload.owner, ctx.payload.department or ctx.deal.department)]


@handles("note", Note)
def note(ctx: Context) -> list[Event]:
    """Write down a remark."""
    return [Noted(ctx.payload.text)]


@handles("remind", DueItem)
def remind(ctx: Context) -> list[Event]:
    """The outbox event of this entry is the reminder."""
    return [ItemFired(ctx.payload.item)]


@handles("escalate", DueItem)
def escalate(ctx: Context) -> list[Event]:
    """The outbox event of this entry tells the next level."""
    return [ItemFired(ctx.payload.item)]


@handles("escalate_request", DueItem)
def escalate_request(ctx: Context) -> list[Event]:
    """The outbox event of this entry tells the next level."""
    return [RequestEscalated(ctx.payload.item)]


@handles("finish_effect", EffectDone)
def finish_effect(ctx: Context) -> list[Event]:
    """An effect without a result of its own is done."""
    return [EffectFinished(ctx.payload.effect)]


@handles("file_letter", Filed)
def file_letter(ctx: Context) -> list[Event]:
    """Keep the digest of a letter in the timeline."""
    pending = ctx.deal.effect(ctx.payload.effect)
    kind = str(pending.data.get("kind", "")) if pending else ""
    return [EffectFinished(ctx.payload.effect), PaperFiled(kind, ctx.payload.name, ctx.payload.digest)]
