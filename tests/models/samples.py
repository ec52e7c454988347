"""One deal in every state, and for every action of the deal's table a request whose guards all hold."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from models import codec
from models.agenda import agenda
from models.command import SYSTEM, Actor, Command, Facts
from models.deal import Decision, decide
from models.deal_state import Deal, Effect
from models.instants import plus
from models.lifecycle.machines import DEALS
from models.messages.finance import GroupHolds, HeadroomResult, ReliabilityFacts
from models.messages.sales import QuotedLine, QuoteResult
from models.parts.amendment import AmendedLine, Amendment
from models.parts.billing import Milestone
from models.parts.care import Approval, Case
from models.parts.contract import Disagreement, Signature
from models.parts.discrepancy import Discrepancy, DiscrepancyLine
from models.parts.order import OrderLine
from models.parts.receivable import Dispute
from models.parts.shipment import Shipment, ShipmentLine
from models.parts.shortage import RungVisit, Shortage
from models.policy import DEFAULT, Policy
from tests.models.deals import BLOCKED, WEAK, deal_in, line_changed
from tests.models.money_samples import MONEY_SAMPLES
from tests.models.money_samples import OWED as OWED
from tests.models.world import GOOD, PEOPLE, SHARPER

Payload = dict[str, Any]
ROOM, UNHELD = HeadroomResult(True, 50_000_000, 0), GroupHolds()
QUOTE = QuoteResult((QuotedLine("A-1", True, "article A-1", 10_000, 6_000, 1900),))


@dataclass(frozen=True)
class Sample:
    """A request that the deal's state, its guards and its role allow."""

    deal: Deal
    action: str
    payload: Payload
    actor: Actor
    now: str
    facts: Facts = field(default_factory=Facts)
    policy: Policy = DEFAULT

    def decide(self) -> Decision:
        """Carry it out. Raises MoveRefused."""
        command = Command(self.action, self.actor, "a-key", self.payload)
        return decide(self.deal, command, self.policy, self.now, self.facts)

    def given(self, **changes: Any) -> "Sample":
        """The same request on a deal with other facts."""
        return replace(self, deal=replace(self.deal, **changes))

    def asking(self, **changes: Any) -> "Sample":
        """The same request with another payload."""
        return replace(self, payload=self.payload | changes)

    def by(self, role: str, **changes: Any) -> "Sample":
        """The same request by the person with a role."""
        return replace(self, actor=replace(actor_of(role), **changes))


def actor_of(role: str) -> Actor:
    """The person with a role, or the engine."""
    return SYSTEM if role == "system" else PEOPLE[role]


WRITE_OFF = Approval(
    9, "write_off", "R-1", "R-1:10000", "bankrupt", "u-accounts_receivable", "2026-01-05T08:00:00Z",
    "2026-01-06T08:00:00Z", ("head_of_sales", "commercial_director"), amount=10_000,
)  # fmt: skip
CASE = Case(1, (1,), "quality", "", "2026-01-05T08:00:00Z", "2026-01-10T08:00:00Z")
SHORT = {"state": "short", "reserved": 0, "reserved_until": "", "short_since": "2026-01-05T08:00:00Z"}
TIMED = frozenset(
    {
        "remind",
        "escalate",
        "escalate_request",
        "expire",
        "expire_reservation",
        "advance_collection",
        "break_promise",
        "default_plan",
        "charge_interest",
        "follow_up",
    }
)
"""Actions of the engine that fire an item of the agenda."""

Prepared = tuple[Deal, Payload, Facts]
PREPARE: dict[str, Callable[[Deal], Prepared]] = {}


def _sample(*actions: str) -> Callable[[Callable[[Deal], Prepared]], Callable[[Deal], Prepared]]:
    def register(prepare: Callable[[Deal], Prepared]) -> Callable[[Deal], Prepared]:
        PREPARE.update(dict.fromkeys(actions, prepare))
        return prepare

    return register


def _plain(payload: Payload, facts: Facts | None = None, **changes: Any) -> Callable[[Deal], Prepared]:
    return lambda deal: (replace(deal, **changes), payload, facts or Facts())


def _effect(wanted: str, payload: Payload, /, **data: Any) -> Callable[[Deal], Prepared]:
    return lambda deal: (replace(deal, pending=(Effect(wanted, data, "E-1"),)), {"effect": "E-1", **payload}, Facts())


def _found(facts: ReliabilityFacts) -> Callable[[Deal], Prepared]:
    return _effect("assess_reliability", {"found": codec.encode(facts)})


PAPER = {"name": "contract-1.txt", "digest": "ab" * 32}
INVOICE = {"number": "R-2", "kind": "delivery", "total_minor": 5, "issued_at": OWED.issued_at, "due_at": OWED.due_at}
NEEDS = {"what": "pumps", "quantity": 3, "wanted_by": "2026-06-01", "budget_minor": 100, "decision_process": "board"}
DRAFT = {"lines": [{"article": "A-1", "quantity": 3, "unit_price_minor": 9_900}], "valid_until": "2026-02-01T00:00:00Z"}
PROMISE = {"invoice": "R-1", "amount_minor": 10_000, "until": "2026-02-20T00:00:00Z"}
TERMS = {"credit_limit_minor": 1_000_000, "payment_days": 14, "reason": "known people"}
CONSENT = {"line": 1, "channel": "email", "given_by": "buyer"}

for _action, _prepare in {
    "hold": _plain({"hold": "legal", "reason": "a claim"}),
    "resume": _plain({"hold": "legal", "reason": "settled"}, holds=("legal",)),
    "reassign": _plain({"owner": "u-other", "department": "south"}),
    "note": _plain({"text": "they prefer mornings"}),
    "adopt_policy": _plain({"version": "2026.4", "reason": "the new numbers"}, Facts(policy=SHARPER)),
    "file_document": _effect("print_document", PAPER, kind="contract", version=1),
    "file_letter": _effect("send_letter", PAPER, kind="reminder"),
    "finish_effect": _effect("note_broken_promise", {}),
    "log_contact": _plain({"channel": "visit", "outcome": "a second talk"}),
    "record_needs": _plain(NEEDS),
    "lose": _plain({"reason": "competitor", "note": "cheaper", "competitor": "Acme"}),
    "pass_check": _found(ReliabilityFacts(True, "g-1", True, financials=GOOD, founded_on="1999-01-01")),
    "refer_check": _found(WEAK),
    "reject_check": _found(BLOCKED),
    "approve_reliability": _plain(TERMS),
    "draft_offer": _plain(DRAFT, Facts(quote=QUOTE)),
    "accept_offer": _plain({}, Facts(headroom=ROOM, group_holds=UNHELD)),
    "ship": _plain({}, Facts(group_holds=UNHELD)),
    "object": _plain({"cause": "price", "answer": "quality"}),
    "counter": _plain({"wanted_total_minor": 1_000, "text": "ten per cent less"}),
    "redraft_contract": _plain({"special_clauses": ["delivery on Sundays"]}),
    "raise_disagreement": _plain({"clause": "9", "our_position": "a", "their_position": "b"}),
    "settle_disagreement": _plain({"clause": "7.2", "resolution": "45 days"}),
    "book_carriage": _effect("book_carriage", {"carrier": "own", "reference": "V-1"}, shipment="D-1-S1"),
    "book_reservation": _effect("reserve_lines", {"lines": []}, lines=[]),
    "book_shipment": _effect("ship_lines", {"lines": []}, lines=[]),
    "book_invoice": _effect("issue_invoice", INVOICE, kind="delivery", lines=[]),
    "record_payment": _plain({"invoice": "R-1", "amount_minor": 9, "currency": "EUR"}, receivables=(OWED,)),
    "dispute": _plain({"invoice": "R-1", "amount_minor": 4_000, "reason": "broken"}, receivables=(OWED,)),
    "promise_to_pay": _plain(PROMISE, receivables=(OWED,)),
    "credit": _plain({"invoice": "R-1", "amount_minor": 4_000, "reason": "late"}, receivables=(OWED,)),
    "request_write_off": _plain({"invoice": "R-1", "reason": "bankrupt"}, receivables=(OWED,)),
    "record_feedback": _plain({"satisfaction": 5, "text": "thanks"}),
    "decide_case": _plain({"case": 1, "decision": "replace", "measure": "better boxes"}, cases=(CASE,)),
    "close_case": _plain({"case": 1}, cases=(replace(CASE, state="decided", decision="refuse"),)),
    "break_promise": _plain({}, receivables=(replace(OWED, promised_minor=5, promised_until="2026-01-09T00:00:00Z"),)),
    "advance_collection": _plain({}, receivables=(OWED,)),
    "complete": _plain({}, receivables=(replace(OWED, paid_minor=10_000, state="paid"),)),
    "default": _plain({}, receivables=(replace(OWED, written_off_minor=10_000, state="written_off"),)),
    "approve_contract": _plain({"reason": "fine"}),
}.items():
    PREPARE[_action] = _prepare
PREPARE |= MONEY_SAMPLES


@_sample(
    "reject",
    "recheck_reliability",
    "confirm_reliability",
    "approve_offer",
    "decline_offer",
    "return_contract",
    "cancel",
)
def _with_reason(deal: Deal) -> Prepared:
    return deal, {"reason": "because"}, Facts()


@_sample("request_approval")
def _beyond_authority(deal: Deal) -> Prepared:
    return replace(deal, offer=deal_in("offer_approval").offer), {"reason": "a large customer"}, Facts()


@_sample("approve_write_off", "decline_write_off")
def _write_off_asked(deal: Deal) -> Prepared:
    asked = replace(deal, receivables=(OWED,), approvals=(*deal.approvals, WRITE_OFF))
    return asked, {"reason": "nothing to get"}, Facts()


@_sample("settle_dispute")
def _disputed(deal: Deal) -> Prepared:
    owed = replace(OWED, disputes=(Dispute(1, 4_000, "broken", OWED.issued_at),))
    payload = {"invoice": "R-1", "dispute": 1, "credit_minor": 1_000, "reason": "half of it"}
    return replace(deal, receivables=(owed,)), payload, Facts()


@_sample("close_protocol")
def _all_settled(deal: Deal) -> Prepared:
    assert deal.contract
    settled = (Disagreement("7.2", "30 days", "90 days", "45 days"),)
    return replace(deal, contract=replace(deal.contract, disagreements=settled)), {}, Facts()


@_sample("sign")
def _to_sign(deal: Deal) -> Prepared:
    assert deal.contract
    return deal, {"side": "ours", "digest": deal.contract.digest}, Facts(group_holds=UNHELD)


@_sample("conclude_contract")
def _both_signed(deal: Deal) -> Prepared:
    assert deal.contract
    digest = deal.contract.digest
    names = tuple(Signature(side, "somebody", digest, OWED.issued_at) for side in ("ours", "theirs"))
    return replace(deal, contract=replace(deal.contract, signatures=names)), {}, Facts()


@_sample("enter_order")
def _accepted(deal: Deal) -> Prepared:
    assert deal.order
    lines = [
        {"article": o.article, "quantity": o.ordered, "unit_price_minor": o.unit_price_minor} for o in deal.order.lines
    ]
    return (
        replace(deal, order=replace(deal.order, accepted_by="u-account_manager")),
        {"lines": lines},
        Facts(group_holds=UNHELD),
    )


def _short(payload: Payload, facts: Facts | None = None) -> Callable[[Deal], Prepared]:
    return lambda deal: (line_changed(deal, 1, **SHORT), payload, facts or Facts())


PREPARE |= {
    "retry_reservation": _short({}),
    "escalate_shortage": _short({"line": 1}),
    "answer_shortage": _short({"line": 1, "available_on": "2026-03-01", "quantity": 5, "note": "a truck is coming"}),
    "propose_analogue": _short({"line": 1, "article": "B-1"}, Facts(quote=QUOTE)),
}


@_sample("accept_analogue", "decline_analogue")
def _proposed(deal: Deal) -> Prepared:
    changed = line_changed(deal, 1, **SHORT, proposed_article="B-1", proposed_price_minor=9_000)
    return changed, CONSENT, Facts()


@_sample("cancel_line")
def _line_open(deal: Deal) -> Prepared:
    return deal, {"line": 1, "reason": "not wanted"}, Facts()


def _moved(delivered: bool, payload: Payload) -> Callable[[Deal], Prepared]:
    def prepare(deal: Deal) -> Prepared:
        assert deal.order
        lines = tuple(_line_moved(line, delivered) for line in deal.order.lines)
        return replace(deal, order=replace(deal.order, lines=lines)), payload, Facts()

    return prepare


def _line_moved(line: OrderLine, delivered: bool) -> OrderLine:
    state = "delivered" if delivered else "shipped"
    there = line.ordered if delivered else 0
    return replace(line, shipped=line.ordered, delivered=there, reserved=0, state=state)


LADDER = Shortage(
    "2026-01-05T08:00:00Z", "choose", "account_manager", "2026-01-09T08:00:00Z",
    (RungVisit(1, "choose", "account_manager", "2026-01-05T08:00:00Z", "2026-01-09T08:00:00Z"),),
)  # fmt: skip
SENT = Shipment("D-1-S1", (ShipmentLine(1, 10),), "2026-01-05T08:00:00Z", state="booked")
ACT = Discrepancy(
    1, "damage", "carrier", (DiscrepancyLine(1, 2),), "", "2026-01-05T08:00:00Z", "2026-01-09T08:00:00Z",
    shipment="D-1-S1",
)  # fmt: skip
TOLD = {"shipment": "D-1-S1", "message_id": "M-1", "kind": "in_transit", "occurred_at": "2026-01-06T08:00:00Z"}


@_sample("tell_customer", "choose_option")
def _on_the_ladder(deal: Deal) -> Prepared:
    changed = line_changed(deal, 1, **SHORT, expected_on="2026-02-02", shortage=LADDER)
    return changed, {"line": 1, "channel": "call"}, Facts()


PREPARE["choose_option"] = lambda deal: (_on_the_ladder(deal)[0], {"line": 1, "option": "wait"}, Facts())


def _sent(payload: Payload, arrived: int = 0, **changes: Any) -> Callable[[Deal], Prepared]:
    def prepare(deal: Deal) -> Prepared:
        state = "delivered" if arrived else "shipped"
        deal = line_changed(deal, 1, shipped=10, delivered=arrived, reserved=0, state=state)
        assert deal.order
        sent = replace(SENT, lines=(ShipmentLine(1, 10, arrived),), invoice="R-1")
        deal = replace(deal, order=replace(deal.order, shipments=(sent,), last_shipment=1, **changes))
        return replace(deal, receivables=(replace(OWED, total_minor=100_000),)), payload, Facts()

    return prepare


PREPARE |= {
    "book_carrier_message": _sent(TOLD),
    "report_discrepancy": _sent(
        {"kind": "damage", "cause": "carrier", "lines": [{"line": 1, "quantity": 2}], "shipment": "D-1-S1"}, arrived=10
    ),
    "settle_discrepancy": _sent(
        {"act": 1, "measure": "credit_note", "prevention": "better boxes"}, arrived=10, discrepancies=(ACT,)
    ),
    "resume_fulfilment": lambda deal: (line_changed(deal, 1, delivered=0, shipped=0, state="open"), {}, Facts()),
}

MORE = {"changes": [{"kind": "add", "article": "A-1", "quantity": 1}], "reason": "they need one more"}
ADDED = AmendedLine(
    "add", article="A-1", description="article A-1", quantity_after=1, price_after_minor=10_000,
    list_price_minor=10_000, cost_minor=6_000, tax_bps=1_900,
)  # fmt: skip
WANTED = Amendment(
    1,
    1,
    (ADDED,),
    "one more",
    "u-account_manager",
    "2026-01-05T08:00:00Z",
    "2026-01-09T08:00:00Z",
    10_000,
    11_900,
    1,
    0,
)


@_sample("request_amendment")
def _amendable(deal: Deal) -> Prepared:
    return deal, MORE, Facts(quote=QUOTE)


@_sample("confirm_amendment", "decline_amendment")
def _amendment_asked(deal: Deal) -> Prepared:
    assert deal.order
    asked = replace(deal, order=replace(deal.order, amendments=(WANTED,)))
    payload = {"channel": "email", "given_by": "buyer"}
    return asked, payload, Facts(headroom=ROOM, group_holds=UNHELD)


STEPS = (Milestone("design", 3_000), Milestone("installation", 7_000))


@_sample("reach_milestone")
def _by_milestones(deal: Deal) -> Prepared:
    assert deal.offer
    offer = replace(deal.offer, billing="milestones", milestones=STEPS)
    return replace(deal, offer=offer), {"name": "design"}, Facts()


PREPARE["decline_amendment"] = lambda deal: (_amendment_asked(deal)[0], {"reason": "too late"}, Facts())


@_sample("enter_differing_order")
def _differing(deal: Deal) -> Prepared:
    accepted, payload, _ = _accepted(deal)
    first, *rest = payload["lines"]
    return accepted, {"lines": [first | {"quantity": first["quantity"] + 1}, *rest]}, Facts()


@_sample("escalate_request")
def _approval_late(deal: Deal) -> Prepared:
    return replace(deal, approvals=(*deal.approvals, WRITE_OFF)), {}, Facts()


PREPARE |= {
    "deliver": _moved(False, {}),
    "deliver_all": _moved(True, {}),
    "close_short": _moved(True, {"reason": "the rest is not made any more"}),
    "open_case": _moved(True, {"lines": [1], "cause": "damage", "note": "two boxes"}),
}


@cache
def sample(state: str, action: str, role: str = "") -> Sample:
    """The request for a row of the deal's table, by the first of its roles unless one is named."""
    row = DEALS.table.index[(state, action)]
    prepare = PREPARE.get(action, _plain({}))
    deal, payload, facts = prepare(deal_in(state))
    actor = actor_of(role or FIRST.get(action) or sorted(row.roles)[0])
    now = plus(deal.updated_at, 60)
    if action in TIMED:
        item = next(i for i in agenda(deal, DEFAULT) if i.action == action)
        now, payload = max(now, item.due_at), dict(item.payload)
    return Sample(deal, action, payload, actor, now, facts)


FIRST = {"sign": "commercial_director", "send_contract": "account_manager", "request_approval": "account_manager"}
"""Who asks, where not every role that the row names has the authority."""
