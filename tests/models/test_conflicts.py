"""Detection over a sequence of acts: through deputies, within windows, self-approval, splits, and unlike approvals."""

from dataclasses import replace
from itertools import permutations

import pytest

from models.concessions import Concession, splits
from models.conflicts import ConflictFinder, DutyEvent, Finding, in_order
from models.deputies import Deputyship
from models.duty_events import DealActs
from models.instants import DAY, plus
from models.policy import DEFAULT
from models.timeline import Entry
from tests.models.story import asking
from tests.models.world import World, delivered, offered


def at(day: int) -> str:
    return plus("2026-01-01T08:00:00Z", (day - 1) * DAY)


def act(activity: str, who: str, day: int = 1, *objects: str, instead_of: str = "", case: str = "D-1") -> DutyEvent:
    return DutyEvent(case, activity, who, at(day), instead_of, f"{case}/{day}", tuple(objects))


def found(*acts: DutyEvent, deputies: tuple[Deputyship, ...] = ()) -> list[Finding]:
    finder = ConflictFinder(deputies)
    return [finding for event in acts for finding in finder.feed(event)]


def names(findings: list[Finding]) -> list[str]:
    return [finding.rule for finding in findings]


def ship(absent: str, deputy: str, first: int = 1, last: int = 20) -> Deputyship:
    return Deputyship(absent, deputy, at(first), at(last))


def test_the_same_person_on_both_sides_is_found_in_either_order():
    for one, other in permutations((act("enter_order", "ann", 1), act("ship", "ann", 2))):
        (finding,) = found(one, other)
        assert (finding.rule, finding.people, finding.case) == ("order_entry_and_goods_release", ("ann",), "D-1")
        assert [done.activity for done in finding.acts] == ["enter_order", "ship"], "in the order of their times"


def test_different_people_other_deals_and_machines_are_no_conflict():
    entered = act("enter_order", "ann")
    assert found(entered, act("ship", "bob", 2)) == []
    assert found(entered, act("ship", "ann", 2, case="D-2")) == []
    assert found(entered, replace(act("ship", "ann", 2), is_machine=True)) == []


def test_a_conflict_is_told_once_however_often_it_is_repeated():
    acts = [act("enter_order", "ann"), *(act("ship", "ann", day) for day in (2, 3, 4))]
    assert names(found(*acts)) == ["order_entry_and_goods_release"]


@pytest.mark.parametrize(
    ("deputies", "link"),
    [
        ((ship("ann", "bob"),), "bob stood in for ann"),
        ((ship("bob", "ann"),), "ann stood in for bob"),
        ((ship("ann", "eve"), ship("eve", "bob")), "bob stood in for ann through a chain of deputies"),
        ((ship("ann", "bob", 5, 20),), "bob stood in for ann"),  # when bob ships
    ],
)
def test_people_whom_a_deputyship_links_count_as_one(deputies: tuple[Deputyship, ...], link: str):
    (finding,) = found(act("enter_order", "ann", 2), act("ship", "bob", 6), deputies=deputies)
    assert finding.link == link
    assert finding.people == ("ann", "bob")


@pytest.mark.parametrize(
    "deputies",
    [
        (ship("ann", "bob", 8, 20),),
        (ship("ann", "bob", 1, 2),),
        (ship("ann", "eve"), ship("bob", "eve")),  # two absent people with one deputy are not each other's
        (ship("ann", "x"), ship("x", "y"), ship("y", "bob")),
        (replace(ship("ann", "bob"), ended_at=at(2)),),
    ],
)
def test_deputies_at_other_times_and_too_far_away_do_not(deputies: tuple[Deputyship, ...]):
    assert found(act("enter_order", "ann", 2), act("ship", "bob", 6), deputies=deputies) == []


def test_who_acts_for_somebody_counts_as_both():
    assert names(found(act("enter_order", "ann", instead_of="bob"), act("ship", "bob", 2))) == [
        "order_entry_and_goods_release"
    ]


@pytest.mark.parametrize(("days", "rules"), [(30, ["customer_master_and_credit_limit"]), (31, [])])
def test_a_rule_with_a_window_forgets_after_it(days: int, rules: list[str]):
    acts = [act("customer", "ann", 1, "customer:g"), act("credit_limit", "ann", 1 + days, "customer:g")]
    assert names(found(*in_order(acts))) == rules


def test_the_latest_act_counts_for_a_window():
    acts = [act("customer", "ann", day, "customer:g") for day in (1, 20)]
    assert names(found(*acts, act("credit_limit", "ann", 45, "customer:g"))) == ["customer_master_and_credit_limit"]
    assert found(*acts, act("credit_limit", "ann", 45, "customer:other")) == []


def test_the_deal_act_that_fixes_a_limit_counts_with_the_card():
    acts = [act("customer", "ann", 1, "customer:g"), act("approve_reliability", "ann", 5, "deal:D-1", "customer:g")]
    assert names(found(*acts)) == ["customer_master_and_credit_limit"]


def test_self_approval_is_about_the_request_and_not_about_the_deal():
    asked, decided = act("request_write_off", "ann", 1, "request:1"), act("approve_write_off", "ann", 2, "request:1")
    assert names(found(asked, decided)) == ["relief_request_and_approval"]
    assert found(asked, act("approve_write_off", "ann", 2, "request:2")) == []


# ------------------------------------------------------------------------------------------------- from timelines


def events_of(world: World) -> list[DutyEvent]:
    return list(DealActs({DEFAULT.version: DEFAULT}).of(world.entries))


def tampered(world: World, action: str, **changes: object) -> list[Entry]:
    return [replace(entry, **changes) if entry.action == action else entry for entry in world.entries]  # type: ignore[arg-type]


def test_an_approval_by_who_wrote_or_asked_is_found_where_somebody_went_past_the_guard():
    world = asking(World())
    world.do("head_of_sales", "approve_offer", reason="fine")
    assert found(*events_of(world)) == []
    forged = DealActs().of(tampered(world, "approve_offer", actor="u-account_manager"))
    assert names(found(*forged)) == ["quotation_and_discount_approval", "discount_request_and_approval"]


def test_what_was_sent_is_not_what_was_approved():
    world = asking(World())
    world.do("head_of_sales", "approve_offer", reason="fine")
    world.do("account_manager", "send_offer")
    assert found(*events_of(world)) == []
    (sent,) = (entry for entry in world.entries if entry.action == "send_offer")
    other = [{**event, "hash": "ff" * 32} if event["tag"] == "offer_sent" else event for event in sent.events]
    (finding,) = found(*DealActs().of(tampered(world, "send_offer", events=other)))
    assert finding.rule == "approval_of_something_else"
    assert "ff" * 32 in finding.why


def test_writing_the_contract_and_releasing_it_is_about_its_version():
    world = offered(World())
    world.do("account_manager", "accept_offer")
    world.do("legal", "redraft_contract", special_clauses=["x"])
    world.do("account_manager", "submit_contract")
    world.do("commercial_director", "return_contract", reason="no")
    world.do("account_manager", "redraft_contract", special_clauses=["y"])
    world.do("account_manager", "submit_contract")
    world.do("legal", "approve_contract", reason="fine")  # wrote another version
    assert found(*events_of(world)) == []
    forged = DealActs().of(tampered(world, "approve_contract", actor="u-account_manager"))
    assert names(found(*forged)) == ["contract_writing_and_release"]


# --------------------------------------------------------------------------------------------------------- splits


def given(case: str, amount: int, day: int, who: str = "ann", kind: str = "write_off", **more: int) -> Concession:
    return Concession(kind, case, "g", "EUR", at(day), who, amount, more.get("limit", 1_000), more.get("base", 0))


def test_parts_within_authority_that_are_together_beyond_it_are_found_for_the_deal_and_the_customer():
    (of_deal,) = splits([given("D-1", 600, 1), given("D-1", 500, 2)])
    assert (of_deal.rule, of_deal.people, of_deal.about) == ("split_write_off", ("ann",), "deal:D-1")
    assert "1100 of 1000 EUR minor units" in of_deal.why
    (of_customer,) = splits([given("D-1", 600, 1), given("D-2", 500, 2)])
    assert of_customer.about == "customer:g"
    assert [done.at for done in of_customer.acts] == [at(1), at(2)]


@pytest.mark.parametrize(
    "parts",
    [
        [given("D-1", 500, 1), given("D-1", 500, 2)],
        [given("D-1", 600, 1), given("D-1", 500, 2, who="bob")],
        [given("D-1", 1_001, 1), given("D-1", 900, 2)],  # the first needed, and had, somebody above
        [given("D-1", 600, 1, kind="signature"), given("D-2", 500, 31, kind="signature")],
        [given("D-1", 600, 1), replace(given("D-1", 500, 2), currency="USD")],
        [given("D-1", 600, 1, limit=0), given("D-1", 500, 2, limit=0)],
        [],
    ],
)
def test_what_is_together_within_authority_by_others_or_long_ago_is_not(parts: list[Concession]):
    assert splits(parts) == []


def test_a_share_is_measured_against_the_value_of_each_deal_once():
    parts = [
        given("D-1", 40, 1, kind="discount", limit=500, base=1_000),
        given("D-1", 20, 9, kind="discount", limit=500, base=1_000),
        given("D-2", 45, 20, kind="discount", limit=500, base=1_000),
    ]
    (finding,) = splits(parts)
    assert finding.about == "deal:D-1"
    assert "6.00 % of 5.00 %" in finding.why


def test_no_act_stands_in_two_findings_of_one_kind_and_object():
    parts = [given("D-1", 600, day) for day in range(1, 8)]
    acts = [done.at for finding in splits(parts) for done in finding.acts]
    assert len(acts) == len(set(acts)) == 6


def test_a_deputy_and_the_absent_person_split_as_one():
    parts = [given("D-1", 600, 1), replace(given("D-1", 500, 2, who="bob"), on_behalf_of="ann")]
    (finding,) = splits(parts)
    assert [done.who for done in finding.acts] == ["ann", "bob"]


def test_a_discount_and_a_credit_afterwards_are_split_in_our_own_timelines():
    """Four percent in the offer, and two more for a complaint: the account manager may give five."""
    lines = [{"article": "A-1", "quantity": 10, "unit_price_minor": 9_600}]
    world = delivered(World(), lines)
    world.do("account_manager", "open_case", lines=[1], cause="quality")
    credit = {"case": 1, "decision": "credit", "measure": "x", "credit_minor": 2_000}
    world.do("account_manager", "decide_case", invoice=world.deal.receivables[0].number, **credit)
    acts = DealActs({DEFAULT.version: DEFAULT})
    assert names(found(*acts.of(world.entries))) == ["order_acceptance_and_complaint_credit"]
    (finding,) = splits(acts.concessions)
    assert (finding.rule, finding.people) == ("split_discount", ("u-account_manager",))
    assert "6.00 % of 5.00 %" in finding.why
