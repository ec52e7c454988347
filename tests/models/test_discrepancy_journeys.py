"""Delivered goods that are not as ordered: what the customer found, who decides, and what it comes to in goods and
money."""

from dataclasses import replace
from typing import Any

import pytest

from models.parts.discrepancy import Discrepancy, Kind, Measure
from models.policy import DEFAULT, GOODS, SPINE
from models.projection import project
from tests.models.deals import WEAK
from tests.models.story import AM, HEAD, LOGISTICS, SUPPORT, days, ended, items, line_of, prepaid, states
from tests.models.world import World, delivered, entered

ORDER = [{"article": "A-1", "quantity": 10}, {"article": "A-2", "quantity": 5}]
UNIT = 11_900
"""A unit with tax."""


def arrived(stock: int = 20, **known: Any) -> World:
    """Ten A-1 and five A-2 arrived in one shipment and stand on one invoice."""
    return delivered(World(stock={"A-1": stock, "A-2": 5}, **known), ORDER)


def found(world: World, kind: str, quantity: int, cause: str = "carrier", **more: Any) -> Discrepancy:
    """The customer found units of the first line that are not as ordered."""
    other = {"other_article": "A-9"} if kind == "mis_sort" else {}
    lines = [{"line": 1, "quantity": quantity}]
    world.do(SUPPORT, "report_discrepancy", kind=kind, cause=cause, lines=lines, **other, **more)
    assert world.deal.order
    return world.deal.order.discrepancies[-1]


def settle(world: World, measure: str, **more: Any) -> None:
    assert world.deal.order
    number = world.deal.order.open_discrepancies[0].number
    world.do(AM, "settle_discrepancy", act=number, measure=measure, prevention="another carrier", **more)


def finished(world: World) -> None:
    while world.deal.open_minor:
        world.pay()
    world.advance(days(15))
    ended(world, "completed")


COMES_BACK = {"mis_sort", "refusal", "return"}


@pytest.mark.parametrize("kind", Kind)
def test_units_are_delivered_again_and_not_invoiced_twice(kind: str):
    world = arrived()
    act = found(world, kind, 3)
    assert (act.state, items(world)["discrepancy"].person) == ("open", "u-account_manager")
    settle(world, "redelivery")
    assert (world.deal.state, line_of(world).reserved, line_of(world).prebilled) == ("fulfilling", 3, 3)
    back = 3 if kind in COMES_BACK else 0
    assert (line_of(world).returned, world.stock["A-1"]) == (back, 10 + back - 3)
    world.do(LOGISTICS, "ship")
    world.do(LOGISTICS, "deliver")
    assert (world.deal.state, line_of(world).delivered, line_of(world).prebilled) == ("supporting", 10, 0)
    assert [r.total_minor for r in world.deal.receivables] == [15 * UNIT]
    assert world.sent["A-1"] == 13 - back
    finished(world)


@pytest.mark.parametrize("kind", Kind)
def test_units_are_credited_on_the_invoice_of_their_shipment(kind: str):
    world = arrived()
    found(world, kind, 3, shipment="D-1-S1")
    settle(world, "credit_note")
    owed = world.deal.receivables[0]
    assert (owed.credited_minor, owed.open_minor, world.deal.headroom_minor) == (3 * UNIT, 12 * UNIT, 12 * UNIT)
    assert world.booked == [("credit_note", 3 * UNIT)]
    assert (line_of(world).delivered, line_of(world).returned, world.stock["A-1"]) == (10, 0, 10), "they stay there"
    assert world.deal.state == "supporting"
    finished(world)


@pytest.mark.parametrize("kind", Kind)
def test_units_go_back_for_good_and_are_credited(kind: str):
    world = arrived()
    found(world, kind, 3)
    settle(world, "return")
    assert (line_of(world).delivered, line_of(world).cancelled, line_of(world).returned) == (7, 3, 3)
    assert world.deal.receivables[0].credited_minor == 3 * UNIT
    assert world.stock["A-1"] == (13 if kind in COMES_BACK else 10), "broken goods do not go on the shelf"
    finished(world)


@pytest.mark.parametrize("kind", Kind)
def test_units_are_accepted_as_they_are(kind: str):
    world = arrived()
    found(world, kind, 3)
    settle(world, "acceptance")
    assert (line_of(world).delivered, world.deal.open_minor, world.deal.state) == (10, 15 * UNIT, "supporting")
    row = project(world.deal, DEFAULT).discrepancies[0]
    assert (row["state"], row["measure"], row["prevention"]) == ("settled", "acceptance", "another carrier")
    finished(world)


def test_every_measure_is_tried():
    assert set(Measure) == {"redelivery", "credit_note", "return", "acceptance"}


def test_what_never_left_the_warehouse_is_on_the_shelf_again():
    world = arrived()
    found(world, "shortage", 2, cause="unknown")
    settle(world, "redelivery", cause="packing")
    assert world.deal.order
    assert world.deal.order.discrepancies[0].cause == "packing", "the cause is known by now"
    assert (world.stock["A-1"], line_of(world).reserved, line_of(world).returned) == (10, 2, 2)


def test_goods_for_a_redelivery_can_be_short_and_go_on_the_ladder():
    world = arrived(stock=10)
    found(world, "damage", 3)
    settle(world, "redelivery")
    assert (world.deal.state, line_of(world).state, line_of(world).short) == ("fulfilling", "short", 3)
    assert "shortage" in items(world)
    world.stock["A-1"] = 3
    world.do(LOGISTICS, "retry_reservation")
    world.do(LOGISTICS, "ship")
    world.do(LOGISTICS, "deliver")
    assert states(world) == ["delivered", "delivered"]
    finished(world)


def test_a_small_difference_is_tolerated_by_the_policy_and_still_on_record():
    many = [{"article": "A-1", "quantity": 400}]
    world = delivered(World(prices={"A-1": (1_000, 600)}), many)
    act = found(world, "shortage", 2)
    assert (act.state, act.measure, act.prevention) == ("settled", "acceptance", "within the tolerance")
    assert "discrepancy" not in items(world)
    assert found(world, "damage", 3).state == "open", "three of 400 are more than half a per cent"
    assert found(world, "return", 1).state == "open", "what is sent back is always somebody's decision"
    stern = delivered(World(replace(DEFAULT, discrepancy_tolerance_bps=0), prices={"A-1": (1_000, 600)}), many)
    assert found(stern, "shortage", 1).state == "open"


def test_a_credit_goes_on_the_invoice_of_the_goods_and_never_exceeds_what_is_open_under_the_second_rules():
    world = entered(World(GOODS), ORDER)
    for number in (1, 2):
        world.do(LOGISTICS, "ship", lines=[{"line": number, "quantity": 5}])
        world.do(LOGISTICS, "deliver")
    first, second = world.deal.receivables
    found(world, "damage", 2)
    refusal = world.refusal(AM, "settle_discrepancy", act=1, measure="credit_note", prevention="none")
    assert refusal.failing[0].found == "no invoice of these goods; name one", "there are two"
    settle(world, "credit_note", invoice=first.number)
    found(world, "damage", 1, shipment="D-1-S1")
    world.pay(3 * UNIT - 1, invoice=first.number)
    refusal = world.refusal(AM, "settle_discrepancy", act=2, measure="credit_note", prevention="none")
    assert refusal.failing[0].found == f"{UNIT} to credit, 1 open on {first.number}"
    settle(world, "return", invoice=second.number)
    assert [r.credited_minor for r in world.deal.receivables] == [2 * UNIT, UNIT]


def test_a_unit_is_credited_once():
    world = arrived()
    found(world, "damage", 8)
    settle(world, "credit_note")
    lines = [{"line": 1, "quantity": 3}]
    refusal = world.refusal(SUPPORT, "report_discrepancy", kind="return", cause="customer", lines=lines)
    assert refusal.failing[0].found == "line 1: 3 told, 2 delivered"


def test_prepaid_goods_are_delivered_again_and_money_is_paid_back_by_accounting():
    world = prepaid(World(GOODS, reliability=WEAK))
    world.pay()
    world.do(LOGISTICS, "ship")
    world.do(LOGISTICS, "deliver")
    found(world, "damage", 2)
    paid = world.deal.receivables[0].number
    refusal = world.refusal(AM, "settle_discrepancy", act=1, measure="credit_note", prevention="none", invoice=paid)
    assert refusal.failing[0].lifted_by == ("accounts_receivable: pays back first",)
    settle(world, "redelivery")
    assert line_of(world).prebilled == 0, "a prepaid order is not billed by delivery anyway"
    world.do(LOGISTICS, "ship")
    world.do(LOGISTICS, "deliver")
    assert [r.kind for r in world.deal.receivables] == ["prepayment"]


def test_a_deal_is_not_over_while_somebody_has_to_decide():
    world = arrived()
    found(world, "damage", 1)
    world.pay()
    assert "completion" not in items(world)
    assert [v.guard for v in world.refusal(AM, "complete").failing] == ["no_discrepancy_is_open"]
    world.advance(days(30))
    assert world.deal.state == "supporting"
    settle(world, "acceptance")
    world.advance(days(1))
    ended(world, "completed")


def test_a_deal_goes_back_to_fulfilment_and_forth_as_often_as_needed():
    world = arrived()
    for _ in range(3):
        found(world, "damage", 1)
        settle(world, "redelivery")
        assert world.deal.state == "fulfilling"
        world.do(LOGISTICS, "ship")
        world.do(LOGISTICS, "deliver")
        assert world.deal.state == "supporting"
    assert world.deal.order
    assert [s.number for s in world.deal.order.shipments] == [f"D-1-S{n}" for n in (1, 2, 3, 4)]
    finished(world)


def test_a_prebilled_unit_next_to_a_new_one_is_billed_once():
    world = entered(World(), ORDER)
    world.do(LOGISTICS, "ship", lines=[{"line": 1, "quantity": 6}])
    world.do(LOGISTICS, "deliver")
    found(world, "damage", 2)
    settle(world, "redelivery")
    world.do(LOGISTICS, "ship", lines=[{"line": 1, "quantity": 6}])
    world.do(LOGISTICS, "deliver", lines=[{"line": 1, "quantity": 1}])
    world.do(LOGISTICS, "deliver")
    assert [r.total_minor for r in world.deal.receivables] == [6 * UNIT, 4 * UNIT]


def test_acts_are_about_delivered_units_and_each_is_decided_once():
    world = arrived()
    lines = [{"line": 1, "quantity": 11}]
    refusal = world.refusal(SUPPORT, "report_discrepancy", kind="damage", cause="carrier", lines=lines)
    assert refusal.failing[0].found == "line 1: 11 told, 10 delivered"
    found(world, "damage", 6)
    refusal = world.refusal(
        SUPPORT, "report_discrepancy", kind="damage", cause="carrier", lines=[{"line": 1, "quantity": 5}]
    )
    assert refusal.failing[0].found == "line 1: 5 told, 4 delivered"
    settle(world, "acceptance")
    refusal = world.refusal(HEAD, "settle_discrepancy", act=1, measure="return", prevention="none")
    assert refusal.failing[0].found == "settled"


@pytest.mark.parametrize(
    ("slip", "why"),
    [
        ({"lines": []}, "lines must name each order line"),
        ({"lines": [{"line": 1, "quantity": 1}, {"line": 1, "quantity": 2}]}, "lines must name each order line"),
        ({"lines": [{"line": 1, "quantity": 0}]}, "quantity must be from 1"),
        ({"kind": "mis_sort"}, "names the other_article that came"),
        ({"other_article": "A-9"}, "names the other_article that came"),
        ({"kind": "theft"}, "is none of: shortage"),
    ],
)
def test_a_report_of_another_shape_is_refused(slip: dict[str, Any], why: str):
    told = {"kind": "damage", "cause": "carrier", "lines": [{"line": 1, "quantity": 1}]}
    refusal = arrived().refusal(SUPPORT, "report_discrepancy", **(told | slip))
    assert (refusal.code, why in refusal.message) == ("malformed", True)


def test_deals_of_the_first_rules_have_complaint_cases_and_no_acts():
    world = arrived(policy=SPINE)
    told = {"kind": "damage", "cause": "carrier", "lines": [{"line": 1, "quantity": 1}]}
    assert [v.guard for v in world.refusal(SUPPORT, "report_discrepancy", **told).failing] == [
        "fulfilment_desk_applies"
    ]
