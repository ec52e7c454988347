"""Accounts taken over from an earlier system: their ladder, their end, and what is refused."""

from random import Random
from typing import Any

import pytest

from models.agenda import agenda
from models.deal import fold
from models.instants import DAY
from models.policy import DEFAULT, GOODS
from tests.models.random_course import Course
from tests.models.random_deal import play
from tests.models.test_properties import WorldDriver
from tests.models.world import World

BROUGHT = {"number": "SAP-77", "amount_minor": 4_000, "issued_on": "2026-01-05", "due_on": "2026-02-04"}


def account(**changes: Any) -> World:
    world = World(**changes)
    world.do("accounts_receivable", "take_over_account")
    return world


def rungs(world: World, number: str = "SAP-77") -> dict[str, str]:
    owed = world.deal.receivable(number)
    return {each.rung: each.at[:10] for each in owed.reached} if owed else {}


def test_an_account_begins_in_support_and_waits_for_accounts_receivable():
    world = account()
    assert (world.deal.state, world.deal.is_account) == ("supporting", True)
    (item,) = agenda(world.deal, DEFAULT)
    assert (item.kind, item.roles, item.action) == ("account", ("accounts_receivable",), "")
    assert world.advance(400 * DAY) == []
    assert world.deal.state == "supporting", "an account is not completed by itself"


def test_a_brought_invoice_has_its_own_number_and_the_normal_ladder():
    world = account()
    world.do("accounts_receivable", "bring_invoice", **BROUGHT)
    (owed,) = world.deal.receivables
    assert (owed.number, owed.kind, owed.open_minor) == ("SAP-77", "legacy", 4_000)
    assert (owed.issued_at, owed.due_at) == ("2026-01-05T00:00:00Z", "2026-02-04T00:00:00Z")
    world.advance(50 * DAY)
    assert rungs(world) == {
        "announce_due": "2026-02-02",  # the first is a Sunday
        "fall_due": "2026-02-04",
        "remind_payment": "2026-02-09",  # the seventh is a Saturday
        "dun_first": "2026-02-11",
        "dun_second": "2026-02-18",
    }
    assert world.letters == ["pre_due_notice", "reminder", "first_dunning", "second_dunning"]


def test_what_was_late_before_is_written_about_one_letter_after_the_other():
    world = account()
    world.do("accounts_receivable", "bring_invoice", **{**BROUGHT, "issued_on": "2025-06-01", "due_on": "2025-07-01"})
    assert (world.letters, rungs(world)) == ([], {"fall_due": "2026-01-05"})
    world.advance(20 * DAY)
    assert world.letters == ["reminder", "first_dunning", "second_dunning"]
    assert rungs(world) == {
        "fall_due": "2026-01-05",
        "remind_payment": "2026-01-08",
        "dun_first": "2026-01-12",
        "dun_second": "2026-01-19",
    }


def test_what_falls_due_soon_is_announced_at_once():
    world = account()
    world.do("accounts_receivable", "bring_invoice", **{**BROUGHT, "issued_on": "2025-12-07", "due_on": "2026-01-06"})
    world.advance(0)
    assert world.letters == ["pre_due_notice"]


def test_an_account_is_completed_by_somebody_once_everything_is_settled():
    world = account()
    world.do("accounts_receivable", "bring_invoice", **BROUGHT)
    assert world.refusal("account_manager", "complete").failing[0].guard == "receivables_are_settled"
    world.pay()
    world.advance(100 * DAY)
    assert world.deal.state == "supporting"
    world.do("accounts_receivable", "bring_invoice", **{**BROUGHT, "number": "SAP-78"})
    world.pay()
    world.do("account_manager", "complete")
    assert world.deal.state == "completed"
    assert fold(world.entries) == world.deal


def test_an_account_with_money_given_up_is_not_over():
    world = account()
    world.do("accounts_receivable", "bring_invoice", **BROUGHT)
    world.do("accounts_receivable", "request_write_off", invoice="SAP-77", reason="bankrupt")
    world.do("head_of_sales", "approve_write_off", reason="nothing to get")
    assert world.deal.state == "supporting"
    world.do("head_of_sales", "default")
    assert world.deal.state == "defaulted"


def test_a_number_is_brought_once():
    world = account(taken={"SAP-9": "D-7"})
    world.do("accounts_receivable", "bring_invoice", **BROUGHT)
    again = world.refusal("accounts_receivable", "bring_invoice", **BROUGHT)
    assert [v.guard for v in again.failing] == ["number_is_new"]
    others = world.refusal("accounts_receivable", "bring_invoice", **{**BROUGHT, "number": "SAP-9"})
    assert "taken by D-7" in others.message


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": ""}, "number has 1 to 40"),
        ({"number": "x" * 41}, "number has 1 to 40"),
        ({"number": " SAP-1"}, "no space around"),
        ({"number": "SAP\x011"}, "printable"),
        ({"number": "2026-000123"}, "one of our own series"),
        ({"amount_minor": 0}, "amount_minor"),
        ({"issued_on": "5 January"}, "isoformat"),
        ({"due_on": "2026-01-04"}, "before issued_on"),
    ],
)
def test_an_impossible_invoice_is_malformed(changes: dict[str, Any], field: str):
    refusal = account().refusal("accounts_receivable", "bring_invoice", **{**BROUGHT, **changes})
    assert refusal.code == "malformed"
    assert field in refusal.message


def test_deals_of_older_rules_know_no_accounts():
    world = World(policy=GOODS)
    refusal = world.refusal("accounts_receivable", "take_over_account")
    assert [v.guard for v in refusal.failing] == ["rules_know_collection"]


@pytest.mark.uncounted  # what it drives is covered act by act elsewhere
@pytest.mark.timeout(300)
def test_random_acts_on_an_account_keep_every_rule():
    wanted = ("bring_invoice", "record_payment", "dispute", "promise_to_pay", "agree_plan", "reverse_payment")
    course, brought = Course(wanted), 0
    for seed in range(25):
        rng, world = Random(f"account {seed}"), account()
        for number, due_on in enumerate(("2025-03-01", "2026-01-06", "2026-02-04")):
            first = {"number": f"OLD-{number}", "issued_on": "2025-02-01", "due_on": due_on}
            world.do("accounts_receivable", "bring_invoice", **{**BROUGHT, **first})
        driver = WorldDriver(world)
        course.begin()
        for _ in range(45):
            if driver.deal.is_closed:
                break
            play(driver, rng, course)
            assert driver.deal.is_account
            if rng.random() < 0.2:
                driver.advance(rng.choice((1, 4, 10, 40)) * DAY)
        brought += len(driver.deal.receivables)
        assert fold(driver.world.entries) == driver.deal
    assert brought > 25 * 3, course.done
    assert list(course.missing()) == []
