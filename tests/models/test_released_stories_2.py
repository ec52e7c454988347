"""Deals of the second generation under its rules: the same acts still give the same entries, hash by hash, and what was
refused is refused by the same guards.

`released_stories_2.json` was recorded with the last code before the third rules: random acts, jumps of the clock, and
goods that come in. Running workflows replay such acts, refused ones too, on today's code.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from models.command import Actor
from models.messages.finance import ReliabilityFacts
from models.policy import GOODS
from tests.models.deals import WEAK
from tests.models.story import asking, prepaid
from tests.models.world import GOOD, World, contacted, delivered, entered, offered, qualified, signed

STORIES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "released_stories_2.json").read_text())
STARTS = {
    "new": lambda world: world,
    "contacted": contacted,
    "qualified": qualified,
    "asking": asking,
    "offered": offered,
    "signed": signed,
    "entered": entered,
    "delivered": delivered,
    "prepaid": prepaid,
}
FACTS = ReliabilityFacts(True, "g-1", True, True, financials=GOOD, founded_on="1999-01-01")


def begun(story: dict[str, Any]) -> World:
    """The world in which the story took place."""
    world = World(
        GOODS,
        reliability=WEAK if story["weak"] else FACTS,
        stock=dict(story["stock"]),
        expected={"A-2": story["expected"]},
        analogues=story["analogues"],
        misplaced=dict(story["misplaced"]),
        country=story["country"],
    )
    STARTS[story["start"]](world)
    world.limit = story["limit"]
    return world


def told_again(story: dict[str, Any]) -> World:
    """The story on today's code, under the rules of the second generation."""
    world = begun(story)
    for user, *rest in story["acts"]:
        if not user:
            world.advance(rest[0])
        elif user == "+":
            world.stock[rest[0]] += rest[1]
        else:
            roles, on_behalf_of, action, payload, *failing = rest
            actor = Actor(user, tuple(roles), on_behalf_of)
            if failing:
                refused = world.refusal(actor, action, **payload)
                assert [verdict.guard for verdict in refused.failing] == failing[0], action
            else:
                world.act(actor, action, **payload)
    return world


@pytest.mark.parametrize("story", STORIES, ids=lambda story: f"{story['start']}-{story['version']}-{story['state']}")
def test_a_deal_of_the_second_generation_is_told_in_the_same_words(story: dict[str, Any]):
    world = told_again(story)
    assert (world.deal.version, world.deal.state) == (story["version"], story["state"])
    assert world.deal.last_hash == story["last_hash"]


def test_the_stories_have_shortages_amendments_discrepancies_money_and_ends():
    acts = [act for story in STORIES for act in story["acts"] if act[0] not in ("", "+")]
    done = [act[3] for act in acts if len(act) == 5]
    assert len(done) >= 370
    goods = {
        "tell_customer",
        "choose_option",
        "answer_shortage",
        "accept_analogue",
        "book_carrier_message",
        "cancel_line",
    }
    goods |= {"confirm_amendment", "decline_amendment", "report_discrepancy", "settle_discrepancy", "close_short"}
    money = {"record_payment", "credit", "dispute", "settle_dispute", "promise_to_pay", "approve_write_off"}
    assert goods | money <= set(done)
    assert {story["start"] for story in STORIES} == set(STARTS)
    assert {story["state"] for story in STORIES} >= {"completed", "defaulted", "cancelled", "lost", "rejected"}
