"""Deals on the wire: opening, acts and their answers, the deal with its parts, timeline and agenda."""

from typing import Annotated, Any

from pydantic import Field

from api.wire.goods import Amendment, Discrepancy, OrderLine, Shipment, ShortageOption
from api.wire.shared import Asked, Money, Name, OptionalCode, OptionalCurrency, OptionalId, Plain, Told


class OpenDeal(Asked):
    """A new deal. Left empty: you own it, in the customer's currency, served from any warehouse."""

    title: Name
    customer: Annotated[OptionalId, Field(min_length=1)]
    owner: OptionalId = ""
    branch: OptionalCode = ""
    currency: OptionalCurrency = ""
    linked_deal: OptionalId = ""
    source_ref: Annotated[OptionalCode, Field(max_length=200)] = ""
    is_test: bool = False


class Substates(Told):
    """Where goods, money, credit and approvals stand; derived from facts."""

    goods: str
    money: str
    credit: str
    approval: str


class Acted(Told):
    """Where a deal stands after an act, or would stand in a dry run."""

    deal_id: str
    version: int
    state: str
    stage: str
    substates: Substates
    sequence: int
    allowed_actions: list[str]
    dry_run: bool = False


class DealSummary(Told):
    """A deal as lists show it; `value` is null for roles that must not see prices."""

    id: str
    version: int
    state: str
    stage: str
    title: str
    customer: str
    owner: str
    department: str
    branch: str
    currency: str
    is_test: bool
    policy_version: str
    opened_at: str
    state_since: str
    updated_at: str
    due_at: str
    closed_at: str
    value: Money | None
    holds: list[str]
    substates: Substates
    linked_deal: str
    loss_reason: str
    source_ref: str
    pending_effects: int


class Deals(Told):
    """A page of deals, the latest opened first."""

    items: list[DealSummary]
    next_cursor: str


class Needs(Told):
    """What the customer needs."""

    what: str
    quantity: int
    wanted_by: str
    budget: Money | None
    decision_process: str


class Terms(Told):
    """Payment terms and credit."""

    prepaid: bool
    payment_days: int
    credit_limit: Money
    headroom: Money


class OfferLine(Told):
    """One line of an offer."""

    line: int
    article: str
    description: str
    quantity: int
    tax_bps: int
    list_price: Money
    unit_price: Money


class Milestone(Told):
    """A step at which a share of the order is invoiced."""

    name: str
    share_bps: int


class Offer(Told):
    """The current version of the offer; `margin_bps` is sales' own. `prepaid_bps` is paid in advance, and
    `prepayment_blocks` supply, shipping or both until it is; the rest is invoiced by `billing`."""

    version: int
    hash: str
    valid_until: str
    payment_days: int
    prepaid: bool
    prepaid_bps: int
    prepayment_blocks: str
    billing: str
    milestones: list[Milestone]
    delivery_terms: str
    language: str
    drafted_by: str
    discount_bps: int
    net: Money
    tax: Money
    total: Money
    margin_bps: int | None
    lines: list[OfferLine]


class Contract(Told):
    """The contract: its version, document, disagreements and signatures."""

    version: int
    amount: Money
    offer_hash: str
    document: str
    digest: str
    is_signed: bool
    special_clauses: list[str]
    disagreements: list[Plain]
    signatures: list[Plain]


class DealInvoice(Told):
    """An invoice of the deal: total = paid + credited + written off + open."""

    number: str
    kind: str
    state: str
    issued_at: str
    due_at: str
    settled_at: str
    promised_until: str
    broken_promises: int
    total: Money
    paid: Money
    credited: Money
    written_off: Money
    open: Money
    disputed: Money
    promised: Money
    unapplied: Money
    disputes: list[Plain]


class Deal(DealSummary):
    """A deal with its parts, as far as your role may see them."""

    group: str
    last_hash: str
    contacts: int
    objections: int
    satisfaction: int
    delivered_at: str
    competitor: str
    needs: Needs | None
    terms: Terms | None
    assessment: Plain | None
    offer: Offer | None
    contract: Contract | None
    lines: list[OrderLine]
    shipments: list[Shipment]
    discrepancies: list[Discrepancy]
    amendments: list[Amendment]
    invoices: list[DealInvoice]
    approvals: list[Plain]
    cases: list[Plain]


class Guard(Told):
    """What one guard saw."""

    guard: str
    found: str
    needed: str
    lifted_by: list[str]


class Action(Told):
    """One action: allowed, or blocked and why. `unchecked` guards need the payload or an answer from outside."""

    action: str
    summary: str
    allowed: bool
    code: str
    why: str
    target: str
    roles: list[str]
    states: list[str]
    failing: list[Guard]
    unchecked: list[str]
    payload_schema: dict[str, Any]


class Actions(Told):
    """Every action of the table."""

    deal_id: str
    items: list[Action]


class TimelineEntry(Told):
    """One receipt: who did what on whose behalf, what the guards saw, what changed."""

    deal_id: str
    sequence: int
    at: str
    actor: str
    on_behalf_of: str
    role: str
    action: str
    state_from: str
    state_to: str
    policy_version: str
    key: str
    payload: Plain
    facts: Plain
    verdicts: list[Plain]
    events: list[Plain]
    receipt: Plain | None
    previous_hash: str
    hash: str


class RefusedAct(Told):
    """An act that was asked for and refused."""

    id: int
    deal_id: str
    at: str
    actor: str
    action: str
    code: str
    key: str
    detail: Plain


class Timeline(Told):
    """Entries in their order; `state` and `version` are those after the last of them."""

    deal_id: str
    as_of: str
    state: str
    version: int
    entries: list[TimelineEntry]
    refusals: list[RefusedAct]
    next_cursor: str


class About(Told):
    """What a deal is about."""

    title: str
    state: str
    owner: str
    customer: str
    value: Money | None


class AgendaItem(Told):
    """What is due when, for whom; `action` is what the engine then does, empty when only people can act."""

    deal_id: str
    key: str
    due_at: str
    kind: str
    roles: list[str]
    person: str
    action: str
    note: str
    is_test: bool
    deal: About


class Agenda(Told):
    """Agenda items, the earliest first."""

    items: list[AgendaItem]
    next_cursor: str


class Shortage(Told):
    """An order line that is out of stock, in whole units, and who has to answer until when.

    `note` is the last answer that named a date; dates are empty while nobody knows them.
    """

    deal_id: str
    line: int
    article: str
    description: str
    branch: str
    ordered: int
    reserved: int
    short: int
    since: str
    rung: str
    role: str
    due_at: str
    overdue: bool
    expected_on: str
    promised_on: str
    choice: str
    note: str
    is_test: bool
    options: list[ShortageOption]
    deal: About


class Shortages(Told):
    """Order lines that are out of stock, the earliest due first."""

    items: list[Shortage]
    next_cursor: str


class ArchivedRun(Told):
    """A finished run of the deal's workflow whose history we keep."""

    workflow_id: str
    run_id: str
    events: int
    digest: str
    archived_at: str


class ArchivedRuns(Told):
    """The archived runs of a deal, the oldest first."""

    items: list[ArchivedRun]


class Approval(Told):
    """A request for approval, bound to the hash of exactly what was asked for."""

    deal_id: str
    number: int
    kind: str
    subject_hash: str
    state: str
    requested_by: str
    requested_at: str
    due_at: str
    decided_by: str
    decided_at: str
    roles: list[str]
    reason: str
    deal: About


class Approvals(Told):
    """Requests for approval, the earliest due first."""

    items: list[Approval]
    next_cursor: str
