"""Late money of one deal stops the whole customer group, and lets it go again (the credit hold of D29)."""

import pytest

from models import codec
from models.command import Command, Facts
from models.deal import consider, question
from models.deal_state import Effect
from models.effects import request
from models.lifecycle.states import DealState
from models.messages.finance import GroupHold, GroupHoldInput, GroupHolds, GroupHoldsInput
from models.policy import GOODS, SPINE
from tests.models.samples import sample
from tests.models.story import AM, DIRECTOR, HEAD, LEGAL, LOGISTICS, MONEY, RISK, SUPPORT, days, line
from tests.models.world import World, contacted, delivered, entered, offered, qualified

HELD = GroupHolds((GroupHold("D-9", "2026-000007", "2026-03-01T08:00:00Z"),), 1)
FREE = GroupHolds()
FOUND = "D-9 invoice 2026-000007 since 2026-03-01"


def told(world: World) -> list[tuple[bool, str]]:
    """What the deal told the credit book: on or off, for which invoice."""
    return [(asked.on, asked.invoice) for asked in world.own_holds]


def tags(world: World) -> list[str]:
    """The events of all entries."""
    return [event["tag"] for entry in world.entries for event in entry.events]


def dunned_twice(world: World) -> World:
    """A delivered deal whose invoice is two weeks late."""
    delivered(world)
    world.advance(days(world.deal.terms_days + 14))
    return world


def test_the_second_dunning_holds_the_group_and_the_money_lets_it_go():
    world = dunned_twice(World())
    number = world.deal.receivables[0].number
    (asked,) = world.own_holds
    assert (asked.on, asked.group, asked.deal_id, asked.invoice) == (True, "g-1", "D-1", number)
    assert (asked.customer_id, asked.is_test, asked.at) == ("c-1", True, world.now)
    world.pay(100_000)
    assert told(world) == [(True, number)], "a part is still late"
    world.pay()
    assert told(world) == [(True, number), (False, "")]
    assert not world.deal.holds


def test_the_group_is_held_before_the_letter_is_written():
    world = dunned_twice(World())
    rung = next(entry for entry in world.entries if any(e["tag"] == "group_hold_changed" for e in entry.events))
    assert [event["tag"] for event in rung.events] == [
        "group_hold_changed", "collection_advanced", "letter_asked", "hold_set"
    ]  # fmt: skip


def test_a_customer_of_no_group_is_a_group_of_its_own():
    asked = sample("fulfilling", "ship").given(group="", customer="c-7")
    context = consider(asked.deal, Command("ship", asked.actor, "k"), asked.policy, asked.now)
    assert question(context, "ship") == GroupHoldsInput("c-7", "D-1", asked.now, True)
    effect = Effect("hold_group", {"on": True, "invoice": "R-1", "reason": "late"}, "E-1")
    held = request(effect, asked.deal, asked.policy, asked.now)
    assert held == GroupHoldInput("E-1", "c-7", "D-1", "c-7", "R-1", True, "late", asked.now, True)


def test_only_what_is_paid_is_let_go_while_another_invoice_is_late():
    world = entered(World())
    for _ in range(2):
        line_number = next(each.line for each in world.deal.order.lines if each.reserved)  # type: ignore[union-attr]
        world.do(LOGISTICS, "ship", lines=[{"line": line_number, "quantity": 1}])
        world.do(LOGISTICS, "deliver")
    first, second = (owed.number for owed in world.deal.receivables)
    world.advance(days(world.deal.terms_days + 14))
    assert sorted(told(world)) == [(True, first), (True, second)]
    world.pay(invoice=first)
    assert told(world)[2:] == [(False, first)]
    assert world.deal.holds == ("credit",)
    world.pay(invoice=second)
    assert told(world)[3:] == [(False, "")]


@pytest.mark.parametrize(("prepare", "role", "action"), [(offered, AM, "accept_offer"), (entered, LOGISTICS, "ship")])
def test_a_held_group_confirms_nothing_and_sends_no_goods(prepare, role, action):
    world = prepare(World())
    world.group_holds = HELD
    before = world.headroom
    (verdict,) = world.refusal(role, action).failing
    assert (verdict.guard, verdict.found) == ("group_is_not_on_hold", FOUND)
    assert verdict.needed == "no credit hold on the customer's group"
    assert verdict.lifted_by == (
        "accounts_receivable: record_payment on 2026-000007",
        "accounts_receivable, risk_officer, legal, head_of_sales or commercial_director: resume (credit) on D-9",
    )
    assert world.headroom == before, "nothing is reserved for what is refused anyway"
    world.group_holds = FREE
    world.do(role, action)


def test_a_held_group_signs_nothing_and_enters_no_order():
    world = offered(World())
    world.do(AM, "accept_offer")
    world.do(AM, "send_contract")
    world.group_holds = HELD
    assert world.deal.contract
    signing = {"digest": world.deal.contract.digest, "signatory": "buyer"}
    assert world.refusal(AM, "sign", side="ours", **signing).failing[0].guard == "group_is_not_on_hold"
    world.group_holds = FREE
    for side in ("ours", "theirs"):
        world.do(AM, "sign", side=side, **signing)
    world.group_holds = HELD
    world.do(AM, "accept_order")
    assert world.deal.order
    typed = [line(o.article, o.ordered, o.unit_price_minor) for o in world.deal.order.lines]
    assert world.refusal(SUPPORT, "enter_order", lines=typed).failing[0].guard == "group_is_not_on_hold"


def test_an_order_of_a_held_group_may_shrink_and_not_grow():
    world = entered(World())
    world.group_holds = HELD
    more = {"kind": "quantity", "line": 1, "quantity": 11}
    world.do(AM, "request_amendment", changes=[more], reason="one more")
    refusal = world.refusal(AM, "confirm_amendment", channel="email", given_by="buyer")
    assert [(v.guard, v.found) for v in refusal.failing] == [("group_hold_allows_amendment", FOUND)]
    world.do(AM, "decline_amendment", reason="the group is held")
    world.do(AM, "request_amendment", changes=[more | {"quantity": 9}], reason="one less")
    world.do(AM, "confirm_amendment", channel="email", given_by="buyer")


def test_offers_may_be_made_to_a_held_group():
    world = qualified(World(group_holds=HELD))
    world.do(AM, "request_check")
    world.do(AM, "draft_offer", lines=[line("A-1", 1)])
    assert world.do(AM, "send_offer").state == "offer_open"


def test_the_answer_of_the_credit_book_stands_in_the_entry():
    world = offered(World())
    world.do(AM, "accept_offer")
    entry = next(entry for entry in world.entries if entry.action == "accept_offer")
    assert entry.facts["group_holds"] == {"holds": [], "count": 0}
    assert set(entry.facts) == {"group_holds", "headroom"}
    assert "group_holds" not in codec.encode(Facts()), "entries of earlier rules keep their form"


def test_of_many_holds_twenty_are_named_and_the_others_counted():
    many = tuple(GroupHold(f"D-{n}", "" if n % 2 else f"R-{n}", "2026-03-01T08:00:00Z") for n in range(20))
    world = entered(World())
    world.group_holds = GroupHolds(many, 23)
    (verdict,) = world.refusal(LOGISTICS, "ship").failing
    assert verdict.found.startswith("D-0 invoice R-0 since 2026-03-01, D-1 since 2026-03-01, ")
    assert verdict.found.endswith(", 3 more")
    assert "R-18" in verdict.lifted_by[0]
    world.group_holds = GroupHolds(many[1:2], 1)
    (by_hand,) = world.refusal(LOGISTICS, "ship").failing
    assert len(by_hand.lifted_by) == 1, "no payment lifts what a person has set"


def test_a_person_lets_the_group_go_on_the_deal_that_holds_it():
    world = dunned_twice(World())
    world.do(RISK, "resume", hold="credit", reason="they pay tomorrow")
    assert (told(world)[-1], world.own_holds[-1].reason) == ((False, ""), "they pay tomorrow")


def test_a_credit_hold_that_a_person_sets_is_the_groups_as_well_and_no_other_hold_is():
    world = contacted(World())
    world.do(LEGAL, "hold", hold="legal", reason="a claim")
    assert told(world) == []
    world.do(RISK, "hold", hold="credit", reason="bad news")
    assert told(world) == [(True, "")]
    world.do(DIRECTOR, "resume", hold="legal", reason="settled")
    world.do(MONEY, "resume", hold="credit", reason="good news")
    assert told(world) == [(True, ""), (False, "")]


def test_a_deal_that_is_lost_or_cancelled_leaves_no_hold_behind():
    lost, cancelled, neither = contacted(World()), entered(World()), contacted(World())
    for world in (lost, cancelled):
        world.do(RISK, "hold", hold="credit", reason="bad news")
    lost.do(AM, "lose", reason="no_response")
    cancelled.do(HEAD, "cancel", reason="they are insolvent")
    for world in (lost, cancelled):
        assert DealState(world.deal.state).is_terminal
        assert told(world) == [(True, ""), (False, "")]
        assert world.own_holds[-1].reason == "the deal is closed"
        assert not world.deal.holds
    neither.do(AM, "lose", reason="no_response")
    assert told(neither) == [], "whoever held nothing has nothing to lift"


def test_what_is_written_off_holds_nobody():
    world = dunned_twice(World())
    number = world.deal.receivables[0].number
    world.do(MONEY, "request_write_off", invoice=number, reason="insolvent")
    world.do(DIRECTOR, "approve_write_off", reason="agreed")
    assert world.deal.state == "defaulted"
    assert told(world) == [(True, number), (False, "")]


@pytest.mark.parametrize("policy", [SPINE, GOODS])
def test_deals_of_earlier_rules_hold_nobody_and_ask_nobody(policy):
    world = dunned_twice(World(policy, group_holds=HELD))
    assert world.deal.holds == ("credit",)
    world.pay()
    world.do(RISK, "hold", hold="credit", reason="bad news")
    world.do(RISK, "resume", hold="credit", reason="good news")
    assert world.own_holds == []
    assert "group_hold_changed" not in tags(world)
    assert not any("group_holds" in entry.facts for entry in world.entries)
    assert not any(v["guard"].startswith("group_") for entry in world.entries for v in entry.verdicts)
