"""Whatever people do with the late invoices of a deal, in whatever order: the laws of its ledger always hold."""

from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from models.parts.receivable import Receivable
from tests.models.random_course import Course
from tests.models.random_ledger import JUMPS, POLICY, LateDeal, begun, events_of
from tests.models.world import World

# laws, not paths: what they reach is reached by journeys, and tracing takes longer than running
pytestmark = [pytest.mark.timeout(300), pytest.mark.uncounted]


class RandomLedger(RuleBasedStateMachine):
    """One deal with late invoices. Hypothesis chooses when what happens; who asks for what comes from one stream."""

    rng: Random
    late: LateDeal

    @initialize(seed=st.integers(0, 2**64 - 1))
    def begin(self, seed: int) -> None:
        self.rng = Random(seed)
        self.late = LateDeal(begun(self.rng, World(POLICY, customer_country="DE")))
        self.late.check()

    @rule(times=st.integers(1, 20))
    def act(self, times: int) -> None:
        for _ in range(times):
            self.late.act(self.rng)
            if self.late.world.deal.is_closed:
                self.begin(self.rng.getrandbits(64))

    @rule(seconds=st.sampled_from(JUMPS))
    def wait(self, seconds: int) -> None:
        self.late.world.advance(seconds)
        self.late.check()
        if self.late.world.deal.is_closed:
            self.begin(self.rng.getrandbits(64))


TestRandomLedger = RandomLedger.TestCase
TestRandomLedger.settings = settings(max_examples=10, stateful_step_count=30, deadline=None)

BY_PEOPLE = {
    "record_payment", "reverse_payment", "grant_credit", "credit", "set_off_credit", "dispute", "settle_dispute",
    "promise_to_pay", "agree_plan", "request_waiver", "approve_waiver", "decline_waiver", "request_write_off",
    "approve_write_off", "decline_write_off", "request_legal", "approve_legal", "decline_legal", "resume",
}  # fmt: skip
BY_ENGINE = {
    "advance_collection", "break_promise", "default_plan", "charge_interest", "escalate_request", "request_legal",
    "book_invoice", "default",
}  # fmt: skip
EVENTS = {
    "approval_settled", "collection_advanced", "credit_granted", "credit_set_off", "difference_forgiven",
    "dispute_decided", "dispute_raised", "group_hold_changed", "hold_lifted", "hold_set", "interest_accrued",
    "interest_charged", "interest_waived", "invoice_credited", "invoice_written_off", "ladder_moved", "ladder_paused",
    "letter_asked", "payment_promised", "payment_recorded", "payment_reversed", "plan_agreed", "plan_defaulted",
    "promise_broken",
}  # fmt: skip
LETTERS = {
    "pre_due_notice", "reminder", "first_dunning", "second_dunning", "formal_notice", "legal_notice", "interest_note",
    "promise_confirmation", "plan_agreement", "plan_default", "dispute_answer",
}  # fmt: skip
ENDS = {
    *(f"dispute {outcome}" for outcome in ("credited", "rejected", "compromise", "moot")),
    *(f"promise {outcome}" for outcome in ("kept", "broken", "replaced")),
    *(f"plan {outcome}" for outcome in ("kept", "defaulted", "replaced")),
    *(f"request {outcome}" for outcome in ("approved", "declined", "void")),
    *(f"invoice {outcome}" for outcome in ("paid", "credited", "written_off", "with_legal")),
    "interest taken back",
}
ALL = BY_PEOPLE | EVENTS | ENDS | {f"letter {kind}" for kind in LETTERS} | {f"engine: {action}" for action in BY_ENGINE}


def ends_of(world: World) -> set[str]:
    """How words, disputes, requests and invoices of a deal ended."""
    deal = world.deal
    found = {f"request {asked.state}" for asked in deal.approvals}
    for r in deal.receivables:
        found |= {f"invoice {r.state}"} | _words(r)
    if any(e["tag"] == "interest_accrued" and e["minor"] < 0 for e in events_of(world.entries)):
        found.add("interest taken back")
    return found


def _words(r: Receivable) -> set[str]:
    ended = {f"dispute {each.outcome}" for each in r.disputes} | {f"promise {each.outcome}" for each in r.promises}
    return ended | {f"plan {each.outcome}" for each in r.plans}


def everywhere(rng: Random, most: int = 150) -> list[str]:
    """Live with late deals until everything that can come came; what did not, with more than so many deals."""
    # `resume` is not sought: a hold that a person set would help it, and these laws are about those for late money
    course = Course(wanted=BY_PEOPLE - {"resume"}, outcomes={"approve_write_off": {"engine: default"}})
    deals, came = 0, course.met
    while deals < most and (ALL - came or course.left or sum(course.done.values()) < 400):
        late = LateDeal(begun(rng, World(POLICY, customer_country="DE")), course=course)
        course.begin()
        for _ in range(50):
            if late.world.deal.is_closed:
                break
            late.act(rng)
        deals += 1
        happened = events_of(late.world.entries)
        came |= {each["tag"] for each in happened} | ends_of(late.world) | set(course.done)
        came |= {f"letter {each['kind']}" for each in happened if each["tag"] == "letter_asked"}
        came |= {f"engine: {entry.action}" for entry in late.world.entries if entry.actor == "system"}
    return [*course.missing(), *sorted(ALL - came)]


def test_the_random_ledger_gets_everywhere():
    """Whatever the seed: every act about late money is carried out, by people or by the engine, and everything that can
    come of it comes."""
    assert everywhere(Random(1)) == []
