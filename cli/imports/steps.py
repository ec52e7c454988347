"""What an imported deal needs next to reach the fate that its row tells. Pure, so a resumed import just goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cli.imports.opportunities import Item, Opportunity, Outcome
from models.deal_state import Deal
from models.instants import DAY, between, plus
from models.lifecycle.roles import Role
from models.lifecycle.states import DealState as S
from models.policy import Policy
from models.stages.approvals import granted

OFFER_LASTS = 30 * DAY  # beyond the day on which the row says that the customer decided


@dataclass(frozen=True, slots=True)
class Office:
    """Who acts for an import besides the agents: a machine client, a risk officer and a director."""

    clerk: str
    risk: str
    director: str
    manager_of: dict[str, str] = field(default_factory=dict)

    def approver(self, deal: Deal, discount_bps: int, policy: Policy) -> str:
        """The agent's manager within the head's authority, else the director."""
        manager = self.manager_of.get(deal.owner, "")
        head = policy.discount_authority.get(str(Role.HEAD_OF_SALES), 0)
        return manager if manager and manager != deal.owner and discount_bps <= head else self.director

    def signer(self, deal: Deal, policy: Policy) -> str:
        """The lowest who may sign the contract's amount."""
        amount = deal.contract.amount_minor if deal.contract else 0
        if amount <= policy.signing_authority.get(str(Role.ACCOUNT_MANAGER), 0):
            return deal.owner
        manager = self.manager_of.get(deal.owner, "")
        head = policy.signing_authority.get(str(Role.HEAD_OF_SALES), 0)
        return manager if manager and amount <= head else self.director


@dataclass(frozen=True, slots=True)
class Act:
    """Ask the deal for something, as a user."""

    user: str
    action: str
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forward:
    """Let virtual time pass."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Done:
    """The deal is where its row says; `reached` is False when it ended elsewhere."""

    reached: bool


Step = Act | Forward | Done


@dataclass(frozen=True, slots=True)
class Way:
    """Everything that a step depends on."""

    row: Opportunity
    deal: Deal
    now: str
    policy: Policy
    office: Office

    @property
    def last_day(self) -> str:
        """The instant on which the row's own days are over."""
        return plus(self.deal.opened_at, self.row.days * DAY)

    @property
    def seconds_left(self) -> int:
        """Seconds until then."""
        return max(0, between(self.now, self.last_day))

    def by_owner(self, action: str, **payload: Any) -> Act:
        """An act of the account manager."""
        return Act(self.deal.owner, action, payload)

    def by_clerk(self, action: str, **payload: Any) -> Act:
        """An act of another department, recorded by the import's machine client."""
        return Act(self.office.clerk, action, payload)


_RESTS = {
    Outcome.PROSPECTING: frozenset({S.CONTACTED}),
    Outcome.ENGAGING: frozenset({S.OFFER_OPEN}),
    Outcome.LOST: frozenset({S.LOST}),
    Outcome.WON: frozenset({S.COMPLETED}),
}


def rests(row: Opportunity, state: str) -> bool:
    """Whether a deal in this state is where its row left it."""
    if row.outcome is Outcome.ENGAGING and row.is_placeholder:
        return state == S.QUALIFIED  # nobody to address an offer to
    return state in _RESTS[row.outcome]


def outcome_of(state: str) -> Outcome | None:
    """What a deal in this state counts as in the funnel; None for a state that no row asks for."""
    if state in (S.IDENTIFIED, S.CONTACTED):
        return Outcome.PROSPECTING
    if state in (S.LOST, S.COMPLETED):
        return Outcome.LOST if state == S.LOST else Outcome.WON
    return None if S(state).is_terminal else Outcome.ENGAGING


def next_step(way: Way) -> Step:
    """The next thing to do for the deal."""
    if rests(way.row, way.deal.state):
        return Done(True)
    if way.deal.is_closed:
        return Done(False)
    return _STEPS[S(way.deal.state)](way)


def _identified(way: Way) -> Step:
    return way.by_owner("log_contact", channel="call", outcome="interested, from the imported pipeline")


def _contacted(way: Way) -> Step:
    if way.deal.needs is None:
        units = sum(item.quantity for item in way.row.items)
        return way.by_owner(
            "record_needs", what=", ".join(item.article for item in way.row.items)[:300], quantity=units
        )
    return way.by_owner("qualify")


def _qualified(way: Way) -> Step:
    if way.row.outcome is Outcome.LOST and way.row.is_placeholder:
        return _give_up(way)
    return way.by_owner("request_check")


def _waiting(way: Way) -> Step:
    return Forward(1)  # the engine moves it by itself


def _review(way: Way) -> Step:
    made = way.deal.assessment
    if made is not None and made.grade == "D":
        terms = {"credit_limit_minor": 0, "payment_days": 0, "reason": "class D: prepaid, as the row was won"}
        return Act(way.office.director, "approve_reliability", terms)
    limit = max(way.policy.reliability.limit_by_class["B"], 2 * _worth(way.row))
    days = way.policy.reliability.terms_days_by_class["C"]
    terms = {"credit_limit_minor": limit, "payment_days": days, "reason": "known from the imported pipeline"}
    return Act(way.office.risk, "approve_reliability", terms)


def _preparing(way: Way) -> Step:
    deal = way.deal
    if deal.assessment is None or deal.assessment.valid_until <= way.now:
        return way.by_owner("recheck_reliability", reason="the check is too old")
    if deal.offer is None or deal.offer.valid_until <= way.now:
        wanted = plus(max(way.now, way.last_day), OFFER_LASTS)
        latest = plus(way.now, way.policy.offer_validity_max)
        return way.by_owner(
            "draft_offer", lines=[_draft(item) for item in way.row.items], valid_until=min(wanted, latest)
        )
    authority = way.policy.discount_authority.get(str(Role.ACCOUNT_MANAGER), 0)
    if deal.offer.discount_bps > authority and granted(deal, "offer", deal.offer.hash) is None:
        return way.by_owner("request_approval", reason="the price of the imported row")
    return way.by_owner("send_offer")


def _approval(way: Way) -> Step:
    discount = way.deal.offer.discount_bps if way.deal.offer else 0
    reason = {"reason": "history: the deal was made at this price"}
    return Act(way.office.approver(way.deal, discount, way.policy), "approve_offer", reason)


def _offer_open(way: Way) -> Step:
    if way.seconds_left:
        return Forward(way.seconds_left)
    if way.row.outcome is Outcome.LOST:
        return _give_up(way)
    made = way.deal.assessment
    if made is None or made.valid_until <= way.now:
        return way.by_owner("counter", text="the check ran out; the offer is renewed")
    return way.by_owner("accept_offer")


def _give_up(way: Way) -> Step:
    if way.seconds_left:
        return Forward(way.seconds_left)
    competitor = {"competitor": way.row.competitor} if way.row.competitor else {}
    return way.by_owner("lose", reason=way.row.loss_reason, note="lost in the imported pipeline", **competitor)


def _drafting(way: Way) -> Step:
    signer = way.office.signer(way.deal, way.policy)
    if signer == way.office.director:
        return way.by_owner("submit_contract")  # the director releases what is beyond everybody else
    return Act(signer, "send_contract")


def _contract_approval(way: Way) -> Step:
    return Act(way.office.director, "approve_contract", {"reason": "history: the contract was signed"})


def _signing(way: Way) -> Step:
    contract = way.deal.contract
    if contract is None or not contract.signed_by("ours"):
        digest = contract.digest if contract else ""
        return Act(way.office.signer(way.deal, way.policy), "sign", {"side": "ours", "digest": digest})
    return way.by_clerk("sign", side="theirs", digest=contract.digest, signatory="customer")


def _ordering(way: Way) -> Step:
    order = way.deal.order
    if order is None or not order.accepted_by:
        return way.by_owner("accept_order")
    typed = [
        {"article": line.article, "quantity": line.ordered, "unit_price_minor": line.unit_price_minor}
        for line in order.lines
    ]
    return way.by_clerk("enter_order", lines=typed)


def _fulfilling(way: Way) -> Step:
    if way.deal.open_minor:
        return _pay(way)  # a prepayment, which the goods wait for
    lines = way.deal.order.lines if way.deal.order else ()
    if any(line.on_the_way for line in lines):
        return way.by_clerk("deliver")
    if any(line.reserved for line in lines):
        return way.by_clerk("ship")
    return way.by_clerk("retry_reservation")


def _supporting(way: Way) -> Step:
    return _pay(way) if way.deal.open_minor else way.by_owner("complete")


def _pay(way: Way) -> Step:
    owed = next(r for r in way.deal.receivables if r.open_minor)
    return way.by_clerk(
        "record_payment",
        invoice=owed.number,
        amount_minor=owed.open_minor,
        currency=owed.currency,
        reference=f"import {way.row.ref}",
    )


def _resolving(way: Way) -> Step:
    return Done(False)  # an import never gets here; a person must have stepped in


_STEPS: dict[S, Callable[[Way], Step]] = {
    S.IDENTIFIED: _identified,
    S.CONTACTED: _contacted,
    S.QUALIFIED: _qualified,
    S.RELIABILITY_CHECK: _waiting,
    S.RELIABILITY_REVIEW: _review,
    S.PREPARING_OFFER: _preparing,
    S.OFFER_APPROVAL: _approval,
    S.OFFER_OPEN: _offer_open,
    S.DRAFTING_CONTRACT: _drafting,
    S.RESOLVING_DISAGREEMENTS: _resolving,
    S.CONTRACT_APPROVAL: _contract_approval,
    S.AWAITING_SIGNATURES: _signing,
    S.ORDERING: _ordering,
    S.FULFILLING: _fulfilling,
    S.SUPPORTING: _supporting,
}


def _draft(item: Item) -> dict[str, Any]:
    return {"article": item.article, "quantity": item.quantity, "unit_price_minor": item.unit_price_minor}


def _worth(row: Opportunity) -> int:
    return sum(max(0, item.unit_price_minor) * item.quantity for item in row.items)
