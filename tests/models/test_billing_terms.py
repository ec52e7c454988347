"""The terms of billing in an offer: which are possible, and where they stand."""

from typing import Any

import pytest

from models import codec
from models.deal_state import Effect
from models.effects import request
from models.messages.legal import DocumentInput
from models.policy import DEFAULT
from tests.models.story import AM, line
from tests.models.test_invoicing_journeys import HALVES, agreed
from tests.models.world import World, qualified


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"billing": "milestones"}, "billing by milestones, and nothing else, names them"),
        ({"milestones": HALVES}, "billing by milestones, and nothing else, names them"),
        ({"billing": "milestones", "milestones": HALVES[:2]}, "the shares of the milestones add up to 10000"),
        (
            {"billing": "milestones", "milestones": [{"name": "a", "share_bps": 5_000}] * 2},
            "a milestone is named twice",
        ),
        ({"billing": "milestones", "milestones": [{"name": " ", "share_bps": 10_000}]}, "1 to 80 characters"),
        ({"billing": "milestones", "milestones": [{"name": "a", "share_bps": 0}]}, "share_bps must be from 1"),
        ({"billing": "weekly"}, "none of: delivery, order, milestones"),
        ({"prepaid_bps": 10_001}, "prepaid_bps must be from 0 to 10000, or -1"),
        ({"prepayment_blocks": "nothing"}, "none of: supply, shipping, both"),
    ],
)
def test_terms_of_another_shape_are_refused(terms: dict[str, Any], why: str):
    world = qualified(World())
    world.do(AM, "request_check")
    refusal = world.refusal(AM, "draft_offer", lines=[line("A-1", 1)], **terms)
    assert (refusal.code, why in refusal.message) == ("malformed", True), refusal.message


def test_the_terms_are_part_of_the_offers_hash_and_of_its_paper():
    usual = agreed(World())
    other = agreed(World(), billing="milestones", milestones=HALVES, prepaid_bps=1_000, prepayment_blocks="both")
    assert usual.deal.offer
    assert other.deal.offer
    assert usual.deal.offer.hash != other.deal.offer.hash
    assert "billing" not in codec.encode(usual.deal.offer), "as it was before other terms were known"
    paper = request(Effect("print_document", {"kind": "offer", "version": 1}, "k"), other.deal, DEFAULT, other.now)
    assert isinstance(paper, DocumentInput)
    assert {name: paper.facts[name] for name in ("billing", "milestone_1", "prepayment", "prepayment_before")} == {
        "billing": "by milestones",
        "milestone_1": "design: 33.33 %",
        "prepayment": "10.00 % in advance",
        "prepayment_before": "supply and shipping",
    }
    one = agreed(World(), billing="order", prepaid_bps=1, prepayment_blocks="supply")
    paper = request(Effect("print_document", {"kind": "offer", "version": 1}, "k"), one.deal, DEFAULT, one.now)
    assert isinstance(paper, DocumentInput)
    assert (paper.facts["billing"], paper.facts["prepayment_before"]) == ("one invoice for the order", "supply")


def test_who_pays_on_delivery_or_by_choice_in_advance():
    world = agreed(World(), payment_days=0, prepaid_bps=0)
    assert world.deal.offer
    assert (world.deal.offer.prepaid, world.deal.offer.payment_days) == (False, 0)
    chosen = agreed(World(), prepaid_bps=10_000)
    assert chosen.deal.offer
    assert (chosen.deal.offer.prepaid, chosen.deal.offer.payment_days, chosen.deal.offer.prepaid_bps) == (True, 0, 0)
    assert [r.kind for r in chosen.deal.receivables] == ["prepayment"]
