"""How deals are billed: per delivery, order or milestone, in advance as a whole or in part; and what is taken back."""

from typing import Any

import pytest

from models.stages.billing_targets import billed_worth, order_worth
from models.stages.order_lines import prebilled_open
from tests.models.deals import WEAK
from tests.models.story import AM, HEAD, KAM, LOGISTICS, MONEY, RISK, SUPPORT, days, ended, line, line_of
from tests.models.world import World, qualified

ODD = {"A-1": (333, 200), "A-2": (1_007, 600), "B-1": (500, 300)}
"""Prices at which tax never comes out even."""
HALVES = [
    {"name": "design", "share_bps": 3_333},
    {"name": "parts", "share_bps": 3_333},
    {"name": "test", "share_bps": 3_334},
]
YES = {"channel": "email", "given_by": "buyer"}


def agreed(world: World, lines: list[dict[str, Any]] | None = None, **terms: Any) -> World:
    """A signed deal with these terms of billing, whose order the manager accepted."""
    qualified(world).do(AM, "request_check")
    if world.deal.state == "reliability_review":
        world.do(RISK, "approve_reliability", credit_limit_minor=0, payment_days=0, reason="prepaid")
    world.do(AM, "draft_offer", lines=lines or [line("A-1", 10), line("A-2", 5)], **terms)
    for action in ("send_offer", "accept_offer", "send_contract"):
        world.do(AM, action)
    assert world.deal.contract
    for side in ("ours", "theirs"):
        world.do(AM, "sign", side=side, digest=world.deal.contract.digest)
    world.do(AM, "accept_order")
    return world


def entered(world: World) -> World:
    assert world.deal.order
    typed = [line(o.article, o.ordered, o.unit_price_minor) for o in world.deal.order.lines]
    world.do(SUPPORT, "enter_order", lines=typed)
    return world


def running(world: World | None = None, **terms: Any) -> World:
    return entered(agreed(world or World(prices=dict(ODD)), **terms))


def send(world: World, *lines: tuple[int, int]) -> None:
    """Ship and deliver units of lines, or everything that is reserved."""
    world.do(LOGISTICS, "ship", lines=[{"line": number, "quantity": units} for number, units in lines])
    world.do(LOGISTICS, "deliver")


def back(world: World, number: int, units: int, measure: str = "return", kind: str = "return") -> None:
    """The customer gives units back, or keeps them and does not pay for them."""
    wrong = [{"line": number, "quantity": units}]
    world.do(SUPPORT, "report_discrepancy", kind=kind, cause="customer", lines=wrong)
    assert world.deal.order
    act = world.deal.order.open_discrepancies[-1].number
    world.do(AM, "settle_discrepancy", act=act, measure=measure, prevention="talk first")


def invoices(world: World) -> list[tuple[str, int]]:
    return [(r.kind, r.total_minor) for r in world.deal.receivables]


def asked_for(world: World) -> int:
    """All invoices less all credit notes."""
    return sum(r.total_minor - r.credited_minor - r.overcredited_minor for r in world.deal.receivables)


def kept(world: World) -> int:
    """What the goods that the customer keeps cost, counted from the lines: tax rounded once per line."""
    assert world.deal.order
    total = 0
    for each in world.deal.order.lines:
        free = sum(
            q.quantity
            for act in world.deal.order.discrepancies
            if act.measure == "credit_note"
            for q in act.lines
            if q.line == each.line
        )
        net = (each.delivered - free) * each.unit_price_minor
        total += net + (net * each.tax_bps + 5_000) // 10_000
    return total


def settled_up(world: World) -> None:
    """Everything is delivered, billed and paid, and the deal ends; what was asked for is what the customer kept."""
    assert asked_for(world) == kept(world) == billed_worth(world.deal) == order_worth(world.deal)
    for owed in world.deal.receivables:
        if owed.open_minor:
            world.pay(invoice=owed.number)
    world.advance(days(40))
    ended(world, "completed")


def test_an_order_in_one_invoice_when_everything_is_there():
    world = running(billing="order")
    send(world, (1, 4))
    assert invoices(world) == [], "nothing before the last part"
    assert world.deal.headroom_minor == world.headroom == 9_955
    send(world)
    assert invoices(world) == [("order", 9_955)]
    assert world.deal.receivables[0].due_at == world.billed[0].due_at
    assert [(part.quantity, part.net_minor, part.tax_minor) for part in world.billed[0].lines] == [
        (10, 3_330, 633), (5, 5_035, 957)
    ]  # fmt: skip
    settled_up(world)


def test_an_order_that_is_closed_short_is_billed_for_what_came():
    world = running(World(prices=dict(ODD), stock={"A-1": 4, "A-2": 5}), billing="order")
    send(world)
    world.do(AM, "close_short", reason="the rest is not made any more")
    assert invoices(world) == [("order", (4 * 333 + 253) + (5_035 + 957))]
    settled_up(world)


def test_what_comes_back_before_the_one_invoice_is_not_on_it_and_after_it_is_credited():
    world = running(billing="order")
    send(world, (1, 10))
    back(world, 1, 3)
    assert world.booked == []
    send(world)
    assert invoices(world)[0][1] == kept(world)
    world.pay()
    back(world, 2, 1)
    (owed,) = world.deal.receivables
    assert (owed.credited_minor, owed.overcredited_minor, owed.unapplied_minor) == (0, 1_199, 1_199)
    settled_up(world)


def test_a_part_that_must_come_again_is_billed_once():
    world = running(billing="order")
    send(world)
    back(world, 1, 2, "redelivery", "damage")
    assert (world.deal.state, prebilled_open(line_of(world))) == ("fulfilling", 2)
    assert len(invoices(world)) == 1
    send(world)
    assert len(invoices(world)) == 1, "nothing more"
    settled_up(world)


def test_milestones_are_billed_in_any_order_and_the_last_invoice_bills_the_rest():
    world = agreed(World(prices=dict(ODD)), billing="milestones", milestones=HALVES)
    world.do(LOGISTICS, "reach_milestone", name="parts")
    entered(world)
    world.do(AM, "reach_milestone", name="design")
    send(world)
    assert [kind for kind, _ in invoices(world)] == ["milestone", "milestone", "order"]
    nets = [sum(part.net_minor for part in each.lines) for each in world.billed]
    assert (nets, sum(nets)) == ([2_788, 2_788, 2_789], 8_365), "the largest remainder gets the odd cent"
    world.do(KAM, "reach_milestone", name="test")
    assert len(invoices(world)) == 3, "nothing is left to bill"
    settled_up(world)


def test_a_milestone_is_reached_once_and_only_when_it_was_agreed():
    world = running(billing="milestones", milestones=HALVES)
    world.do(AM, "reach_milestone", name="design")
    for name in ("design", "party"):
        assert world.refusal(AM, "reach_milestone", name=name).failing[0].found == "parts, test"
    assert world.refusal(MONEY, "reach_milestone", name="test").code == "wrong_role"


def test_more_was_billed_than_came_and_the_difference_is_credited():
    world = running(World(prices=dict(ODD), stock={"A-1": 1, "A-2": 0}), billing="milestones", milestones=HALVES)
    for each in HALVES[:2]:
        world.do(AM, "reach_milestone", name=each["name"])
    world.pay()
    send(world)
    world.do(AM, "close_short", reason="nothing more comes")
    paid, unpaid = world.deal.receivables
    assert unpaid.credited_minor == unpaid.total_minor, "what is open comes first"
    assert paid.unapplied_minor == paid.total_minor - kept(world)
    settled_up(world)


def test_milestones_follow_an_amended_order():
    world = running(billing="milestones", milestones=HALVES)
    world.do(AM, "reach_milestone", name="design")
    changes = [{"kind": "quantity", "line": 1, "quantity": 20}, {"kind": "drop", "line": 2}]
    world.do(AM, "request_amendment", changes=changes, reason="other plans")
    world.do(AM, "confirm_amendment", **YES)
    world.do(AM, "reach_milestone", name="parts")
    send(world)
    settled_up(world)


def test_a_third_in_advance_is_settled_with_every_delivery():
    world = running(prepaid_bps=3_333)
    assert (world.deal.offer and world.deal.offer.prepaid, world.deal.headroom_minor) == (False, 9_955)
    (advance,) = world.deal.receivables
    assert (advance.kind, advance.total_minor, advance.due_at) == ("prepayment", 3_318, advance.issued_at)
    assert world.refusal(LOGISTICS, "ship").failing[0].found == "3318 unpaid"
    world.pay()
    send(world, (1, 4), (2, 2))
    send(world)
    first, second = world.billed[1:]
    assert [part.article for part in first.lines] == ["A-1", "settled prepayment", "A-2", "settled prepayment"]
    assert sum(part.net_minor for part in first.lines if part.quantity) == 4 * 333 + 2 * 1_007, "goods stand in full"
    assert first.total_minor + second.total_minor == 9_955 - 3_318
    settled_up(world)


def test_a_part_in_advance_and_the_rest_in_one_invoice():
    world = agreed(World(prices=dict(ODD)), prepaid_bps=5_000, billing="order", prepayment_blocks="both")
    world.pay()
    entered(world)
    send(world)
    assert invoices(world) == [("prepayment", 4_977), ("order", 4_978)]
    settled_up(world)


def test_a_part_in_advance_with_milestones():
    world = running(prepaid_bps=2_500, billing="milestones", milestones=HALVES)
    world.do(AM, "reach_milestone", name="design")
    world.pay()
    send(world)
    settled_up(world)


def test_what_is_given_back_of_a_partly_prepaid_order_is_credited_on_both_invoices():
    world = running(prepaid_bps=3_333)
    world.pay()
    send(world)
    back(world, 1, 5)
    back(world, 2, 1, "credit_note", "damage")
    assert world.deal.receivables[0].overcredited_minor > 0, "the paid part is the customer's credit"
    settled_up(world)


def test_a_partly_prepaid_order_that_is_closed_short_gives_the_rest_of_the_advance_back():
    world = agreed(World(prices=dict(ODD), stock={"A-1": 3, "A-2": 0}), prepaid_bps=3_333)
    world.pay()
    entered(world)
    send(world)
    world.do(AM, "close_short", reason="sold out")
    settled_up(world)


@pytest.mark.parametrize("blocks", ["supply", "shipping", "both"])
def test_an_unpaid_prepayment_blocks_what_was_agreed(blocks: str):
    world = agreed(World(prices=dict(ODD)), prepaid_bps=5_000, prepayment_blocks=blocks)
    if blocks == "shipping":
        entered(world)
        assert line_of(world).reserved == 10, "goods wait for the money on our shelf"
        assert [v.guard for v in world.refusal(LOGISTICS, "ship").failing] == ["prepayment_is_settled"]
    else:
        typed = [line("A-1", 10, 333), line("A-2", 5, 1_007)]
        (why,) = world.refusal(SUPPORT, "enter_order", lines=typed).failing
        assert (why.guard, why.found) == ("prepayment_allows_supply", "4977 unpaid")
        world.pay()
        entered(world)
    if blocks == "shipping":
        world.pay()
    send(world)
    settled_up(world)


def test_supply_alone_lets_goods_leave_when_the_payment_went_back():
    world = running_after_payment("supply")
    send(world)
    other = running_after_payment("both")
    assert other.refusal(LOGISTICS, "ship").failing[0].found == "4977 unpaid"


def running_after_payment(blocks: str) -> World:
    world = agreed(World(prices=dict(ODD)), prepaid_bps=5_000, prepayment_blocks=blocks)
    world.pay()
    entered(world)
    paid = world.deal.receivables[0]
    world.do(
        MONEY, "reverse_payment",
        invoice=paid.number, amount_minor=paid.total_minor, currency="EUR", reason="no funds",
    )  # fmt: skip
    return world


def prepaid_order() -> World:
    world = entered(agreed(World(prices=dict(ODD), reliability=WEAK)))
    world.pay()
    return world


def test_a_paid_prepaid_order_that_is_cancelled_becomes_the_customers_credit():
    world = prepaid_order()
    world.do(HEAD, "cancel", reason="the project is off")
    (owed,) = world.deal.receivables
    assert (owed.open_minor, owed.unapplied_minor, owed.overcredited_minor) == (0, 9_955, 9_955)
    assert world.booked == [("payment", 9_955), ("credit_note", 9_955)]
    ended(world, "cancelled")


def test_a_partly_paid_prepaid_order_that_is_cancelled_is_credited_and_the_rest_is_credit():
    world = entered(agreed(World(prices=dict(ODD), reliability=WEAK)))
    world.pay(1_000)
    world.do(HEAD, "cancel", reason="the project is off")
    (owed,) = world.deal.receivables
    assert (owed.credited_minor, owed.unapplied_minor) == (8_955, 1_000)
    ended(world, "cancelled")


def test_a_paid_prepaid_order_that_shrinks_or_comes_back_becomes_the_customers_credit():
    world = prepaid_order()
    changes = [{"kind": "quantity", "line": 1, "quantity": 7}]
    world.do(AM, "request_amendment", changes=changes, reason="fewer")
    world.do(AM, "confirm_amendment", **YES)
    fewer = world.deal.receivables[0].unapplied_minor
    assert fewer == (3_330 + 633) - (7 * 333 + 443)
    send(world)
    back(world, 1, 7)
    back(world, 2, 5)
    assert world.deal.receivables[0].unapplied_minor == 9_955, "all of it"
    settled_up(world)


def test_a_paid_prepaid_line_that_is_cancelled_or_replaced_at_a_lower_price_is_credited():
    world = agreed(World(prices=dict(ODD), reliability=WEAK, stock={"A-1": 4, "A-2": 0, "B-1": 50}))
    world.pay()
    entered(world)
    world.do(AM, "propose_analogue", line=2, article="B-1", unit_price_minor=500)
    world.do(AM, "accept_analogue", line=2, **YES)
    assert world.deal.receivables[0].unapplied_minor == (5_035 + 957) - (2_500 + 475)
    world.do(AM, "cancel_line", line=1, reason="too late")
    send(world, (3, 5))
    settled_up(world)


def test_a_goodwill_credit_is_not_given_a_second_time_with_the_goods():
    world = running()
    send(world)
    world.do(HEAD, "credit", invoice=world.deal.receivables[0].number, amount_minor=9_000, reason="late delivery")
    back(world, 1, 10)
    back(world, 2, 5)
    (owed,) = world.deal.receivables
    assert (owed.open_minor, owed.unapplied_minor, owed.creditable_minor) == (0, 0, 0)


def test_deliveries_of_one_line_add_up_to_its_tax():
    world = running(World(prices={"A-1": (333, 200), "A-2": (1_007, 600)}))
    for _ in range(5):
        send(world, (1, 2), (2, 1))
    taxes = [part.tax_minor for each in world.billed for part in each.lines if part.article == "A-1"]
    assert (taxes, sum(taxes)) == ([127, 126, 127, 126, 127], 633), "half away from zero, once per line"
    settled_up(world)


def test_a_credit_waits_for_the_invoice_that_is_still_being_issued():
    world = agreed(World(prices=dict(ODD)), prepaid_bps=10_000)
    world.pay()
    entered(world)
    world.do(AM, "request_amendment", changes=[{"kind": "quantity", "line": 1, "quantity": 20}], reason="more")
    held, world.settle = world.settle, lambda: None  # type: ignore[method-assign]
    world.do(AM, "confirm_amendment", **YES)
    world.do(AM, "request_amendment", changes=[{"kind": "drop", "line": 1}, {"kind": "drop", "line": 2}], reason="off")
    world.do(AM, "confirm_amendment", **YES)
    assert world.deal.order
    assert (world.deal.receivables[0].unapplied_minor, world.deal.order.credit_due_minor) == (9_955, 3_962)
    world.settle = held  # type: ignore[method-assign]
    world.settle()
    assert world.deal.order.credit_due_minor == 0
    assert asked_for(world) == 0
    world.do(HEAD, "cancel", reason="off")
    ended(world, "cancelled")


def test_a_line_is_disputed_up_to_what_was_asked_for_it_beyond_the_prepayment():
    world = running(prepaid_bps=5_000)
    world.pay()
    send(world)
    number = world.deal.receivables[1].number
    asked = {"invoice": number, "reason": "scratched"}
    of_line = sum(part.net_minor + part.tax_minor for part in world.billed[1].lines if part.line == 1)
    whole = {"amount_minor": of_line, "lines": [{"line": 1, "amount_minor": of_line}]}
    more = {"amount_minor": of_line + 1, "lines": [{"line": 1, "amount_minor": of_line + 1}]}
    assert [v.guard for v in world.refusal(MONEY, "dispute", **asked, **more).failing] == ["disputed_lines_were_billed"]
    world.do(MONEY, "dispute", **asked, **whole)
    assert world.deal.receivables[1].disputed_minor == of_line
