"""What happens when goods are short, late or partly there, in words that a manager reads.

The two steps of the shortage here are those of the first rules, which deals that started under them keep;
`test_shortage_journeys` tells of the ladder.
"""

from models.parts.order import OrderLine
from models.policy import SPINE
from models.projection import substates
from models.stages.order_lines import settle_reservation
from tests.models import story
from tests.models.story import AM, HEAD, LOGISTICS, days, ended, lines, states
from tests.models.world import World, entered


def short(have: int = 4, **known: dict[str, str]) -> World:
    """An entered order of which the first line is short, under the first rules."""
    return story.short(have, SPINE, **known)


def test_an_analogue_at_a_protected_price_is_taken_with_the_customers_consent():
    world = short(analogues={"A-1": "B-1"})
    assert states(world) == ["short", "reserved"]
    assert substates(world.deal)["goods"] == "short"
    assert (lines(world)[0].short, lines(world)[0].analogue) == (6, "B-1")
    world.prices["B-1"] = (12_000, 7_000)
    world.do(AM, "propose_analogue", line=1, article="B-1")
    world.do(AM, "decline_analogue", line=1, channel="phone", given_by="buyer")
    assert world.refusal(AM, "accept_analogue", line=1, channel="phone", given_by="buyer").failing
    world.do(LOGISTICS, "ship", lines=[{"line": 1, "quantity": 4}])
    world.do(AM, "propose_analogue", line=1, article="B-1", unit_price_minor=11_000)
    world.do(AM, "propose_analogue", line=1, article="B-1")
    assert world.refusal(AM, "accept_analogue", line=1, channel="", given_by="buyer").code == "malformed"
    world.do(AM, "accept_analogue", line=1, channel="email", given_by="buyer")
    old, _, new = lines(world)
    assert (old.state, old.substituted, old.on_the_way) == ("shipped", 6, 4)
    assert (new.article, new.ordered, new.replaces, new.reserved) == ("B-1", 6, 1, 6)
    assert new.unit_price_minor == 10_000, "the customer pays what was agreed for the article that is out of stock"
    world.do(LOGISTICS, "ship")
    world.do(LOGISTICS, "deliver")
    assert states(world) == ["delivered", "delivered", "delivered"]
    world.pay()
    world.advance(days(20))
    assert world.letters[:3] == ["analogue_proposal"] * 3
    ended(world, "completed")


def test_an_analogue_takes_the_place_of_a_line_of_which_nothing_left():
    world = short(have=0)
    world.do(AM, "propose_analogue", line=1, article="B-1")
    world.do(AM, "accept_analogue", line=1, channel="phone", given_by="buyer")
    assert states(world) == ["substituted", "reserved", "reserved"]
    assert lines(world)[0].net_minor == 0


def test_a_shortage_that_nobody_handles_goes_to_logistics_and_is_restocked_on_the_day():
    world = short(expected={"A-1": "2026-01-20"})
    assert world.advance(days(1)) == ["escalate_shortage"]
    assert world.letters == ["availability_date"]
    assert lines(world)[0].asked_logistics_at
    world.do(LOGISTICS, "answer_shortage", line=1, available_on="2026-01-25", quantity=6)
    assert world.refusal(LOGISTICS, "answer_shortage", line=1, available_on="20260125").code == "malformed"
    world.advance(days(15))
    assert states(world) == ["short", "reserved"], "the day has not come"
    world.stock["A-1"] = 100
    assert "retry_reservation" in world.advance(days(5))
    assert states(world) == ["reserved", "reserved"]
    world.do(LOGISTICS, "ship")
    world.do(LOGISTICS, "deliver")
    assert world.deal.state == "supporting"


def test_a_restock_day_that_passes_while_the_engine_is_down_is_made_up_for():
    world = short(expected={"A-1": "2026-01-20"})
    world.do(AM, "escalate_shortage", line=1)
    world.now = "2026-01-22T10:00:00Z"
    world.do(AM, "note", text="the first act after the engine came back")
    world.stock["A-1"] = 100
    assert "retry_reservation" in world.advance(0)
    assert states(world) == ["reserved", "reserved"]


def test_a_restock_that_brings_nothing_waits_for_logistics_instead_of_trying_for_ever():
    world = short(expected={"A-1": "2026-01-20"})
    fired = world.advance(days(25))
    assert fired.count("retry_reservation") == 1
    assert states(world) == ["short", "reserved"]


def test_partial_deliveries_are_invoiced_one_by_one():
    world = short()
    world.do(LOGISTICS, "ship", lines=[{"line": 2, "quantity": 2}])
    assert substates(world.deal)["goods"] == "short"
    world.do(LOGISTICS, "deliver")
    world.do(LOGISTICS, "ship", lines=[{"line": 1, "quantity": 4}])
    world.do(LOGISTICS, "deliver", lines=[{"line": 1, "quantity": 3}])
    assert [r.total_minor for r in world.deal.receivables] == [23_800, 35_700]
    assert world.refusal(AM, "close_short", reason="enough").failing[0].found == "1 units"
    world.do(LOGISTICS, "deliver")
    world.do(HEAD, "close_short", reason="the rest is not made any more")
    assert states(world) == ["delivered", "delivered"]
    assert [(o.cancelled, o.delivered) for o in lines(world)] == [(6, 4), (3, 2)]
    while world.deal.open_minor:
        world.pay()
    world.advance(days(15))
    ended(world, "completed")


def test_the_rest_of_a_line_is_cancelled_while_a_part_is_on_the_way():
    world = short()
    world.do(LOGISTICS, "ship")
    assert substates(world.deal)["goods"] == "short"
    world.do(AM, "cancel_line", line=1, reason="too late")
    assert states(world) == ["shipped", "shipped"]
    assert substates(world.deal)["goods"] == "partly_shipped"
    world.do(LOGISTICS, "deliver")
    assert world.deal.state == "supporting"


def test_a_reservation_that_runs_out_goes_back_and_is_asked_for_again():
    world = short(have=10)
    assert substates(world.deal)["goods"] == "reserved"
    until = lines(world)[0].reserved_until
    assert "expire_reservation" in world.advance(days(30))
    assert lines(world)[0].reserved_until > until
    assert states(world) == ["reserved", "reserved"]
    world.do(AM, "cancel_line", line=1, reason="not wanted")
    world.do(AM, "cancel_line", line=2, reason="not wanted")
    assert world.deal.state == "fulfilling", "nothing was delivered, so there is nothing to support"
    assert substates(world.deal)["goods"] == "cancelled"
    world.do(AM, "cancel", reason="nothing is left")
    ended(world, "cancelled")


def test_an_answer_for_more_than_is_still_open_holds_only_what_is_open():
    line = OrderLine(1, "A-1", "", ordered=10, unit_price_minor=5, tax_bps=0, shipped=7)
    until, at = "2026-02-05T08:00:00Z", "2026-01-06T08:00:00Z"
    after = settle_reservation(line, 10, until, "", "", at)
    assert (after.reserved, after.open, after.state, after.answered_at) == (3, 3, "reserved", at)


def test_people_can_ask_the_stock_book_at_any_time():
    world = short()
    world.stock["A-1"] = 2
    world.do(LOGISTICS, "retry_reservation")
    assert states(world) == ["short", "reserved"]
    world.stock["A-1"] = 100
    world.do(AM, "retry_reservation")
    assert states(world) == ["reserved", "reserved"]


def test_nothing_leaves_while_the_deal_is_on_hold():
    world = entered(World())
    world.do("legal", "hold", hold="legal", reason="a claim")
    assert world.refusal(LOGISTICS, "ship").failing[0].found == "legal"
    assert substates(world.deal)["credit"] == "on_hold"
    world.do("legal", "resume", hold="legal", reason="settled")
    world.do(LOGISTICS, "ship")
    assert substates(world.deal)["goods"] == "partly_shipped"
