"""Random people, requests and time jumps on one deal: what must always hold (domain, section 4), after every act."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from models import codec
from models.agenda import agenda
from models.command import Actor
from models.deal import fold
from models.deal_state import Deal
from models.errors import MoveRefused, Refusal
from models.lifecycle.states import LineState
from models.messages.finance import ReliabilityFacts
from models.policy import DEFAULT
from models.projection import project
from models.timeline import GENESIS, entry_hash, verify_chain
from tests.models.random_acts import JUMPS, payload, somebody, something
from tests.models.samples import BLOCKED, WEAK
from tests.models.story import asking, prepaid
from tests.models.world import GOOD, World, contacted, delivered, entered, offered, qualified, signed

OPENING = {"A-1": 30, "A-2": 4, "A-3": 50, "B-1": 1_000}
BUDGET = 60_000_000
STARTS: dict[str, Callable[[World], World]] = {
    "new": lambda world: world,
    "contacted": contacted,
    "qualified": qualified,
    "offered": offered,
    "signed": signed,
    "entered": entered,
    "delivered": delivered,
    "prepaid": prepaid,
    "asking": asking,
}
EARLY = ("new", "contacted", "qualified")
APPROVING = ("approve_offer", "decline_offer", "approve_contract", "approve_write_off", "decline_write_off")


pytestmark = pytest.mark.timeout(600)  # under coverage on a busy machine


class RandomDeal(RuleBasedStateMachine):
    """One deal in a small world, and everything that may be asked of it."""

    world: World
    rng: Random
    opening: dict[str, int]
    verified: int

    @initialize(seed=st.integers(0, 2**64 - 1))
    def begin(self, seed: int) -> None:
        # Hypothesis chooses what happens when; who asks for what comes from one stream, which repeats itself less.
        self.rng = rng = Random(seed)
        facts = ReliabilityFacts(True, "g-1", True, True, financials=GOOD, founded_on="1999-01-01")
        start = rng.choice(sorted(STARTS))
        stock = rng.choice((OPENING, dict.fromkeys(OPENING, 1_000)))
        self.opening, self.verified = dict(stock), 0
        self.world = World(
            reliability=WEAK if start == "prepaid" or (start in EARLY and rng.random() < 0.4) else facts,
            stock=dict(stock),
            expected={"A-2": rng.choice(("", "2026-01-20", "2025-12-01"))},
        )
        STARTS[start](self.world)
        self.world.limit = rng.choice((50_000_000, 50_000_000, 100_000))

    @rule()
    def be_blocked(self) -> None:
        self.world.reliability = BLOCKED

    @rule(times=st.integers(1, 25))
    def act(self, times: int) -> None:
        for _ in range(times):
            self._act()
            self.check_all()
        if self.world.deal.is_closed:
            self.teardown()
            self.begin(self.rng.getrandbits(64))

    def _act(self) -> None:
        before, count, rng = self.world.deal, len(self.world.entries), self.rng
        action = something(rng, before)
        actor = somebody(rng, before, action)
        asked = payload(rng, before, action, self.world.now)
        if (refusal := self._refusal(actor, action, asked)) is not None:
            assert refusal.message
            assert self.world.deal is before, "a refused act changes nothing"
            assert len(self.world.entries) == count
            return
        self._check_act(before, action, actor.people, self.world.entries[count].role)

    @rule(seconds=st.sampled_from(JUMPS))
    def wait(self, seconds: int) -> None:
        self.world.advance(seconds)

    @rule(article=st.sampled_from(sorted(OPENING)), quantity=st.sampled_from((5, 100)))
    def restock(self, article: str, quantity: int) -> None:
        self.world.stock[article] += quantity
        self.opening[article] += quantity

    def _refusal(self, actor: Actor, action: str, asked: dict[str, Any]) -> Refusal | None:
        try:
            self.world.act(actor, action, **asked)
        except MoveRefused as no:
            return no.refusal
        return None

    def _check_act(self, before: Deal, action: str, people: tuple[str, ...], role: str) -> None:
        assert role not in ("auditor", "admin", "system")
        if action in APPROVING:
            assert role != "automation"
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
            if before.offer and before.offer.prepaid:
                assert all(r.total_minor == r.paid_minor + r.credited_minor for r in before.receivables)

    @invariant()
    def check_all(self) -> None:
        """All that must hold after every act."""
        self.lines_add_up()
        self.money_adds_up()
        self.headroom_is_held_as_long_as_needed()
        self.stock_is_conserved()
        self.the_timeline_is_complete()
        self.an_open_deal_waits_for_somebody()

    def lines_add_up(self) -> None:
        deal = self.world.deal
        for line in deal.order.lines if deal.order else ():
            assert line.ordered == line.shipped + line.cancelled + line.substituted + line.open
            counts = (line.shipped, line.delivered, line.cancelled, line.substituted, line.on_the_way, line.open)
            assert min(counts) >= 0
            assert 0 <= line.reserved <= line.open
            assert line.reserved == self.world.held.get(line.line, ("", 0))[1]
            if LineState(line.state).is_terminal:
                assert line.open == line.on_the_way == 0

    def money_adds_up(self) -> None:
        deal = self.world.deal
        for r in deal.receivables:
            assert r.total_minor == r.paid_minor + r.credited_minor + r.written_off_minor + r.open_minor
            assert min(r.paid_minor, r.credited_minor, r.written_off_minor, r.unapplied_minor, r.collectable_minor) >= 0
            assert 0 <= r.disputed_minor <= r.open_minor
            assert r.is_settled == (r.open_minor == 0)
        booked = {kind: sum(m for k, m in self.world.booked if k == kind) for kind, _ in self.world.booked}
        assert booked.get("payment", 0) == sum(r.paid_minor + r.unapplied_minor for r in deal.receivables)
        assert booked.get("credit_note", 0) == sum(r.credited_minor for r in deal.receivables)
        assert booked.get("write_off", 0) == sum(r.written_off_minor for r in deal.receivables)

    def headroom_is_held_as_long_as_needed(self) -> None:
        deal = self.world.deal
        assert 0 <= deal.headroom_minor == self.world.headroom
        if deal.is_closed:
            assert deal.headroom_minor == 0
            assert sum(quantity for _, quantity in self.world.held.values()) == 0, "nothing stays reserved"

    def stock_is_conserved(self) -> None:
        held: dict[str, int] = dict.fromkeys(OPENING, 0)
        for article, quantity in self.world.held.values():
            held[article] += quantity
        for article, opened in self.opening.items():
            assert self.world.stock[article] >= 0
            assert self.world.stock[article] + held[article] + self.world.sent[article] == opened

    def the_timeline_is_complete(self) -> None:
        deal, entries = self.world.deal, self.world.entries
        assert len(entries) == deal.version
        for entry in entries[self.verified :]:
            assert entry.previous_hash == (entries[entry.sequence - 2].hash if entry.sequence > 1 else GENESIS)
            assert entry.hash == entry_hash(entry)
        assert entries[-1].hash == deal.last_hash
        if len(entries) >= self.verified + 10:  # folding it anew after each act would take most of the time
            self.teardown()

    def teardown(self) -> None:
        """What holds for the whole timeline; Hypothesis calls it at the end."""
        world, self.verified = self.world, len(self.world.entries)
        assert verify_chain(world.entries) is None
        folded = fold(world.entries)
        assert folded == world.deal
        assert project(folded, DEFAULT) == project(world.deal, DEFAULT)
        assert codec.decode(Deal, codec.encode(world.deal)) == world.deal

    def an_open_deal_waits_for_somebody(self) -> None:
        deal, items = self.world.deal, agenda(self.world.deal, DEFAULT)
        assert deal.pending == ()
        assert bool(items) != deal.is_closed
        assert all(item.roles and item.due_at for item in items)
        assert [item.due_at for item in items] == sorted(item.due_at for item in items)
        assert len({item.key for item in items}) == len(items)


TestRandomDeal = RandomDeal.TestCase
TestRandomDeal.settings = settings(max_examples=100, stateful_step_count=40)
