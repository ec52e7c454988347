"""Offer arithmetic by hand: totals, tax per line, margin, the discount that authority is measured by."""

from dataclasses import replace

import pytest

from models.command import Command, Context, Facts
from models.deal import consider, question
from models.errors import MoveRefused
from models.messages.finance import GroupHolds, HeadroomInput
from models.messages.sales import QuoteInput
from models.parts.offer import Offer, OfferLine
from models.timeline import digest
from tests.models.samples import Sample, sample
from tests.models.world import World, qualified


def offer(*lines: tuple[int, int, int, int], given: tuple[int, int] = (0, 0)) -> Offer:
    """Lines of (quantity, list price, price, cost) at 19 % tax."""
    made = tuple(
        OfferLine(number, f"A-{number}", "", quantity, listed, cost, price, 1900)
        for number, (quantity, listed, price, cost) in enumerate(lines, start=1)
    )
    return Offer(1, made, "EUR", "2026-12-31T00:00:00Z", 30, False, "DAP", "en", "u", "", "", *given)


def test_totals_add_up_with_tax_rounded_per_line():
    two = offer((3, 1_000, 950, 700), (1, 55, 55, 10))
    assert (two.net_minor, two.list_minor, two.cost_minor) == (2_905, 3_055, 2_110)
    assert two.tax_minor == 542 + 10, "541.5 and 10.45, each rounded by itself"
    assert two.total_minor == 3_457


def test_margin_is_on_the_net_total():
    assert offer((1, 1_000, 800, 600)).margin_bps == 2_500
    assert offer((1, 1_000, 500, 600)).margin_bps == -2_000
    assert offer((1, 1_000, 0, 600)).margin_bps == 0


def test_the_discount_is_the_largest_of_the_offers_and_its_deepest_lines():
    assert offer((1, 1_000, 900, 0)).discount_bps == 1_000
    assert offer((1, 1_000, 1_000, 0), (1, 1_000, 800, 0)).discount_bps == 2_000, "10 % on average, 20 % on one line"
    assert offer((1, 1_000, 1_100, 0)).discount_bps == 0, "a surcharge"
    assert offer().discount_bps == 0


def test_splitting_an_order_does_not_split_its_discount():
    assert offer((1, 1_000, 960, 0), given=(150, 1_000)).discount_bps == 950, "(150 + 40) of 2,000"
    assert offer((1, 1_000, 1_000, 0), given=(900, 1_000)).discount_bps == 0, "who grants nothing needs no authority"
    assert offer((1, 1_000, 960, 0), given=(0, 9_000)).discount_bps == 400, "a loyal customer is no excuse either"


def test_list_price_usual_validity_and_the_terms_of_the_check_are_the_defaults():
    world = qualified(World())
    world.do("account_manager", "request_check")
    world.do("account_manager", "draft_offer", lines=[{"article": "A-1", "quantity": 2}])
    made = world.deal.offer
    assert made
    assert (made.lines[0].unit_price_minor, made.valid_until) == (10_000, "2026-02-04T08:00:00Z")
    assert (made.payment_days, made.drafted_by, made.version) == (60, "u-account_manager", 1)
    assert made.lines[0].description == "article A-1"


def test_the_hash_is_that_of_everything_in_the_offer():
    first = sample("preparing_offer", "draft_offer").decide().deal.offer
    again = sample("preparing_offer", "draft_offer").decide().deal.offer
    other = sample("preparing_offer", "draft_offer").asking(language="de").decide().deal.offer
    assert first
    assert again
    assert other
    assert first.hash == again.hash != other.hash
    assert len(first.hash) == len(digest(0)) == 64


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lines": []}, ""),
        ({"lines": [{"article": "A-1", "quantity": 0}]}, "lines[0]"),
        ({"lines": [{"article": "A-1", "quantity": 10**7 + 1}]}, "lines[0]"),
        ({"lines": [{"article": "", "quantity": 1}]}, "lines[0]"),
        ({"lines": [{"article": "x" * 81, "quantity": 1}]}, "lines[0]"),
        ({"lines": [{"article": "A-1", "quantity": 1, "unit_price_minor": -2}]}, "lines[0]"),
        ({"lines": [{"article": "A-1", "quantity": 1}] * 501}, ""),
        ({"lines": [{"article": "A-1", "quantity": 10**7, "unit_price_minor": 10**10}]}, ""),
        ({"valid_until": "2026-02-01"}, ""),
        ({"valid_until": "2026-02-01T00:00:00+00:00"}, ""),
        ({"payment_days": 366}, ""),
        ({"payment_days": -2}, ""),
    ],
)
def test_slips_of_the_keyboard_are_refused_with_their_place(changes: dict[str, object], field: str):
    with pytest.raises(MoveRefused) as caught:
        sample("preparing_offer", "draft_offer").asking(**changes).decide()
    assert caught.value.refusal.code == "malformed"
    assert list(caught.value.refusal.field_errors) == [field]


def test_the_world_is_asked_for_prices_of_exactly_the_drafted_lines():
    asked = sample("preparing_offer", "draft_offer")
    context = consider(asked.deal, Command(asked.action, asked.actor, "k", asked.payload), asked.policy, asked.now)
    quote = question(context, "draft_offer")
    assert isinstance(quote, QuoteInput)
    assert [(line.article, line.quantity) for line in quote.lines] == [("A-1", 3)]


def unheld(asked: Sample) -> Context:
    """Nobody holds the customer's group, so that the next question is about headroom."""
    known = Facts(group_holds=GroupHolds())
    return consider(asked.deal, Command(asked.action, asked.actor, "k"), asked.policy, asked.now, known)


def test_headroom_is_asked_for_the_total_unless_the_deal_is_prepaid():
    asked = sample("offer_open", "accept_offer")
    wanted = question(unheld(asked), "accept_offer")
    assert isinstance(wanted, HeadroomInput)
    assert asked.deal.offer
    assert (wanted.amount_minor, wanted.key, wanted.group) == (asked.deal.offer.total_minor, "headroom:D-1", "g-1")
    prepaid = asked.given(offer=replace(asked.deal.offer, prepaid=True))
    nothing = question(unheld(prepaid), "accept_offer")
    assert isinstance(nothing, HeadroomInput)
    assert nothing.amount_minor == 0
