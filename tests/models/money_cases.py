"""What shows the guards of collection: the row, the change that makes each fail, and what the verdict then says."""

from dataclasses import replace

from models.command import Facts
from models.deal_state import Effect
from models.messages.receivables import LegacyNumberResult
from models.policy import DEFAULT, GOODS
from tests.models.cases import Case
from tests.models.money_samples import BILLED, LATE, NOTICED, OWED, PAID_LATE, PLANNED, asked_for
from tests.models.samples import Sample

SUPPORTING = "supporting"


def disputing(asked: Sample, amount: int, line: int = 1) -> Sample:
    return asked.given(receivables=(BILLED,)).asking(
        amount_minor=amount, lines=[{"line": line, "amount_minor": amount}]
    )


def missing(asked: Sample, **payload: object) -> Sample:
    return asked.asking(amount_minor=9_000, **payload)


def under_old_rules(asked: Sample) -> Sample:
    return replace(asked, policy=replace(DEFAULT, version=GOODS.version, rules=2))


MONEY_CASES = [
    Case("received_in_the_past", SUPPORTING, "record_payment", lambda s: s.asking(received_on="2027-01-01"),
         "2027-01-01", "the bank's day"),
    Case("difference_is_small", SUPPORTING, "record_payment", lambda s: missing(s, charges_minor=201),
         "201 of 200 charges", "without charges"),
    Case("difference_is_small", SUPPORTING, "record_payment", lambda s: missing(s, discount_minor=1),
         "1 of 0 discount until 2026-01-05"),
    Case("difference_is_small", SUPPORTING, "record_payment",
         lambda s: s.asking(amount_minor=9_900, charges_minor=101), "101 of 200 charges"),
    Case("credit_within_total", SUPPORTING, "grant_credit", lambda s: s.asking(amount_minor=10_001),
         "10000 can be credited", "a smaller amount"),
    Case("not_credited_twice", SUPPORTING, "credit", lambda s: s.given(receivables=(
        replace(OWED, overcredited_minor=7_000, set_off_minor=7_000),)), "3000 can be credited"),
    Case("payment_can_go_back", SUPPORTING, "reverse_payment", lambda s: s.asking(amount_minor=10_001),
         "10000 came in"),
    Case("credit_is_there", SUPPORTING, "set_off_credit", lambda s: s.asking(amount_minor=701),
         "700 of credit, 10000 open", "a smaller amount"),
    Case("disputed_lines_were_billed", SUPPORTING, "dispute", lambda s: disputing(s, 6_001), "disputed already: 1"),
    Case("disputed_lines_were_billed", SUPPORTING, "dispute", lambda s: disputing(s, 1, line=9), "not billed"),
    Case("promise_is_not_too_long", SUPPORTING, "promise_to_pay", lambda s: s.asking(until="2026-12-01T00:00:00Z"),
         "at the latest", "an earlier date"),
    Case("no_plan_runs", SUPPORTING, "promise_to_pay", lambda s: s.given(receivables=(PLANNED,)),
         "plan of 2026-01-20", "agree_plan"),
    Case("plan_adds_up", SUPPORTING, "agree_plan", lambda s: s.given(receivables=(replace(OWED, paid_minor=1),)),
         "10000 planned, 9999 to collect"),
    Case("plan_dates_are_ahead", SUPPORTING, "agree_plan", lambda s: s.asking(
        instalments=[{"due_at": "2026-01-01T00:00:00Z", "amount_minor": 10_000}]), "2026-01-01", "later dates"),
    Case("is_an_account", SUPPORTING, "bring_invoice", lambda s: s.given(is_account=False), "about goods",
         "take_over_account"),
    Case("number_is_new", SUPPORTING, "bring_invoice", lambda s: s.given(receivables=(replace(OWED, number="SAP-77"),)),
         "SAP-77 is on this account already", "another number"),
    Case("number_is_new", SUPPORTING, "bring_invoice", lambda s: s.given(
        pending=(Effect("issue_invoice", {"number": "SAP-77"}),)), "SAP-77 is on this account already"),
    Case("number_is_free", SUPPORTING, "bring_invoice",
         lambda s: replace(s, facts=Facts(invoice_number=LegacyNumberResult("D-9"))), "taken by D-9", "before it"),
    Case("issued_in_the_past", SUPPORTING, "bring_invoice",
         lambda s: s.asking(issued_on="2027-01-01", due_on="2027-01-31"), "2027-01-01", "the day of the invoice"),
    Case("rules_know_collection", SUPPORTING, "agree_plan", under_old_rules, "rules 2", "keeps its rules"),
    Case("interest_is_charged", SUPPORTING, "complete", lambda s: s.given(receivables=(PAID_LATE,)), "R-1", "waiver"),
    Case("no_waiver_pending", SUPPORTING, "request_waiver",
         lambda s: s.given(approvals=(asked_for("waiver", 1),)), "request 9 pending"),
    Case("waiver_within_what_is_owed", SUPPORTING, "request_waiver", lambda s: s.asking(amount_minor=9_000),
         "of interest and lump sum"),
    Case("waiver_is_requested", SUPPORTING, "approve_waiver", lambda s: s.given(approvals=()), "no request"),
    Case("waiver_is_requested", SUPPORTING, "approve_waiver", lambda s: s.given(receivables=(OWED,)),
         "4000 asked, 0 owed", "request_waiver"),
    Case("waiver_within_authority", SUPPORTING, "approve_waiver", lambda s: s.given(
        receivables=(replace(LATE, interest_minor=60_000),), approvals=(asked_for("waiver", 50_001),)
        ).by("head_of_sales"), "50001 asked, 50000 allowed", "commercial_director"),
    Case("legal_is_next", SUPPORTING, "request_legal", lambda s: s.given(receivables=(LATE,)), "dunned", "the ladder"),
    Case("no_legal_pending", SUPPORTING, "request_legal",
         lambda s: s.given(approvals=(asked_for("legal", 1),)), "request 9 pending"),
    Case("legal_is_requested", SUPPORTING, "approve_legal", lambda s: s.given(approvals=()), "no request"),
    Case("legal_within_authority", SUPPORTING, "approve_legal", lambda s: s.given(
        receivables=(replace(NOTICED, total_minor=1_000_001),), approvals=(asked_for("legal", 1_000_001),)
        ).by("head_of_sales"), "1000001 asked, 1000000 allowed", "commercial_director"),
]  # fmt: skip
