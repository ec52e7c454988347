"""Deals of the first release under its rules: the same acts still give the same entries, hash by hash.

`released_stories.json` was recorded with the code of the first release: random acts that were carried out, and jumps of
the clock. Running workflows replay such acts on today's code.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from models.command import Actor
from models.messages.finance import ReliabilityFacts
from models.policy import SPINE
from tests.models.deals import WEAK
from tests.models.story import prepaid
from tests.models.world import GOOD, World, delivered, entered, offered, signed

STORIES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "released_stories.json").read_text())
STARTS = {"offered": offered, "signed": signed, "entered": entered, "delivered": delivered, "prepaid": prepaid}
FACTS = ReliabilityFacts(True, "g-1", True, True, financials=GOOD, founded_on="1999-01-01")


def told_again(story: dict[str, Any]) -> World:
    """The story on today's code, under the rules of the first release."""
    facts = WEAK if story["start"] == "prepaid" else FACTS
    world = World(SPINE, reliability=facts, stock=dict(story["stock"]), expected={"A-2": story["expected"]})
    STARTS[story["start"]](world)
    for user, *rest in story["acts"]:
        if not user:
            world.advance(rest[0])
            continue
        roles, on_behalf_of, action, payload = rest
        world.act(Actor(user, tuple(roles), on_behalf_of), action, **payload)
    return world


@pytest.mark.parametrize("story", STORIES, ids=lambda story: f"{story['start']}-{story['version']}-{story['state']}")
def test_a_deal_of_the_first_release_is_told_in_the_same_words(story: dict[str, Any]):
    world = told_again(story)
    assert (world.deal.version, world.deal.state) == (story["version"], story["state"])
    assert world.deal.last_hash == story["last_hash"]


def test_the_stories_have_shortages_money_and_ends():
    actions = {act[3] for story in STORIES for act in story["acts"] if act[0]}
    assert {"ship", "deliver", "escalate_shortage", "answer_shortage", "propose_analogue", "record_payment"} <= actions
    assert {"accept_analogue", "cancel_line", "credit", "close_short"} <= actions
    assert len({story["state"] for story in STORIES}) >= 4
