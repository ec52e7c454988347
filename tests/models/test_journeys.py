"""Deals from the first call to the end, in words that a manager reads. Time passes by itself; departments answer."""

import pytest

from models.instants import plus
from models.messages.finance import ReliabilityFacts
from models.projection import substates
from tests.models.deals import BLOCKED, WEAK
from tests.models.story import (
    AM,
    DIRECTOR,
    HEAD,
    KAM,
    LEGAL,
    LOGISTICS,
    RISK,
    SUPPORT,
    days,
    ended,
    line,
    prepaid,
    states,
)
from tests.models.world import World, delivered, entered, offered, paid, qualified, signed


def test_won_and_paid():
    world = World()
    offered(world)
    assert world.deal.value_minor == 190_400, "16 pieces at 100.00 with 19 % tax"
    world.do(AM, "object", cause="price", answer="the quality")
    world.do(AM, "accept_offer")
    assert world.deal.headroom_minor == world.headroom == 190_400
    assert world.granted
    assert (world.granted.list_minor, world.granted.discount_minor) == (160_000, 0)
    world = signed(World())
    assert world.deal.state == "ordering"
    delivered(world := World())
    assert substates(world.deal) == {"goods": "delivered", "money": "open", "credit": "reserved", "approval": "none"}
    world.pay()
    assert world.booked == [("payment", 190_400)]
    assert world.deal.headroom_minor == 0
    assert world.advance(days(30)) == ["follow_up", "complete"]
    assert world.letters == ["follow_up"]
    ended(world, "completed")


def test_a_discount_beyond_the_managers_authority_is_approved_for_exactly_this_offer():
    world = World()
    qualified(world).do(AM, "request_check")
    world.do(AM, "draft_offer", lines=[line("A-1", 10, 8_800)])
    assert [v.guard for v in world.refusal(AM, "send_offer").failing] == ["discount_within_authority"]
    world.do(AM, "request_approval", reason="a large customer")
    assert world.deal.approvals[0].roles == (HEAD, DIRECTOR)
    world.do(HEAD, "approve_offer", reason="once")
    world.do(AM, "send_offer")
    world.do(AM, "counter", text="two more, please")
    world.do(AM, "draft_offer", lines=[line("A-1", 12, 8_800)])
    assert [a.state for a in world.deal.approvals] == ["void"]
    assert world.refusal(AM, "send_offer").failing[0].lifted_by == (
        "head_of_sales: approve_offer",
        "commercial_director: approve_offer",
    )


def test_a_declined_or_withdrawn_request_leads_back_to_the_offer():
    world = World()
    qualified(world).do(AM, "request_check")
    world.do(AM, "draft_offer", lines=[line("A-1", 10, 8_000)])
    world.do(AM, "request_approval", reason="a large customer")
    assert world.deal.approvals[0].roles == (DIRECTOR,), "20 % is beyond the head of sales"
    assert world.refusal(HEAD, "approve_offer", reason="fine").failing[0].lifted_by == (DIRECTOR,)
    world.do(AM, "withdraw_approval")
    world.do(AM, "request_approval", reason="they insist")
    world.do(DIRECTOR, "decline_offer", reason="no")
    assert [a.state for a in world.deal.approvals] == ["withdrawn", "declined"]
    assert world.deal.state == "preparing_offer"


def test_a_discount_split_over_several_deals_is_caught():
    world = World(given_discount=100_000, given_list=1_000_000)
    qualified(world).do(AM, "request_check")
    world.do(AM, "draft_offer", lines=[line("A-1", 1, 9_600)])
    assert world.deal.offer
    assert world.deal.offer.discount_bps == 994, "4 % here, but 9.94 % over all deals of the customer"
    assert world.refusal(AM, "send_offer").failing[0].found.startswith("9.94 % asked, 5.00 % allowed")
    world.do(KAM, "send_offer")


def test_a_doubtful_customer_is_accepted_under_the_officers_terms():
    world = World(reliability=WEAK)
    qualified(world).do(AM, "request_check")
    assert (world.deal.state, world.deal.assessment and world.deal.assessment.grade) == ("reliability_review", "C")
    world.do(RISK, "approve_reliability", credit_limit_minor=100_000, payment_days=7, reason="old friends")
    world.do(AM, "draft_offer", lines=[line("A-1", 2)], payment_days=30)
    assert world.deal.offer
    assert (world.deal.offer.payment_days, world.deal.offer.prepaid) == (7, False), "no longer than the terms"


def test_a_customer_of_class_d_pays_before_delivery_if_the_director_agrees():
    world = World(reliability=ReliabilityFacts(True, "g-1", iban_ok=False, vat_ok=False, disputed_bps=9_000,
                                               broken_promises=4, exposure_minor=40_000_000))  # fmt: skip
    qualified(world).do(AM, "request_check")
    assert world.deal.assessment
    assert (world.deal.assessment.grade, world.deal.terms_prepaid) == ("D", True)
    terms = {"credit_limit_minor": 0, "payment_days": 0, "reason": "prepaid"}
    assert world.refusal(RISK, "approve_reliability", **terms).failing[0].guard == "class_d_needs_director"
    world.do(DIRECTOR, "approve_reliability", **terms)
    world.do(AM, "draft_offer", lines=[line("A-1", 2)])
    world.do(AM, "send_offer")
    world.do(AM, "accept_offer")
    assert world.headroom == world.deal.headroom_minor == 0, "prepaid deals take no credit"


def test_a_customer_that_the_officer_refuses_is_rejected():
    world = World(reliability=WEAK)
    qualified(world).do(AM, "request_check")
    world.do(RISK, "reject", reason="rumours")
    assert world.deal.loss_reason == "reliability"
    ended(world, "rejected")


def test_a_blocked_customer_is_rejected_by_the_check_itself():
    world = World(reliability=BLOCKED)
    qualified(world).do(AM, "request_check")
    ended(world, "rejected")


def test_an_offer_that_nobody_answers_expires_and_is_renewed():
    world = offered(World())
    first = world.deal.offer
    assert first
    assert world.advance(days(31)) == ["remind", "escalate", "expire"]
    assert world.deal.state == "preparing_offer"
    assert world.refusal(AM, "send_offer").failing[0].guard == "offer_not_expired"
    world.do(AM, "draft_offer", lines=[line("A-1", 1)])
    world.do(AM, "send_offer")
    assert world.deal.offer
    assert (world.deal.offer.version, world.deal.offer.valid_until) == (2, plus(world.now, days(30)))


def test_a_deal_lost_to_a_competitor_names_it():
    world = offered(World())
    assert world.refusal(AM, "lose", reason="competitor").failing[0].guard == "lost_to_is_told"
    assert world.refusal(AM, "lose", reason="bad luck").code == "malformed"
    world.do(AM, "lose", reason="competitor", competitor="Acme")
    assert (world.deal.loss_reason, world.deal.competitor) == ("competitor", "Acme")
    ended(world, "lost")


def test_a_deal_lost_after_acceptance_gives_its_headroom_back():
    world = offered(World())
    world.do(AM, "accept_offer")
    world.do(AM, "lose", reason="timing")
    ended(world, "lost")


def test_headroom_that_is_used_up_stops_the_acceptance():
    world = offered(World(limit=190_399))
    verdict = world.refusal(AM, "accept_offer").failing[0]
    assert (verdict.guard, verdict.found) == ("headroom_is_available", "limit 190399, used 0")
    world.limit = 190_400
    world.do(AM, "accept_offer")


def test_a_check_that_grew_old_is_made_again():
    world = offered(World())
    world.do(AM, "accept_offer")
    world.advance(days(181))
    world.reliability = ReliabilityFacts(True, "g-1", founded_on="2020-01-01", iban_ok=False)
    world.do(AM, "recheck_reliability", reason="older than half a year")
    assert world.deal.state == "reliability_review"
    world.do(DIRECTOR, "approve_reliability", credit_limit_minor=0, payment_days=0, reason="prepaid only")
    world.do(AM, "draft_offer", lines=[line("A-1", 1)])
    world.do(AM, "send_offer")
    world.do(AM, "accept_offer")
    assert world.deal.headroom_minor == world.headroom == 0, "what the first acceptance held was given back"


def test_a_contract_with_disagreements_is_settled_clause_by_clause():
    world = offered(World())
    world.do(AM, "accept_offer")
    world.do(LEGAL, "redraft_contract", special_clauses=["delivery on Sundays"])
    world.do(LEGAL, "raise_disagreement", clause="7.2", our_position="30 days", their_position="90 days")
    world.do(AM, "raise_disagreement", clause="9", our_position="DAP", their_position="DDP")
    world.do(LEGAL, "settle_disagreement", clause="7.2", resolution="45 days")
    assert world.refusal(LEGAL, "close_protocol").failing[0].found == "9"
    world.do(AM, "settle_disagreement", clause="9", resolution="DAP")
    world.do(LEGAL, "close_protocol")
    contract = world.deal.contract
    assert contract
    assert (contract.version, contract.special_clauses) == (3, ("delivery on Sundays", "7.2: 45 days", "9: DAP"))
    assert world.refusal(AM, "send_contract").failing[0].lifted_by == ("account_manager: submit_contract",)
    world.do(AM, "submit_contract")
    world.do(HEAD, "return_contract", reason="a typo in clause 9")
    world.do(AM, "submit_contract")
    assert world.refusal(HEAD, "approve_contract", reason="ok").failing[0].guard == "special_clauses_need_legal"
    assert world.refusal(LEGAL, "approve_contract", reason="ok").failing[0].guard == "four_eyes", "legal wrote it"


def test_a_disagreement_found_after_our_signature_makes_it_void():
    world = offered(World())
    world.do(AM, "accept_offer")
    world.do(AM, "send_contract")
    assert world.deal.contract
    world.do(AM, "sign", side="ours", digest=world.deal.contract.digest)
    world.do(AM, "raise_disagreement", clause="3", our_position="a", their_position="b")
    world.do(LEGAL, "settle_disagreement", clause="3", resolution="b")
    world.do(AM, "close_protocol")
    assert world.deal.contract.signatures == ()
    assert world.deal.contract.digest


def test_a_prepaid_deal_ships_after_its_money_came():
    world = prepaid(World(reliability=WEAK))
    owed = world.deal.receivables[0]
    assert (owed.kind, owed.total_minor, owed.due_at) == ("prepayment", 178_500, world.now)
    assert world.refusal(LOGISTICS, "ship").failing[0].found == "178500 unpaid"
    world.pay(100_000)
    assert world.refusal(LOGISTICS, "ship").failing[0].found == "78500 unpaid"
    world.pay()
    world.do(LOGISTICS, "ship")
    world.do(LOGISTICS, "deliver")
    assert len(world.deal.receivables) == 1, "nothing is invoiced twice"
    world.advance(days(20))
    ended(world, "completed")


@pytest.mark.parametrize("role", [AM, HEAD])
def test_a_cancelled_order_gives_everything_back(role: str):
    world = entered(World())
    assert sum(quantity for _, quantity in world.held.values()) == 16
    world.do(role, "cancel", reason="the project stopped")
    assert states(world) == ["cancelled"] * 3
    assert world.stock["A-1"] == 1_000
    ended(world, "cancelled")


def test_a_complaint_is_settled_with_a_credit_note():
    world = delivered(World())
    world.do(SUPPORT, "open_case", lines=[1], cause="damage", note="two boxes")
    assert world.refusal(AM, "decide_case", case=1, decision="credit", measure="x").code == "malformed"
    owed = world.deal.receivables[0]
    world.do(AM, "decide_case", case=1, decision="credit", measure="x", invoice=owed.number, credit_minor=20_000)
    assert world.letters == ["case_decision"]
    world.pay()
    assert world.refusal(AM, "complete").failing[0].found == "cases open: 1"
    world.do(SUPPORT, "close_case", case=1)
    world.do(SUPPORT, "record_feedback", satisfaction=4, text="quick")
    world.do(AM, "complete")
    assert world.booked == [("credit_note", 20_000), ("payment", 170_400)]
    assert (world.deal.satisfaction, world.deal.cases[0].decision) == (4, "credit")
    ended(world, "completed")


def test_a_paid_deal_completes_by_itself_only_after_its_cases_are_closed():
    world = paid(World())
    world.do(SUPPORT, "open_case", lines=[2], cause="quality")
    world.advance(days(60))
    assert world.deal.state == "supporting"
    world.do(AM, "decide_case", case=1, decision="refuse", measure="none")
    world.do(SUPPORT, "close_case", case=1)
    world.advance(0)
    ended(world, "completed")
