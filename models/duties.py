"""Separation of duties as data: which acts make up a duty, and which duties one person must not combine on one object.

The guards of the deal, the desk for master data, the detection over history and the report of rights all read it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from models.instants import DAY
from models.lifecycle.deal_table import DEAL
from models.lifecycle.roles import HEADS, SALES_AND_MACHINES, Role

Scope = Literal["deal", "customer", "subject", "request", "invoice", "policy"]
"""The object on which two duties must not meet: a whole deal, a customer, exactly what was approved (its hash), a
request for approval, an invoice, a version of the policy."""
Means = Literal["guard", "four_eyes", "desk", ""]
"""What prevents it at the act: a guard on the deal, the guard `four_eyes`, the desk outside of deals; nothing, when it
is only detected."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A part of the business that is done by the acts named; acts of the deal's table, and of master data."""

    name: str
    acts: frozenset[str]
    words: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two duties that the same person, or a deputy of it, must not have on one object of the scope.

    `within` is for how many seconds the first binds (0: for ever), `prevented_by` what refuses the second.
    """

    name: str
    first: str
    second: str
    scope: Scope
    severity: Literal["high", "medium"]
    prevented_by: Means
    why: str
    within: int = 0

    @property
    def is_prevented(self) -> bool:
        """Whether the act itself is refused; else it is only found afterwards."""
        return bool(self.prevented_by)

    def other(self, duty: str) -> str:
        """The duty that conflicts with one of the two."""
        return self.second if duty == self.first else self.first


def _duty(name: str, words: str, *acts: str) -> tuple[str, Duty]:
    return name, Duty(name, frozenset(acts), words)


DUTIES = dict(
    (
        _duty("customer_master", "customer cards", "customer"),
        _duty("credit_limit", "credit limits", "credit_limit", "approve_reliability"),
        _duty("quotation", "offers and their discounts", "draft_offer"),
        _duty("discount_request", "requests for a discount", "request_approval"),
        _duty("discount_approval", "discounts beyond authority", "approve_offer"),
        _duty("contract_writing", "contracts", "redraft_contract", "close_protocol", "submit_contract"),
        _duty("contract_release", "release of contracts", "approve_contract"),
        _duty("order_acceptance", "acceptance and change of orders", "accept_order", "confirm_amendment"),
        _duty("order_entry", "entry of orders", "enter_order", "enter_differing_order"),
        _duty("goods_release", "goods that leave the house", "ship"),
        _duty("invoicing", "what leads to an invoice", "reach_milestone"),
        _duty("invoice_taken_over", "invoices of an earlier system", "bring_invoice"),
        _duty("payment_booking", "incoming money", "record_payment", "reverse_payment"),
        _duty("credit_note", "credit notes", "credit", "grant_credit"),
        _duty("complaint_credit", "credit for complaints", "decide_case", "settle_discrepancy", "settle_dispute"),
        _duty("relief_request", "requests to give money up", "request_write_off", "request_waiver", "request_legal"),
        _duty("relief_approval", "money given up", "approve_write_off", "approve_waiver", "approve_legal"),
        _duty("policy_drafting", "policies in draft", "policy_draft"),
        _duty("policy_approval", "approval of policies", "policy_approval"),
    )
)
"""All duties, by name."""

CREDIT_LIMIT_WINDOW = 30 * DAY

CONFLICTS = (
    Conflict(
        "customer_master_and_credit_limit", "customer_master", "credit_limit", "customer", "high", "desk",
        "who makes up or changes a customer's card must not say how much that customer may owe us",
        within=CREDIT_LIMIT_WINDOW,
    ),
    Conflict(
        "quotation_and_discount_approval", "quotation", "discount_approval", "subject", "high", "four_eyes",
        "nobody approves the discount in an offer that they wrote",
    ),
    Conflict(
        "discount_request_and_approval", "discount_request", "discount_approval", "request", "high", "four_eyes",
        "nobody approves what they asked for",
    ),
    Conflict(
        "contract_writing_and_release", "contract_writing", "contract_release", "subject", "high", "four_eyes",
        "nobody releases the contract that they wrote or handed in",
    ),
    Conflict(
        "relief_request_and_approval", "relief_request", "relief_approval", "request", "high", "four_eyes",
        "nobody gives up money that they asked to give up",
    ),
    Conflict(
        "order_entry_and_credit_note", "order_entry", "credit_note", "deal", "high", "guard",
        "an order that was made up could be taken back by a credit note, and the goods would be gone",
    ),
    Conflict(
        "order_entry_and_goods_release", "order_entry", "goods_release", "deal", "high", "guard",
        "who enters orders and lets goods leave needs nobody else to send goods away",
    ),
    Conflict(
        "goods_release_and_payment", "goods_release", "payment_booking", "deal", "high", "guard",
        "who lets goods leave and books money could cover goods that were never paid",
    ),
    Conflict(
        "invoicing_and_payment", "invoicing", "payment_booking", "deal", "high", "guard",
        "who decides that an invoice is written must not be who books that it was paid",
    ),
    Conflict(
        "payment_and_credit_note", "payment_booking", "credit_note", "deal", "high", "guard",
        "money that was kept back could be covered by a credit note",
    ),
    Conflict(
        "payment_and_relief", "payment_booking", "relief_approval", "deal", "high", "guard",
        "money that was kept back could be covered by giving up the claim",
    ),
    Conflict(
        "order_acceptance_and_complaint_credit", "order_acceptance", "complaint_credit", "deal", "medium", "",
        "the account manager has both duties, so it is not refused; an auditor looks at who credits their own orders",
    ),
    Conflict(
        "invoice_taken_over_and_payment", "invoice_taken_over", "payment_booking", "invoice", "medium", "",
        "where accounts receivable is one person, that person takes over old invoices and books what is paid on them",
    ),
    Conflict(
        "policy_drafting_and_approval", "policy_drafting", "policy_approval", "policy", "high", "desk",
        "the business numbers take two: who wrote a draft does not approve it",
    ),
)  # fmt: skip
"""All pairs of duties that must be separate."""

DUTY_OF = {act: duty.name for duty in DUTIES.values() for act in duty.acts}
"""Act to the duty that it is part of."""

GUARDED = frozenset(duty for rule in CONFLICTS if rule.prevented_by == "guard" for duty in (rule.first, rule.second))
"""Duties that a deal remembers of everybody, because a guard looks back at them."""

MACHINES = frozenset({Role.AUTOMATION, Role.SYSTEM})
"""Roles in which no person acts: rules about persons do not bind them."""

MASTER_ACTS: dict[str, frozenset[Role]] = {
    "customer": SALES_AND_MACHINES | HEADS | {Role.RISK_OFFICER},
    "credit_limit": frozenset({Role.RISK_OFFICER, Role.COMMERCIAL_DIRECTOR}),
    "user": frozenset({Role.ADMIN}),
    "policy_draft": frozenset({Role.ADMIN}),
    "policy_approval": frozenset({Role.ADMIN}),
}
"""Acts outside of deals to the roles that may do them."""


def rules_about(duty: str) -> tuple[Conflict, ...]:
    """The conflicts that a duty is part of."""
    return tuple(rule for rule in CONFLICTS if duty in (rule.first, rule.second))


def acts_of(roles: Iterable[str]) -> frozenset[str]:
    """Everything that the tables give to any of these roles: actions of deals, and acts on master data."""
    held = {Role(role) for role in roles}
    on_deals = {row.action for row in DEAL.rows if row.roles & held}
    return frozenset(on_deals | {act for act, able in MASTER_ACTS.items() if able & held})


def toxic(roles: Iterable[str]) -> tuple[Conflict, ...]:
    """Conflicts whose both sides one person could do with these roles; rules of roles that no person has are none."""
    acts = acts_of(role for role in roles if Role(role) not in MACHINES)
    duties = {DUTY_OF[act] for act in acts if act in DUTY_OF}
    return tuple(rule for rule in CONFLICTS if {rule.first, rule.second} <= duties)
