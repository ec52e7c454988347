"""The customer wants something else than was signed: what it comes to is computed first, then confirmed as a whole."""

from typing import Any

import pytest

from models.parts.amendment import Amendment
from models.policy import GOODS, SPINE
from models.projection import substates
from tests.models.deals import WEAK
from tests.models.story import (
    AM,
    DIRECTOR,
    HEAD,
    KAM,
    LOGISTICS,
    MONEY,
    SUPPORT,
    days,
    ended,
    items,
    line_of,
    lines,
    prepaid,
    shortage,
    states,
)
from tests.models.world import World, delivered, entered, signed

ORDER = [{"article": "A-1", "quantity": 10}, {"article": "A-2", "quantity": 5}]
UNIT = 11_900
YES = {"channel": "email", "given_by": "head of purchasing"}


def typed(*wanted: tuple[str, int, int]) -> list[dict[str, Any]]:
    return [{"article": a, "quantity": q, "unit_price_minor": p} for a, q, p in wanted]


def running(**known: Any) -> World:
    """Ten A-1 and five A-2, entered and reserved."""
    return entered(World(**known), ORDER)


def ask(world: World, *changes: dict[str, Any], role: str = AM) -> Amendment:
    world.do(role, "request_amendment", changes=list(changes), reason="the customer called")
    assert world.deal.order
    asked = world.deal.order.pending_amendment
    assert asked
    return asked


def refused(world: World, role: str = AM) -> str:
    """Why the pending amendment can't be confirmed."""
    (verdict,) = world.refusal(role, "confirm_amendment", **YES).failing
    return f"{verdict.guard}: {verdict.found}"


def finished(world: World) -> None:
    world.do(LOGISTICS, "ship")
    world.do(LOGISTICS, "deliver")
    while world.deal.open_minor:
        world.pay()
    world.advance(days(15))
    ended(world, "completed")


def test_an_entry_that_differs_becomes_an_amendment_and_is_entered_when_it_is_confirmed():
    world = signed(World(), ORDER)
    world.do(AM, "accept_order")
    wish = typed(("A-1", 12, 9_700), ("B-1", 2, 10_000))
    assert world.refusal(SUPPORT, "enter_order", lines=wish).failing[0].guard == "entry_matches_contract"
    world.do(SUPPORT, "enter_differing_order", lines=wish, payment_days=30, delivery_terms="to the ramp")
    assert world.deal.order
    asked = world.deal.order.pending_amendment
    assert asked
    assert [(c.kind, c.line) for c in asked.changes] == [
        ("quantity", 1), ("price", 1), ("drop", 2), ("add", 0), ("payment_days", 0), ("delivery_terms", 0)
    ]  # fmt: skip
    assert [(c.text_before, c.text_after) for c in asked.changes[-2:]] == [("60", "30"), ("DAP", "to the ramp")]
    assert (asked.net_minor, asked.reason) == (12 * 9_700 + 20_000 - 150_000, "the order differs from the contract")
    assert (items(world)["amendment"].person, asked.due_at) == ("u-account_manager", "2026-01-12T08:00:00Z")
    assert world.deal.state == "ordering"
    world.do(AM, "confirm_amendment", **YES)
    order = world.deal.order
    assert (order.version, order.payment_days, order.delivery_terms) == (2, 30, "to the ramp")
    assert [(o.article, o.ordered, o.cancelled, o.unit_price_minor, o.reserved) for o in order.lines] == [
        ("A-1", 12, 0, 9_700, 0), ("A-2", 5, 5, 10_000, 0), ("B-1", 2, 0, 10_000, 0)
    ], "nothing is reserved before the order is entered"  # fmt: skip
    world.do(SUPPORT, "enter_order", lines=wish, payment_days=30, delivery_terms="to the ramp")
    assert states(world) == ["reserved", "cancelled", "reserved"]
    world.do(LOGISTICS, "ship")
    world.do(LOGISTICS, "deliver")
    (owed,) = world.deal.receivables
    assert owed.total_minor == (12 * 9_700 + 20_000) * 119 // 100
    assert owed.due_at == "2026-02-04T08:00:00Z", "thirty days as amended, not sixty"


def test_a_dropped_article_can_be_wanted_again_before_the_order_is_entered():
    world = signed(World(), ORDER)
    world.do(AM, "accept_order")
    world.do(SUPPORT, "enter_differing_order", lines=typed(("A-1", 10, 10_000)))
    world.do(AM, "confirm_amendment", **YES)
    world.do(SUPPORT, "enter_differing_order", lines=typed(("A-1", 10, 10_000), ("A-2", 3, 10_000)))
    world.do(AM, "confirm_amendment", **YES)
    world.do(SUPPORT, "enter_order", lines=typed(("A-1", 10, 10_000), ("A-2", 3, 10_000)))
    assert [(o.article, o.open) for o in lines(world)] == [("A-1", 10), ("A-2", 0), ("A-2", 3)]


def test_an_entry_as_agreed_is_no_amendment_and_terms_are_compared_too():
    world = signed(World(), ORDER)
    world.do(AM, "accept_order")
    equal = typed(("A-1", 10, 10_000), ("A-2", 5, 10_000))
    assert world.refusal(SUPPORT, "enter_differing_order", lines=equal).failing[0].found == "0 differences"
    days_differ = world.refusal(SUPPORT, "enter_order", lines=equal, payment_days=14)
    assert days_differ.failing[0].found == "payment within 14 days entered, 60 agreed"
    terms_differ = world.refusal(SUPPORT, "enter_order", lines=equal, delivery_terms="by boat")
    assert terms_differ.failing[0].found == "delivery by boat entered, DAP agreed"
    world.do(SUPPORT, "enter_order", lines=equal, payment_days=60)


def test_a_new_line_is_reserved_and_headroom_goes_up():
    world = running()
    asked = ask(world, {"kind": "add", "article": "B-1", "quantity": 4})
    assert (asked.total_minor, asked.net_minor, asked.units_added, asked.units_released) == (4 * UNIT, 40_000, 4, 0)
    assert len(lines(world)) == 2, "nothing has changed yet"
    held = world.deal.headroom_minor
    world.do(AM, "confirm_amendment", **YES)
    new = line_of(world, 3)
    assert (new.article, new.reserved, new.cost_minor, new.state) == ("B-1", 4, 6_000, "reserved")
    assert world.deal.headroom_minor == world.headroom == held + 4 * UNIT
    assert world.deal.order
    decided = world.deal.order.amendments[0]
    assert (decided.state, decided.decided_by, decided.channel, decided.given_by) == (
        "confirmed", "u-account_manager", "email", "head of purchasing"
    )  # fmt: skip
    finished(world)


def test_a_dropped_line_goes_back_to_the_shelf_and_headroom_goes_down():
    world = running(stock={"A-1": 10, "A-2": 5})
    asked = ask(world, {"kind": "drop", "line": 2})
    assert (asked.total_minor, asked.units_added, asked.units_released) == (-5 * UNIT, 0, 5)
    world.do(AM, "confirm_amendment", **YES)
    assert (states(world), world.stock["A-2"], world.held[2]) == (["reserved", "cancelled"], 5, ("A-2", 0))
    assert world.deal.headroom_minor == world.headroom == 10 * UNIT
    finished(world)


def test_more_of_a_line_is_reserved_as_far_as_there_is_some():
    world = running(stock={"A-1": 12, "A-2": 5})
    ask(world, {"kind": "quantity", "line": 1, "quantity": 15})
    world.do(AM, "confirm_amendment", **YES)
    assert (line_of(world).reserved, line_of(world).short, line_of(world).state) == (12, 3, "short")
    assert shortage(world).rung == "tell_customer"
    assert substates(world.deal)["goods"] == "short"


def test_less_of_a_line_frees_what_was_held():
    world = running(stock={"A-1": 10, "A-2": 5})
    asked = ask(world, {"kind": "quantity", "line": 1, "quantity": 7})
    assert asked.units_released == 3
    world.do(AM, "confirm_amendment", **YES)
    assert (line_of(world).reserved, world.held[1], world.stock["A-1"]) == (7, ("A-1", 7), 3)
    assert line_of(world).state == "reserved"
    assert "expire_reservation" in world.advance(days(31)), "what is still held runs out and is asked for again"
    assert line_of(world).state == "reserved"
    finished(world)


def test_a_shortage_ends_when_the_customer_wants_no_more_than_there_is():
    world = running(stock={"A-1": 4, "A-2": 5})
    ask(world, {"kind": "quantity", "line": 1, "quantity": 4})
    world.do(AM, "confirm_amendment", **YES)
    assert (line_of(world).state, shortage(world).outcome) == ("reserved", "fewer wanted")
    assert "shortage" not in items(world)
    finished(world)


def test_of_a_line_that_left_in_part_the_rest_can_be_let_go():
    world = running()
    world.do(LOGISTICS, "ship", lines=[{"line": 1, "quantity": 6}])
    slip = world.refusal(
        AM, "request_amendment", changes=[{"kind": "quantity", "line": 1, "quantity": 5}], reason="less"
    )
    assert slip.failing[0].found == "line 1: 5 asked, 6 are shipped, cancelled or substituted"
    ask(world, {"kind": "quantity", "line": 1, "quantity": 6})
    world.do(AM, "confirm_amendment", **YES)
    assert (line_of(world).state, line_of(world).ordered, line_of(world).open) == ("shipped", 6, 0)
    finished(world)


def test_another_date_and_another_address_cost_nothing():
    world = running()
    asked = ask(
        world,
        {"kind": "date", "line": 0, "text": "2026-03-02"},
        {"kind": "date", "line": 1, "text": "2026-02-02"},
        {"kind": "address", "text": "Ramp 7, Hafenstr. 1, Hamburg"},
    )
    assert (asked.total_minor, asked.units_added) == (0, 0)
    world.do(AM, "confirm_amendment", **YES)
    assert world.deal.order
    assert [o.wanted_on for o in lines(world)] == ["2026-02-02", "2026-03-02"]
    assert world.deal.order.deliver_to == "Ramp 7, Hafenstr. 1, Hamburg"


def test_a_price_is_within_somebodys_authority_or_needs_another():
    world = running()
    asked = ask(world, {"kind": "price", "line": 1, "unit_price_minor": 8_800})
    assert asked.net_minor == -12_000
    assert refused(world).startswith("amendment_within_authority: 12.00 % discount, 5.00 % allowed")
    assert refused(world, KAM).startswith("amendment_within_authority: 12.00 % discount, 10.00 % allowed")
    world.do(HEAD, "confirm_amendment", **YES)
    assert line_of(world).unit_price_minor == 8_800
    ask(world, {"kind": "price", "line": 1, "unit_price_minor": 6_100})
    assert refused(world, DIRECTOR) == "amendment_within_authority: below the margin floor of 8.00 %"
    world.do(AM, "decline_amendment", reason="too cheap")
    ask(world, {"kind": "price", "line": 1, "unit_price_minor": 10_500})
    world.do(AM, "confirm_amendment", **YES)
    finished(world)
    assert world.deal.receivables[0].total_minor == (105_000 + 50_000) * 119 // 100


def test_payment_days_are_those_that_finance_granted_at_most():
    world = running()
    slip = world.refusal(AM, "request_amendment", changes=[{"kind": "payment_days", "text": "90"}], reason="later")
    assert slip.failing[0].found == "90 payment days asked, 60 granted"
    ask(world, {"kind": "payment_days", "text": "14"})
    world.do(AM, "confirm_amendment", **YES)
    world.do(LOGISTICS, "ship")
    world.do(LOGISTICS, "deliver")
    assert world.deal.receivables[0].due_at == "2026-01-19T08:00:00Z"


def test_more_than_the_groups_limit_is_refused():
    world = running()
    world.limit = world.deal.headroom_minor + UNIT - 1
    ask(world, {"kind": "quantity", "line": 1, "quantity": 11})
    assert refused(world).startswith("headroom_for_amendment: limit")
    world.limit += 1
    world.do(AM, "confirm_amendment", **YES)
    assert world.headroom == world.limit


def test_goods_that_left_meanwhile_make_an_amendment_stale():
    world = running()
    ask(world, {"kind": "drop", "line": 2})
    world.do(LOGISTICS, "ship", lines=[{"line": 2, "quantity": 2}])
    assert refused(world) == "amendment_still_fits: -35700 minor units now, -59500 when it was reckoned"
    world.do(LOGISTICS, "ship", lines=[{"line": 2, "quantity": 3}])
    assert refused(world) == "amendment_still_fits: line 2: nothing of it is open"
    again = world.refusal(AM, "request_amendment", changes=[{"kind": "drop", "line": 1}], reason="less")
    assert again.failing[0].guard == "no_amendment_pending"
    world.do(AM, "decline_amendment", reason="they have it by now")
    assert world.deal.order
    assert (world.deal.order.amendments[0].state, world.deal.order.version) == ("declined", 1)
    finished(world)


def test_nothing_is_confirmed_on_hold():
    world = running()
    ask(world, {"kind": "add", "article": "B-1", "quantity": 1})
    world.do("legal", "hold", hold="legal", reason="a claim")
    assert refused(world) == "not_on_hold: legal"


def test_more_of_a_prepaid_order_is_paid_before_anything_leaves():
    world = prepaid(World(reliability=WEAK))
    world.pay()
    ask(world, {"kind": "quantity", "line": 1, "quantity": 13}, {"kind": "add", "article": "B-1", "quantity": 2})
    world.do(AM, "confirm_amendment", **YES)
    assert [(r.kind, r.total_minor) for r in world.deal.receivables] == [
        ("prepayment", 15 * UNIT), ("prepayment", 5 * UNIT)
    ]  # fmt: skip
    assert world.refusal(LOGISTICS, "ship").failing[0].found == f"{5 * UNIT} unpaid"
    world.do(MONEY, "record_payment", invoice="2026-000002", amount_minor=5 * UNIT, currency="EUR")
    finished(world)


def test_less_of_a_prepaid_order_is_credited_while_it_is_unpaid():
    world = prepaid(World(reliability=WEAK))
    ask(world, {"kind": "drop", "line": 2})
    world.do(AM, "confirm_amendment", **YES)
    assert (world.deal.receivables[0].credited_minor, world.deal.open_minor) == (5 * UNIT, 10 * UNIT)
    world.pay()
    finished(world)


def test_less_of_a_prepaid_order_that_is_paid_needs_the_money_back_first_under_the_second_rules():
    world = prepaid(World(GOODS, reliability=WEAK))
    world.pay()
    ask(world, {"kind": "drop", "line": 2})
    (verdict,) = world.refusal(AM, "confirm_amendment", **YES).failing
    assert (verdict.guard, verdict.found) == ("prepaid_money_is_kept", f"{5 * UNIT} to give back, 0 unpaid")
    assert verdict.lifted_by == ("accounts_receivable: pays it back first",)


def test_a_stale_amendment_of_a_prepaid_order_is_refused_for_that_alone():
    world = prepaid(World(reliability=WEAK))
    world.pay()
    ask(world, {"kind": "drop", "line": 2})
    world.do(LOGISTICS, "ship", lines=[{"line": 2, "quantity": 5}])
    assert refused(world) == "amendment_still_fits: line 2: nothing of it is open"


def test_a_delivered_order_is_amended_and_fulfilled_again():
    world = delivered(World(), ORDER)
    ask(world, {"kind": "add", "article": "B-1", "quantity": 2})
    assert world.deal.state == "supporting"
    world.do(AM, "confirm_amendment", **YES)
    assert (world.deal.state, line_of(world, 3).reserved) == ("fulfilling", 2)
    finished(world)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "add", "article": " ", "quantity": 1}, "a new line names its article"),
        ({"kind": "add", "article": "B-1"}, "quantity must be from 1"),
        ({"kind": "quantity", "line": 1, "quantity": 0}, "quantity must be from 1"),
        ({"kind": "price", "line": 1}, "another price names unit_price_minor"),
        ({"kind": "price", "line": 1, "unit_price_minor": -2}, "unit_price_minor must be from 0"),
        ({"kind": "date", "text": "soon"}, "Invalid isoformat"),
        ({"kind": "payment_days", "text": "-1"}, "payment days are a whole number"),
        ({"kind": "address", "text": " "}, "text says the new address"),
    ],
)
def test_a_change_of_another_shape_is_refused(change: dict[str, Any], why: str):
    refusal = running().refusal(AM, "request_amendment", changes=[change], reason="x")
    assert (refusal.code, why in refusal.message) == ("malformed", True)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ([], "names its changes and a reason"),
        ([{"kind": "quantity", "line": 1, "quantity": q} for q in (2, 3)], "changed twice in the same way"),
        ([{"kind": "drop", "line": 1}, {"kind": "price", "line": 1, "unit_price_minor": 5}], "dropped and changed"),
    ],
)
def test_changes_that_contradict_each_other_are_refused(changes: list[dict[str, Any]], why: str):
    refusal = running().refusal(AM, "request_amendment", changes=changes, reason="x")
    assert (refusal.code, why in refusal.message) == ("malformed", True)


def test_deals_of_the_first_rules_are_not_amended():
    world = running(policy=SPINE)
    refusal = world.refusal(AM, "request_amendment", changes=[{"kind": "drop", "line": 1}], reason="less")
    assert [v.guard for v in refusal.failing] == ["fulfilment_desk_applies"]
