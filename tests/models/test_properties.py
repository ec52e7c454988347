"""Random people, requests and time jumps on one deal: what must always hold (domain, section 4), after every act."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from models import codec
from models.command import Actor
from models.deal import fold
from models.deal_state import Deal
from models.errors import MoveRefused, Refusal
from models.instants import DAY
from models.messages.finance import ReliabilityFacts
from models.parts.billing import InvoiceKind
from models.parts.discrepancy import Measure
from models.policy import DEFAULT, Policy
from models.projection import project
from models.stages.fulfilment import gross
from models.timeline import GENESIS, Entry, entry_hash, verify_chain
from tests.models.deals import BLOCKED, WEAK
from tests.models.random_acts import JUMPS
from tests.models.random_course import Course
from tests.models.random_deal import APPROVING, Played, Stock, check_deal, check_stock, play, units_of
from tests.models.story import asking, lines, prepaid
from tests.models.test_invoicing_journeys import HALVES, agreed
from tests.models.test_invoicing_journeys import entered as in_order
from tests.models.world import GOOD, World, contacted, delivered, entered, offered, qualified, signed


def by_milestones(world: World) -> World:
    """An entered order that is invoiced at three milestones: two were reached, one is paid, and a little more."""
    in_order(agreed(world, billing="milestones", milestones=HALVES))
    for each in HALVES[:2]:
        world.do("account_manager", "reach_milestone", name=each["name"])
    world.pay(world.deal.receivables[0].open_minor + 700)
    return world


def late(world: World) -> World:
    """A deal whose two invoices had every letter before legal; a complaint keeps it open."""
    world.misplaced.clear()
    entered(world).do("logistics_manager", "ship", lines=[{"line": 2, "quantity": 1}])
    for action in ("deliver", "ship", "deliver"):
        world.do("logistics_manager", action)
    arrived = [line.line for line in lines(world) if line.delivered]
    if world.deal.state == "supporting":
        world.do("account_manager", "open_case", lines=arrived[:1], cause="quality")
    world.advance(100 * DAY)
    return world


def came_back(world: World) -> World:
    """A deal whose shipment could not be delivered, and came back."""
    world.misplaced.clear()
    shipments = entered(world).do("logistics_manager", "ship").order
    told = {"shipment": shipments.shipments[0].number if shipments else "", "message_id": "M-0", "kind": "returned"}
    world.do("automation", "book_carrier_message", occurred_at=world.now, **told)
    return world


def an_account(world: World) -> World:
    """An account of an earlier system."""
    world.do("accounts_receivable", "take_over_account")
    return world


OPENING = {"A-1": 30, "A-2": 4, "A-3": 50, "B-1": 1_000}
STARTS: dict[str, Callable[[World], World]] = {
    "new": lambda world: world,
    "contacted": contacted,
    "qualified": qualified,
    "offered": offered,
    "signed": signed,
    "entered": entered,
    "running": entered,
    "delivered": delivered,
    "prepaid": prepaid,
    "asking": asking,
    "by milestones": by_milestones,
    "came back": came_back,
    "late": late,
    "an account": an_account,
}
EARLY = ("new", "contacted", "qualified")


# what random deals reach is reached by tests that say what they mean; tracing them takes longer than running them
pytestmark = [pytest.mark.timeout(600), pytest.mark.uncounted]


@dataclass
class WorldDriver:
    """Drives a deal through the pure core."""

    world: World
    came_in: dict[str, int] = field(default_factory=dict)

    @property
    def deal(self) -> Deal:
        return self.world.deal

    @property
    def now(self) -> str:
        return self.world.now

    @property
    def policy(self) -> Policy:
        return self.world.policy

    def act(self, actor: Actor, action: str, asked: dict[str, Any]) -> Refusal | None:
        try:
            self.world.act(actor, action, **asked)
        except MoveRefused as no:
            return no.refusal
        return None

    def advance(self, seconds: int) -> None:
        self.world.advance(seconds)

    def stock(self) -> Mapping[str, Stock]:
        world = self.world
        held: Counter[str] = Counter()
        for article, quantity in world.held.values():
            held[article] += quantity
        return {
            article: Stock(world.stock[article], held[article], world.sent[article], world.lost[article], came_in)
            for article, came_in in self.came_in.items()
        }

    def restock(self, article: str, quantity: int) -> None:
        self.world.stock[article] += quantity
        self.came_in[article] += quantity


def driven(rng: Random) -> WorldDriver:
    """A deal somewhere on its way, in a world that has enough goods or too few."""
    facts = ReliabilityFacts(True, "g-1", True, True, financials=GOOD, founded_on="1999-01-01")
    start = rng.choice(sorted(STARTS))
    stock = rng.choice((OPENING, dict.fromkeys(OPENING, 1_000)))
    world = World(
        reliability=WEAK if start == "prepaid" or (start in EARLY and rng.random() < 0.4) else facts,
        stock=dict(stock),
        expected={"A-2": rng.choice(("", "2026-01-20", "2025-12-01"))},
        analogues=rng.choice(({}, {"A-2": "B-1"})),
        misplaced={"A-1": rng.choice((0, 0, 3, 40)), "A-2": rng.choice((0, 2))},
        country=rng.choice(("", "DE")),
    )
    STARTS[start](world)
    world.limit = rng.choice((50_000_000, 50_000_000, 100_000))
    return WorldDriver(world, dict(stock))


def check_world(driver: WorldDriver) -> None:
    """What only the small world can tell."""
    deal, world = driver.deal, driver.world
    for line in deal.order.lines if deal.order else ():
        assert line.reserved == world.held.get(line.line, ("", 0))[1]
    assert deal.headroom_minor == world.headroom
    booked = {kind: sum(m for k, m in world.booked if k == kind) for kind, _ in world.booked}
    came_in = booked.get("payment", 0) - booked.get("reversal", 0)
    told = sum(r.paid_minor + r.credited_minor + r.unapplied_minor for r in deal.receivables)
    assert came_in + booked.get("credit_note", 0) == told
    assert booked.get("write_off", 0) == sum(r.written_off_minor for r in deal.receivables)
    what_is_billed_was_delivered_once(world)


def what_is_billed_was_delivered_once(world: World) -> None:
    """Every unit on an invoice was delivered, is to be made good, was given back, or was credited when it was cancelled
    instead of being made good; prepaid ones are billed before."""
    deal = world.deal
    billed: Counter[int] = Counter()
    for invoice in world.billed:
        for part in invoice.lines:
            billed[part.line] += part.quantity * (invoice.kind == "delivery")
        if invoice.kind in set(InvoiceKind):  # of interest, and of an earlier system, there are no lines
            assert invoice.total_minor == sum(part.net_minor + part.tax_minor for part in invoice.lines)
    owed_back = 0
    for line in deal.order.lines if deal.order else ():
        if deal.offer and (deal.offer.prepaid or deal.offer.milestones):
            assert billed[line.line] == 0
        else:
            given_back = units_of(deal.order, line.line, Measure.RETURN) if deal.order else 0
            never_came = billed[line.line] - (line.delivered + line.prebilled + given_back)
            assert never_came >= 0, line
            owed_back += gross(line, never_came)
    if deal.state != "cancelled":  # there all that is open is credited
        assert sum(map(_credited_with_a_cancellation, world.entries)) <= owed_back
    assert sum(invoice.total_minor for invoice in world.billed) == sum(r.total_minor for r in deal.receivables)


def _credited_with_a_cancellation(entry: Entry) -> int:
    """The credit notes on deliveries that came with the cancellation of units, in minor units."""
    if not {e["tag"] for e in entry.events} & {"lines_cancelled", "missing_cancelled", "units_given_up"}:
        return 0
    return sum(e["amount_minor"] for e in entry.events if e["tag"] == "invoice_credited")


def check_role(played: Played, world: World, count: int) -> None:
    """The role under which an act is on record may act at all, and machines never approve."""
    role = world.entries[count].role
    assert role not in ("auditor", "admin", "system")
    assert played.action not in APPROVING or role != "automation"


class RandomDeal(RuleBasedStateMachine):
    """One deal in a small world, and everything that may be asked of it."""

    driver: WorldDriver
    rng: Random
    verified: int

    @initialize(seed=st.integers(0, 2**64 - 1))
    def begin(self, seed: int) -> None:
        # Hypothesis chooses what happens when; who asks for what comes from one stream, which repeats itself less.
        self.rng, self.verified = Random(seed), 0
        self.driver = driven(self.rng)

    @rule()
    def be_blocked(self) -> None:
        self.driver.world.reliability = BLOCKED

    @rule(times=st.integers(1, 25))
    def act(self, times: int) -> None:
        for _ in range(times):
            count = len(self.driver.world.entries)
            played = play(self.driver, self.rng)
            if played.refusal is None:
                check_role(played, self.driver.world, count)
            else:
                assert len(self.driver.world.entries) == count
            self.check_all()
        if self.driver.deal.is_closed:
            self.teardown()
            self.begin(self.rng.getrandbits(64))

    @rule(seconds=st.sampled_from(JUMPS))
    def wait(self, seconds: int) -> None:
        self.driver.advance(seconds)
        check_deal(self.driver.deal, DEFAULT)
        check_stock(self.driver)

    @rule(article=st.sampled_from(sorted(OPENING)), quantity=st.sampled_from((5, 100)))
    def restock(self, article: str, quantity: int) -> None:
        self.driver.restock(article, quantity)

    @rule(article=st.sampled_from(sorted(OPENING)), quantity=st.sampled_from((1, 5)))
    def misplace(self, article: str, quantity: int) -> None:
        self.driver.world.misplaced[article] = quantity

    @invariant()
    def check_all(self) -> None:
        """All that must hold after every act, beyond what `play` checked."""
        check_world(self.driver)
        self.the_timeline_is_complete()

    def the_timeline_is_complete(self) -> None:
        deal, entries = self.driver.deal, self.driver.world.entries
        assert len(entries) == deal.version
        for entry in entries[self.verified :]:
            assert entry.previous_hash == (entries[entry.sequence - 2].hash if entry.sequence > 1 else GENESIS)
            assert entry.hash == entry_hash(entry)
        assert entries[-1].hash == deal.last_hash
        if len(entries) >= self.verified + 10:  # folding it anew after each act would take most of the time
            self.teardown()

    def teardown(self) -> None:
        """What holds for the whole timeline; Hypothesis calls it at the end."""
        world, self.verified = self.driver.world, len(self.driver.world.entries)
        assert verify_chain(world.entries) is None
        folded = fold(world.entries)
        assert folded == world.deal
        assert project(folded, DEFAULT) == project(world.deal, DEFAULT)
        assert codec.decode(Deal, codec.encode(world.deal)) == world.deal


TestRandomDeal = RandomDeal.TestCase
TestRandomDeal.settings = settings(max_examples=20, stateful_step_count=30)

TROUBLE = {
    "answer_shortage": {"rung_entered"},
    "choose_option": {"option_chosen"},
    "book_carrier_message": {"shipment_returned"},
    "settle_discrepancy": {"units_reopened", "units_given_back", "units_given_up"},
    "confirm_amendment": {"order_amended", "units_released"},
}
"""What goes wrong with goods, by the act that tells it or puts it right."""


def walk(driver: WorldDriver, rng: Random, course: Course) -> int:
    """Up to fifty acts on a course; how many."""
    course.begin()
    for asked in range(50):
        if driver.deal.is_closed or course.is_over:
            return asked
        count = len(driver.world.entries)
        play(driver, rng, course)
        course.met |= {event["tag"] for entry in driver.world.entries[count:] for event in entry.events}
        check_world(driver)
        if rng.random() < 0.1 or course.waits:
            driver.advance(rng.choice(JUMPS[:5]))
        if rng.random() < 0.05:
            driver.restock(rng.choice(sorted(OPENING)), 5)
    return 50


def everywhere(rng: Random, most: int = 20_000) -> list[str]:
    """Walk deals until every action was carried out, every trouble met, and enough checked; what is missing when it
    takes more than `most` acts."""
    course, asked = Course(outcomes=TROUBLE), 0
    while asked < most and (asked < 2_000 or course.left):
        driver = next((d for d in (driven(rng) for _ in range(4)) if course.fits(d.deal)), driven(rng))
        asked += walk(driver, rng, course)
        assert fold(driver.world.entries) == driver.deal
    return list(course.missing())


def test_the_random_deal_gets_everywhere():
    """Whatever the seed: every action that the table gives to people is carried out, and every trouble is met."""
    assert everywhere(Random(1)) == []
