"""Every guard: a request in which it holds, and the same request in which it alone does not."""

from dataclasses import replace

import pytest

from models import codec
from models.command import Command, Context, Facts
from models.deal import decide, judge_guards
from models.deal_state import Effect
from models.duties import GUARDED
from models.errors import MoveRefused, Refusal
from models.instants import DAY, plus
from models.lifecycle.guards import GUARDS, guard
from models.lifecycle.machines import DEALS
from models.messages.finance import HeadroomResult
from models.parts.contract import Disagreement, Signature
from models.policy import DEFAULT, GOODS, SPINE
from models.rules import ACTIONS
from tests.models.adopting_cases import ADOPTING_CASES
from tests.models.billing_cases import BILLING_CASES
from tests.models.cases import (
    Case,
    Change,
    contract,
    expired,
    group_held,
    held,
    line,
    offer,
    order,
    paid,
    priced,
    quoted,
    stale,
    typed,
    unpaid,
)
from tests.models.deals import BLOCKED, deal_in
from tests.models.duty_cases import DUTY_CASES
from tests.models.goods_cases import GOODS_CASES, older
from tests.models.money_cases import MONEY_CASES
from tests.models.samples import ACT, CASE, OWED, Sample, sample
from tests.models.world import PEOPLE

SETTLED = Disagreement("7.2", "30 days", "90 days", "45 days")
CLASS_D = replace(deal_in("reliability_review").assessment, grade="D")  # type: ignore[type-var]

CASES = [
    # everywhere
    Case("is_on_hold", "contacted", "resume", lambda s: s.asking(hold="credit"), "legal", "the asker"),
    Case("agenda_item_due", "contacted", "remind", lambda s: replace(s, now=s.deal.state_since), "due at 2026-01-19"),
    Case("agenda_item_due", "contacted", "escalate", lambda s: s.asking(item="other"), "no such item", "nobody"),
    Case("effect_is_pending", "lost", "finish_effect", lambda s: s.asking(effect="E-2"), "E-2", "nobody"),
    Case("effects_are_done", "ordering", "cancel", lambda s: s.given(pending=(Effect("send_letter"),)), "send_letter"),
    Case("four_eyes", "offer_approval", "approve_offer", lambda s: s.given(owner=s.actor.user), "is involved"),
    Case("not_on_hold", "preparing_offer", "send_offer", held, "credit, legal", "resume"),
    *(
        Case("group_is_not_on_hold", state, action, group_held, "D-9 invoice R-9 since 2026-01-02",
             "accounts_receivable: record_payment on R-9; accounts_receivable, risk_officer, legal, head_of_sales or "
             "commercial_director: resume (credit) on D-9")
        for state, action in (("offer_open", "accept_offer"), ("awaiting_signatures", "sign"),
                              ("ordering", "enter_order"), ("fulfilling", "ship"))
    ),
    Case("group_hold_allows_amendment", "fulfilling", "confirm_amendment", group_held, "D-9 invoice R-9", "on D-9"),
    # prospecting and reliability
    Case("needs_are_recorded", "contacted", "qualify", lambda s: s.given(needs=None), "none", "record_needs"),
    Case("lost_to_is_told", "offer_open", "lose", lambda s: s.asking(competitor=" "), " ", "the asker"),
    Case("class_d_needs_director", "reliability_review", "approve_reliability",
         lambda s: s.given(assessment=CLASS_D).by("risk_officer").asking(payment_days=0),
         "class D, prepaid, as risk_officer", "commercial_director"),
    Case("class_d_needs_director", "reliability_review", "approve_reliability",
         lambda s: s.given(assessment=CLASS_D).by("commercial_director"), "class D, net 14, as commercial_director"),
    Case("class_passes", "reliability_check", "pass_check", lambda s: s.asking(found=codec.encode(BLOCKED)), "E"),
    Case("class_needs_review", "reliability_check", "refer_check",
         lambda s: s.asking(found=codec.encode(BLOCKED)), "E"),
    Case("class_is_rejected", "reliability_check", "reject_check",
         lambda s: s.asking(found=sample("reliability_check", "pass_check").payload["found"]), "A"),
    Case("reliability_is_fresh", "offer_open", "accept_offer", stale, "valid until", "recheck_reliability"),
    Case("reliability_is_fresh", "ordering", "enter_order", lambda s: s.given(assessment=None), "no check"),
    # negotiation
    Case("articles_are_listed", "preparing_offer", "draft_offer", lambda s: quoted(s, known=False), "A-1", "admin"),
    Case("discount_is_possible", "preparing_offer", "draft_offer", lambda s: priced(s, 7_400),
         "26.00 %, at most 25.00 %", "a smaller discount"),
    Case("margin_is_kept", "preparing_offer", "draft_offer", lambda s: quoted(s, cost_minor=9_109),
         "below the floor of 8.00 %", "a higher price"),
    Case("total_is_plausible", "preparing_offer", "draft_offer", lambda s: quoted(
        s.asking(lines=[{"article": "A-1", "quantity": 10**7}]), list_price_minor=10**9), f"of at most {10**14}"),
    Case("validity_is_ahead", "preparing_offer", "draft_offer", lambda s: s.asking(valid_until=s.now), "2026-01-05"),
    Case("validity_is_ahead", "preparing_offer", "draft_offer",
         lambda s: s.asking(valid_until=plus(s.now, 365 * DAY + 1)), "2027-01-05"),
    Case("offer_is_drafted", "preparing_offer", "send_offer", lambda s: s.given(offer=None), "none", "draft_offer",
         also=("offer_not_expired", "discount_within_authority")),
    Case("offer_not_expired", "preparing_offer", "send_offer", expired, "valid until", "draft_offer"),
    Case("offer_not_expired", "offer_open", "accept_offer", lambda s: s.given(offer=None), "none"),
    Case("approval_is_needed", "preparing_offer", "request_approval", lambda s: s.by("key_account_manager").given(
        offer=deal_in("preparing_offer").offer), "0.00 % asked, 10.00 % allowed", "send_offer"),
    Case("discount_within_authority", "preparing_offer", "send_offer", lambda s: s.by("account_manager").given(
        offer=deal_in("offer_approval").offer),
         "12.00 % asked, 5.00 % allowed, not approved", "head_of_sales: approve_offer"),
    Case("discount_within_approver", "offer_approval", "approve_offer",
         lambda s: offer(s.by("head_of_sales"), given_discount_minor=90_000, given_list_minor=400_000),
         "22.00 % asked, 15.00 % allowed", "commercial_director"),
    Case("headroom_is_available", "offer_open", "accept_offer",
         lambda s: replace(s, facts=s.facts.told(HeadroomResult(False, 100, 99))), "limit 100, used 99",
         "risk_officer"),
    # contract
    Case("contract_is_drafted", "drafting_contract", "send_contract", lambda s: contract(s, digest=""),
         "version 1 not printed yet", "system"),
    Case("contract_is_drafted", "drafting_contract", "redraft_contract",
         lambda s: s.given(contract=None), "no contract"),
    Case("clauses_are_standard", "drafting_contract", "send_contract", lambda s: contract(s, special_clauses=("x",)),
         "1 special clauses", "submit_contract"),
    Case("special_clauses_need_legal", "contract_approval", "approve_contract",
         lambda s: contract(s.by("head_of_sales"), special_clauses=("x",)), "1 special clauses, as head_of_sales",
         "legal"),
    Case("signing_within_authority", "drafting_contract", "send_contract",
         lambda s: contract(s, amount_minor=2_000_001),
         "2000001 to sign, 2000000 allowed", "key_account_manager"),
    Case("protocol_has_room", "resolving_disagreements", "raise_disagreement",
         lambda s: contract(s, disagreements=tuple(Disagreement(str(n), "a", "b") for n in range(100))),
         "100 clauses", "legal: settle the matter in one clause"),
    Case("disagreement_is_open", "resolving_disagreements", "settle_disagreement",
         lambda s: s.asking(clause="8"), "7.2"),
    Case("disagreements_are_settled", "resolving_disagreements", "close_protocol",
         lambda s: contract(s, disagreements=(SETTLED, replace(SETTLED, clause="8", resolution=""))), "8", "legal"),
    Case("side_has_not_signed", "awaiting_signatures", "sign", lambda s: contract(s, signatures=(
        Signature("ours", "u", s.payload["digest"], s.now),)), "ours signed"),
    Case("document_is_current", "awaiting_signatures", "sign", lambda s: s.asking(digest="00"), ""),
    Case("both_sides_signed", "awaiting_signatures", "conclude_contract", lambda s: contract(s, signatures=()),
         "0 signatures", "sign"),
    # fulfilment
    Case("order_not_accepted", "ordering", "accept_order", lambda s: order(s, accepted_by="u-x"), "accepted by u-x"),
    Case("order_is_accepted", "ordering", "enter_order",
         lambda s: order(s, accepted_by=""), "not accepted", "accept_order"),
    Case("entry_matches_contract", "ordering", "enter_order", lambda s: typed(s, quantity=11),
         "line 1: quantity 11 entered, 10 agreed", "a corrected entry"),
    Case("entry_matches_contract", "ordering", "enter_order", lambda s: typed(s, unit_price_minor=9_999),
         "line 1: price 9999 entered, 10000 agreed"),
    Case("entry_matches_contract", "ordering", "enter_order", lambda s: typed(s, article="A-9"),
         "line 1: article A-9 entered, A-1 agreed"),
    Case("entry_matches_contract", "ordering", "enter_order", lambda s: s.asking(lines=s.payload["lines"][1:]),
         "2 lines entered, 3 agreed"),
    Case("a_line_is_short", "fulfilling", "retry_reservation", lambda s: line(s, state="open"), "no short line"),
    Case("line_is_short", "fulfilling", "answer_shortage", lambda s: s.asking(line=2), "line 2 is reserved"),
    Case("line_is_short", "fulfilling", "escalate_shortage", lambda s: s.asking(line=9), "no such line"),
    Case("analogue_is_proposed", "fulfilling", "accept_analogue",
         lambda s: line(s, proposed_article=""), "none proposed",
         "propose_analogue"),
    Case("analogue_is_proposed", "fulfilling", "decline_analogue", lambda s: s.asking(line=9), "no such line"),
    Case("line_is_open", "fulfilling", "cancel_line",
         lambda s: line(s, shipped=10, reserved=0, state="shipped"), "0 open"),
    Case("line_is_open", "fulfilling", "cancel_line", lambda s: s.asking(line=9), "no such line"),
    Case("contract_is_signed", "fulfilling", "ship", lambda s: s.given(contract=None), "no contract", "sign"),
    Case("prepayment_is_settled", "fulfilling", "ship", unpaid, "6000 unpaid", "record_payment"),
    Case("prepayment_is_settled", "fulfilling", "ship", lambda s: offer(s, prepaid=True), "no prepayment invoice yet"),
    Case("quantities_are_reserved", "fulfilling", "ship", lambda s: s.asking(lines=[{"line": 1, "quantity": 11}]),
         "line 1: 11 asked, 10 reserved", "retry_reservation"),
    Case("quantities_are_shipped", "fulfilling", "deliver", lambda s: s.asking(lines=[{"line": 9, "quantity": 1}]),
         "line 9: 1 told, 0 on the way", "ship"),
    Case("nothing_is_open", "fulfilling", "deliver_all", lambda s: line(s, delivered=9), "lines waiting: 1", "deliver"),
    Case("something_was_delivered", "fulfilling", "close_short",
         lambda s: order(s, lines=deal_in("fulfilling").order.lines), "0 units", "cancel"),  # type: ignore[union-attr]
    Case("nothing_on_the_way", "fulfilling", "close_short", lambda s: line(s, delivered=7), "3 units", "deliver"),
    Case("nothing_was_shipped", "fulfilling", "cancel", lambda s: line(s, shipped=1), "1 units", "close_short"),
    Case("nothing_was_paid", "ordering", "cancel", lambda s: paid(older(s)), "10000 paid", "pays it back"),
    # receivables
    Case("invoice_is_known", "ordering", "record_payment",
         lambda s: s.asking(invoice="R-8"), "R-1", "the right number"),
    Case("currency_matches", "ordering", "record_payment", lambda s: s.asking(currency="CHF"), "CHF"),
    Case("invoice_is_open", "supporting", "request_write_off", paid, "0 open", "another invoice"),
    Case("invoice_is_open", "supporting", "request_write_off", lambda s: s.asking(invoice="R-8"), "no such invoice"),
    Case("amount_within_open", "supporting", "credit", lambda s: s.asking(amount_minor=10_001),
         "10000 open and not disputed", "a smaller amount", also=("not_credited_twice",)),
    Case("date_is_ahead", "supporting", "promise_to_pay",
         lambda s: s.asking(until=s.now), "2026-01-05", "a later date"),
    Case("dispute_is_open", "supporting", "settle_dispute", lambda s: s.asking(dispute=2), "open disputes: 1"),
    Case("dispute_is_open", "supporting", "settle_dispute", lambda s: s.asking(credit_minor=4_001), "4000 disputed"),
    Case("dispute_is_open", "supporting", "settle_dispute", lambda s: s.asking(invoice="R-8"), "open disputes: none"),
    Case("no_request_pending", "supporting", "request_write_off",
         lambda s: s.given(approvals=sample("supporting", "approve_write_off").deal.approvals), "request 9 pending"),
    Case("write_off_is_requested", "supporting", "approve_write_off",
         lambda s: s.given(receivables=(replace(OWED, paid_minor=1),)), "10000 asked, 9999 open", "request_write_off"),
    Case("write_off_is_requested", "supporting", "decline_write_off", lambda s: s.given(approvals=()), "no request"),
    Case("write_off_within_authority", "supporting", "approve_write_off", lambda s: s.given(
        approvals=(replace(s.deal.approvals[-1], amount=100_001),),
        receivables=(replace(OWED, total_minor=100_001),)).by("head_of_sales"),
         "100001 asked, 100000 allowed", "commercial_director"),
    Case("receivables_are_settled", "supporting", "complete", lambda s: s.given(receivables=(OWED,)), "10000 open"),
    Case("something_was_written_off", "supporting", "default", paid, "0 written off", "approve_write_off"),
    # support
    Case("lines_are_known", "supporting", "open_case", lambda s: s.asking(lines=[1, 9]), "not delivered: 9"),
    Case("lines_are_known", "supporting", "open_case", lambda s: s.asking(lines=[]), "no line named"),
    Case("case_is_open", "supporting", "decide_case", lambda s: s.asking(case=2), "no such case"),
    Case("case_is_open", "supporting", "decide_case",
         lambda s: s.given(cases=(replace(CASE, state="closed"),)), "closed"),
    Case("case_is_decided", "supporting", "close_case", lambda s: s.given(cases=(CASE,)), "open", "decide_case"),
    Case("case_is_decided", "supporting", "close_case", lambda s: s.asking(case=2), "no such case"),
    Case("credit_fits_an_invoice", "supporting", "decide_case", lambda s: s.asking(
        decision="credit", invoice="R-1", credit_minor=10_001).given(receivables=(OWED,)), "10000 open"),
    Case("credit_fits_an_invoice", "supporting", "decide_case", lambda s: s.asking(
        decision="credit", invoice="R-8", credit_minor=1), "no such invoice"),
    Case("no_case_is_open", "supporting", "complete", lambda s: s.given(cases=(CASE,)), "cases open: 1", "decide_case"),
    *GOODS_CASES,
    *DUTY_CASES,
    *MONEY_CASES,
    *BILLING_CASES,
    *ADOPTING_CASES,
]  # fmt: skip


def refusal_of(asked: Sample) -> Refusal:
    with pytest.raises(MoveRefused) as caught:
        asked.decide()
    return caught.value.refusal


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.guard}-{c.action}")
@pytest.mark.counted_cells(1_000)
def test_a_guard_that_alone_fails_says_what_it_found_and_who_can_lift_it(case: Case):
    asked = sample(case.state, case.action)
    assert asked.decide().deal.version == asked.deal.version + 1, "it holds in the sample"
    refusal = refusal_of(case.change(asked))
    assert refusal.code == "guard_failed"
    assert [v.guard for v in refusal.failing] == [case.guard, *case.also], refusal.message
    verdict = refusal.failing[0]
    assert (verdict.ok, verdict.needed) == (False, GUARDS[case.guard].needed)
    assert case.found in verdict.found
    assert verdict.lifted_by
    assert case.lifted_by in "; ".join(verdict.lifted_by)
    assert verdict.found in refusal.message
    assert verdict.needed in refusal.message


def test_every_guard_is_shown_holding_and_failing():
    assert {case.guard for case in CASES} == set(GUARDS)


@pytest.mark.parametrize(
    ("state", "action", "change"),
    [
        ("fulfilling", "propose_analogue", lambda s: s.asking(unit_price_minor=12_000)),
        ("supporting", "complete", lambda s: order(s, discrepancies=(ACT,))),
        ("supporting", "default", lambda s: order(s, discrepancies=(ACT,))),
    ],
)
def test_guards_of_later_rules_do_not_judge_deals_of_the_first(state: str, action: str, change: Change):
    asked = change(sample(state, action))
    (late,) = (v.guard for v in refusal_of(asked).failing)
    assert GUARDS[late].since == 2
    decision = replace(asked, policy=SPINE).decide()
    names = [name for name in DEALS.table.index[state, action].guards if GUARDS[name].since == 1]
    assert [v["guard"] for v in decision.entry.verdicts] == names


def test_only_the_named_guards_came_with_later_rules():
    later = {name: guard.since for name, guard in GUARDS.items() if guard.since > 1}
    assert later == {
        "price_is_protected": 2,
        "no_discrepancy_is_open": 2,
        "no_amendment_pending": 2,
        "billed_goods_can_be_credited": 2,
        "group_is_not_on_hold": 3,
        "group_hold_allows_amendment": 3,
        "received_in_the_past": 3,
        "not_credited_twice": 3,
        "difference_is_small": 3,
        "disputed_lines_were_billed": 3,
        "promise_is_not_too_long": 3,
        "no_plan_runs": 3,
        "interest_is_charged": 3,
        "billing_fits": 3,
        "prepayment_allows_supply": 3,
        "goods_are_billed": 3,
    } | {f"{duty}_is_apart": 3 for duty in GUARDED}


def test_what_older_rules_do_not_know_is_refused_and_is_not_on_record_otherwise():
    asked = sample("preparing_offer", "draft_offer")
    named = {v["guard"] for v in replace(asked, policy=GOODS).decide().entry.verdicts}
    assert "billing_fits" not in named
    assert "billing_fits" in {v["guard"] for v in asked.decide().entry.verdicts}


def test_a_blocked_action_names_every_failing_guard_at_once():
    asked = offer(line(held(sample("fulfilling", "ship")), reserved=0), prepaid=True)
    refusal = refusal_of(contract(asked, signatures=()).asking(lines=[{"line": 1, "quantity": 2}]))
    assert [v.guard for v in refusal.failing] == [
        "contract_is_signed",
        "not_on_hold",
        "prepayment_is_settled",
        "quantities_are_reserved",
    ]
    assert refusal.message == (
        "ship is blocked: needs a contract signed by both sides, found signed by 0 of 2; "
        "needs no hold on the deal, found credit, legal; "
        "needs a settled prepayment, found no prepayment invoice yet; "
        "needs reserved units of every line to ship, found line 1: 2 asked, 0 reserved"
    )


def test_what_needs_nothing_but_the_deal_is_judged_without_a_payload():
    for (state, action), row in DEALS.table.index.items():
        asked = sample(state, action)
        context = Context(asked.deal, asked.actor, asked.actor.roles[0], None, Facts(), DEFAULT, asked.now)
        judged = {v.guard for v in judge_guards(row, context)}
        assert judged == {name for name in row.guards if not GUARDS[name].needs}, (state, action)


def test_nothing_left_to_ship_or_to_arrive_is_said_so():
    bare = line(sample("fulfilling", "ship"), reserved=0)
    assert bare.deal.order
    empty = order(bare, lines=tuple(replace(each, reserved=0) for each in bare.deal.order.lines))
    assert [v.found for v in refusal_of(empty).failing] == ["nothing is reserved"]
    refusal = refusal_of(replace(empty, action="deliver", payload={}).by("logistics_manager"))
    assert [v.found for v in refusal.failing] == ["nothing is on the way"]


def test_guards_do_not_fall_over_a_deal_without_papers():
    bare = {"offer": None, "contract": None, "order": None, "approvals": (), "receivables": ()}
    for (state, action), row in DEALS.table.index.items():
        asked = sample(state, action).given(**bare)
        payload = codec.decode(ACTIONS[action].payload, asked.payload)
        context = Context(asked.deal, asked.actor, asked.actor.roles[0], payload, asked.facts, DEFAULT, asked.now)
        assert all(v.found for v in judge_guards(row, context)), (state, action)


def test_an_approval_counts_for_exactly_the_hash_it_was_given_for():
    asked = sample("preparing_offer", "send_offer").by("account_manager").given(offer=deal_in("offer_approval").offer)
    assert asked.deal.offer
    pending = deal_in("offer_approval").approvals[0]
    approved = replace(pending, state="approved", subject_hash=asked.deal.offer.hash)
    assert asked.given(approvals=(approved,)).decide().deal.state == "offer_open"
    for useless in (pending, replace(approved, subject_hash="00"), replace(approved, kind="contract")):
        failing = refusal_of(asked.given(approvals=(useless,))).failing
        assert [v.guard for v in failing] == ["discount_within_authority"]


def test_two_guards_of_one_name_are_a_mistake():
    def not_on_hold(context: object) -> tuple[bool, str]:
        return True, ""

    with pytest.raises(ValueError, match="guard not_on_hold is registered twice"):
        guard("nothing")(not_on_hold)
    assert GUARDS["not_on_hold"].check is not not_on_hold


def test_an_expected_version_of_zero_does_not_care():
    deal = deal_in("contacted")
    assert decide(deal, Command("qualify", PEOPLE["account_manager"], "k"), DEFAULT, deal.updated_at).deal.version
