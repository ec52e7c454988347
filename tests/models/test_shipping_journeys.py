"""Goods on their way: parts, carriers and what they tell, goods that nobody finds, goods that come back."""

from typing import Any

import pytest

from models.instants import plus
from models.parts.shipment import Shipment
from models.projection import project, substates
from tests.models.deals import WEAK
from tests.models.story import AM, LOGISTICS, MONEY, days, ended, items, line_of, lines, prepaid, states
from tests.models.world import World, entered

TEN = [{"article": "A-1", "quantity": 10}]


def part(line: int, quantity: int) -> dict[str, Any]:
    return {"lines": [{"line": line, "quantity": quantity}]}


def shipments(world: World) -> tuple[Shipment, ...]:
    return world.deal.order.shipments if world.deal.order else ()


def tell(world: World, shipment: int, kind: str, at: str = "", message: str = "", role: str = "automation") -> None:
    """The carrier tells something about the shipment with a number, now unless told otherwise."""
    message = message or f"{kind}-{shipment}-{world.deal.version}"
    at = at or world.now
    world.do(role, "book_carrier_message", shipment=f"D-1-S{shipment}", message_id=message, kind=kind, occurred_at=at)


def on_the_way(*quantities: int) -> World:
    """Ten A-1, sent in these parts."""
    world = entered(World(stock={"A-1": 10}), TEN)
    for quantity in quantities:
        world.do(LOGISTICS, "ship", **part(1, quantity))
    return world


def finished(world: World) -> None:
    while world.deal.open_minor:
        world.pay()
    world.advance(days(15))
    ended(world, "completed")


def test_ten_pumps_leave_in_three_parts_and_each_is_invoiced_when_it_arrives():
    world = on_the_way(5, 3, 2)
    assert [(s.number, s.state, s.carrier, s.reference) for s in shipments(world)] == [
        (f"D-1-S{n}", "booked", "own", f"V-D-1-S{n}") for n in (1, 2, 3)
    ]
    assert states(world) == ["shipped"]
    tell(world, 2, "picked_up")
    tell(world, 2, "in_transit")
    tell(world, 2, "delivered")
    assert (line_of(world).delivered, line_of(world).on_the_way, world.deal.state) == (3, 7, "fulfilling")
    assert [(r.total_minor, r.kind) for r in world.deal.receivables] == [(35_700, "delivery")]
    assert shipments(world)[1].invoice == world.deal.receivables[0].number
    tell(world, 1, "failed")
    assert (shipments(world)[0].state, line_of(world).delivered) == ("failed", 3)
    tell(world, 1, "delivered")
    tell(world, 3, "delivered")
    assert [r.total_minor for r in world.deal.receivables] == [35_700, 59_500, 23_800]
    assert (world.deal.state, world.deal.delivered_at) == ("supporting", world.now)
    rows = project(world.deal, world.policy).shipments
    assert rows[0]["lines"] == [{"line": 1, "quantity": 5, "delivered": 5, "returned": 0}]
    finished(world)


def test_a_message_that_was_overtaken_is_kept_and_changes_nothing():
    world = on_the_way(10)
    tell(world, 1, "in_transit", "2026-01-06T12:00:00Z")
    tell(world, 1, "picked_up", "2026-01-06T09:00:00Z")
    assert (shipments(world)[0].state, shipments(world)[0].told_at) == ("in_transit", "2026-01-06T12:00:00Z")
    tell(world, 1, "delivered", "2026-01-07T09:00:00Z")
    tell(world, 1, "in_transit", "2026-01-07T10:00:00Z")
    tell(world, 1, "delivered", "2026-01-07T08:59:00Z")
    assert (shipments(world)[0].state, shipments(world)[0].told_at) == ("delivered", "2026-01-07T08:59:00Z")
    assert [e["is_news"] for entry in world.entries for e in entry.events if e["tag"] == "carrier_told"] == [
        True, False, True, False, False
    ]  # fmt: skip
    assert len(world.deal.receivables) == 1, "delivered twice is invoiced once"


def test_what_was_delivered_did_not_come_back_and_the_other_way_round():
    for first, second in (("delivered", "returned"), ("returned", "delivered")):
        world = on_the_way(10)
        tell(world, 1, first)
        other = {"shipment": "D-1-S1", "message_id": "M", "kind": second, "occurred_at": world.now}
        refusal = world.refusal(LOGISTICS, "book_carrier_message", **other)
        assert [v.guard for v in refusal.failing] == ["news_are_consistent"]
        assert first in refusal.message


def test_a_delivery_that_a_person_records_is_the_oldest_shipments():
    world = on_the_way(5, 3)
    world.do(LOGISTICS, "deliver", **part(1, 6))
    first, second = shipments(world)
    assert [(p.delivered, p.on_the_way) for p in (*first.lines, *second.lines)] == [(5, 0), (1, 2)]
    assert (first.state, second.state) == ("delivered", "booked")
    assert [r.total_minor for r in world.deal.receivables] == [59_500, 11_900]
    tell(world, 2, "delivered")
    assert [r.total_minor for r in world.deal.receivables] == [59_500, 11_900, 23_800]
    tell(world, 1, "delivered", "2026-01-05T07:00:00Z")
    assert shipments(world)[0].told_at == "2026-01-05T07:00:00Z", "the carrier says when it really was"


def test_the_stock_book_finds_less_than_it_promised_and_the_rest_is_reserved_again():
    world = entered(World(stock={"A-1": 14}), TEN)
    world.misplaced["A-1"] = 4
    world.do(LOGISTICS, "ship")
    assert [(p.quantity, p.on_the_way) for s in shipments(world) for p in s.lines] == [(6, 6)]
    assert (line_of(world).shipped, line_of(world).reserved, line_of(world).state) == (6, 4, "reserved")
    assert (world.sent["A-1"], world.lost["A-1"], world.stock["A-1"]) == (6, 4, 0)
    world.do(LOGISTICS, "ship")
    for number in (1, 2):
        tell(world, number, "delivered")
    assert [r.total_minor for r in world.deal.receivables] == [71_400, 47_600]
    finished(world)


def test_a_shipment_of_nothing_is_none_and_its_number_is_not_used_again():
    world = entered(World(stock={"A-1": 20}), TEN)
    world.misplaced["A-1"] = 10
    world.do(LOGISTICS, "ship")
    assert (shipments(world), line_of(world).reserved) == ((), 10)
    world.do(LOGISTICS, "ship")
    assert [s.number for s in shipments(world)] == ["D-1-S2"]


def test_goods_that_nobody_finds_are_short_and_go_on_the_ladder():
    world = entered(World(stock={"A-1": 10}), TEN)
    world.misplaced["A-1"] = 10
    world.do(LOGISTICS, "ship")
    assert (line_of(world).state, line_of(world).short) == ("short", 10)
    assert items(world)["shortage"].note == "line 1: 10 of A-1 short, tell_customer"


def test_goods_that_come_back_are_a_refusal_and_are_sent_again():
    world = on_the_way(6, 4)
    tell(world, 1, "returned")
    assert world.deal.order
    (act,) = world.deal.order.discrepancies
    assert (act.kind, act.cause, act.shipment, act.is_back) == ("refusal", "unknown", "D-1-S1", True)
    assert [(q.line, q.quantity) for q in act.lines] == [(1, 6)]
    assert (line_of(world).state, line_of(world).open, line_of(world).returned) == ("open", 6, 6)
    assert (world.stock["A-1"], world.sent["A-1"]) == (6, 4), "they are on the shelf"
    assert items(world)["discrepancy"].due_at == plus(world.now, days(3))
    tell(world, 2, "delivered")
    assert world.deal.state == "fulfilling"
    settled = {"act": 1, "measure": "redelivery", "prevention": "call before the truck leaves", "cause": "customer"}
    world.do(AM, "settle_discrepancy", **settled)
    assert (line_of(world).state, line_of(world).reserved) == ("reserved", 6)
    world.do(LOGISTICS, "ship")
    tell(world, 3, "delivered")
    assert [r.total_minor for r in world.deal.receivables] == [47_600, 71_400], "what came back was never invoiced"
    row = project(world.deal, world.policy).discrepancies[0]
    assert (row["cause"], row["measure"], row["prevention"]) == ("customer", "redelivery", settled["prevention"])
    finished(world)


def test_goods_that_come_back_are_given_up():
    world = on_the_way(6, 4)
    tell(world, 1, "returned")
    tell(world, 2, "delivered")
    world.do(AM, "settle_discrepancy", act=1, measure="return", prevention="none: they closed the shop")
    assert (line_of(world).cancelled, line_of(world).delivered, line_of(world).state) == (6, 4, "delivered")
    assert world.deal.state == "supporting"
    finished(world)


def test_all_that_left_came_back_and_the_order_is_off():
    world = on_the_way(10)
    tell(world, 1, "returned")
    world.do(AM, "settle_discrepancy", act=1, measure="return", prevention="none")
    assert (states(world), world.deal.state, substates(world.deal)["goods"]) == (
        ["cancelled"],
        "fulfilling",
        "cancelled",
    )
    world.do(AM, "cancel", reason="they want nothing any more")
    ended(world, "cancelled")


def test_giving_up_what_came_back_leaves_the_rest_of_the_line_wanted():
    world = entered(World(stock={"A-1": 4}), TEN)
    world.do(LOGISTICS, "ship")
    tell(world, 1, "returned")
    world.stock["A-1"] = 0
    world.do(AM, "settle_discrepancy", act=1, measure="return", prevention="none")
    assert (line_of(world).state, line_of(world).open, line_of(world).cancelled) == ("short", 6, 4)
    assert "shortage" in items(world), "six more are still wanted"


def test_what_came_back_and_was_cancelled_meanwhile_is_not_cancelled_twice():
    world = on_the_way(6, 4)
    tell(world, 1, "returned")
    world.do(AM, "cancel_line", line=1, reason="they will not have it")
    world.do(AM, "settle_discrepancy", act=1, measure="return", prevention="none")
    assert (line_of(world).cancelled, line_of(world).open, line_of(world).on_the_way) == (6, 0, 4)


def test_a_reservation_next_to_goods_that_came_back_can_run_out():
    world = on_the_way(6)
    assert (line_of(world).reserved, line_of(world).state) == (4, "reserved")
    tell(world, 1, "returned")
    assert line_of(world).state == "open"
    assert "expire_reservation" in world.advance(days(31))
    assert (line_of(world).state, line_of(world).reserved) == ("reserved", 10)


def test_units_that_are_reserved_again_are_released_when_they_are_given_up():
    world = on_the_way(6)
    tell(world, 1, "returned")
    world.advance(days(31))
    world.do(AM, "settle_discrepancy", act=1, measure="return", prevention="none")
    assert (line_of(world).state, line_of(world).reserved, line_of(world).cancelled) == ("reserved", 4, 6)
    assert (world.held[1], world.stock["A-1"]) == (("A-1", 4), 6)


def test_a_carrier_that_will_not_is_on_record_and_logistics_brings_the_goods():
    world = entered(World(stock={"A-1": 10}, no_carrier="the island has no ferry in winter"), TEN)
    world.do(LOGISTICS, "ship")
    assert (shipments(world)[0].refused, shipments(world)[0].state) == (world.no_carrier, "prepared")
    world.do(LOGISTICS, "deliver")
    assert world.deal.state == "supporting"


def test_a_prepaid_shipment_leaves_after_the_money_and_is_not_invoiced_again():
    world = prepaid(World(reliability=WEAK))
    assert [v.guard for v in world.refusal(LOGISTICS, "ship").failing] == ["prepayment_is_settled"]
    world.pay()
    world.do(LOGISTICS, "ship")
    tell(world, 1, "delivered")
    assert [r.kind for r in world.deal.receivables] == ["prepayment"]
    world.advance(days(15))
    ended(world, "completed")


@pytest.mark.parametrize(
    ("slip", "why"),
    [
        ({"occurred_at": "2026-01-06 08:00"}, "instant without a time zone"),
        ({"occurred_at": "2026-01-06T08:00:00+01:00"}, "occurred_at must look like"),
        ({"kind": "lost"}, "is none of: booked"),
    ],
)
def test_messages_of_another_shape_are_refused(slip: dict[str, str], why: str):
    world = on_the_way(10)
    told = {"shipment": "D-1-S1", "message_id": "M", "kind": "booked", "occurred_at": world.now}
    refusal = world.refusal(MONEY if not slip else LOGISTICS, "book_carrier_message", **(told | slip))
    assert (refusal.code, why in refusal.message) == ("malformed", True)


def test_lines_that_are_done_stay_done_whatever_else_moves():
    world = entered(World(), [*TEN, {"article": "A-2", "quantity": 5}])
    world.do(LOGISTICS, "ship", **part(1, 10))
    world.do(LOGISTICS, "ship", **part(2, 5))
    tell(world, 1, "delivered")
    tell(world, 2, "returned")
    assert [line.state for line in lines(world)] == ["delivered", "open"]
