"""Who may not approve: requester, last editor, negotiator, and the deputies of these (domain, D1 and D12)."""

from dataclasses import replace

import pytest

from models.command import Actor
from models.errors import MoveRefused
from tests.models.samples import Sample, sample
from tests.models.world import LINES, PEOPLE, World, offered, qualified


def failing(asked: Sample) -> list[str]:
    with pytest.raises(MoveRefused) as caught:
        asked.decide()
    return [v.guard for v in caught.value.refusal.failing]


@pytest.mark.parametrize(
    "involved",
    [
        Actor("u-b", ("head_of_sales",), on_behalf_of="u-account_manager"),
        Actor("u-account_manager", ("head_of_sales",)),
        Actor("u-account_manager", ("head_of_sales",), on_behalf_of="u-head_of_sales"),
    ],
)
def test_an_approval_takes_four_eyes_through_deputies_as_well(involved: Actor):
    asked = replace(sample("offer_approval", "approve_offer"), actor=involved)
    assert failing(asked) == ["four_eyes"]


DEPUTY = Actor("u-deputy", ("account_manager",), on_behalf_of="u-head_of_sales")


@pytest.mark.parametrize("person", ["u-deputy", "u-head_of_sales"])
@pytest.mark.parametrize(
    ("drafts", "requests"), [(DEPUTY, PEOPLE["account_manager"]), (PEOPLE["account_manager"], DEPUTY)]
)
def test_neither_deputy_nor_absent_person_approves_what_the_deputy_wrote_or_asked_for(
    person: str, drafts: Actor, requests: Actor
):
    world = World()
    qualified(world).do("account_manager", "request_check")
    lines = [{"article": "A-1", "quantity": 1, "unit_price_minor": 8_800}]
    world.act(drafts, "draft_offer", lines=lines)
    world.act(requests, "request_approval", reason="a large customer")
    refusal = world.refusal(Actor(person, ("head_of_sales",)), "approve_offer", reason="fine")
    assert [v.guard for v in refusal.failing] == ["four_eyes"]
    world.do("commercial_director", "approve_offer", reason="fine")


def test_who_owned_the_deal_before_does_not_approve_it():
    world = World()
    world.do("commercial_director", "reassign", owner="u-head_of_sales")
    world.do("commercial_director", "reassign", owner="u-account_manager")
    qualified(world).do("account_manager", "request_check")
    world.do("account_manager", "draft_offer", lines=[{"article": "A-1", "quantity": 1, "unit_price_minor": 8_800}])
    world.do("account_manager", "request_approval", reason="a large customer")
    assert [v.found for v in world.refusal("head_of_sales", "approve_offer", reason="fine").failing] == [
        "u-head_of_sales is involved"
    ]


@pytest.mark.parametrize("act", ["redraft_contract", "submit_contract"])
def test_who_wrote_or_submitted_the_contract_does_not_release_it(act: str):
    world = offered(World(), LINES)
    world.do("account_manager", "accept_offer")
    both = Actor("u-both", ("account_manager", "legal", "head_of_sales"))
    world.act(both if act == "redraft_contract" else PEOPLE["legal"], "redraft_contract", special_clauses=["x"])
    world.act(both if act == "submit_contract" else PEOPLE["account_manager"], "submit_contract")
    assert [v.guard for v in world.refusal(both, "approve_contract", reason="fine").failing] == ["four_eyes"]
    other = Actor("u-other", ("legal",))
    world.act(other, "approve_contract", reason="fine")
    assert world.deal.state == "awaiting_signatures"
