"""Negotiation: offers in versions, approvals that bind to their hash, objections, counters, acceptance (D11..D14)."""

from dataclasses import dataclass

from models import codec
from models.change import replace
from models.command import Context
from models.deal_state import Deal, Effect
from models.event import Event, event
from models.instants import canonical, plus
from models.messages.finance import HeadroomInput
from models.messages.sales import QuoteInput, QuoteLine
from models.money import BPS, MAX_MINOR
from models.parts.billing import Billing, Blocks, Milestone, check_milestones
from models.parts.contract import Contract
from models.parts.offer import Offer, OfferLine
from models.policy import able
from models.stages.approvals import ask_approval, settle, void_pending
from models.stages.everywhere import DueItem, Reason
from models.stages.group_hold import ask_group_holds
from models.stages.handling import handles
from models.stages.headroom import HeadroomReserved, lower_headroom
from models.timeline import digest


@dataclass(frozen=True, slots=True)
class LineDraft:
    """One line to offer. `unit_price_minor` -1 means the list price."""

    article: str
    quantity: int
    unit_price_minor: int = -1

    def __post_init__(self) -> None:
        if not self.article or len(self.article) > 80:
            raise ValueError("article must have 1 to 80 characters")
        if not 0 < self.quantity <= 10**7:
            raise ValueError("quantity must be from 1 to 10000000")
        if not -1 <= self.unit_price_minor <= 10**10:
            raise ValueError("unit_price_minor must be from 0 to 10000000000, or -1 for the list price")


@dataclass(frozen=True, slots=True)
class DraftOffer:
    """A new version of the offer. `valid_until` is an instant; empty means the policy's usual validity.

    `payment_days` -1 takes the terms of the reliability check; shorter is allowed, longer is not. `prepaid_bps` is the
    share that is paid in advance (-1: everything when there are no payment days, else nothing), and
    `prepayment_blocks` what waits for it. The rest is invoiced by `billing`; milestones are the shares of the order.
    """

    lines: tuple[LineDraft, ...]
    valid_until: str = ""
    payment_days: int = -1
    delivery_terms: str = "DAP"
    language: str = "en"
    billing: Billing = Billing.DELIVERY
    milestones: tuple[Milestone, ...] = ()
    prepaid_bps: int = -1
    prepayment_blocks: Blocks = Blocks.SHIPPING

    def __post_init__(self) -> None:
        self._check_billing()
        if not self.lines:
            raise ValueError("an offer needs at least one line")
        if len(self.lines) > 500:
            raise ValueError("an offer has at most 500 lines")
        if not -1 <= self.payment_days <= 365:
            raise ValueError("payment_days must be from 0 to 365, or -1")
        if self.valid_until and canonical(self.valid_until) != self.valid_until:
            raise ValueError("valid_until must look like 2026-12-31T00:00:00Z")
        if sum(line.quantity * max(0, line.unit_price_minor) for line in self.lines) > MAX_MINOR:
            raise ValueError(f"the offer exceeds {MAX_MINOR} minor units")

    def _check_billing(self) -> None:
        if not -1 <= self.prepaid_bps <= BPS:
            raise ValueError(f"prepaid_bps must be from 0 to {BPS}, or -1")
        if (self.billing == Billing.MILESTONES) != bool(self.milestones):
            raise ValueError("billing by milestones, and nothing else, names them")
        if self.milestones:
            check_milestones(self.milestones)


@dataclass(frozen=True, slots=True)
class Objection:
    """What the customer objects to, and what we answered (D13)."""

    cause: str
    answer: str


@dataclass(frozen=True, slots=True)
class Counter:
    """The customer's counter-offer: the total wanted in minor units (0 when it is about terms), in words."""

    wanted_total_minor: int = 0
    text: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.wanted_total_minor <= MAX_MINOR:
            raise ValueError(f"wanted_total_minor must be from 0 to {MAX_MINOR}")


@event
@dataclass(frozen=True, slots=True)
class OfferDrafted(Event):
    """A new version of the offer; approvals of earlier ones are void."""

    tag = "offer_drafted"
    offer: Offer

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, offer=self.offer, offers=self.offer.version)


@event
@dataclass(frozen=True, slots=True)
class OfferSent(Event):
    """The customer has the offer."""

    tag = "offer_sent"
    version: int
    hash: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return deal

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        return (Effect("print_document", {"kind": "offer", "version": self.version}),)


@event
@dataclass(frozen=True, slots=True)
class ObjectionRaised(Event):
    """The customer objected."""

    tag = "objection_raised"
    cause: str
    answer: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, objections=deal.objections + 1)


@event
@dataclass(frozen=True, slots=True)
class CounterReceived(Event):
    """The customer wants other numbers."""

    tag = "counter_received"
    wanted_total_minor: int
    text: str

    def apply(self, deal: Deal, at: str) -> Deal:
        return deal


@event
@dataclass(frozen=True, slots=True)
class OfferAccepted(Event):
    """The customer accepts exactly this version; the contract is drafted from it."""

    tag = "offer_accepted"
    version: int
    hash: str
    amount_minor: int

    def apply(self, deal: Deal, at: str) -> Deal:
        return replace(deal, contract=Contract(1, self.hash, self.amount_minor))

    def effects(self, deal: Deal, at: str) -> tuple[Effect, ...]:
        granted: tuple[Effect, ...] = ()
        if deal.offer:
            listed, net = deal.offer.list_minor, deal.offer.net_minor
            granted = (Effect("note_granted", {"list_minor": listed, "discount_minor": listed - net}),)
        return (Effect("print_document", {"kind": "contract", "version": 1}), *granted)


def ask_quote(ctx: Context) -> QuoteInput:
    """The price list's view of the drafted lines."""
    lines = tuple(QuoteLine(line.article, line.quantity) for line in ctx.payload.lines)
    return QuoteInput(ctx.deal.id, ctx.deal.customer, ctx.deal.currency, lines, ctx.now)


def ask_headroom(ctx: Context) -> HeadroomInput:
    """Reserve the offer's total from the group's limit; prepaid deals ask for nothing (D10)."""
    offer = ctx.deal.offer
    exempt = offer is None or offer.prepaid
    return HeadroomInput(
        key=ctx.deal.headroom_key,
        deal_id=ctx.deal.id,
        group=ctx.deal.group,
        currency=ctx.deal.currency,
        amount_minor=0 if exempt or offer is None else offer.total_minor,
        suggested_limit_minor=ctx.deal.credit_limit_minor,
        at=ctx.now,
        expires_at=plus(ctx.now, ctx.policy.headroom_validity),
    )


def payment_days(deal: Deal, p: DraftOffer) -> int:
    """The payment days of a draft: those of the reliability check, or fewer."""
    return deal.terms_days if p.payment_days < 0 else min(p.payment_days, deal.terms_days)


def is_prepaid(deal: Deal, p: DraftOffer) -> bool:
    """Whether everything is paid in advance: as it was drafted, or as there are no payment days."""
    return p.prepaid_bps == BPS or (p.prepaid_bps < 0 and payment_days(deal, p) == 0)


def priced(ctx: Context) -> Offer:
    """The drafted offer with the quoted prices; articles that are not listed count with price 0.

    Raises ValueError when no quote was gathered.
    """
    if ctx.facts.quote is None:
        raise ValueError("an offer is priced from a quote")
    p: DraftOffer = ctx.payload
    lines = tuple(
        OfferLine(
            line=number,
            article=draft.article,
            description=quoted.description,
            quantity=draft.quantity,
            list_price_minor=quoted.list_price_minor,
            cost_minor=quoted.cost_minor,
            unit_price_minor=quoted.list_price_minor if draft.unit_price_minor < 0 else draft.unit_price_minor,
            tax_bps=quoted.tax_bps,
        )
        for number, (draft, quoted) in enumerate(zip(p.lines, ctx.facts.quote.lines, strict=True), start=1)
    )
    prepaid = is_prepaid(ctx.deal, p) if ctx.policy.rules >= 3 else payment_days(ctx.deal, p) == 0
    days = 0 if prepaid else payment_days(ctx.deal, p)
    offer = Offer(
        version=ctx.deal.offers + 1,
        lines=lines,
        currency=ctx.deal.currency,
        valid_until=p.valid_until or plus(ctx.now, ctx.policy.offer_validity),
        payment_days=days,
        prepaid=prepaid,
        delivery_terms=p.delivery_terms,
        language=p.language,
        drafted_by=ctx.actor.user,
        drafted_for=ctx.actor.on_behalf_of,
        given_discount_minor=ctx.facts.quote.given_discount_minor,
        given_list_minor=ctx.facts.quote.given_list_minor,
        billing=p.billing.value,
        milestones=p.milestones,
        prepaid_bps=0 if prepaid else max(0, p.prepaid_bps),
        prepayment_blocks=p.prepayment_blocks.value,
    )
    return replace(offer, hash=digest(codec.encode(offer)))


@handles("draft_offer", DraftOffer, asks={"quote": ask_quote})
def draft_offer(ctx: Context) -> list[Event]:
    """A new version; what was approved before binds to another hash and is void."""
    return [*void_pending(ctx.deal, ("offer",)), OfferDrafted(priced(ctx))]


@handles("request_approval", Reason)
def request_approval(ctx: Context) -> list[Event]:
    """Ask the lowest role whose authority suffices."""
    offer = ctx.deal.offer
    if offer is None:
        return []
    approvers = tuple(
        role
        for role in able(ctx.policy.discount_authority, offer.discount_bps)
        if role in ("head_of_sales", "commercial_director")
    )
    subject = f"offer {offer.version}: {offer.discount_bps / 100:.2f} % discount"
    return [ask_approval(ctx, "offer", subject, offer.hash, ctx.payload.reason, approvers, offer.discount_bps)]


@handles("approve_offer", Reason)
def approve_offer(ctx: Context) -> list[Event]:
    """The approval stands for this version only."""
    return settle(ctx, "offer", "approve", ctx.payload.reason)


@handles("decline_offer", Reason)
def decline_offer(ctx: Context) -> list[Event]:
    """The manager has to offer something else."""
    return settle(ctx, "offer", "decline", ctx.payload.reason)


@handles("withdraw_approval")
def withdraw_approval(ctx: Context) -> list[Event]:
    """Back to drafting."""
    return settle(ctx, "offer", "withdraw", "withdrawn")


@handles("send_offer")
def send_offer(ctx: Context) -> list[Event]:
    """Print and send the current version."""
    return [OfferSent(ctx.deal.offer.version, ctx.deal.offer.hash)] if ctx.deal.offer else []


@handles("object", Objection)
def record_objection(ctx: Context) -> list[Event]:
    """Keep cause and answer."""
    return [ObjectionRaised(ctx.payload.cause, ctx.payload.answer)]


@handles("counter", Counter)
def counter(ctx: Context) -> list[Event]:
    """Back to drafting with the customer's numbers."""
    return [CounterReceived(ctx.payload.wanted_total_minor, ctx.payload.text)]


@handles("expire", DueItem)
def expire(ctx: Context) -> list[Event]:
    """Back to drafting; the manager renews the offer or gives up."""
    return []


@handles("accept_offer", asks={"group_holds": ask_group_holds, "headroom": ask_headroom})
def accept_offer(ctx: Context) -> list[Event]:
    """Hold headroom and draft the contract."""
    offer = ctx.deal.offer
    if offer is None:
        return []
    held: list[Event] = [HeadroomReserved(offer.total_minor)]
    if offer.prepaid:  # nothing is owed on credit; what an earlier acceptance held was given back with the answer
        held = lower_headroom(ctx.deal, 0, "prepaid")
    return [*held, OfferAccepted(offer.version, offer.hash, offer.total_minor)]
