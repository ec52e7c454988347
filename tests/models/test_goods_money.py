"""Money that follows goods which will not come: nobody pays for them, and no headroom is held for them."""

from dataclasses import replace

from models import codec
from models.command import SYSTEM, Context, Facts
from models.deal_state import Effect
from models.messages.logistics import ReservedLine
from models.policy import DEFAULT, GOODS, Policy
from models.stages.amending import LineUnits, UnitsReleased
from models.stages.reserving import ReservationReport, book_reservation
from tests.models.world import World, delivered, entered

AM, LOGISTICS, BOOKS = "account_manager", "logistics_manager", "accounts_receivable"


def damaged(units: int = 2, policy: Policy = DEFAULT) -> World:
    """A delivered deal of which some units of line 1 are to come again, and nothing is in stock."""
    world = delivered(World(policy, stock={"A-1": 10, "A-2": 5, "A-3": 1}))
    lines = [{"line": 1, "quantity": units}]
    world.do(LOGISTICS, "report_discrepancy", kind="damage", cause="carrier", lines=lines)
    world.do(AM, "settle_discrepancy", act=1, measure="redelivery", prevention="better boxes")
    assert world.deal.state == "fulfilling"
    return world


def test_what_was_billed_and_never_comes_again_is_credited():
    world = damaged()
    owed = world.deal.open_minor
    world.do(AM, "cancel_line", line=1, reason="not made any more")
    assert world.deal.open_minor == owed - 2 * 11_900
    assert world.deal.headroom_minor == world.deal.open_minor
    assert world.deal.state == "supporting"


def test_the_ladder_does_not_cancel_what_was_paid_for_under_rules_that_know_no_credit_beyond():
    world = damaged(policy=GOODS)
    world.pay()
    refused = world.refusal(AM, "cancel_line", line=1, reason="not made any more")
    assert [v.guard for v in refused.failing] == ["billed_goods_can_be_credited"]
    world.advance(120 * 86_400)
    assert world.deal.order is not None
    line = world.deal.order.lines[0]
    assert line.shortage is not None
    assert (line.state, line.shortage.rung, line.open) == ("short", "cancel", 2)
    world.stock["A-1"] = 2
    world.do(LOGISTICS, "retry_reservation")
    world.do(LOGISTICS, "ship")
    world.do(LOGISTICS, "deliver")
    assert (world.deal.state, world.deal.open_minor) == ("supporting", 0), "delivered at last, and not billed again"


def test_headroom_goes_back_with_the_cancelled_units_alone():
    world = entered(World(stock={"A-1": 4, "A-2": 5, "A-3": 1}))
    held = world.deal.headroom_minor
    world.do(AM, "choose_option", line=1, option="cancel")
    assert world.deal.headroom_minor == held - 6 * 11_900


def test_a_price_stands_once_goods_left_at_it():
    world = entered(World())
    world.do(LOGISTICS, "ship", lines=[{"line": 1, "quantity": 1}])
    changes = [{"kind": "price", "line": 1, "unit_price_minor": 9_900}]
    refused = world.refusal(AM, "request_amendment", changes=changes, reason="a favour")
    assert "goods of it left at the agreed price" in refused.message


def test_units_that_were_reserved_while_the_line_shrank_go_back():
    world = entered(World(stock={"A-1": 4, "A-2": 5, "A-3": 1}))
    assert world.deal.order is not None
    shrunk = tuple(replace(line, ordered=5) if line.line == 1 else line for line in world.deal.order.lines)
    asked = Effect("reserve_lines", {"lines": [1]}, "E-1")
    deal = replace(world.deal, order=replace(world.deal.order, lines=shrunk), pending=(asked,))
    told = codec.decode(ReservationReport, {"effect": "E-1", "lines": [codec.encode(ReservedLine(1, "A-1", 6, 0))]})
    events = book_reservation(Context(deal, SYSTEM, "system", told, Facts(), DEFAULT, world.now))
    assert UnitsReleased((LineUnits(1, 5),), ()) in events
