"""How money comes in, late or never, in words that a manager reads."""

import pytest

from models.agenda import agenda
from models.calendar import plus_working
from models.instants import plus
from models.policy import GOODS
from models.projection import substates
from tests.models.deals import WEAK
from tests.models.story import AM, DIRECTOR, HEAD, LOGISTICS, MONEY, days, ended, prepaid
from tests.models.world import World, delivered, entered

TOTAL = 190_400


def due(world: World) -> int:
    """Seconds from now to the due date of an invoice that was issued now."""
    return days(world.deal.terms_days)


def late(days_late: int) -> World:
    """A delivered deal whose invoice is so many days late."""
    world = delivered(World())
    world.advance(due(world) + days(days_late))
    return world


def number(world: World) -> str:
    return world.deal.receivables[0].number


def rungs(fired: list[str]) -> list[str]:
    """What concerns the money among the things that came due."""
    return [action for action in fired if action not in ("remind", "escalate", "follow_up")]


def test_paid_late_after_two_dunning_letters_and_the_credit_hold_is_lifted():
    world = late(14)
    assert [x for x in world.letters if x != "follow_up"] == [
        "pre_due_notice",
        "reminder",
        "first_dunning",
        "second_dunning",
    ]
    assert world.deal.receivables[0].state == "dunned_twice"
    assert (world.deal.holds, substates(world.deal)["money"]) == (("credit",), "overdue")
    world.pay(100_000)
    assert world.deal.holds == ("credit",), "a part is still late"
    world.pay()
    assert not world.deal.holds
    assert substates(world.deal)["money"] == "settled"
    world.advance(days(1))
    note = world.deal.receivables[1]
    assert (note.kind, note.charged_for, world.letters[-1]) == ("interest", number(world), "interest_note")
    world.pay()
    world.advance(days(1))
    ended(world, "completed")


def test_nobody_pays_and_the_ladder_goes_up_to_legal():
    world = late(61)
    assert world.deal.receivables[0].state == "formally_noticed"
    assert [x for x in world.letters if x != "follow_up"][-1] == "formal_notice"
    world.do(HEAD, "approve_legal", reason="nothing else helps")
    assert world.deal.receivables[0].state == "with_legal"
    assert world.letters[-1] == "legal_notice"
    item = next(i for i in agenda(world.deal, world.policy) if i.kind == "with_legal")
    assert (item.roles, item.action) == (("legal",), "")


def test_the_head_of_sales_is_waited_for_on_the_fifth_rung():
    world = late(31)
    item = next(i for i in agenda(world.deal, world.policy) if i.kind == "collection")
    assert (world.deal.receivables[0].state, item.roles) == ("with_head_of_sales", (HEAD,))


def test_a_credit_hold_stops_the_goods_of_the_same_deal():
    world = entered(World())
    world.do(LOGISTICS, "ship", lines=[{"line": 1, "quantity": 10}])
    world.do(LOGISTICS, "deliver")
    world.advance(days(60 + 14))
    assert world.refusal(LOGISTICS, "ship").failing[0].guard == "not_on_hold"
    world.pay()
    world.do(LOGISTICS, "ship")


def test_only_the_disputed_amount_freezes():
    world = late(8)
    world.do(AM, "dispute", invoice=number(world), amount_minor=50_000, reason="damaged")
    assert substates(world.deal)["money"] == "disputed"
    note = next(i.note for i in agenda(world.deal, world.policy) if i.kind == "collection")
    assert "140400 EUR" in note
    world.pay(140_400)
    item = next(i for i in agenda(world.deal, world.policy) if i.kind == "dispute")
    assert item.due_at == plus_working(world.now, days(10))
    assert rungs(world.advance(days(40))) == ["escalate_request"], "the rest waits for an answer"
    world.do(MONEY, "settle_dispute", invoice=number(world), dispute=1, credit_minor=20_000, reason="half right")
    assert world.deal.open_minor == 30_000
    assert rungs(world.advance(days(5))) == [], "what was to come meanwhile does not come all at once"
    assert rungs(world.advance(days(3))) == ["advance_collection"], "the rest is collected again"
    world.pay()
    assert world.booked == [("payment", 140_400), ("credit_note", 20_000), ("payment", 30_000)]


def test_the_hold_ends_when_only_disputed_money_is_left():
    world = late(15)
    world.do(AM, "dispute", invoice=number(world), amount_minor=50_000, reason="damaged")
    assert world.deal.holds == ("credit",)
    world.pay(140_400)
    assert not world.deal.holds
    assert world.deal.receivables[0].state == "dunned_twice"


def test_settling_a_dispute_does_not_lift_the_hold_while_the_rest_is_late():
    world = late(15)
    world.do(AM, "dispute", invoice=number(world), amount_minor=TOTAL, reason="all of it")
    world.do(HEAD, "settle_dispute", invoice=number(world), dispute=1, credit_minor=400, reason="a little")
    assert (world.deal.holds, world.deal.open_minor) == (("credit",), 190_000)
    world.do(AM, "dispute", invoice=number(world), amount_minor=1_000, reason="again")
    world.do(HEAD, "settle_dispute", invoice=number(world), dispute=2, credit_minor=0, reason="not right")
    assert world.deal.holds == ("credit",)


def test_a_promise_that_is_kept_stops_the_ladder():
    world = late(8)
    world.do(MONEY, "promise_to_pay", invoice=number(world), amount_minor=TOTAL, until=plus(world.now, days(10)))
    assert rungs(world.advance(days(9))) == []
    world.pay(90_400)
    assert world.deal.receivables[0].promised_until
    world.pay()
    assert world.deal.receivables[0].promised_until == ""
    assert world.broken_promises == 0


def test_a_part_that_was_promised_and_came_ends_the_promise():
    world = late(8)
    world.do(MONEY, "promise_to_pay", invoice=number(world), amount_minor=10_000, until=plus(world.now, days(10)))
    world.pay(10_000)
    owed = world.deal.receivables[0]
    assert (owed.promised_until, owed.promised_minor, owed.state) == ("", 0, "dunned")


def test_a_broken_promise_counts_and_the_ladder_goes_on_one_level_up():
    world = late(8)
    world.do(AM, "promise_to_pay", invoice=number(world), amount_minor=TOTAL, until=plus(world.now, days(10)))
    assert rungs(world.advance(days(10))) == ["break_promise", "advance_collection"]
    assert (world.broken_promises, world.deal.receivables[0].broken_promises) == (1, 1)
    assert world.deal.receivables[0].state == "dunned_twice"


def test_a_write_off_by_amount_ends_the_deal_as_defaulted():
    world = late(59)
    world.do(MONEY, "request_write_off", invoice=number(world), reason="bankrupt")
    assert world.deal.approvals[0].roles == (DIRECTOR,), "above the authority of the head of sales"
    assert world.refusal(HEAD, "approve_write_off", reason="gone").failing[0].lifted_by == (DIRECTOR,)
    world.do(DIRECTOR, "decline_write_off", reason="try once more")
    world.do(MONEY, "request_write_off", invoice=number(world), reason="bankrupt")
    world.do(DIRECTOR, "approve_write_off", reason="gone")
    assert world.booked == [("write_off", TOTAL)]
    ended(world, "defaulted")


def test_money_that_comes_while_a_write_off_is_asked_for_makes_the_request_void():
    world = late(59)
    world.do(MONEY, "request_write_off", invoice=number(world), reason="bankrupt")
    world.pay(100_000)
    assert [a.state for a in world.deal.approvals] == ["void"]
    assert world.refusal(HEAD, "approve_write_off", reason="gone").failing[0].found == "no request"
    world.do(MONEY, "request_write_off", invoice=number(world), reason="the rest")
    assert world.deal.open_minor == 90_400
    world.do(HEAD, "approve_write_off", reason="gone")
    assert [a.state for a in world.deal.approvals] == ["void", "approved"]
    ended(world, "defaulted")


def test_a_payment_on_a_paid_invoice_is_kept_as_the_customers_credit():
    world = delivered(World())
    world.pay(TOTAL + 600)
    world.pay(5_000, invoice=number(world))
    owed = world.deal.receivables[0]
    assert (owed.paid_minor, owed.unapplied_minor, owed.open_minor) == (TOTAL, 5_600, 0)
    assert world.booked == [("payment", TOTAL + 600), ("payment", 5_000)]


def test_a_credit_note_over_everything_settles_the_invoice():
    world = delivered(World())
    world.do(HEAD, "credit", invoice=number(world), amount_minor=TOTAL, reason="late delivery")
    assert world.deal.receivables[0].state == "credited"
    assert world.deal.headroom_minor == 0


def test_a_complaints_credit_lifts_the_credit_hold_when_nothing_late_is_left():
    world = late(15)
    world.do(AM, "open_case", lines=[1, 2, 3], cause="quality")
    payload = {"case": 1, "decision": "credit", "measure": "x", "invoice": number(world), "credit_minor": TOTAL}
    world.do(HEAD, "decide_case", **payload)
    assert (world.deal.holds, world.deal.open_minor) == ((), 0)


@pytest.mark.parametrize("action", ["credit", "dispute"])
def test_more_than_is_open_is_refused(action: str):
    world = delivered(World())
    role = HEAD if action == "credit" else MONEY
    refusal = world.refusal(role, action, invoice=number(world), amount_minor=TOTAL + 1, reason="x")
    assert refusal.failing[0].found == f"{TOTAL} open and not disputed"
    assert world.refusal(role, action, invoice=number(world), amount_minor=0, reason="x").code == "malformed"


def test_an_order_cancelled_before_its_prepayment_came_is_credited():
    world = prepaid(World(reliability=WEAK))
    world.do(HEAD, "cancel", reason="no money came")
    assert world.booked == [("credit_note", 178_500)]
    ended(world, "cancelled")


def test_an_order_whose_prepayment_came_is_not_cancelled_silently_under_the_second_rules():
    world = prepaid(World(GOODS, reliability=WEAK))
    world.pay(1)
    assert world.refusal(HEAD, "cancel", reason="x").failing[0].found == "1 paid"


def test_goods_do_not_leave_for_a_prepayment_that_was_given_up():
    world = prepaid(World(reliability=WEAK))
    world.do(MONEY, "request_write_off", invoice=number(world), reason="a mistake")
    world.do(DIRECTOR, "approve_write_off", reason="a mistake")
    assert world.deal.open_minor == 0
    assert world.refusal(LOGISTICS, "ship").failing[0].found == "178500 unpaid"
