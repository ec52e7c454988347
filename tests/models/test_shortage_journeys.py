"""What becomes of goods that are out of stock, rung by rung, in words that a logistics manager reads."""

from dataclasses import replace

from models.parts.shortage import Option
from models.policy import DEFAULT, Policy
from models.projection import project
from models.requests import requests
from models.stages.shortage_options import options
from tests.models.story import (
    AM,
    HEAD,
    LOGISTICS,
    PRODUCTION,
    days,
    ended,
    items,
    line_of,
    lines,
    short,
    shortage,
    states,
    until,
)
from tests.models.world import World

GERMANY = replace(DEFAULT, holidays={"DE": "2026-01-01 2026-01-06 2026-04-03"})

PRICES = {"A-1": (10_000, 6_000), "A-2": (10_000, 6_000), "B-1": (12_000, 7_000)}


def supplied(world: World) -> World:
    """Everything that is reserved leaves, arrives and is paid; the deal is over."""
    world.do(LOGISTICS, "ship")
    world.do(LOGISTICS, "deliver")
    while world.deal.open_minor:
        world.pay()
    world.advance(days(15))
    ended(world, "completed")
    return world


def test_the_customer_agrees_to_wait_for_a_date_that_is_known():
    world = short(expected={"A-1": "2026-01-20"})
    assert states(world) == ["short", "reserved"]
    assert (shortage(world).rung, shortage(world).due_at) == ("tell_customer", "2026-01-05T12:00:00Z")
    assert (items(world)["shortage"].person, items(world)["shortage"].note) == (
        "u-account_manager", "line 1: 6 of A-1 short, tell_customer"
    )  # fmt: skip
    world.do(AM, "tell_customer", line=1, channel="call", agrees=True)
    waiting = shortage(world)
    assert (waiting.rung, waiting.role, waiting.choice) == ("wait", LOGISTICS, "wait")
    assert (waiting.promised_on, waiting.told_on) == ("2026-01-20", "2026-01-05")
    assert waiting.due_at == "2026-01-21T18:00:00Z", "a working day after the promised one"
    assert waiting.visits[0].answered_by == "u-account_manager"
    assert world.told[-1] == ("availability_date", {"article": "A-1", "available_on": "2026-01-20"})
    assert until(world, "2026-01-19T20:00:00Z").count("retry_reservation") == 2, "once a week, just to be sure"
    world.stock["A-1"] = 100
    assert "retry_reservation" in until(world, "2026-01-20T06:00:00Z")
    assert states(world) == ["reserved", "reserved"]
    assert (shortage(world).outcome, shortage(world).settled_at) == ("stock", "2026-01-20T06:00:00Z")
    assert "shortage" not in items(world)
    supplied(world)


def test_a_date_is_needed_before_a_customer_can_agree_to_wait():
    world = short()
    assert world.refusal(AM, "tell_customer", line=1, channel="call", agrees=True).failing[0].guard == "date_is_known"
    assert world.refusal(AM, "tell_customer", line=2, channel="call").failing[0].found == "not short"
    assert world.refusal(AM, "tell_customer", line=1, channel=" ").code == "malformed"
    world.do(AM, "tell_customer", line=1, channel="call", available_on="2026-01-12", agrees=True)
    assert (shortage(world).rung, shortage(world).promised_on) == ("wait", "2026-01-12")


def test_an_analogue_at_the_protected_price_with_the_consent_on_record():
    world = short(analogues={"A-1": "B-1"}, prices=PRICES)
    assert (shortage(world).analogue, shortage(world).analogue_cost_minor) == ("B-1", 7_000), "as the price list says"
    world.do(AM, "tell_customer", line=1, channel="call")
    assert world.told == [("availability_date", {"article": "A-1", "available_on": "to be told"})]
    assert shortage(world).rung == "propose_analogue"
    dear = world.refusal(AM, "propose_analogue", line=1, article="B-1", unit_price_minor=11_000)
    assert [v.guard for v in dear.failing] == ["price_is_protected"]
    world.do(AM, "propose_analogue", line=1, article="B-1")
    world.advance(3_600)
    world.do(AM, "accept_analogue", line=1, channel="email", given_by="head of purchasing")
    old, _, new = lines(world)
    assert (old.state, old.substituted, old.open) == ("substituted", 10, 0)
    assert (new.article, new.ordered, new.reserved, new.replaces) == ("B-1", 10, 10, 1)
    assert (new.unit_price_minor, new.cost_minor) == (10_000, 7_000)
    consent = next(e for e in world.entries if e.action == "accept_analogue")
    assert (consent.actor, consent.at) == ("u-account_manager", "2026-01-05T09:00:00Z")
    assert consent.payload == {"line": 1, "channel": "email", "given_by": "head of purchasing"}
    assert (shortage(world).outcome, shortage(world).visits[-1].answered_at) == ("substituted", "2026-01-05T09:00:00Z")
    assert world.stock["A-1"] == 4, "what was held of the old article is on the shelf again"
    supplied(world)


def test_an_analogue_for_the_rest_of_a_line_that_left_in_part():
    world = short(analogues={"A-1": "B-1"})
    world.do(LOGISTICS, "ship", lines=[{"line": 1, "quantity": 4}])
    world.do(AM, "propose_analogue", line=1, article="B-1", unit_price_minor=9_000)
    world.do(AM, "accept_analogue", line=1, channel="email", given_by="buyer")
    old, _, new = lines(world)
    assert (old.state, old.substituted, old.on_the_way) == ("shipped", 6, 4)
    assert (new.ordered, new.unit_price_minor) == (6, 9_000)
    supplied(world)


def test_the_rest_of_a_substituted_line_can_still_be_wrong():
    world = short(analogues={"A-1": "B-1"})
    world.do(LOGISTICS, "ship", lines=[{"line": 1, "quantity": 4}])
    world.do(LOGISTICS, "deliver")
    world.do(AM, "propose_analogue", line=1, article="B-1")
    world.do(AM, "accept_analogue", line=1, channel="email", given_by="buyer")
    assert line_of(world).state == "substituted"
    broken = {"kind": "damage", "cause": "carrier", "lines": [{"line": 1, "quantity": 1}]}
    world.do(LOGISTICS, "report_discrepancy", **broken)
    world.stock["A-1"] = 1
    world.do(AM, "settle_discrepancy", act=1, measure="redelivery", prevention="better boxes")
    assert (line_of(world).state, line_of(world).reserved) == ("reserved", 1)
    supplied(world)


def test_the_analogue_is_declined_logistics_names_a_date_and_the_goods_come():
    world = short(analogues={"A-1": "B-1"})
    world.do(AM, "tell_customer", line=1, channel="call")
    world.do(AM, "propose_analogue", line=1, article="B-1")
    world.do(AM, "decline_analogue", line=1, channel="call", given_by="buyer")
    assert (shortage(world).rung, shortage(world).due_at) == ("ask_logistics", "2026-01-07T08:00:00Z")
    assert items(world)["shortage"].roles == (LOGISTICS,)
    world.advance(days(1))
    world.do(LOGISTICS, "answer_shortage", line=1, available_on="2026-01-14", quantity=6)
    answered = shortage(world)
    assert (answered.rung, answered.role) == ("choose", AM)
    assert (answered.answer_on, answered.answer_quantity, answered.answer_source) == ("2026-01-14", 6, "stock")
    assert (answered.visits[2].answered_by, answered.visits[2].escalated_at) == ("u-logistics_manager", "")
    world.do(AM, "choose_option", line=1, option="wait")
    assert (shortage(world).rung, shortage(world).promised_on) == ("wait", "2026-01-14")
    assert world.told[-1][1]["available_on"] == "2026-01-14"
    until(world, "2026-01-14T05:00:00Z")
    world.stock["A-1"] = 6
    assert until(world, "2026-01-14T06:00:00Z") == ["retry_reservation"]
    assert (states(world), shortage(world).outcome) == (["reserved", "reserved"], "stock")
    supplied(world)


def test_logistics_can_not_and_production_makes_it():
    world = short()
    world.do(AM, "tell_customer", line=1, channel="call")
    assert shortage(world).rung == "ask_logistics", "nobody proposes what there is not"
    world.do(LOGISTICS, "answer_shortage", line=1, note="no supplier has it")
    assert (shortage(world).rung, shortage(world).role) == ("ask_production", PRODUCTION)
    assert shortage(world).due_at == "2026-01-08T08:00:00Z"
    world.do(PRODUCTION, "answer_shortage", line=1, available_on="2026-01-19", source="production")
    assert shortage(world).rung == "choose"
    world.do(HEAD, "choose_option", line=1, option="production")
    assert (shortage(world).rung, shortage(world).choice, shortage(world).promised_on) == (
        "buy_in", "production", "2026-01-19"
    )  # fmt: skip
    until(world, "2026-01-19T05:00:00Z")
    world.stock["A-1"] = 6
    until(world, "2026-01-19T06:00:00Z")
    assert [v.answered_by for v in shortage(world).visits] == [
        "u-account_manager", "u-logistics_manager", "u-production", "u-head_of_sales", ""
    ]  # fmt: skip
    supplied(world)


def test_a_part_is_delivered_now_and_the_rest_when_it_comes():
    world = short(expected={"A-1": "2026-01-16"})
    world.do(AM, "choose_option", line=1, option="partial")
    assert (shortage(world).choice, shortage(world).rung, shortage(world).promised_on) == (
        "partial", "wait", "2026-01-06"
    )  # fmt: skip
    assert world.told[-1][1]["available_on"] == "2026-01-16", "the customer is told when the rest comes"
    assert shortage(world).due_at == "2026-01-19T18:00:00Z"
    world.do(LOGISTICS, "ship")
    world.do(LOGISTICS, "deliver")
    assert (line_of(world).delivered, line_of(world).open, states(world)) == (4, 6, ["short", "delivered"])
    until(world, "2026-01-16T05:00:00Z")
    world.stock["A-1"] = 6
    until(world, "2026-01-16T06:00:00Z")
    supplied(world)
    assert [r.total_minor for r in world.deal.receivables] == [107_100, 71_400]


def test_a_partial_delivery_without_a_date_waits_as_long_as_the_policy_says():
    world = short()
    world.do(AM, "choose_option", line=1, option="partial")
    assert (shortage(world).rung, shortage(world).due_at) == ("wait", "2026-02-02T08:00:00Z")
    assert world.told[-1][1]["available_on"] == "to be told"


def test_missing_units_are_bought_in():
    world = short()
    world.do(AM, "choose_option", line=1, option="buy_in")
    assert (shortage(world).rung, shortage(world).promised_on) == ("buy_in", "2026-01-19")
    assert shortage(world).due_at == "2026-01-20T18:00:00Z"
    world.do(LOGISTICS, "answer_shortage", line=1, available_on="2026-01-13", source="buy_in")
    assert shortage(world).rung == "choose", "another date is another choice"
    world.do(AM, "choose_option", line=1, option="buy_in")
    assert (shortage(world).promised_on, shortage(world).due_at) == ("2026-01-13", "2026-01-14T18:00:00Z")
    until(world, "2026-01-13T05:00:00Z")
    world.stock["A-1"] = 6
    until(world, "2026-01-13T06:00:00Z")
    supplied(world)


def test_an_answer_that_comes_before_the_promised_day_changes_nothing():
    world = short(expected={"A-1": "2026-01-12"})
    world.do(AM, "tell_customer", line=1, channel="call", agrees=True)
    world.do(LOGISTICS, "answer_shortage", line=1, available_on="2026-01-14")
    assert (shortage(world).rung, shortage(world).promised_on) == ("wait", "2026-01-12")
    world.do(LOGISTICS, "answer_shortage", line=1, available_on="2026-01-09")
    assert shortage(world).rung == "choose", "better news are a new choice"


def test_a_customer_who_will_not_wait_for_the_rest_gets_what_there_is():
    world = short()
    world.do(AM, "choose_option", line=1, option="cancel")
    line = line_of(world)
    assert (line.state, shortage(world).outcome, shortage(world).choice) == ("reserved", "cancelled", "cancel")
    assert (line.cancelled, line.reserved) == (6, 4)
    supplied(world)


def rungs(world: World) -> list[tuple[str, str, str]]:
    """Which rung the line stood on, until when, and when the head was told of a late answer."""
    return [(v.rung, v.due_at, v.escalated_at) for v in shortage(world).visits]


def test_nobody_answers_and_the_line_goes_down_the_whole_ladder():
    world = short(policy=GERMANY, country="DE", expected={"A-1": "2026-01-28"})
    until(world, "2026-01-19T12:00:00Z")
    assert (shortage(world).choice, shortage(world).promised_on) == ("wait", "2026-01-28"), "the policy chose"
    chose = next(e for entry in world.entries for e in entry.events if e["tag"] == "option_chosen")
    assert (chose["by"], chose["option"]["rank"]) == ("policy", 1)
    world.do(LOGISTICS, "ship", lines=[{"line": 1, "quantity": 4}])
    until(world, "2026-03-31T00:00:00Z")
    assert rungs(world) == [
        ("tell_customer", "2026-01-05T12:00:00Z", ""),
        ("ask_logistics", "2026-01-08T12:00:00Z", "2026-01-08T12:00:00Z"),  # Epiphany is free
        ("ask_production", "2026-01-13T12:00:00Z", "2026-01-13T12:00:00Z"),  # so is the weekend
        ("offer_partial", "2026-01-15T12:00:00Z", ""),
        ("choose", "2026-01-19T12:00:00Z", ""),
        ("wait", "2026-01-29T18:00:00Z", "2026-01-29T18:00:00Z"),
        ("buy_in", "2026-02-12T18:00:00Z", "2026-02-12T18:00:00Z"),
        ("cancel", "2026-02-19T18:00:00Z", ""),
    ]
    assert (shortage(world).outcome, shortage(world).settled_at) == ("cancelled", "2026-02-19T18:00:00Z")
    assert (line_of(world).cancelled, line_of(world).on_the_way, line_of(world).state) == (6, 4, "shipped")
    told = [facts["available_on"] for kind, facts in world.told if kind == "availability_date"]
    assert told == ["2026-01-28", "2026-01-28"], "at the first rung and when the policy chose"
    assert all(v.answered_by == "" for v in shortage(world).visits)
    supplied(world)


def test_without_a_date_the_policy_buys_in_rather_than_wait():
    world = short(have=0)
    until(world, "2026-01-14T12:00:00Z")
    assert [v.rung for v in shortage(world).visits] == [
        "tell_customer", "ask_logistics", "ask_production", "choose", "buy_in"
    ], "nothing is reserved, so no part can be offered"  # fmt: skip
    assert (shortage(world).choice, shortage(world).promised_on) == ("buy_in", "2026-01-28")


def test_a_policy_that_may_choose_nothing_waits():
    stern = replace(DEFAULT, shortage=replace(DEFAULT.shortage, chosen_by_policy=()))
    world = short(have=0, policy=stern)
    until(world, "2026-01-14T12:00:00Z")
    assert (shortage(world).rung, shortage(world).choice, shortage(world).promised_on) == ("wait", "", "")


def test_a_late_answer_is_still_good_and_is_told_to_the_head():
    world = short()
    world.do(AM, "tell_customer", line=1, channel="call")
    until(world, "2026-01-07T09:00:00Z")
    assert shortage(world).rung == "ask_production", "logistics let its two days pass"
    late = items(world)["late_answer"]
    assert (late.roles, late.due_at) == ((HEAD,), "2026-01-07T08:00:00Z")
    assert late.note == "logistics_manager did not answer on ask_logistics for line 1"
    asked = {r.key: r for r in requests(world.deal, DEFAULT)}
    assert set(asked) == {"shortage:1:2", "shortage:1:3"}, "the account manager is no other department"
    first = asked["shortage:1:2"]
    assert (first.role, first.kind, first.subject) == (LOGISTICS, "shortage", "line 1: A-1, ask_logistics")
    assert (first.asked_at, first.due_at, first.answered_at) == ("2026-01-05T08:00:00Z", "2026-01-07T08:00:00Z", "")
    assert first.escalated_at == "2026-01-07T08:00:00Z"
    world.do(LOGISTICS, "answer_shortage", line=1, available_on="2026-01-21")
    assert (shortage(world).rung, shortage(world).answer_on) == ("choose", "2026-01-21")
    answered = {r.key: r for r in requests(world.deal, DEFAULT)}["shortage:1:2"]
    assert (answered.answered_at, answered.answered_by) == ("2026-01-07T09:00:00Z", "u-logistics_manager")
    assert answered.escalated_at, "that it was late stays on record"
    assert "late_answer" not in items(world)
    rows = project(world.deal, DEFAULT).requests
    assert [(row["key"], row["answered_by"]) for row in rows] == [
        ("shortage:1:2", "u-logistics_manager"), ("shortage:1:3", "")
    ]  # fmt: skip


def test_a_no_that_comes_late_does_not_hurry_the_next_one():
    world = short()
    world.do(AM, "tell_customer", line=1, channel="call")
    until(world, "2026-01-07T09:00:00Z")
    due = shortage(world).due_at
    world.do(LOGISTICS, "answer_shortage", line=1)
    assert (shortage(world).rung, shortage(world).due_at) == ("ask_production", due)


def found(world: World, policy: Policy = DEFAULT) -> list[Option]:
    """The options for the first line, the best first."""
    return list(options(world.deal, line_of(world), policy, world.now))


def test_options_are_ranked_with_dates_costs_margins_and_delay():
    world = short(
        expected={"A-1": "2026-01-20"},
        analogues={"A-1": "B-1"},
        prices=PRICES,
    )
    # six units at 100.00 are missing; a working day of delay costs 0.2 % of them, 1.20
    assert found(world) == [
        Option("wait", "2026-01-20", 6, 0, 0, -11 * 120, 1),
        Option("partial", "2026-01-06", 4, 1_500, -1_500, -1_500 - 11 * 120, 2),
        Option("analogue", "2026-01-06", 6, 0, -6_000, -6_000 - 120, 3, "B-1"),
        Option("buy_in", "2026-01-19", 6, 5_400, -5_400, -5_400 - 10 * 120, 4),
        Option("cancel", "", 6, 0, -30_000, -30_000, 5),
    ]
    world.do(PRODUCTION, "answer_shortage", line=1, available_on="2026-01-12", source="production")
    assert found(world)[1] == Option("production", "2026-01-12", 6, 1_800, -1_800, -1_800 - 5 * 120, 2)
    rows = project(world.deal, DEFAULT).shortages
    assert [option["kind"] for option in rows[0]["options"]] == [
        "wait", "production", "partial", "analogue", "buy_in", "cancel"
    ]  # fmt: skip
    assert (rows[0]["short"], rows[0]["rung"], rows[0]["note"]) == (6, "choose", "6 on 2026-01-12 from production")


def test_a_day_that_passed_promises_nothing():
    world = short(have=0, expected={"A-1": "2026-01-09"})
    assert [o.kind for o in found(world)] == ["wait", "buy_in", "cancel"]
    world.now = "2026-01-12T08:00:00Z"
    assert [o.kind for o in found(world)] == ["buy_in", "cancel"]
    world.do(PRODUCTION, "answer_shortage", line=1, available_on="2026-01-13", source="production")
    assert [o.kind for o in found(world)] == ["production", "buy_in", "cancel"]
    world.now = "2026-01-14T08:00:00Z"
    assert [o.kind for o in found(world)] == ["buy_in", "cancel"]


def test_a_shortage_that_comes_back_begins_anew():
    world = short(expected={"A-1": "2026-01-20"})
    world.stock["A-1"] = 6
    world.do(LOGISTICS, "retry_reservation")
    assert shortage(world).outcome == "stock"
    world.misplaced["A-1"] = 10
    world.do(LOGISTICS, "ship", lines=[{"line": 1, "quantity": 10}])
    assert (line_of(world).state, line_of(world).short) == ("short", 10)
    assert (shortage(world).outcome, shortage(world).rung) == ("", "tell_customer")
    assert len(shortage(world).visits) == 2, "earlier answers stay on record"
