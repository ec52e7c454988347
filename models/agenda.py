"""The agenda: what a deal waits for, for whom, until when. Plain data, computed from the deal; one timer serves all."""

from collections.abc import Iterator

from models.agenda_goods import order_items
from models.agenda_items import HEAD, OWNER_ROLES, RECEIVABLE_ROLES, AgendaItem, due_item
from models.agenda_money import money_items
from models.deal_state import Deal
from models.instants import day_start, plus
from models.lifecycle.roles import Role
from models.lifecycle.states import DealState
from models.parts.care import Approval
from models.policy import Policy

WAITS_FOR: dict[str, tuple[str, ...]] = {
    DealState.RELIABILITY_CHECK: (Role.SYSTEM,),
    DealState.RELIABILITY_REVIEW: (Role.RISK_OFFICER,),
    DealState.OFFER_APPROVAL: (Role.HEAD_OF_SALES, Role.COMMERCIAL_DIRECTOR),
    DealState.RESOLVING_DISAGREEMENTS: (Role.LEGAL, *OWNER_ROLES),
    DealState.CONTRACT_APPROVAL: (Role.LEGAL,),
    DealState.FULFILLING: (Role.LOGISTICS_MANAGER,),
}
"""Who is waited for in a state; everywhere else it is the deal's owner."""

ESCALATES_TO: dict[str, tuple[str, ...]] = {
    DealState.RELIABILITY_CHECK: (Role.RISK_OFFICER,),
    DealState.RELIABILITY_REVIEW: (Role.COMMERCIAL_DIRECTOR,),
    DealState.OFFER_APPROVAL: (Role.COMMERCIAL_DIRECTOR,),
    DealState.CONTRACT_APPROVAL: (Role.COMMERCIAL_DIRECTOR,),
}
"""Who is told when the deadline of a state passes; everywhere else it is the head of sales."""


def waits_for(state: str) -> tuple[str, ...]:
    """Roles that a deal in this state waits for."""
    return tuple(map(str, WAITS_FOR.get(state, OWNER_ROLES)))


def escalates_to(state: str) -> tuple[str, ...]:
    """Roles that are told when the state lasts too long."""
    return tuple(map(str, ESCALATES_TO.get(state, HEAD)))


def agenda(deal: Deal, policy: Policy) -> tuple[AgendaItem, ...]:
    """All items of a deal, the earliest first. An open deal always has at least one (invariant 8)."""
    if deal.is_closed:
        return ()
    items = [
        *_state_deadlines(deal, policy),
        *_offer_items(deal, policy),
        *order_items(deal, policy),
        *money_items(deal, policy),
        *_support_items(deal, policy),
    ]
    return tuple(sorted(items, key=lambda item: (item.due_at, item.key)))


def next_due(items: tuple[AgendaItem, ...], skip: frozenset[str] = frozenset()) -> AgendaItem | None:
    """The earliest item on which the engine acts by itself, leaving out `skip`."""
    return next((item for item in items if item.action and item.key not in skip), None)


def _account(deal: Deal, policy: Policy) -> AgendaItem:
    """An account is no state that lasts too long; somebody looks after one on which nothing happens any more."""
    quiet_at = plus(day_start(deal.updated_at[:10]), policy.deadlines[deal.state].escalate)
    return AgendaItem(f"account:{deal.state_entry}", quiet_at, "account", RECEIVABLE_ROLES, note="bring or complete")


def _state_deadlines(deal: Deal, policy: Policy) -> Iterator[AgendaItem]:
    if deal.is_account:
        yield _account(deal, policy)
        return
    limit = policy.deadlines[deal.state]
    roles = waits_for(deal.state)
    person = deal.owner if roles == OWNER_ROLES else ""
    remind, escalate = (f"{what}:{deal.state}:{deal.state_entry}" for what in ("remind", "escalate"))
    if remind not in deal.fired:
        yield due_item(remind, plus(deal.state_since, limit.remind), "reminder", roles, "remind", person)
    until = plus(deal.state_since, limit.escalate)
    if escalate not in deal.fired:
        yield due_item(
            escalate, until, "deadline", roles, "escalate", person, f"then {', '.join(escalates_to(deal.state))}"
        )
        return
    key = f"overdue:{deal.state}:{deal.state_entry}"
    yield AgendaItem(key, until, "overdue", tuple(dict.fromkeys(roles + escalates_to(deal.state))), person)


def _offer_items(deal: Deal, policy: Policy) -> Iterator[AgendaItem]:
    if deal.state == DealState.OFFER_OPEN and deal.offer:
        key = f"expire:offer:{deal.offer.version}:{deal.state_entry}"
        yield due_item(key, deal.offer.valid_until, "offer_expiry", OWNER_ROLES, "expire", deal.owner)
    for asked in deal.approvals:
        if asked.state == "pending":
            yield _approval_item(asked, deal, policy)


def _approval_item(asked: Approval, deal: Deal, policy: Policy) -> AgendaItem:
    key = f"approval:{asked.number}"
    if policy.rules < 2:
        return AgendaItem(key, asked.due_at, "approval", asked.roles, note=asked.subject)
    if any(late.key == key for late in deal.escalations):
        roles = tuple(dict.fromkeys((*asked.roles, str(Role.COMMERCIAL_DIRECTOR))))
        return AgendaItem(key, asked.due_at, "late_answer", roles, note=asked.subject)
    return due_item(key, asked.due_at, "approval", asked.roles, "escalate_request", note=asked.subject)


def _support_items(deal: Deal, policy: Policy) -> Iterator[AgendaItem]:
    for case in deal.cases:
        if case.state != "closed":
            key, cause = f"case:{case.number}", str(case.cause)
            yield AgendaItem(key, case.due_at, "complaint", OWNER_ROLES, deal.owner, note=cause)
    if deal.state != DealState.SUPPORTING or deal.is_account:
        return
    key = f"follow_up:{deal.state_entry}"
    if key not in deal.fired:
        due = plus(deal.state_since, policy.follow_up_after)
        yield due_item(key, due, "follow_up", OWNER_ROLES, "follow_up", deal.owner)
    undecided = deal.order and (deal.order.open_discrepancies or deal.order.pending_amendment)
    if deal.open_minor == 0 and all(c.state == "closed" for c in deal.cases) and not deal.pending and not undecided:
        due = plus(deal.state_since, policy.support_window)
        yield AgendaItem(f"complete:{deal.state_entry}", due, "completion", OWNER_ROLES, deal.owner, "complete")
