"""Disputes, promises, plans, giving up and money that goes back under the third rules, in words of managers."""

from dataclasses import replace
from typing import Any

from models.calendar import plus_working
from models.instants import plus
from models.interest import InterestPolicy
from models.parts.receivable import Receivable
from models.policy import DEFAULT
from models.stages.accruing import interest_of
from tests.models.collecting import TOTAL, about, checked, late, other_letters, owed, pay, written
from tests.models.story import AM, DIRECTOR, HEAD, MONEY, days, ended, items
from tests.models.world import World, delivered


def interest(world: World, place: int = 0) -> int:
    """What an invoice of the deal has cost its customer until today."""
    return interest_of(owed(world, place), world.policy, world.now[:10])


def by_hand(amount: int, late_days: int) -> float:
    return amount * 0.1015 * late_days / 365


def kinds(world: World) -> list[str]:
    """The ladder's letters in the order in which they were written."""
    return [kind for _, kind in written(world.entries, owed(world).number)]


def back(world: World, amount_minor: int) -> None:
    """The bank takes a payment back."""
    world.do(MONEY, "reverse_payment", **about(world, amount_minor=amount_minor, currency="EUR", reason="AC04"))


def reached(world: World) -> list[str]:
    return [each.rung for each in owed(world).reached]


# ------------------------------------------------------------------------------------------------------------ disputes


def disputed(world: World, amount_minor: int, **more: Any) -> World:
    world.do(AM, "dispute", **about(world, amount_minor=amount_minor, reason="damaged", **more))
    return world


def decided(world: World, credit_minor: int, dispute: int = 1) -> World:
    world.do(MONEY, "settle_dispute", **about(world, dispute=dispute, credit_minor=credit_minor, reason="looked at it"))
    return world


def test_a_dispute_by_line_names_its_evidence_and_is_escalated_when_nobody_answers():
    world = late(8)
    lines = [{"line": 1, "amount_minor": 50_000}, {"line": 3, "amount_minor": 1_000}]
    disputed(world, 51_000, lines=lines, evidence="photo 7")
    frozen = owed(world).disputes[0]
    assert (frozen.evidence, frozen.due_at) == ("photo 7", plus_working(world.now, days(10)))
    assert items(world)["dispute"].action == "escalate_request"
    refused = world.refusal(
        AM, "dispute", **about(world, amount_minor=70_000, reason="more", lines=[{"line": 1, "amount_minor": 70_000}])
    )
    assert refused.failing[0].guard == "disputed_lines_were_billed"
    world.advance(days(17))
    assert items(world)["late_answer"].roles == (MONEY, HEAD)


def test_a_rejected_dispute_costs_the_interest_of_the_time_in_which_it_froze():
    world = disputed(late(8), TOTAL)
    world.advance(days(20))
    assert interest(world) == round(by_hand(TOTAL, 8)), "nothing while it is frozen"
    decided(world, 0)
    assert interest(world) == round(by_hand(TOTAL, 28))
    assert (owed(world).disputes[0].outcome, other_letters(world)) == ("rejected", ["dispute_answer"])
    checked(world)


def test_a_dispute_that_was_right_costs_nothing():
    world = disputed(late(8), 90_400)
    world.advance(days(10))
    decided(world, 90_400)
    assert interest(world) == round(by_hand(TOTAL, 8) + by_hand(100_000, 10))
    assert (owed(world).disputes[0].outcome, owed(world).credited_minor) == ("credited", 90_400)
    checked(world)


def test_a_compromise_costs_interest_on_what_was_owed_after_all():
    world = disputed(late(8), 90_400)
    world.advance(days(10))
    decided(world, 40_400)
    assert interest(world) == round(by_hand(TOTAL, 8) + by_hand(150_000, 10))
    assert (owed(world).disputes[0].outcome, owed(world).open_minor) == ("compromise", 150_000)
    checked(world)


def test_what_two_disputes_freeze_is_owed_once():
    world = disputed(disputed(late(8), 90_000), 100_000)
    pay(world, 100_000)  # 90,400 are left, all of them disputed twice
    world.advance(days(10))
    decided(world, 0)
    decided(world, 0, dispute=2)
    # 400 came in after 8 days for what was not disputed, the other 99,600 for disputed money
    assert interest(world) == round(by_hand(TOTAL, 8) + by_hand(90_400, 10))
    checked(world)


def test_paying_everything_ends_a_dispute_as_moot():
    world = disputed(late(8), 50_000)
    pay(world, TOTAL)
    assert owed(world).disputes[0].outcome == "moot"
    assert "dispute" not in items(world)
    checked(world)


def test_the_hold_ends_with_a_dispute_about_the_rest_and_comes_back_when_it_is_rejected():
    world = late(15)
    pay(world, 100_000)
    assert world.deal.holds == ("credit",)
    disputed(world, 90_400)
    assert not world.deal.holds
    assert [hold.on for hold in world.own_holds] == [True, False]
    world.advance(days(9))
    assert len(kinds(world)) == 4, "the ladder stands still"
    decided(world, 0)
    assert world.deal.holds == ("credit",)
    assert [hold.on for hold in world.own_holds] == [True, False, True]
    world.advance(days(14))
    assert reached(world)[-1] == "dun_second"
    world.advance(days(2))
    assert reached(world)[-1] == "involve_head", "nine days later than it would have been"
    checked(world)


# ------------------------------------------------------------------------------------------------- promises and plans


def promised(world: World, amount_minor: int, in_days: int) -> World:
    world.do(MONEY, "promise_to_pay", **about(world, amount_minor=amount_minor, until=plus(world.now, days(in_days))))
    return world


def test_a_promise_that_is_kept_is_confirmed_and_the_ladder_goes_on_later_about_the_rest():
    world = promised(late(8), 100_000, 10)
    assert other_letters(world) == ["promise_confirmation"]
    world.advance(days(6))
    pay(world, 100_000)
    assert [made.outcome for made in owed(world).promises] == ["kept"]
    world.advance(days(5))
    assert kinds(world)[-1] == "first_dunning"
    world.advance(days(4))
    assert written(world.entries)[-1] == ("2026-03-26", "second_dunning"), "six days later than planned"
    checked(world)


def test_a_broken_promise_takes_the_ladder_one_level_up_at_once_and_no_further():
    world = promised(late(8), TOTAL, 12)
    world.advance(days(13))
    assert [made.outcome for made in owed(world).promises] == ["broken"]
    assert written(world.entries)[-1] == ("2026-03-26", "second_dunning")
    assert world.broken_promises == 1
    world.advance(days(15))
    assert reached(world)[-1] == "dun_second"
    checked(world)


def test_a_promise_that_is_broken_the_day_after_a_letter_waits_a_day():
    world = promised(late(7), TOTAL, 1)
    assert kinds(world)[-1] == "first_dunning"
    world.advance(days(1))
    assert (world.broken_promises, kinds(world)[-1]) == (1, "first_dunning")
    world.advance(days(2))
    assert kinds(world)[-1] == "second_dunning"
    checked(world)


def test_a_new_promise_replaces_the_old_one_and_none_is_too_long():
    world = promised(promised(late(8), TOTAL, 10), 150_000, 20)
    assert [made.outcome for made in owed(world).promises] == ["replaced", ""]
    refused = world.refusal(MONEY, "promise_to_pay", **about(world, amount_minor=1, until=plus(world.now, days(61))))
    assert refused.failing[0].guard == "promise_is_not_too_long"
    world.advance(days(15))
    assert world.broken_promises == 0


def test_a_word_about_money_that_is_disputed_now_is_not_broken():
    world = disputed(promised(late(8), TOTAL, 10), 90_400)
    pay(world, 100_000)
    world.advance(days(15))
    assert (world.broken_promises, owed(world).collectable_minor) == (0, 0)
    decided(world, 90_400)
    assert [made.outcome for made in owed(world).promises] == ["kept"]
    checked(world)


def planned(world: World, *amounts: int) -> World:
    instalments = [
        {"due_at": plus(world.now, days(20 * number)), "amount_minor": amount}
        for number, amount in enumerate(amounts, start=1)
    ]
    world.do(MONEY, "agree_plan", **about(world, instalments=instalments))
    return world


def test_a_plan_that_is_kept_lifts_the_hold_and_stops_the_ladder():
    world = planned(late(15), 100_000, 90_400)
    assert not world.deal.holds
    assert other_letters(world) == ["plan_agreement"]
    world.advance(days(20))
    pay(world, 100_000)
    world.advance(days(21))
    assert kinds(world)[-1] == "second_dunning", "nothing more was written"
    pay(world, 90_400)
    assert [plan.outcome for plan in owed(world).plans] == ["kept"]
    assert world.broken_promises == 0
    checked(world)


def test_a_missed_instalment_makes_everything_due_one_level_up():
    world = planned(late(15), 100_000, 90_400)
    world.advance(days(22))
    assert owed(world).plan, "within the days of grace"
    world.advance(days(1))
    assert [plan.outcome for plan in owed(world).plans] == ["defaulted"]
    assert (reached(world)[-1], world.deal.holds, world.broken_promises) == ("involve_head", ("credit",), 1)
    assert other_letters(world) == ["plan_agreement", "plan_default"]
    world.advance(days(14))
    assert reached(world)[-1] == "involve_head"
    checked(world)


def test_a_credit_note_counts_for_the_plan():
    world = planned(late(15), 100_000, 90_400)
    world.do(HEAD, "grant_credit", **about(world, amount_minor=40_000, reason="late delivery"))
    world.advance(days(20))
    pay(world, 60_000)
    world.advance(days(5))
    assert owed(world).plan, "the first instalment is there"
    pay(world, 90_400)
    assert [plan.outcome for plan in owed(world).plans] == ["kept"]
    checked(world)


def test_an_instalment_that_went_back_is_missing_again():
    world = planned(late(15), 100_000, 90_400)
    pay(world, 100_000)
    back(world, 100_000)
    world.advance(days(24))
    assert [plan.outcome for plan in owed(world).plans] == ["defaulted"]


# ----------------------------------------------------------------------------------------------- giving up, and back


def test_legal_is_asked_again_after_it_was_declined():
    world = late(61)
    world.do(HEAD, "decline_legal", reason="a good customer")
    world.advance(days(29))
    assert world.deal.pending_approval("legal") is None
    world.advance(days(2))
    assert world.deal.pending_approval("legal")
    world.do(HEAD, "approve_legal", reason="enough")
    assert (owed(world).state, kinds(world)[-1]) == ("with_legal", "legal_notice")
    assert items(world)["with_legal"].roles == ("legal",)
    checked(world)


def test_a_large_sum_is_handed_over_by_the_director():
    world = late(61, replace(DEFAULT, money=replace(DEFAULT.money, legal={HEAD: 100_000, DIRECTOR: 10**14})))
    refusal = world.refusal(HEAD, "approve_legal", reason="enough")
    assert (refusal.failing[0].guard, refusal.failing[0].lifted_by) == ("legal_within_authority", (DIRECTOR,))
    world.do(DIRECTOR, "approve_legal", reason="enough")
    assert owed(world).state == "with_legal"


def test_nobody_is_handed_over_who_has_promised_to_pay():
    world = promised(late(61), TOTAL, 10)
    assert [asked.state for asked in world.deal.approvals] == ["void"]
    refusal = world.refusal(MONEY, "request_legal", **about(world))
    assert refusal.failing[0].found == "disputed, promised or in a payment plan"
    world.advance(days(13))
    assert world.deal.pending_approval("legal"), "the promise was broken"


def test_a_payment_that_went_back_reopens_the_invoice_at_its_level_without_a_second_letter():
    world = late(15)
    pay(world, TOTAL)
    assert not world.deal.holds
    world.advance(days(10))
    back(world, TOTAL)
    assert (owed(world).state, owed(world).open_minor, world.deal.holds) == ("dunned_twice", TOTAL, ("credit",))
    world.advance(days(15))
    assert kinds(world) == ["pre_due_notice", "reminder", "first_dunning", "second_dunning"]
    assert interest(world) == round(by_hand(TOTAL, 30)), "the ten days in which it was here cost nothing"
    world.advance(days(2))
    assert reached(world)[-1] == "involve_head", "sixteen days after the payment went back"
    checked(world)


def test_a_payment_in_time_that_went_back_late_brings_one_letter_at_a_time():
    world = delivered(World())
    pay(world, TOTAL)
    world.do(AM, "open_case", lines=[1], cause="quality")  # keeps the deal open
    world.advance(days(100))
    back(world, TOTAL)
    world.advance(days(5))
    assert (reached(world), kinds(world)) == (["announce_due", "fall_due", "remind_payment"], ["reminder"])
    assert interest(world) == round(by_hand(TOTAL, 5))
    checked(world)


def test_a_part_that_went_back_is_owed_from_that_day_on():
    world = late(8)
    pay(world, 90_400)
    world.advance(days(10))
    back(world, 40_400)
    assert owed(world).open_minor == 140_400
    world.advance(days(1))
    assert interest(world) == round(by_hand(TOTAL, 8) + by_hand(100_000, 10) + by_hand(140_400, 1))
    checked(world)


def test_of_an_overpayment_the_credit_goes_back_first():
    world = late(2)
    pay(world, TOTAL + 700)
    refusal = world.refusal(
        MONEY, "reverse_payment", **about(world, amount_minor=TOTAL + 701, currency="EUR", reason="x")
    )
    assert refusal.failing[0].guard == "payment_can_go_back"
    back(world, 500)
    assert (owed(world).unapplied_minor, owed(world).open_minor) == (200, 0)
    back(world, 300)
    assert (owed(world).unapplied_minor, owed(world).open_minor) == (0, 100)


def test_a_credit_note_beyond_what_is_open_is_the_customers_credit():
    world = late(2)
    pay(world, 150_000)
    world.do(HEAD, "grant_credit", **about(world, amount_minor=90_400, reason="came back"))
    r: Receivable = owed(world)
    assert (r.state, r.credited_minor, r.unapplied_minor, r.overcredited_minor) == ("credited", 40_400, 50_000, 50_000)
    assert world.refusal(HEAD, "grant_credit", **about(world, amount_minor=100_001, reason="x")).failing
    checked(world)


def test_bank_charges_are_forgiven_once_and_are_no_default():
    policy = replace(DEFAULT, interest=InterestPolicy())
    world = late(2, policy)
    pay(world, 100_000, charges_minor=1_000)
    asked = about(world, amount_minor=88_800, currency="EUR", charges_minor=600)
    refusal = world.refusal(MONEY, "record_payment", **asked)
    assert refusal.failing[0].found.startswith("600 of 500 charges")
    pay(world, 88_900, charges_minor=500)
    assert (owed(world).state, owed(world).tolerated_minor) == ("paid", 1_500)
    assert world.booked == [("payment", 100_000), ("write_off", 1_000), ("payment", 88_900), ("write_off", 500)]
    world.advance(days(1))
    ended(world, "completed")


def test_a_cash_discount_is_taken_once():
    policy = replace(DEFAULT, money=replace(DEFAULT.money, discount_bps=200, discount_days=10))
    world = delivered(World(policy))
    asked = about(world, amount_minor=90_000, currency="EUR", discount_minor=3_808)
    assert world.refusal(MONEY, "record_payment", **asked).failing[0].guard == "difference_is_small"
    pay(world, 90_000)
    pay(world, 96_592, discount_minor=3_808)
    assert (owed(world).state, owed(world).credited_minor) == ("paid", 3_808)
