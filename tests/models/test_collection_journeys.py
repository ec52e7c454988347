"""How late money is collected under the third rules, invoice by invoice, in words that a manager reads."""

from dataclasses import replace

import pytest

from models.interest import DatedRate, InterestPolicy
from models.policy import DEFAULT
from models.stages.accruing import interest_of, uncharged
from tests.models.collecting import DUE, TOTAL, about, checked, late, owed, pay, written
from tests.models.story import AM, DIRECTOR, HEAD, LOGISTICS, MONEY, days, ended, until
from tests.models.world import World, delivered, entered

FREE = "2026-04-03 2026-04-06 2026-12-25 2026-12-26 2027-01-01"


def holidays(start: str = "2026-01-05T08:00:00Z") -> World:
    """A deal with a customer in Germany, delivered at once."""
    policy = replace(DEFAULT, holidays={"DE": FREE})
    return delivered(World(policy, now=start, customer_country="DE"))


def test_a_late_payer_is_written_to_on_working_days_up_to_the_formal_notice():
    world = late(61)
    assert owed(world).due_at[:10] == DUE
    assert written(world.entries) == [
        ("2026-03-03", "pre_due_notice"),
        ("2026-03-09", "reminder"),
        ("2026-03-13", "first_dunning"),
        ("2026-03-20", "second_dunning"),
        ("2026-04-20", "formal_notice"),
    ]
    assert [each.rung for each in owed(world).reached][-2:] == ["involve_head", "notice_formally"]
    assert world.deal.pending_approval("legal")
    checked(world)


def test_easter_moves_letters_to_the_day_after_and_never_two_on_one_day():
    world = holidays("2026-01-30T08:00:00Z")  # due on 31 March, so that the reminder falls on Good Friday
    until(world, "2026-04-30T08:00:00Z")
    assert written(world.entries)[1:] == [
        ("2026-04-07", "reminder"),
        ("2026-04-09", "first_dunning"),
        ("2026-04-14", "second_dunning"),
    ]
    checked(world)


def test_christmas_and_new_year_are_free():
    world = holidays("2026-10-23T08:00:00Z")  # due on 22 December
    until(world, "2027-01-10T08:00:00Z")
    assert written(world.entries)[1:] == [
        ("2026-12-28", "reminder"),
        ("2026-12-30", "first_dunning"),
        ("2027-01-05", "second_dunning"),
    ]
    checked(world)


def test_holidays_are_those_of_the_customers_country():
    policy = replace(DEFAULT, holidays={"DE": FREE, "IT": "2026-03-09"})
    world = delivered(World(policy, country="DE", customer_country="IT"))
    until(world, "2026-03-12T00:00:00Z")
    assert written(world.entries)[-1] == ("2026-03-10", "reminder")


def test_a_part_never_resets_a_level_and_the_next_rung_is_about_the_rest():
    world = late(8)
    pay(world, 90_400)
    assert owed(world).state == "dunned"
    world.advance(days(6))
    kind, facts = world.told[-1]
    assert (kind, facts["open_minor"], facts["paid_minor"]) == ("second_dunning", "100000", "90400")
    assert [kind for _, kind in written(world.entries)].count("first_dunning") == 1
    checked(world)


def test_money_that_came_in_some_days_ago_bears_interest_to_that_day_only():
    world = late(20)
    pay(world, 100_000, "2026-03-16")  # ten days late, booked after twenty
    assert interest_of(owed(world), world.policy, "2026-03-16") == round(TOTAL * 0.1015 * 10 / 365)
    assert interest_of(owed(world), world.policy, "2026-03-26") == round(
        TOTAL * 0.1015 * 10 / 365 + 90_400 * 0.1015 * 10 / 365
    )
    checked(world)


@pytest.mark.parametrize("first", ["2026-03-24", "2026-03-11"])
def test_whichever_of_two_payments_is_booked_first_the_interest_is_the_same(first: str):
    world = late(20)
    second = ({"2026-03-24", "2026-03-11"} - {first}).pop()
    amounts = {"2026-03-11": 60_000, "2026-03-24": 40_000}
    pay(world, amounts[first], first)
    pay(world, amounts[second], second)
    by_hand = (190_400 * 5 + 130_400 * 13 + 90_400 * 2) * 0.1015 / 365
    assert interest_of(owed(world), world.policy, "2026-03-26") == round(by_hand)
    checked(world)


def test_interest_through_two_parts_and_a_change_of_the_rate():
    rates = (DatedRate("2026-01-01", 200), DatedRate("2026-04-01", 350))
    policy = replace(DEFAULT, interest=InterestPolicy(rates=rates))
    world = late(10, policy)
    pay(world, 90_400)  # 10 days: 1904.00 at 10 %
    world.advance(days(36))
    pay(world, 50_000)  # 16 days to 1 April exclusive at 10 %, 20 at 11.5 %: 1000.00
    world.advance(days(9))
    pay(world, 50_000)  # 9 days: 500.00 at 11.5 %
    by_hand = (190_400 * 10 * 0.10 + 100_000 * (15 * 0.10 + 21 * 0.115) + 50_000 * 9 * 0.115) / 365
    world.advance(days(1))
    note = owed(world, 1)
    assert note.total_minor == round(by_hand) + 4_000
    assert checked(world).billed[-1].kind == "interest"


def test_the_note_of_interest_has_a_ladder_of_its_own_bears_no_interest_and_holds_nothing():
    world = late(15)
    assert world.deal.holds == ("credit",)
    pay(world, TOTAL)
    assert not world.deal.holds
    world.advance(days(14 + 31))
    note = owed(world, 1)
    assert (note.kind, note.charged_for, note.state) == ("interest", owed(world).number, "with_head_of_sales")
    assert interest_of(note, world.policy, world.now[:10]) == uncharged(note, world.policy, world.now[:10]) == 0
    assert not world.deal.holds
    assert [kind for _, kind in written(world.entries, note.number)][1:] == [
        "reminder",
        "first_dunning",
        "second_dunning",
    ]
    pay(world, note.open_minor, invoice=note.number)
    world.advance(days(1))
    ended(checked(world), "completed")


def test_who_paid_in_time_and_was_booked_late_owes_no_lump_sum():
    world = late(8)
    assert owed(world).state == "dunned"
    pay(world, TOTAL, DUE)
    world.advance(days(2))
    assert len(world.deal.receivables) == 1
    assert uncharged(owed(world), world.policy, world.now[:10]) == 0
    checked(world)


def test_a_waiver_needs_four_eyes_and_authority_by_amount():
    world = late(60)
    world.do(MONEY, "request_waiver", **about(world, amount_minor=5_000, reason="a good customer"))
    assert world.refusal(AM, "approve_waiver", reason="x").code == "wrong_role"
    world.do(HEAD, "approve_waiver", reason="agreed")
    assert owed(world).waived_minor == 5_000
    left = uncharged(owed(world), world.policy, world.now[:10])
    assert (
        world.refusal(MONEY, "request_waiver", **about(world, amount_minor=left + 1, reason="too much"))
        .failing[0]
        .guard
        == "waiver_within_what_is_owed"
    )
    pay(world, TOTAL)
    world.advance(days(1))
    assert owed(world, 1).total_minor == left


def test_a_large_waiver_is_the_directors():
    world = late(8, replace(DEFAULT, interest=replace(DEFAULT.interest, fee_minor={"EUR": 60_000})))
    world.do(MONEY, "request_waiver", **about(world, amount_minor=50_001, reason="a good customer"))
    refusal = world.refusal(HEAD, "approve_waiver", reason="agreed")
    assert (refusal.failing[0].guard, refusal.failing[0].lifted_by) == ("waiver_within_authority", (DIRECTOR,))
    world.do(DIRECTOR, "approve_waiver", reason="agreed")
    assert owed(world).waived_minor == 50_001


def test_a_note_of_interest_is_waived_by_credit():
    world = late(8)
    pay(world, TOTAL)
    world.advance(days(1))
    note = owed(world, 1)
    world.do(MONEY, "request_waiver", **about(world, 1, amount_minor=note.total_minor, reason="sorry"))
    world.do(HEAD, "approve_waiver", reason="agreed")
    assert (owed(world, 1).state, world.booked[-1]) == ("credited", ("credit_note", note.total_minor))
    world.advance(days(1))
    ended(world, "completed")


def test_a_note_waits_for_the_decision_on_a_waiver():
    world = late(8)
    world.do(MONEY, "request_waiver", **about(world, amount_minor=4_000, reason="pays now if we waive the lump sum"))
    pay(world, TOTAL)
    world.advance(days(3))
    assert len(world.deal.receivables) == 1, "nothing is charged while somebody has to decide"
    world.do(HEAD, "decline_waiver", reason="no")
    world.advance(days(1))
    assert owed(world, 1).total_minor == 4_000 + round(TOTAL * 0.1015 * 8 / 365)


def test_a_write_off_waives_the_interest_explicitly():
    world = late(59)
    world.do(MONEY, "request_write_off", **about(world, reason="bankrupt"))
    world.do(DIRECTOR, "approve_write_off", reason="gone")
    waived = [e for entry in world.entries for e in entry.events if e["tag"] == "interest_waived"]
    assert [each["amount_minor"] for each in waived] == [4_000 + round(TOTAL * 0.1015 * 59 / 365)]
    ended(checked(world), "defaulted")


def test_a_deal_does_not_default_before_the_interest_of_its_other_invoices_is_charged():
    world = two_late_invoices()
    first, second = (r.number for r in world.deal.receivables)
    world.do(MONEY, "request_write_off", invoice=second, reason="bankrupt")
    pay(world, owed(world).open_minor, invoice=first)
    world.do(DIRECTOR, "approve_write_off", reason="gone")
    assert world.deal.state == "supporting"
    world.advance(days(1))
    note = owed(world, 2)
    assert (note.kind, note.charged_for) == ("interest", first)
    pay(world, note.open_minor, invoice=note.number)
    ended(world, "defaulted")


def two_late_invoices() -> World:
    """A deal that was delivered in two parts, both of them 20 days late."""
    world = entered(World())
    for lines in ([{"line": 1, "quantity": 10}], []):
        world.do(LOGISTICS, "ship", lines=lines)
        world.do(LOGISTICS, "deliver")
    world.advance(days(80))
    return world
