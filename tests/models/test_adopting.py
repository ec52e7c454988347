"""Moving a deal to another policy: what changes from the next entry on, and what stays."""

from dataclasses import replace

import pytest

from models import codec
from models.agenda import agenda
from models.command import Answer, Question
from models.deal import fold
from models.errors import MoveRefused
from models.instants import DAY, between
from models.messages.control import PolicyInput
from models.policy import GOODS, SPINE, Policy
from models.stages.adopting import pinned
from models.timeline import verify_chain
from tests.models.collecting import late
from tests.models.samples import sample
from tests.models.story import AM, HEAD
from tests.models.world import SHARPER, World, delivered, offered

NUMBERS = codec.decode(Policy, SHARPER.body)


def move(world: World, version: str = SHARPER.version) -> None:
    world.do(HEAD, "adopt_policy", version=version, reason="the new numbers")


def test_the_entry_of_the_move_is_the_last_that_the_old_policy_judges():
    world = offered(World())
    old = world.policy.version
    move(world)
    world.do(AM, "note", text="under the new numbers")
    assert [entry.policy_version for entry in world.entries[-2:]] == [old, SHARPER.version]
    adopting = world.entries[-2]
    assert adopting.facts["policy"] == codec.encode(SHARPER)
    assert adopting.events == [{"tag": "policy_adopted", "version": SHARPER.version, "reason": "the new numbers"}]
    assert world.deal.policy_version == SHARPER.version
    assert fold(world.entries) == world.deal
    assert verify_chain(world.entries) is None


def test_the_policy_of_a_deal_follows_from_its_timeline():
    world = offered(World())
    first = world.policy
    move(world)
    assert pinned(world.entries, first) == world.policy == NUMBERS
    assert pinned(world.entries[:-1], first) == first
    assert pinned([], first) == first


def test_limits_and_ladders_are_the_new_ones_at_once_and_what_was_decided_stays():
    world = late(1)
    due = world.deal.receivables[0].due_at
    (before,) = [item for item in agenda(world.deal, world.policy) if item.kind == "collection"]
    move(world)
    (after,) = [item for item in agenda(world.deal, world.policy) if item.kind == "collection"]
    assert (before.key, between(due, before.due_at)) == (after.key, 3 * DAY)
    assert after.due_at[:10] == "2026-03-09", "two days late is a Sunday, so the letter leaves on Monday"
    assert world.deal.receivables[0].due_at == due
    world.advance(10 * DAY)
    rungs = [(e.payload["rung"], between(due, e.at) // DAY) for e in world.entries if e.action == "advance_collection"]
    assert ("dun_first", 4) in rungs
    fresh = offered(World())
    fresh.do(AM, "counter", wanted_total_minor=1, text="less")
    move(fresh)
    fresh.do(AM, "draft_offer", lines=[{"article": "A-1", "quantity": 1, "unit_price_minor": 9_600}])
    assert fresh.deal.offer
    assert between(fresh.now, fresh.deal.offer.valid_until) == NUMBERS.offer_validity
    assert fresh.refusal(AM, "send_offer").failing[0].guard == "discount_within_authority"


@pytest.mark.parametrize("older", [SPINE, GOODS], ids=lambda policy: policy.version)
def test_a_deal_keeps_its_rules(older: Policy):
    world = World(older)
    refusal = world.refusal(HEAD, "adopt_policy", version=SHARPER.version, reason="newer is better")
    assert [verdict.guard for verdict in refusal.failing] == ["rules_stay"]
    same = replace(older, version="like-before", margin_floor=700)
    world.policies["like-before"] = replace(SHARPER, version="like-before", body=codec.encode(same))
    move(world, "like-before")
    assert world.policy == same
    delivered(world)


def test_who_is_involved_moves_nothing():
    world = offered(World())
    world.do(HEAD, "reassign", owner="u-head_of_sales", department="north")
    refusal = world.refusal(HEAD, "adopt_policy", version=SHARPER.version, reason="more for me")
    assert [verdict.guard for verdict in refusal.failing] == ["four_eyes"]


def test_of_the_holidays_only_those_of_the_deal_are_asked_for():
    asked: list[PolicyInput] = []

    class Watching(World):
        def _told(self, question: Question) -> Answer:
            if isinstance(question, PolicyInput):
                asked.append(question)
            return super()._told(question)

    move(Watching(country="DE", customer_country="PL"))
    assert asked == [PolicyInput(SHARPER.version, ("DE", "PL"))]


def test_a_reason_and_a_version_are_needed():
    for wrong in ({"version": ""}, {"version": "x" * 41}, {"reason": " "}):
        with pytest.raises(MoveRefused) as caught:
            sample("contacted", "adopt_policy").asking(**wrong).decide()
        assert caught.value.refusal.code == "malformed"
