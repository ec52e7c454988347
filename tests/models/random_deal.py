"""One deal that random people act on, and what must hold for it after every act, whatever drives the deal.

A `Driver` is the pure core in a small world (`test_properties`), or the whole system from outside.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from models import codec
from models.agenda import agenda
from models.command import Actor
from models.deal_state import Deal
from models.errors import Refusal
from models.lifecycle.states import DealState, LineState
from models.parts.discrepancy import Measure
from models.parts.order import Order, OrderLine
from models.parts.receivable import Receivable
from models.policy import Policy
from models.projection import CHILDREN, project
from models.stages.billing_targets import targets
from tests.models.random_acts import CROWD, payload, somebody, something
from tests.models.random_course import Course

APPROVING = (
    *("approve_offer", "decline_offer", "approve_contract", "approve_write_off", "decline_write_off"),
    *("approve_waiver", "decline_waiver", "approve_legal", "decline_legal"),
)
NESTED = {"shipments": "lines", "shortages": "options"}


@dataclass(frozen=True)
class Stock:
    """Units of one article: on the shelf, held for the deal, sent to the customer, missed when they were to leave, and
    those that ever came in."""

    on_shelf: int
    held: int
    sent: int
    missed: int
    came_in: int


class Driver(Protocol):
    """Whatever carries out acts on one deal."""

    @property
    def deal(self) -> Deal:
        """The deal as it stands, with everything done that follows by itself."""

    @property
    def now(self) -> str:
        """The deal's clock."""

    @property
    def policy(self) -> Policy:
        """The policy that the deal started with."""

    def act(self, actor: Actor, action: str, asked: dict[str, Any]) -> Refusal | None:
        """Ask for an act. The refusal, or None when it was carried out with all that follows."""

    def advance(self, seconds: int) -> None:
        """Let time pass."""

    def stock(self) -> Mapping[str, Stock]:
        """The stock book's numbers, by article."""


@dataclass(frozen=True)
class Played:
    """One act that somebody asked for."""

    before: Deal
    action: str
    actor: Actor
    refusal: Refusal | None


def play(driver: Driver, rng: Random, course: Course | None = None, crowd: tuple[Actor, ...] = CROWD) -> Played:
    """Somebody of the crowd asks for something, on a `course` if there is one; everything that must hold is checked."""
    before = driver.deal
    action = course.next(rng, before) if course else something(rng, before)
    actor = somebody(rng, before, action, crowd)
    refusal = driver.act(actor, action, payload(rng, before, action, driver.now))
    if refusal is not None:
        assert refusal.message
        assert driver.deal == before, "a refused act changes nothing"
    else:
        check_act(before, action, actor.people)
    if course:
        course.told(action, refusal)
    check_deal(driver.deal, driver.policy)
    check_stock(driver)
    return Played(before, action, actor, refusal)


def check_act(before: Deal, action: str, people: tuple[str, ...]) -> None:
    """What holds for an act that was carried out: nobody approves their own, and no goods leave too early."""
    if action in APPROVING:
        involved = {before.owner, *before.former_owners}
        involved |= {before.offer.drafted_by, before.offer.drafted_for} if before.offer else set()
        involved |= set(before.contract.edited_by) if before.contract else set()
        for asked in before.approvals:
            involved |= {asked.requested_by, asked.requested_for} if asked.state == "pending" else set()
        assert not set(people) & (involved - {""})
    if action == "ship":
        assert before.contract is not None
        assert before.contract.is_signed, "no goods leave unsigned"
        assert not before.holds
        if before.offer and before.offer.prepaid_share and before.offer.blocks.shipping:
            prepaid = [r for r in before.receivables if r.kind == "prepayment"]
            assert all(r.open_minor == 0 for r in prepaid)


def check_deal(deal: Deal, policy: Policy) -> None:
    """All that can be seen of a deal itself, when nothing is pending."""
    for order in (deal.order,) if deal.order else ():
        for line in order.lines:
            line_adds_up(line)
            line_is_what_its_state_says(line)
            shipments_add_up(order, line)
        for act in order.discrepancies:
            assert (act.state == "open") == (not act.settled_at) == (not act.measure)
        assert sum(asked.state == "requested" for asked in order.amendments) <= 1
        assert order.version == 1 + sum(asked.state == "confirmed" for asked in order.amendments)
    money_adds_up(deal)
    if policy.rules >= 3:
        assert not targets(deal), "what ought to be billed is, whatever happened"
    missing_goods_are_somebodys_business(deal, policy)
    an_open_deal_waits_for_somebody(deal, policy)
    rows_are_plain(deal, policy)


def line_adds_up(line: OrderLine) -> None:
    """Invariant 4."""
    assert line.ordered == line.shipped + line.cancelled + line.substituted + line.open
    counts = (line.shipped, line.delivered, line.cancelled, line.substituted, line.on_the_way, line.open)
    assert min(*counts, line.returned, line.prebilled) >= 0
    assert line.delivered <= line.shipped
    assert 0 <= line.reserved <= line.open
    if LineState(line.state).is_terminal:
        assert line.open == line.on_the_way == 0


def line_is_what_its_state_says(line: OrderLine) -> None:
    """The state is not a second opinion on the numbers."""
    match line.state:
        case "reserved":
            assert line.reserved == line.open > 0
        case "short":
            assert line.short > 0
        case "shipped":
            assert line.open == 0 < line.on_the_way
        case "delivered" | "substituted" | "cancelled":
            assert line.open == line.on_the_way == 0
        case state:
            assert (state, line.open > 0) == ("open", True)


def shipments_add_up(order: Order, line: OrderLine) -> None:
    """What left and arrived by the shipments, less what an act put right, is what left and arrived by the line."""
    parts = [part for shipment in order.shipments for part in shipment.lines if part.line == line.line]
    put_right = units_of(order, line.line, Measure.REDELIVERY, Measure.RETURN)
    assert line.shipped == sum(part.quantity - part.returned for part in parts) - put_right
    assert line.delivered == sum(part.delivered for part in parts) - put_right
    assert line.returned + line.lost >= sum(part.returned for part in parts) + put_right
    assert all(part.on_the_way >= 0 for part in parts)
    for shipment in order.shipments:
        assert shipment.lines
        if shipment.state in ("delivered", "returned"):
            assert shipment.on_the_way == 0
    assert len({shipment.number for shipment in order.shipments}) == len(order.shipments) <= order.last_shipment


def units_of(order: Order, line: int, *measures: str) -> int:
    """Units of a line that acts about delivered goods settled by one of the measures."""
    acts = [act for act in order.discrepancies if act.measure in measures and not act.is_back]
    return sum(q.quantity for act in acts for q in act.lines if q.line == line)


def money_adds_up(deal: Deal) -> None:
    """Invariant 4, and headroom that is held no longer than needed."""
    for r in deal.receivables:
        assert r.total_minor == r.paid_minor + r.credited_minor + r.written_off_minor + r.open_minor
        assert min(r.paid_minor, r.credited_minor, r.written_off_minor, r.unapplied_minor, r.collectable_minor) >= 0
        assert 0 <= r.disputed_minor <= r.open_minor
        assert r.is_settled == (r.open_minor == 0)
        assert r.overcredited_minor >= 0
        assert min(r.overpaid_minor, r.set_off_minor) >= 0
        assert min(r.creditable_minor, r.reversible_minor) >= 0
        assert 0 <= r.tolerated_minor <= r.written_off_minor
        assert min(r.interest_minor, r.interest_rest, r.charged_minor, r.waived_minor) >= 0
        words_are_kept_or_broken(r)
    assert deal.headroom_minor >= 0
    if deal.is_closed:
        assert deal.headroom_minor == 0


def words_are_kept_or_broken(r: Receivable) -> None:
    """Of promises and plans only the last can run, and neither outlives the debt."""
    assert all(made.outcome for made in r.promises[:-1])
    assert all(plan.outcome for plan in r.plans[:-1])
    assert not (r.promised_until and r.plan)
    running = bool(r.promises) and not r.promises[-1].outcome
    assert running == bool(r.promised_until)
    if r.is_settled:
        assert not running
        assert r.plan is None
        assert all(each.settled for each in r.disputes)
    assert len({each.rung for each in r.reached}) == len(r.reached), "one rung, once"


def missing_goods_are_somebodys_business(deal: Deal, policy: Policy) -> None:
    """Every shortage that lasts has a due item, and units that nothing is reserved for are on the ladder, unless
    somebody has to decide about what came back first."""
    keys = {item.key.rsplit(":", 1)[0] for item in agenda(deal, policy) if item.kind == "shortage" and item.due_at}
    if deal.order is None:
        return
    came = {q.line for act in deal.order.open_discrepancies if act.is_back for q in act.lines}
    for line in deal.order.lines:
        lasting = line.shortage is not None and line.shortage.is_active
        came_back = line.state == "open" and line.line in came
        if lasting and not came_back:
            assert deal.state == DealState.FULFILLING
            assert f"shortage:{line.line}" in keys, line
        if deal.state == DealState.FULFILLING and line.short:
            assert came_back or (line.state == "short" and lasting), line


def an_open_deal_waits_for_somebody(deal: Deal, policy: Policy) -> None:
    """Invariant 8."""
    items = agenda(deal, policy)
    assert deal.pending == ()
    assert bool(items) != deal.is_closed
    assert all(item.roles and item.due_at for item in items)
    assert [item.due_at for item in items] == sorted(item.due_at for item in items)
    assert len({item.key for item in items}) == len(items)


def rows_are_plain(deal: Deal, policy: Policy) -> None:
    """Every row can be stored as it is."""
    rows = project(deal, policy)
    for name in CHILDREN:
        nested = NESTED.get(name, "")
        for row in getattr(rows, name):
            assert all(type(value) in (str, int, bool) for key, value in row.items() if key != nested), (name, row)
            assert all(type(v) in (str, int) for part in row.get(nested, ()) for v in part.values()), (name, row)
    assert codec.encode(rows.deal) == rows.deal


def check_stock(driver: Driver) -> None:
    """Invariant 3: nothing appears or vanishes, and what the deal holds is what its lines say."""
    deal, stock = driver.deal, driver.stock()
    held, sent = Counter[str](), Counter[str]()
    for line in deal.order.lines if deal.order else ():
        held[line.article] += line.reserved
        sent[line.article] += line.shipped + line.lost
    for article, units in stock.items():
        assert min(units.on_shelf, units.held) >= 0
        assert units.on_shelf + units.held + units.sent + units.missed == units.came_in, article
        assert units.held == held[article], article
        assert units.sent == sent[article], article
    if deal.is_closed:
        assert not any(held.values()), "nothing stays reserved"
