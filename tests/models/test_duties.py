"""Separation of duties: the rules themselves, and the guards that keep duties apart on a deal."""

from collections import Counter
from random import Random

import pytest

from api.routers import credit, customers, users
from models.command import Actor
from models.conflicts import ConflictFinder
from models.duties import CONFLICTS, DUTIES, DUTY_OF, GUARDED, MASTER_ACTS, acts_of, toxic
from models.duty_events import DealActs
from models.lifecycle.deal_table import DEAL
from models.lifecycle.guards import GUARDS
from models.lifecycle.roles import PERSONS, Role
from models.policy import GOODS
from tests.models.random_acts import CROWD
from tests.models.random_course import Course
from tests.models.random_deal import play
from tests.models.test_properties import driven
from tests.models.world import LINES, World, delivered, signed

EVERYTHING = tuple(str(role) for role in sorted(PERSONS - {Role.AUTOMATION, Role.ADMIN, Role.AUDITOR}))
ALL_IN_ONE = Actor("u-all", EVERYTHING)


def test_every_act_of_a_duty_is_one_that_somebody_can_do():
    acts = {row.action for row in DEAL.rows} | set(MASTER_ACTS)
    assert {act for duty in DUTIES.values() for act in duty.acts} <= acts
    assert len(DUTY_OF) == sum(len(duty.acts) for duty in DUTIES.values()), "an act is part of one duty"


def test_every_conflict_names_two_duties_says_why_and_is_named_once():
    assert len({rule.name for rule in CONFLICTS}) == len(CONFLICTS)
    for rule in CONFLICTS:
        assert {rule.first, rule.second} <= set(DUTIES)
        assert rule.first != rule.second
        assert len(rule.why.split()) > 5


@pytest.mark.parametrize("duty", sorted(GUARDED))
def test_every_row_of_a_guarded_duty_has_its_guard_and_no_other_row_has(duty: str):
    guard = f"{duty}_is_apart"
    assert guard in GUARDS
    assert {row.action for row in DEAL.rows if guard in row.guards} == DUTIES[duty].acts


def test_what_four_eyes_is_said_to_prevent_has_that_guard():
    for rule in CONFLICTS:
        if rule.prevented_by == "four_eyes":
            rows = [row for row in DEAL.rows if row.action in DUTIES[rule.second].acts]
            assert rows
            assert all("four_eyes" in row.guards for row in rows)


def test_the_acts_on_master_data_are_given_to_the_roles_that_the_routes_let_in():
    assert MASTER_ACTS["customer"] == customers.CHANGERS
    assert MASTER_ACTS["credit_limit"] == credit.FIXERS
    assert MASTER_ACTS["user"] == users.ADMINS


def test_one_role_alone_combines_nothing_that_is_refused_at_the_act_but_on_master_data():
    """Else a rule would make a role of the domain useless."""
    for role in PERSONS - {Role.AUTOMATION}:
        alone = {rule.name for rule in toxic([role]) if rule.prevented_by == "guard"}
        assert not alone, f"{role}: {alone}"


def test_what_a_person_can_do_follows_from_the_tables():
    assert {"ship", "deliver"} <= acts_of(["logistics_manager"])
    assert "record_payment" not in acts_of(["logistics_manager"])
    assert acts_of(["auditor"]) == frozenset()
    assert acts_of(["admin"]) == {"user", "policy_draft", "policy_approval"}
    both = {rule.name for rule in toxic(["sales_support", "logistics_manager"])}
    assert "order_entry_and_goods_release" in both
    assert toxic(["automation"]) == ()


def apart(world: World, actor: Actor, action: str, guard: str, **payload: object) -> str:
    (failing,) = world.refusal(actor, action, **payload).failing
    assert failing.guard == guard
    return failing.found


def test_who_entered_the_order_does_not_let_the_goods_leave_and_another_does():
    world = signed(World())
    world.do("account_manager", "accept_order")
    lines = [{**line, "unit_price_minor": 10_000} for line in LINES]
    world.act(ALL_IN_ONE, "enter_order", lines=lines)
    (entry,) = (e for e in world.entries if e.action == "enter_order")
    found = apart(world, ALL_IN_ONE, "ship", "goods_release_is_apart")
    assert found == f"order_entry_and_goods_release: u-all did enter_order in entry {entry.sequence}"
    world.do("logistics_manager", "ship")


def test_a_deputy_is_barred_by_what_the_absent_person_did_and_the_other_way_round():
    world = delivered(World())
    world.pay(100)
    deputy = Actor("u-b", ("head_of_sales",), stands_in_for=("u-accounts_receivable",))
    invoice = world.deal.receivables[0].number
    asked = {"invoice": invoice, "amount_minor": 100, "reason": "goodwill"}
    assert "u-accounts_receivable did record_payment" in apart(world, deputy, "credit", "credit_note_is_apart", **asked)
    for_head = Actor("u-accounts_receivable", ("head_of_sales",), on_behalf_of="u-head_of_sales")
    apart(world, for_head, "credit", "credit_note_is_apart", **asked)
    instead = Actor("u-c", ("accounts_receivable",), on_behalf_of="u-accounts_receivable")
    world.do("head_of_sales", "credit", **asked)
    world.act(instead, "record_payment", invoice=invoice, amount_minor=1, currency="EUR")
    found = apart(world, Actor("u-c", ("head_of_sales",)), "credit", "credit_note_is_apart", **asked)
    assert "u-c did record_payment" in found


def test_a_machine_may_do_both():
    world = signed(World())
    world.do("account_manager", "accept_order")
    world.do("automation", "enter_order", lines=[{**line, "unit_price_minor": 10_000} for line in LINES])
    world.do("automation", "ship")
    assert world.deal.did == ()


def test_a_deal_remembers_a_duty_once_per_person():
    world = delivered(World())
    for _ in range(3):
        world.pay(100)
    assert [done.duty for done in world.deal.did].count("payment_booking") == 1
    tags = Counter(event["tag"] for entry in world.entries for event in entry.events)
    assert tags["duty_done"] == len(world.deal.did)


def test_deals_of_older_rules_remember_nothing_and_what_they_combine_is_found():
    world = signed(World(GOODS))
    world.do("account_manager", "accept_order")
    world.act(ALL_IN_ONE, "enter_order", lines=[{**line, "unit_price_minor": 10_000} for line in LINES])
    world.act(ALL_IN_ONE, "ship")
    assert world.deal.did == ()
    finder = ConflictFinder()
    found = [finding for event in DealActs().of(world.entries) for finding in finder.feed(event)]
    assert [(each.rule, each.link) for each in found] == [("order_entry_and_goods_release", "the same person: u-all")]
    assert found[0].prevented, "today it is refused"


GREEDY = (
    *CROWD,
    ALL_IN_ONE,
    Actor("u-sales", ("account_manager", "sales_support", "logistics_manager", "head_of_sales")),
    Actor("u-money", ("accounts_receivable", "commercial_director", "logistics_manager", "legal")),
    Actor("u-money", ("head_of_sales",), on_behalf_of="u-sales"),
    Actor("u-deputy", ("accounts_receivable",), on_behalf_of="u-all"),
)


@pytest.mark.timeout(600)
@pytest.mark.uncounted
def test_no_history_of_random_acts_combines_what_is_prevented():
    """People with all roles at once try everything, also as deputies, until they tried what four guards of duties
    refuse."""
    course, refused = Course(wanted=()), Counter[str]()
    for seed in range(200):
        if seed >= 20 and len([guard for guard in refused if guard.endswith("_is_apart")]) >= 4:
            break
        rng = Random(seed)
        driver = driven(rng)
        for _ in range(60):
            if driver.deal.is_closed:
                break
            played = play(driver, rng, course, GREEDY)
            refused.update(verdict.guard for verdict in (played.refusal.failing if played.refusal else ()))
        finder = ConflictFinder()
        found = [finding for event in DealActs().of(driver.world.entries) for finding in finder.feed(event)]
        assert not [finding for finding in found if finding.prevented], seed
    else:
        pytest.fail(f"nobody was tempted: {refused}")
    assert min(course.done["ship"], course.done["record_payment"]) > 1
    assert refused["four_eyes"] > 0
